"""Path following for stationary games: from the middle of all policies to a sharp equilibrium, and to its multipliers.

With w(a, x) the mass that takes action a in x, m = sum_a w, b the discount factor and k that of the law,

    z(a, x) = l(a, x) + dt f(m)(x) + b P_a v (x) - v(x) - rho  >= 0      what an action costs above the best one
    sum_a (I - k P_a^T) w_a = (1 - k) m_0                               w is a law (sum w = 1 where k = 1)
    w z = mu -> 0                                                       only best actions are taken

(rho of ergodic games alone, whose v sums to 0).  Newton's method on the three, with mu lowered as fast as the step
allows (Mehrotra's predictor and corrector, doi:10.1137/0802028), converges in some twenty steps whatever the game:
whether it has a potential or not (renewal and ergodic games do, invariant laws do not), and where responses jump.
dw = (mu - w z - w dz) / z leaves linear equations in dv, dm and drho, sparse as transitions are.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from mfgsolve.certificates import certify
from mfgsolve.games import Game
from mfgsolve.games.stationary import Repeated
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import DERIVATIVE, SHARP, SOFT, STATIONARY, TABLES, UNCOUPLED
from mfgsolve.solvers.stored import STORED, Stored

__all__ = ["PathFollowing"]

BACK = 0.9995  # of the longest step that keeps w and z positive
CENTRE = 0.1  # of the mean product, in a state that is no longer improved
IDLE = 6  # steps without a better certificate before it has stalled
DENSE = 400  # states up to which the derivative of the coupling may be a full matrix, and equations are


@dataclass
class PathState(State):
    """A point near the path and the best policy so far."""

    replaced = True

    game: Game
    chosen: np.ndarray = field(metadata=STORED)  # w (actions, states)
    slack: np.ndarray = field(metadata=STORED)  # z
    value: np.ndarray = field(metadata=STORED)  # v (states,)
    gain: float = field(metadata=STORED)  # rho
    best: float = field(default=math.inf, metadata=STORED)
    policy: np.ndarray | None = field(default=None, metadata=STORED)
    idle: int = field(default=0, metadata=STORED)

    @property
    def mass(self) -> np.ndarray:
        return np.asarray(self.chosen.sum(axis=0))


@dataclass(frozen=True)
class PathFollowing(Solver):
    """Newton's method on w z = mu for stationary games without a temperature; their default.

    Parameters
    ----------
    start_mass : share of even choices in the first point
    """

    start_mass: float = 1.0

    name = "path-following"
    source = (
        "Mehrotra, On the implementation of a primal-dual interior point method, doi:10.1137/0802028; Wright, "
        "Primal-dual interior-point methods, doi:10.1137/1.9781611971453"
    )
    needs = (STATIONARY, TABLES, SHARP, SOFT, UNCOUPLED, DERIVATIVE)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PathState:
        step, horizon = game.step, _horizon(game)
        uniform = step.uniform()
        crowd = game.flow(uniform) if start is None else start(game)
        mass = np.maximum(crowd[0].reshape(-1)[: game.cells], 1e-3 / game.cells)
        mass = np.where(game.grid.mask.reshape(-1), 0.0, mass)
        mass /= mass.sum()
        price = game.price(game.crowd_of(np.stack([mass, mass]).reshape(2, *game.grid.shape)))
        levels, q = game.evaluate(uniform, price, game.flow(uniform))
        value = levels[0] / (1.0 - horizon.factor) if horizon.factor < 1 else levels[0] - levels[0].mean()
        gain = 0.0 if horizon.factor < 1 else float(levels[0][~game.grid.mask.reshape(-1)].mean())
        excess = np.where(step.allowed, q[0] - q[0].min(axis=0, where=step.allowed, initial=np.inf), 0.0)
        size = max(float(np.abs(excess).mean()), 1e-8 * float(np.abs(q).max()), 1e-12)
        slack = np.where(self._live(game), excess + size, 0.0)
        state = PathState(0, 0.0, UNMEASURED, game, uniform[0] * mass, slack, value, gain)
        return self._measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PathState:
        values = stored.of(PathState)
        state = PathState(0, 0.0, UNMEASURED, game, *(values[name] for name in ("chosen", "slack", "value", "gain")))
        state.best, state.policy, state.idle = values["best"], values["policy"], values["idle"]
        return state

    def _live(self, game: Game) -> np.ndarray:
        return np.asarray(game.step.allowed & ~game.grid.mask.reshape(-1))

    def step(self, state: PathState) -> PathState:
        system = _System(state, self._live(state.game))
        live, w, z = system.live, state.chosen, state.slack
        mu = float((w * z)[live].mean())
        ahead = system.direction(np.where(live, -w * z, 0.0))
        lengths = _lengths(state, ahead, live)
        there = (w + lengths[0] * ahead.chosen) * (z + lengths[1] * ahead.slack)
        share = max(float(there[live].mean()) / mu, 0.0) ** 3
        if min(lengths) < CENTRE:
            share = max(share, CENTRE)
        products = np.where(live, share * mu - w * z - ahead.chosen * ahead.slack, 0.0)
        move = system.direction(products)
        # one length for all: prices bend with the mass, so that the two sides are no separate linear programmes
        length = min(_lengths(state, move, live))
        length = 1.0 if length == 1.0 else BACK * length
        new = PathState(
            state.iteration + 1, state.sweeps + 2.0, UNMEASURED, state.game,
            np.where(live, w + length * move.chosen, 0.0), np.where(live, z + length * move.slack, 0.0),
            state.value + length * move.value, state.gain + length * move.gain,
            state.best, state.policy, state.idle,
        )  # fmt: skip
        return self._measured(new)

    def finish(self, state: PathState) -> Outcome:
        assert state.policy is not None
        crowd = state.game.flow(state.policy)
        return Outcome(state.game, state.game.policy_of(state.policy), crowd, sweeps=state.sweeps)

    def _measured(self, state: PathState) -> PathState:
        """The certificate of the policy that w is."""
        game, mass = state.game, state.mass
        policy = np.where(mass > 0, state.chosen / np.where(mass > 0, mass, 1.0), game.step.uniform()[0])[None]
        crowd = game.flow(policy)
        near = copy.copy(game)
        near.horizon = _horizon(game).near(state.value)
        result = certify(near, game.policy_of(policy), crowd)
        state.sweeps += 1.0
        state.note(result, game.cell_steps)
        size = abs(result.relative_exploitability)
        state.idle = 0 if size < 0.9 * state.best else state.idle + 1
        if size < state.best or state.policy is None:
            state.best, state.policy = size, policy
        state.stalled = (state.idle >= IDLE and state.best < 1e-3) or state.idle >= 5 * IDLE
        return state


@dataclass
class _Direction:
    chosen: np.ndarray
    slack: np.ndarray
    value: np.ndarray
    gain: float


def _horizon(game: Game) -> Repeated:
    horizon = game.horizon
    assert isinstance(horizon, Repeated)
    return horizon


def _lengths(state: PathState, move: _Direction, live: np.ndarray) -> tuple[float, float]:
    """Longest steps up to 1 that keep w, and z, positive."""
    rates = (-(move.chosen[live] / state.chosen[live]).min(), -(move.slack[live] / state.slack[live]).min())
    return tuple(1.0 / max(1.0, float(rate)) for rate in rates)  # type: ignore[return-value]


class _System:
    """The linear equations at a point; unknowns dv, dm and, of an ergodic game, drho."""

    def __init__(self, state: PathState, live: np.ndarray):
        self.state, self.live = state, live
        game, horizon = state.game, _horizon(state.game)
        self.game, self.cells, self.actions = game, game.cells, game.step.actions
        self.factor, self.keeps, self.ergodic = horizon.factor, horizon.keeps, horizon.is_ergodic
        self.table = game.step.transitions.matrix(0, self.cells)
        for factor in game.step.factors:
            self.table = sparse.csr_array(self.table @ factor.matrix(0))
        crowd = game.crowd_of(np.stack([state.mass] * 2).reshape(2, *game.grid.shape))
        self.bend = _derivative(game, crowd)
        price = game.price(crowd)[0].reshape(-1)[: self.cells] * game.weights[0]
        expected = (self.table @ state.value).reshape(self.actions, self.cells)
        cost = game.step.own_cost[0] + price + self.factor * expected - state.value - state.gain
        self.lack = np.where(live, cost - state.slack, 0.0)  # r_d
        w = state.chosen
        landed = self.table.T @ w.reshape(-1)
        initial = (1.0 - self.keeps) * game.initial_mass.reshape(-1)
        self.leak = initial - (w.sum(axis=0) - self.keeps * landed)
        self._assemble()

    def _assemble(self) -> None:
        """Rows: of z, with dw scaled by its own size so that no digit is lost where one action takes all; of the law."""
        n, live, shut = self.cells, self.live.reshape(-1), self.game.grid.mask.reshape(-1)
        columns = np.tile(np.arange(n), self.actions)[live]
        count = columns.size
        gather = sparse.csr_array((np.ones(count), (columns, np.arange(count))), shape=(n, count))  # sum_a
        table = sparse.csr_array(self.table[np.flatnonzero(live)])
        back = sparse.csr_array(gather - self.keeps * table.T)  # sum_a (I - k P_a^T)
        onto = sparse.csr_array(self.factor * table - gather.T)  # b P_a - I
        bend = sparse.csr_array(gather.T @ self.bend @ gather)
        self.w, self.z = self.state.chosen.reshape(-1)[live], self.state.slack.reshape(-1)[live]
        self.balance = np.maximum(self.w, self.z)  # row of dw: (w dq + z dw) / max(w, z)
        share = sparse.diags_array(self.w / self.balance)
        blocks = [[share @ bend + sparse.diags_array(self.z / self.balance), share @ onto], [back, None]]
        if self.ergodic:
            blocks[0].append(-(share @ sparse.csr_array(np.ones((count, 1)))))
            blocks[1].append(None)
            blocks.append([None, sparse.csr_array((~shut).astype(float)[None]), None])
        blocks[1][1] = sparse.diags_array(shut.astype(float))  # where nobody can be, v stays
        matrix = sparse.csr_array(sparse.block_array(blocks, format="csr"))
        self.count, self.total, self.onto, self.bends = count, None, onto, bend
        if self.keeps == 1.0:  # one equation of the law follows from the others: the whole mass takes its place
            last = count + int(np.argmax(np.where(shut, -1.0, self.state.mass)))
            keep = np.ones(matrix.shape[0])
            keep[last] = 0.0
            row = sparse.csr_array((np.ones(count), (np.full(count, last), np.arange(count))), shape=matrix.shape)
            matrix, self.total = sparse.diags_array(keep) @ matrix + row, last
        self.matrix = sparse.csc_matrix(matrix)
        self.solver = splu(self.matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01)

    def direction(self, products: np.ndarray) -> _Direction:
        """The direction in which w z changes, to first order, by ``products``."""
        n, count, live = self.cells, self.count, self.live
        right = np.zeros(self.matrix.shape[0])
        right[:count] = (products.reshape(-1)[live.reshape(-1)] - self.w * self.lack.reshape(-1)[live.reshape(-1)]) / (
            self.balance
        )
        right[count : count + n] = np.where(self.game.grid.mask.reshape(-1), 0.0, self.leak)
        if self.total is not None:
            right[self.total] = 1.0 - self.w.sum()
        x = self.solver.solve(right)
        x += self.solver.solve(right - self.matrix @ x)
        moved, value, gain = x[:count], x[count : count + n], float(x[-1]) if self.ergodic else 0.0
        change = self.onto @ value + self.bends @ moved - gain + self.lack.reshape(-1)[live.reshape(-1)]
        given = products.reshape(-1)[live.reshape(-1)]
        slack = np.where(self.w > self.z, (given - self.z * moved) / self.w, change)
        chosen, slacks = np.zeros(live.shape), np.zeros(live.shape)
        chosen[live], slacks[live] = moved, slack
        return _Direction(chosen, slacks, value, gain)


def _derivative(game: Game, crowd: np.ndarray) -> Any:
    """dt f'(m) per unit of mass, (cells, cells): on the diagonal where couplings act cell by cell."""
    slope = game.slope(crowd)
    if slope is not None:
        return sparse.diags_array(slope[0].reshape(-1)[: game.cells], format="csr")
    columns = []
    for unit in np.eye(game.cells):
        change = np.zeros_like(crowd)
        change[0] = unit.reshape(crowd.shape[1:])
        columns.append(game.price_change(crowd, change)[0].reshape(-1)[: game.cells].copy())
    return sparse.csr_array(np.array(columns).T)
