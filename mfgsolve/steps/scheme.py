"""Coefficients of the scheme as kernels take them, and the factors of its implicit noise.

Factors of the implicit noise operator along one axis: LU of the tridiagonal I - nu dt Lap, line by line.

A cell goes to a neighbour at the rate nu dt / (d h), d the distance of their centres and h its own width: nu dt / h^2
where all cells are alike; no cell goes to or from a blocked one.  Along a periodic line that is free at both ends the
missing face is put back by one rank-one correction (Sherman-Morrison) with u = e_first - e_last and the rates a, b of
the first and the last cell through it:

    values: (A + [a e_first - b e_last] u')^-1 v = y - wrap (y_first - y_last),        wrap = z / (1 + u.z),
            y = A^-1 v, z = A^-1 [a e_first - b e_last]
    masses: (A' + u [a e_first - b e_last]')^-1 m = y - wrap (y_first - end y_last),
            wrap = z / (1 + z_first - end z_last), y = A'^-1 m, z = a A'^-1 u, end = b / a = h_first / h_last.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import Axis, Grid, TimeGrid
from mfgsolve.kernels.scheme import EXPLICIT, IMPLICIT, NO_NOISE, Scheme

__all__ = ["cell_rates", "make_scheme", "noise_factors"]


def noise_factors(
    mask: np.ndarray, axis: int, rate: float | np.ndarray, periodic: bool, transpose: bool = False
) -> np.ndarray:
    """Stack (4, z, y, x) of pivot, lower, upper, wrap; without blocked cells the other axes have length 1.

    ``rate`` is one number, or (2, n): of each cell to the one after and before it.  ``transpose`` makes the factors
    that spread masses; with one rate they are those of values.
    """
    if not mask.any():
        size = [1, 1, 1]
        size[axis] = mask.shape[axis]
        mask = np.zeros(size, dtype=bool)
    free = np.moveaxis(~mask, axis, 0)
    n, face = free.shape[0], free[1:] & free[:-1]
    across = (slice(None), *(None,) * (free.ndim - 1))
    sides = rate if isinstance(rate, np.ndarray) else np.full((2, 1), rate)
    after, before = (np.broadcast_to(side, n)[across] for side in sides)
    closed = np.zeros((1, *free.shape[1:]))
    below, above = np.concatenate([closed, before[1:] * face]), np.concatenate([after[:-1] * face, closed])
    pivot, lower, upper = np.empty(free.shape), np.empty(free.shape), np.empty(free.shape)
    excess = np.ones(free.shape[1:])  # what a pivot has beyond the face after it; adding it up never cancels
    for i in range(n):
        if i:
            excess = 1.0 + below[i] * excess * pivot[i - 1]
        pivot[i] = 1.0 / (excess + above[i])
    if transpose:
        below, above = np.concatenate([closed, above[:-1]]), np.concatenate([below[1:], closed])
    for i in range(n):
        lower[i], upper[i] = below[i] * pivot[i], above[i] * pivot[i]
    wrap = np.zeros(free.shape)
    if periodic:
        first, last = float(before[0].item()), float(after[-1].item())  # rates through the face that closes the ring
        unit = np.zeros(free.shape)
        unit[0], unit[-1] = 1.0, -1.0 if transpose else -last / (first or 1.0)
        for i in range(n):
            unit[i] = pivot[i] * unit[i] + (lower[i] * unit[i - 1] if i else 0.0)
        for i in range(n - 2, -1, -1):
            unit[i] += upper[i] * unit[i + 1]
        ring = first * (free[0] & free[-1])
        end = last / (first or 1.0) if transpose else 1.0
        wrap = ring * unit / (1.0 + ring * (unit[0] - end * unit[-1]))
    return np.ascontiguousarray(np.moveaxis(np.stack([pivot, lower, upper, wrap]), 1, axis + 1))


def cell_rates(axis: Axis, diffused: float) -> np.ndarray:
    """Rates (2, n) of each cell to the one after and before it, ``diffused`` / (distance width); 0 through walls."""
    faces = diffused / axis.distances
    if not axis.periodic:
        faces[-1] = 0.0
    return np.stack([faces / axis.widths, np.roll(faces, 1) / axis.widths])


def make_scheme(
    grid: Grid, time: TimeGrid, viscosity: float | tuple[float, ...], noise: str, control_cost: float | np.ndarray,
    parts: int,
) -> Scheme:  # fmt: skip
    """Coefficients of the kernels for one grid and its steps; ``parts`` is how many threads share a time level.

    ``viscosity`` is one number, or one for each axis in the order x, y, z; ``control_cost`` one, or one for each step.
    """
    dt, missing, even = time.dt, 3 - grid.ndim, grid.even
    spacing, cap, rate = _coefficients(grid, dt, viscosity)
    total = sum(float(2 * r if even else r.sum(axis=0).max()) for r in rate)
    if noise == "explicit" and total > 1:
        raise InputError(
            f"explicit noise needs nu dt sum 2/h^2 <= 1 and has {total:.4g}; "
            f"take a time step at most {dt / total:.4g} (about {math.ceil(total / dt)} steps per unit of time) "
            "or noise='implicit'"
        )
    kind = NO_NOISE if not np.any(viscosity) else EXPLICIT if noise == "explicit" else IMPLICIT
    mask = grid.mask.reshape((1,) * missing + grid.shape)
    periodic = np.array([0] * missing + [int(a.periodic) for a in grid.axes], dtype=np.int64)
    factors = [noise_factors(mask, axis, rate[axis], bool(periodic[axis])) for axis in range(3)]
    if even:
        transposed = factors
    else:
        transposed = [noise_factors(mask, axis, rate[axis], bool(periodic[axis]), True) for axis in range(3)]
    masked = bool(mask.any())
    return Scheme(
        dt=float(dt),
        control_cost=(float(control_cost) if np.ndim(control_cost) == 0 else control_cost) * time.discounts[:-1],
        spacing=spacing,
        cap=cap,
        periodic=periodic,
        noise=kind,
        rate=rate,
        factors_z=factors[0],
        factors_y=factors[1],
        factors_x=factors[2],
        mass_factors_z=transposed[0],
        mass_factors_y=transposed[1],
        mass_factors_x=transposed[2],
        ends=np.array([1.0] * missing + [float(a.widths[0] / a.widths[-1]) for a in grid.axes]),
        uneven=int(not even),
        masked=int(masked),
        open=(~mask).astype(float) if masked or not even else np.ones((1, 1, 1)),
        blocked=np.flatnonzero(mask).astype(np.int64),
        parts=parts,
    )


def _coefficients(grid: Grid, dt: float, viscosity: float | tuple[float, ...]) -> tuple[Any, Any, Any]:
    """Distances, largest speeds and rates of the noise for z, y, x: numbers where all cells are alike, else arrays."""
    missing, sides = 3 - grid.ndim, 2 * grid.ndim
    each = np.broadcast_to(viscosity, grid.ndim)[::-1]  # in the order of the axes
    if grid.even:
        spacing = np.array([1.0] * missing + [a.spacing for a in grid.axes])
        active = np.array([0.0] * missing + [1.0] * grid.ndim)
        numbers = spacing, active * spacing / (sides * dt), np.append([0.0] * missing, each) * dt / spacing**2
        return tuple(tuple(array.tolist()) for array in numbers)  # type: ignore[return-value]
    none = [np.zeros(1)] * missing
    return (
        (*[np.ones(1)] * missing, *(a.distances for a in grid.axes)),
        (*none, *(a.distances / (sides * dt) for a in grid.axes)),
        (
            *[np.zeros((2, 1))] * missing,
            *(cell_rates(a, nu * dt) for a, nu in zip(grid.axes, each.tolist(), strict=True)),
        ),
    )
