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
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mfgsolve.certificates import Certificate, certify
from mfgsolve.games import DiffusionGame
from mfgsolve.games.policies import ValuePolicy
from mfgsolve.games.transfer import coarser_sizes, prolong
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import UNMEASURED, Guess, Measure, Outcome, Solver, State
from mfgsolve.solvers.krylov import Linearisation, Vectors, conjugate_gradient, minimal_residual

__all__ = ["Newton"]


class Pool:
    """Work arrays of all levels of one game, reused so that a solve never holds more than it needs at once."""

    def __init__(self, game: DiffusionGame):
        self._game, self._free = game, list[np.ndarray]()

    def take(self) -> np.ndarray:
        return self._free.pop() if self._free else self._game.levels()

    def give(self, *arrays: np.ndarray) -> None:
        self._free.extend(arrays)

    def clear(self) -> None:
        self._free.clear()


@dataclass
class NewtonState(State):
    """A belief and the answer to it, on one of the grids from coarse to fine."""

    levels: list[Problem]
    level: int
    game: DiffusionGame
    tol: float
    threads: int | None
    believed: np.ndarray
    coarser: np.ndarray | None  # the belief that solved the grid before this one, for extrapolation
    price: np.ndarray  # T+1 levels; its first T hold the answer's policy
    mass: np.ndarray  # flow of that policy
    pool: Pool
    dual: float = math.nan
    certificate: Certificate = field(init=False)
    idle: int = 0  # steps in a row that did not improve the certificate

    @property
    def ahead(self) -> np.ndarray:
        return self.price[: self.game.steps]

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
        return arrays, {"sweeps": self.sweeps, "level": self.level, "levels": len(self.levels), "idle": self.idle}


@dataclass(frozen=True)
class Newton(Solver):
    """Newton-Krylov on the believed mass; the default wherever the coupling has a derivative.

    Parameters
    ----------
    warm_up : sweeps of fictitious play on the coarsest grid
    coarse_grids : start from coarser grids where the problem can be stated on them
    coarse_tol : relative exploitability to which a coarse grid is solved
    loosest : largest tolerance of a linear solve, relative
    forcing : tolerance of a linear solve is forcing * sqrt(relative exploitability)
    linear_limit : most iterations of one linear solve
    shortest : step length below which the line search gives up
    """

    warm_up: int = 20
    coarse_grids: bool = True
    coarse_tol: float = 1e-5
    loosest: float = 0.3
    forcing: float = 2.0
    linear_limit: int = 60
    shortest: float = 1e-4

    name = "newton"

    def refuses(self, problem: Problem) -> str | None:
        return None if problem.is_differentiable else "the coupling has no derivative"

    # -- starting ----------------------------------------------------------------------------------------------

    def init(self, problem: Problem, tol: float, start: Guess | None = None, threads: int | None = None) -> NewtonState:
        levels = [problem] if start is not None else self._levels(problem)
        game = DiffusionGame(levels[0], threads)
        if start is not None:
            believed = start(game)
        else:
            believed = game.levels()
            believed[:] = game.initial_mass
        state = _new_state(levels, 0, game, tol, threads, believed)
        for k in range(self.warm_up if start is None else 0):
            _respond(state)
            _flow(state)
            state.believed += 2 / (k + 2) * (state.mass - state.believed)
        _respond(state)
        _flow(state)
        return _measured(state)

    def unpack(
        self, problem: Problem, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float],
        measure: Measure, threads: int | None = None,
    ) -> NewtonState:  # fmt: skip
        levels = [problem] if numbers["levels"] == 1 else self._levels(problem)
        level = int(numbers["level"])
        game = DiffusionGame(levels[level], threads)
        state = _new_state(levels, level, game, tol, threads, arrays["believed"], arrays.get("coarser"))
        _respond(state)
        _flow(state)
        _measured(state)
        state.idle, state.iteration, state.sweeps = int(numbers["idle"]), measure.iteration, numbers["sweeps"]
        state.measure = measure
        return state

    def _levels(self, problem: Problem) -> list[Problem]:
        levels = [problem]
        while self.coarse_grids:
            sizes = coarser_sizes(levels[0].grid.shape, levels[0].time.steps)
            try:
                coarse = None if sizes is None else levels[0].rescaled(*sizes)
                if coarse is None:
                    break
                coarse.samples()
            except Exception:  # whatever a user's function says of a grid it was not made for: start one grid finer
                break
            levels.insert(0, coarse)
        return levels

    # -- stepping ----------------------------------------------------------------------------------------------

    def step(self, state: NewtonState) -> NewtonState:
        target = state.tol if state.final else max(self.coarse_tol, state.tol)
        before = state.measure.relative_exploitability
        if not state.final and (before <= target or state.idle >= 3):
            return self._refine(state)
        distance = max(before, 1e-16)
        forcing = max(min(self.loosest, self.forcing * math.sqrt(distance)), math.sqrt(0.2 * target / distance))
        dual, gap = state.dual, state.measure.duality_gap
        moved = self._newton_step(state, min(forcing, 0.9))
        state.iteration += 1
        if not moved:
            state.idle, state.stalled = 3, state.final
            return _measured(state)
        _measured(state)
        after = state.measure.relative_exploitability
        climbed = state.dual - dual > 1e-3 * gap  # a NaN gap (no crowd-averse game) never counts
        state.idle = 0 if climbed or after <= 0.9 * before else state.idle + 1
        state.stalled = state.final and state.idle >= 5
        return state

    def _newton_step(self, state: NewtonState, tol: float) -> bool:
        """One linear solve and one line search; False where no step length improves."""
        game, pool = state.game, state.pool
        averse = game.problem.is_potential and game.problem.is_monotone
        residual, solution, slope = pool.take(), pool.take(), pool.take()
        np.subtract(state.mass, state.believed, out=residual)
        scale = game.slope(state.believed, slope)
        system = Linearisation(game, state.ahead, state.mass, state.believed, scale)
        if averse:
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
        pool, length = state.pool, 1.0
        old = state.believed, state.price, state.mass, state.dual
        worst = state.measure.exploitability * (1 + 1e-12)
        slack = 1e-14 * state.certificate.scale
        candidate, price = pool.take(), pool.take()
        while length >= self.shortest:
            np.multiply(solution, length, out=candidate)
            candidate += old[0]
            np.maximum(candidate, 0.0, out=candidate)
            state.believed, state.price = candidate, price
            _respond(state)
            if (state.dual >= old[3] - slack) if averse else math.isfinite(state.dual):
                state.mass = pool.take()
                _flow(state)
                if averse or _certificate(state).exploitability <= worst:
                    pool.give(*old[:3])
                    return True
                pool.give(state.mass)
            length /= 2
        state.believed, state.price, state.mass, state.dual = old
        pool.give(candidate, price)
        return False

    def _refine(self, state: NewtonState) -> NewtonState:
        """The same belief on the next finer grid."""
        guess = state.believed
        if state.coarser is not None:
            before = DiffusionGame(state.levels[state.level - 1])
            guess = 1.5 * guess - 0.5 * prolong(state.coarser, before, state.game)
            np.maximum(guess, 0.5 * state.believed, out=guess)  # an emptied cell would be a wild guess (log couplings)
        game = DiffusionGame(state.levels[state.level + 1], state.threads)
        believed = prolong(guess, state.game, game)
        fine = _new_state(state.levels, state.level + 1, game, state.tol, state.threads, believed, state.believed)
        fine.sweeps, fine.iteration = state.sweeps, state.iteration + 1
        _respond(fine)
        _flow(fine)
        return _measured(fine)

    def finish(self, state: NewtonState) -> Outcome:
        """The answer on the final grid; a belief that never got there is prolonged and answered."""
        while not state.final:
            state = self._refine(state)
        state.pool.clear()
        return Outcome(state.game, ValuePolicy(state.ahead), state.mass, state.dual, state.sweeps)


def _new_state(
    levels: list[Problem], level: int, game: DiffusionGame, tol: float, threads: int | None,
    believed: np.ndarray, coarser: np.ndarray | None = None,
) -> NewtonState:  # fmt: skip
    pool = Pool(game)
    return NewtonState(0, 0.0, UNMEASURED, levels, level, game, tol, threads, believed, coarser, pool.take(),
                       pool.take(), pool)  # fmt: skip


def _respond(state: NewtonState) -> None:
    """Policy and dual value of the believed mass: D = <m_0, V_0> - sum weight (f(mb) mb - F(mb)).  Half a sweep."""
    game, believed, price = state.game, state.believed, state.price
    potential = game.price_and_potential(believed, price)
    believed_cost = game.crowd_cost(price, believed)
    value = game.respond(price, out=state.ahead).mean_value
    state.dual = value - believed_cost + (potential if game.problem.is_potential else 0.0)
    state.sweeps += 0.5 * state.sweep


def _flow(state: NewtonState) -> None:
    """Flow of the policy.  Half a sweep."""
    state.game.flow(state.ahead, state.mass)
    state.sweeps += 0.5 * state.sweep


def _certificate(state: NewtonState) -> Certificate:
    """Certificate of the policy and its flow.  Half a sweep."""
    work = state.pool.take()
    certificate = certify(state.game, ValuePolicy(state.ahead), state.mass, state.dual, work)
    state.pool.give(work)
    state.sweeps += 0.5 * state.sweep
    return certificate


def _measured(state: NewtonState) -> NewtonState:
    state.certificate = _certificate(state)
    state.measure = Measure(
        iteration=state.iteration,
        sweeps=state.sweeps,
        exploitability=state.certificate.exploitability,
        relative_exploitability=state.certificate.relative_exploitability,
        potential=state.certificate.potential,
        duality_gap=state.certificate.duality_gap,
        cell_steps=state.game.cell_steps,
        final_grid=state.final,
    )
    return state
