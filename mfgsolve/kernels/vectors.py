"""Passes over Krylov vectors and over mass and price: each does all it can while a level is at hand.

Sums run over time cell by cell (vector operations, in one order whatever the compiler does) and over cells at the end.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit


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
    return sums.sum()


def _descend(scale, residual, image, length):
    """residual -= length image; returns sum scale residual^2."""
    sums = np.zeros(residual.shape[1])
    for t in range(residual.shape[0]):
        r, q, s = residual[t], image[t], scale[t]
        for i in range(r.size):
            r[i] -= length * q[i]
            sums[i] += s[i] * r[i] * r[i]
    return sums.sum()


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


def _crowd_totals(weights, price, mass):
    """sum_t weight_t <price_t, m_t>, and the same of |price| (mass is nowhere negative); arrays (levels, cells)."""
    cost, size = np.zeros(mass.shape[1]), np.zeros(mass.shape[1])
    for t in range(price.shape[0]):
        weight = weights[t]
        if weight != 0.0:
            for i in range(cost.size):
                paid = weight * price[t, i] * mass[t, i]
                cost[i] += paid
                size[i] += abs(paid)
    return cost.sum(), size.sum()


inner, descend, add, turn, crowd_totals = jit(_inner), jit(_descend), jit(_add), jit(_turn), jit(_crowd_totals)
