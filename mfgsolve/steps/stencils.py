"""Gaussian stencils along the axes of a grid, folded at walls: where noise alone takes an agent in one step.

    K_k = exp(-(k h)^2 / (2 sigma^2)) / Z,   |k| <= reach,   sigma^2 = 2 nu dt

A cell x goes to ``near[x, k]`` with chance ``taps[k]``: the cell k further along the line, wrapped on a ring, and
mirrored at the ends of the *free segment* of the line that x lies in (the cell before its first one is the first one).
The matrix of each axis is symmetric, and its rows sum to 1.

Kernels take them row by row, and each row in tiles: `entropic_arrays` says where tiles may end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfgsolve.axes import Axis
from mfgsolve.grids import Grid
from mfgsolve.kernels.tiles import Entropic

__all__ = ["Stencil", "entropic_arrays", "folded", "gaussian_logs", "segments", "stencils"]


@dataclass(frozen=True)
class Stencil:
    """Noise along one axis; see the module.

    Attributes
    ----------
    near : (cells, 2 reach + 1) of the flattened level
    logs : log K_k (2 reach + 1,), or (cells, 2 reach + 1) where it differs from cell to cell
    """

    near: np.ndarray
    logs: np.ndarray

    @property
    def reach(self) -> int:
        return self.logs.shape[-1] // 2

    @cached_property
    def taps(self) -> np.ndarray:
        """K_k, of the shape of ``logs``."""
        return np.exp(self.logs)


def gaussian_logs(spacing: float, variance: float, reach: int) -> np.ndarray:
    """log K_k for |k| <= reach; the K_k sum to 1.  Far moves have a logarithm where the chance itself is none."""
    logs = -0.5 * (np.arange(-reach, reach + 1) * spacing) ** 2 / variance
    return np.asarray(logs - np.log(np.exp(logs).sum()))


def segments(free: np.ndarray, periodic: bool) -> Iterator[tuple[np.ndarray, bool]]:
    """The free segments of a line, as the numbers of their cells in order, and whether each is a whole ring."""
    n = len(free)
    if free.all():
        yield np.arange(n), periodic
        return
    start = int(np.flatnonzero(~free)[0]) if periodic else 0  # a ring is cut at a wall
    order = (start + np.arange(n)) % n
    edge = np.flatnonzero(np.diff(np.concatenate([[False], free[order], [False]]).astype(np.int8)))
    for first, last in edge.reshape(-1, 2):
        yield order[first:last], False


def folded(place: np.ndarray, cells: int, ring: bool) -> np.ndarray:
    """Places on an endless line as numbers of the cells of a segment: wrapped on a ring, mirrored at its ends."""
    if ring:
        return np.asarray(place % cells)
    place = place % (2 * cells)
    return np.minimum(place, 2 * cells - 1 - place)


def stencils(grid: Grid, variance: float, reach: tuple[int, ...]) -> list[Stencil]:
    """Those of the axes in array order, for noise of that variance; blocked cells keep what is in them."""
    return [_stencil(grid, k, axis, variance, reach[k]) for k, axis in enumerate(grid.axes)]


def line_stencil(free: np.ndarray, periodic: bool, reach: int) -> np.ndarray:
    """Cells of a line that each of its cells goes to, (cells, 2 reach + 1)."""
    near = np.repeat(np.arange(len(free))[:, None], 2 * reach + 1, axis=1)
    for part, ring in segments(free, periodic):
        near[part] = part[folded(np.arange(len(part))[:, None] + np.arange(-reach, reach + 1), len(part), ring)]
    return near


def _stencil(grid: Grid, number: int, axis: Axis, variance: float, reach: int) -> Stencil:
    cells = np.moveaxis(np.arange(grid.size).reshape(grid.shape), number, -1).reshape(-1, axis.cells)
    near = np.empty((grid.size, 2 * reach + 1), dtype=np.int64)
    if grid.mask.any():
        free = ~grid.mask.reshape(-1)
        for line in cells:
            near[line] = line[line_stencil(free[line], axis.periodic, reach)]
    else:
        near[cells] = cells[:, line_stencil(np.ones(axis.cells, dtype=bool), axis.periodic, reach)]
    return Stencil(near, gaussian_logs(axis.spacing, variance, reach))


# -- for kernels -----------------------------------------------------------------------------------------------------


def entropic_arrays(grid: Grid, variance: float, reach: tuple[int, ...], entropy: np.ndarray) -> Entropic:
    """What kernels take, for noise of that variance along each axis and eps of each step (T,)."""
    missing, n = 3 - grid.ndim, grid.shape[-1]
    middle = -(-max(reach) // 8) * 8  # kernels take taps by eights
    taps, costs = np.zeros((3, 2 * middle + 1)), np.full((3, 2 * middle + 1), np.inf)
    for k, axis in enumerate(grid.axes):
        inside = slice(middle - reach[k], middle + reach[k] + 1)
        costs[missing + k, inside] = -gaussian_logs(axis.spacing, variance, reach[k])
        taps[missing + k, inside] = np.exp(-costs[missing + k, inside])
    free = ~grid.mask.reshape(-1, n)
    cuts, tiles, tile = _tilings(free, reach[-1])
    kinds, line = np.unique(free, axis=0, return_inverse=True)
    ring = grid.axes[-1].periodic
    near_x = np.stack([line_stencil(kind, ring, reach[-1]) for kind in kinds]).astype(np.int32)
    across = [np.zeros((1, 1, 1), dtype=np.int32)] * 2
    columns = (~grid.mask).reshape((1,) * missing + grid.shape)[:, :, cuts[0, : tiles[0]]]
    for k in range(grid.ndim - 1):
        across[missing + k] = _rows_near(columns, missing + k, grid.axes[k].periodic, reach[k])
    axes, kept = np.arange(missing, 3), 1 + len(free) * int(tiles[-2])
    reaches = np.array([0] * missing + list(reach), dtype=np.int64)
    numbers = entropy, taps, costs, reaches
    near_z, near_y = across
    kind = line.reshape(-1).astype(np.int64)
    flags = bool(grid.mask.any()), ring
    return Entropic(*numbers, near_z, near_y, near_x, kind, cuts, tiles, tile, free, *flags, kept, axes, 1)


def _rows_near(columns: np.ndarray, axis: int, periodic: bool, reach: int) -> np.ndarray:
    """Rows that agents go to along an axis across rows, from each row and column, and on both sides the row itself: for
    taps by eights.  Of the ``columns`` (z, y, columns) is stated where they are free."""
    rows = np.moveaxis(np.arange(columns[:, :, 0].size).reshape(columns.shape[:2]), axis, 0)
    free, more = np.moveaxis(columns, axis, 0), -reach % 4
    near = np.empty((*free.shape, 2 * (reach + more) + 1), dtype=np.int32)
    for k, c in np.ndindex(free.shape[1:]):
        near[:, k, c] = rows[:, k, None]
        near[:, k, c, more : near.shape[-1] - more] = rows[line_stencil(free[:, k, c], periodic, reach), k]
    return np.moveaxis(near, 0, axis).reshape(rows.size, -1, near.shape[-1])


def _tilings(free: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ever finer tiles of a row: first those whose columns have the same walls, then halves, in the end single cells.

    Returns first cells and the end (partitions, x + 1), how many, and the tile of each cell (partitions, x).
    """
    n = free.shape[1]
    walls = np.flatnonzero((free[:, 1:] != free[:, :-1]).any(axis=0)) + 1
    ends = np.concatenate([[0], walls, [n]])
    partitions = [ends]
    while np.diff(ends).max() >= max(4 * reach, 2):
        widths = np.diff(ends)
        halves = (ends[:-1] + (widths + 1) // 2)[widths >= max(4 * reach, 2)]
        ends = np.unique(np.concatenate([ends, halves]))
        partitions.append(ends)
    partitions.append(np.arange(n + 1))
    cuts, tiles = np.zeros((len(partitions), n + 1), dtype=np.int64), np.zeros(len(partitions), dtype=np.int64)
    tile = np.zeros((len(partitions), n), dtype=np.int64)
    for p, ends in enumerate(partitions):
        cuts[p, : len(ends)], tiles[p] = ends, len(ends) - 1
        tile[p] = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    return cuts, tiles, tile
