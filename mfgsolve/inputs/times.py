"""Times that a user asks for, and those at which the data of a problem bend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, shown

__all__ = ["checked_kinks", "checked_times"]


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


def checked_kinks(given: Any, horizon: float) -> tuple[float, ...]:
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
