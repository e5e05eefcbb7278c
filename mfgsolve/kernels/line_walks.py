"""Implicit noise of rates that differ from cell to cell, along one axis, on one time level.

Legend: levels are (outer, n, inner), the axis in the middle; ``right`` and ``left`` (outer, n, inner) are the chances
of `mfgsolve.steps.walks`: from its cell an agent goes on to the next one with chance ``right`` as often as it likes,
then back with chance ``left``, and stays.  With R and L the matrices of the two sweeps, N = R L, so that

    values   (L v)_i = (1 - left_i) v_i + left_i (L v)_{i-1},    (R u)_i = (1 - right_i) u_i + right_i (R u)_{i+1}
    masses   the transposes: what is carried on from cell to cell, less what stays there, so that no mass is lost

Around a ring what comes back after one turn, C + P c of a start c, has the fixed point c = C / (1 - P).
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit


def _push(mass, right, left, ring, out):
    """out = N' mass."""
    outer, n, inner = mass.shape
    for o in range(outer):
        for j in range(inner):
            carry = 0.0
            if ring:
                turn = 1.0
                for i in range(n):
                    carry = right[o, i, j] * (mass[o, i, j] + carry)
                    turn *= right[o, i, j]
                carry /= 1.0 - turn
            for i in range(n):
                here = mass[o, i, j] + carry
                carry = right[o, i, j] * here
                out[o, i, j] = here - carry
            carry = 0.0
            if ring:
                turn = 1.0
                for i in range(n - 1, -1, -1):
                    carry = left[o, i, j] * (out[o, i, j] + carry)
                    turn *= left[o, i, j]
                carry /= 1.0 - turn
            for i in range(n - 1, -1, -1):
                here = out[o, i, j] + carry
                carry = left[o, i, j] * here
                out[o, i, j] = here - carry


def _expect(value, right, left, ring, out):
    """out = N value."""
    outer, n, inner = value.shape
    for o in range(outer):
        for j in range(inner):
            u = 0.0
            if ring:
                turn = 1.0
                for i in range(n):
                    u = (1.0 - left[o, i, j]) * value[o, i, j] + left[o, i, j] * u
                    turn *= left[o, i, j]
                u /= 1.0 - turn
            for i in range(n):
                u = (1.0 - left[o, i, j]) * value[o, i, j] + left[o, i, j] * u
                out[o, i, j] = u
            u = 0.0
            if ring:
                turn = 1.0
                for i in range(n - 1, -1, -1):
                    u = (1.0 - right[o, i, j]) * out[o, i, j] + right[o, i, j] * u
                    turn *= right[o, i, j]
                u /= 1.0 - turn
            for i in range(n - 1, -1, -1):
                u = (1.0 - right[o, i, j]) * out[o, i, j] + right[o, i, j] * u
                out[o, i, j] = u


push, expect = jit(_push), jit(_expect)


def applied(level: np.ndarray, right: np.ndarray, left: np.ndarray, ring: bool, transpose: bool) -> np.ndarray:
    """N level, or its transpose, as a new array; all of them (outer, n, inner)."""
    out = np.empty(level.shape)
    (push if transpose else expect)(level, right, left, ring, out)
    return out
