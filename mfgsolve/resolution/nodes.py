"""Numbers of time steps whose nodes fall on the kinks of the data.

A scheme of second order in time has no order across a kink between two nodes: the error jumps with the place of the
kink in its step.  With T steps a kink at the share s of the horizon has a node where s T is whole; several have one
where T is a multiple of all denominators.  Where no number in reach is one, because kinks are irrational or too many,
the number is taken whose nodes miss them by least.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["misses", "near"]

WHOLE = 1e-9  # of s T: what round-off makes of a whole number
BELOW, FAR_BELOW, ABOVE = 0.75, 0.5, 1.25  # of the number wished: looked for first, last, and in between


def misses(steps: int, kinks: Sequence[float], horizon: float) -> float:
    """By how much of a step the nodes miss the kinks: the largest distance of one to its nearest node."""
    places = steps * np.asarray(kinks, dtype=float) / horizon
    away = np.abs(places - np.rint(places))
    return float(np.where(away <= WHOLE * np.maximum(places, 1.0), 0.0, away).max(initial=0.0))


def near(wished: float, kinks: Sequence[float], horizon: float, least: int) -> int:
    """A number of steps near one that is wished, and rather below it, with nodes on the kinks.

    First come numbers down to 3/4 of it, then up to 5/4, then down to half; those whose half has nodes on the kinks,
    too (it may be solved for comparison), before others; and if none is left, the one between 3/4 and 1 whose nodes
    miss the kinks by least.

    Examples
    --------
    >>> near(45.5, (0.7,), 1.0, 8), near(11.4, (0.7,), 1.0, 8), near(45.5, (), 1.0, 8)
    (40, 10, 44)
    """
    top = max(least, int(wished))
    downwards, upwards = range(top, least - 1, -1), range(top + 1, int(ABOVE * top) + 1)
    close = [steps for steps in downwards if steps >= BELOW * top]
    far = [steps for steps in downwards if FAR_BELOW * top <= steps < BELOW * top]
    for few in (close, upwards, far):
        best = _first(few, kinks, horizon)
        if best is not None:
            return best
    return min(close, key=lambda steps: (misses(steps, kinks, horizon) / steps, -steps))


def _first(numbers: Iterable[int], kinks: Sequence[float], horizon: float) -> int | None:
    """The first number with nodes on the kinks, of those whose half has, too, if there are any."""
    fitting = [steps for steps in numbers if misses(steps, kinks, horizon) == 0]
    halved = [steps for steps in fitting if steps % 2 == 0 and misses(steps // 2, kinks, horizon) == 0]
    return next(iter(halved or fitting), None)
