"""Times that a user asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.errors import InputError

__all__ = ["checked_times"]


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
