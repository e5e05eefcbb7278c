"""One driver for every solver: the loop, the stop test, budgets, callbacks, progress, checkpoints and history.

A solver is a frozen dataclass of hyper-parameters with ``init(game, ...) -> state``, ``step(state) -> state`` and
``finish(state) -> outcome``; the state says what it measured (`Measure`) and can be packed into named arrays and
numbers that continue it bit for bit.  Everything else exists once, here.

A deadline, Ctrl-C or a user's error may come inside a step.  The driver then goes back to the last *whole* state, which
it knows from what that state packed (`Kept`), and says which iteration that is: in the result, and in the checkpoint.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np

from mfgsolve import watch
from mfgsolve.cautions import say
from mfgsolve.certificates import FEASIBLE, Certificate, Criterion, certify
from mfgsolve.errors import FileError
from mfgsolve.games import Game, Policy
from mfgsolve.problem import Problem
from mfgsolve.solution import Status
from mfgsolve.solution.datasets import Measure
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.blas import blas_threads
from mfgsolve.solvers.needs import Need, unmet
from mfgsolve.solvers.returns import check_outcome, returned
from mfgsolve.solvers.stored import Stored, pack

__all__ = [
    "FEASIBLE", "UNMEASURED", "Budget", "Guess", "Measure", "Outcome", "Run", "Solver", "State", "Status", "begin",
    "handed_over", "restorer", "run",
]  # fmt: skip


RARELY = 20  # what may cost a twentieth of the time waits so many times as long as it took
AGAIN = 10.0  # seconds after which a checkpoint that could not be written is tried again

UNMEASURED = Measure(0, 0.0, math.nan, math.nan, math.nan, math.nan, 0, False)


@dataclass
class State(ABC):
    """Where a solver stands; subclasses add their arrays.

    Two marks say what becomes of it when a step is broken off.  ``replaced``: a step puts new arrays in the place of
    the packed ones and never writes into those.  ``mended``: after a step that was broken off by any exception this
    very object is whole, its iteration, its measure and its arrays together.  Of all other states the driver keeps
    copies.
    """

    replaced: ClassVar[bool] = False
    mended: ClassVar[bool] = False

    iteration: int
    sweeps: float
    measure: Measure

    def __copy__(self) -> Self:
        """The same state, array by array; half the time of `copy` by itself."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    @property
    def has_detours(self) -> bool:
        """Whether it has ways of its own to go on where its certificate does not fall, and knows when they end."""
        return False

    @property
    def is_measured(self) -> bool:
        """Whether this iteration has a certificate; a solver may go without one for a while, and its measure is NaN."""
        return True

    stalled: bool = field(default=False, kw_only=True)
    finished: bool = field(default=False, kw_only=True)  # it has done all that it was to do

    def note(self, found: Certificate, cell_steps: int, final_grid: bool = True) -> None:
        """Enter a certificate as the measure of this iteration."""
        self.measure = Measure(
            iteration=self.iteration,
            sweeps=self.sweeps,
            exploitability=found.exploitability,
            relative_exploitability=found.relative_exploitability,
            potential=found.potential,
            duality_gap=found.duality_gap,
            cell_steps=cell_steps,
            final_grid=final_grid,
            violation=found.violation,
        )

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """Arrays and numbers from which ``Solver.unpack`` continues bit for bit: the fields that are `stored`."""
        arrays, numbers = pack(self)
        return arrays, {"sweeps": self.sweeps} | numbers


@dataclass(frozen=True)
class Outcome:
    """What a solver hands over: the game on the final grid, a policy with its own crowd, and a dual value."""

    game: Game
    policy: Policy
    crowd: np.ndarray
    dual: float = math.nan
    sweeps: float = math.nan
    multiplier: np.ndarray | None = None  # of hard bounds, shape of a price
    solver: str = ""  # whose plan it is, and all that ran, where several did
    stages: tuple[str, ...] = ()
    played: Played | None = None  # how agents learned it; None of solvers
    coarser: Callable[[], tuple[Game, np.ndarray]] | None = None  # the same game on a coarser mesh, and its crowd

    def certified(self) -> Certificate:
        """The certificate of what is handed over."""
        return certify(self.game, self.policy, self.crowd, self.dual, multiplier=self.multiplier)


Guess = Callable[[Game], np.ndarray]  # a believed crowd (T+1 levels) of the game


class Solver(ABC):
    """Base of all solvers; subclasses are frozen dataclasses."""

    name: str
    source: str = ""  # "authors, title, doi:..." or "..., arXiv:...", parted by semicolons; solutions cite it
    learns: ClassVar[bool] = False  # whether it is run by `mfgsolve.learn`: agents that play, episode after episode

    needs: ClassVar[tuple[Need, ...]] = ()  # of a game

    def refuses(self, problem: Problem) -> str | None:
        """A sentence why the problem does not suit, or None: the first need that it does not meet."""
        return unmet(self.needs, problem)

    @abstractmethod
    def init(self, game: Any, tol: float, start: Guess | None = None) -> State:
        """The first state of a solve of a game, as solvers see it (`mfgsolve.games.make_game` of a problem's
        ``levelled()``)."""

    @abstractmethod
    def step(self, state: Any) -> State:
        """The state after one more iteration; it may be the given one, changed."""

    @abstractmethod
    def finish(self, state: Any) -> Outcome:
        """What to hand over of a state."""

    @abstractmethod
    def revive(self, game: Any, tol: float, stored: Stored) -> State:
        """A state of which everything but iteration, sweeps and measure is what it was when it was stored."""

    def unpack(
        self, game: Any, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float], measure: Measure
    ) -> State:
        """The state that packed these, in the same game; it goes on bit for bit."""
        state = self.revive(game, tol, Stored(arrays, numbers, measure.iteration))
        state.iteration, state.sweeps, state.measure = measure.iteration, numbers["sweeps"], measure
        return state


@dataclass
class Budget:
    """Limits of one run; None is no limit."""

    iterations: int | None = None
    seconds: float | None = None


@dataclass
class Run:
    """What `run` returns."""

    state: State
    status: Status
    history: list[Measure] = field(default_factory=list)
    seconds: float = 0.0
    verified: tuple[Outcome, Certificate] | None = None  # of a run that converged


Save = Callable[[Any, list[Measure], float], None]  # of a state (or `Kept`), the history, and the seconds so far
Restore = Callable[[dict[str, np.ndarray], dict[str, float], Measure], State]


def begin(solver: Solver, game: Game, tol: float, start: Guess | None, deadline: float | None) -> State:
    """The first state of a solve.  It is made whole, with as little work as can be once the deadline has passed."""
    with watch.watching(deadline, raises=False):
        return returned(solver, "init", solver.init(game, tol, start), State)


def handed_over(solver: Solver, state: State) -> Outcome:
    """What a solver hands over, checked; see `mfgsolve.solvers.returns`."""
    outcome = returned(solver, "finish", solver.finish(state), Outcome)
    check_outcome(solver, outcome)
    return outcome


def restorer(solver: Solver, game: Game, tol: float) -> Restore:
    """A function that makes a state of this solve from what one has packed."""
    return lambda arrays, numbers, measure: solver.unpack(game, tol, arrays, numbers, measure)


def run(
    solver: Solver,
    state: State,
    tol: float,
    budget: Budget,
    *,
    history: list[Measure] | None = None,
    seconds_before: float = 0.0,
    callback: Callable[[Measure], Any] | None = None,
    save: Save | None = None,
    restore: Restore | None = None,
) -> Run:
    """Step until the certificate, a budget or the user says stop.

    ``callback(measure)`` stops the run by returning a true value.  ``save(state, history, seconds)`` writes a
    checkpoint; it is called as often as keeps writing below a twentieth of the time, at the end, and when an exception
    leaves, with the last whole state; where it fails the run goes on and says so.  With ``restore`` (see `restorer`)
    the limit of seconds acts inside an iteration, too.
    """
    with blas_threads(state):
        return _Driver(solver, tol, budget, seconds_before, callback, save, restore).run(state, history)


# -- the loop --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A whole state, as it packed itself."""

    iteration: int
    measure: Measure
    arrays: dict[str, np.ndarray]
    numbers: dict[str, float]

    @classmethod
    def of(cls, state: State) -> Kept:
        arrays, numbers = state.pack()
        if not state.replaced:
            arrays = {name: array.copy() for name, array in arrays.items()}
        return cls(state.iteration, state.measure, arrays, numbers)

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        return self.arrays, self.numbers


class _Driver:
    """One run: what it has measured, the last whole state, and its checkpoint."""

    state: State | None

    def __init__(
        self, solver: Solver, tol: float, budget: Budget, seconds_before: float,
        callback: Callable[[Measure], Any] | None, save: Save | None, restore: Restore | None,
    ):  # fmt: skip
        self.solver, self.criterion, self.budget = solver, Criterion(tol), budget
        self.verified: tuple[Outcome, Certificate] | None = None
        self.callback, self.save, self.restore = callback, save, restore
        self.begun = watch.clock() - seconds_before
        acts = restore is not None and budget.seconds is not None
        self.deadline = self.begun + budget.seconds if acts else None  # type: ignore[operator]
        self.inside = False  # of a step: the state is not to be trusted
        self.kept: Kept | None = None
        self.next_keep = self.next_save = -math.inf
        self.saved: int | None = None  # the iteration that the checkpoint holds, if this run has written one
        self.fault: str | None = None  # why it could not be written the last time

    def elapsed(self) -> float:
        return watch.clock() - self.begun

    def run(self, state: State, history: list[Measure] | None) -> Run:
        self.state, self.fresh = state, history is None
        self.rows: list[Measure] = [] if history is None else history
        try:
            status = self._loop()
        except watch.TimeUp:
            status = Status.TIME_LIMIT
            self._go_back()
            self._write()
        except BaseException as error:
            self._leave(error)
            raise
        if self.fault is not None:
            say("checkpoint-not-written", f"the checkpoint could not be written at the end: {self.fault}")
        assert self.state is not None
        verified = self.verified if status is Status.CONVERGED else None
        return Run(self.state, status, self.rows, self.elapsed(), verified)

    def _loop(self) -> Status:
        while True:
            state = self._measured()
            status = self._verdict(state)
            if status is None and self.callback is not None and self.callback(self.rows[-1]):
                status = Status.STOPPED
            whole = status is not Status.NON_FINITE  # what can be gone on from is not written over by what cannot
            if whole and (status is not None or watch.clock() >= self.next_save):
                self._write()
            if status is not None:
                return status
            with watch.watching(self.deadline):
                self.inside = True
                self.state = returned(self.solver, "step", self.solver.step(state), State)
                self.inside = False

    def _verdict(self, state: State) -> Status | None:
        """Why to end here, or None.  By its measure a state may have converged; what it hands over decides."""
        status = _verdict(state, self.criterion, self.budget, self.rows[-1])
        if status is not Status.CONVERGED:
            return status
        outcome = handed_over(self.solver, copy.copy(state))
        self.verified = outcome, outcome.certified()
        met = self.criterion.met(self.verified[1])
        return status if met else _verdict(state, None, self.budget, self.rows[-1])

    def _measured(self) -> State:
        """Enter what was measured into the history, and keep the state for when the next step is broken off."""
        state = self.state
        assert state is not None
        if self.fresh or not self.rows or self.rows[-1].iteration != state.iteration:
            self.rows.append(replace(state.measure, seconds=self.elapsed()))
        now = watch.clock()
        wanted = self.save is not None or self.deadline is not None
        if wanted and not state.mended and (state.replaced or now >= self.next_keep):
            self.kept = Kept.of(state)
            self.next_keep = now + (1 + RARELY) * (watch.clock() - now)
        return state

    def _whole(self) -> State | Kept | None:
        """The last whole state."""
        if self.state is not None and (not self.inside or self.state.mended):
            return self.state
        return self.kept

    def _history(self, iteration: int, measure: Measure) -> list[Measure]:
        """The history up to that iteration."""
        self.rows[:] = [row for row in self.rows if row.iteration <= iteration]
        if not self.rows or self.rows[-1].iteration != iteration:
            self.rows.append(replace(measure, seconds=self.elapsed()))
        return self.rows

    def _go_back(self) -> None:
        """To the last whole state, after the deadline has passed inside a step."""
        result = self._whole()
        assert result is not None
        self._history(result.iteration, result.measure)
        if isinstance(result, Kept):
            self.state = None  # before there is another one
            assert self.restore is not None
            self.state = self.restore(*result.pack(), result.measure)
        self.inside = False

    def _leave(self, error: BaseException) -> None:
        """Write the last whole state before an exception goes on its way."""
        result = self._whole()
        if self.save is None or result is None or not _sound(result, result.measure):
            return
        with suppress(KeyboardInterrupt), watch.held_back():
            rows = self._history(result.iteration, result.measure)
            if self.saved != result.iteration:
                self._write(result, rows)
            if self.fault is not None:
                error.add_note(f"mfgsolve: the checkpoint could not be written: {self.fault}")
            if self.saved is not None:
                error.add_note(f"mfgsolve: the checkpoint holds iteration {self.saved}")

    def _write(self, found: State | Kept | None = None, rows: list[Measure] | None = None) -> None:
        """A checkpoint; that it cannot be written does not end the run."""
        if self.save is None:
            return
        found, before = self.state if found is None else found, watch.clock()
        assert found is not None
        try:
            self.save(found, self.rows if rows is None else rows, self.elapsed())
        except (FileError, OSError, MemoryError, RuntimeError) as error:
            self.fault = str(error) or type(error).__name__
            self.next_save = watch.clock() + max(AGAIN, RARELY * (watch.clock() - before))
        else:
            self.fault, self.saved = None, found.iteration
            self.next_save = watch.clock() + RARELY * (watch.clock() - before)


def _verdict(state: State, criterion: Criterion | None, budget: Budget, row: Measure) -> Status | None:
    """Why to end here, or None; without a criterion for all other reasons than having converged."""
    if criterion is not None and row.final_grid and criterion.met(row):
        return Status.CONVERGED
    if not _sound(state, row):
        return Status.NON_FINITE
    if state.stalled:
        return Status.STALLED
    if state.finished:
        return Status.FINISHED
    if budget.iterations is not None and state.iteration >= budget.iterations:
        return Status.ITERATION_LIMIT
    if budget.seconds is not None and row.seconds >= budget.seconds:
        return Status.TIME_LIMIT
    return None


def _sound(state: State | Kept, row: Measure) -> bool:
    """Whether what was measured is a number."""
    return math.isfinite(row.exploitability) or not getattr(state, "is_measured", True)
