"""The noise operator N of one step, and its transpose, on one time level.

Implicit: N = N_x N_y N_z with N_axis = (I - nu dt Lap_axis)^-1, a tridiagonal solve per line (LDL^T with the pivots
stored; a periodic line is the walled line plus one rank-one correction, since the periodic Laplacian is the walled one
plus the face that closes the ring).  Explicit: N = I + nu dt Lap.  On values and masses

    (Lap v)_i = [(v_{i+1} - v_i) / d_{i+1/2} - (v_i - v_{i-1}) / d_{i-1/2}] / h_i,
    (Lap' m)_i = (m_{i+1} / h_{i+1} - m_i / h_i) / d_{i+1/2} - (m_i / h_i - m_{i-1} / h_{i-1}) / d_{i-1/2}

with cells of width h and centres d apart.  Where all cells are alike every factor is symmetric, and the transpose only
reverses the order of the axes, which matters where cells are blocked; elsewhere it has factors of its own.

Factors, stacked: ``pivot`` 1/p_i, ``lower`` (coupling to i-1)/p_i, ``upper`` (coupling to i+1)/p_i, ``wrap``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange, types
from numba.extending import overload

from mfgsolve.kernels import fma, jit
from mfgsolve.kernels.scheme import EXPLICIT, IMPLICIT, lines, neighbours, toward


def _eliminate(f, v, o, j, k, own, share, first, last):
    for i in range(first, last):
        f[o, j, i] = fma(share, f[o, k, i], own * v[o, j, i])


def _eliminate_masked(f, v, o, j, k, own, share, first, last):
    for i in range(first, last):
        f[o, j, i] = fma(share[o, j, i], f[o, k, i], own[o, j, i] * v[o, j, i])


def _combine(f, o, j, k, own, share, first, last):
    for i in range(first, last):
        f[o, j, i] = fma(share, f[o, k, i], own * f[o, j, i])


def _combine_masked(f, o, j, k, own, share, first, last):
    for i in range(first, last):
        f[o, j, i] = fma(share[o, j, i], f[o, k, i], own[o, j, i] * f[o, j, i])


def _add(f, o, j, k, share, first, last):
    for i in range(first, last):
        f[o, j, i] = fma(share, f[o, k, i], f[o, j, i])


def _add_masked(f, o, j, k, share, first, last):
    for i in range(first, last):
        f[o, j, i] = fma(share[o, j, i], f[o, k, i], f[o, j, i])


eliminate, combine, add = jit(_eliminate, ready=True), jit(_combine, ready=True), jit(_add, ready=True)
eliminate_masked, combine_masked, add_masked = jit(_eliminate_masked), jit(_combine_masked), jit(_add_masked)


def _solve_across(v, f, within, factors, masked, ring, end, first_, last_):
    """Solve along the middle axis of (outer, n, inner) from v to f, for the columns first..last, in vectors of a row.

    ``within`` says that v is f; rows that may overlap would keep the compiler from using vectors, so the two cases have
    a loop each; and so would columns that might be counted from the end, hence the unsigned ones.  ``end`` is what the
    last cell counts against the first where a ring is closed.
    """
    outer, n, inner = f.shape
    first, last = np.uint64(first_), np.uint64(last_)
    pivot, lower, upper, wrap = factors[0], factors[1], factors[2], factors[3]
    ends = np.zeros(inner)
    for o in range(outer):
        for i in range(first, last):
            own = pivot[o, 0, i] if masked else pivot[0, 0, 0]
            f[o, 0, i] = own * v[o, 0, i]
        for j in range(1, n):
            if masked and within:
                combine_masked(f, o, j, j - 1, pivot, lower, first, last)
            elif masked:
                eliminate_masked(f, v, o, j, j - 1, pivot, lower, first, last)
            elif within:
                combine(f, o, j, j - 1, pivot[0, j, 0], lower[0, j, 0], first, last)
            else:
                eliminate(f, v, o, j, j - 1, pivot[0, j, 0], lower[0, j, 0], first, last)
        for j in range(n - 2, -1, -1):
            if masked:
                add_masked(f, o, j, j + 1, upper, first, last)
            else:
                add(f, o, j, j + 1, upper[0, j, 0], first, last)
        if ring:
            for i in range(first, last):
                ends[i] = end * f[o, n - 1, i] - f[o, 0, i]
            for j in range(n):
                if masked:
                    for i in range(first, last):
                        f[o, j, i] += wrap[o, j, i] * ends[i]
                else:
                    share = wrap[0, j, 0]
                    for i in range(first, last):
                        f[o, j, i] += share * ends[i]


def _solve_line(source, line, factors, periodic, end):
    """Solve along one contiguous line; factors is (4, n)."""
    n = line.size
    line[0] = factors[0, 0] * source[0]
    for i in range(1, n):
        line[i] = fma(factors[1, i], line[i - 1], factors[0, i] * source[i])
    for i in range(n - 2, -1, -1):
        line[i] = fma(factors[2, i], line[i + 1], line[i])
    if periodic:
        ends = line[0] - end * line[n - 1]
        for i in range(n):
            line[i] -= factors[3, i] * ends


def _solve_eight(v, f, factors, periodic, end):
    """Solve along eight contiguous lines at once: eight independent recurrences hide each other's latency."""
    n = f.shape[1]
    p = factors[0, 0]
    a, b, c, d = p * v[0, 0], p * v[1, 0], p * v[2, 0], p * v[3, 0]
    e, g, k, q = p * v[4, 0], p * v[5, 0], p * v[6, 0], p * v[7, 0]
    f[0, 0], f[1, 0], f[2, 0], f[3, 0], f[4, 0], f[5, 0], f[6, 0], f[7, 0] = a, b, c, d, e, g, k, q
    for i in range(1, n):
        p, s = factors[0, i], factors[1, i]
        a, b, c, d = fma(s, a, p * v[0, i]), fma(s, b, p * v[1, i]), fma(s, c, p * v[2, i]), fma(s, d, p * v[3, i])
        e, g, k, q = fma(s, e, p * v[4, i]), fma(s, g, p * v[5, i]), fma(s, k, p * v[6, i]), fma(s, q, p * v[7, i])
        f[0, i], f[1, i], f[2, i], f[3, i], f[4, i], f[5, i], f[6, i], f[7, i] = a, b, c, d, e, g, k, q
    for i in range(n - 2, -1, -1):
        s = factors[2, i]
        a, b, c, d = fma(s, a, f[0, i]), fma(s, b, f[1, i]), fma(s, c, f[2, i]), fma(s, d, f[3, i])
        e, g, k, q = fma(s, e, f[4, i]), fma(s, g, f[5, i]), fma(s, k, f[6, i]), fma(s, q, f[7, i])
        f[0, i], f[1, i], f[2, i], f[3, i], f[4, i], f[5, i], f[6, i], f[7, i] = a, b, c, d, e, g, k, q
    if periodic:
        for r in range(8):
            ends = f[r, 0] - end * f[r, n - 1]
            for i in range(n):
                f[r, i] -= factors[3, i] * ends


solve_across, solve_line, solve_eight = jit(_solve_across, ready=True), jit(_solve_line), jit(_solve_eight)


def _solve_along(source, target, factors, masked, periodic, end, first, last):
    """Solve along x for the rows first..last of (rows, x)."""
    r = first
    while not masked and r + 8 <= last:
        solve_eight(source[r : r + 8], target[r : r + 8], factors[:, 0, :], periodic, end)
        r += 8
    while r < last:
        solve_line(source[r], target[r], factors[:, r if masked else 0, :], periodic, end)
        r += 1


def _spread(source, target, rate_z, rate_y, rate_x, periodic, masked, opened, first, last):
    """Explicit noise: target = source + nu dt Lap source on the rows first..last."""
    nz, ny, nx = source.shape
    ring_z, ring_y, ring_x = periodic[0], periodic[1], periodic[2]
    v, w = source.reshape((nz * ny, nx)), target.reshape((nz * ny, nx))
    free = opened.reshape((opened.size // opened.shape[2], opened.shape[2]))
    left, right = (nx - 1, 0) if ring_x else (0, nx - 1)
    for r in range(first, last):
        a, b = neighbours(r, ny, 1, ring_y)
        above, below = neighbours(r, nz, ny, ring_z)
        if masked:
            for i in range(nx):
                before, after, here = (i - 1 if i > 0 else left), (i + 1 if i + 1 < nx else right), v[r, i]
                change = rate_y * (free[a, i] * (v[a, i] - here) + free[b, i] * (v[b, i] - here))
                change += rate_z * (free[above, i] * (v[above, i] - here) + free[below, i] * (v[below, i] - here))
                change += rate_x * (free[r, before] * (v[r, before] - here) + free[r, after] * (v[r, after] - here))
                w[r, i] = here + free[r, i] * change
        else:
            for i in range(1, nx - 1):
                across = rate_y * ((v[a, i] - v[r, i]) + (v[b, i] - v[r, i]))
                w[r, i] = v[r, i] + (across + rate_x * ((v[r, i + 1] - v[r, i]) + (v[r, i - 1] - v[r, i])))
            for i, j, k in ((0, 1, left), (nx - 1, right, nx - 2)):
                across = rate_y * ((v[a, i] - v[r, i]) + (v[b, i] - v[r, i]))
                w[r, i] = v[r, i] + (across + rate_x * ((v[r, j] - v[r, i]) + (v[r, k] - v[r, i])))
            if nz > 1:
                for i in range(nx):
                    w[r, i] += rate_z * ((v[above, i] - v[r, i]) + (v[below, i] - v[r, i]))


def _spread_uneven(source, target, rate_z, rate_y, rate_x, periodic, opened, transpose, first, last):
    """The same where cells differ; of masses, if ``transpose``: what comes in has the rates of where it comes from."""
    nz, ny, nx = source.shape
    v, w = source.reshape((nz * ny, nx)), target.reshape((nz * ny, nx))
    free = opened.reshape((nz * ny, nx))
    for r in range(first, last):
        a, b = neighbours(r, ny, 1, periodic[1])
        above, below = neighbours(r, nz, ny, periodic[0])
        j, k = r % ny, r // ny
        out_a, out_b, in_a, in_b = crossing(rate_y, j, ny, transpose)
        out_above, out_below, in_above, in_below = crossing(rate_z, k, nz, transpose)
        for i in range(nx):
            after, before, here = (i + 1) % nx, (i + nx - 1) % nx, v[r, i]
            out_after, out_before, in_after, in_before = crossing(rate_x, i, nx, transpose)
            change = free[a, i] * (in_a * v[a, i] - out_a * here) + free[b, i] * (in_b * v[b, i] - out_b * here)
            change += free[above, i] * (in_above * v[above, i] - out_above * here)
            change += free[below, i] * (in_below * v[below, i] - out_below * here)
            change += free[r, after] * (in_after * v[r, after] - out_after * here)
            change += free[r, before] * (in_before * v[r, before] - out_before * here)
            w[r, i] = here + free[r, i] * change


def _crossing(rate, i, n, transpose):
    """Rates out of cell i to the cells after and before it, and those by which they come in; 0 through walls."""
    out_after, out_before = toward(rate, 0, i), toward(rate, 1, i)
    if transpose:
        return out_after, out_before, toward(rate, 1, (i + 1) % n), toward(rate, 0, (i + n - 1) % n)
    return out_after, out_before, out_after, out_before


def _duplicate(source, target, first, last):
    for r in range(first, last):
        for i in range(source.shape[1]):
            target[r, i] = source[r, i]


solve_along, spread, duplicate = jit(_solve_along), jit(_spread), jit(_duplicate)
crossing, spread_uneven = jit(_crossing), jit(_spread_uneven)


def spread_of(
    source: Any, target: Any, rate_z: Any, rate_y: Any, rate_x: Any, periodic: Any, masked: Any, opened: Any,
    transpose: bool, first: int, last: int,
) -> None:  # fmt: skip
    """Explicit noise of cells that are alike, or differ: only what is needed is compiled."""
    if isinstance(rate_x, np.ndarray):
        spread_uneven(source, target, rate_z, rate_y, rate_x, periodic, opened, transpose, first, last)
    else:
        spread(source, target, rate_z, rate_y, rate_x, periodic, masked, opened, first, last)


@overload(spread_of)
def _spread_of(source, target, rate_z, rate_y, rate_x, periodic, masked, opened, transpose, first, last):
    if isinstance(rate_x, types.Array):
        return lambda source, target, rate_z, rate_y, rate_x, periodic, masked, opened, transpose, first, last: (
            spread_uneven(source, target, rate_z, rate_y, rate_x, periodic, opened, transpose, first, last)
        )
    return lambda source, target, rate_z, rate_y, rate_x, periodic, masked, opened, transpose, first, last: spread(
        source, target, rate_z, rate_y, rate_x, periodic, masked, opened, first, last
    )


def _noise(source, target, scheme, transpose):
    """target = N source (or N^T source) on one time level (z, y, x); source is lost, and must not be target.

    No loop that threads share may look at the scheme: Numba does not take tuples within tuples along to them.
    """
    nz, ny, nx = source.shape
    rows, plane, parts = nz * ny, ny * nx, scheme.parts
    flat_target = target.reshape((rows, nx))
    masked, periodic = scheme.masked, scheme.periodic
    rate_z, rate_y, rate_x = scheme.rate[0], scheme.rate[1], scheme.rate[2]
    if scheme.noise != IMPLICIT:
        flat_source = source.reshape((rows, nx))
        explicit, opened = scheme.noise == EXPLICIT, scheme.open
        for part_ in prange(parts):
            part = np.int64(part_)
            first, last = rows * part // parts, rows * (part + 1) // parts
            if explicit:
                spread_of(source, target, rate_z, rate_y, rate_x, periodic, masked, opened, transpose, first, last)
            else:
                duplicate(flat_source, flat_target, first, last)
        return
    within = False  # the first solve across x goes from source to target, which may be cold; the others stay there
    for turn in range(3):
        axis = 2 - turn if transpose else turn
        given = target if within else source
        end = scheme.ends[axis] if transpose else 1.0
        if axis == 0 and nz > 1:
            field, into = given.reshape((1, nz, plane)), target.reshape((1, nz, plane))
            lines_z = lines(rate_z, scheme.factors_z, scheme.mass_factors_z, transpose)
            factors = lines_z.reshape((4, 1, nz, lines_z.size // (4 * nz)))
            for part_ in prange(parts):
                part = np.int64(part_)
                first, last = plane * part // parts, plane * (part + 1) // parts
                solve_across(field, into, within, factors, masked, periodic[0], end, first, last)
            within = True
        elif axis == 1 and ny > 1:
            lines_y = lines(rate_y, scheme.factors_y, scheme.mass_factors_y, transpose)
            for part_ in prange(parts):
                part = np.int64(part_)
                first, last = nx * part // parts, nx * (part + 1) // parts
                solve_across(given, target, within, lines_y, masked, periodic[1], end, first, last)
            within = True
        elif axis == 2:
            into = source if transpose and rows > 1 else target
            flat_given, flat_into = given.reshape((rows, nx)), into.reshape((rows, nx))
            lines_x = lines(rate_x, scheme.factors_x, scheme.mass_factors_x, transpose)
            factors = lines_x.reshape((4, lines_x.size // (4 * nx), nx))
            eights = (rows + 7) // 8
            for part_ in prange(parts):
                part = np.int64(part_)
                first, last = 8 * (eights * part // parts), min(8 * (eights * (part + 1) // parts), rows)
                solve_along(flat_given, flat_into, factors, masked, periodic[2], end, first, last)


noise, noise_parallel = jit(_noise), jit(_noise, parallel=True)
