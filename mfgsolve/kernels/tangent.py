"""Tangent: how the flow of the best response answers to a small change of price, K = d mass / d (weighted price).

    dW_t = N dV_{t+1},   dV_t = dl_t + dW_t + dt sum_e s_e (dW_t(x+e) - dW_t(x)) / h
    d flux_e = dt/h (s_e dm_t + [0 < s_e < cap] m_t (dW_t(x) - dW_t(x+e)) / (h c)),   dm_{t+1} = N^T (dm_t - out + in)

(at s = 0 exactly, where the flux has a kink, the derivative from one side).  K is symmetric and negative semidefinite.
The change of cost dl is ``scale * direction`` (scale is the weighted slope of the coupling), and the result is
``identity * direction - dm``: one application of the operator I - K B of Newton's method.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.noise import noise, noise_parallel  # noqa: F401
from mfgsolve.kernels.scheme import at, chance, flux_change, neighbours, rates
from mfgsolve.kernels.vectors import gather, sum_of


def _chance_across(face, k, w, here, there, slope, most):
    for i in range(w.shape[1]):
        face[k, i] = chance(w[here, i] - w[there, i], slope, most)


def _flux_change_across(face, k, w, d, m, p, here, there, slope, most):
    for i in range(w.shape[1]):
        face[k, i] = flux_change(
            w[here, i] - w[there, i],
            d[here, i] - d[there, i],
            m[here, i],
            m[there, i],
            p[here, i],
            p[there, i],
            slope,
            most,
        )


chance_across, flux_change_across = jit(_chance_across), jit(_flux_change_across)


def _bellman_change_row(v, w, d, u, b, face, below, above, r, after, before, ring, slope_y, most_y, slope_x, most_x):
    """v = b u + dW + drift of one row; fills face[above].  The face after a cell is the face before the next one."""
    n = w.shape[1]
    left, right = (n - 1, 0) if ring else (0, n - 1)
    i, edge = n - 1, 0.0
    if ring:  # the face that closes it
        edge = chance(w[r, i] - w[r, 0], at(slope_x, i), at(most_x, i))
    ahead = chance(w[r, 0] - w[r, 1], at(slope_x, 0), at(most_x, 0))
    up = chance(w[r, 0] - w[after, 0], slope_y, most_y)
    across = max(up, 0.0) * (d[after, 0] - d[r, 0]) + min(face[below, 0], 0.0) * (d[r, 0] - d[before, 0])
    along = max(ahead, 0.0) * (d[r, 1] - d[r, 0]) + min(edge, 0.0) * (d[r, 0] - d[r, left])
    v[r, 0] = b[r, 0] * u[r, 0] + d[r, 0] + (across + along)
    face[above, 0] = up
    back = ahead
    for i in range(1, n - 1):
        ahead = chance(w[r, i] - w[r, i + 1], at(slope_x, i), at(most_x, i))
        up = chance(w[r, i] - w[after, i], slope_y, most_y)
        across = max(up, 0.0) * (d[after, i] - d[r, i]) + min(face[below, i], 0.0) * (d[r, i] - d[before, i])
        along = max(ahead, 0.0) * (d[r, i + 1] - d[r, i]) + min(back, 0.0) * (d[r, i] - d[r, i - 1])
        v[r, i] = b[r, i] * u[r, i] + d[r, i] + (across + along)
        face[above, i] = up
        back = ahead
    i = n - 1
    up = chance(w[r, i] - w[after, i], slope_y, most_y)
    across = max(up, 0.0) * (d[after, i] - d[r, i]) + min(face[below, i], 0.0) * (d[r, i] - d[before, i])
    along = max(edge, 0.0) * (d[r, right] - d[r, i]) + min(back, 0.0) * (d[r, i] - d[r, i - 1])
    v[r, i] = b[r, i] * u[r, i] + d[r, i] + (across + along)
    face[above, i] = up


def _push_change_row(u, w, d, m, p, face, below, above, r, after, ring, slope_y, most_y, slope_x, most_x):
    """u = p - out + in for one row; fills face[above]."""
    n = w.shape[1]
    i, j = n - 1, 0
    edge = 0.0
    if ring:
        s, q = at(slope_x, i), at(most_x, i)
        edge = flux_change(w[r, i] - w[r, j], d[r, i] - d[r, j], m[r, i], m[r, j], p[r, i], p[r, j], s, q)
    back = edge
    for i in range(n - 1):
        j, a, s, q = i + 1, after, at(slope_x, i), at(most_x, i)
        ahead = flux_change(w[r, i] - w[r, j], d[r, i] - d[r, j], m[r, i], m[r, j], p[r, i], p[r, j], s, q)
        up = flux_change(w[r, i] - w[a, i], d[r, i] - d[a, i], m[r, i], m[a, i], p[r, i], p[a, i], slope_y, most_y)
        u[r, i] = p[r, i] + ((face[below, i] - up) + (back - ahead))
        face[above, i] = up
        back = ahead
    i, a = n - 1, after
    up = flux_change(w[r, i] - w[a, i], d[r, i] - d[a, i], m[r, i], m[a, i], p[r, i], p[a, i], slope_y, most_y)
    u[r, i] = p[r, i] + ((face[below, i] - up) + (back - edge))
    face[above, i] = up


def _renew_row(x, p, y, r, length, share):
    """solution += length direction, then direction = residual + share direction, in one row."""
    for i in range(x.shape[1]):
        x[r, i] += length * p[r, i]
        p[r, i] = y[r, i] + share * p[r, i]


def _renew(direction, renewal):
    """The same on one time level."""
    solution, residual, length, share = renewal
    nx = direction.shape[2]
    x, p, y = solution.reshape((-1, nx)), direction.reshape((-1, nx)), residual.reshape((-1, nx))
    for r in range(x.shape[0]):
        renew_row(x, p, y, r, length, share)


renew_row = jit(_renew_row)
renew = jit(_renew)
bellman_change_row, push_change_row = jit(_bellman_change_row), jit(_push_change_row)


def _bellman_change(ahead, change, direction, scale, value, renewal, t, scheme):
    """value = dl + dW + dt sum_e s_e (dW(x+e) - dW(x)) / h with dl = scale * direction, in step t.

    Each row of the direction is renewed first, if ``renewal`` has arrays: memory is read while a row is computed.

    Rows of ``face``: the chances dt s / h at the faces ``below`` and ``above`` a row; positive where the cell before
    the face moves, negative where the cell after it does.
    """
    nz, ny, nx = ahead.shape
    rows, parts = nz * ny, scheme.parts
    ring_z, ring_y, ring_x = scheme.periodic[0], scheme.periodic[1], scheme.periodic[2]
    (slope_z, slope_y, slope_x), (most_z, most_y, most_x) = rates(scheme, t)
    w, d, v = ahead.reshape((rows, nx)), change.reshape((rows, nx)), value.reshape((rows, nx))
    u, b = direction.reshape((rows, nx)), scale.reshape((rows, nx))
    solution, residual, length, share = renewal
    renewing = residual.size > 0
    x, y = solution.reshape((solution.size // nx, nx)), residual.reshape((residual.size // nx, nx))
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        face, below, above = np.zeros((3, nx)), 1, 2
        for r in range(first, last):
            after, before = neighbours(r, ny, 1, ring_y)
            j = r % ny
            if r == first or j == 0:
                chance_across(face, below, w, before, r, at(slope_y, j - 1), at(most_y, j - 1))
            if renewing:
                renew_row(x, u, y, r, length, share)
            s, q = at(slope_y, j), at(most_y, j)
            bellman_change_row(v, w, d, u, b, face, below, above, r, after, before, ring_x, s, q, slope_x, most_x)
            if nz > 1:
                after, before = neighbours(r, nz, ny, ring_z)
                j = r // ny
                chance_across(face, 0, w, before, r, at(slope_z, j - 1), at(most_z, j - 1))
                for i in range(nx):
                    v[r, i] += min(face[0, i], 0.0) * (d[r, i] - d[before, i])
                chance_across(face, 0, w, r, after, at(slope_z, j), at(most_z, j))
                for i in range(nx):
                    v[r, i] += max(face[0, i], 0.0) * (d[after, i] - d[r, i])
            below, above = above, below


def _push_change(ahead, change, mass, moved, result, t, scheme):
    """result = d U from the changes of W and of the mass (``moved``) in step t; ``face`` as in `push`."""
    nz, ny, nx = ahead.shape
    rows, parts = nz * ny, scheme.parts
    ring_z, ring_y, ring_x = scheme.periodic[0], scheme.periodic[1], scheme.periodic[2]
    (slope_z, slope_y, slope_x), (most_z, most_y, most_x) = rates(scheme, t)
    w, d, m = ahead.reshape((rows, nx)), change.reshape((rows, nx)), mass.reshape((rows, nx))
    p, u = moved.reshape((rows, nx)), result.reshape((rows, nx))
    for part_ in prange(parts):
        part = np.int64(part_)
        first, last = rows * part // parts, rows * (part + 1) // parts
        face, below, above = np.zeros((3, nx)), 1, 2
        for r in range(first, last):
            after, before = neighbours(r, ny, 1, ring_y)
            j = r % ny
            if r == first or j == 0:
                flux_change_across(face, below, w, d, m, p, before, r, at(slope_y, j - 1), at(most_y, j - 1))
            s, q = at(slope_y, j), at(most_y, j)
            push_change_row(u, w, d, m, p, face, below, above, r, after, ring_x, s, q, slope_x, most_x)
            if nz > 1:
                after, before = neighbours(r, nz, ny, ring_z)
                j = r // ny
                flux_change_across(face, 0, w, d, m, p, before, r, at(slope_z, j - 1), at(most_z, j - 1))
                for i in range(nx):
                    u[r, i] += face[0, i]
                flux_change_across(face, 0, w, d, m, p, r, after, at(slope_z, j), at(most_z, j))
                for i in range(nx):
                    u[r, i] -= face[0, i]
            below, above = above, below


bellman_change, bellman_change_parallel = jit(_bellman_change), jit(_bellman_change, parallel=True)
push_change, push_change_parallel = jit(_push_change), jit(_push_change, parallel=True)


def _answer(result, identity, direction, moved):
    """result = identity * direction - d mass, on one time level."""
    size = moved.size
    q, d, p = result.reshape(size), moved.reshape(size), direction.reshape(size)
    for i in range(size):
        q[i] = identity * p[i] - d[i]


answer = jit(_answer)


def _curvature(ahead, mass, direction, scale, result, identity, residual, solution, length, share, scheme):
    """result = identity * direction - K (scale * direction); an empty scale stands for 1.

    ``result`` first holds dW, and is overwritten by the answer on the way forward.  Given a ``residual``,
    this is a pass of conjugate gradients: each level of the direction is renewed on the way back, solution +=
    length direction and direction = residual + share direction, and sum scale direction result is returned.
    """
    steps, nz, ny, nx = ahead.shape
    scaled, renewing, ones = scale.size > 0, residual.size > 0, np.ones((nz, ny, nx))
    value, moved, level = np.empty((nz, ny, nx)), np.zeros((nz, ny, nx)), np.empty((nz, ny, nx))
    none = np.empty((0, 1, 1))
    if renewing:
        renew(direction[steps], (solution[steps], residual[steps], length, share))
        renew(direction[0], (solution[0], residual[0], length, share))
    v, u = value.reshape(value.size), direction[steps].reshape(value.size)
    b = (scale[steps] if scaled else ones).reshape(value.size)
    for i in range(v.size):
        v[i] = b[i] * u[i]
    for t in range(steps - 1, -1, -1):
        noise(value, result[t], scheme, False)
        if t > 0:
            renewal = (solution[t] if renewing else none, residual[t] if renewing else none, length, share)
            bellman_change(ahead[t], result[t], direction[t], scale[t] if scaled else ones, value, renewal, t, scheme)
    sums = np.zeros(value.size)
    for t in range(steps):
        push_change(ahead[t], result[t], mass[t], moved, level, t, scheme)
        answer(result[t], identity, direction[t], moved)
        if renewing:
            gather(sums, scale[t].reshape(sums.size), direction[t].reshape(sums.size), result[t].reshape(sums.size))
        noise(level, moved, scheme, True)
    answer(result[steps], identity, direction[steps], moved)
    if renewing:
        p, q = direction[steps].reshape(sums.size), result[steps].reshape(sums.size)
        gather(sums, scale[steps].reshape(sums.size), p, q)
    return sum_of(sums)


curvature, curvature_parallel = jit(_curvature), jit(_curvature, parallel=True)
