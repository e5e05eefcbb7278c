"""The mesh of a controlled diffusion: neighbours along each axis, and the faces between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.kernels.scheme import Scheme

__all__ = ["Mesh"]


@dataclass(frozen=True)
class Mesh:
    """Cells (z, y, x) and steps of a `Scheme`; missing axes have one cell.

    Attributes
    ----------
    dims : names of the axes of the grid, x last
    grid_shape : cells along these axes
    shape : cells (z, y, x)
    steps : number of time steps
    """

    scheme: Scheme
    dims: tuple[str, ...]
    grid_shape: tuple[int, ...]
    steps: int

    @property
    def ndim(self) -> int:
        return len(self.dims)

    @property
    def shape(self) -> tuple[int, int, int]:
        return (1,) * (3 - self.ndim) + self.grid_shape  # type: ignore[return-value]

    @property
    def moves(self) -> int:
        """Neighbours of a cell."""
        return 2 * self.ndim

    @property
    def move_names(self) -> list[str]:
        """x+, x-, y+, y-, z+, z-, in the order of policies."""
        return [name + sign for name in self.dims[::-1] for sign in "+-"]

    @property
    def axes(self) -> list[int]:
        """Array axes of (levels, z, y, x) that the grid has, x first."""
        return [3 - k for k in range(self.ndim)]

    def close(self, axis: int, face: np.ndarray) -> np.ndarray:
        """Set to zero what would cross the wall after the last cell, or a face of a blocked cell; in place."""
        if not self.scheme.periodic[axis - 1]:
            index: list[slice | int] = [slice(None)] * 4
            index[axis] = -1
            face[tuple(index)] = 0.0
        if self.scheme.masked:
            free = self.scheme.open[None]
            face *= free * np.roll(free, -1, axis)
        return face
