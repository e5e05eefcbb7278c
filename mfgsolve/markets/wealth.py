"""Levels of wealth that a household can have: points, the lowest of which is the borrowing limit, and their cells.

A household sits *on* a point, since an atom of positive mass sits exactly on the borrowing limit.  The cell of a point
reaches half way to its neighbours; those of both ends are half cells.  Density = mass / width of the cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, real, whole
from mfgsolve.inputs.labels import frozen
from mfgsolve.inputs.memory import affordable

__all__ = ["FEWEST", "Wealth"]

FEWEST = 4  # points
POINT_BYTES = 400  # of matrices, values and laws, for every point of a chain of two incomes


@dataclass(frozen=True, eq=False, repr=False)
class Wealth:
    """Increasing points a_0 < ... < a_n; a_0 is the borrowing limit, and nobody has more than a_n.

    Parameters
    ----------
    points : at least 4 increasing finite numbers, in units of wealth; `uniform` and `power` make usual ones
    exponent : of the map i -> a_0 + (a_n - a_0) (i / n)^exponent that made them; NaN for points of one's own

    Raises
    ------
    InputError
        for points that are not increasing finite numbers

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> wealth = mfg.Wealth.power(0.0, 9.0, points=4, exponent=2)
    >>> wealth.points.tolist(), wealth.widths.tolist()
    ([0.0, 1.0, 4.0, 9.0], [0.5, 2.0, 4.0, 2.5])
    """

    points: Any  # a list of numbers as it is stated, an array from then on
    exponent: float = field(default=math.nan, kw_only=True)

    def __post_init__(self) -> None:
        points = numbers(self.points, "points of wealth")
        if points.ndim != 1 or points.size < FEWEST:
            raise InputError(
                f"points of wealth have shape {points.shape}; a list of at least {FEWEST} increasing numbers is "
                "needed, the lowest of which is the borrowing limit"
            )
        if not np.isfinite(points).all():
            raise InputError(f"points of wealth hold {points[~np.isfinite(points)][0]}; each must be a finite number")
        if (np.diff(points) <= 0).any():
            k = int(np.argmax(np.diff(points) <= 0))
            raise InputError(
                f"points of wealth must increase; point {k + 1} ({points[k + 1]:g}) does not lie above point {k} "
                f"({points[k]:g})"
            )
        object.__setattr__(self, "points", frozen(points))

    @classmethod
    def uniform(cls, low: float, high: float, points: int) -> Wealth:
        """Equal distances from the borrowing limit ``low`` to ``high``, both of which are points."""
        return cls.power(low, high, points, 1.0)

    @classmethod
    def power(cls, low: float, high: float, points: int, exponent: float = 2.0) -> Wealth:
        """low + (high - low) (i / n)^exponent: points are denser at the borrowing limit for an exponent above 1.

        Savings of poor households fall like the square root of the distance from the limit; with the exponent 2 they
        are smooth in the number of the point, and errors fall in whole powers of 1 / n.
        """
        low, high = real(low, "lowest wealth"), real(high, "highest wealth")
        count, exponent = whole(points, "number of points of wealth"), real(exponent, "exponent of the points")
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InputError(f"wealth goes from {low:g} to {high:g}; the borrowing limit must lie below the highest")
        if count < FEWEST:
            raise InputError(f"wealth has {count} points; at least {FEWEST} are needed")
        if not (math.isfinite(exponent) and exponent > 0):
            raise InputError(f"exponent of the points of wealth is {exponent:g}; a positive number is needed, say 2")
        affordable(count, POINT_BYTES, f"wealth of {count} points")
        made = low + (high - low) * (np.arange(count) / (count - 1)) ** exponent
        made[-1] = high
        return cls(made, exponent=exponent)

    @property
    def count(self) -> int:
        """Number of points."""
        return self.points.size

    @property
    def limit(self) -> float:
        """The borrowing limit, the lowest wealth."""
        return float(self.points[0])

    @property
    def highest(self) -> float:
        return float(self.points[-1])

    @cached_property
    def distances(self) -> np.ndarray:
        """From each point to the next one (count - 1,)."""
        return frozen(np.diff(self.points))

    @cached_property
    def edges(self) -> np.ndarray:
        """Ends of the cells (count + 1,): half way between points, and both ends."""
        middle = 0.5 * (self.points[1:] + self.points[:-1])
        return frozen(np.concatenate([self.points[:1], middle, self.points[-1:]]))

    @cached_property
    def widths(self) -> np.ndarray:
        """Width of the cell of each point (count,), its volume: density = mass / width."""
        return frozen(np.diff(self.edges))

    def refined(self, count: int) -> Wealth:
        """The same range with another number of points, which are the same smooth function of i / n.

        Points of one's own are interpolated by the monotone cubic of Fritsch and Carlson (doi:10.1137/0717021): with
        twice as many intervals every second point is an old one.
        """
        if not math.isnan(self.exponent):
            return Wealth.power(self.limit, self.highest, count, self.exponent)
        from scipy.interpolate import PchipInterpolator

        count = whole(count, "number of points of wealth")
        made = PchipInterpolator(np.linspace(0, 1, self.count), self.points)(np.linspace(0, 1, count))
        made[[0, -1]] = self.limit, self.highest
        return Wealth(made)

    @property
    def stated(self) -> dict[str, Any]:
        """What makes it again, as plain values."""
        if math.isnan(self.exponent):
            return {"points": self.points.tolist()}
        return {"low": self.limit, "high": self.highest, "points": self.count, "exponent": self.exponent}

    def __repr__(self) -> str:
        kind = "" if math.isnan(self.exponent) else f", exponent={self.exponent:g}"
        return f"Wealth({self.limit:g}..{self.highest:g}, {self.count} points{kind})"
