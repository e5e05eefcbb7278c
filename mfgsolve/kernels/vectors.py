"""Krylov vectors: each pass over memory does all it can.  Sums run in eight chains and then over levels, in one order."""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit


def _dot(a, b):
    """sum a b"""
    n = a.size // 8 * 8
    s0, s1, s2, s3, s4, s5, s6, s7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(0, n, 8):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
        s4 += a[i + 4] * b[i + 4]
        s5 += a[i + 5] * b[i + 5]
        s6 += a[i + 6] * b[i + 6]
        s7 += a[i + 7] * b[i + 7]
    for i in range(n, a.size):
        s0 += a[i] * b[i]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


dot = jit(_dot)


def _level(scale, a, b, product):
    """sum scale a b on one level; an empty scale stands for 1."""
    if scale.size == 0:
        return dot(a, b)
    for i in range(a.size):
        product[i] = scale[i] * a[i]
    return dot(product, b)


level = jit(_level)


def _inner(scale, a, b):
    """sum scale a b over arrays (levels, cells); an empty scale stands for 1."""
    total, product = 0.0, np.empty(a.shape[1])
    none = np.empty(0)
    for t in range(a.shape[0]):
        total += level(scale[t] if scale.size > 0 else none, a[t], b[t], product)
    return total


def _advance(solution, residual, direction, image, length, scale):
    """solution += length direction, residual -= length image; returns sum scale residual^2, level by level in cache."""
    total, product = 0.0, np.empty(solution.shape[1])
    none = np.empty(0)
    for t in range(solution.shape[0]):
        d, r, p, q = solution[t], residual[t], direction[t], image[t]
        for i in range(d.size):
            d[i] += length * p[i]
            r[i] -= length * q[i]
        total += level(scale[t] if scale.size > 0 else none, r, r, product)
    return total


def _turn(direction, residual, share):
    """direction = residual + share direction."""
    for t in range(direction.shape[0]):
        p, r = direction[t], residual[t]
        for i in range(p.size):
            p[i] = r[i] + share * p[i]


inner, advance, turn = jit(_inner), jit(_advance), jit(_turn)
