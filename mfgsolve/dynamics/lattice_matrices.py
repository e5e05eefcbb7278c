"""Matrices of lattice moves: where a move leads at walls, around rings and at blocked cells, and the chances after."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.grids import Grid
from mfgsolve.spaces import Space
from mfgsolve.steps.scheme import cell_rates
from mfgsolve.steps.transitions import Matrices

__all__ = ["chances_matrix", "moves_matrices"]


class Moves(Protocol):
    """What matrices are made of; see `mfgsolve.dynamics.LatticeMoves`."""

    @property
    def moves(self) -> Any: ...

    @property
    def jumps(self) -> Any: ...

    @property
    def viscosity(self) -> float: ...

    @property
    def noise(self) -> str: ...

    @property
    def walls(self) -> str: ...


def moves_matrices(dynamics: Moves, grid: Space, where: str) -> tuple[Matrices, np.ndarray]:
    """Matrix of every move alone, and where the move is allowed (actions, *shape)."""
    if not isinstance(grid, Grid):
        raise InputError(f"lattice moves{where} need a Grid; the space is {type(grid).__name__}: use Tabular dynamics")
    if len(dynamics.moves[0]) != grid.ndim:
        raise InputError(
            f"lattice moves{where} have {len(dynamics.moves[0])} coordinates (x, y, ...); the grid has {grid.ndim} axes"
        )
    matrices, allowed = [], np.ones((len(dynamics.moves), *grid.shape), dtype=bool)
    for a, offset in enumerate(dynamics.moves):
        shift, inside = _shift(grid, offset)
        if dynamics.walls == "forbid":
            allowed[a] = inside | grid.mask
        matrices.append(shift)
    return matrices, allowed


def chances_matrix(dynamics: Moves, grid: Grid, dt: float) -> sparse.csr_array:
    """What happens after the move: the random displacement, and explicit noise."""
    jump = sparse.csr_array((grid.size, grid.size))
    for offset, chance in dynamics.jumps:  # type: ignore[union-attr,misc]
        jump = jump + chance * _shift(grid, offset)[0]
    if dynamics.noise == "explicit" and dynamics.viscosity > 0:
        jump = jump @ _explicit_noise(grid, dt, dynamics.viscosity)
    return jump


def _shift(grid: Grid, offset: tuple[int, ...]) -> tuple[sparse.csr_array, np.ndarray]:
    """Where each cell lands after a displacement (x, y, ...), and whether no wall was in the way."""
    index, inside = list(np.indices(grid.shape)), np.ones(grid.shape, dtype=bool)
    for axis, step, k in zip(grid.axes, offset[::-1], range(grid.ndim), strict=True):
        moved = index[k] + step
        if axis.periodic:
            index[k] = moved % axis.cells
        else:
            inside &= (moved >= 0) & (moved < axis.cells)
            index[k] = np.clip(moved, 0, axis.cells - 1)
    target = np.ravel_multi_index(tuple(index), grid.shape)
    shut = grid.mask.reshape(-1)[target] | grid.mask
    inside &= ~shut
    here = np.arange(grid.size).reshape(grid.shape)
    target = np.where(shut, here, target).reshape(-1)
    ones = np.ones(grid.size)
    return sparse.csr_array((ones, target, np.arange(grid.size + 1)), shape=(grid.size, grid.size)), inside


def _explicit_noise(grid: Grid, dt: float, viscosity: float) -> sparse.csr_array:
    """I + nu dt Lap, with no flux into blocked cells."""
    rates = [
        (viscosity * dt / axis.spacing**2,) * 2 if axis.even else cell_rates(axis, viscosity * dt) for axis in grid.axes
    ]
    total = sum(float(np.max(after + before)) for after, before in rates)
    if total > 1:
        raise InputError(
            f"explicit noise needs nu dt sum 2/h^2 <= 1 and has {total:.4g}; take a time step at most "
            f"{dt / total:.4g} or noise='implicit'"
        )
    noise = sparse.csr_array(sparse.eye_array(grid.size))
    for k, sides in enumerate(rates):
        for sign, rate in zip((1, -1), sides, strict=True):
            offset = tuple(sign if k == grid.ndim - 1 - j else 0 for j in range(grid.ndim))
            moved = _shift(grid, offset)[0] - sparse.eye_array(grid.size)
            if np.ndim(rate):
                each = np.broadcast_to(np.reshape(rate, [-1 if j == k else 1 for j in range(grid.ndim)]), grid.shape)
                noise = noise + sparse.diags_array(each.reshape(-1)) @ moved
            else:
                noise = noise + rate * moved
    return sparse.csr_array(noise)
