"""Path following for stationary games: from the middle of all policies to a sharp equilibrium, and to its multipliers.

With w(a, x) the mass that takes action a in x, m = sum_a w, b the discount factor and k that of the law,

    z(a, x) = l(a, x) + dt f(m)(x) + b P_a v (x) - v(x) - rho  >= 0      what an action costs above the best one
    sum_a (I - k P_a^T) w_a = (1 - k) m_0                               w is a law (sum w = 1 where k = 1)
    w z = mu -> 0                                                       only best actions are taken

(rho of ergodic games alone, whose v sums to 0).  Newton's method on the three, with mu lowered as fast as the step
allows (Mehrotra's predictor and corrector, doi:10.1137/0802028), converges in some twenty steps whatever the game:
whether it has a potential or not (renewal and ergodic games do, invariant laws do not), and where responses jump.
Its linear equations are those of `path_equations`.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.games import Game
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import DERIVATIVE, SHARP, SOFT, STATIONARY, TABLES, UNCOUPLED
from mfgsolve.solvers.path_equations import Choices, Direction, Linearised, Point, horizon_of_path
from mfgsolve.solvers.stored import STORED, Stored

__all__ = ["PathFollowing"]

BACK = 0.9995  # share of a w or z that a step takes at most: none becomes 0
IDLE = 6  # steps without a better certificate before it has stalled
FALLING = 0.9  # of the best certificate, which a step counts as an improvement below
NEAR = 1e-3  # relative exploitability below which that is believed
SPREAD = 1e-3  # of an even crowd, the least mass of a state in the first point


@dataclass
class PathState(State):
    """A point near the path and the best policy so far."""

    replaced = True

    game: Game
    choices: Choices
    chosen: np.ndarray = field(metadata=STORED)  # w (choices,)
    slack: np.ndarray = field(metadata=STORED)  # z
    value: np.ndarray = field(metadata=STORED)  # v (states,)
    gain: np.ndarray = field(metadata=STORED)  # rho (populations,)
    best: float = field(default=math.inf, metadata=STORED)
    policy: np.ndarray | None = field(default=None, metadata=STORED)
    idle: int = field(default=0, metadata=STORED)

    @property
    def point(self) -> Point:
        return Point(self.chosen, self.slack, self.value, self.gain)


@dataclass(frozen=True)
class PathFollowing(Solver):
    """Newton's method on w z = mu for stationary games without a temperature; their default.

    Parameters
    ----------
    centre : least share of the mean product that a step aims at, after one that had to be cut short
    """

    centre: float = 0.1

    name = "path-following"
    source = (
        "Mehrotra, On the implementation of a primal-dual interior point method, doi:10.1137/0802028; Wright, "
        "Primal-dual interior-point methods, doi:10.1137/1.9781611971453"
    )
    needs = (STATIONARY, TABLES, SHARP, SOFT, UNCOUPLED, DERIVATIVE)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PathState:
        step, horizon, choices = game.step, horizon_of_path(game), Choices(game)
        uniform = step.uniform()
        crowd = game.flow(uniform) if start is None else start(game)
        rows = (choices.populations, -1)
        mass = np.maximum(crowd[0].reshape(-1)[: game.cells], SPREAD * choices.populations / game.cells)
        mass = np.where(choices.shut, 0.0, mass).reshape(rows)
        mass = (mass if choices.leaves else mass / mass.sum(axis=1, keepdims=True)).reshape(-1)
        chosen = (uniform[0] * mass)[choices.live]
        crowd = choices.crowd(chosen)
        levels, q = game.evaluate(uniform, game.price(crowd), crowd)
        told = levels[0].reshape(rows)
        gain = np.zeros(choices.populations)
        if choices.is_ergodic:
            gain = told.mean(axis=1, where=~choices.shut.reshape(rows))
        value = horizon.lasting(told, ~choices.shut.reshape(rows)).reshape(-1)
        least = np.min(q[0], axis=0, where=step.allowed, initial=np.inf)
        excess = (q[0] - np.where(np.isfinite(least), least, 0.0))[choices.live]
        size = max(float(np.abs(excess).mean()), 1e-8 * float(np.abs(q[0][choices.live]).max()), 1e-12)
        return self._measured(PathState(0, 0.0, UNMEASURED, game, choices, chosen, excess + size, value, gain))

    def revive(self, game: Game, tol: float, stored: Stored) -> PathState:
        values = stored.of(PathState)
        names = ("chosen", "slack", "value", "gain", "best", "policy", "idle")
        return PathState(0, 0.0, UNMEASURED, game, Choices(game), *(values[name] for name in names))

    def step(self, state: PathState) -> PathState:
        w, z = state.chosen, state.slack
        try:
            system = Linearised(state.choices, state.point)
        except RuntimeError:  # singular to the last digit: there is no further step
            return replace(state, iteration=state.iteration + 1, stalled=True)
        mu = float((w * z).mean())
        ahead = system.direction(-w * z)
        lengths = _lengths(state.point, ahead)
        there = (w + lengths[0] * ahead.chosen) * (z + lengths[1] * ahead.slack)
        share = max(float(there.mean()) / mu, 0.0) ** 3
        if min(lengths) < self.centre:
            share = max(share, self.centre)
        move = system.direction(share * mu - w * z - ahead.chosen * ahead.slack)
        # one length for all: prices bend with the mass, so that the two sides are no separate linear programmes
        length = min(_lengths(state.point, move, BACK))
        new = replace(
            state, iteration=state.iteration + 1, sweeps=state.sweeps + 2.0, chosen=w + length * move.chosen,
            slack=z + length * move.slack, value=state.value + length * move.value,
            gain=state.gain + length * move.gain,
        )  # fmt: skip
        return self._measured(new)

    def finish(self, state: PathState) -> Outcome:
        assert state.policy is not None
        crowd = state.game.flow(state.policy)
        return Outcome(state.game, state.game.policy_of(state.policy), crowd, sweeps=state.sweeps)

    def _measured(self, state: PathState) -> PathState:
        """The certificate of the policy that w is."""
        game, table = state.game, state.choices.table_of(state.chosen)
        mass = table.sum(axis=0)
        policy = np.where(mass > 0, table / np.where(mass > 0, mass, 1.0), game.step.uniform()[0])[None]
        near = copy.copy(game)
        near.horizon = horizon_of_path(game).near(state.value)
        result = certify(near, game.policy_of(policy), game.flow(policy))
        state.sweeps += 1.0
        size = abs(result.relative_exploitability)
        state.note(result, game.cell_steps)
        state.idle = 0 if size < FALLING * state.best else state.idle + 1
        if size < state.best or state.policy is None:
            state.best, state.policy = size, policy
        state.stalled = (state.idle >= IDLE and state.best < NEAR) or state.idle >= 5 * IDLE
        return state


def _lengths(point: Point, move: Direction, most: float = 1.0) -> tuple[float, float]:
    """Longest steps up to 1 that take no more than a share ``most`` of any w, and of any z."""
    rates = (-(move.chosen / point.chosen).min(), -(move.slack / point.slack).min())
    return most / max(most, float(rates[0])), most / max(most, float(rates[1]))
