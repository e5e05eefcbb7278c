"""Passes over Krylov vectors and over mass and price: each does all it can while a level is at hand.

Sums run over time cell by cell (vector operations, in one order whatever the compiler does) and over cells at the end.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit

LANES = 8  # minima side by side, so that they are vector operations


def _copy(target, source):
    """target = source, both (rows, cells); an assignment of arrays would compile texts of errors for seconds."""
    for r in range(target.shape[0]):
        for i in range(target.shape[1]):
            target[r, i] = source[r, i]


def _sum_of(sums):
    """Their sum, in order."""
    total = 0.0
    for i in range(sums.size):
        total += sums[i]
    return total


copy, sum_of = jit(_copy), jit(_sum_of)


def _gather(sums, scale, a, b):
    """sums += scale a b, cell by cell."""
    for i in range(sums.size):
        sums[i] += scale[i] * a[i] * b[i]


gather = jit(_gather)


def _inner(scale, a, b):
    """sum scale a b; arrays are (levels, cells), and a scale of one level stands for all of them."""
    sums = np.zeros(a.shape[1])
    for t in range(a.shape[0]):
        gather(sums, scale[t if scale.shape[0] > 1 else 0], a[t], b[t])
    return sum_of(sums)


def _descend(scale, residual, image, length):
    """residual -= length image; returns sum scale residual^2."""
    sums = np.zeros(residual.shape[1])
    for t in range(residual.shape[0]):
        r, q, s = residual[t], image[t], scale[t]
        for i in range(r.size):
            r[i] -= length * q[i]
            sums[i] += s[i] * r[i] * r[i]
    return sum_of(sums)


def _add(target, source, length):
    """target += length source."""
    for t in range(target.shape[0]):
        a, b = target[t], source[t]
        for i in range(a.size):
            a[i] += length * b[i]


def _turn(direction, residual, share):
    """direction = residual + share direction."""
    for t in range(direction.shape[0]):
        p, r = direction[t], residual[t]
        for i in range(p.size):
            p[i] = r[i] + share * p[i]


def _crowd_totals(weights, price, mass, shut):
    """sum_t weight_t <price_t, m_t>; the same of price - its least open value; and of |price| (no mass is negative).

    Arrays are (levels, cells); ``shut`` (cells,) is 0 where a cell is open and infinite where not.
    """
    cells = mass.shape[1]
    cost, above, size = np.zeros(cells), np.zeros(cells), np.zeros(cells)
    lanes = np.empty(LANES)
    for t in range(price.shape[0]):
        weight = weights[t]
        if weight != 0.0:
            lanes[:] = np.inf
            for j in range(0, cells - cells % LANES, LANES):
                for k in range(LANES):
                    here = price[t, j + k] + shut[j + k]
                    lanes[k] = here if here < lanes[k] else lanes[k]
            for i in range(cells - cells % LANES, cells):
                lanes[0] = min(lanes[0], price[t, i] + shut[i])
            least = lanes[0]
            for k in range(1, LANES):
                least = min(least, lanes[k])
            for i in range(cells):
                share = weight * mass[t, i]
                paid = share * price[t, i]
                cost[i] += paid
                above[i] += share * (price[t, i] - least)
                size[i] += abs(paid)
    return sum_of(cost), sum_of(above), sum_of(size)


def _excess(scale, a, direction, image):
    """sum scale a (image - direction), and sum scale direction (image - direction)."""
    cells = a.shape[1]
    first, second = np.zeros(cells), np.zeros(cells)
    for t in range(a.shape[0]):
        v, q, w, s = a[t], direction[t], image[t], scale[t]
        for i in range(cells):
            y = s[i] * (w[i] - q[i])
            first[i] += v[i] * y
            second[i] += q[i] * y
    return sum_of(first), sum_of(second)


def _advance(scale, solution, residual, image, direction, moved, twice, length):
    """solution += length direction, residual -= length moved, image -= length twice.

    Returns sum scale residual (image - residual), and sum scale image (twice - moved).
    """
    cells = residual.shape[1]
    first, second = np.zeros(cells), np.zeros(cells)
    for t in range(residual.shape[0]):
        x, r, v, p, q, w, s = solution[t], residual[t], image[t], direction[t], moved[t], twice[t], scale[t]
        for i in range(cells):
            x[i] += length * p[i]
            r[i] -= length * q[i]
            v[i] -= length * w[i]
            first[i] += s[i] * r[i] * (v[i] - r[i])
            second[i] += s[i] * v[i] * (w[i] - q[i])
    return sum_of(first), sum_of(second)


inner, descend, add, turn, crowd_totals = jit(_inner), jit(_descend), jit(_add), jit(_turn), jit(_crowd_totals)
excess, advance = jit(_excess), jit(_advance)
