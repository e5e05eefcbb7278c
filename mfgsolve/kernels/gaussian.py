"""Gaussian convolutions of scaled levels, one axis after the other; scales and tiles as in `mfgsolve.kernels.tiles`.

    out(x) = sum_k K_k exp((A(x) - B(x + k)) / eps) in(x + k)         backward, from scales B to scales A
    out(x) = sum_k K_k exp((A(x + k) - B(x)) / eps) in(x + k)         forward: the transpose, from A to B

Along a row the factors are those of tiles, and taps are symmetric (those below the least of floats count nothing: no
tile varies as much); across rows, and where tiles are single cells, every sum has weights of its own.  Inner
loops take four taps at a time, and are vector instructions.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.elementary import exp_row
from mfgsolve.kernels.tiles import near_of

LOWEST = -700.0  # exponents below count as this one


def _convolve_tile(out, r, first, n, pad, taps, middle):
    """out[r, first:first + n] = sum_k taps[k] pad[k + i]; taps are symmetric, ``pad`` reaches ``middle`` further."""
    row, here = out[r, first : first + n], pad[middle : middle + n]
    centre = taps[middle]
    for i in range(n):
        row[i] = centre * here[i]
    for k in range(1, middle, 4):
        c1, c2, c3, c4 = taps[middle + k], taps[middle + k + 1], taps[middle + k + 2], taps[middle + k + 3]
        left, right = pad[middle - k - 3 : middle - k + n], pad[middle + k : middle + k + n + 3]
        for i in range(n):
            near = c1 * (left[i + 3] + right[i]) + c2 * (left[i + 2] + right[i + 1])
            row[i] += near + (c3 * (left[i + 1] + right[i + 2]) + c4 * (left[i] + right[i + 3]))


def _mix_rows(out, r, first, n, source, weights, rows, count):
    """out[r, first:first + n] = sum_k weights[k] source[rows[k], first:first + n]; ``count`` is a multiple of 4."""
    row = out[r, first : first + n]
    for i in range(n):
        row[i] = 0.0
    for k in range(0, count, 4):
        c1, c2, c3, c4 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        one, two = source[rows[k], first : first + n], source[rows[k + 1], first : first + n]
        three, four = source[rows[k + 2], first : first + n], source[rows[k + 3], first : first + n]
        for i in range(n):
            row[i] += (c1 * one[i] + c2 * two[i]) + (c3 * three[i] + c4 * four[i])


convolve_tile, mix_rows = jit(_convolve_tile), jit(_mix_rows)


def _along(out, source, first, last, after, before, transpose, eps, near, taps, cuts, tile, free):
    """The pass along rows from ``first`` to ``last``, tile by tile, from scales ``before`` to ``after`` or
    (``transpose``) back."""
    n, reach, middle = source.shape[1], near.shape[1] // 2, taps.size // 2
    pad, whole = np.zeros(n + taps.size), cuts[1] == n
    for r in range(first, last):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            size, head, tail = stop - start, r * n + start, r * n + stop - 1
            if not free[r, start]:
                for i in range(start, stop):
                    out[r, i] = 0.0
                b += 1
                continue
            own = 1.0 if after[r, b] == before[r, b] else math.exp((after[r, b] - before[r, b]) / eps)
            for k in range(middle - reach):
                pad[k] = pad[middle + size + reach + k] = 0.0
            for i in range(size):
                pad[middle + i] = own * source[r, start + i]
            for k in range(1, reach + 1):
                left, right = near[head, reach - k], near[tail, reach + k]
                low, high = own, own
                if not whole:
                    low = factor(after, before, transpose, eps, r, b, tile[left])
                    high = factor(after, before, transpose, eps, r, b, tile[right])
                pad[middle - k] = low * source[r, left]
                pad[middle + size - 1 + k] = high * source[r, right]
            convolve_tile(out, r, start, size, pad, taps, middle)
            b += 1


def _along_cells(out, source, first, last, after, before, transpose, eps, near, costs, free):
    """The pass along rows where every cell is a tile of its own: each has weights of its own, as across rows."""
    n, count = source.shape[1], near.shape[1]
    far = costs.size // 2 - count // 2
    work, exponents, weights = np.zeros((2, count)), np.zeros(count), np.zeros(count)
    for r in range(first, last):
        for i in range(n):
            if not free[r, i]:
                out[r, i] = 0.0
                continue
            for k in range(count):
                other = near[r * n + i, k]
                gap = after[r, other] - before[r, i] if transpose else after[r, i] - before[r, other]
                exponents[k] = max(gap / eps - costs[far + k], LOWEST)
            exp_row(exponents, work, weights, count)
            total = 0.0
            for k in range(count):
                total += weights[k] * source[r, near[r * n + i, k]]
            out[r, i] = total


def _factor(after, before, transpose, eps, r, b, c):
    """Of a cell in tile c, in the sum of a cell in tile b of the same row."""
    far = after[r, c] - before[r, b] if transpose else after[r, b] - before[r, c]
    return math.exp(max(far / eps, LOWEST))


factor = jit(_factor)


def _across(out, source, first, last, after, before, transpose, eps, near, costs, cuts, free):
    """The pass across rows, for those from ``first`` to ``last``, tile by tile."""
    n, count, middle = source.shape[1], near.shape[1], costs.size // 2
    padded, far = (count + 3) // 4 * 4, middle - count // 2
    work, exponents, weights = np.zeros((2, padded)), np.zeros(padded), np.zeros(padded)
    places = np.zeros(padded, dtype=np.int64)
    for r in range(first, last):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            if not free[r, start]:
                for i in range(start, stop):
                    out[r, i] = 0.0
                b += 1
                continue
            for k in range(count):
                other = near[r * n + start, k]
                gap = after[other, b] - before[r, b] if transpose else after[r, b] - before[other, b]
                exponents[k], places[k] = max(gap / eps - costs[far + k], LOWEST), other
            exp_row(exponents, work, weights, count)
            for k in range(count, padded):
                weights[k], places[k] = 0.0, r
            mix_rows(out, r, start, stop - start, source, weights, places, padded)
            b += 1


along, along_cells, across = jit(_along), jit(_along_cells), jit(_across)


def _apply(out, source, axis, after, before, transpose, eps, p, scheme):
    """One pass over a whole level."""
    rows, parts, near = source.shape[0], scheme.parts, near_of(axis, scheme)
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last, cuts = rows * part // parts, rows * (part + 1) // parts, scheme.cuts[p]
        if axis == 2 and p == scheme.tiles.size - 1:
            costs = scheme.costs[2]
            along_cells(out, source, first, last, after, before, transpose, eps, near, costs, scheme.free)
        elif axis == 2:
            taps, tile = scheme.taps[2], scheme.tile[p]
            along(out, source, first, last, after, before, transpose, eps, near, taps, cuts, tile, scheme.free)
        else:
            costs = scheme.costs[axis]
            across(out, source, first, last, after, before, transpose, eps, near, costs, cuts, scheme.free)


apply, apply_parallel = jit(_apply), jit(_apply, parallel=True)


def _axis_of(t, k, scheme):
    """The axis of the k-th pass backward in step t: the last one that agents take first."""
    last = scheme.axes.size - 1
    return scheme.axes[last - k] if t % 2 == 0 else scheme.axes[k]


axis_of = jit(_axis_of)


def _convolution(first, second, t, scales, p, transpose, scheme):
    """All passes of step t over the level in ``first``; it ends there, or in ``second`` if the axes are odd."""
    eps, count = scheme.entropy[t], scheme.axes.size
    for j in range(count):
        k = count - 1 - j if transpose else j
        axis = axis_of(t, k, scheme)
        apply(second, first, axis, scales[k + 1], scales[k], transpose, eps, p, scheme)
        first, second = second, first


convolution, convolution_parallel = jit(_convolution), jit(_convolution, parallel=True)
