"""Entropic steps, backward: the best response of agents who pay entropy for the law of their next cell.

    psi = N phi,   phi = exp(-v_{t+1} / eps),   v_t = w_t f_t - eps log psi

N is one convolution after the other (`mfgsolve.kernels.gaussian`), in scales that doubles hold
(`mfgsolve.kernels.tiles`).  A *plan* is what a best response stores of one step: its partition p and scales B, phi' and
psi' (`planes`).  Where tiles are single cells, B = v takes the place of phi', which is 1.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.elementary import exp, log
from mfgsolve.kernels.gaussian import LOWEST, axis_of, convolution, convolution_parallel  # noqa: F401
from mfgsolve.kernels.tiles import partition, partition_parallel, scale, scale_parallel  # noqa: F401
from mfgsolve.kernels.vectors import copy


def _exponential_rows(phi, v, lows, first, last, eps, cuts, free):
    n, rate = v.shape[1], 1.0 / eps
    for r in range(first, last):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            low, here, there = lows[r, b], v[r, start:stop], phi[r, start:stop]
            if free[r, start]:
                for i in range(here.size):
                    there[i] = exp(max((low - here[i]) * rate, LOWEST))
            else:
                there[:] = 0.0
            b += 1


exponential_rows = jit(_exponential_rows)


def _exponential(phi, v, scales, p, eps, scheme):
    """phi' = exp(-(v - B) / eps); 0 in blocked cells."""
    rows, parts = v.shape[0], scheme.parts
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        exponential_rows(phi, v, scales[0], first, last, eps, scheme.cuts[p], scheme.free)


exponential, exponential_parallel = jit(_exponential), jit(_exponential, parallel=True)


def _planes(plan, scheme):
    """What a plan holds, as views: p with room for B, phi' (or v) and psi'."""
    rows, n = scheme.free.shape
    head, first, second = (
        plan[: scheme.kept],
        plan[scheme.kept : scheme.kept + rows * n],
        plan[scheme.kept + rows * n :],
    )
    return head, first.reshape((rows, n)), second.reshape((rows, n))


def _store(plan, v, scales, p, eps, scheme):
    """Partition, scales and phi' of a level, into its plan."""
    head, phi, _ = planes(plan, scheme)
    head[:] = 0.0
    head[0] = p
    if p == scheme.tiles.size - 1:
        copy(phi, v)
        return
    rows, tiles = v.shape[0], scheme.tiles[p]
    copy(head[1 : 1 + rows * tiles].reshape((rows, tiles)), scales[0])
    exponential(phi, v, scales, p, eps, scheme)


def _load(plan, t, scales, ones, scheme):
    """Partition and phi' of a plan; fills the scales of all passes.  ``ones`` stands for phi' of single cells."""
    head, phi, _ = planes(plan, scheme)
    p = np.int64(head[0])
    rows, tiles = phi.shape[0], scheme.tiles[p]
    if p == scheme.tiles.size - 1:
        copy(scales[0, :, :tiles], phi)
        for r in range(rows):
            for i in range(tiles):
                ones[r, i] = 1.0 if scheme.free[r, i] else 0.0
        phi = ones
    else:
        copy(scales[0, :, :tiles], head[1 : 1 + rows * tiles].reshape((rows, tiles)))
    for k in range(scheme.axes.size):
        scale(scales[k + 1], scales[k], axis_of(t, k, scheme), scheme.entropy[t], p, scheme)
    return p, phi


planes = jit(_planes)
store, store_parallel = jit(_store), jit(_store, parallel=True)
load, load_parallel = jit(_load), jit(_load, parallel=True)


def _logarithm_rows(value, price, weight, psi, highs, first, last, eps, cuts):
    n = psi.shape[1]
    for r in range(first, last):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            high, v, f, tile = highs[r, b], value[r, start:stop], price[r, start:stop], psi[r, start:stop]
            for i in range(tile.size):
                v[i] = weight * f[i] + (high - eps * log(tile[i] if tile[i] > 0.0 else 1.0))
            b += 1


logarithm_rows = jit(_logarithm_rows)


def _logarithm(value, price, weight, psi, highs, p, eps, scheme):
    """value = weight price + A - eps log psi'."""
    rows, parts = psi.shape[0], scheme.parts
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        logarithm_rows(value, price, weight, psi, highs, first, last, eps, scheme.cuts[p])


logarithm, logarithm_parallel = jit(_logarithm), jit(_logarithm, parallel=True)


def _empty_levels(scheme, count):
    """Levels to work in, and scales of all passes; rows of levels begin where vectors of the processor do."""
    rows, n = scheme.free.shape
    most = np.int64(0)
    for p in range(scheme.tiles.size):
        most = max(most, scheme.tiles[p])
    block = np.zeros(count * rows * n + 7)
    skipped = (64 - np.int64(block.ctypes.data) % 64) // 8 % 8
    levels = block[skipped : skipped + count * rows * n].reshape((count, rows, n))
    return levels, np.zeros((scheme.axes.size + 1, rows, most))


empty_levels = jit(_empty_levels)


# -- sweeps ----------------------------------------------------------------------------------------------------------


def _backward(price, weights, value, policy, values, offset, scheme):
    """From value = V_T to V_0; policy[t] is the plan of a step.  ``values`` (T or 0 levels) get V_t; t counts from
    ``offset``."""
    work, scales = empty_levels(scheme, 3)
    rows, n = scheme.free.shape
    v = value.reshape((rows, n))
    for t in range(policy.shape[0] - 1, -1, -1):
        eps, plan = scheme.entropy[t + offset], policy[t]
        _, _, psi = planes(plan, scheme)
        store(plan, v, scales, partition(v, eps, scales, scheme), eps, scheme)
        p, phi = load(plan, t + offset, scales, work[2], scheme)
        convolution(psi, phi, work, t + offset, scales, p, False, scheme)
        logarithm(v, price[t].reshape((rows, n)), weights[t], psi, scales[scheme.axes.size], p, eps, scheme)
        if values.shape[0] > 0:
            copy(values[t].reshape((rows, n)), v)


backward, backward_parallel = jit(_backward), jit(_backward, parallel=True)
