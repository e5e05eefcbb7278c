"""How far two crowds are apart: in the mean square of densities, and by the way that agents would have to walk."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse.csgraph import connected_components

from mfgsolve.errors import InputError
from mfgsolve.grids import Axis, Grid
from mfgsolve.spaces import Populations, Space, flat_volumes, integral

__all__ = ["Transport", "l2", "transport"]

NODES = 1024  # of a graph whose linear program takes about 25 ms
IMBALANCE = 1e-9  # mass that may differ by round-off


def l2(one: np.ndarray, other: np.ndarray, space: Space) -> np.ndarray:
    """Root of sum (rho - rho')^2 cell volume, over all cells and all populations.

    Parameters
    ----------
    one, other : densities (..., *shape)

    Returns
    -------
    np.ndarray
        (...), in the root of the unit of density
    """
    gap = np.asarray(one) - np.asarray(other)
    return np.sqrt(integral(np.square(_flat(gap, space)), flat_volumes(space), -1))


def _flat(values: np.ndarray, space: Space) -> np.ndarray:
    """Arrays (..., *shape) as rows of all cells."""
    if values.shape[values.ndim - space.ndim :] != space.shape:
        raise InputError(f"a density has shape {values.shape}; the space has {space.shape}")
    return values.reshape(*values.shape[: values.ndim - space.ndim], space.size)


@dataclass(frozen=True, eq=False)
class Transport:
    """Wasserstein-1 distance of densities on one space: the least mean way of agents who turn one into the other.

    W1(m, m') = min over plans p with marginals m and m' of sum p(s, s') d(s, s') = min over flows on the graph of cells
    of sum |flow| length (Beckmann), for the ground metric d that ``metric`` tells; masses sit in the centres of cells.
    Several populations cannot turn into each other: their distances add up.  Call it with two densities (..., *shape).

    Attributes
    ----------
    metric : the ground metric in words
    unit : of the distance
    coarsening : bound on how much W1 was changed by gathering cells to blocks; 0 where there are none, NaN where walls
        run through blocks and there is no bound
    quick : whether it takes no linear program

    References
    ----------
    Santambrogio, Optimal Transport for Applied Mathematicians (2015), section 4.2, doi:10.1007/978-3-319-20828-2; the
    circle: Rabin, Delon, Gousseau, J. Math. Imaging Vis. 41 (2011), doi:10.1007/s10851-011-0284-0.
    """

    space: Space
    metric: str
    unit: str
    coarsening: float
    quick: bool
    measure: Callable[[np.ndarray], np.ndarray] = field(repr=False)  # differences of mass (rows, cells) -> (rows,)

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        gap = _flat(np.asarray(one) - np.asarray(other), self.space) * flat_volumes(self.space)
        rows = gap.reshape(-1, self.space.populations, self.space.size // self.space.populations)
        if not (np.abs(rows.sum(axis=-1)) <= IMBALANCE).all():
            worst = float(np.abs(rows.sum(axis=-1)).max())
            raise InputError(f"masses differ by {worst:.2g}; only crowds of equal mass can be turned into each other")
        total = sum(self.measure(rows[:, k]) for k in range(rows.shape[1]))
        return np.asarray(total).reshape(gap.shape[:-1])


def transport(space: Space, nodes: int = NODES) -> Transport:
    """The Wasserstein-1 distance that a space allows.

    =====================  ==========================================================================================
    space                  distance
    =====================  ==========================================================================================
    states                 total variation, sum |m - m'| / 2: W1 where any two states are 1 apart
    one axis, no walls     sum d |F - G| of cumulative masses; on a circle sum d |F - G - median(F - G)|
    other grids            the shortest way along the axes and around blocked cells (taxicab, not Euclidean: longer by
                           up to sqrt(d) in d axes), as the dual linear program max <u, m - m'>, |u_s - u_s'| <= length
    =====================  ==========================================================================================

    Parameters
    ----------
    nodes : where a grid of two or three axes has more cells, they are gathered to blocks, whose masses sit in their
        centres: W1 changes by at most sum over axes of (cells in a block - 1) h.  A wall that runs through a block
        parts it in two

    Raises
    ------
    InputError
        where walls part the grid, so that some mass cannot be moved at all

    Examples
    --------
    >>> import numpy as np, mfgsolve as mfg
    >>> float(transport(mfg.Grid.box(4))(np.array([4.0, 0, 0, 0]), np.array([0.0, 0, 0, 4])))  # 3 cells of 1/4
    0.75
    """
    ground = space.space if isinstance(space, Populations) else space
    if not isinstance(ground, Grid):
        return Transport(space, "discrete: any two states are 1 apart", "1", 0.0, True, _total_variation)
    unit = ground.axes[-1].unit
    if ground.ndim == 1 and not ground.mask.any():
        (axis,) = ground.axes
        metric = "along the circle" if axis.periodic else "along the line"
        return Transport(space, metric, unit, 0.0, True, lambda rows: _along(rows, axis))
    side = 1
    while math.prod(-(-n // side) for n in ground.shape) > nodes:
        side += 1
    graph = _Graph.of(ground, side)
    walls = bool(ground.mask.any())
    change = 0.0 if side == 1 else math.nan if walls else (side - 1) * sum(axis.widths.max() for axis in ground.axes)
    metric = "along the axes" + (", around walls" if walls else "")
    if side > 1:
        metric += f", between blocks of {'x'.join([str(side)] * ground.ndim)} cells"
    return Transport(space, metric, unit, change, False, graph.measure)


def _total_variation(rows: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * np.abs(rows).sum(axis=1))


def _along(rows: np.ndarray, axis: Axis) -> np.ndarray:
    passed = np.cumsum(rows, axis=1)  # mass that crosses the face behind each cell
    if axis.periodic:
        passed -= np.median(passed, axis=1, keepdims=True) if axis.even else _median(passed, axis.distances)
    return integral(np.abs(passed), axis.spacing if axis.even else axis.distances, 1)


def _median(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted median (rows, 1): it minimises the weighted sum of distances to the entries of its row."""
    order = np.argsort(rows, axis=1)
    below = np.cumsum(weights[order], axis=1)
    middle = (below < 0.5 * below[:, -1:]).sum(axis=1, keepdims=True)
    return np.take_along_axis(rows, np.take_along_axis(order, middle, axis=1), axis=1)


@dataclass(frozen=True, eq=False)
class _Graph:
    """Blocks of free cells, the lengths between neighbours, and the dual of the flow of least cost between them."""

    blocks: np.ndarray  # number of the block of every cell; -1 where blocked
    size: int
    length: float  # the unit of the program
    bounds: Bounds
    constraint: LinearConstraint

    @classmethod
    def of(cls, grid: Grid, side: int) -> _Graph:
        free = ~grid.mask.reshape(-1)
        edges = [_neighbours(grid, k, side) for k in range(grid.ndim)]
        tail, head, gap = (np.concatenate(part) for part in zip(*edges, strict=True))
        open_ = free[tail] & free[head]
        tail, head, gap = tail[open_], head[open_], gap[open_]
        _, labels = _components(tail[gap == 0], head[gap == 0], grid.size)
        blocks = np.full(grid.size, -1)
        blocks[free] = np.unique(labels[free], return_inverse=True)[1]
        size = int(blocks.max()) + 1
        tail, head, gap = blocks[tail[gap > 0]], blocks[head[gap > 0]], gap[gap > 0]
        if _components(tail, head, size)[0] > 1:
            raise InputError("walls part the grid: mass cannot be moved from one part to another, and W1 is not finite")
        pairs, each = np.unique(np.sort([tail, head], axis=0), axis=1, return_inverse=True)
        lengths = np.full(pairs.shape[1], np.inf)
        np.minimum.at(lengths, each.reshape(-1), gap)
        return cls(blocks, size, float(lengths.min(initial=np.inf)), *_program(pairs, lengths, size))

    def measure(self, rows: np.ndarray) -> np.ndarray:
        return np.array([self._one(row) for row in rows])

    def _one(self, row: np.ndarray) -> float:
        free = self.blocks >= 0
        gap = np.bincount(self.blocks[free], weights=row[free], minlength=self.size)
        amount = 0.5 * float(np.abs(gap).sum())
        if amount == 0 or self.size == 1:
            return 0.0
        solved = milp(-gap / amount, bounds=self.bounds, constraints=self.constraint)  # scaled: tolerances are absolute
        return -float(solved.fun) * amount * self.length if solved.status == 0 else math.nan


def _components(tail: np.ndarray, head: np.ndarray, size: int) -> tuple[int, np.ndarray]:
    graph = sparse.csr_array((np.ones(len(tail)), (tail, head)), shape=(size, size))
    count, labels = connected_components(graph, directed=False)
    return int(count), np.asarray(labels)


def _neighbours(grid: Grid, k: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of cells that touch along axis ``k``, and how far the centres of their blocks are apart (0 within one)."""
    axis, numbers = grid.axes[k], np.arange(grid.size).reshape(grid.shape)
    block = np.arange(axis.cells) // side
    place = (np.bincount(block, axis.centres) / np.bincount(block))[block]
    gap = np.roll(place, -1) - place
    gap[-1] += axis.length
    ends = np.arange(axis.cells if axis.periodic else axis.cells - 1)
    tail, head = np.take(numbers, ends, axis=k), np.take(numbers, (ends + 1) % axis.cells, axis=k)
    wide: Any = np.where(block[ends] == block[(ends + 1) % axis.cells], 0.0, gap[ends])
    shape = [-1 if j == k else 1 for j in range(grid.ndim)]
    return tail.reshape(-1), head.reshape(-1), np.broadcast_to(wide.reshape(shape), tail.shape).reshape(-1)


def _program(pairs: np.ndarray, lengths: np.ndarray, size: int) -> tuple[Bounds, LinearConstraint]:
    """|u_s - u_s'| <= length for all neighbours, u_0 = 0; in units of the least length."""
    count = pairs.shape[1]
    rows, signs = np.tile(np.arange(count), 2), np.repeat([1.0, -1.0], count)
    difference = sparse.csr_array((signs, (rows, pairs.reshape(-1))), shape=(count, size))
    most = lengths / lengths.min(initial=np.inf)
    beyond = np.full(size, np.inf)
    beyond[0] = 0.0
    return Bounds(-beyond, beyond), LinearConstraint(difference, -most, most)
