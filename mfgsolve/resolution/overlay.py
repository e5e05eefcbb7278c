"""Densities of the same crowd on two meshes, laid over each other: how far apart they are, at the times both have.

*On the coarser cells* mass is added up, as steps of first order, walls and uneven cells are best compared.  *At the
finer centres* what is smooth is compared: the logarithm of the coarser density is a cubic spline, mirrored at walls
(the density itself where it is zero somewhere), which is exact for a Gaussian.  The finer mesh is linear in time
between its nodes where the coarser one has others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from mfgsolve.grids import Axis, Grid
from mfgsolve.resolution.coarse import Cells

__all__ = ["Flow", "apart", "interpolated"]


class Flow:
    """Mass of a crowd on a mesh, (T+1, *shape), at equal steps."""

    def __init__(self, grid: Grid, mass: np.ndarray):
        self.grid, self.mass = grid, mass

    @property
    def steps(self) -> int:
        return len(self.mass) - 1

    def at(self, share: float) -> np.ndarray:
        """Mass at a share of the horizon, linear between nodes."""
        position = share * self.steps
        left = min(int(position + 1e-9), self.steps - 1)
        rest = position - left
        if abs(rest) < 1e-9:
            return np.asarray(self.mass[left])
        return np.asarray((1.0 - rest) * self.mass[left] + rest * self.mass[left + 1])

    def density(self, share: float) -> np.ndarray:
        """Mass per unit volume at that time."""
        return self.at(share) / self.grid.volumes


def apart(fine: Flow, coarse: Flow, smooth: bool = False) -> float:
    """sum |rho_fine - rho_coarse| volume, mean over the nodes of the coarser one.

    ``smooth`` compares at the finer centres, where there are neither walls nor uneven cells; else mass is added up.

    Examples
    --------
    >>> from mfgsolve.grids import Grid
    >>> even, left = np.full((3, 4), 0.25), np.tile([1.0, 0.0], (2, 1))
    >>> apart(Flow(Grid.box((4,)), even), Flow(Grid.box((2,)), left))
    1.0
    """
    shares = np.linspace(0.0, 1.0, coarse.steps + 1)
    if smooth and all(grid.even and not grid.mask.any() for grid in (fine.grid, coarse.grid)):
        matrices = _splines(coarse.grid, fine.grid)
        gaps = (fine.density(s) - _between(matrices, coarse.density(s)) for s in shares)
        return float(np.mean([np.abs(gap * fine.grid.volumes).sum() for gap in gaps]))
    cells = Cells(fine.grid, coarse.grid.shape)
    levels = (cells.mean(fine.density(s)[None])[0] - coarse.density(s) for s in shares)
    return float(np.mean([np.abs(level * coarse.grid.volumes).sum() for level in levels]))


def interpolated(coarse: Flow, grid: Grid, share: float) -> np.ndarray:
    """Density (*shape) of a coarser flow on a finer grid by cubic splines, mass per unit volume."""
    return _between(_splines(coarse.grid, grid), coarse.density(share))


def _splines(coarse: Grid, fine: Grid) -> list[np.ndarray]:
    """Cubic interpolation from cell centres to others along each axis, (fine, coarse)."""
    return [_spline(a, b) for a, b in zip(coarse.axes, fine.axes, strict=True)]


def _spline(coarse: Axis, fine: Axis) -> np.ndarray:
    place = (np.arange(fine.cells) + 0.5) * (coarse.cells / fine.cells) - 0.5
    mode: Any = "grid-wrap" if coarse.periodic else "reflect"  # beyond a wall cell -1-k is cell k
    columns = [ndimage.map_coordinates(unit, place[None], order=3, mode=mode) for unit in np.eye(coarse.cells)]
    return np.stack(columns, axis=1)


def _between(matrices: list[np.ndarray], density: np.ndarray) -> np.ndarray:
    if (density > 0).all():
        return np.asarray(np.exp(_along(matrices, np.log(density))))
    return _along(matrices, density)


def _along(matrices: list[np.ndarray], level: np.ndarray) -> np.ndarray:
    for axis, matrix in enumerate(matrices):
        level = np.moveaxis(np.tensordot(level, matrix, axes=(axis, 1)), -1, axis)
    return np.asarray(level)
