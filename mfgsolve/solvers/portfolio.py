"""The default where no solver is named: the suited ones in turn, the best certificate kept.

The first solver runs as it would alone.  When it stalls, or when the certificate falls so slowly that the tolerance is
out of reach, its best point is where the next one starts, and so on.  In a second round whoever was left while it still
moved goes on from where it stood, with more patience, and whoever stalled from another's point starts again from
nothing; in a third one so does whoever still was slow from another's point.  Hence every solver that did not get there
has been tried from its own first point.  What is returned is the best plan of all, with the name of its solver.

"Slowly" is measured in work: over the last half of its sweeps a solver lowered the best certificate by a factor; at
that rate the tolerance is more than `FAR` times as many sweeps away as it has used.  This takes a linear rate of
convergence for what it is, and 1/k for hopeless.  Newton's method is left alone for longer where it has
ways of its own round a stiff game.
"""

from __future__ import annotations

import copy
import json
import math
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.methods import SOLVERS
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import UNMEASURED, Guess, Measure, Outcome, Solver, State
from mfgsolve.solvers.stored import Stored

__all__ = ["Portfolio"]

PATIENCE = (300.0, 2000.0, 4000.0)  # sweeps of one solver before it is judged, round by round
WORK = 2e9  # cell-steps that these sweeps may come to (about a minute), where they are more than those of round 0
BRIEF = 40.0  # the same in round 0 where transitions depend on the crowd: one may be there at once, and none must be
DETOUR = 20_000.0  # sweeps of one that has ways of its own where its certificate does not fall
LONG = 2.0  # times these sweeps, after which it is judged however few its iterations
STEPS, FEWEST = 50, 4  # iterations, and certificates, before it is judged
FAR = 3.0  # times the sweeps used so far that may still be needed
ROUND = 1e-13  # relative exploitability that no other solver is asked to improve
LARGE = 50_000  # masses beyond which no solver that factors all of them at once comes after another
FACTORS = ("complementarity", "admm")

FAILURES = (InputError, MemoryError, ArithmeticError, RuntimeError, np.linalg.LinAlgError)

FRESH, RESTING, ASTRAY, DONE = 0, 1, 2, 3  # not begun; left while it moved; to be begun from nothing; at its end


@dataclass(frozen=True)
class Rest:
    """A solver at rest: what it goes on from, bit for bit, and how its certificate fell."""

    arrays: dict[str, np.ndarray]
    numbers: dict[str, float]
    measure: Measure
    track: list[tuple[float, float]]


@dataclass
class PortfolioState(State):
    """The solver that runs, those at rest, and the best plan of those that ended."""

    game: Game
    tol: float
    stage: State
    at: int  # number of the solver that runs
    places: list[int]  # where every solver stands: FRESH, RESTING, ASTRAY, DONE
    first: int = 0  # iterations and sweeps before those that the stage counts itself
    spent: float = 0.0
    round: int = 0
    given: bool = False  # whether the user gave a start
    warm: bool = False  # whether the stage started from that or from another's point
    track: list[tuple[float, float]] = field(default_factory=list)  # sweeps of the stage, its best certificate so far
    resting: dict[int, Rest] = field(default_factory=dict)
    best: Rest | None = None
    best_at: int = -1
    best_score: float = math.inf
    crowd: np.ndarray | None = None  # of the best plan

    @property
    def mended(self) -> bool:  # type: ignore[override]
        return self.stage.mended

    @property
    def replaced(self) -> bool:  # type: ignore[override]
        return self.stage.replaced

    @property
    def is_measured(self) -> bool:
        return self.stage.is_measured

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        arrays: dict[str, np.ndarray] = {}
        names = ("iteration", "sweeps", "at", "first", "spent", "round", "given", "warm", "best_at",
                 "best_score")  # fmt: skip
        numbers = {f"portfolio.{name}": float(getattr(self, name)) for name in names}
        numbers |= {"portfolio.stalled": float(self.stage.stalled), "portfolio.finished": float(self.stage.finished)}
        numbers |= {f"portfolio.place{k}": float(place) for k, place in enumerate(self.places)}
        kept = {"now": _rest(self.stage, self.track)} | {f"rest{k}": rest for k, rest in self.resting.items()}
        if self.best is not None:
            kept["best"] = self.best
        for label, rest in kept.items():
            arrays |= {f"{label}.{name}": array for name, array in rest.arrays.items()}
            numbers |= {f"{label}.{name}": number for name, number in rest.numbers.items()}
            numbers |= {f"{label}.measure.{f.name}": float(getattr(rest.measure, f.name)) for f in fields(Measure)}
            arrays[f"{label}.track"] = np.array(rest.track, dtype=float).reshape(-1, 2)
        return arrays, numbers


@dataclass(frozen=True)
class Portfolio(Solver):
    """The suited solvers in turn, each from the best point so far, until the tolerance is met or all have stalled.

    Parameters
    ----------
    solvers : their names in order, parted by commas
    options : hyper-parameters of the first, as JSON
    """

    solvers: str = ""
    options: str = "{}"

    name = "portfolio"

    @property
    def names(self) -> list[str]:
        return self.solvers.split(",")

    def solver(self, k: int) -> Solver:
        """The solver of that number."""
        if k not in self._made:
            self._made[k] = SOLVERS[self.names[k]](**(json.loads(self.options) if k == 0 else {}))
        return self._made[k]

    @cached_property
    def _made(self) -> dict[int, Solver]:
        return {}

    def refuses(self, problem: Problem) -> str | None:
        return self.solver(0).refuses(problem)

    # -- the protocol of solvers -------------------------------------------------------------------------------

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PortfolioState:
        stage = self.solver(0).init(game, tol, start)
        places = [FRESH] * len(self.names)
        state = PortfolioState(0, 0.0, stage.measure, game, tol, stage, 0, places)
        state.given = state.warm = start is not None
        return self._noted(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PortfolioState:
        arrays, numbers = stored.arrays, stored.numbers
        kept = {label: _unpacked(label, arrays, numbers) for label in {name.split(".")[0] for name in arrays}}
        own = {name[10:]: value for name, value in numbers.items() if name.startswith("portfolio.")}
        now, at = kept["now"], int(own["at"])
        own_arrays = {name: value.copy() for name, value in now.arrays.items()}
        stage = self.solver(at).unpack(game, tol, own_arrays, dict(now.numbers), now.measure)
        stage.stalled, stage.finished = bool(own["stalled"]), bool(own["finished"])
        places = [int(own[f"place{k}"]) for k in range(len(self.names))]
        state = PortfolioState(int(own["iteration"]), own["sweeps"], UNMEASURED, game, tol, stage, at, places)
        state.first, state.spent, state.round = int(own["first"]), own["spent"], int(own["round"])
        state.given, state.warm, state.track = bool(own["given"]), bool(own["warm"]), now.track
        state.best, state.best_at, state.best_score = kept.get("best"), int(own["best_at"]), own["best_score"]
        state.resting = {int(label[4:]): rest for label, rest in kept.items() if label.startswith("rest")}
        return state

    def unpack(
        self, game: Game, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float], measure: Measure
    ) -> State:
        return super().unpack(game, tol, arrays, numbers | {"sweeps": numbers["portfolio.sweeps"]}, measure)

    def step(self, state: PortfolioState) -> PortfolioState:
        """One iteration, on a copy: a step that is broken off changes nothing but, at most, the stage."""
        state = copy.copy(state)
        state.places, state.track, state.resting = [*state.places], [*state.track], {**state.resting}
        if self._left(state):
            self._turn(state)
        else:
            state.stage = self.solver(state.at).step(state.stage)
        return self._noted(state)

    def finish(self, state: PortfolioState) -> Outcome:
        names = self.names
        begun = [k for k, place in enumerate(state.places) if place != FRESH or k == state.at]
        stages = tuple(names[: max(begun) + 1])
        outcome, at = self.solver(state.at).finish(copy.copy(state.stage)), state.at  # which may have to go on
        if state.best is not None:
            if not _score(outcome) <= state.best_score:
                outcome, at = self._best_outcome(state), state.best_at
            outcome = replace(outcome, sweeps=state.sweeps)
        return replace(outcome, solver=names[at], stages=stages)

    # -- from one solver to the next ---------------------------------------------------------------------------

    def _noted(self, state: PortfolioState) -> PortfolioState:
        """Enter what the stage measured; when it is left and no other can go on, the portfolio has stalled."""
        stage, measure = state.stage, state.stage.measure
        state.iteration, state.sweeps = state.first + stage.iteration, state.spent + stage.sweeps
        if state.first or state.spent or state.at:
            iteration, sweeps = state.first + measure.iteration, state.spent + measure.sweeps
            measure = replace(measure, iteration=iteration, sweeps=sweeps, stage=state.at)
        state.measure = measure
        if measure.final_grid and math.isfinite(measure.exploitability):
            before = state.track[-1][1] if state.track else math.inf
            state.track.append((stage.sweeps, min(before, _size(measure))))
        state.stalled = state.stalled or (self._left(state) and self._next(state, self._place(state)) is None)
        return state

    def _left(self, state: PortfolioState) -> bool:
        """Whether the stage is to be left: it has stalled, fails, or moves too slowly."""
        stage = state.stage
        if stage.stalled or stage.finished:
            return True
        if _fails(stage):
            return bool(state.track) or state.best is not None  # else the costs themselves are not finite
        patience = max(PATIENCE[0], min(PATIENCE[state.round], WORK / state.game.cell_steps))
        if state.round == 0 and state.game.is_coupled:
            patience = BRIEF
        if stage.has_detours:
            patience = DETOUR
        seasoned = stage.iteration >= min(STEPS, patience) or (
            bool(state.track) and state.track[-1][0] >= LONG * patience
        )
        return seasoned and slow(state.track, state.tol, patience)

    def _place(self, state: PortfolioState) -> int:
        """Where the stage stands once it is left."""
        stage = state.stage
        ended = stage.stalled or stage.finished or _fails(stage)
        if state.round == 0 and not ended:
            return RESTING
        return ASTRAY if state.warm else DONE

    def _next(self, state: PortfolioState, place: int, after: tuple[int, int] | None = None) -> tuple[int, int] | None:
        """Round and number of the solver that goes on when the stage is left at that place, or None; ``after`` those
        that were tried in vain."""
        least = min(state.best_score, state.track[-1][1] if state.track else math.inf)
        if least <= max(ROUND, state.tol):
            return None
        places = [place if k == state.at else other for k, other in enumerate(state.places)]
        wanted, (now, at) = ((FRESH,), (RESTING, ASTRAY), (ASTRAY,)), after or (state.round, state.at)
        for round_ in range(now, len(wanted)):
            for k in range(at + 1 if round_ == now else 0, len(places)):
                if places[k] in wanted[round_] and (k == 0 or self._fits(state.game, k)):
                    return round_, k
        return None

    def _fits(self, game: Game, k: int) -> bool:
        """Whether a solver may come after others: its matrix can be factored in the memory of a small machine."""
        return self.names[k] not in FACTORS or game.grid.size * game.steps <= LARGE

    def _turn(self, state: PortfolioState) -> None:
        """Leave the stage, keep its plan if it is the best, and let the next one go on."""
        place, rest = self._place(state), _rest(state.stage, state.track)
        outcome = self.solver(state.at).finish(state.stage)
        score = _score(outcome)
        if score < state.best_score:
            state.best, state.best_at, state.best_score, state.crowd = rest, state.at, score, outcome.crowd
        state.places[state.at] = place
        if place == RESTING:
            state.resting[state.at] = rest
        result = self._next(state, place)
        while result is not None and not self._begin(state, *result):
            state.places[result[1]] = DONE
            result = self._next(state, place, result)
        if result is None:
            state.stalled = True
        else:
            state.round, state.at = result

    def _begin(self, state: PortfolioState, round_: int, k: int) -> bool:
        """Put a solver to work, from where it rests, from the best point or from nothing; False where it cannot."""
        place, iteration, sweeps = state.places[k], state.iteration + 1, state.sweeps
        rest = state.resting.pop(k, None)
        if rest is not None:
            state.stage, state.track = self._revived(state, k, rest), rest.track
            state.first, state.spent = iteration - state.stage.iteration, sweeps - state.stage.sweeps
            state.warm = k > 0 or state.given
            return True
        guess = self._guess(state) if place == FRESH else None
        try:
            stage = self.solver(k).init(state.game, state.tol, guess)
        except FAILURES:  # the first solver has shown that the game itself is sound
            return False
        state.stage, state.track, state.first, state.spent = stage, [], iteration, sweeps
        state.warm = place == FRESH
        return True

    def _guess(self, state: PortfolioState) -> Guess | None:
        """The crowd of the best plan."""
        if state.best is None:
            return None
        if state.crowd is None:
            state.crowd = self._best_outcome(state).crowd
        crowd = state.crowd
        return lambda game: crowd.copy()

    def _best_outcome(self, state: PortfolioState) -> Outcome:
        assert state.best is not None
        stage = self._revived(state, state.best_at, state.best)
        return self.solver(state.best_at).finish(stage)

    def _revived(self, state: PortfolioState, k: int, rest: Rest) -> State:
        """The solver at rest, as it stood."""
        arrays = {name: array.copy() for name, array in rest.arrays.items()}
        numbers = dict(rest.numbers)
        return self.solver(k).unpack(state.game, state.tol, arrays, numbers, rest.measure)


def slow(track: list[tuple[float, float]], tol: float, patience: float) -> bool:
    """Whether the best certificate falls so slowly that ``tol`` is out of reach; see the module.

    ``track`` holds sweeps and best certificate after every iteration.
    """
    if len(track) < FEWEST or track[-1][0] - track[0][0] < patience:
        return False
    begun, (now, score) = track[0][0], track[-1]
    middle = 0.5 * (begun + now)
    half, before = next(entry for entry in reversed(track) if entry[0] <= middle)
    if not 0 < score < before:
        return score > 0
    needed = math.log(score / max(tol, ROUND)) / math.log(before / score) * (now - half)
    return needed > FAR * (now - begun)


def _fails(stage: State) -> bool:
    """Whether what it measured is no number."""
    return stage.is_measured and not math.isfinite(stage.measure.exploitability)


def _size(measure: Measure) -> float:
    return max(abs(measure.relative_exploitability), measure.violation)


def _score(outcome: Outcome) -> float:
    """What plans are compared by; infinite where it is not finite."""
    result = certify(outcome.game, outcome.policy, outcome.crowd, outcome.dual, multiplier=outcome.multiplier)
    score = max(abs(result.relative_exploitability), result.violation)
    return score if math.isfinite(score) else math.inf


def _rest(stage: State, track: list[tuple[float, float]]) -> Rest:
    arrays, numbers = stage.pack()
    return Rest({name: array.copy() for name, array in arrays.items()}, dict(numbers), stage.measure, list(track))


def _unpacked(label: str, arrays: dict[str, np.ndarray], numbers: dict[str, float]) -> Rest:
    """A solver at rest from what `PortfolioState.pack` wrote."""
    head, kinds = f"{label}.", {f.name: f.type for f in fields(Measure)}
    own: dict[str, Any] = {name[len(head) :]: array for name, array in arrays.items() if name.startswith(head)}
    stored = {name[len(head) :]: number for name, number in numbers.items() if name.startswith(head)}
    measured = {name[8:]: number for name, number in stored.items() if name.startswith("measure.")}
    casts: dict[str, Any] = {"int": int, "bool": bool, "float": float}
    measure = Measure(**{name: casts[str(kinds[name])](number) for name, number in measured.items()})
    track = [(float(sweeps), float(score)) for sweeps, score in own.pop("track")]
    rest = {name: number for name, number in stored.items() if not name.startswith("measure.")}
    return Rest(own, rest, measure, track)
