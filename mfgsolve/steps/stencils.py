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
    logs : log K_k (2 reach + 1,)
    """

    near: np.ndarray
    logs: np.ndarray

    @property
    def reach(self) -> int:
        return len(self.logs) // 2

    @cached_property
    def taps(self) -> np.ndarray:
        """K_k (2 reach + 1,)."""
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


def _stencil(grid: Grid, number: int, axis: Axis, variance: float, reach: int) -> Stencil:
    cells = np.moveaxis(np.arange(grid.size).reshape(grid.shape), number, -1).reshape(-1, axis.cells)
    free = ~grid.mask.reshape(-1)
    near = np.repeat(np.arange(grid.size)[:, None], 2 * reach + 1, axis=1)
    away = np.arange(-reach, reach + 1)
    for line in cells if grid.mask.any() else cells[:1]:
        for part, ring in segments(free[line], axis.periodic):
            places = part[folded(np.arange(len(part))[:, None] + away, len(part), ring)]
            if len(cells) > 1 and not grid.mask.any():
                near[cells[:, part]] = cells[:, places]
            else:
                near[line[part]] = line[places]
    return Stencil(near, gaussian_logs(axis.spacing, variance, reach))


def entropic_arrays(grid: Grid, along: list[Stencil], entropy: np.ndarray) -> Entropic:
    """What kernels take: the stencils ``along`` the axes in array order, and eps of each step (T,)."""
    missing, n = 3 - grid.ndim, grid.shape[-1]
    widest = max(stencil.reach for stencil in along)
    middle = -(-widest // 4) * 4  # kernels take taps by fours
    taps, costs = np.zeros((3, 2 * middle + 1)), np.full((3, 2 * middle + 1), np.inf)
    near: list[np.ndarray] = [np.zeros((1, 1), dtype=np.int32)] * missing
    reach = np.zeros(3, dtype=np.int64)
    for axis, stencil in enumerate(along, start=missing):
        inside = slice(middle - stencil.reach, middle + stencil.reach + 1)
        taps[axis, inside], costs[axis, inside] = stencil.taps, -stencil.logs
        near.append((stencil.near % n if axis == 2 else stencil.near // n).astype(np.int32))
        reach[axis] = stencil.reach
    free = ~grid.mask.reshape(-1, n)
    cuts, tiles, tile = _tilings(free, int(reach[2]))
    axes, kept = np.arange(missing, 3), 1 + len(free) * int(tiles[-2])
    flags = bool(grid.mask.any()), grid.axes[-1].periodic
    near_z, near_y, near_x = near
    numbers = entropy, taps, costs, reach, near_z, near_y, near_x
    return Entropic(*numbers, cuts, tiles, tile, free, *flags, kept, axes, 1)


def _tilings(free: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ever finer tiles of a row: first those whose columns have the same walls, then halves, in the end single cells.

    Returns first cells and the end (partitions, x + 1), how many, and the tile of each cell (partitions, x).
    """
    n = free.shape[1]
    walls = np.flatnonzero((free[:, 1:] != free[:, :-1]).any(axis=0)) + 1
    ends = np.concatenate([[0], walls, [n]])
    partitions = [ends]
    while np.diff(ends).max() >= max(2 * reach, 2):
        widths = np.diff(ends)
        halves = (ends[:-1] + (widths + 1) // 2)[widths >= max(2 * reach, 2)]
        ends = np.unique(np.concatenate([ends, halves]))
        partitions.append(ends)
    partitions.append(np.arange(n + 1))
    cuts, tiles = np.zeros((len(partitions), n + 1), dtype=np.int64), np.zeros(len(partitions), dtype=np.int64)
    tile = np.zeros((len(partitions), n), dtype=np.int64)
    for p, ends in enumerate(partitions):
        cuts[p, : len(ends)], tiles[p] = ends, len(ends) - 1
        tile[p] = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    return cuts, tiles, tile
