"""The noise operator N of one step, and its transpose, on one time level.

Implicit: N = N_x N_y N_z with N_axis = (I - nu dt Lap_axis)^-1, a tridiagonal solve per line (LDL^T with the pivots
stored; a periodic line is the walled line plus one rank-one correction, since the periodic Laplacian is the walled one
plus the face that closes the ring).  Explicit: N = I + nu dt Lap.  Every factor is symmetric; the transpose only
reverses the order of the axes, which matters where cells are blocked.

Factors, stacked: ``pivot`` 1/p_i, ``lower`` (coupling to i-1)/p_i, ``upper`` (coupling to i+1)/p_i, ``wrap``.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.scheme import EXPLICIT, IMPLICIT, neighbours


def _combine(row, other, own, share):
    for i in range(row.size):
        row[i] = own * row[i] + share * other[i]


def _combine_masked(row, other, own, share):
    for i in range(row.size):
        row[i] = own[i] * row[i] + share[i] * other[i]


def _subtract(row, ends, wrap):
    for i in range(row.size):
        row[i] -= wrap * ends[i]


def _subtract_masked(row, ends, wrap):
    for i in range(row.size):
        row[i] -= wrap[i] * ends[i]


combine, combine_masked = jit(_combine), jit(_combine_masked)
subtract, subtract_masked = jit(_subtract), jit(_subtract_masked)


def _solve_across(field, factors, masked, periodic, first, last):
    """Solve along the middle axis of field (outer, n, inner), for the columns first..last: vector operations on rows."""
    n = field.shape[1]
    for o in range(field.shape[0]):
        f = field[o, :, first:last]
        if masked:
            pivot, lower, upper, wrap = (
                factors[0, o, :, first:last],
                factors[1, o, :, first:last],
                factors[2, o, :, first:last],
                factors[3, o, :, first:last],
            )
            combine_masked(f[0], f[0], pivot[0], lower[0])
            for j in range(1, n):
                combine_masked(f[j], f[j - 1], pivot[j], lower[j])
            for j in range(n - 2, -1, -1):
                row, other, share = f[j], f[j + 1], upper[j]
                for i in range(row.size):
                    row[i] += share[i] * other[i]
            if periodic:
                ends = f[0] - f[n - 1]
                for j in range(n):
                    subtract_masked(f[j], ends, wrap[j])
        else:
            combine(f[0], f[0], factors[0, 0, 0, 0], 0.0)
            for j in range(1, n):
                combine(f[j], f[j - 1], factors[0, 0, j, 0], factors[1, 0, j, 0])
            for j in range(n - 2, -1, -1):
                combine(f[j], f[j + 1], 1.0, factors[2, 0, j, 0])
            if periodic:
                ends = f[0] - f[n - 1]
                for j in range(n):
                    subtract(f[j], ends, factors[3, 0, j, 0])


def _solve_line(line, factors, periodic):
    """Solve along one contiguous line; factors is (4, n)."""
    n = line.size
    line[0] *= factors[0, 0]
    for i in range(1, n):
        line[i] = factors[0, i] * line[i] + factors[1, i] * line[i - 1]
    for i in range(n - 2, -1, -1):
        line[i] += factors[2, i] * line[i + 1]
    if periodic:
        ends = line[0] - line[n - 1]
        for i in range(n):
            line[i] -= factors[3, i] * ends


def _solve_eight(f, factors, periodic):
    """Solve along eight contiguous lines at once: eight independent recurrences hide each other's latency."""
    n = f.shape[1]
    p = factors[0, 0]
    a, b, c, d = p * f[0, 0], p * f[1, 0], p * f[2, 0], p * f[3, 0]
    e, g, k, q = p * f[4, 0], p * f[5, 0], p * f[6, 0], p * f[7, 0]
    f[0, 0], f[1, 0], f[2, 0], f[3, 0], f[4, 0], f[5, 0], f[6, 0], f[7, 0] = a, b, c, d, e, g, k, q
    for i in range(1, n):
        p, s = factors[0, i], factors[1, i]
        a, b, c, d = p * f[0, i] + s * a, p * f[1, i] + s * b, p * f[2, i] + s * c, p * f[3, i] + s * d
        e, g, k, q = p * f[4, i] + s * e, p * f[5, i] + s * g, p * f[6, i] + s * k, p * f[7, i] + s * q
        f[0, i], f[1, i], f[2, i], f[3, i], f[4, i], f[5, i], f[6, i], f[7, i] = a, b, c, d, e, g, k, q
    for i in range(n - 2, -1, -1):
        s = factors[2, i]
        a, b, c, d = f[0, i] + s * a, f[1, i] + s * b, f[2, i] + s * c, f[3, i] + s * d
        e, g, k, q = f[4, i] + s * e, f[5, i] + s * g, f[6, i] + s * k, f[7, i] + s * q
        f[0, i], f[1, i], f[2, i], f[3, i], f[4, i], f[5, i], f[6, i], f[7, i] = a, b, c, d, e, g, k, q
    if periodic:
        for r in range(8):
            ends = f[r, 0] - f[r, n - 1]
            for i in range(n):
                f[r, i] -= factors[3, i] * ends


solve_across, solve_line, solve_eight = jit(_solve_across), jit(_solve_line), jit(_solve_eight)


def _solve_along(rows, factors, masked, periodic, first, last):
    """Solve along x for the rows first..last of rows (rows, x)."""
    if masked:
        for r in range(first, last):
            solve_line(rows[r], factors[:, r, :], periodic)
    else:
        r = first
        while r + 8 <= last:
            solve_eight(rows[r : r + 8], factors[:, 0, :], periodic)
            r += 8
        for r_ in range(r, last):
            solve_line(rows[r_], factors[:, 0, :], periodic)


def _spread(source, target, scheme, first, last):
    """Explicit noise: target = source + nu dt Lap source on the rows first..last."""
    nz, ny, nx = source.shape
    rate_z, rate_y, rate_x = scheme.rate[0], scheme.rate[1], scheme.rate[2]
    v, w = source.reshape((nz * ny, nx)), target.reshape((nz * ny, nx))
    free = scheme.open.reshape((scheme.open.size // scheme.open.shape[2], scheme.open.shape[2]))
    for r in range(first, last):
        y_after, y_before = neighbours(r, ny, 1, scheme.periodic[1])
        z_after, z_before = neighbours(r, nz, ny, scheme.periodic[0])
        a, b, here, out = v[y_after], v[y_before], v[r], w[r]
        left, right = (nx - 1, 0) if scheme.periodic[2] else (0, nx - 1)
        if scheme.masked:
            here_free = free[r]
            for i in range(nx):
                before, after = (i - 1 if i > 0 else left), (i + 1 if i + 1 < nx else right)
                change = rate_y * (free[y_after, i] * (a[i] - here[i]) + free[y_before, i] * (b[i] - here[i]))
                change += rate_z * free[z_after, i] * (v[z_after, i] - here[i])
                change += rate_z * free[z_before, i] * (v[z_before, i] - here[i])
                change += rate_x * here_free[before] * (here[before] - here[i])
                change += rate_x * here_free[after] * (here[after] - here[i])
                out[i] = here[i] + here_free[i] * change
        else:
            for i in range(nx):
                out[i] = here[i] + rate_y * ((a[i] - here[i]) + (b[i] - here[i]))
            if nz > 1:
                a, b = v[z_after], v[z_before]
                for i in range(nx):
                    out[i] += rate_z * ((a[i] - here[i]) + (b[i] - here[i]))
            for i in range(1, nx - 1):
                out[i] += rate_x * ((here[i + 1] - here[i]) + (here[i - 1] - here[i]))
            out[0] += rate_x * ((here[1] - here[0]) + (here[left] - here[0]))
            out[nx - 1] += rate_x * ((here[right] - here[nx - 1]) + (here[nx - 2] - here[nx - 1]))


solve_along, spread = jit(_solve_along), jit(_spread)


def _noise(source, target, scheme, transpose):
    """target = N source (or N^T source) on one time level; source and target are different arrays (z, y, x)."""
    nz, ny, nx = source.shape
    rows, plane, parts = nz * ny, ny * nx, scheme.parts
    if scheme.noise == EXPLICIT:
        for part_ in prange(parts):
            part = np.int64(part_)
            spread(source, target, scheme, rows * part // parts, rows * (part + 1) // parts)
        return
    flat_from, flat_to = source.reshape((rows, nx)), target.reshape((rows, nx))
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            flat_to[r, :] = flat_from[r]
    if scheme.noise != IMPLICIT:
        return
    for turn in range(3):
        axis = 2 - turn if transpose else turn
        if axis == 0 and nz > 1:
            field = target.reshape((1, nz, plane))
            factors = scheme.factors_z.reshape((4, 1, nz, scheme.factors_z.size // (4 * nz)))
            for part_ in prange(parts):
                part = np.int64(part_)
                first, last = plane * part // parts, plane * (part + 1) // parts
                solve_across(field, factors, scheme.masked, scheme.periodic[0], first, last)
        elif axis == 1 and ny > 1:
            for part_ in prange(parts):
                part = np.int64(part_)
                first, last = nx * part // parts, nx * (part + 1) // parts
                solve_across(target, scheme.factors_y, scheme.masked, scheme.periodic[1], first, last)
        elif axis == 2:
            factors = scheme.factors_x.reshape((4, scheme.factors_x.size // (4 * nx), nx))
            eights = (rows + 7) // 8
            for part_ in prange(parts):
                part = np.int64(part_)
                first, last = 8 * (eights * part // parts), min(8 * (eights * (part + 1) // parts), rows)
                solve_along(flat_to, factors, scheme.masked, scheme.periodic[2], first, last)


noise, noise_parallel = jit(_noise), jit(_noise, parallel=True)
