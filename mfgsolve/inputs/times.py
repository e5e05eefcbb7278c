"""Times that a user asks for, those at which the data of a problem bend, and those of arrays that change with time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, shown
from mfgsolve.inputs.labels import Labelled, frozen

__all__ = ["checked_times", "kinks_of", "over_time"]


def checked_times(times: Any, first: float, last: float, unit: str = "1") -> np.ndarray:
    """Times within the horizon, as an array of one dimension.

    Raises
    ------
    InputError
        for no time, one that is not a number, or one outside the horizon
    """
    try:
        wanted = np.atleast_1d(np.asarray(times, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"times is {times!r}; numbers from {first:g} to {last:g} are needed") from None
    if wanted.ndim != 1 or not wanted.size:
        raise InputError(f"times has shape {wanted.shape}; a list of at least one time is needed")
    bad = ~((wanted >= first) & (wanted <= last * (1 + 1e-12)))
    if bad.any():
        raise InputError(
            f"time {wanted[bad][0]:g} lies outside the horizon; "
            f"times from {first:g} to {last:g}{'' if unit == '1' else ' ' + unit} are possible"
        )
    return wanted


def kinks_of(given: Any, horizon: float) -> tuple[float, ...]:
    """Times of kinks as numbers, each once and in order."""
    remedy = "times between 0 and the horizon at which the data bend or jump are needed, say kinks=(0.7,)"
    if isinstance(given, str | Mapping) or not np.iterable(given):
        raise InputError(f"kinks of the problem are {shown(given)}; {remedy}")
    times = numbers(given if isinstance(given, np.ndarray) else list(given), "kinks of the problem", remedy)
    if times.ndim != 1:
        raise InputError(f"kinks of the problem have shape {times.shape}; {remedy}")
    outside = ~((times > 0) & (times < horizon))  # NaN, too
    if outside.any():
        raise InputError(
            f"kinks of the problem hold {times[outside][0]:g}, and its times go from 0 to {horizon:g}; {remedy} (both "
            "ends have a node anyway: leave them out)"
        )
    return tuple(float(time) for time in np.unique(times))


def over_time(field: Any, dims: Sequence[str], time: Any, what: str) -> Any:
    """A plain array with one axis more than these dimensions, a level for each step or node, with its times; whatever
    else a field is, itself; ``time`` is the `TimeGrid` of the problem.

    Raises
    ------
    InputError
        where the number of levels is not that of the steps or nodes, or the number of steps is not stated
    """
    if not isinstance(field, np.ndarray) or field.ndim != len(dims) + 1:
        return field
    levels = field.shape[0]
    if not time.settled:
        raise InputError(
            f"{what} has shape {field.shape}, a level for each step, and the number of steps is not stated; write "
            f"TimeGrid(horizon, {levels}), or give an array with the coordinate time"
        )
    if levels not in (time.steps, time.steps + 1):
        raise InputError(
            f"{what} has shape {field.shape}; {time.steps} levels, one for each step, or {time.steps + 1}, one for "
            f"each node, of ({', '.join(dims)}) are needed"
        )
    if levels == time.steps:  # at the end nothing is paid for time any more
        field = frozen(np.concatenate([field, field[-1:]]))
    return Labelled(field, ("time", *dims), (time.nodes, *(None for _ in dims)))
