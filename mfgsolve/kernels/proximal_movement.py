"""Best speeds where moving costs c r^p / p, and leaving the former speeds eps |s - former|^2 / 2; one time level.

Legend as in `mfgsolve.kernels.movement`; ``former`` (moves, cells) are the speeds that agents had before, ``stiff`` is
eps > 0.  With g_e = (W(x) - W(x + e)) / h, of either sign, u_e = max(former_e + g_e / eps, 0), U its size in a group,

    min over s >= 0, r(s) <= most of   c r^p / p + eps |s - former|^2 / 2 - s . g
        at   s = (r / U) u,   c r^(p - 1) + eps r = eps U   (p = 1: r = max(U - c / eps, 0)),   r <= most

the proximal point of the cost of moving.  r grows by at most 1 where U does, so that no derivative exceeds 1 / eps.
"""

from __future__ import annotations

import math

import numpy as np

from mfgsolve.kernels import jit

NEWTON = 100  # most iterations for a size


def _at(values, k, i):
    """Of row k: the number of cell i, or the one of all cells."""
    return values[k, i if values.shape[1] > 1 else 0]


def _size(wish, c, p, stiff, most):
    """r for the size ``wish`` of u: for p > 2 Newton's method from above on a convex function, else from below on a
    concave one; both are monotone."""
    if wish == 0.0:
        return 0.0
    if p == 1.0:
        return min(max(wish - c / stiff, 0.0), most)
    if p == 2.0 or c == 0.0:
        return min(stiff * wish / (c + stiff), most)
    if p > 2.0:
        r = min(wish, (stiff * wish / c) ** (1.0 / (p - 1.0)))
    else:
        r = min(0.5 * wish, (0.5 * stiff * wish / c) ** (1.0 / (p - 1.0)))
    for _ in range(NEWTON):
        power = c * r ** (p - 2.0)
        change = (power * r + stiff * (r - wish)) / (power * (p - 1.0) + stiff)
        r -= change
        if abs(change) <= 1e-15 * r:
            break
    return min(r, most)


def _growth(r, wish, c, p, stiff, most):
    """dr / dU."""
    if r >= most or (p == 1.0 and r == 0.0):
        return 0.0
    if p == 1.0 or c == 0.0:
        return 1.0
    if p == 2.0:
        return stiff / (c + stiff)
    return stiff / (c * (p - 1.0) * r ** (p - 2.0) + stiff) if r > 0.0 else (1.0 if p > 2.0 else 0.0)


def _paid(r, p):
    """r^p / p."""
    if p == 1.0:
        return r
    if p == 2.0:
        return 0.5 * r * r
    return r**p / p


row_at, size, growth, paid = jit(_at), jit(_size), jit(_growth), jit(_paid)


def _wishes(after, former, near, pace, first, last, stiff, i, wish):
    """u of a group of moves in a cell, and U."""
    square = 0.0
    for k in range(first, last):
        slope = (after[i] - after[near[k, i]]) * row_at(pace, k, i)
        wish[k] = max(former[k, i] + slope / stiff, 0.0) if near[k, i] != i else 0.0
        square += wish[k] * wish[k]
    return math.sqrt(square)


wishes = jit(_wishes)


def _best(after, weight, former, near, pace, most, group, p, stiff, dt, value):
    """value = W + dt sum over groups of (c r^p / p + eps |s - former|^2 / 2 - s . g)."""
    groups, cells = most.shape[0], after.size
    wish = np.zeros(6)
    for i in range(cells):
        c, v = weight[i if weight.size > 1 else 0], 0.0
        for j in range(groups):
            first, last = j * group, (j + 1) * group
            whole = wishes(after, former, near, pace, first, last, stiff, i, wish)
            r = size(whole, c, p, stiff, row_at(most, j, i))
            share = r / whole if whole > 0.0 else 0.0
            v += c * paid(r, p)
            for k in range(first, last):
                s, slope = share * wish[k], (after[i] - after[near[k, i]]) * row_at(pace, k, i)
                v += 0.5 * stiff * (s - former[k, i]) ** 2 - s * slope
        value[i] = after[i] + dt * v


def _speeds(after, weight, former, near, pace, most, group, p, stiff, speed):
    """The best speeds (moves, cells)."""
    groups, cells = most.shape[0], after.size
    wish = np.zeros(6)
    for i in range(cells):
        c = weight[i if weight.size > 1 else 0]
        for j in range(groups):
            first, last = j * group, (j + 1) * group
            whole = wishes(after, former, near, pace, first, last, stiff, i, wish)
            share = size(whole, c, p, stiff, row_at(most, j, i)) / whole if whole > 0.0 else 0.0
            for k in range(first, last):
                speed[k, i] = share * wish[k]


best, speeds = jit(_best), jit(_speeds)


def _push_change(after, weight, former, near, pace, most, group, p, stiff, dt, mass, change, moved):
    """moved = change of the mass after the moves when W changes by ``change``.

        ds_e = (r / U) (du_e - u_e (u . du) / U^2) + (dr / dU) u_e (u . du) / U^2,    du_e = dg_e / eps where u_e > 0

    A move that is wished for by nobody and shunned by nobody, u_e = 0 exactly, is half wished for.
    """
    groups, cells = most.shape[0], after.size
    wish, turns = np.zeros(6), np.zeros(6)
    for i in range(cells):
        moved[i] = 0.0
    for i in range(cells):
        m = mass[i]
        if m == 0.0:
            continue
        c = weight[i if weight.size > 1 else 0]
        for j in range(groups):
            first, last = j * group, (j + 1) * group
            whole = wishes(after, former, near, pace, first, last, stiff, i, wish)
            top = row_at(most, j, i)
            r, dot = size(whole, c, p, stiff, top), 0.0
            for k in range(first, last):
                h = row_at(pace, k, i)
                turn = (change[i] - change[near[k, i]]) * h / stiff
                exact = former[k, i] * stiff + (after[i] - after[near[k, i]]) * h == 0.0
                turns[k] = turn if wish[k] > 0.0 else 0.5 * turn if exact else 0.0
                dot += wish[k] * turns[k]
            rise = growth(r, whole, c, p, stiff, top)
            share = r / whole if whole > 0.0 else rise
            radial = (rise - share) * dot / (whole * whole) if whole > 0.0 else 0.0
            for k in range(first, last):
                flux = dt * row_at(pace, k, i) * (share * turns[k] + radial * wish[k]) * m
                moved[i] -= flux
                moved[near[k, i]] += flux


push_change = jit(_push_change)
