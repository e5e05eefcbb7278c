"""The numbers of one scheme, as kernels take them, and the few formulas of the control that all kernels share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from mfgsolve.kernels import jit

WALL = 1e30  # value inside a blocked cell: nobody ever chooses to move there

NO_NOISE, IMPLICIT, EXPLICIT = 0, 1, 2


class Scheme(NamedTuple):
    """Coefficients of a controlled diffusion on a grid; triples are in the order z, y, x.

    Where all cells of the grid are alike, ``spacing``, ``cap`` and ``rate`` hold numbers; else arrays, of every axis
    (one for each face, or cell): the kernels are compiled for either, and read both through `at`.
    """

    dt: float
    control_cost: np.ndarray  # (T,) c of moving in each step
    spacing: tuple[Any, Any, Any]  # float | (n,): distance from the centre of each cell to that of the next one
    cap: tuple[Any, Any, Any]  # float | (n,): largest speed across that face, 0 on a missing axis
    periodic: np.ndarray  # (3,) int64
    noise: int  # NO_NOISE, IMPLICIT, EXPLICIT
    rate: tuple[Any, Any, Any]  # float | (2, n): viscosity dt / (distance width), to the next cell and to the last one
    factors_z: np.ndarray  # (4, z, y, x) or, without a mask, (4, z, 1, 1): pivot, lower, upper, wrap
    factors_y: np.ndarray
    factors_x: np.ndarray
    mass_factors_z: np.ndarray  # the same of the transpose; where all cells are alike, the very same arrays
    mass_factors_y: np.ndarray
    mass_factors_x: np.ndarray
    ends: np.ndarray  # (3,) width of the first cell over that of the last one
    uneven: int  # 1 if cells differ
    masked: int  # 1 if some cell is blocked
    open: np.ndarray  # (z, y, x) 1 free, 0 blocked; (1, 1, 1) without a mask
    blocked: np.ndarray  # flat indices of the blocked cells
    parts: int  # how many pieces of a time level run side by side

    def during(self, steps: slice) -> Scheme:
        """The scheme of some of the steps, which the kernels count from 0."""
        return self._replace(control_cost=self.control_cost[steps])

    def distance(self, axis: int, side: int = 0) -> Any:
        """Distance to the cell after (side 0) or before (side 1) each cell along an axis (0 = z, 1 = y, 2 = x): a
        number, or an array that broadcasts to (z, y, x)."""
        return _beside(self.spacing[axis], axis, side)

    def fastest(self, axis: int, side: int = 0) -> Any:
        """Largest speed to that cell, in the same form."""
        return _beside(self.cap[axis], axis, side)


def _beside(faces: Any, axis: int, side: int) -> Any:
    """Numbers of the faces after each cell as those of the faces on one side of it, along an axis of (z, y, x)."""
    if not isinstance(faces, np.ndarray):
        return faces
    return np.roll(faces, side).reshape([-1 if k == axis else 1 for k in range(3)])


def at(values: Any, i: int) -> Any:
    """Number of a face: the one of all faces, or that of this one; -1 is the face that closes a ring."""
    return values[i] if isinstance(values, np.ndarray) else values


def toward(values: Any, side: int, i: int) -> Any:
    """Rate of a cell to the cell after (side 0) or before (side 1) it."""
    return values[side, i] if isinstance(values, np.ndarray) else values


def lines(rate: Any, factors: Any, mass_factors: Any, transpose: bool) -> Any:
    """Factors of the noise along an axis, or of its transpose: the very same, and no choice, where cells are alike."""
    return mass_factors if transpose and isinstance(rate, np.ndarray) else factors


@overload(at)
def _at(values, i):
    if isinstance(values, types.Array):
        return lambda values, i: values[i]
    return lambda values, i: values


@overload(toward)
def _toward(values, side, i):
    if isinstance(values, types.Array):
        return lambda values, side, i: values[side, i]
    return lambda values, side, i: values


@overload(lines)
def _lines(rate, factors, mass_factors, transpose):
    if isinstance(rate, types.Array):
        return lambda rate, factors, mass_factors, transpose: mass_factors if transpose else factors
    return lambda rate, factors, mass_factors, transpose: factors


# Across a face, drop = W(here) - W(there), and the *chance* of a jump in one step, q = dt s / h, is the control: one
# side of a face ever wants to cross it, so that one number, positive from here to there, holds the best choice of both.
# slope = dt / (h^2 c) is the chance per drop, most = dt cap / h = 1 / (2 d) the largest one.


def _chance(drop, slope, most):
    """Best q = dt s / h: clip(drop dt / (h^2 c), -most, most)."""
    return min(max(slope * drop, -most), most)


def _gain(drop, slope, most, pay):
    """dt c s^2 / 2 - |q drop| = |q| (|q| / (2 slope) - |drop|), never positive, with pay = 1 / (2 slope).

    It comes with the sign of -drop: a negative number belongs to here, a positive one (negated) to there.
    """
    q = min(max(slope * drop, -most), most)
    return abs(q) * (pay * q - drop)


def _flux(drop, here, there, slope, most):
    """Mass that crosses the face from here to there in one step, minus what crosses it the other way (upwind)."""
    return min(max(slope * drop, -most), most) * (here if drop > 0.0 else there)


def _flux_change(drop, change, here, there, moved_here, moved_there, slope, most):
    """Derivative of `_flux` when W changes by a drop of ``change`` and the mass by ``moved``; none from W at the cap.

    Where drop = 0 it is the derivative from one side, and exact where both cells hold the same mass (symmetric games).
    """
    wish = slope * drop
    q = min(max(wish, -most), most)
    upwind, moved = (here, moved_here) if drop > 0.0 else (there, moved_there)
    return q * moved + (slope * change) * (upwind if q == wish else 0.0)


def _rates(scheme, t):
    """For z, y, x: the slope dt / (h^2 c) of step t, and the largest chance dt cap / h; arrays where cells differ."""
    dt, c, h, cap = scheme.dt, scheme.control_cost[t], scheme.spacing, scheme.cap
    slope = (dt / (c * h[0] ** 2), dt / (c * h[1] ** 2), dt / (c * h[2] ** 2))
    return slope, (dt * cap[0] / h[0], dt * cap[1] / h[1], dt * cap[2] / h[2])


def _neighbours(row, n, stride, periodic):
    """Rows after and before ``row`` along an axis of ``n`` cells; the row itself where a wall stands."""
    j = (row // stride) % n
    after = row + stride if j + 1 < n else (row - (n - 1) * stride if periodic else row)
    before = row - stride if j > 0 else (row + (n - 1) * stride if periodic else row)
    return after, before


chance, gain, flux, flux_change = jit(_chance), jit(_gain), jit(_flux), jit(_flux_change)
rates, neighbours = jit(_rates), jit(_neighbours)
