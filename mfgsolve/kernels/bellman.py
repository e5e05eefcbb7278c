"""Backward: the best response to a price, Bellman's equation of the controlled diffusion.

    W_t = N V_{t+1},    V_t = weight_t price_t + W_t + dt sum_e [c s_e^2 / 2 - s_e (W_t(x) - W_t(x+e)) / h]

with s_e = clip((W_t(x) - W_t(x+e)) / (h c), 0, cap).  W is what a policy is made of, so W is what is stored.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.noise import noise, noise_parallel  # noqa: F401
from mfgsolve.kernels.scheme import WALL, at, gain, neighbours, rates


def _gain_across(face, k, w, here, there, slope, most, pay):
    for i in range(w.shape[1]):
        face[k, i] = gain(w[here, i] - w[there, i], slope, most, pay)


def _bellman_row(v, w, f, weight, face, below, above, r, after, ring, slope_y, most_y, pay_y, slope_x, most_x, pay_x):
    """v = weight f + w + gains of one row; fills face[above].  A face after one cell is before the next."""
    n = w.shape[1]
    i, edge = n - 1, 0.0
    if ring:  # the face that closes it
        edge = gain(w[r, i] - w[r, 0], at(slope_x, i), at(most_x, i), at(pay_x, i))
    back = edge
    for i in range(n - 1):
        ahead = gain(w[r, i] - w[r, i + 1], at(slope_x, i), at(most_x, i), at(pay_x, i))
        up = gain(w[r, i] - w[after, i], slope_y, most_y, pay_y)
        gains = (min(up, 0.0) - max(face[below, i], 0.0)) + (min(ahead, 0.0) - max(back, 0.0))
        v[r, i] = weight * f[r, i] + w[r, i] + gains
        face[above, i] = up
        back = ahead
    i = n - 1
    up = gain(w[r, i] - w[after, i], slope_y, most_y, pay_y)
    gains = (min(up, 0.0) - max(face[below, i], 0.0)) + (min(edge, 0.0) - max(back, 0.0))
    v[r, i] = weight * f[r, i] + w[r, i] + gains
    face[above, i] = up


gain_across, bellman_row = jit(_gain_across), jit(_bellman_row)


def _bellman(ahead, price, weight, value, stored, t, scheme):
    """value = V_t from ahead = W_t and the price of step t; then stored = W_t, which may overwrite the price.

    Rows of ``face``: the gains at the faces ``below`` and ``above`` a row, one number a face, negative where it belongs
    to the cell before the face and positive where to the cell after it.
    """
    nz, ny, nx = ahead.shape
    rows, parts = nz * ny, scheme.parts
    ring_z, ring_y, ring_x = scheme.periodic[0], scheme.periodic[1], scheme.periodic[2]
    (slope_z, slope_y, slope_x), (most_z, most_y, most_x) = rates(scheme, t)
    pay_z, pay_y, pay_x = 0.5 / slope_z, 0.5 / slope_y, 0.5 / slope_x
    w, f, v = ahead.reshape((rows, nx)), price.reshape((rows, nx)), value.reshape((rows, nx))
    kept = stored.reshape((rows, nx))
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        face, below, above = np.zeros((3, nx)), 1, 2
        for r in range(first, last):
            after, before = neighbours(r, ny, 1, ring_y)
            j = r % ny
            if r == first or j == 0:
                gain_across(face, below, w, before, r, at(slope_y, j - 1), at(most_y, j - 1), at(pay_y, j - 1))
            s, q, p = at(slope_y, j), at(most_y, j), at(pay_y, j)
            bellman_row(v, w, f, weight, face, below, above, r, after, ring_x, s, q, p, slope_x, most_x, pay_x)
            if nz > 1:
                after, before = neighbours(r, nz, ny, ring_z)
                j = r // ny
                gain_across(face, 0, w, before, r, at(slope_z, j - 1), at(most_z, j - 1), at(pay_z, j - 1))
                for i in range(nx):
                    v[r, i] -= max(face[0, i], 0.0)
                gain_across(face, 0, w, r, after, at(slope_z, j), at(most_z, j), at(pay_z, j))
                for i in range(nx):
                    v[r, i] += min(face[0, i], 0.0)
            for i in range(nx):
                kept[r, i] = w[r, i]
            below, above = above, below


bellman, bellman_parallel = jit(_bellman), jit(_bellman, parallel=True)


def _backward(price, weight, value, ahead, scheme):
    """Run from value = V_T to value = V_0; ahead[t] = W_t.  ``ahead`` may be the first T levels of ``price`` itself."""
    level, flat = np.empty_like(value), value.reshape(value.size)
    for t in range(ahead.shape[0] - 1, -1, -1):
        for b in scheme.blocked:
            flat[b] = WALL
        noise(value, level, scheme, False)
        bellman(level, price[t], weight[t], value, ahead[t], t, scheme)


backward, backward_parallel = jit(_backward), jit(_backward, parallel=True)
