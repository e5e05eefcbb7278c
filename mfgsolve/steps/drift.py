"""An uncontrolled drift b(t, X), a wind or a current, as a factor of a step: semi-Lagrangian, monotone for any dt.

In step t an agent of cell x, where the control has brought it, is carried to  X = x + b(t, x) dt,  and is in one of the
cells around X by linear interpolation between their centres, axis by axis:

    F[x, y] = prod_k w_k(y_k),   w_k = 1 - c_k at the last centre not beyond X_k, c_k at the next one,   c_k in [0, 1)

b is that of the start of the step: what a step does depends on what is known when it begins, as its costs do, and a
field given for each step has no value in between.  All chances are positive and sum to 1, whatever |b| dt / h is
(there is no Courant condition), and ``push`` is the transpose of ``expect``, entry by entry.

The mean of a step is exact, E[y] = X, and its variance is (X - x_left) (x_right - X) along each axis, c (1 - c) h^2 on
equal cells: beside the error of a step of Euler, of first order in dt, agents have a viscosity more, of

    c (1 - c) h^2 / (2 dt)  =  |b| h (1 - c) / 2  where  |b| dt <= h,   and at most  h^2 / (8 dt)

so that the scheme is of first order where h and dt go to 0 together.  It vanishes at whole Courant numbers.

*Walls* have no flux: coordinate by coordinate, x first, an agent that would leave stays in the last cell before the
wall.  A blocked cell is a wall for those who are carried along its line, so that nobody enters one, or jumps over it.
A periodic axis goes round.

Source: Falcone and Ferretti, Semi-Lagrangian approximation schemes for linear and Hamilton-Jacobi equations (SIAM,
2013); in mean-field games Carlini and Silva, arXiv:1212.4757
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.cautions import say
from mfgsolve.errors import InputError, numbers, real
from mfgsolve.fields import Field, Still, own_field, sample_nodes
from mfgsolve.grids import Axis, Coordinates, Grid, TimeGrid
from mfgsolve.inputs.labels import Labelled
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.times import over_time
from mfgsolve.spaces import Space
from mfgsolve.steps.factors import MatrixFactor

__all__ = [
    "Drift", "MeanOfCells", "averaged_drift", "check_drift", "drift_chances", "drift_factor", "is_still", "own_drift",
    "timed_drift", "timed_field",
]  # fmt: skip

ENTRY_BYTES = 12  # of one chance and its cell
FARTHEST = 1e9  # cells that an agent may be carried in one step
ALIKE = 8 * np.finfo(float).eps  # of cells: a displacement that is so near to whole cells is one


class Drift(MatrixFactor):
    """Where a drift carries agents in each step; see the module.

    Parameters
    ----------
    space : a `Grid`
    dt : time of one step
    velocity : b (1 or T, axes, *shape) at the starts of the steps, axes in the order x, y, z; length / time

    Raises
    ------
    InputError
        for a velocity of another shape, or one that is not finite where agents can be
    """

    def __init__(self, space: Grid, dt: float, velocity: np.ndarray):
        velocity, wanted = numbers(velocity, "velocity of a drift"), (space.ndim, *space.shape)
        if velocity.shape[1:] != wanted or not len(velocity):
            raise InputError(
                f"velocity of a drift has shape {velocity.shape}; (1 or steps, axes, *shape) = (1 or steps, "
                f"{', '.join(map(str, wanted))}) is needed"
            )
        if not np.isfinite(velocity[:, :, ~space.mask]).all():
            raise InputError("velocity of a drift is not finite in a cell where agents can be; every number must be")
        self.velocity = velocity
        free, gone = ~space.mask, ~space.mask & ~space.inside
        reach = [_reach(free, gone, k, axis.periodic) for k, axis in enumerate(space.axes)]
        super().__init__([_carried(space, dt * np.where(free, level, 0.0), reach) for level in velocity])


# -- what is stated ----------------------------------------------------------------------------------------------------


def own_drift(stated: Any) -> Any:
    """What dynamics keep of a drift: a field, or a tuple of fields; arrays as copies that nobody can change.

    Raises
    ------
    InputError
        for what is no number, array or function
    """
    if isinstance(stated, list | tuple):
        return tuple(_own(field, f"field {k} of the drift") for k, field in enumerate(stated))
    return _own(stated, "drift")


def _own(field: Any, what: str) -> Any:
    kept = own_field(field, what)
    if isinstance(kept, np.ndarray) and kept.ndim:
        return Still(kept)
    if isinstance(kept, Real | np.ndarray):
        number = real(kept if isinstance(kept, Real) else kept.item(), what)
        if not math.isfinite(number):
            raise InputError(f"{what} is {number}; it must be finite")
        return number
    return kept


def is_still(drift: Any) -> bool:
    """Whether nothing was stated."""
    return isinstance(drift, float) and drift == 0.0


def _per_axis(drift: Any, space: Space, where: str) -> dict[str, Any]:
    """One field for each axis, x first."""
    names = sorted(space.dims)
    if not isinstance(space, Grid):
        raise InputError(
            f"a drift{where} is a field for each axis of a Grid; the space is {type(space).__name__}: make it part of "
            "the transitions there"
        )
    listed = drift if isinstance(drift, tuple) else (drift,)
    if len(names) == 1 and len(listed) > 1 and all(isinstance(entry, float) for entry in listed):
        listed = (Still(np.array(listed)),)  # the values of all cells
    if len(listed) != len(names):
        came = f"{len(listed)} fields" if isinstance(drift, tuple) else "a single field"
        needed = "a single one is" if len(names) == 1 else f"a list with one for each axis, {', '.join(names)}, is"
        raise InputError(f"drift{where} has {came}; the grid has the axes {', '.join(names)}: {needed} needed")
    return dict(zip(names, listed, strict=True))


def drift_chances(drift: Any, space: Space, time: TimeGrid) -> int:
    """How many chances a drift makes of one, at most: the cells around a point, in each step where it may change."""
    if is_still(drift):
        return 1
    listed = drift if isinstance(drift, tuple) else (drift,)
    still = all(isinstance(field, float | Still) for field in listed)
    return 2**space.ndim * (1 if still else time.steps)


def check_drift(drift: Any, space: Space, where: str = "") -> None:
    """Refuse a drift that has not one field for each axis of the space.

    Raises
    ------
    InputError
    """
    if not is_still(drift):
        _per_axis(drift, space, where)


def timed_drift(drift: Any, space: Space, time: TimeGrid, where: str = "") -> Any:
    """The drift, checked, with the times of its arrays: a plain array with one axis more than the grid has a level for
    each step, or each node.

    Raises
    ------
    InputError
        where the number of levels is not that of the steps or nodes, or there is not one field for each axis
    """
    check_drift(drift, space, where)
    if not isinstance(space, Grid) or is_still(drift):
        return drift
    listed = drift if isinstance(drift, tuple) else (drift,)
    named = zip(listed, sorted(space.dims), strict=False)
    timed = tuple(timed_field(field, space, time, f"drift{where} along {name}") for field, name in named)
    if len(timed) < len(listed) or all(a is b for a, b in zip(timed, listed, strict=True)):
        return drift
    return timed if isinstance(drift, tuple) else timed[0]


def timed_field(field: Any, space: Space, time: TimeGrid, what: str) -> Any:
    """A field with its times, where it is a plain array with one axis more than the space has; see `over_time`."""
    made = over_time(field.values, space.dims, time, what) if isinstance(field, Still) else None
    return made if isinstance(made, Labelled) else field


def drift_factor(drift: Any, space: Space, time: TimeGrid, where: str = "") -> Drift | None:
    """The factor of a drift as dynamics keep it; None where nobody is carried.

    Raises
    ------
    InputError
        for fields that do not fit the space, are not finite, or raise something
    """
    if is_still(drift):
        return None
    fields, times = _per_axis(drift, space, where), time.nodes[:-1]
    assert isinstance(space, Grid)
    levels = [sample_nodes(field, times, space, f"drift{where} along {name}") for name, field in fields.items()]
    count = max(map(len, levels))
    velocity = np.stack([np.broadcast_to(level, (count, *space.shape)) for level in levels], axis=1)
    if (velocity == velocity[:1]).all():
        velocity = velocity[:1]
    if not velocity.any():
        return None
    entries = len(velocity) * space.size << space.ndim
    affordable(
        entries, ENTRY_BYTES, f"drift{where} of {space.size} cells that changes in each of {len(velocity)} steps"
    )
    _look(space, time, velocity, where)
    return Drift(space, time.dt, velocity)


def _look(space: Grid, time: TimeGrid, velocity: np.ndarray, where: str) -> None:
    """Floats must tell where agents come; and those who are carried toward each other must not pass each other."""
    free = ~space.mask
    for k, axis in enumerate(space.axes):
        fastest = float(np.abs(velocity[:, -1 - k][:, free]).max())
        carried = fastest * (time.dt / axis.length * axis.cells)
        if carried > FARTHEST:
            raise InputError(
                f"drift{where} along {axis.name} reaches {fastest:g} and carries agents {carried:.2g} cells in one "
                f"step of {time.dt:g}; floats tell where they come for at most {FARTHEST:g}: take a slower drift"
            )
        place = k - space.ndim  # of the array axis
        closer = velocity[:, -1 - k] - np.roll(velocity[:, -1 - k], -1, place)
        distance = axis.distances.reshape(-1, *(1,) * (-1 - place))
        passed = time.dt * closer / distance * (free & np.roll(free, -1, place))
        if not axis.periodic:
            passed = np.delete(passed, -1, place)
        worst = float(passed.max())
        if worst > 1.0:
            say(
                "drift-too-fast",
                f"the drift{where} changes so fast along {axis.name} that agents of neighbouring cells pass each other "
                f"in one step, which no flow does (they come closer by {worst:.3g} of their distance); take "
                f"{math.ceil(worst * time.steps)} time steps or more",
            )


@dataclass(frozen=True, eq=False)
class MeanOfCells:
    """A field seen from coarser cells."""

    field: Field
    space: Space
    mean: Callable[[np.ndarray], np.ndarray]
    what: str

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return np.asarray(self.mean(sample_nodes(self.field, np.array([t]), self.space, self.what))[0])


def averaged_drift(drift: Any, space: Space, mean: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A drift whose fields are means over the cells of ``space``; see `mfgsolve.dynamics.base.Dynamics.averaged`."""
    if is_still(drift):
        return drift
    fields = _per_axis(drift, space, "")
    assert isinstance(space, Grid)
    return tuple(MeanOfCells(field, space, mean, f"drift along {name}") for name, field in fields.items())


# -- where it carries --------------------------------------------------------------------------------------------------


def _carried(grid: Grid, displacement: np.ndarray, reach: list[tuple[np.ndarray, np.ndarray]]) -> sparse.csr_array:
    """F (cells, cells) of one step, from displacements (axes, *shape), x first."""
    start = np.arange(grid.size)
    cell, chance = start[None], np.ones((1, grid.size))  # (cells around X, cells)
    for k in reversed(range(grid.ndim)):
        axis, stride, (before, after) = grid.axes[k], math.prod(grid.shape[k + 1 :]), reach[k]
        own = cell // stride % axis.cells
        at = _places(axis, own, displacement[-1 - k].reshape(-1))
        at = np.clip(at, own - before[cell], own + after[cell])
        left = np.floor(at)
        beyond, first = at - left, left.astype(np.int64)
        around = [cell + (place % axis.cells - own) * stride for place in (first, first + 1)]
        cell, chance = np.concatenate(around), np.concatenate([chance * (1.0 - beyond), chance * beyond])
    entries = chance.reshape(-1), (np.tile(start, len(cell)), cell.reshape(-1))
    matrix = sparse.csr_array(sparse.coo_array(entries, shape=(grid.size, grid.size)))
    matrix.eliminate_zeros()
    return matrix


def _places(axis: Axis, cell: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Where agents of cells come along an axis, in centres: k at that of cell k, linear in between, and on beyond the
    ends of a period; round-off of whole cells taken off."""
    if axis.even:
        at = cell + displacement / axis.spacing
    else:
        centres, number, turns = axis.centres, np.arange(axis.cells + 1.0), 0.0
        point = centres[cell] + displacement
        if axis.periodic:
            turns = np.floor((point - centres[0]) / axis.length)
            point, centres = point - turns * axis.length, np.append(centres, centres[0] + axis.length)
        at = np.interp(point, centres, number[: centres.size]) + turns * axis.cells
    whole = np.rint(at)
    return np.where(np.abs(at - whole) <= ALIKE * (axis.cells + np.abs(at)), whole, at)


def _reach(free: np.ndarray, gone: np.ndarray, axis: int, ring: bool) -> tuple[np.ndarray, np.ndarray]:
    """How many cells an agent of each cell can go backward and forward along an axis, (cells,): up to the first wall or
    blocked cell, into the first exit (``gone``), for ever around a free ring."""
    lines, ends = np.moveaxis(free, axis, 0), np.moveaxis(gone, axis, 0)
    sides = _onward(lines[::-1], ends[::-1], ring)[::-1], _onward(lines, ends, ring)
    before, after = (np.moveaxis(side, 0, axis).reshape(-1) for side in sides)
    return before, after


def _onward(lines: np.ndarray, ends: np.ndarray, ring: bool) -> np.ndarray:
    """Free cells after each cell of the lines (cells, ...), up to the first that ends the way."""
    result, count = np.empty(lines.shape), np.zeros(lines.shape[1:])
    for _ in range(2 if ring else 1):  # a ring once more, from what the first turn comes back with
        for i in reversed(range(len(lines))):
            result[i] = count
            count = np.where(ends[i], 1.0, (count + 1.0) * lines[i])
    if ring:
        result[:, (lines & ~ends).all(axis=0)] = math.inf
    return result
