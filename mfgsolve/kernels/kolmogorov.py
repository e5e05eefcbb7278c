"""Forward: the flow of mass under the policy that W encodes, the exact transpose of Bellman's linear part.

    U = m_t - sum of outgoing + sum of incoming fluxes,  flux_e = dt s_e m_t / h,    m_{t+1} = N^T U

The flux of a face is computed by the same expression on both of its sides, so that mass is conserved to round-off.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.noise import noise, noise_parallel  # noqa: F401
from mfgsolve.kernels.scheme import at, chance, flux, neighbours, rates
from mfgsolve.kernels.vectors import sum_of


def _flux_across(face, k, w, m, here, there, slope, most):
    for i in range(w.shape[1]):
        face[k, i] = flux(w[here, i] - w[there, i], m[here, i], m[there, i], slope, most)


def _push_row(u, w, m, face, below, above, r, after, ring, slope_y, most_y, slope_x, most_x):
    """u = m - out + in for one row; fills face[above].  The face after a cell is the face before the next one."""
    n = w.shape[1]
    i, edge = n - 1, 0.0
    if ring:  # the face that closes it
        edge = flux(w[r, i] - w[r, 0], m[r, i], m[r, 0], at(slope_x, i), at(most_x, i))
    back = edge
    for i in range(n - 1):
        ahead = flux(w[r, i] - w[r, i + 1], m[r, i], m[r, i + 1], at(slope_x, i), at(most_x, i))
        up = flux(w[r, i] - w[after, i], m[r, i], m[after, i], slope_y, most_y)
        u[r, i] = m[r, i] + ((face[below, i] - up) + (back - ahead))
        face[above, i] = up
        back = ahead
    i = n - 1
    up = flux(w[r, i] - w[after, i], m[r, i], m[after, i], slope_y, most_y)
    u[r, i] = m[r, i] + ((face[below, i] - up) + (back - edge))
    face[above, i] = up


flux_across, push_row = jit(_flux_across), jit(_push_row)


def _push(ahead, mass, moved, t, scheme):
    """moved = U from mass = m_t and ahead = W_t, on the time level of step t.

    Rows of ``face``: the fluxes through the faces ``below`` and ``above`` a row.
    """
    nz, ny, nx = ahead.shape
    rows, parts = nz * ny, scheme.parts
    ring_z, ring_y, ring_x = scheme.periodic[0], scheme.periodic[1], scheme.periodic[2]
    (slope_z, slope_y, slope_x), (most_z, most_y, most_x) = rates(scheme, t)
    w, m, u = ahead.reshape((rows, nx)), mass.reshape((rows, nx)), moved.reshape((rows, nx))
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        face, below, above = np.zeros((3, nx)), 1, 2
        for r in range(first, last):
            after, before = neighbours(r, ny, 1, ring_y)
            j = r % ny
            if r == first or j == 0:
                flux_across(face, below, w, m, before, r, at(slope_y, j - 1), at(most_y, j - 1))
            push_row(u, w, m, face, below, above, r, after, ring_x, at(slope_y, j), at(most_y, j), slope_x, most_x)
            if nz > 1:
                after, before = neighbours(r, nz, ny, ring_z)
                j = r // ny
                flux_across(face, 0, w, m, before, r, at(slope_z, j - 1), at(most_z, j - 1))
                for i in range(nx):
                    u[r, i] += face[0, i]
                flux_across(face, 0, w, m, r, after, at(slope_z, j), at(most_z, j))
                for i in range(nx):
                    u[r, i] -= face[0, i]
            below, above = above, below


push, push_parallel = jit(_push), jit(_push, parallel=True)


def _forward(ahead, mass, scheme):
    """Fill mass[1:] from mass[0]."""
    moved = np.empty_like(mass[0])
    for t in range(ahead.shape[0]):
        push(ahead[t], mass[t], moved, t, scheme)
        noise(moved, mass[t + 1], scheme, True)


forward, forward_parallel = jit(_forward), jit(_forward, parallel=True)


def _pay(paid, bound, w, here, there, slope, most):
    """Add what cells of row ``here`` pay to move to row ``there``, c s^2 / 2 dt = q^2 / (2 slope); mark q = most."""
    share = 0.5 / slope
    for i in range(paid.size):
        q = max(chance(w[here, i] - w[there, i], slope, most), 0.0)
        paid[i] += share * (q * q)
    for i in range(paid.size):
        bound[i] = 1.0 if chance(w[here, i] - w[there, i], slope, most) == most else bound[i]


def _pay_along(paid, bound, w, r, left, right, slope, most):
    """What cells of row r pay to move along it, and 1 where a speed is at its cap, where cells differ."""
    n = paid.size
    for i in range(n):
        after, before = (i + 1 if i + 1 < n else right), (i - 1 if i > 0 else left)
        q = max(chance(w[r, i] - w[r, after], at(slope, i), at(most, i)), 0.0)
        p = max(chance(w[r, i] - w[r, before], at(slope, i - 1), at(most, i - 1)), 0.0)
        paid[i] = 0.5 * (q * q / at(slope, i) + p * p / at(slope, i - 1))
        bound[i] = 1.0 if q == at(most, i) or p == at(most, i - 1) else 0.0


pay, pay_along = jit(_pay), jit(_pay_along)


def _movement(ahead, mass, scheme):
    """Cost of moving, sum_t sum_x m dt sum_e c s_e^2 / 2, and the share of mass-time with some speed at its cap."""
    steps, nz, ny, nx = ahead.shape
    left, right = (nx - 1, 0) if scheme.periodic[2] else (0, nx - 1)
    cost, capped, paid, bound = np.zeros(nx), np.zeros(nx), np.empty(nx), np.empty(nx)
    for t in range(steps):
        (slope_z, slope_y, slope_x), (most_z, most_y, most_x) = rates(scheme, t)
        s, most = at(slope_x, 0), at(most_x, 0)
        share = 0.5 / s
        w, m = ahead[t].reshape((nz * ny, nx)), mass[t].reshape((nz * ny, nx))
        for r in range(nz * ny):
            if scheme.uneven:
                pay_along(paid, bound, w, r, left, right, slope_x, most_x)
            else:
                for i in range(1, nx - 1):
                    q = max(chance(w[r, i] - w[r, i + 1], s, most), 0.0)
                    p = max(chance(w[r, i] - w[r, i - 1], s, most), 0.0)
                    paid[i] = share * (q * q + p * p)
                for i in range(1, nx - 1):
                    drop = w[r, i] - min(w[r, i + 1], w[r, i - 1])
                    bound[i] = 1.0 if chance(drop, s, most) == most else 0.0
                for i, j, k in ((0, 1, left), (nx - 1, right, nx - 2)):
                    q = max(chance(w[r, i] - w[r, j], s, most), 0.0)
                    p = max(chance(w[r, i] - w[r, k], s, most), 0.0)
                    paid[i] = share * (q * q + p * p)
                    bound[i] = 1.0 if max(q, p) == most else 0.0
            if ny > 1:
                after, before = neighbours(r, ny, 1, scheme.periodic[1])
                j = r % ny
                pay(paid, bound, w, r, after, at(slope_y, j), at(most_y, j))
                pay(paid, bound, w, r, before, at(slope_y, j - 1), at(most_y, j - 1))
            if nz > 1:
                after, before = neighbours(r, nz, ny, scheme.periodic[0])
                j = r // ny
                pay(paid, bound, w, r, after, at(slope_z, j), at(most_z, j))
                pay(paid, bound, w, r, before, at(slope_z, j - 1), at(most_z, j - 1))
            for i in range(nx):
                cost[i] += m[r, i] * paid[i]
            for i in range(nx):
                capped[i] += m[r, i] * bound[i]
    return sum_of(cost), sum_of(capped) / steps


movement = jit(_movement)
