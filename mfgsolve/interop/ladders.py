"""Crowds to tell a game of OpenSpiel, so that it shows all that it does with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["climb", "probes"]

RUNGS = 8  # between two crowds, before bisection
NARROW = 1e-7  # of a way between two crowds: where bisection ends


def probes(size: int, own: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Everybody evenly, a spiky part of the crowd, everybody at the number ``own``, and nobody."""
    if size == 0:
        return [np.zeros(0)]
    unit = np.zeros(size)
    unit[own] = 1.0
    return [np.full(size, 1.0 / size), 0.3 * rng.dirichlet(np.full(size, 0.2)), unit, np.zeros(size)]


def climb(
    crowds: list[np.ndarray], found: list[str], tell: Callable[[np.ndarray], Any], key_of: Callable[[Any], str]
) -> Iterator[Any]:
    """States that crowds between the given ones lead to: rungs on every way, then bisection where keys differ.

    Bisection ends where the two keys are neighbours (the same but for one whole number, by 1) or the way is narrow.
    """
    for (low, high), (first, last) in zip(pairwise(crowds), pairwise(found), strict=True):
        rungs = [(0.0, first), (1.0, last)]
        for s in np.arange(1, RUNGS) / RUNGS:
            after = tell((1 - s) * low + s * high)
            rungs.append((float(s), key_of(after)))
            yield after
        rungs.sort()
        stack = list(pairwise(rungs))
        while stack:
            (a, left), (b, right) = stack.pop()
            if left == right or b - a < NARROW or _neighbours(left, right):
                continue
            middle = 0.5 * (a + b)
            after = tell((1 - middle) * low + middle * high)
            yield after
            between = (middle, key_of(after))
            stack += [((a, left), between), (between, (b, right))]


def _neighbours(one: str, other: str) -> bool:
    if re.sub(r"\d+", "#", one) != re.sub(r"\d+", "#", other):
        return False
    apart = [abs(int(a) - int(b)) for a, b in zip(re.findall(r"\d+", one), re.findall(r"\d+", other), strict=True)]
    return sum(apart) == 1
