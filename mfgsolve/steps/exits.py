"""Exits in a step: who has come to a cell of an exit stays there, and has paid the exit cost of that time.

In arrays an exit is an absorbing cell.  With k_t what an agent pays who leaves at node t, discounted, its value there
is V_t = k_t: an agent in it pays k_t - k_{t+1} in step t, and k_T at the end, which adds up to what it paid when it
came.

Factors keep what is in exits where it is (`Absorbed`); implicit noise ends where it meets one (`AbsorbedNoise`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from mfgsolve.grids import Axis, Grid
from mfgsolve.steps.costs import OwnCost
from mfgsolve.steps.factors import Factor
from mfgsolve.steps.transitions import Transitions, stacked
from mfgsolve.steps.walks import LineWalk, line_shares

if TYPE_CHECKING:
    from scipy.sparse.linalg import SuperLU

__all__ = [
    "Absorbed",
    "AbsorbedNoise",
    "absorbed_transitions",
    "left_costs",
    "noise_matrices",
    "with_left",
]


class Absorbed(Factor):
    """Another factor, which does nothing to who has left.

    Parameters
    ----------
    factor : what it does to all others
    exits : (cells,) boolean
    """

    def __init__(self, factor: Factor, exits: np.ndarray):
        self.factor, self.exits, self.is_steady = factor, exits.reshape(-1), factor.is_steady

    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """F value inside, the value itself at exits."""
        kept = self.exits.reshape(value.shape)
        return np.where(kept, value, self.factor.expect(t, value))

    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """F^T of the mass inside, beside what has left."""
        kept = self.exits.reshape(mass.shape)
        return np.asarray(self.factor.push(t, np.where(kept, 0.0, mass)) + np.where(kept, mass, 0.0))

    def matrix(self, t: int) -> sparse.csr_array | None:
        chances = self.factor.matrix(t)
        return None if chances is None else absorbed_rows(chances, self.exits)


def absorbed_rows(chances: sparse.csr_array, exits: np.ndarray) -> sparse.csr_array:
    """Chances (rows, cells) of which those from exits stay; rows are the cells, once or for each choice in turn."""
    rows, cells = chances.shape
    gone = np.tile(exits.reshape(-1), rows // cells)
    stay = sparse.csr_array(
        (np.ones(int(gone.sum())), (np.flatnonzero(gone), np.flatnonzero(gone) % cells)), shape=(rows, cells)
    )
    inside = chances.copy()
    inside.data = np.where(np.repeat(gone, np.diff(inside.indptr)), 0.0, inside.data)
    inside.eliminate_zeros()
    result = sparse.csr_array(inside + stay)
    result.sort_indices()
    return result


def absorbed_transitions(table: Transitions, exits: np.ndarray) -> Transitions:
    """Transitions of which those from exits stay, whatever is chosen there."""
    states = exits.size
    return stacked([absorbed_rows(table.matrix(t, states), exits) for t in range(table.first.shape[0])])


# -- what leaving costs ----------------------------------------------------------------------------------------------


def left_costs(pay: np.ndarray, mass: np.ndarray, exits: np.ndarray) -> OwnCost:
    """What those pay who have left, ``pay`` (T, cells) in each step of ``mass`` (T+1, *shape); see `OwnCost`.

    Who is inside pays none of it, so that the least of each step is 0 or less.
    """
    places = np.flatnonzero(exits)
    here, rate = mass[:-1].reshape(len(pay), -1)[:, places], pay.reshape(len(pay), -1)[:, places]
    if not rate.any():
        return OwnCost(0.0, 0.0, 0.0)
    least = np.minimum(rate.min(axis=1), 0.0).sum()
    cost = float((here * rate).sum())
    return OwnCost(cost, cost - float(least), float((here * np.abs(rate)).sum()))


def with_left(moving: OwnCost, left: OwnCost) -> OwnCost:
    """What agents pay for moving, and those who have left for that."""
    return OwnCost(moving.cost + left.cost, moving.above + left.above, moving.size + left.size, moving.capped)


# -- noise -----------------------------------------------------------------------------------------------------------


def noise_matrices(grid: Grid, exits: np.ndarray, diffused: float, at_faces: bool) -> list[sparse.csc_array]:
    """I - nu dt Lap of each axis of the grid, x first: nothing goes through walls, and nothing comes back from exits.

    Parameters
    ----------
    exits : boolean (*shape)
    diffused : nu dt, length^2
    at_faces : whether agents leave at the face of an exit, half a cell from the centre before it, at twice the rate;
        else at its centre
    """
    index, free = np.arange(grid.size).reshape(grid.shape), ~grid.mask
    result = []
    for k in reversed(range(grid.ndim)):
        axis: Axis = grid.axes[k]
        entries = [(np.ones(grid.size), index.reshape(-1), index.reshape(-1))]
        across = [-1 if j == k else 1 for j in range(grid.ndim)]
        for side in (-1, 1):  # to the cell after, and to the one before
            there = np.roll(index, side, k)
            face = free & np.roll(free, side, k) & ~exits
            if not axis.periodic:
                edge = np.zeros(axis.cells, dtype=bool)
                edge[-1 if side < 0 else 0] = True
                face = face & ~edge.reshape(across)
            distance = np.broadcast_to(
                (axis.distances if side < 0 else np.roll(axis.distances, 1)).reshape(across), grid.shape
            )
            width = np.broadcast_to(axis.widths.reshape(across), grid.shape)
            leaves = np.roll(exits, side, k)
            rate = diffused / (np.where(leaves & at_faces, 0.5 * width, distance) * width)
            entries += [(-rate[face], index[face], there[face]), (rate[face], index[face], index[face])]
        data, row, column = (np.concatenate(each) for each in zip(*entries, strict=True))
        result.append(sparse.csc_array(sparse.coo_array((data, (row, column)), shape=(grid.size, grid.size))))
    return result


class AbsorbedNoise(Factor):
    """Implicit noise that ends at exits: N = prod over axes of (I - nu dt Lap)^-1, Lap as in `noise_matrices`.

    Its rows sum to 1, and those of exits stay: N is the chance of where a walker stops that goes to its neighbours at
    the rates of Lap, and stops at rate 1, or for good at an exit.  Masses take x first.

    Parameters
    ----------
    matrices : I - nu dt Lap of each axis, x first; of one grid, or of several one after the other
    grid : that grid
    """

    def __init__(self, matrices: Sequence[sparse.csc_array], grid: Grid):
        from scipy.sparse.linalg import splu

        self.matrices, self.grid = list(matrices), grid
        self._solvers: list[SuperLU] = [splu(matrix, permc_spec="NATURAL") for matrix in self.matrices]

    def __reduce__(self) -> tuple[type, tuple[list[sparse.csc_array], Grid]]:
        return type(self), (self.matrices, self.grid)

    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """N value."""
        level = value.reshape(-1)
        for solver in reversed(self._solvers):
            level = solver.solve(level)
        return np.asarray(level).reshape(value.shape)

    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """N^T mass."""
        level = mass.reshape(-1)
        for solver in self._solvers:
            level = solver.solve(level, trans="T")  # type: ignore[call-overload]
        return np.asarray(level).reshape(mass.shape)

    def inverse(self) -> sparse.csr_array:
        """The sparse L with L N^T = I."""
        product: Any = sparse.eye_array(self.matrices[0].shape[0], format="csr")
        for matrix in self.matrices:
            product = product @ matrix.T
        return sparse.csr_array(product)

    def walks(self, cells: int) -> list[LineWalk] | None:
        """Axis by axis; see `mfgsolve.steps.walks`."""
        result = []
        for matrix, axis in zip(self.matrices, reversed(self.grid.axes), strict=True):
            stride = math.prod(self.grid.shape[self.grid.dims.index(axis.name) + 1 :])
            rates = (_toward(matrix, side, axis, stride) for side in (1, -1))
            lines = (np.moveaxis(rate.reshape(-1, axis.cells, stride), 1, -1) for rate in rates)
            up, down = (line.reshape(-1, axis.cells) for line in lines)
            shares = line_shares(up, down, axis.periodic)
            right, left = (np.moveaxis(share.reshape(-1, stride, axis.cells), -1, 1).reshape(-1) for share in shares)
            if right.any() or left.any():
                result.append(LineWalk(axis.cells, stride, axis.periodic, right, left))
        return result


def _toward(matrix: sparse.csc_array, side: int, axis: Axis, stride: int) -> np.ndarray:
    """Rates (cells,) of every cell to the one after (side 1) or before (-1) it along an axis; of a ring of two cells,
    where both are the same, half of them."""
    cell = np.arange(matrix.shape[0])
    place = cell // stride % axis.cells
    there = cell + ((place + side) % axis.cells - place) * stride
    end = (place == (axis.cells - 1 if side > 0 else 0)) & (not axis.periodic)
    rate = 0.0 - np.asarray(matrix[cell, there]).reshape(-1)
    return np.where((there == cell) | end, 0.0, 0.5 * rate if axis.periodic and axis.cells == 2 else rate)
