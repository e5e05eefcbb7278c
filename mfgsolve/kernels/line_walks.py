"""Implicit noise of rates that differ from cell to cell, along one axis, on one time level.

Legend: levels are (outer, n, inner), the axis in the middle; ``right`` and ``left`` (outer, n, inner) are the chances
of `mfgsolve.steps.walks`: from its cell an agent goes on to the next one with chance ``right`` as often as it likes,
then back with chance ``left``, and stays.  With R and L the matrices of the two sweeps, N = R L, so that

    values   (L v)_i = (1 - left_i) v_i + left_i (L v)_{i-1},    (R u)_i = (1 - right_i) u_i + right_i (R u)_{i+1}
    masses   the transposes: what is carried on from cell to cell, less what stays there, so that no mass is lost

Around a ring what comes back after one turn, C + P c of a start c, has the fixed point c = C / (1 - P).

One call is one sweep, on from cell to cell or ``back``; ``out`` may be ``level`` itself.  Lines whose cells follow each
other in memory are swept one by one, others side by side, which is many times as fast there.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit


def _masses(level, share, back, ring, out):
    """Line by line."""
    outer, n, inner = level.shape
    start, side = (n - 1, -1) if back else (0, 1)
    for o in range(outer):
        for j in range(inner):
            carry = 0.0
            if ring:
                turn = 1.0
                for k in range(n):
                    i = start + side * k
                    carry = share[o, i, j] * (level[o, i, j] + carry)
                    turn *= share[o, i, j]
                carry /= 1.0 - turn
            for k in range(n):
                i = start + side * k
                here = level[o, i, j] + carry
                carry = share[o, i, j] * here
                out[o, i, j] = here - carry


def _values(level, share, back, ring, out):
    """Line by line."""
    outer, n, inner = level.shape
    start, side = (n - 1, -1) if back else (0, 1)
    for o in range(outer):
        for j in range(inner):
            u = 0.0
            if ring:
                turn = 1.0
                for k in range(n):
                    i = start + side * k
                    u = (1.0 - share[o, i, j]) * level[o, i, j] + share[o, i, j] * u
                    turn *= share[o, i, j]
                u /= 1.0 - turn
            for k in range(n):
                i = start + side * k
                u = (1.0 - share[o, i, j]) * level[o, i, j] + share[o, i, j] * u
                out[o, i, j] = u


def _masses_across(level, share, back, ring, out):
    """Lines side by side."""
    outer, n, inner = level.shape
    start, side = (n - 1, -1) if back else (0, 1)
    carry, turn = np.empty(inner), np.empty(inner)
    for o in range(outer):
        for j in range(inner):
            carry[j], turn[j] = 0.0, 1.0
        if ring:
            for k in range(n):
                i = start + side * k
                for j in range(inner):
                    carry[j] = share[o, i, j] * (level[o, i, j] + carry[j])
                    turn[j] *= share[o, i, j]
            for j in range(inner):
                carry[j] /= 1.0 - turn[j]
        for k in range(n):
            i = start + side * k
            for j in range(inner):
                here = level[o, i, j] + carry[j]
                carry[j] = share[o, i, j] * here
                out[o, i, j] = here - carry[j]


def _values_across(level, share, back, ring, out):
    """Lines side by side."""
    outer, n, inner = level.shape
    start, side = (n - 1, -1) if back else (0, 1)
    u, turn = np.empty(inner), np.empty(inner)
    for o in range(outer):
        for j in range(inner):
            u[j], turn[j] = 0.0, 1.0
        if ring:
            for k in range(n):
                i = start + side * k
                for j in range(inner):
                    u[j] = (1.0 - share[o, i, j]) * level[o, i, j] + share[o, i, j] * u[j]
                    turn[j] *= share[o, i, j]
            for j in range(inner):
                u[j] /= 1.0 - turn[j]
        for k in range(n):
            i = start + side * k
            for j in range(inner):
                u[j] = (1.0 - share[o, i, j]) * level[o, i, j] + share[o, i, j] * u[j]
                out[o, i, j] = u[j]


masses, values = jit(_masses), jit(_values)
masses_across, values_across = jit(_masses_across), jit(_values_across)


def applied(level: np.ndarray, right: np.ndarray, left: np.ndarray, ring: bool, transpose: bool) -> np.ndarray:
    """N level, or its transpose, as a new array; all of them (outer, n, inner)."""
    out, across = np.empty(level.shape), level.shape[2] > 1
    if transpose:
        sweep, there, back = masses_across if across else masses, right, left
    else:
        sweep, there, back = values_across if across else values, left, right
    sweep(level, there, False, ring, out)
    sweep(out, back, True, ring, out)
    return out
