"""Gaussian convolutions of scaled levels, one axis after the other; scales and tiles as in `mfgsolve.kernels.tiles`.

    out(x) = sum_k K_k exp((A(x) - B(x + k)) / eps) in(x + k)         backward, from scales B to scales A
    out(x) = sum_k K_k exp((A(x + k) - B(x)) / eps) in(x + k)         forward: the transpose, from A to B

Along a row the factors are those of tiles, and taps are symmetric (those below the least of floats count nothing: no
tile varies as much); across rows, and where tiles are single cells, every sum has weights of its own.  Inner
loops take eight taps at a time, and are vector instructions.  Calls and views that outlive a loop cost as much as a row
does: passes make few of them.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import fma, jit
from mfgsolve.kernels.elementary import exp
from mfgsolve.kernels.tiles import near_of

LOWEST = -700.0  # exponents below count as this one


def _factor(after, before, transpose, eps, r, b, c):
    """Of a cell in tile c, in the sum of a cell in tile b of the same row."""
    far = after[r, c] - before[r, b] if transpose else after[r, b] - before[r, c]
    return 1.0 if far == 0.0 else exp(max(far / eps, LOWEST))


factor = jit(_factor)


def _along(out, source, first, last, after, before, transpose, eps, near, line, taps, cuts, tile, free):
    """The pass along rows from ``first`` to ``last``, tile by tile, from scales ``before`` to ``after`` or
    (``transpose``) back: out[i] = sum_k taps[k] pad[i + k], where ``pad`` is a tile and what its cells reach (taps
    beyond are 0)."""
    n, reach, middle = source.shape[1], near.shape[2] // 2, taps.size // 2
    pad, whole, centre = np.zeros(n + taps.size), cuts[1] == n, taps[middle]
    for r in range(first, last):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            end, kind = middle + stop - start, line[r]
            if not free[r, start]:
                out[r, start:stop] = 0.0
                b += 1
                continue
            low = high = own = factor(after, before, transpose, eps, r, b, b)
            for k in range(1, reach + 1):
                left, right = near[kind, start, reach - k], near[kind, stop - 1, reach + k]
                if not whole:
                    low = factor(after, before, transpose, eps, r, b, tile[left])
                    high = factor(after, before, transpose, eps, r, b, tile[right])
                pad[middle - k], pad[end - 1 + k] = low * source[r, left], high * source[r, right]
            inner, given, row, own_centre = pad[middle:end], source[r, start:stop], out[r, start:stop], own * centre
            for i in range(row.size):
                inner[i], row[i] = own * given[i], own_centre * given[i]
            for k in range(1, middle, 8):
                c1, c2, c3, c4 = taps[middle + k], taps[middle + k + 1], taps[middle + k + 2], taps[middle + k + 3]
                c5, c6, c7, c8 = taps[middle + k + 4], taps[middle + k + 5], taps[middle + k + 6], taps[middle + k + 7]
                west, east, sums = pad[middle - k - 7 : end - k], pad[middle + k : end + k + 7], out[r, start:stop]
                for i in range(sums.size):
                    two = fma(c1, west[i + 7] + east[i], fma(c2, west[i + 6] + east[i + 1], sums[i]))
                    four = fma(c3, west[i + 5] + east[i + 2], fma(c4, west[i + 4] + east[i + 3], two))
                    six = fma(c5, west[i + 3] + east[i + 4], fma(c6, west[i + 2] + east[i + 5], four))
                    sums[i] = fma(c7, west[i + 1] + east[i + 6], fma(c8, west[i] + east[i + 7], six))
            b += 1


def _along_cells(out, source, first, last, after, before, transpose, eps, near, line, costs, free):
    """The pass along rows where every cell is a tile of its own: each has weights of its own, as across rows."""
    n, count = source.shape[1], near.shape[2]
    far, exponents, weights = costs.size // 2 - count // 2, np.zeros(count), np.zeros(count)
    for r in range(first, last):
        for i in range(n):
            if not free[r, i]:
                out[r, i] = 0.0
                continue
            places = near[line[r], i]
            for k in range(count):
                gap = after[r, places[k]] - before[r, i] if transpose else after[r, i] - before[r, places[k]]
                exponents[k] = max(gap / eps - costs[far + k], LOWEST)
            for k in range(count):
                weights[k] = exp(exponents[k])
            total = 0.0
            for k in range(count):
                total += weights[k] * source[r, places[k]]
            out[r, i] = total


def _weigh(weights, first, after, before, transpose, eps, near, costs, cuts, column):
    """weights[r - first, b, k], what each row that is reached from row r counts in the sums of tile b."""
    rows, tiles, count = weights.shape
    far, rate = costs.size // 2 - count // 2, 1.0 / eps
    for r in range(first, first + rows):
        for b in range(tiles):
            there, here = near[r, column[cuts[b]]], weights[r - first, b]
            for k in range(count):
                gap = after[there[k], b] - before[r, b] if transpose else after[r, b] - before[there[k], b]
                here[k] = gap * rate - costs[far + k]
    every = weights.reshape(weights.size)
    for k in range(every.size):
        every[k] = exp(max(every[k], LOWEST)) if every[k] > -np.inf else 0.0  # beyond its reach an agent never goes


def _mix(out, source, first, weights, near, cuts, column, free):
    """out[r, i] = sum_k weights[r - first, b, k] source[row_k, i], for the cells i of each tile b."""
    rows, tiles, count = weights.shape
    for r in range(first, first + rows):
        for b in range(tiles):
            s, start, stop, c = r - first, cuts[b], cuts[b + 1], column[cuts[b]]
            if not free[r, start]:
                out[r, start:stop] = 0.0
                continue
            one, row, w1 = source[near[r, c, 0], start:stop], out[r, start:stop], weights[s, b, 0]
            for i in range(row.size):
                row[i] = w1 * one[i]
            for k in range(1, count, 8):
                w1, w2, w3, w4 = weights[s, b, k], weights[s, b, k + 1], weights[s, b, k + 2], weights[s, b, k + 3]
                w5, w6, w7, w8 = weights[s, b, k + 4], weights[s, b, k + 5], weights[s, b, k + 6], weights[s, b, k + 7]
                r1, r2 = source[near[r, c, k], start:stop], source[near[r, c, k + 1], start:stop]
                r3, r4 = source[near[r, c, k + 2], start:stop], source[near[r, c, k + 3], start:stop]
                r5, r6 = source[near[r, c, k + 4], start:stop], source[near[r, c, k + 5], start:stop]
                r7, r8 = source[near[r, c, k + 6], start:stop], source[near[r, c, k + 7], start:stop]
                sums = out[r, start:stop]
                for i in range(sums.size):
                    four = fma(w1, r1[i], fma(w2, r2[i], fma(w3, r3[i], fma(w4, r4[i], sums[i]))))
                    sums[i] = fma(w5, r5[i], fma(w6, r6[i], fma(w7, r7[i], fma(w8, r8[i], four))))


along, along_cells, weigh, mix = jit(_along), jit(_along_cells), jit(_weigh), jit(_mix)


def _across(out, source, first, last, after, before, transpose, eps, near, costs, cuts, tiles, column, free):
    """The pass across rows, for those from ``first`` to ``last``; first all weights of some 64 tiles, then sums."""
    block = max(64 // tiles, 1)
    for start in range(first, last, block):
        weights = np.empty((min(block, last - start), tiles, near.shape[2]))
        weigh(weights, start, after, before, transpose, eps, near, costs, cuts, column)
        mix(out, source, start, weights, near, cuts, column, free)


across = jit(_across)


def _apply(out, source, axis, after, before, transpose, eps, p, scheme):
    """One pass over a whole level."""
    rows, parts, near, free, line = source.shape[0], scheme.parts, near_of(axis, scheme), scheme.free, scheme.line
    cuts, tile, taps, costs = scheme.cuts[p], scheme.tile[p], scheme.taps[axis], scheme.costs[axis]
    tiles, column, singles = scheme.tiles[p], scheme.tile[0], p == scheme.tiles.size - 1
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        if axis < 2:
            across(out, source, first, last, after, before, transpose, eps, near, costs, cuts, tiles, column, free)
        elif singles:
            along_cells(out, source, first, last, after, before, transpose, eps, near, line, costs, free)
        else:
            along(out, source, first, last, after, before, transpose, eps, near, line, taps, cuts, tile, free)


apply, apply_parallel = jit(_apply), jit(_apply, parallel=True)


def _axis_of(t, k, scheme):
    """The axis of the k-th pass backward in step t: the last one that agents take first."""
    last = scheme.axes.size - 1
    return scheme.axes[last - k] if t % 2 == 0 else scheme.axes[k]


axis_of = jit(_axis_of)


def _convolution(out, source, work, t, scales, p, transpose, scheme):
    """All passes of step t, from ``source`` to ``out``; two other levels, in ``work``, hold what is in between."""
    eps, count = scheme.entropy[t], scheme.axes.size
    for j in range(count):
        k = count - 1 - j if transpose else j
        there = out if j == count - 1 else work[j % 2]
        apply(there, source, axis_of(t, k, scheme), scales[k + 1], scales[k], transpose, eps, p, scheme)
        source = there


convolution, convolution_parallel = jit(_convolution), jit(_convolution, parallel=True)
