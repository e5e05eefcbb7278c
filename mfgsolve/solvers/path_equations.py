"""The linear equations of a step along the path: `mfgsolve.solvers.path_following`.

With O the map from choices w to the crowd c (masses, and what else couplings look at), B = dt f' there, and the rows of
live choices in two parts, those that are taken (w >= z) and the others, Newton's equations

    z dw + w dz = products,     dz = O^T B dc + b P dv - dv - drho + lack,     sum_a (I - k P_a^T) dw_a = leak

have as unknowns dw of the choices that are taken, dc, dv and drho: the others follow, dw = (products - w dz) / z, and
every row is divided by the larger of w and z, so that no digit is lost where one action takes all.  About three
unknowns a state, sparse as transitions are.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from scipy import sparse

from mfgsolve.games import Game
from mfgsolve.games.stationary import Repeated
from mfgsolve.steps.matrix import factors_of
from mfgsolve.watch import look

__all__ = ["Choices", "Direction", "Linearised", "Point", "horizon_of_path"]


TAKEN = 1.0  # w / z from which a choice counts as taken


class Point(NamedTuple):
    """Where the path is: w and z of the live choices (choices,), v (states,), rho (populations,)."""

    chosen: np.ndarray
    slack: np.ndarray
    value: np.ndarray
    gain: np.ndarray


class Direction(NamedTuple):
    """Changes of the same."""

    chosen: np.ndarray
    slack: np.ndarray
    value: np.ndarray
    gain: np.ndarray


def horizon_of_path(game: Game) -> Repeated:
    """The horizon of a stationary game."""
    return cast(Repeated, game.horizon)


class Choices:
    """What is the same all along the path: live choices, their states, and the maps of a game.

    Attributes
    ----------
    live : boolean (actions, states)
    state : of each live choice
    gather : sum over the choices of a state, (states, choices)
    observe : O (width, choices)
    back, onto : sum_a (I - k P_a^T), and b P - 1
    """

    def __init__(self, game: Game):
        step, horizon = game.step, horizon_of_path(game)
        self.game, self.states, self.actions = game, game.cells, step.actions
        self.leaves = horizon.leaves
        self.shut = ~game.grid.inside.reshape(-1)  # nobody chooses in walls, and at exits
        self.live = np.asarray(step.allowed & ~self.shut)
        chosen = np.flatnonzero(self.live)
        self.state, self.count, n = chosen % self.states, chosen.size, self.states
        self.factor, self.keeps, self.is_ergodic = horizon.factor, horizon.keeps, horizon.is_ergodic
        self.populations = game.grid.populations
        self.owner = np.arange(n) // (n // self.populations)
        each, one = np.arange(self.count), np.ones(self.count)
        self.gather = sparse.csr_array((one, (self.state, each)), shape=(n, self.count))
        table = sparse.csr_array(step.transitions.matrix(0, n))[chosen]
        for matrix in factors_of(step, 0):
            table = sparse.csr_array(table @ matrix)
        self.table = table
        left: np.ndarray | float = 0.0  # what those pay who leave in this step
        if self.leaves:
            left = table @ np.where(game.grid.mask.reshape(-1), 0.0, game.terminal_cost.reshape(-1))
            table = sparse.csr_array(table @ sparse.diags_array(np.where(self.shut, 0.0, 1.0)))
        self.back = sparse.csr_array(self.gather - self.keeps * table.T)
        self.onto = sparse.csr_array(self.factor * table - self.gather.T)
        self.observe = self._observed(chosen, each, one)
        self.own = step.own_cost[0].reshape(-1)[chosen] + left
        share = game.dt if self.leaves else 1.0 - self.keeps
        self.born = share * game.initial_mass.reshape(-1)

    def _observed(self, chosen: np.ndarray, each: np.ndarray, one: np.ndarray) -> sparse.csr_array:
        game, count = self.game, 0
        rows, columns, entries = [self.state], [each], [one]
        for block in game.blocks:
            if block.on == "occupation":
                rows.append(block.columns.start + chosen)
                columns.append(each)
                entries.append(one)
            elif block.on == "aggregate":
                paid = game.amounts[count][0].reshape(-1)[chosen]
                rows.append(np.full(self.count, block.columns.start))
                columns.append(each)
                entries.append(paid)
                count += 1
        parts = (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.csr_array(sparse.coo_array(parts, shape=(game.width, self.count)))

    def crowd(self, chosen: np.ndarray) -> np.ndarray:
        """The crowd (2 levels) that makes these choices."""
        level = (self.observe @ chosen).reshape(self.game.level_shape)
        return np.stack([level, level])

    def cost(self, crowd: np.ndarray) -> np.ndarray:
        """What each live choice costs in a step."""
        paid = self.game.price(crowd)[0].reshape(-1) * self.game.weights[0]
        return np.asarray(self.own + self.observe.T @ paid)

    def table_of(self, values: np.ndarray) -> np.ndarray:
        """Numbers of live choices as an array (actions, states), 0 elsewhere."""
        out = np.zeros(self.live.shape)
        out[self.live] = values
        return out

    def bend(self, crowd: np.ndarray) -> sparse.csr_array:
        """B (width, width): on the diagonal where couplings act cell by cell."""
        game = self.game
        slope = game.slope(crowd)
        if slope is not None:
            return sparse.csr_array(sparse.diags_array(slope[0].reshape(-1)))
        columns, change = [], np.zeros_like(crowd)
        for k in range(game.width):
            look()
            change[0].reshape(-1)[k] = 1.0
            columns.append(sparse.csr_array(game.price_change(crowd, change)[0].reshape(1, -1)))
            change[0].reshape(-1)[k] = 0.0
        return sparse.csr_array(sparse.vstack(columns).T)


class Linearised:
    """The factored equations at a point."""

    def __init__(self, choices: Choices, point: Point):
        self.choices, self.point = choices, point
        w, z, crowd = point.chosen, point.slack, choices.crowd(point.chosen)
        self.gains = point.gain[choices.owner[choices.state]]
        self.lack = choices.cost(crowd) + choices.onto @ point.value - self.gains - z
        self.leak = choices.born - choices.back @ w
        self.bend = sparse.csr_array(choices.observe.T @ choices.bend(crowd))  # O^T B
        self.taken = np.flatnonzero(w >= TAKEN * z)
        self.rest = np.flatnonzero(w < TAKEN * z)
        self._assemble(w, z)

    def _assemble(self, w: np.ndarray, z: np.ndarray) -> None:
        from scipy.sparse.linalg import splu

        c, n, taken, rest = self.choices, self.choices.states, self.taken, self.rest
        width, several = c.game.width, c.populations
        owners = sparse.csr_array((np.ones(c.count), (np.arange(c.count), c.owner[c.state])), shape=(c.count, several))
        share = sparse.diags_array(w[rest] / z[rest])
        bend, onto, rho = (share @ part[rest] for part in (self.bend, c.onto, owners))
        observe, back = c.observe[:, rest], c.back[:, rest]
        first = [sparse.diags_array(z[taken] / w[taken]), self.bend[taken], c.onto[taken], -owners[taken]]
        second = [-c.observe[:, taken], sparse.eye_array(width) + observe @ bend, observe @ onto, -(observe @ rho)]
        law = [c.back[:, taken], -(back @ bend), sparse.diags_array(c.shut * 1.0) - back @ onto, back @ rho]
        if not c.is_ergodic:
            first, second, law = first[:3], second[:3], law[:3]
        blocks = [first, second, law]
        if c.is_ergodic:  # v is told beside what it is in one state of each population
            pins = [int(np.flatnonzero((c.owner == p) & ~c.shut)[0]) for p in range(several)]
            pinned = sparse.csr_array((np.ones(several), (np.arange(several), pins)), shape=(several, n))
            blocks.append([None, None, pinned, sparse.csr_array((several, several))])
        matrix = sparse.csr_array(sparse.block_array(blocks, format="csr"))
        self.masses = np.empty(0, dtype=int)
        if (
            c.keeps == 1.0 and not c.leaves
        ):  # one equation of each law follows from the others: the mass takes its place
            matrix = self._with_masses(matrix, w)
        self.matrix = sparse.csc_matrix(matrix)
        look()
        # the pattern is nearly symmetric: an order by it, and pivots near the diagonal, fill a third as much
        options = {"SymmetricMode": True}
        self.solver = splu(self.matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01, options=options)

    def _with_masses(self, matrix: sparse.csr_array, w: np.ndarray) -> sparse.csr_array:
        c, first, n = self.choices, self.taken.size, self.choices.states
        mass = np.where(c.shut, -1.0, c.gather @ w)
        heavy = [int(np.where(c.owner == p, mass, -2.0).argmax()) for p in range(c.populations)]
        self.masses = first + c.game.width + np.array(heavy)
        keep = np.ones(matrix.shape[0])
        keep[self.masses] = 0.0
        rows = self.masses[c.owner]
        sums = sparse.csr_array((np.ones(n), (rows, first + np.arange(n))), shape=matrix.shape)
        return sparse.csr_array(sparse.diags_array(keep) @ matrix + sums)

    def direction(self, products: np.ndarray) -> Direction:
        """The direction in which w z changes, to first order, by ``products``."""
        c, taken, rest, width, n = self.choices, self.taken, self.rest, self.choices.game.width, self.choices.states
        w, z = self.point.chosen, self.point.slack
        alone = (products[rest] - w[rest] * self.lack[rest]) / z[rest]
        law = np.where(c.shut, 0.0, self.leak - c.back[:, rest] @ alone)
        right = np.concatenate([
            products[taken] / w[taken] - self.lack[taken], c.observe[:, rest] @ alone, law,
            np.zeros(c.populations if c.is_ergodic else 0),
        ])  # fmt: skip
        if self.masses.size:
            masses = np.bincount(c.owner, c.gather @ w, minlength=c.populations)
            right[self.masses] = 1.0 - masses
        x = self.solver.solve(right)
        x += self.solver.solve(right - self.matrix @ x)
        first = taken.size
        crowd, value = x[first : first + width], x[first + width : first + width + n]
        gain = x[first + width + n :] if c.is_ergodic else np.zeros(c.populations)
        change = self.bend @ crowd + c.onto @ value - gain[c.owner[c.state]] + self.lack
        chosen, slack = np.empty(c.count), change.copy()
        chosen[taken] = x[:first]
        chosen[rest] = (products[rest] - w[rest] * change[rest]) / z[rest]
        slack[taken] = (products[taken] - z[taken] * chosen[taken]) / w[taken]
        return Direction(chosen, slack, value, gain)
