"""Passes over Krylov vectors and over mass and price: each does all it can while a level is at hand.

A sum runs in several chains within a level, then over levels, always in the same order.
"""

from __future__ import annotations

from mfgsolve.kernels import jit


def _product(scale, a, b):
    """sum scale a b on one level."""
    total = 0.0
    for i in range(a.size):
        total += scale[i] * a[i] * b[i]
    return total


def _reduce(scale, residual, image, length):
    """residual -= length image on one level; returns sum scale residual^2."""
    total = 0.0
    for i in range(residual.size):
        r = residual[i] - length * image[i]
        residual[i] = r
        total += scale[i] * r * r
    return total


product, reduce_level = jit(_product, relax=("reassoc",)), jit(_reduce, relax=("contract", "reassoc"))


def _inner(scale, a, b):
    """sum scale a b; arrays are (levels, cells), and a scale of one level stands for all of them."""
    total = 0.0
    for t in range(a.shape[0]):
        total += product(scale[t if scale.shape[0] > 1 else 0], a[t], b[t])
    return total


def _descend(scale, residual, image, length):
    """residual -= length image; returns sum scale residual^2, with a scale as in `inner`."""
    total = 0.0
    for t in range(residual.shape[0]):
        total += reduce_level(scale[t if scale.shape[0] > 1 else 0], residual[t], image[t], length)
    return total


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


def _crowd(price, mass):
    """sum price mass and sum |price| mass on one level."""
    cost, size = 0.0, 0.0
    for i in range(price.size):
        part = price[i] * mass[i]
        cost += part
        size += abs(part)
    return cost, size


crowd = jit(_crowd, relax=("reassoc",))


def _crowd_totals(weights, price, mass):
    """sum_t weight_t <price_t, m_t>, and the same of |price| (mass is nowhere negative); arrays (levels, cells)."""
    cost, size = 0.0, 0.0
    for t in range(price.shape[0]):
        if weights[t] != 0.0:
            a, b = crowd(price[t], mass[t])
            cost += weights[t] * a
            size += weights[t] * b
    return cost, size


inner, descend, add, turn, crowd_totals = jit(_inner), jit(_descend), jit(_add), jit(_turn), jit(_crowd_totals)
