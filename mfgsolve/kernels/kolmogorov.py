"""Forward: the flow of mass under the policy that W encodes, the exact transpose of Bellman's linear part.

    U = m_t - sum of outgoing + sum of incoming fluxes,  flux_e = dt s_e m_t / h,    m_{t+1} = N^T U

The flux of a face is computed by the same expression on both of its sides, so that mass is conserved to round-off.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.noise import noise, noise_parallel  # noqa: F401
from mfgsolve.kernels.scheme import flux, neighbours, speed


def _push(ahead, mass, moved, scheme):
    """moved = U from mass = m_t and ahead = W_t, on one time level."""
    nz, ny, nx = ahead.shape
    rows, parts = nz * ny, scheme.parts
    cap_z, cap_y, cap_x = scheme.cap[0], scheme.cap[1], scheme.cap[2]
    per_z, per_y, per_x = 1.0 / scheme.spacing[0], 1.0 / scheme.spacing[1], 1.0 / scheme.spacing[2]
    reach_z, reach_y, reach_x = per_z / scheme.control_cost, per_y / scheme.control_cost, per_x / scheme.control_cost
    jump_z, jump_y, jump_x = scheme.dt * per_z, scheme.dt * per_y, scheme.dt * per_x
    all_w, all_m, all_u = ahead.reshape((rows, nx)), mass.reshape((rows, nx)), moved.reshape((rows, nx))
    left, right = (nx - 1, 0) if scheme.periodic[2] else (0, nx - 1)
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            w, m, u = all_w[r], all_m[r], all_u[r]
            after, before = neighbours(r, ny, 1, scheme.periodic[1])
            a, b, n, q = all_w[after], all_w[before], all_m[after], all_m[before]
            for i in range(nx):
                u[i] = (
                    m[i]
                    - flux(w[i] - a[i], m[i], n[i], reach_y, cap_y, jump_y)
                    + flux(b[i] - w[i], q[i], m[i], reach_y, cap_y, jump_y)
                )
            if nz > 1:
                after, before = neighbours(r, nz, ny, scheme.periodic[0])
                a, b, n, q = all_w[after], all_w[before], all_m[after], all_m[before]
                for i in range(nx):
                    u[i] += flux(b[i] - w[i], q[i], m[i], reach_z, cap_z, jump_z) - flux(
                        w[i] - a[i], m[i], n[i], reach_z, cap_z, jump_z
                    )
            for i in range(1, nx - 1):
                u[i] += flux(w[i - 1] - w[i], m[i - 1], m[i], reach_x, cap_x, jump_x) - flux(
                    w[i] - w[i + 1], m[i], m[i + 1], reach_x, cap_x, jump_x
                )
            u[0] += flux(w[left] - w[0], m[left], m[0], reach_x, cap_x, jump_x)
            u[0] -= flux(w[0] - w[1], m[0], m[1], reach_x, cap_x, jump_x)
            u[nx - 1] += flux(w[nx - 2] - w[nx - 1], m[nx - 2], m[nx - 1], reach_x, cap_x, jump_x)
            u[nx - 1] -= flux(w[nx - 1] - w[right], m[nx - 1], m[right], reach_x, cap_x, jump_x)


push, push_parallel = jit(_push), jit(_push, parallel=True)


def _forward(ahead, mass, scheme):
    """Fill mass[1:] from mass[0]."""
    moved = np.empty_like(mass[0])
    for t in range(ahead.shape[0]):
        push(ahead[t], mass[t], moved, scheme)
        noise(moved, mass[t + 1], scheme, True)


forward, forward_parallel = jit(_forward), jit(_forward, parallel=True)


def _movement(ahead, mass, scheme):
    """Cost of moving, sum_t sum_x m dt sum_e c s_e^2 / 2, and the share of mass-time with some speed at its cap."""
    steps, nz, ny, nx = ahead.shape
    per_h = 1.0 / scheme.spacing
    reach = per_h / scheme.control_cost
    cost, capped = 0.0, 0.0
    for t in range(steps):
        w, m = ahead[t].reshape((nz * ny, nx)), mass[t].reshape((nz * ny, nx))
        for r in range(nz * ny):
            y_after, y_before = neighbours(r, ny, 1, scheme.periodic[1])
            z_after, z_before = neighbours(r, nz, ny, scheme.periodic[0])
            row_cost, row_capped = 0.0, 0.0
            for i in range(nx):
                after = i + 1 if i + 1 < nx else (0 if scheme.periodic[2] else i)
                before = i - 1 if i > 0 else (nx - 1 if scheme.periodic[2] else i)
                here = w[r, i]
                s = speed(here - w[r, after], reach[2], scheme.cap[2])
                squares, bound = s * s, s >= scheme.cap[2]
                s = speed(here - w[r, before], reach[2], scheme.cap[2])
                squares, bound = squares + s * s, bound or s >= scheme.cap[2]
                if ny > 1:
                    s = speed(here - w[y_after, i], reach[1], scheme.cap[1])
                    squares, bound = squares + s * s, bound or s >= scheme.cap[1]
                    s = speed(here - w[y_before, i], reach[1], scheme.cap[1])
                    squares, bound = squares + s * s, bound or s >= scheme.cap[1]
                if nz > 1:
                    s = speed(here - w[z_after, i], reach[0], scheme.cap[0])
                    squares, bound = squares + s * s, bound or s >= scheme.cap[0]
                    s = speed(here - w[z_before, i], reach[0], scheme.cap[0])
                    squares, bound = squares + s * s, bound or s >= scheme.cap[0]
                row_cost += m[r, i] * squares
                if bound:
                    row_capped += m[r, i]
            cost += row_cost
            capped += row_capped
    return 0.5 * scheme.control_cost * scheme.dt * cost, capped / steps


movement = jit(_movement)
