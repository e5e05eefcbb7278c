"""Best speeds where moving costs c r^p / p, not c |a|^2 / 2, on one time level; r the size of the speeds of a group.

Legend, beside that of the package: cells are in one row.  ``near`` (moves, cells) is where each move leads, the cell
itself where a wall is; moves 2 k and 2 k + 1 are opposite.  ``pace`` (moves, cells or 1) is 1 / distance.  A *group* is
``group`` moves that follow each other: all of them, or those along one axis; ``most`` (groups, cells or 1) is its
largest r.  ``weight`` (cells or 1) is c.  With the slopes g_e = max((W(x) - W(x + e)) / h, 0) and their size G in a
group,

    r = min((G / c)^(1 / (p - 1)), most),   s_e = r g_e / G,   gain = c r^p / p - r G       for p > 1
    r = most where G > c, else 0                                                            for p = 1
"""

from __future__ import annotations

import math

import numpy as np

from mfgsolve.kernels import jit


def _at(values, k, i):
    """Of row k: the number of cell i, or the one of all cells."""
    return values[k, i if values.shape[1] > 1 else 0]


def _size(slope, c, p, most):
    """The best r for slopes of size ``slope``."""
    if slope == 0.0:
        return 0.0
    if p == 1.0:
        return most if slope > c else 0.0
    if p == 2.0:
        return min(slope / c, most)
    return min((slope / c) ** (1.0 / (p - 1.0)), most)


def _paid(r, p):
    """r^p / p."""
    if p == 1.0:
        return r
    if p == 2.0:
        return 0.5 * r * r
    return r**p / p


row_at, size, paid = jit(_at), jit(_size), jit(_paid)


def _steepness(after, near, pace, first, last, i):
    """G of a group of moves in a cell."""
    square = 0.0
    for k in range(first, last):
        slope = (after[i] - after[near[k, i]]) * row_at(pace, k, i)
        if slope > 0.0:
            square += slope * slope
    return math.sqrt(square)


steepness = jit(_steepness)


def _best(after, weight, near, pace, most, group, p, dt, value):
    """value = W + dt sum over groups of (c r^p / p - r G)."""
    groups, cells = most.shape[0], after.size
    for i in range(cells):
        c, v = weight[i if weight.size > 1 else 0], 0.0
        for j in range(groups):
            g = steepness(after, near, pace, j * group, (j + 1) * group, i)
            r = size(g, c, p, row_at(most, j, i))
            v += c * paid(r, p) - r * g
        value[i] = after[i] + dt * v


def _speeds(after, weight, near, pace, most, group, p, speed):
    """The best speeds (moves, cells)."""
    groups, cells = most.shape[0], after.size
    for i in range(cells):
        c = weight[i if weight.size > 1 else 0]
        for j in range(groups):
            g = steepness(after, near, pace, j * group, (j + 1) * group, i)
            share = size(g, c, p, row_at(most, j, i)) / g if g > 0.0 else 0.0
            for k in range(j * group, (j + 1) * group):
                slope = (after[i] - after[near[k, i]]) * row_at(pace, k, i)
                speed[k, i] = share * max(slope, 0.0)


def _tolls(after, weight, near, pace, most, group, p, toll):
    """toll = sum over groups of r^p / p: the change of the least cost per unit time when c changes by 1."""
    groups, cells = most.shape[0], after.size
    for i in range(cells):
        c, v = weight[i if weight.size > 1 else 0], 0.0
        for j in range(groups):
            g = steepness(after, near, pace, j * group, (j + 1) * group, i)
            v += paid(size(g, c, p, row_at(most, j, i)), p)
        toll[i] = v


best, speeds, tolls = jit(_best), jit(_speeds), jit(_tolls)


def _expect(speed, near, pace, dt, level, mean):
    """mean = level + dt sum_e s_e (level(x + e) - level) / h."""
    for i in range(level.size):
        v = 0.0
        for k in range(near.shape[0]):
            v += speed[k, i] * row_at(pace, k, i) * (level[near[k, i]] - level[i])
        mean[i] = level[i] + dt * v


def _push(speed, near, pace, dt, mass, moved):
    """moved = mass - what goes + what comes: the transpose."""
    for i in range(mass.size):
        moved[i] = mass[i]
    for i in range(mass.size):
        m = mass[i]
        if m == 0.0:
            continue
        for k in range(near.shape[0]):
            flux = dt * row_at(pace, k, i) * speed[k, i] * m
            moved[i] -= flux
            moved[near[k, i]] += flux


expect, push = jit(_expect), jit(_push)


def _push_change(after, weight, near, pace, most, group, p, dt, mass, change, dearer, floor, slow, moved):
    """moved = change of `push` of the mass when W changes by ``change``, and c by the share ``dearer`` (cells or 0).

        ds_e = phi (dg_e + (q - 2) g_e (g . dg) / G^2) - s_e dc / (c (p - 1)),   phi = (G / c)^(1 / (p - 1)) / G

    with q = p / (p - 1); at the cap (q - 2) is -1, phi = most / G, and c changes nothing.  Where p > 2, phi has no
    bound at G = 0: there it is that of the speed ``floor``, in this derivative alone; and (q - 2) fades from the speed
    ``slow`` down, s_e = phi g_e with phi as it is (Kacanov): a full Newton step on a root |g|^(q - 1) with q < 2 jumps
    from one side of g = 0 to the other.  A face across which W is even is shared by its two sides, half and half.
    """
    groups, cells = most.shape[0], after.size
    bend = (2.0 - p) / (p - 1.0) if p > 1.0 else 0.0  # q - 2
    slopes, changes = np.zeros(6), np.zeros(6)
    for i in range(cells):
        moved[i] = 0.0
    for i in range(cells):
        m = mass[i]
        if m == 0.0:
            continue
        c = weight[i if weight.size > 1 else 0]
        for j in range(groups):
            first, last = j * group, (j + 1) * group
            square, dot = 0.0, 0.0
            for k in range(first, last):
                h = row_at(pace, k, i)
                slope, turn = (after[i] - after[near[k, i]]) * h, (change[i] - change[near[k, i]]) * h
                slopes[k] = max(slope, 0.0)
                changes[k] = turn if slope > 0.0 else 0.5 * turn if slope == 0.0 else 0.0
                square += slopes[k] * slopes[k]
                dot += slopes[k] * changes[k]
            g, top = math.sqrt(square), row_at(most, j, i)
            r = size(g, c, p, top)
            if r >= top and g > 0.0:
                phi, radial, other = top / g, -dot / square, 0.0
            else:
                least = c * floor ** (p - 1.0) if p > 2.0 else 0.0
                steep = max(g, least)
                phi = 1.0 / c if p == 2.0 else size(steep, c, p, top) / steep if steep > 0.0 else 0.0
                radial = bend * dot / (steep * steep) if steep > 0.0 else 0.0
                if p > 2.0 and r < slow:
                    radial *= (r / slow) ** 2
                other = -dearer[i] / (p - 1.0) * (r / g) if dearer.size > 0 and g > 0.0 else 0.0
            for k in range(first, last):
                turned = phi * (changes[k] + radial * slopes[k]) + other * slopes[k]
                flux = dt * row_at(pace, k, i) * turned * m
                moved[i] -= flux
                moved[near[k, i]] += flux


push_change = jit(_push_change)
