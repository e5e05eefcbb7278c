"""Gaussian stencils that end at exits: where noise alone takes an agent in one step, if it has not left before.

Along a line, exits stand at the ends of free segments as walls do.  The law of Brownian motion that is reflected at
walls and ends at exits is a sum over images (Carslaw and Jaeger, Conduction of heat in solids, section 10): a place p
on the endless line, in copy m of a segment of n cells, stands for the mirrored cell with the sign

    sign(p) = (-1)^(crossings of exits on the way from copy 0 to copy m),      w(x, y) = sum_{p -> y} sign(p) K_{p - x}

What is missing ends at the exits: sum_p (1 - sign) K, all of it at the one where there is one.  Of two, the low one is
reached first with chance

    2 [ Q(p < 0) - Q(p >= 2n) + Q(p < -2n) - ... ],     Q the sum of K over places

so that, inside, chances are those of the continuous motion at the end of a step, and who leaves has left at the face of
the exit, half a cell from the last centre.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.grids import Grid
from mfgsolve.steps.stencils import Stencil, folded, gaussian_logs, segments

__all__ = ["exit_line", "exit_stencils"]


def exit_stencils(grid: Grid, variance: float, reach: tuple[int, ...]) -> list[Stencil]:
    """Stencils of the axes in array order, whose ``logs`` are (cells, 2 reach + 1): log w, -inf for no chance; blocked
    cells and exits keep what is in them."""
    return [_stencil(grid, k, variance, reach[k]) for k in range(grid.ndim)]


def _stencil(grid: Grid, number: int, variance: float, reach: int) -> Stencil:
    axis = grid.axes[number]
    lines = np.moveaxis(np.arange(grid.size).reshape(grid.shape), number, -1).reshape(-1, axis.cells)
    kinds = np.where(grid.exits.cells, 2, grid.mask).reshape(-1)[lines]  # 0 free, 1 blocked, 2 exit
    noise = np.exp(gaussian_logs(axis.spacing, variance, reach))
    near, chance = np.empty((grid.size, noise.size), dtype=np.int64), np.empty((grid.size, noise.size))
    for kind in np.unique(kinds, axis=0):
        there, weight = exit_line(kind == 0, kind == 2, axis.periodic, noise)
        for line in lines[(kinds == kind).all(axis=1)]:
            near[line], chance[line] = line[there], weight
    with np.errstate(divide="ignore"):
        return Stencil(near, np.log(chance))


def exit_line(free: np.ndarray, gone: np.ndarray, periodic: bool, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a line that each of its cells goes to, and the chances of that, both (cells, 2 reach + 1).

    Parameters
    ----------
    free, gone : (cells,) boolean, where agents are inside, and exits; all others are walls
    noise : K (2 reach + 1,), which sums to 1
    """
    n, reach = len(free), len(noise) // 2
    near, chance = np.repeat(np.arange(n)[:, None], len(noise), axis=1), np.repeat(noise[None], n, axis=0)
    for part, ring in segments(free, periodic):
        places = np.arange(len(part))[:, None] + np.arange(-reach, reach + 1)
        if ring:
            near[part] = part[folded(places, len(part), True)]
            continue
        sides = [_beyond(int(part[0]), -1, gone, periodic), _beyond(int(part[-1]), 1, gone, periodic)]
        near[part], chance[part] = _segment(part, places, sides, noise)
    return near, chance


def _beyond(end: int, side: int, gone: np.ndarray, periodic: bool) -> int:
    """The exit beyond the end of a segment; -1 where there is none."""
    cell = end + side
    if periodic:
        cell %= len(gone)
    return cell if 0 <= cell < len(gone) and gone[cell] else -1


def _segment(
    part: np.ndarray, places: np.ndarray, sides: list[int], noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same for one segment; ``sides`` are the exits before and after it."""
    n, (low, high) = len(part), sides
    copy, cell = places // n, folded(places, n, False)
    away = np.abs(copy)
    first, second = (away + 1) // 2, away // 2  # crossings of the end on the way, and of the other one
    lows, highs = np.where(copy < 0, first, second) * (low >= 0), np.where(copy < 0, second, first) * (high >= 0)
    sign = np.where((lows + highs) % 2 == 0, 1.0, -1.0)
    row = np.broadcast_to(np.arange(n)[:, None], places.shape)
    inside = np.zeros((n, n))
    np.add.at(inside, (row, cell), sign * noise)
    here = copy == 0
    near = np.where(here, part[np.where(here, places, 0)], part[row])
    chance = np.where(here, np.maximum(inside[row, np.where(here, places, 0)], 0.0), 0.0)
    missing = 2.0 * (noise * (sign < 0)).sum(axis=1)
    share = _low_first(places, n, noise) if low >= 0 and high >= 0 else missing * (low >= 0)
    for exit_, place, amount in ((low, -1, share), (high, n, np.maximum(missing - share, 0.0))):
        if exit_ >= 0:
            at = places == place
            near[at], chance[at] = exit_, np.broadcast_to(amount[:, None], at.shape)[at]
    return near, chance / chance.sum(axis=1, keepdims=True)  # noise that is cut off early is no Gaussian any more


def _low_first(places: np.ndarray, n: int, noise: np.ndarray) -> np.ndarray:
    """Chance (n,) to leave by the exit before a segment, where there is one on both sides."""
    total = np.zeros(len(places))
    for j in range(0, int(np.abs(places).max()) // n + 2, 2):
        total += 2.0 * (noise * (places < -j * n)).sum(axis=1)
        total -= 2.0 * (noise * (places >= (j + 2) * n)).sum(axis=1)
    return np.maximum(total, 0.0)
