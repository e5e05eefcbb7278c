"""Matrices of lattice moves: where a move leads at walls, around rings and at blocked cells, and the chances after."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy import sparse

from mfgsolve.dynamics.places import is_field
from mfgsolve.errors import InputError
from mfgsolve.fields import sample_nodes
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.spaces import Space
from mfgsolve.steps.scheme import cell_rates
from mfgsolve.steps.transitions import Matrices

__all__ = ["chances_matrices", "closed_cells", "moves_matrices"]


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


def moves_matrices(
    dynamics: Moves, grid: Space, where: str, closed: np.ndarray | None = None
) -> tuple[Matrices, np.ndarray]:
    """Matrix of every move alone, and where the move is allowed (actions, *shape); nobody enters ``closed`` cells."""
    if not isinstance(grid, Grid):
        raise InputError(f"lattice moves{where} need a Grid; the space is {type(grid).__name__}: use Tabular dynamics")
    if len(dynamics.moves[0]) != grid.ndim:
        raise InputError(
            f"lattice moves{where} have {len(dynamics.moves[0])} coordinates (x, y, ...); the grid has {grid.ndim} axes"
        )
    matrices, allowed = [], np.ones((len(dynamics.moves), *grid.shape), dtype=bool)
    for a, offset in enumerate(dynamics.moves):
        shift, inside = _shift(grid, offset, closed)
        if dynamics.walls == "forbid":
            allowed[a] = inside | grid.mask
        matrices.append(shift)
    return matrices, allowed


def closed_cells(stated: Any, grid: Grid, time: TimeGrid, where: str) -> np.ndarray:
    """Which cells nobody enters, boolean (1 or steps, *shape).

    Raises
    ------
    InputError
        for fields that do not fit the space, or are neither true nor false
    """
    levels = sample_nodes(stated, time.nodes[:-1], grid, f"closed cells{where}")
    wrong = (levels != 0) & (levels != 1)
    if wrong.any():
        t, *cell = (int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"closed cells{where} are {levels[(t, *cell)]:g} at t = {time.nodes[t]:g}, cell {tuple(cell)}; 1 (closed) "
            "or 0 (open) is needed"
        )
    return np.asarray((levels[:1] if (levels == levels[:1]).all() else levels) == 1)


def chances_matrices(
    dynamics: Moves, grid: Grid, time: TimeGrid, where: str = "", closed: np.ndarray | None = None
) -> list[sparse.csr_array]:
    """What happens after the move in each step, or in one that stands for all: the random displacement, and explicit
    noise; nobody enters ``closed`` cells (1 or steps, *shape).

    Raises
    ------
    InputError
        for chances that are negative, or do not sum to 1 somewhere
    """
    if closed is not None:
        chances = _chances(dynamics.jumps, grid, time, where)
        return [
            sum(
                (
                    sparse.diags_array(c) @ _shift(grid, offset, closed[min(t, len(closed) - 1)])[0]
                    for c, (offset, _) in zip(chances[min(t, len(chances) - 1)], dynamics.jumps, strict=True)
                ),
                _nothing(grid),
            )
            for t in range(max(len(chances), len(closed)))
        ]
    shifts = [_shift(grid, offset)[0] for offset, _ in dynamics.jumps]
    if any(is_field(chance) for _, chance in dynamics.jumps):
        levels = _chances(dynamics.jumps, grid, time, where)
        each = [[sparse.diags_array(chance) for chance in level] for level in levels]
        jumps = [sum((c @ shift for c, shift in zip(level, shifts, strict=True)), _nothing(grid)) for level in each]
    else:
        jumps = [sum((c * shift for (_, c), shift in zip(dynamics.jumps, shifts, strict=True)), _nothing(grid))]
    if dynamics.noise == "explicit" and dynamics.viscosity > 0:
        noise = _explicit_noise(grid, time.dt, dynamics.viscosity)
        jumps = [jump @ noise for jump in jumps]
    return jumps


def _nothing(grid: Grid) -> Any:
    return sparse.csr_array((grid.size, grid.size))


def _chances(jumps: Any, grid: Grid, time: TimeGrid, where: str) -> np.ndarray:
    """Chances of all jumps, (1 or steps, jumps, cells)."""
    times, free = time.nodes[:-1], ~grid.mask
    sampled = [sample_nodes(c, times, grid, f"probability of the jump {jump}{where}") for jump, c in jumps]
    levels = np.stack(np.broadcast_arrays(*sampled), axis=1)
    for k, (jump, _) in enumerate(jumps):
        if levels[:, k].min() < 0:
            t, *cell = (int(i) for i in np.argwhere(levels[:, k] < 0)[0])
            raise InputError(
                f"probability of the jump {jump}{where} is {levels[(t, k, *cell)]:g} at t = {times[t]:g}, cell "
                f"{tuple(cell)}; it must be zero or positive"
            )
    totals = levels.sum(axis=1)
    wrong = (np.abs(totals - 1) > 1e-12) & free
    if wrong.any():
        t, *cell = (int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"probabilities of the jumps{where} sum to {totals[(t, *cell)]:.15g} at t = {times[t]:g}, cell "
            f"{tuple(cell)}; they must sum to 1 everywhere"
        )
    levels = np.where(free[None, None], levels, 0.0)
    levels[:, 0][:, ~free] = 1.0  # nobody is there
    flat = levels.reshape(*levels.shape[:2], -1)
    return flat[:1] if (flat == flat[:1]).all() else flat


def _shift(
    grid: Grid, offset: tuple[int, ...], closed: np.ndarray | None = None
) -> tuple[sparse.csr_array, np.ndarray]:
    """Where each cell lands after a displacement (x, y, ...), and whether no wall was in the way; ``closed`` cells are
    blocked for all but those who are there."""
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
    if closed is not None:
        shut = shut | closed.reshape(-1)[target]
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
