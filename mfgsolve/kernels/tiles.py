"""The scales of entropic steps: rows are cut into tiles, each with a scale, so that exp(-v / eps) stays in range.

Sums are of positive terms, so that only their range matters.  What is stored of a level is phi' = exp(-(v - B) / eps)
with B the least v of the tile, and psi' = psi exp(A / eps) after each pass, with

    A(x) = min_k B(x + k) - eps log K_k

so that the weights of a pass, K_k exp((A(x) - B(x + k)) / eps), are at most 1.  Tiles are as wide as v allows: the
whole row while v varies by less than SPAN eps along it, else halves, quarters, ..., with no v of a tile more than that
above the least one *of all tiles within its reach* (A may be as low as that, and psi' then as low as e^-SPAN); in the
end single cells: that form is the logarithmic one, which nothing overflows.  Tiles end where the walls of one column
differ from those of the next, too.

Legend, beside that of the package: levels are (rows, x), rows are z y; ``near`` the stencil along an axis;
``cuts[p]`` the tiles of partition p; ``scales`` (axes + 1, rows, tiles): B, and A after each pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from mfgsolve.kernels import jit

SPAN = 600.0  # eps, that a tile may vary by: e^-600 is a normal number, and so are its products with taps


class Entropic(NamedTuple):
    """Numbers of entropic steps, as kernels take them; triples are in the order z, y, x."""

    entropy: np.ndarray  # (T,) eps of each step
    taps: np.ndarray  # (3, 2 R + 1) K, of the widest reach R; zero beyond that of the axis
    costs: np.ndarray  # (3, 2 R + 1) -log K, inf beyond
    reach: np.ndarray  # (3,) int64
    near_z: np.ndarray  # (rows, columns, 1 + 8 j) int32, rows of the stencil, beyond its reach the row itself
    near_y: np.ndarray  # the same; a column is a tile of the widest partition, where all cells have the same walls
    near_x: np.ndarray  # (lines, x, 2 R + 1) int32, cells of the stencil in the row; a line is a kind of row
    line: np.ndarray  # (rows,) int64, of which kind each row is: all with the same walls are
    cuts: np.ndarray  # (partitions, x + 1) int64: first cells of the tiles, and the end
    tiles: np.ndarray  # (partitions,) int64, how many
    tile: np.ndarray  # (partitions, x) int64, the tile of each cell
    free: np.ndarray  # (rows, x) boolean
    masked: bool  # whether some cell is blocked
    ring: bool  # whether rows are periodic
    kept: int  # numbers in front of the planes of a plan: p, and room for B of the finest tiles but single cells
    axes: np.ndarray  # (axes,) int64: 0 z, 1 y, 2 x, in the order in which agents take them in even steps
    parts: int  # how many pieces of a level run side by side


def _row_ranges(v, first, last, low, high):
    """Least and largest v of rows that are one tile each."""
    for r in range(first, last):
        least = most = v[r, 0]
        for i in range(v.shape[1]):
            least, most = min(least, v[r, i]), max(most, v[r, i])
        low[r, 0], high[r] = least, most


def _range_of(v, free, r, first, last, ring):
    """Least and largest v of the free cells of a row from ``first`` to ``last``, which may lie beyond its ends."""
    n = v.shape[1]
    low, high = np.inf, -np.inf
    for j in range(first, last):
        i = j + n if ring and j < 0 else j - n if ring and j >= n else j
        if 0 <= i < n and free[r, i]:
            low, high = min(low, v[r, i]), max(high, v[r, i])
    return low, high


def _reached(start, stop, reach, n, ring, cuts, tile):
    """First cell, and the one after the last, of all tiles within reach of a tile; they may lie beyond the ends."""
    first, last = start - reach, stop + reach - 1
    if first >= 0:
        first = cuts[tile[first]]
    elif ring:
        first = cuts[tile[max(first + n, 0)]] - n
    else:
        first = 0
    if last < n:
        last = cuts[tile[last] + 1]
    elif ring:
        last = cuts[tile[min(last - n, n - 1)] + 1] + n
    else:
        last = n
    return first, last


row_ranges, range_of, reached = jit(_row_ranges, minima=True), jit(_range_of), jit(_reached)


def _fits(v, p, eps, lows, scheme, first, last):
    """Whether no v in a tile of these rows lies more than SPAN eps above the least within reach; ``lows`` = B then."""
    reach, n, tile = scheme.reach[2], v.shape[1], scheme.tile[p]
    tiles, cuts, free = scheme.tiles[p], scheme.cuts[p], scheme.free
    singles = p == scheme.tiles.size - 1
    if tiles == 1 and not singles and not scheme.masked:
        highs = np.empty(v.shape[0])
        row_ranges(v, first, last, lows, highs)
        fit = True
        for r in range(first, last):
            fit = fit and highs[r] - lows[r, 0] <= SPAN * eps
        return fit
    for r in range(first, last):
        for b in range(tiles):
            start, stop = cuts[b], cuts[b + 1]
            low, high = range_of(v, free, r, start, stop, False)
            lows[r, b] = low if low < np.inf else 0.0
            if singles:
                continue
            begin, end = reached(start, stop, reach, n, scheme.ring, cuts, tile)
            low, _ = range_of(v, free, r, begin, end, scheme.ring)
            if high - low > SPAN * eps:
                return False
    return True


fits = jit(_fits)


def _partition(v, eps, scales, scheme):
    """The first partition whose tiles all fit (the last one, of single cells, always does), and its scales[0] = B."""
    rows, last, parts = v.shape[0], scheme.tiles.size - 1, scheme.parts
    fit = np.zeros(parts, dtype=np.int64)
    for part_ in prange(parts):
        part = np.int64(part_)
        p = np.int64(0)
        while not fits(v, p, eps, scales[0], scheme, rows * part // parts, rows * (part + 1) // parts) and p < last:
            p += 1
        fit[part] = p
    p = np.int64(0)
    for part in range(parts):
        p = max(p, fit[part])
    for part in range(parts):
        if fit[part] < p:
            fits(v, p, eps, scales[0], scheme, rows * part // parts, rows * (part + 1) // parts)
    return p


partition, partition_parallel = jit(_partition), jit(_partition, parallel=True)


def _near_of(axis, scheme):
    if axis == 0:
        return scheme.near_z
    return scheme.near_y if axis == 1 else scheme.near_x


near_of = jit(_near_of)


def _scale_along(after, before, first, last, eps, near, line, costs, cuts, tile, free):
    """A of the pass along rows: no tile less than its own B, nor than what it gets from others."""
    n, reach, middle = free.shape[1], near.shape[2] // 2, costs.size // 2
    for r in range(first, last):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            low = before[r, b]
            if free[r, start] and stop - start < n:
                for k in range(1, reach + 1):
                    left, right = near[line[r], start, reach - k], near[line[r], stop - 1, reach + k]
                    other = min(before[r, tile[left]], before[r, tile[right]])
                    low = min(low, other + eps * costs[middle + k])
            after[r, b] = low
            b += 1


def _scale_across(after, before, first, last, eps, near, costs, cuts, column, free):
    """A of the pass across rows, min_k B(r + k) - eps log K_k."""
    n, count = free.shape[1], near.shape[2]
    far = costs.size // 2 - count // 2
    for r in range(first, last):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            low, there = np.inf, near[r, column[start]]
            for k in range(count):
                low = min(low, before[there[k], b] + eps * costs[far + k])
            after[r, b] = low if free[r, start] else 0.0
            b += 1


scale_along, scale_across = jit(_scale_along), jit(_scale_across, minima=True)


def _scale(after, before, axis, eps, p, scheme):
    """A from B, of one pass."""
    rows, parts, near, free, line = scheme.free.shape[0], scheme.parts, near_of(axis, scheme), scheme.free, scheme.line
    cuts, tile, column, costs = scheme.cuts[p], scheme.tile[p], scheme.tile[0], scheme.costs[axis]
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        if axis == 2:
            scale_along(after, before, first, last, eps, near, line, costs, cuts, tile, free)
        else:
            scale_across(after, before, first, last, eps, near, costs, cuts, column, free)


scale, scale_parallel = jit(_scale), jit(_scale, parallel=True)
