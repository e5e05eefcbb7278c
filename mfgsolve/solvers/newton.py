"""Newton's method on the believed mass, from coarse grids to fine, with conjugate gradients inside.

Agents believe the crowd to be mb, see the price f(mb), and answer with the flow M(f(mb)); the equilibrium is the belief
that comes true.  Newton's step on  M(f(mb)) - mb = 0  solves

    (I - K B) x = M - mb,    K = d mass / d price (negative semidefinite),  B = weight f'(mb),    mb <- max(mb + a x, 0)

with the step length a from a line search on the concave dual D(f(mb)) = <m_0, V_0> - sum weight F*(f(mb)), whose value
costs one backward pass (for games that are not crowd-averse: on the exploitability, and GMRES for the linear system).

The start is the equilibrium of the half as fine grid, solved the same way, prolonged linearly and extrapolated with
the grid before it (first-order scheme: error proportional to h); twenty sweeps of fictitious play start the coarsest.
Forcing terms keep the linear solves as inexact as the distance to the equilibrium allows, and no more exact than the
tolerance needs.  Agents who pay by entropy are cooled and refined together instead (`meshes`), and their linear solves
end on the exploitability that they predict (`prediction`).

A finite game is solved from hot to cold instead: at a temperature at which actions hardly matter, then at a quarter of
it, and so on down to its own.  A game without temperature has no smooth responses; there the softmax policies of ever
colder games are certified in the game itself, until they are good enough for it.

Where a crowd-averse game is too stiff for all this, and the last level makes no progress, damped steps take over
(`trust_region`); and where the answer is still far, a diffusion is cooled on its own grid, too (`cooling`): the price
of a stiff game cannot be carried from one grid to another, but from one cost of moving to the next it can.

The best answer on the last level is kept.  A step is one linear solve and one line search or trial, works on a copy of
the state, and may be left by an exception at any time: the state that it was given stays whole.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.games import Game
from mfgsolve.solvers.base import Guess, Outcome, Solver
from mfgsolve.solvers.cooling import DIFFERENCES
from mfgsolve.solvers.coupled import coupled_step, passes
from mfgsolve.solvers.krylov import DENSE, Linearisation, Vectors, conjugate_gradient, minimal_residual
from mfgsolve.solvers.levels import Grids, Heats, Levels, Temperatures
from mfgsolve.solvers.meshes import entropic_levels
from mfgsolve.solvers.needs import SLOPES, SMOOTH, SOFT, few_masses
from mfgsolve.solvers.newton_state import (
    COOLED,
    DAMPED,
    FREE,
    NewtonState,
    adopt,
    certificate,
    flow,
    foretold,
    halves,
    keep,
    measured,
    new_state,
    respond,
)  # fmt: skip
from mfgsolve.solvers.prediction import near_enough, predicted_solve, thickest
from mfgsolve.solvers.stored import Stored
from mfgsolve.solvers.trust_region import STUBBORN, trust_step
from mfgsolve.watch import over

TINY = 1e-300
FAR = 0.1  # relative exploitability above which damped steps start from hot again, and not where the others ended
NEAR = 1e-6  # and below which no heat is of any use
EXACT = 1e-13  # and below which there is nothing to gain
BREATHS = 5  # linear solves that end at their limit, after which a game counts as stiff
ENTROPIC = 8  # sweeps of fictitious play where levels cool
SURE = 3.0  # times the tolerance, above which a prediction does without a certificate
LOOSE = 1e-3  # relative exploitability to which a hot diffusion is solved

__all__ = ["Newton"]


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
    source = (
        "Achdou and Capuzzo-Dolcetta, Mean field games: numerical methods, doi:10.1137/090758477; Knoll and Keyes, "
        "Jacobian-free Newton-Krylov methods, doi:10.1016/j.jcp.2003.08.010"
    )
    needs = (few_masses(DIFFERENCES), SOFT, SLOPES, SMOOTH)

    # -- starting ----------------------------------------------------------------------------------------------

    def init(self, game: Game, tol: float, start: Guess | None = None) -> NewtonState:
        levels = self._levels(game)
        if start is not None:  # near the answer; a finite game is warmed up a little
            levels = levels.last(3 if game.step.has_temperature else 1)
        first = levels.game(0)
        believed = first.resting_crowd(first.empty_crowd()) if start is None else start(first)
        state = new_state(levels, 0, first, tol, believed, target=_sharp(game))
        warm_up = self.warm_up // 4 if game.step.has_temperature else self.warm_up  # heat does the rest
        warm_up = min(warm_up, ENTROPIC) if game.step.is_entropic else warm_up
        return self._warmed(state, warm_up if start is None else 0)

    def revive(self, game: Game, tol: float, stored: Stored) -> NewtonState:
        values = stored.of(NewtonState)
        levels = self._hot(game) if values["phase"] == COOLED else self._levels(game)
        levels, level = levels.last(int(stored.numbers["levels"])), values["level"]
        state = new_state(levels, level, levels.game(level), tol, values["believed"], target=_sharp(game))
        for name, value in values.items():
            setattr(state, name, value)
        idle, best = state.idle, (state.best, state.best_policy, state.best_crowd)
        _answered(state)
        if "predicted" in stored.numbers:
            foretold(state, stored.numbers["predicted"], stored.numbers["scale"])
        state.idle, (state.best, state.best_policy, state.best_crowd) = idle, best
        return state

    def _levels(self, game: Game) -> Levels:
        if game.step.is_entropic:
            return entropic_levels(game, self.coarse_grids)
        hot = game.step.has_temperature
        return Temperatures(game, self.cooling) if hot else Grids(game, self.coarse_grids)

    def _hot(self, game: Game) -> Levels:
        """Levels from hot to cold on the grid of the game itself."""
        if game.step.has_temperature:
            return Temperatures(game, self.cooling)
        return Heats(game, math.sqrt(self.cooling))  # a diffusion is not as smooth in its heat

    # -- stepping ----------------------------------------------------------------------------------------------

    def step(self, state: NewtonState) -> NewtonState:
        """One iteration, on a copy: arrays of the given state are used again only when the new one is whole."""
        new = self._advanced(copy.copy(state))
        if new.spent:
            new.pool.release(*new.spent)
            new.spent = ()
        if new.level != state.level and state.levels.rough is not None:  # whoever still holds the given state
            nothing = np.empty(0)
            state.believed = state.price = state.buffer = state.crowd = nothing
        return new

    def _advanced(self, state: NewtonState) -> NewtonState:
        target = self._target(state)
        before = state.certificate.relative_exploitability
        if not state.final and (
            before <= target or near_enough(state) or state.idle >= (3 if state.phase == FREE else STUBBORN)
        ):
            if state.game.is_coupled and before > target:  # the branch of equilibria ends here
                state.iteration, state.stalled = state.iteration + 1, True
                return state
            return self._refine(state)
        distance = max(before, 1e-16)
        forcing = max(min(self.loosest, self.forcing * math.sqrt(distance)), math.sqrt(0.2 * target / distance))
        dual, gap = state.dual, state.certificate.duality_gap
        measured_before, foreseen = not state.predicted, math.nan
        state.iteration += 1
        if state.phase != FREE:
            moved = trust_step(state, min(forcing, 0.9))
        else:
            moved, foreseen = self._newton_step(state, min(forcing, 0.9))
            if not moved:
                state.idle = 4 if state.final else 2  # no other step would be found
        if moved or state.phase == FREE:
            scale = state.certificate.scale
            if max(SURE * target, 1e-300) * scale < foreseen <= 0.5 * before * scale:
                foretold(state, foreseen, scale)
            else:
                measured(state)
                if measured_before:
                    keep(state, before)
        else:
            state.again()
        after = state.certificate.relative_exploitability
        if state.phase == FREE and state.breathless >= BREATHS and after <= FAR and self._able(state):
            state.phase, state.idle = DAMPED, 0  # whose linear solves are given more time
        climbed = state.dual - dual > max(1e-3 * gap, 1e-14 * state.certificate.scale)  # a NaN gap never counts
        state.idle = 0 if moved and (state.phase != FREE or climbed or after <= 0.9 * before) else state.idle + 1
        if state.final and state.idle >= (5 if state.phase == FREE else STUBBORN):
            return self._harder(state)
        return state

    def _able(self, state: NewtonState) -> bool:
        """Whether damped steps can be taken: on a concave dual of smooth responses."""
        return state.averse and state.game.is_differentiable and state.target is None

    def _harder(self, state: NewtonState) -> NewtonState:
        """The last level makes no progress: what else there is to try, from the best belief or from hot to cold."""
        now, phase = state.certificate, state.phase
        least = min(now.relative_exploitability, state.least)
        able = self._able(state) and phase != COOLED
        if not (able and max(state.tol, EXACT) < least < math.inf) or (phase == DAMPED and least <= NEAR):
            state.stalled = True
            return state
        if phase == FREE and least <= FAR:
            new = self._back(state) if state.kept is not None else state
            new.phase, new.idle = DAMPED, 0
            return new
        levels = self._hot(state.levels.final)
        if len(levels) == 1:
            state.stalled = True
            return state
        hot = new_state(levels, 0, levels.game(0), state.tol, state.believed)
        hot.believed = hot.game.resting_crowd(hot.pool.take())
        hot.sweeps, hot.iteration, hot.phase = state.sweeps, state.iteration, COOLED
        if least < now.relative_exploitability:
            hot.kept, hot.least = state.kept, state.least
        else:
            hot.kept, hot.least = state.believed, least
        return self._warmed(hot, self.warm_up // 4)

    def _back(self, state: NewtonState) -> NewtonState:
        """The best belief so far, answered on the last level."""
        assert state.kept is not None
        last = len(state.levels) - 1
        game = state.game if state.final else state.levels.game(last)
        best = new_state(state.levels, last, game, state.tol, state.kept)
        best.sweeps, best.iteration, best.phase = state.sweeps, state.iteration, state.phase
        return _answered(best)

    def _warmed(self, state: NewtonState, sweeps: int) -> NewtonState:
        """Fictitious play, and the answer to the belief that it leaves."""
        for k in range(sweeps):
            if k and over():
                break
            respond(state)
            flow(state)
            state.believed += 2 / (k + 2) * (state.crowd - state.believed)
        return _answered(state)

    def _target(self, state: NewtonState) -> float:
        """How well a level is solved: the last one as was asked for; one before it well enough, a cold one well enough
        for its policy to be a guess for the next.

        An error d of the price changes a policy by d / tau and the certificate by d^2 / tau.
        """
        game = state.game
        if state.final:
            return state.tol
        if state.levels.rough is not None:
            return max(state.levels.rough, state.tol)
        if not game.step.has_temperature:
            return max(LOOSE if state.phase == COOLED else self.coarse_tol, state.tol)
        warmth = game.temperature * game.time.horizon / max(state.certificate.scale, TINY)
        return min(self.coarse_tol, max(1e-2 * warmth, 1e-13))

    def _newton_step(self, state: NewtonState, tol: float) -> tuple[bool, float]:
        """One linear solve and one line search: whether a step length improves, and the exploitability that the linear
        solve predicts, where it does so for the step that was taken."""
        if state.game.is_coupled:
            coupled: Any = state.game
            state.sweeps += passes(coupled) * state.sweep
            step = coupled_step(coupled, state.policy, state.believed, state.crowd)
            return self._line_search(state, step, False) > 0, math.nan
        if state.predicts:
            return self._foreseen_step(state)
        game, pool = state.game, state.pool
        averse = game.is_potential and game.is_monotone
        residual, solution, slope = pool.take(), pool.take(), pool.take()
        np.subtract(state.crowd, state.believed, out=residual)
        scale = game.slope(state.believed, slope)
        system = Linearisation(game, state.policy, state.crowd, state.believed, scale)
        if averse and residual.size > DENSE:
            work = [pool.take() for _ in range(2 if scale is not None else 3)]
            spare = [] if scale is not None else [slope, work[2]]
            vectors = Vectors(solution, residual, work[0], work[1])
            uses = conjugate_gradient(system, vectors, tol, self.linear_limit, spare)
            state.breathless += uses >= self.linear_limit
            pool.give(*work)
        else:
            solution[:], uses = minimal_residual(system, residual, tol, self.linear_limit)
        state.sweeps += uses * state.sweep
        pool.give(residual, slope)
        length = self._line_search(state, solution, averse)
        pool.give(solution)
        return length > 0, math.nan

    def _foreseen_step(self, state: NewtonState) -> tuple[bool, float]:
        """The same where the linear solve ends on what it predicts; in as few arrays as can be."""
        game, pool = state.game, state.pool
        residual, block = pool.take(), pool.take_policy(state.price)
        solution, slope = halves(block, state.price)
        np.subtract(state.crowd, state.believed, out=residual)
        scale = game.slope(thickest(state, solution), slope)
        system = Linearisation(game, state.policy, state.crowd, state.believed, scale)
        found = predicted_solve(state, system, (solution, residual), self._target(state), self.linear_limit)
        state.breathless += found.uses >= self.linear_limit
        state.sweeps += found.uses * state.sweep
        pool.give(residual)
        length = self._line_search(state, solution, True)
        pool.give_policy(state.price, block)
        return length > 0, found.predicted if length == 1.0 else math.nan

    def _line_search(self, state: NewtonState, solution: np.ndarray, averse: bool) -> float:
        """Accept the first of a = 1, 1/2, 1/4, ... that does not lower the dual (or raise the exploitability); 0 where
        none of them does."""
        pool, game, length = state.pool, state.game, 1.0
        worst = state.certificate.exploitability * (1 + 1e-12)
        slack = 1e-14 * state.certificate.scale
        candidate, price = pool.take(), pool.take()
        trial = copy.copy(state)
        trial.price, trial.buffer = price, pool.take_policy(price)
        while length >= self.shortest:
            np.multiply(solution, length, out=candidate)
            candidate += state.believed
            trial.believed = game.clip(candidate)
            respond(trial)
            if (trial.dual >= state.dual - slack) if averse else math.isfinite(trial.dual):
                trial.crowd = pool.take()
                flow(trial)
                if averse or self._better(trial, state, worst):
                    state.spent = (state.believed, state.price, state.buffer, state.crowd)
                    state.sweeps = trial.sweeps
                    adopt(state, trial)
                    return length
                pool.give(trial.crowd)
            length /= 2
        state.sweeps = trial.sweeps
        pool.give(candidate, price)
        pool.give_policy(price, trial.buffer)
        return 0.0

    def _better(self, trial: NewtonState, state: NewtonState, worst: float) -> bool:
        """Whether the belief comes truer (coupled games), or nobody gains more by leaving."""
        if state.game.is_coupled:
            error = np.linalg.norm(state.crowd - state.believed)
            return bool(np.linalg.norm(trial.crowd - trial.believed) < error)
        return certificate(trial).exploitability <= worst

    def _refine(self, state: NewtonState) -> NewtonState:
        """The same belief on the next finer grid, or in the next colder game."""
        guess, level, levels = state.believed, state.level + 1, state.levels
        state.pool.clear()
        game = levels.game(level)
        if state.coarser is not None:
            share, older = levels.share(level), state.coarser
            if not levels.is_one_grid:
                older = levels.game(level - 2).prolong(older, state.game)
            guess = (1 + share) * guess - share * older
            np.maximum(guess, 0.5 * state.believed, out=guess)  # an emptied cell would be a wild guess (log couplings)
        believed = levels.carry(guess, state.game, game)
        coarser = state.believed if levels.is_line else None
        fine = new_state(levels, level, game, state.tol, believed, coarser, state.target)
        fine.sweeps, fine.iteration = state.sweeps, state.iteration + 1
        fine.best, fine.best_policy, fine.best_crowd = state.best, state.best_policy, state.best_crowd
        fine.kept, fine.least = state.kept, state.least
        fine.phase, fine.damping, fine.breathless = state.phase, state.damping, state.breathless
        if fine.final and fine.phase == FREE and fine.predicts:  # the first pass will say how far it is
            now = state.certificate
            respond(fine)
            flow(fine)
            return foretold(fine, max(now.exploitability, SURE * fine.tol * now.scale), now.scale)
        return _answered(fine)

    def finish(self, state: NewtonState) -> Outcome:
        """The best answer on the last level; a belief that never got there is prolonged and answered."""
        here, coarser = state.certificate.relative_exploitability, self._coarser(state)
        if state.kept is not None and not (state.final and here <= state.least):
            state = self._back(state)
        while not state.final and state.target is None:
            state = self._refine(state)
        state.pool.clear()
        policy = state.game.policy_of(state.policy)
        if state.target is not None:  # the dual of a warmer game bounds nothing here
            assert state.best_policy is not None
            assert state.best_crowd is not None
            policy = state.game.policy_of(state.best_policy)
            return Outcome(state.target, policy, state.best_crowd, sweeps=state.sweeps)
        return Outcome(state.game, policy, state.crowd, state.dual, state.sweeps, coarser=coarser)

    def _coarser(self, state: NewtonState) -> Callable[[], tuple[Game, np.ndarray]] | None:
        """The level before the last one and what was believed there, where that is the same game on a coarser mesh."""
        levels, level, believed = state.levels, state.level - 1, state.coarser
        if believed is None or not (levels.is_refined and state.final):
            return None
        return lambda: (levels.game(level), believed)


def _sharp(game: Game) -> Game | None:
    """The game itself where Newton only sees warmer ones."""
    return None if game.is_smooth else game


def _answered(state: NewtonState) -> NewtonState:
    """A state with the answer to its belief, and the certificate of that."""
    respond(state)
    flow(state)
    return measured(state)
