"""The numbers of one scheme, as kernels take them, and the few formulas of the control that all kernels share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mfgsolve.kernels import jit

WALL = 1e30  # value inside a blocked cell: nobody ever chooses to move there

NO_NOISE, IMPLICIT, EXPLICIT = 0, 1, 2


class Scheme(NamedTuple):
    """Coefficients of a controlled diffusion on a grid; triples are in the order z, y, x."""

    dt: float
    control_cost: float
    spacing: np.ndarray  # (3,)
    cap: np.ndarray  # (3,) largest speed per axis, 0 on a missing axis
    periodic: np.ndarray  # (3,) int64
    noise: int  # NO_NOISE, IMPLICIT, EXPLICIT
    rate: np.ndarray  # (3,) viscosity dt / spacing^2
    factors_z: np.ndarray  # (4, z, y, x) or, without a mask, (4, z, 1, 1): pivot, lower, upper, wrap
    factors_y: np.ndarray
    factors_x: np.ndarray
    masked: int  # 1 if some cell is blocked
    open: np.ndarray  # (z, y, x) 1 free, 0 blocked; (1, 1, 1) without a mask
    blocked: np.ndarray  # flat indices of the blocked cells
    parts: int  # how many pieces of a time level run side by side


def _speed(drop, reach, cap):
    """Best speed across a face, positive away from here: clip(drop / (h c), -cap, cap).

    reach = 1 / (h c), drop = W(here) - W(there).  Only one side of a face ever wants to cross it, so that one signed
    number holds the best speeds of both.
    """
    return min(max(reach * drop, -cap), cap)


def _gain(drop, reach, cap, pay, per):
    """dt [c s^2 / 2 - |s| |drop| / h], never positive, for the side that crosses; with the sign of -drop.

    pay = dt c / 2, per = dt / h.  A negative number belongs to here, a positive one (negated) to there.
    """
    s = min(max(reach * drop, -cap), cap)
    return abs(s) * (pay * s - per * drop)


def _flux(drop, from_here, from_there, reach, cap, per):
    """Mass that crosses the face here -> there in one step, minus what crosses it the other way (upwind)."""
    s = min(max(reach * drop, -cap), cap)
    return per * s * (from_here if drop > 0.0 else from_there)


def _flux_change(drop, change, here, there, moved_here, moved_there, reach, cap, per):
    """Derivative of `_flux` when W changes by a drop of ``change`` and the mass by ``moved``."""
    s = min(max(reach * drop, -cap), cap)
    upwind, moved = (here, moved_here) if drop > 0.0 else (there, moved_there)
    free = upwind if (abs(s) < cap) & (s != 0.0) else 0.0
    return per * (s * moved + reach * change * free)


def _neighbours(row, n, stride, periodic):
    """Rows after and before ``row`` along an axis of ``n`` cells; the row itself where a wall stands."""
    j = (row // stride) % n
    after = row + stride if j + 1 < n else (row - (n - 1) * stride if periodic else row)
    before = row - stride if j > 0 else (row + (n - 1) * stride if periodic else row)
    return after, before


speed, gain, flux, flux_change, neighbours = jit(_speed), jit(_gain), jit(_flux), jit(_flux_change), jit(_neighbours)
