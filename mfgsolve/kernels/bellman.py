"""Backward: the best response to a price, Bellman's equation of the controlled diffusion.

    W_t = N V_{t+1},    V_t = weight_t price_t + W_t + dt sum_e [c s_e^2 / 2 - s_e (W_t(x) - W_t(x+e)) / h]

with s_e = clip((W_t(x) - W_t(x+e)) / (h c), 0, cap).  W is what a policy is made of, so W is what is stored.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.noise import noise, noise_parallel  # noqa: F401
from mfgsolve.kernels.scheme import WALL, gain, neighbours


def _bellman(ahead, price, weight, value, scheme):
    """value = V_t from ahead = W_t and the price, on one time level."""
    nz, ny, nx = ahead.shape
    rows, parts, dt = nz * ny, scheme.parts, scheme.dt
    half_cost = 0.5 * scheme.control_cost
    cap_z, cap_y, cap_x = scheme.cap[0], scheme.cap[1], scheme.cap[2]
    per_z, per_y, per_x = 1.0 / scheme.spacing[0], 1.0 / scheme.spacing[1], 1.0 / scheme.spacing[2]
    reach_z, reach_y, reach_x = per_z / scheme.control_cost, per_y / scheme.control_cost, per_x / scheme.control_cost
    all_w, all_f, all_v = ahead.reshape((rows, nx)), price.reshape((rows, nx)), value.reshape((rows, nx))
    left, right = (nx - 1, 0) if scheme.periodic[2] else (0, nx - 1)
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            w, f, v = all_w[r], all_f[r], all_v[r]
            after, before = neighbours(r, ny, 1, scheme.periodic[1])
            a, b = all_w[after], all_w[before]
            for i in range(nx):
                v[i] = (
                    weight * f[i]
                    + w[i]
                    + gain(w[i] - a[i], reach_y, cap_y, dt, half_cost, per_y)
                    + gain(w[i] - b[i], reach_y, cap_y, dt, half_cost, per_y)
                )
            if nz > 1:
                after, before = neighbours(r, nz, ny, scheme.periodic[0])
                a, b = all_w[after], all_w[before]
                for i in range(nx):
                    v[i] += gain(w[i] - a[i], reach_z, cap_z, dt, half_cost, per_z) + gain(
                        w[i] - b[i], reach_z, cap_z, dt, half_cost, per_z
                    )
            for i in range(1, nx - 1):
                v[i] += gain(w[i] - w[i + 1], reach_x, cap_x, dt, half_cost, per_x) + gain(
                    w[i] - w[i - 1], reach_x, cap_x, dt, half_cost, per_x
                )
            for i, j, k in ((0, 1, left), (nx - 1, nx - 2, right)):
                v[i] += gain(w[i] - w[j], reach_x, cap_x, dt, half_cost, per_x)
                v[i] += gain(w[i] - w[k], reach_x, cap_x, dt, half_cost, per_x)


bellman, bellman_parallel = jit(_bellman), jit(_bellman, parallel=True)


def _backward(price, weight, value, ahead, scheme):
    """Run from value = V_T to value = V_0; ahead[t] = W_t.  ``ahead`` may be the first T levels of ``price`` itself."""
    steps = ahead.shape[0]
    level = np.empty_like(value)
    flat, w = value.reshape(value.size), level.reshape(value.size)
    for t in range(steps - 1, -1, -1):
        for b in scheme.blocked:
            flat[b] = WALL
        noise(value, level, scheme, False)
        bellman(level, price[t], weight[t], value, scheme)
        stored = ahead[t].reshape(value.size)
        for i in range(value.size):
            stored[i] = w[i]


backward, backward_parallel = jit(_backward), jit(_backward, parallel=True)
