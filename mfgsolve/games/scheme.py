"""Coefficients of the scheme as kernels take them, and the factors of its implicit noise.

Factors of the implicit noise operator along one axis: LDL^T of the tridiagonal I - nu dt Lap, line by line.

A face between two free cells has conductance nu dt / h^2, any other face none.  Along a periodic line that is free at
both ends the missing face is put back by one rank-one correction (Sherman-Morrison) with u = e_first - e_last:
(A + k u u^T)^-1 v = y - wrap (y_first - y_last),  y = A^-1 v,  wrap = k A^-1 u / (1 + k u.A^-1 u).
"""

from __future__ import annotations

import math

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels.scheme import EXPLICIT, IMPLICIT, NO_NOISE, Scheme

__all__ = ["make_scheme", "noise_factors"]


def noise_factors(mask: np.ndarray, axis: int, rate: float, periodic: bool) -> np.ndarray:
    """Stack (4, z, y, x) of pivot, lower, upper, wrap; without blocked cells the other axes have length 1."""
    if not mask.any():
        size = [1, 1, 1]
        size[axis] = mask.shape[axis]
        mask = np.zeros(size, dtype=bool)
    free = np.moveaxis(~mask, axis, 0)
    n = free.shape[0]
    face = rate * (free[1:] & free[:-1])
    closed = np.zeros((1, *free.shape[1:]))
    below, above = np.concatenate([closed, face]), np.concatenate([face, closed])
    pivot, lower, upper = np.empty(free.shape), np.empty(free.shape), np.empty(free.shape)
    excess = np.ones(free.shape[1:])  # what a pivot has beyond the face after it; adding it up never cancels
    for i in range(n):
        if i:
            excess = 1.0 + below[i] * excess * pivot[i - 1]
        pivot[i] = 1.0 / (excess + above[i])
        lower[i], upper[i] = below[i] * pivot[i], above[i] * pivot[i]
    wrap = np.zeros(free.shape)
    if periodic:
        unit = np.zeros(free.shape)
        unit[0], unit[-1] = 1.0, -1.0
        for i in range(n):
            unit[i] = pivot[i] * unit[i] + (lower[i] * unit[i - 1] if i else 0.0)
        for i in range(n - 2, -1, -1):
            unit[i] += upper[i] * unit[i + 1]
        ring = rate * (free[0] & free[-1])
        wrap = ring * unit / (1.0 + ring * (unit[0] - unit[-1]))
    return np.ascontiguousarray(np.moveaxis(np.stack([pivot, lower, upper, wrap]), 1, axis + 1))


def make_scheme(grid: Grid, time: TimeGrid, viscosity: float, noise: str, control_cost: float, parts: int) -> Scheme:
    """Coefficients of the kernels for one grid and its steps; ``parts`` is how many threads share a time level."""
    dt = time.dt
    missing = 3 - grid.ndim
    spacing = np.array([1.0] * missing + [a.spacing for a in grid.axes])
    active = np.array([0.0] * missing + [1.0] * grid.ndim)
    rate = active * viscosity * dt / spacing**2
    if noise == "explicit" and 2 * rate.sum() > 1:
        steps = math.ceil(2 * rate.sum() / dt)
        raise InputError(
            f"explicit noise needs nu dt sum 2/h^2 <= 1 and has {2 * rate.sum():.4g}; "
            f"take a time step at most {dt / (2 * rate.sum()):.4g} (about {steps} steps per unit of time) "
            "or noise='implicit'"
        )
    kind = NO_NOISE if viscosity == 0 else EXPLICIT if noise == "explicit" else IMPLICIT
    mask = grid.mask.reshape((1,) * missing + grid.shape)
    periodic = np.array([0] * missing + [int(a.periodic) for a in grid.axes], dtype=np.int64)
    factors = [noise_factors(mask, axis, rate[axis], bool(periodic[axis])) for axis in range(3)]
    masked = bool(mask.any())
    return Scheme(
        dt=float(dt),
        control_cost=np.full(time.steps, float(control_cost)),
        spacing=spacing,
        cap=active * spacing / (2 * grid.ndim * dt),
        periodic=periodic,
        noise=kind,
        rate=rate,
        factors_z=factors[0],
        factors_y=factors[1],
        factors_x=factors[2],
        masked=int(masked),
        open=(~mask).astype(float) if masked else np.ones((1, 1, 1)),
        blocked=np.flatnonzero(mask).astype(np.int64),
        parts=parts,
    )
