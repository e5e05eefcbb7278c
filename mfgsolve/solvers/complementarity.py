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
from scipy import sparse
from scipy.sparse.linalg import splu

from mfgsolve.certificates import certify
from mfgsolve.games import Game
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.centred import barrier, centred_point, direct, longest
from mfgsolve.solvers.cooling import heat
from mfgsolve.solvers.needs import DERIVATIVE, SHARP, SOFT, TABLES, UNCOUPLED
from mfgsolve.solvers.newton import Newton
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.steps.table_policies import TablePolicy
from mfgsolve.watch import look, over

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
    needs = (TABLES, SHARP, UNCOUPLED, SOFT, DERIVATIVE)

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


class Linearised:
    """The factorised system at one point."""

    def __init__(self, equations: Equations, w: np.ndarray, z: np.ndarray, value: np.ndarray):
        self.w, self.z = w, z
        crowd, cost = equations.crowd_and_cost(w)
        self.lack = cost + equations.ahead @ value - z  # what z should be, minus what it is
        self.leak = equations.start - equations.balance @ w
        self.bend = equations.gather @ equations.slope(crowd) @ equations.observe
        self.factor = splu(equations.bordered(z / w, self.bend), permc_spec="COLAMD")
        self.ahead = equations.ahead

    def solve(self, products: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(dw, dz, dV) with w dz + z dw = products and every linear equation met."""
        right = np.concatenate([products / self.w - self.lack, self.leak])
        solution = self.factor.solve(right)
        dw, dv = solution[: self.w.size], solution[self.w.size :]
        return dw, self.lack + self.bend @ dw + self.ahead @ dv, dv


class Equations:
    """The equations of a game as sparse matrices over live choices and reached states.

    ``balance`` w = ``start`` is the flow, ``ahead`` V the part of z that is linear in V, ``observe`` w the crowd (all
    levels in a row), of which f and f' are taken; ``here`` is the state (row of V) of every live choice.
    """

    def __init__(self, game: Game):
        self.game, steps, states = game, game.steps, game.cells
        reach = game.flow(game.step.uniform())[:, :states] > 0
        live = (game.step.allowed & reach[:-1, None]).reshape(steps, -1)
        self.live, self.reach = live, reach[:-1]
        self._column = np.full((steps, states), -1)
        self._column[self.reach] = np.arange(int(self.reach.sum()))
        self.choices, self.rows = int(live.sum()), int(self.reach.sum())
        chosen = np.flatnonzero(live)  # of all choices at all steps
        self._time, self._state = chosen // live.shape[1], chosen % states
        column, arrival, chance = self._moved(chosen)  # arrival: step * states + state
        place = np.append(self._column.reshape(-1), np.full(states, -1))[arrival + states]
        on = np.flatnonzero(place >= 0)
        here = self.here = self._column[self._time, self._state]
        self.balance = _matrix(
            (self.rows, self.choices),
            (here, np.arange(self.choices), np.ones(self.choices)),
            (place[on], column[on], -chance[on]),
        )
        self.ahead = sparse.csr_array(-self.balance.T)
        self.start = np.zeros(self.rows)
        self.start[: int(reach[0].sum())] = game.initial_mass[reach[0]]
        end = np.flatnonzero(arrival >= (steps - 1) * states)
        final = column[end], arrival[end] - (steps - 1) * states, chance[end]
        self.observe = self._observation(chosen % live.shape[1], *final)
        self.gather = sparse.csr_array(self.observe.T)
        self.own = np.broadcast_to(game.step.own_cost, (steps, game.step.actions, states)).reshape(-1)[chosen]
        self.own += np.bincount(final[0], final[2] * game.terminal_cost[final[1]], minlength=self.choices)

    def at(self, t: int) -> slice:
        """The live choices of a step."""
        first, last = np.searchsorted(self._time, (t, t + 1))
        return slice(int(first), int(last))

    def _moved(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the live choices lead, noise included: choice, step * states + state, chance."""
        game = self.game
        moved = game.step.transitions.unrolled(game.steps, game.cells)[chosen]
        if not game.step.has_noise:
            return np.repeat(np.arange(chosen.size), np.diff(moved.indptr)), moved.indices, moved.data
        result = []
        for t in range(game.steps):
            look()
            each = np.flatnonzero(self._time == t)
            lines = moved[each][:, t * game.cells : (t + 1) * game.cells].toarray()
            lines = np.stack([game.step.diffuse(line, True) for line in lines])
            row, cell = np.nonzero(lines)
            result.append((each[row], t * game.cells + cell, lines[row, cell]))
        return tuple(np.concatenate(parts) for parts in zip(*result, strict=True))  # type: ignore[return-value]

    def _observation(
        self, choice: np.ndarray, column: np.ndarray, state: np.ndarray, chance: np.ndarray
    ) -> sparse.csr_array:
        """From the live choices to the crowd, (levels * width, choices); the last level is where the last step ends."""
        game, level, count = self.game, self._time * self.game.width, 0
        each, one = np.arange(self.choices), np.ones(self.choices)
        parts = [(level + self._state, each, one), (game.steps * game.width + state, column, chance)]
        for block in game.blocks:
            if block.on == "occupation":
                parts.append((level + block.columns.start + choice, each, one))
            elif block.on == "aggregate":
                amounts = game.amounts[count].reshape(-1, game.step.actions * game.cells)
                paid = amounts[np.minimum(self._time, amounts.shape[0] - 1), choice]
                some = np.flatnonzero(paid)
                parts.append((level[some] + block.columns.start, some, paid[some]))
                count += 1
        return _matrix(((game.steps + 1) * game.width, self.choices), *parts)

    def bordered(self, stiff: np.ndarray, bend: sparse.csr_array) -> sparse.csc_array:
        """The matrix of the module, with Z/W = ``stiff`` and f' = ``bend``."""
        each, size = np.arange(self.choices), self.choices + self.rows
        bent = np.repeat(each, np.diff(bend.indptr)), bend.indices, bend.data
        flow = np.repeat(np.arange(self.rows), np.diff(self.balance.indptr)) + self.choices
        sides = (flow, self.balance.indices, self.balance.data), (self.balance.indices, flow, -self.balance.data)
        return sparse.csc_array(_matrix((size, size), (each, each, stiff), bent, *sides))

    def crowd_and_cost(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The crowd (T+1, width) and what every live choice costs, values ahead aside."""
        game = self.game
        crowd = (self.observe @ w).reshape(game.steps + 1, game.width)
        paid = (game.price(crowd) * game.weights[:, None]).reshape(-1)
        cost = self.own + self.gather @ paid
        return crowd, cost

    def slope(self, crowd: np.ndarray) -> sparse.csr_array:
        """weight f' as a matrix on the crowd, block by block in time."""
        game = self.game
        local = game.slope(crowd)
        if local is not None:
            each = np.arange(local.size)
            return _matrix((local.size, local.size), (each, each, local.reshape(-1)))
        columns = np.empty((game.width, game.steps + 1, game.width))
        unit = np.zeros_like(crowd)
        for k in range(game.width):  # one column of every time's matrix at once
            look()
            unit[:, k] = 1.0
            game.price_change(crowd, unit, columns[k])
            unit[:, k] = 0.0
        column, level, row = np.nonzero(columns)
        entries = level * game.width + row, level * game.width + column, columns[column, level, row]
        return _matrix((crowd.size, crowd.size), entries)

    def linearised(self, w: np.ndarray, z: np.ndarray, value: np.ndarray) -> Linearised:
        return Linearised(self, w, z, value)

    def table(self, w: np.ndarray) -> np.ndarray:
        """Occupation (T, actions, states)."""
        out = np.zeros(self.live.shape)
        out[self.live] = w
        return out.reshape(self.game.steps, self.game.step.actions, self.game.cells)


def _matrix(shape: tuple[int, int], *parts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> sparse.csr_array:
    """A matrix from (rows, columns, entries); entries of one place add up."""
    row, column, entry = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return sparse.csr_array(sparse.coo_array((entry, (row, column)), shape=shape))


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
