"""Newton's method on the believed mass, from coarse grids to fine, with conjugate gradients inside.

Agents believe the crowd to be mb, see the price f(mb), and answer with the flow M(f(mb)); the equilibrium is the belief
that comes true.  Newton's step on  M(f(mb)) - mb = 0  solves

    (I - K B) x = M - mb,    K = d mass / d price (negative semidefinite),  B = weight f'(mb),    mb <- max(mb + a x, 0)

with the step length a from a line search on the concave dual D(f(mb)) = <m_0, V_0> - sum weight F*(f(mb)), whose value
costs one backward pass (for games that are not crowd-averse: on the exploitability, and GMRES for the linear system).

The start is the equilibrium of the half as fine grid, solved the same way, prolonged linearly and extrapolated with
the grid before it (first-order scheme: error proportional to h); twenty sweeps of fictitious play start the coarsest.
Forcing terms keep the linear solves as inexact as the distance to the equilibrium allows, and no more exact than the
tolerance needs.

A finite game is solved from hot to cold instead: at a temperature at which actions hardly matter, then at a quarter of
it, and so on down to its own.  A game without temperature has no smooth responses; there the softmax policies of ever
colder games are certified in the game itself, until they are good enough for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mfgsolve.certificates import Certificate, certify
from mfgsolve.games import FiniteGame, Game, make_game, sampled
from mfgsolve.games.transfer import coarser_sizes
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import HARD, UNMEASURED, Guess, Measure, Outcome, Solver, State
from mfgsolve.solvers.cooling import DIFFERENCES, by_differences, sharp_target, temperatures
from mfgsolve.solvers.krylov import DENSE, Linearisation, Vectors, conjugate_gradient, minimal_residual
from mfgsolve.watch import over

TINY = 1e-300

__all__ = ["Newton"]


class Pool:
    """Work arrays of all levels of one game, reused so that a solve never holds more than it needs at once."""

    def __init__(self, game: Game):
        self._game, self._free, self._policies = game, list[np.ndarray](), list[np.ndarray]()

    def take(self) -> np.ndarray:
        return self._free.pop() if self._free else self._game.levels()

    def give(self, *arrays: np.ndarray) -> None:
        self._free.extend(arrays)

    def take_policy(self, price: np.ndarray) -> np.ndarray:
        """A buffer for the answer to a price: the price itself where the game overwrites it."""
        return self._policies.pop() if self._policies else self._game.policy_buffer(price)

    def give_policy(self, price: np.ndarray, ahead: np.ndarray) -> None:
        if ahead is not price:
            self._policies.append(ahead)

    def clear(self) -> None:
        self._free.clear()
        self._policies.clear()


@dataclass
class NewtonState(State):
    """A belief and the answer to it, on one of the grids from coarse to fine."""

    levels: list[Problem]
    level: int
    game: Game
    tol: float
    threads: int | None
    believed: np.ndarray
    coarser: np.ndarray | None  # the belief that solved the grid before this one, for extrapolation
    price: np.ndarray
    buffer: np.ndarray  # holds the policy that answers the price; of a diffusion it is the price
    crowd: np.ndarray  # of that policy
    pool: Pool
    target: Game | None = None  # the game itself, where the levels are warmer ones
    best: tuple[Measure, np.ndarray, np.ndarray] | None = (
        None  # there: certificate, policy and crowd of the best so far
    )
    dual: float = math.nan
    certificate: Certificate = field(init=False)
    idle: int = 0  # steps in a row that did not improve the certificate

    @property
    def ahead(self) -> np.ndarray:
        return self.buffer[: self.game.steps]

    @property
    def final(self) -> bool:
        return self.level == len(self.levels) - 1

    @property
    def sweep(self) -> float:
        """Cost of one sweep of this grid in sweeps of the final grid."""
        final = self.levels[-1]
        return self.game.cell_steps / (final.grid.size * final.time.steps)

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        arrays = {"believed": self.believed}
        if self.coarser is not None and not self.final:
            arrays["coarser"] = self.coarser
        if self.best is not None:
            arrays |= {"best_policy": self.best[1], "best_crowd": self.best[2]}
        best = math.inf if self.best is None else self.best[0].exploitability
        numbers = {"sweeps": self.sweeps, "level": self.level, "levels": len(self.levels), "idle": self.idle}
        return arrays, numbers | {"best": best}


@dataclass(frozen=True)
class Newton(Solver):
    """Newton-Krylov on the believed mass; the default wherever the coupling has a derivative.

    Parameters
    ----------
    warm_up : sweeps of fictitious play on the coarsest grid (a quarter of them at the highest temperature)
    coarse_grids : start from coarser grids where the problem can be stated on them
    coarse_tol : relative exploitability to which a coarse grid is solved
    cooling : factor from one temperature of a finite game to the next
    loosest : largest tolerance of a linear solve, relative
    forcing : tolerance of a linear solve is forcing * sqrt(relative exploitability)
    linear_limit : most iterations of one linear solve
    shortest : step length below which the line search gives up
    """

    warm_up: int = 20
    coarse_grids: bool = True
    coarse_tol: float = 1e-5
    cooling: float = 0.25
    loosest: float = 0.3
    forcing: float = 2.0
    linear_limit: int = 60
    shortest: float = 1e-4

    name = "newton"

    def refuses(self, problem: Problem) -> str | None:
        if problem.is_coupled and problem.grid.size * (problem.time.steps + 1) > DIFFERENCES:
            return f"the transitions depend on the crowd, and more than {DIFFERENCES} masses are unknown"
        if problem.is_hard:
            return HARD
        smooth = problem.is_differentiable or problem.is_coupled  # the latter by differences
        return None if smooth else "the coupling has no derivative"

    # -- starting ----------------------------------------------------------------------------------------------

    def init(self, problem: Problem, tol: float, start: Guess | None = None, threads: int | None = None) -> NewtonState:
        levels = self._levels(problem)
        if start is not None:  # near the answer; a finite game is warmed up a little
            levels = levels[-3:] if problem.is_finite else levels[-1:]
        game = make_game(levels[0], threads)
        believed = game.still(game.levels()) if start is None else start(game)
        state = _new_state(levels, 0, game, tol, threads, believed, target=sharp_target(problem))
        warm_up = self.warm_up // 4 if problem.is_finite else self.warm_up  # heat does the rest
        for k in range(warm_up if start is None else 0):
            if k and over():
                break
            _respond(state)
            _flow(state)
            state.believed += 2 / (k + 2) * (state.crowd - state.believed)
        _respond(state)
        _flow(state)
        return _measured(state)

    def unpack(
        self, problem: Problem, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float],
        measure: Measure, threads: int | None = None,
    ) -> NewtonState:  # fmt: skip
        levels = self._levels(problem)[-int(numbers["levels"]) :]
        level = int(numbers["level"])
        game, coarser = make_game(levels[level], threads), arrays.get("coarser")
        state = _new_state(levels, level, game, tol, threads, arrays["believed"], coarser, sharp_target(problem))
        _respond(state)
        _flow(state)
        _measured(state)
        state.idle, state.iteration, state.sweeps = int(numbers["idle"]), measure.iteration, numbers["sweeps"]
        state.measure = measure
        if state.target is not None and "best_policy" in arrays:
            found = replace(measure, exploitability=numbers["best"])
            state.best = found, arrays["best_policy"], arrays["best_crowd"]
        return state

    def _levels(self, problem: Problem) -> list[Problem]:
        if problem.is_finite:
            return temperatures(problem, self.cooling)
        levels = [problem]
        while self.coarse_grids:
            sizes = coarser_sizes(levels[0].grid.shape, levels[0].time.steps)
            try:
                coarse = None if sizes is None else levels[0].rescaled(*sizes)
                if coarse is None:
                    break
                sampled(make_game(coarse))
            except Exception:  # whatever a user's function says of a grid it was not made for: start one grid finer
                break
            levels.insert(0, coarse)
        return levels

    # -- stepping ----------------------------------------------------------------------------------------------

    def step(self, state: NewtonState) -> NewtonState:
        target = state.tol if state.final else self._coarse_target(state)
        before = state.certificate.relative_exploitability
        if not state.final and (before <= target or state.idle >= 3):
            if state.game.problem.is_coupled and before > target:  # the branch of equilibria ends here
                state.iteration, state.stalled = state.iteration + 1, True
                return state
            return self._refine(state)
        distance = max(before, 1e-16)
        forcing = max(min(self.loosest, self.forcing * math.sqrt(distance)), math.sqrt(0.2 * target / distance))
        dual, gap = state.dual, state.certificate.duality_gap
        moved = self._newton_step(state, min(forcing, 0.9))
        state.iteration += 1
        if not moved:
            state.idle, state.stalled = 3, state.final
            return _measured(state)
        _measured(state)
        after = state.certificate.relative_exploitability
        climbed = state.dual - dual > max(1e-3 * gap, 1e-14 * state.certificate.scale)  # a NaN gap never counts
        state.idle = 0 if climbed or after <= 0.9 * before else state.idle + 1
        state.stalled = state.final and state.idle >= 5
        return state

    def _coarse_target(self, state: NewtonState) -> float:
        """How well a level before the last is solved; a cold one well enough for its policy to be a guess for the next.

        An error d of the price changes a policy by d / tau and the certificate by d^2 / tau.
        """
        game = state.game
        if not isinstance(game, FiniteGame):
            return max(self.coarse_tol, state.tol)
        warmth = game.temperature * game.time.horizon / max(state.certificate.scale, TINY)
        return min(self.coarse_tol, max(1e-2 * warmth, 1e-13))

    def _newton_step(self, state: NewtonState, tol: float) -> bool:
        """One linear solve and one line search; False where no step length improves."""
        if state.game.problem.is_coupled:
            assert isinstance(state.game, FiniteGame)
            state.sweeps += state.game.steps * state.game.width * state.sweep
            return self._line_search(state, by_differences(state.game, state.believed, state.crowd), False)
        game, pool = state.game, state.pool
        averse = game.problem.is_potential and game.problem.is_monotone
        residual, solution, slope = pool.take(), pool.take(), pool.take()
        np.subtract(state.crowd, state.believed, out=residual)
        scale = game.slope(state.believed, slope)
        system = Linearisation(game, state.ahead, state.crowd, state.believed, scale)
        if averse and residual.size > DENSE:
            work = [pool.take() for _ in range(2 if scale is not None else 3)]
            spare = [] if scale is not None else [slope, work[2]]
            vectors = Vectors(solution, residual, work[0], work[1])
            uses = conjugate_gradient(system, vectors, tol, self.linear_limit, spare)
            pool.give(*work)
        else:
            solution[:], uses = minimal_residual(system, residual, tol, self.linear_limit)
        state.sweeps += uses * state.sweep
        pool.give(residual, slope)
        moved = self._line_search(state, solution, averse)
        pool.give(solution)
        return moved

    def _line_search(self, state: NewtonState, solution: np.ndarray, averse: bool) -> bool:
        """Accept the first of a = 1, 1/2, 1/4, ... that does not lower the dual (or raise the exploitability)."""
        pool, game, length = state.pool, state.game, 1.0
        old = state.believed, state.price, state.buffer, state.crowd, state.dual
        worst = state.certificate.exploitability * (1 + 1e-12)
        slack = 1e-14 * state.certificate.scale
        candidate, price = pool.take(), pool.take()
        buffer = pool.take_policy(price)
        while length >= self.shortest:
            np.multiply(solution, length, out=candidate)
            candidate += old[0]
            state.believed, state.price, state.buffer = game.clip(candidate), price, buffer
            _respond(state)
            if (state.dual >= old[4] - slack) if averse else math.isfinite(state.dual):
                state.crowd = pool.take()
                _flow(state)
                if averse or self._better(state, old, worst):
                    pool.give(old[0], old[1], old[3])
                    pool.give_policy(old[1], old[2])
                    return True
                pool.give(state.crowd)
            length /= 2
        state.believed, state.price, state.buffer, state.crowd, state.dual = old
        pool.give(candidate, price)
        pool.give_policy(price, buffer)
        return False

    def _better(self, state: NewtonState, old: tuple[Any, ...], worst: float) -> bool:
        """Whether the belief comes truer (coupled games), or nobody gains more by leaving."""
        if state.game.problem.is_coupled:
            return bool(np.linalg.norm(state.crowd - state.believed) < np.linalg.norm(old[3] - old[0]))
        return _certificate(state).exploitability <= worst

    def _refine(self, state: NewtonState) -> NewtonState:
        """The same belief on the next finer grid."""
        guess, level = state.believed, state.level + 1
        game = make_game(state.levels[level], state.threads)
        if state.coarser is not None:
            before = make_game(state.levels[state.level - 1])
            share = 0.5  # first order in h, which is halved
            if isinstance(game, FiniteGame):  # smooth in the temperature
                temperatures = [g.problem.temperature for g in (before, state.game, game)]
                share = (temperatures[1] - temperatures[2]) / (temperatures[0] - temperatures[1])
            guess = (1 + share) * guess - share * before.prolong(state.coarser, state.game)
            np.maximum(guess, 0.5 * state.believed, out=guess)  # an emptied cell would be a wild guess (log couplings)
        believed = state.game.prolong(guess, game)
        fine = _new_state(state.levels, level, game, state.tol, state.threads, believed, state.believed, state.target)
        fine.sweeps, fine.iteration, fine.best = state.sweeps, state.iteration + 1, state.best
        _respond(fine)
        _flow(fine)
        return _measured(fine)

    def finish(self, state: NewtonState) -> Outcome:
        """The answer on the final grid; a belief that never got there is prolonged and answered."""
        while not state.final and state.target is None:
            state = self._refine(state)
        state.pool.clear()
        policy = state.game.policy_of(state.ahead)
        if state.target is not None:  # the dual of a warmer game bounds nothing here
            assert state.best is not None
            policy = state.game.policy_of(state.best[1])
            return Outcome(state.target, policy, state.best[2], sweeps=state.sweeps)
        return Outcome(state.game, policy, state.crowd, state.dual, state.sweeps)


def _new_state(
    levels: list[Problem], level: int, game: Game, tol: float, threads: int | None,
    believed: np.ndarray, coarser: np.ndarray | None = None, target: Game | None = None,
) -> NewtonState:  # fmt: skip
    pool = Pool(game)
    price = pool.take()
    return NewtonState(0, 0.0, UNMEASURED, levels, level, game, tol, threads, believed, coarser, price,
                       pool.take_policy(price), pool.take(), pool, target)  # fmt: skip


def _respond(state: NewtonState) -> None:
    """Policy and dual value of the believed mass: D = <m_0, V_0> - sum weight (f(mb) mb - F(mb)).  Half a sweep."""
    game, believed, price = state.game, state.believed, state.price
    potential = game.price_and_potential(believed, price)
    believed_cost = game.crowd_totals(price, believed)[0]
    value = game.respond(price, out=state.buffer, crowd=believed).mean_value
    state.dual = value - believed_cost + (potential if game.problem.is_potential else 0.0)
    state.sweeps += 0.5 * state.sweep


def _flow(state: NewtonState) -> None:
    """Flow of the policy.  Half a sweep."""
    state.game.flow(state.ahead, state.crowd)
    state.sweeps += 0.5 * state.sweep


def _certificate(state: NewtonState) -> Certificate:
    """Certificate of the policy and its flow.  Half a sweep."""
    work = state.pool.take()
    certificate = certify(state.game, state.game.policy_of(state.ahead), state.crowd, state.dual, work)
    state.pool.give(work)
    state.sweeps += 0.5 * state.sweep
    return certificate


def _measured(state: NewtonState) -> NewtonState:
    state.certificate = certificate = _certificate(state)
    if state.target is not None:
        certificate = certify(state.target, state.game.policy_of(state.ahead), state.crowd)
        state.sweeps += 0.5
    state.note(certificate, state.game.cell_steps, state.final or state.target is not None)
    if state.target is not None:  # colder is not always better: round-off decides in the end
        best = math.inf if state.best is None else state.best[0].exploitability
        if not state.measure.exploitability >= best:
            state.best = state.measure, state.ahead.copy(), state.crowd.copy()
    return state
