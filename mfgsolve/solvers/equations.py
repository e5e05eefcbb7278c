"""The conditions of an equilibrium of a finite game as one square system of sparse matrices.

Unknown are the occupation w >= 0 and the reduced cost z >= 0 of every live choice (one that can be taken in a state
that can be reached), and the value V of every reached state:

    B w = start              the flow: what leaves a state is what has come into it
    z = l + G f(O w) + A V   what a choice costs more than the best one of its state, A = -B^T
    w z = 0                  only best choices are taken; `mfgsolve.solvers.centred` leads there through w z > 0

O takes w to the crowd, of which f are the prices and f' their slope, and G = O^T.  Newton's method solves, for dw and
dV with dz put in from the second line,

    [ Z/W + G f' O   A ] [dw]
    [      B         0 ] [dV]
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mfgsolve.games import Game
from mfgsolve.watch import look

__all__ = ["Equations", "Linearised"]


class Linearised:
    """The factorised system at one point."""

    def __init__(self, equations: Equations, w: np.ndarray, z: np.ndarray, value: np.ndarray):
        from scipy.sparse.linalg import splu

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
        """The matrix of the module, with Z/W = ``stiff`` and G f' O = ``bend``."""
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
