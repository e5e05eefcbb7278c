"""How far probabilities may miss their sum: tightly in 64 bits, by the round-off of 32 bits where they have these."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.cautions import say

__all__ = ["ROUND", "precision_of", "remedy", "say_renormalised", "slack"]

ROUND = 1e-9  # largest deviation of a sum from 1 in float64
COARSE = 1e-3  # and of any sum that is taken for a rounded one


def precision_of(value: Any) -> np.dtype:
    """The kind of numbers a value came in, float64 where it is no array of floats."""
    kind = getattr(value, "dtype", None)
    if kind is None and isinstance(value, list | tuple):  # the coarsest of its parts
        kinds = [precision_of(part) for part in value if hasattr(part, "dtype") or isinstance(part, list | tuple)]
        return max(kinds, key=lambda found: np.finfo(found).eps, default=np.dtype(float))
    try:
        found = np.asarray(value).dtype if kind is None or not isinstance(kind, np.dtype) else kind
    except (TypeError, ValueError, RuntimeError):
        return np.dtype(float)
    return found if found.kind == "f" else np.dtype(float)


def slack(kind: np.dtype, count: int) -> float:
    """Largest deviation from 1 of the sum of ``count`` probabilities of that kind: 8 eps count in float32.

    In float64 that is 1e-9.  Numbers of 16 bits have three digits, too few to tell a rounded probability from a wrong
    one: they get no more than float64.
    """
    if kind.itemsize != 4:
        return ROUND
    return max(ROUND, min(COARSE, 8 * float(np.finfo(kind).eps) * max(count, 1)))


def remedy(kind: np.dtype, how: str) -> str:
    """What to do about a sum that is not 1."""
    coarse = f", which came as {kind}: compute it in float64" if kind.itemsize < 8 else ""
    return f"{coarse}; {how}"


def say_renormalised(what: str, kind: np.dtype, deviation: float) -> None:
    """A caution: sums missed 1 by the round-off of their kind, and were made 1."""
    say(
        "renormalised",
        f"{what} came as {kind}, with sums that miss 1 by up to {deviation:.1e}; they were divided by these sums in "
        "float64",
    )
