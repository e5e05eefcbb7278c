"""Forward and tangent sweeps of entropic steps: the exact transposes of `mfgsolve.kernels.entropic`.

    m_{t+1} = phi N (m_t / psi)                                                        flow
    dv_T = dl_T,   DA_t = N(phi dv_{t+1}) / psi,   dv_t = dl_t + DA_t                   tangent, backward
    u = dm_t + m_t DA_t / eps,   dm_{t+1} = phi N(u / psi) - m_{t+1} dv_{t+1} / eps       and forward

Legend, beside that of `entropic`: ``q`` what is spread, over psi'; ``dl`` change of the weighted price.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.elementary import log
from mfgsolve.kernels.entropic import empty_levels, load, load_parallel, planes  # noqa: F401
from mfgsolve.kernels.gaussian import convolution, convolution_parallel  # noqa: F401
from mfgsolve.kernels.vectors import sum_of


def _spread(q, mass, psi, parts):
    """q = mass / psi', nothing where nobody can be."""
    rows, n = mass.shape
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            for i in range(n):
                q[r, i] = mass[r, i] / psi[r, i] if psi[r, i] > 0.0 else 0.0


def _arrive(out, phi, q, parts):
    """out = phi' q."""
    rows, n = phi.shape
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            for i in range(n):
                out[r, i] = phi[r, i] * q[r, i]


spread, spread_parallel = jit(_spread), jit(_spread, parallel=True)
arrive, arrive_parallel = jit(_arrive), jit(_arrive, parallel=True)


def _forward(policy, mass, offset, scheme):
    """mass[t + 1] from mass[t], for all steps of the policy."""
    work, scales = empty_levels(scheme, 5)
    rows, n = scheme.free.shape
    q, come = work[3], work[4]
    for t in range(policy.shape[0]):
        _, _, psi = planes(policy[t], scheme)
        p, phi = load(policy[t], t + offset, scales, work[2], scheme)
        spread(q, mass[t].reshape((rows, n)), psi, scheme.parts)
        convolution(come, q, work, t + offset, scales, p, True, scheme)
        arrive(mass[t + 1].reshape((rows, n)), phi, come, scheme.parts)


forward, forward_parallel = jit(_forward), jit(_forward, parallel=True)


def _carry(q, phi, direction, slope, mean, t, steps, parts):
    """q = phi' dv, dv = dl_t + DA_t, with dl = slope direction, and DA = ``mean`` before the end."""
    rows, n = q.shape
    local, inner = slope.shape[0] > 0, t < steps
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            for i in range(n):
                q[r, i] = slope[t, r, i] * direction[t, r, i] if local else direction[t, r, i]
            if inner:
                for i in range(n):
                    q[r, i] += mean[t, r, i]
            for i in range(n):
                q[r, i] *= phi[r, i]


def _leave(q, dm, mass, mean, psi, eps, parts):
    """q = (dm + m DA / eps) / psi'."""
    rows, n = dm.shape
    rate = 1.0 / eps
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            for i in range(n):
                u = dm[r, i] + mass[r, i] * mean[r, i] * rate
                q[r, i] = u / psi[r, i] if psi[r, i] > 0.0 else 0.0


def _kept(out, direction, identity, dm, parts):
    """out = identity direction - dm."""
    rows, n = dm.shape
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            for i in range(n):
                out[r, i] = identity * direction[r, i] - dm[r, i]


def _land(dm, phi, q, mass, direction, slope, mean, t, steps, eps, parts):
    """dm = phi' q - m dv / eps, with the dv of `_carry`."""
    rows, n = dm.shape
    local, inner, rate = slope.shape[0] > 0, t < steps, 1.0 / eps
    for part_ in prange(parts):
        part = np.int64(part_)
        for r in range(rows * part // parts, rows * (part + 1) // parts):
            for i in range(n):
                dm[r, i] = slope[t, r, i] * direction[t, r, i] if local else direction[t, r, i]
            if inner:
                for i in range(n):
                    dm[r, i] += mean[t, r, i]
            for i in range(n):
                dm[r, i] = phi[r, i] * q[r, i] - mass[r, i] * dm[r, i] * rate


carry, carry_parallel = jit(_carry), jit(_carry, parallel=True)
leave, leave_parallel = jit(_leave), jit(_leave, parallel=True)
kept, kept_parallel = jit(_kept), jit(_kept, parallel=True)
land, land_parallel = jit(_land), jit(_land, parallel=True)


def _curvature(policy, mass, direction, slope, result, identity, scheme):
    """result = identity direction - K (slope direction), K = d mass / d (weighted price); ``slope`` may have no level.

    ``result`` holds DA in between.
    """
    work, scales = empty_levels(scheme, 6)
    rows, n = scheme.free.shape
    steps, parts, levels = policy.shape[0], scheme.parts, (policy.shape[0] + 1, rows, n)
    m, d, out = mass.reshape(levels), direction.reshape(levels), result.reshape(levels)
    s = slope.reshape(levels) if slope.shape[0] > 0 else np.empty((0, rows, n))
    ones, q, come, dm = work[2], work[3], work[4], work[5]
    for t in range(steps - 1, -1, -1):
        _, _, psi = planes(policy[t], scheme)
        p, phi = load(policy[t], t, scales, ones, scheme)
        carry(q, phi, d, s, out, t + 1, steps, parts)
        convolution(come, q, work, t, scales, p, False, scheme)
        spread(out[t], come, psi, parts)
    dm[:] = 0.0
    for t in range(steps):
        _, _, psi = planes(policy[t], scheme)
        p, phi = load(policy[t], t, scales, ones, scheme)
        eps = scheme.entropy[t]
        leave(q, dm, m[t], out[t], psi, eps, parts)
        convolution(come, q, work, t, scales, p, True, scheme)
        kept(out[t], d[t], identity, dm, parts)
        land(dm, phi, come, m[t + 1], d, s, out, t + 1, steps, eps, parts)
    kept(out[steps], d[steps], identity, dm, parts)


curvature, curvature_parallel = jit(_curvature), jit(_curvature, parallel=True)


def _movement(policy, mass, scheme):
    """sum_t <m_t, a_t> - <m_{t+1}, v_{t+1}>, the cost of all moves: of a level sum m (A - eps log psi') and
    sum m (B - eps log phi')."""
    work, scales = empty_levels(scheme, 1)
    rows, n = scheme.free.shape
    total = 0.0
    for t in range(policy.shape[0]):
        _, _, psi = planes(policy[t], scheme)
        p, phi = load(policy[t], t, scales, work[0], scheme)
        eps, cuts = scheme.entropy[t], scheme.cuts[p]
        here, there = mass[t].reshape((rows, n)), mass[t + 1].reshape((rows, n))
        total += mean_value(here, psi, scales[scheme.axes.size], eps, cuts) - mean_value(
            there, phi, scales[0], eps, cuts
        )
    return total


def _mean_value(mass, level, scale, eps, cuts):
    """sum mass (scale - eps log level)."""
    rows, n = mass.shape
    sums = np.zeros(n)
    for r in range(rows):
        b, stop = 0, np.int64(0)
        while stop < n:
            start, stop = cuts[b], cuts[b + 1]
            here, part, m, tile = scale[r, b], sums[start:stop], mass[r, start:stop], level[r, start:stop]
            for i in range(part.size):
                part[i] += m[i] * (here - eps * log(tile[i] if tile[i] > 0.0 else 1.0))
            b += 1
    return sum_of(sums)


mean_value = jit(_mean_value)
movement = jit(_movement)
