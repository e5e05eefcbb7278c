"""Numbers of dynamics that may differ from place to place, as stated: viscosity, control cost, costs of moves, chances.

What dynamics keep is a number where one number was stated; for a viscosity a tuple with a number or field for each
axis; else a field, a function of (t, coordinates) or an array.  What is read, and refused, is told in sentences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, real
from mfgsolve.fields import Still, own_field, sample_nodes
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.inputs.labels import Labelled
from mfgsolve.spaces import Space
from mfgsolve.steps.drift import MeanOfCells, timed_field

__all__ = [
    "averaged_coefficient", "check_viscosity", "cost_levels", "is_field", "is_one_number", "one_viscosity",
    "own_coefficient", "own_entry", "own_viscosity", "timed_coefficient", "viscosity_levels",
]  # fmt: skip


def own_entry(stated: Any, what: str) -> Any:
    """A real number, or a field.

    Raises
    ------
    InputError
        for what is no number, array or function
    """
    arrays = isinstance(stated, Labelled) or (hasattr(stated, "__array__") and not isinstance(stated, np.generic))
    if not (callable(stated) or arrays):
        return real(stated, what)
    kept = own_field(stated, what)
    if not isinstance(kept, np.ndarray):
        return kept
    return Still(kept) if kept.ndim else real(kept.item(), what)  # a single number has no places


def own_coefficient(stated: Any, what: str, zero: bool) -> Any:
    """A number, checked at once, or a field; ``zero`` says whether the number may be 0.

    Raises
    ------
    InputError
        for a number out of range, and for what is no number, array or function
    """
    kept = own_entry(stated, what)
    if not is_field(kept) and not (math.isfinite(kept) and (kept > 0 or (zero and kept == 0))):
        needed = "zero or positive, and finite" if zero else "positive and finite"
        raise InputError(f"{what} is {kept}; it must be {needed}")
    return kept


def own_viscosity(stated: Any) -> Any:
    """A viscosity as dynamics keep it: a number, a field, or a tuple with one of these for each axis."""
    if isinstance(stated, list | tuple):
        return tuple(own_coefficient(each, f"entry {k} of the viscosity", True) for k, each in enumerate(stated))
    return own_coefficient(stated, "viscosity", True)


def is_field(stated: Any) -> bool:
    """Whether it may differ from place to place."""
    return any(map(is_field, stated)) if isinstance(stated, tuple) else not isinstance(stated, Real)


def is_one_number(stated: Any) -> bool:
    """Whether one number holds along all axes, everywhere and at all times."""
    return isinstance(stated, Real)


def check_viscosity(stated: Any, space: Space, where: str = "") -> None:
    """Refuse a tuple that has not one entry for each axis of the space.

    Raises
    ------
    InputError
    """
    if not isinstance(stated, tuple):
        return
    names = sorted(space.dims)
    if len(stated) != len(names):
        axes = ", ".join(names)
        raise InputError(
            f"viscosity{where} has {len(stated)} entries; the grid has the axes {axes}: one number or field "
            "for all of them, or a list with one for each, is needed (the values of cells are an array)"
        )


def timed_coefficient(stated: Any, space: Space, time: TimeGrid, what: str) -> Any:
    """The same, whose plain arrays with one axis more than the grid has have a level for each step, or each node.

    Raises
    ------
    InputError
        where the number of levels is neither
    """
    if isinstance(stated, tuple):
        timed = tuple(timed_coefficient(each, space, time, what) for each in stated)
        return stated if all(a is b for a, b in zip(timed, stated, strict=True)) else timed
    return timed_field(stated, space, time, what)


def one_viscosity(stated: Any) -> Any:
    """The one number that all entries of a tuple are; else what was stated."""
    alike = isinstance(stated, tuple) and stated and not is_field(stated) and len(set(stated)) == 1
    return stated[0] if alike else stated


def viscosity_levels(stated: Any, space: Grid, times: np.ndarray, where: str = "") -> tuple[np.ndarray, ...]:
    """nu along each axis of the arrays (..., y, x), (1 or times, *shape).

    Raises
    ------
    InputError
        for fields that do not fit the space, are negative, are not finite, or raise something
    """
    names = sorted(space.dims)
    if isinstance(stated, tuple):
        levels = [
            _levels(each, space, times, f"viscosity{where} along {name}", True)
            for name, each in zip(names, stated, strict=True)
        ]
    else:
        levels = [_levels(stated, space, times, f"viscosity{where}", True)] * len(names)
    return tuple(reversed(levels))


def cost_levels(stated: Any, space: Grid, times: np.ndarray, where: str = "") -> tuple[np.ndarray, np.ndarray]:
    """The least c of each time (times,), and by how many times c is more in each cell, (1 or times, cells).

    Raises
    ------
    InputError
        for fields that do not fit the space, are not positive, are not finite, or raise something
    """
    levels = _levels(stated, space, times, f"control cost{where}", False).reshape(-1, space.size)
    least = levels[:, ~space.mask.reshape(-1)].min(axis=1)
    ratio = np.where(space.mask.reshape(-1), 1.0, levels / least[:, None])
    return np.broadcast_to(least, len(times)), ratio[:1] if (ratio == ratio[:1]).all() else ratio


def _levels(stated: Any, space: Grid, times: np.ndarray, what: str, zero: bool) -> np.ndarray:
    levels = sample_nodes(stated, times, space, what)
    wrong = ~space.mask & ((levels < 0) if zero else (levels <= 0))
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"{what} is {levels[index]:g} at t = {times[index[0]]:g}, cell {index[1:]}; it must be "
            f"{'zero or ' if zero else ''}positive"
        )
    return levels[:1] if (levels == levels[:1]).all() else levels


def averaged_coefficient(stated: Any, space: Space, mean: Callable[[np.ndarray], np.ndarray], what: str) -> Any:
    """The same with means over the cells of ``space``; see `mfgsolve.dynamics.base.Dynamics.averaged`."""
    if isinstance(stated, tuple):
        return tuple(averaged_coefficient(each, space, mean, what) for each in stated)
    return MeanOfCells(stated, space, mean, what) if is_field(stated) else stated
