"""Tangent: how the flow of the best response answers to a small change of price, K = d mass / d (weighted price).

    dW_t = N dV_{t+1},   dV_t = dl_t + dW_t + dt sum_e s_e (dW_t(x+e) - dW_t(x)) / h
    d flux_e = dt/h (s_e dm_t + [0 < s_e < cap] m_t (dW_t(x) - dW_t(x+e)) / (h c)),   dm_{t+1} = N^T (dm_t - out + in)

K is symmetric and negative semidefinite.  The change of cost dl is ``scale * direction`` (scale is the weighted slope
of the coupling), and the result is ``direction - dm``: one application of the operator I - K B of Newton's method.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.noise import noise, noise_parallel  # noqa: F401
from mfgsolve.kernels.scheme import flux_change, neighbours



def _bellman_change(ahead, change, value, scheme):
    """value += dW + dt sum_e s_e (dW(x+e) - dW(x)) / h, on one time level (value holds dl on entry)."""
    nz, ny, nx = ahead.shape
    rows, parts = nz * ny, scheme.parts
    cap_z, cap_y, cap_x = scheme.cap[0], scheme.cap[1], scheme.cap[2]
    per_z, per_y, per_x = 1.0 / scheme.spacing[0], 1.0 / scheme.spacing[1], 1.0 / scheme.spacing[2]
    reach_z, reach_y, reach_x = per_z / scheme.control_cost, per_y / scheme.control_cost, per_x / scheme.control_cost
    jump_z, jump_y, jump_x = scheme.dt * per_z, scheme.dt * per_y, scheme.dt * per_x
    all_w, all_d, all_v = ahead.reshape((rows, nx)), change.reshape((rows, nx)), value.reshape((rows, nx))
    left, right = (nx - 1, 0) if scheme.periodic[2] else (0, nx - 1)
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            w, d, v = all_w[r], all_d[r], all_v[r]
            after, before = neighbours(r, ny, 1, scheme.periodic[1])
            a, b, da, db = all_w[after], all_w[before], all_d[after], all_d[before]
            for i in range(nx):
                s = min(max(reach_y * (w[i] - a[i]), 0.0), cap_y)
                z = min(max(reach_y * (w[i] - b[i]), 0.0), cap_y)
                v[i] += d[i] + jump_y * (s * (da[i] - d[i]) + z * (db[i] - d[i]))
            if nz > 1:
                after, before = neighbours(r, nz, ny, scheme.periodic[0])
                a, b, da, db = all_w[after], all_w[before], all_d[after], all_d[before]
                for i in range(nx):
                    s = min(max(reach_z * (w[i] - a[i]), 0.0), cap_z)
                    z = min(max(reach_z * (w[i] - b[i]), 0.0), cap_z)
                    v[i] += jump_z * (s * (da[i] - d[i]) + z * (db[i] - d[i]))
            for i in range(1, nx - 1):
                s = min(max(reach_x * (w[i] - w[i + 1]), 0.0), cap_x)
                z = min(max(reach_x * (w[i] - w[i - 1]), 0.0), cap_x)
                v[i] += jump_x * (s * (d[i + 1] - d[i]) + z * (d[i - 1] - d[i]))
            for i, j, k in ((0, 1, left), (nx - 1, nx - 2, right)):
                s = min(max(reach_x * (w[i] - w[j]), 0.0), cap_x)
                z = min(max(reach_x * (w[i] - w[k]), 0.0), cap_x)
                v[i] += jump_x * (s * (d[j] - d[i]) + z * (d[k] - d[i]))


def _push_change(ahead, change, mass, moved, result, scheme):
    """result = d U from the changes of W and of the mass (``moved``), on one time level."""
    nz, ny, nx = ahead.shape
    rows, parts = nz * ny, scheme.parts
    cap_z, cap_y, cap_x = scheme.cap[0], scheme.cap[1], scheme.cap[2]
    per_z, per_y, per_x = 1.0 / scheme.spacing[0], 1.0 / scheme.spacing[1], 1.0 / scheme.spacing[2]
    reach_z, reach_y, reach_x = per_z / scheme.control_cost, per_y / scheme.control_cost, per_x / scheme.control_cost
    jump_z, jump_y, jump_x = scheme.dt * per_z, scheme.dt * per_y, scheme.dt * per_x
    all_w, all_d, all_m = ahead.reshape((rows, nx)), change.reshape((rows, nx)), mass.reshape((rows, nx))
    all_p, all_u = moved.reshape((rows, nx)), result.reshape((rows, nx))
    left, right = (nx - 1, 0) if scheme.periodic[2] else (0, nx - 1)
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            w, d, m, p, u = all_w[r], all_d[r], all_m[r], all_p[r], all_u[r]
            k, j = neighbours(r, ny, 1, scheme.periodic[1])
            a, b, da, db, ma, mb, pa, pb = all_w[k], all_w[j], all_d[k], all_d[j], all_m[k], all_m[j], all_p[k], all_p[j]
            for i in range(nx):
                u[i] = (
                    p[i]
                    - flux_change(w[i] - a[i], d[i] - da[i], m[i], ma[i], p[i], pa[i], reach_y, cap_y, jump_y)
                    + flux_change(b[i] - w[i], db[i] - d[i], mb[i], m[i], pb[i], p[i], reach_y, cap_y, jump_y)
                )
            if nz > 1:
                k, j = neighbours(r, nz, ny, scheme.periodic[0])
                a, b, da, db = all_w[k], all_w[j], all_d[k], all_d[j]
                ma, mb, pa, pb = all_m[k], all_m[j], all_p[k], all_p[j]
                for i in range(nx):
                    u[i] += flux_change(b[i] - w[i], db[i] - d[i], mb[i], m[i], pb[i], p[i], reach_z, cap_z, jump_z)
                    u[i] -= flux_change(w[i] - a[i], d[i] - da[i], m[i], ma[i], p[i], pa[i], reach_z, cap_z, jump_z)
            for i in range(1, nx - 1):
                u[i] += flux_change(
                    w[i - 1] - w[i], d[i - 1] - d[i], m[i - 1], m[i], p[i - 1], p[i], reach_x, cap_x, jump_x
                )
                u[i] -= flux_change(
                    w[i] - w[i + 1], d[i] - d[i + 1], m[i], m[i + 1], p[i], p[i + 1], reach_x, cap_x, jump_x
                )
            for i, j, k in ((0, left, 1), (nx - 1, nx - 2, right)):
                u[i] += flux_change(w[j] - w[i], d[j] - d[i], m[j], m[i], p[j], p[i], reach_x, cap_x, jump_x)
                u[i] -= flux_change(w[i] - w[k], d[i] - d[k], m[i], m[k], p[i], p[k], reach_x, cap_x, jump_x)


bellman_change, bellman_change_parallel = jit(_bellman_change), jit(_bellman_change, parallel=True)
push_change, push_change_parallel = jit(_push_change), jit(_push_change, parallel=True)


def _scaled(target, direction, scale, scaled):
    """target = scale * direction, or direction where no scale is given."""
    if scaled:
        for i in range(target.size):
            target[i] = scale[i] * direction[i]
    else:
        for i in range(target.size):
            target[i] = direction[i]


scaled_copy = jit(_scaled)


def _curvature(ahead, mass, direction, scale, result, identity, scheme):
    """result = identity * direction - K (scale * direction); an empty scale stands for 1.

    ``result`` first holds dW, level by level, and is overwritten by the answer on the way forward.
    """
    steps, nz, ny, nx = ahead.shape
    size = nz * ny * nx
    scaled = scale.size > 0
    value, moved = np.empty((nz, ny, nx)), np.empty((nz, ny, nx))
    level = np.empty((nz, ny, nx))
    scaled_copy(value.reshape(size), direction[steps].reshape(size), scale[steps if scaled else 0:].reshape(-1), scaled)
    for t in range(steps - 1, -1, -1):
        noise(value, result[t], scheme, False)
        scaled_copy(value.reshape(size), direction[t].reshape(size), scale[t if scaled else 0:].reshape(-1), scaled)
        bellman_change(ahead[t], result[t], value, scheme)
    moved[:] = 0.0
    for t in range(steps):
        push_change(ahead[t], result[t], mass[t], moved, level, scheme)
        out, d, p = result[t].reshape(size), moved.reshape(size), direction[t].reshape(size)
        for i in range(size):
            out[i] = identity * p[i] - d[i]
        noise(level, moved, scheme, True)
    out, d, p = result[steps].reshape(size), moved.reshape(size), direction[steps].reshape(size)
    for i in range(size):
        out[i] = identity * p[i] - d[i]


curvature, curvature_parallel = jit(_curvature), jit(_curvature, parallel=True)
