"""Fields from one grid to another: linear in space (cell centres) and in time (nodes); a guess, not a flow.

Where agents pay by entropy it is the logarithm of a density that is smooth: that is carried by cubic polynomials in
space, from meshes with the same times (`prolong_logarithm`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage, sparse

from mfgsolve.grids import Axis, Grid
from mfgsolve.steps.stencils import folded

__all__ = ["coarser_sizes", "prolong", "prolong_logarithm"]

SMALLEST = 8  # cells along an axis of the coarsest grid
EMPTY = 1e-300  # mass whose logarithm stands for that of none


def coarser_sizes(shape: tuple[int, ...], steps: int) -> tuple[tuple[int, ...], int] | None:
    """Half as many cells along every axis and half as many steps, or None where the grid is coarse enough."""
    if min(shape) < 2 * SMALLEST or steps < 2 * SMALLEST:
        return None
    return tuple(n // 2 for n in shape), steps // 2


def _weights(source: Axis, target: Axis) -> sparse.csr_array:
    """Linear interpolation between cell centres; constant beyond the last centre, wrapped on a periodic axis."""
    left, share = _places(source, target)
    columns = np.stack([left, left + 1])
    columns = columns % source.cells if source.periodic else np.clip(columns, 0, source.cells - 1)
    rows = np.tile(np.arange(target.cells), (2, 1))
    values = np.stack([1 - share, share])
    return sparse.csr_array(
        (values.ravel(), (rows.ravel(), columns.ravel())), shape=(target.cells, source.cells)
    )  # duplicates add up


def _places(source: Axis, target: Axis) -> tuple[np.ndarray, np.ndarray]:
    """The last centre of the source before each one of the target, and how far on to the next one that lies."""
    if source.even:
        position = (target.centres - source.start) / source.spacing - 0.5
    else:
        position = _between_centres(source, target.centres)
    left = np.floor(position).astype(int)
    return left, position - left


def _between_centres(axis: Axis, points: np.ndarray) -> np.ndarray:
    """Where points lie between the centres of cells: k at the centre of cell k, linear in between."""
    centres, number = axis.centres, np.arange(float(axis.cells))
    if axis.periodic:
        centres = np.r_[centres[-1] - axis.length, centres, centres[0] + axis.length]
        number = np.arange(-1.0, axis.cells + 1)
    return np.interp(points, centres, number)


def prolong(field: np.ndarray, source: Any, target: Any) -> np.ndarray:
    """A crowd of one game as a guess for another: itself, or interpolated to its grid and times, level by level."""
    if not isinstance(source.grid, Grid) or (source.grid.shape, source.steps) == (target.grid.shape, target.steps):
        return field.copy()
    matrix = _weights(source.grid.axes[0], target.grid.axes[0])
    for a, b in zip(source.grid.axes[1:], target.grid.axes[1:], strict=True):
        matrix = sparse.kron(matrix, _weights(a, b), format="csr")
    free, gone = target.grid.inside.reshape(-1), ~source.grid.inside.reshape(-1)  # who has left is no guess
    matrix = matrix @ sparse.diags_array((~gone).astype(float)) if source.grid.exits is not None else matrix
    if source.grid.even and target.grid.even:
        matrix = sparse.diags_array(free * (target.grid.cell_volume / source.grid.cell_volume)) @ matrix
    else:  # densities are interpolated
        volumes = (np.broadcast_to(game.grid.volumes, game.grid.shape).reshape(-1) for game in (target, source))
        here, there = (sparse.diags_array(one) for one in (free * next(volumes), 1.0 / next(volumes)))
        matrix = here @ matrix @ there

    result = target.empty_crowd()
    right_index, left, right = 0, field[0].reshape(-1), matrix @ field[0].reshape(-1)
    for k in range(target.steps + 1):
        position = k * source.steps / target.steps
        index = min(int(position), source.steps - 1)
        while right_index <= index:
            right_index += 1
            left, right = right, matrix @ field[right_index].reshape(-1)
        share = position - index
        result[k] = ((1 - share) * left + share * right).reshape(target.level_shape)
    return result


# -- logarithms ------------------------------------------------------------------------------------------------------


def prolong_logarithm(field: np.ndarray, source: Any, target: Any) -> np.ndarray:
    """A crowd of one game as a guess for another on a finer mesh with the same times: log m by cubic polynomials
    through four cell centres, mirrored at walls; every level is scaled to the mass that it had."""
    shape, free = source.grid.shape, target.grid.inside
    matrices = [_cubic(a, b) for a, b in zip(source.grid.axes, target.grid.axes, strict=True)]
    nearest = None
    if not source.grid.inside.all():  # blocked cells and exits take what the nearest one inside has
        nearest = tuple(
            ndimage.distance_transform_edt(~source.grid.inside, return_distances=False, return_indices=True)
        )
    result = target.empty_crowd()
    for before, after in zip(field, result, strict=True):
        level = np.log(np.maximum(before.reshape(shape), EMPTY))
        if nearest is not None:
            level = level[nearest]
        for axis, matrix in enumerate(matrices):
            rows = np.moveaxis(level, axis, 0)
            moved = matrix @ rows.reshape(rows.shape[0], -1)
            level = np.moveaxis(moved.reshape(-1, *rows.shape[1:]), 0, axis)
        mass = np.exp(level - level.max()) * free
        total = before.sum() if source.grid.exits is None else before.reshape(shape)[source.grid.inside].sum()
        after[...] = (mass * (total / mass.sum())).reshape(target.level_shape)
    return result


def _cubic(source: Axis, target: Axis) -> sparse.csr_array:
    """Lagrange's cubic through four cell centres; cells beyond a wall mirror those before it."""
    left, s = _places(source, target)
    values = np.stack(
        [
            -s * (s - 1) * (s - 2) / 6,
            (s + 1) * (s - 1) * (s - 2) / 2,
            -(s + 1) * s * (s - 2) / 2,
            (s + 1) * s * (s - 1) / 6,
        ]
    )
    columns = folded(np.stack([left - 1, left, left + 1, left + 2]), source.cells, source.periodic)
    rows = np.tile(np.arange(target.cells), (4, 1))
    shape = (target.cells, source.cells)
    return sparse.csr_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=shape)  # duplicates add up
