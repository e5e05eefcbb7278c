"""Sharp finite games without a potential: the equilibrium as a complementarity problem, by Newton's method.

An occupation w and values V are an equilibrium at temperature 0 when, on all states that can be reached,

    z_t = l_t + dt f(choice) + P_t V_{t+1} - (V_t - weight_t f_t) >= 0,   w >= 0,   w z = 0,   sum_a w_{t+1} = P_t' w_t

with f at the crowd of w.  The products are driven to 0 along w z = mu, mu falling, by Mehrotra's predictor and
corrector; every step solves

    ( Z/W + f'   P - S' ) (dw)
    ( S - P'       0    ) (dV)  = ...

by a sparse LU factorisation; f' need not be symmetric.  The start is the equilibrium of the same game at a temperature,
found by `Newton`: its softmax policy has z = -tau log pi.  In a crowd-averse game the steps cannot go astray; in others
they find an equilibrium near the one of that temperature, or do not.

Where these steps become short (too few products w z are near their mean, as in games with a continuum of equilibria),
the solve starts again, once, from the middle and by shorter ways along the path (`centred`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.games import Game
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.centred import barrier, centred_point, direct, longest
from mfgsolve.solvers.cooling import heat
from mfgsolve.solvers.equations import Equations
from mfgsolve.solvers.needs import DERIVATIVE, FINAL_TIME, SHARP, SOFT, TABLES, UNCOUPLED
from mfgsolve.solvers.newton import Newton
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.steps.table_policies import TablePolicy
from mfgsolve.watch import over

__all__ = ["Complementarity"]

BACK = 0.99  # share of the way to the boundary
SHORT, PATIENCE = 1e-4, 5


@dataclass
class PairState(State):
    """Occupations and reduced costs on the live choices, values on the states within reach."""

    replaced = True

    game: Game
    system: Equations
    choice: np.ndarray = field(metadata=STORED)  # w > 0 of every live choice
    excess: np.ndarray = field(metadata=STORED)  # z > 0
    value: np.ndarray = field(metadata=STORED)  # V of every reached state, t = 0..T-1
    short: int = field(default=0, metadata=STORED)
    again: bool = field(default=False, metadata=STORED)  # whether the solve has started again from the middle,
    weights: np.ndarray | None = None  # and the weights of the barrier there
    best: np.ndarray | None = field(default=None, metadata=STORED)  # policy of the least exploitability, and that
    least: float = field(default=math.inf, metadata=STORED)


@dataclass(frozen=True)
class Complementarity(Solver):
    """Predictor-corrector Newton on the complementarity problem; for sharp games, potential or not.

    Parameters
    ----------
    warmth : temperature of the start, as a share of the largest difference that an action makes
    start_tol : relative exploitability, at that temperature, to which the start is solved
    corrections : most centrality corrections of a step, each one more solve with the same factor, after a start from
        the middle

    Sources: Mehrotra, doi:10.1137/0802028; Facchinei and Pang, ISBN 978-0-387-95581-0, chapter 11.
    """

    warmth: float = 1e-2
    start_tol: float = 1e-8
    corrections: int = 8

    name = "complementarity"
    source = "Mehrotra, On the implementation of a primal-dual interior point method, doi:10.1137/0802028"
    needs = (FINAL_TIME, TABLES, SHARP, UNCOUPLED, SOFT, DERIVATIVE)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PairState:
        warm = self._warm(game, start)
        system = Equations(game)
        state = _started(game, system, warm)
        state.sweeps += warm.sweeps
        return _measured(state)

    def _warm(self, game: Game, start: Guess | None) -> Outcome:
        """Equilibrium of the game at a temperature."""
        warm = game.at_temperature(self.warmth * (heat(game) or 1.0 / game.dt))
        newton = Newton()
        state = newton.init(warm, self.start_tol, start)
        while state.iteration < 200 and not state.stalled and not over():
            if state.final and state.certificate.relative_exploitability <= self.start_tol:
                break
            state = newton.step(state)
        return newton.finish(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PairState:
        system, values = Equations(game), stored.of(PairState)
        state = PairState(0, 0.0, UNMEASURED, game, system, **values)
        if [point.shape for point in (state.choice, state.excess, state.value)] != [
            *[(system.choices,)] * 2, (system.rows,),
        ]:  # fmt: skip
            raise ValueError("choice, excess or value")
        state.weights = barrier(system) if state.again else None
        state.stalled = state.again and state.short >= PATIENCE
        return state

    def step(self, state: PairState) -> PairState:
        state.iteration += 1
        if state.short >= PATIENCE:  # of the first road; the second one ends there
            state.again, state.weights, state.short = True, barrier(state.system), 0
            state.choice, state.excess, state.value = centred_point(state.system, state.weights)
            return _measured(state)
        result = self._direction(state)
        if result is None:
            return self._given_up(state)
        step, length = result
        state.choice, state.excess = state.choice + length * step[0], state.excess + length * step[1]
        state.value = state.value + length * step[2]
        state.short = state.short + 1 if length < SHORT else 0
        state.sweeps += 2.0
        return self._given_up(state) if state.short >= PATIENCE else _measured(state)

    def _direction(self, state: PairState) -> tuple[tuple[np.ndarray, ...], float] | None:
        """Changes of w, z and V, and the length of the step; None where costs are beyond what floats tell apart."""
        w, z = state.choice, state.excess
        try:
            newton = state.system.linearised(w, z, state.value)
        except RuntimeError:  # exactly singular
            return None
        if state.weights is not None:
            result = direct(newton, state.weights, self.corrections)
        else:
            mu = float(w @ z) / w.size
            ahead = newton.solve(-w * z)
            length = longest(w, z, ahead)
            left = float((w + length * ahead[0]) @ (z + length * ahead[1])) / w.size
            aim = mu * min(1.0, left / mu) ** 3
            moved = newton.solve(aim - w * z - ahead[0] * ahead[1])
            result = moved, min(1.0, BACK * longest(w, z, moved))
        return result if all(np.isfinite(part).all() for part in result[0]) else None

    def _given_up(self, state: PairState) -> PairState:
        """The first road leads no further: the next step begins the second one, after which the solve has stalled."""
        state.stalled, state.short = state.again, PATIENCE
        return _measured(state)

    def finish(self, state: PairState) -> Outcome:
        assert state.best is not None
        return Outcome(state.game, TablePolicy(state.best), state.game.flow(state.best), sweeps=state.sweeps)


def _started(game: Game, system: Equations, warm: Outcome) -> PairState:
    """The softmax equilibrium as w and z; actions that it does not take get a little of both."""
    hot, crowd = warm.game, warm.crowd
    policy = hot.step.choices(warm.policy)
    price = game.price(crowd)
    value = hot.values(price, crowd).reshape(game.steps + 1, game.cells)
    occupation = (policy * crowd[:-1, None, : game.cells]).reshape(game.steps, -1)[system.live]
    share = policy.reshape(game.steps, -1)[system.live]
    tau = np.broadcast_to(hot.step.entropy_cost[:, None], system.live.shape)[system.live]
    excess = np.maximum(-tau * np.log(np.maximum(share, 1e-300)), 1e-2 * tau)
    mass = np.repeat(crowd[:-1, None, : game.cells], game.step.actions, axis=1).reshape(game.steps, -1)[system.live]
    choice = np.maximum(occupation, 1e-2 * tau * mass / excess)
    return PairState(0, 0.0, UNMEASURED, game, system, choice, excess, value[:-1][system.reach])


def _measured(state: PairState) -> PairState:
    """The policy w / m and its own crowd; where nobody can be, the best response to the price they make."""
    game = state.game
    occupation = state.system.table(state.choice)
    mass = occupation.sum(axis=1, keepdims=True)
    masses = np.concatenate([mass[:, 0], np.zeros((1, game.cells))])
    price = game.price(game.aggregate(masses, occupation, game.empty_crowd(), weighed=True))
    best = game.respond(price).policy
    policy = np.where(mass > 0, np.divide(occupation, mass, out=np.zeros_like(occupation), where=mass > 0), best)
    result = certify(game, TablePolicy(policy), game.flow(policy))
    gap = abs(result.relative_exploitability)
    if state.best is None or gap < state.least:
        state.best, state.least = policy, gap
    state.sweeps += 1.5
    state.note(result, game.cell_steps)
    return state
