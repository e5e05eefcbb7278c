"""Points (x, y, size, hour) of a table: read from a CSV file, a data frame or a mapping, and projected to km."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import FileError, InputError, numbers, shown
from mfgsolve.files.columns import Columns

__all__ = ["PROJECTED", "Points", "read_points"]

EARTH_RADIUS = 6371.0088  # km, mean radius
PROJECTED = "km"  # unit of what were degrees
MEANT = ("x", "y", "size", "hour")  # what columns stand for
ROWS = 512  # points at a time of the overlap of all pairs


@dataclass(frozen=True, eq=False)
class Points:
    """Places x, y of a size each, and the hour at which each peaks (None: demand rests).

    ``what`` tells them apart, ``lines`` where each was stated, ``unit`` what x and y are in where that is known ("").
    """

    x: np.ndarray
    y: np.ndarray
    size: np.ndarray
    hour: np.ndarray | None
    what: str = "points"
    lines: tuple[int, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.x.size:
            raise InputError(f"{self.what} hold no point; at least one is needed")
        columns = {"x": self.x, "y": self.y, "size": self.size} | ({} if self.hour is None else {"hour": self.hour})
        for name, values in columns.items():
            if values.shape != self.x.shape:
                raise InputError(f"{self.what}: {name} has shape {values.shape}, and x {self.x.shape}; one of each")
            self._refuse(~np.isfinite(values), name, values, "a finite number is needed")
        self._refuse(self.size < 0, "size", self.size, "zero or more is needed")
        if not self.size.sum() > 0:
            raise InputError(f"{self.what} have sizes that are all zero; some must be positive")

    def _refuse(self, bad: np.ndarray, name: str, values: np.ndarray, needed: str) -> None:
        if bad.any():
            k = int(np.argmax(bad))
            raise InputError(f"{self.what}, {self.where(k)}: {name} is {values[k]:g}; {needed}")

    def where(self, k: int) -> str:
        """Where a point was stated."""
        return f"line {self.lines[k]}" if self.lines else f"point {k}"

    @cached_property
    def share(self) -> np.ndarray:
        """Share of all sizes, of each point."""
        return np.asarray(self.size / self.size.sum())

    def overlap(self, width: float) -> float:
        """Q: integral of the squared density of the points, each a Gaussian of that standard deviation."""
        total = 0.0
        for k in range(0, self.x.size, ROWS):
            part = slice(k, k + ROWS)
            square = (self.x[part, None] - self.x) ** 2 + (self.y[part, None] - self.y) ** 2
            near = np.exp(-square / (4 * width**2)) / (4 * math.pi * width**2)
            total += float(self.share[part] @ near @ self.share)
        return total

    def spread(self) -> float:
        """Root of the mean squared distance from the mean place."""
        x, y = self.share @ self.x, self.share @ self.y
        return math.sqrt(float(self.share @ ((self.x - x) ** 2 + (self.y - y) ** 2)))

    def check(self, grid: Any, day: float) -> None:
        """Refuse a box of another unit, points outside it, and hours outside the day."""
        if sorted(grid.dims) != ["x", "y"]:
            raise InputError(
                f"{self.what} are places (x, y), and the space has {grid.dims}; a grid of x and y is needed"
            )
        for axis in grid.axes:
            if self.unit and axis.unit not in (self.unit, "1"):  # 1: the box states none
                raise InputError(
                    f"degrees of the {self.what} become {self.unit}, and {axis.name} has the unit {axis.unit!r}; state "
                    f"unit {self.unit!r}, and lengths in it"
                )
            values = {"x": self.x, "y": self.y}[axis.name]
            outside = ~((values >= axis.start) & (values <= axis.stop)) & (not axis.periodic)
            if outside.any():
                k = int(np.argmax(outside))
                raise InputError(
                    f"{int(outside.sum())} of {values.size} {self.what} lie outside the box, the first "
                    f"({self.where(k)}) at {axis.name} = {values[k]:g}, and that axis goes from {axis.start:g} to "
                    f"{axis.stop:g}; widen the bounds, or leave these rows out"
                )
        if self.hour is not None:
            self._refuse(
                ~((self.hour >= 0) & (self.hour < day)),
                "hour",
                self.hour,
                f"from 0 to below {day:g}, the day, is needed",
            )


def read_points(source: Any, columns: Mapping[str, str | None] | None = None, degrees: bool = False) -> Points:
    """Points of a CSV file, or of anything with columns by name (a data frame, a mapping, labelled arrays).

    Parameters
    ----------
    source : path, or the table
    columns : names that x, y, size and hour have there, where they are others; None (or "") for a size or an hour that
        is not there: all points count alike, demand rests
    degrees : whether x and y are longitude and latitude, which are projected to km about their mean, equirectangularly

    Raises
    ------
    InputError, FileError
        naming the columns that came, the line and the value
    """
    if not isinstance(degrees, bool):
        raise InputError(f"degrees is {shown(degrees)} ({type(degrees).__name__}); True or False is needed")
    names = _columns(columns)
    needed = [name for name in names.values() if name is not None]
    lines: tuple[int, ...] = ()
    if isinstance(source, str | os.PathLike):
        table = Columns(source)
        what, lines = table.what, tuple(table.lines)
        try:
            table.need(needed)
        except FileError as error:
            raise FileError(
                f"{error}; name the columns that it has: columns = {{'x': ..., 'y': ..., 'size': ..., 'hour': ...}}, "
                "with None where there is no size or hour"
            ) from None
        values = {name: table.numbers(name) for name in needed}
    else:
        what, values = "points", _by_name(source, needed)
    x, y = values[str(names["x"])], values[str(names["y"])]
    size = np.ones(x.shape) if names["size"] is None else values[names["size"]]
    hour = None if names["hour"] is None else values[names["hour"]]
    return _projected(Points(x, y, size, hour, what, lines)) if degrees else Points(x, y, size, hour, what, lines)


def _columns(columns: Any) -> dict[str, str | None]:
    """What each of `MEANT` is called in the table, None where it is not there."""
    if columns is not None and not isinstance(columns, Mapping):
        raise InputError(
            f"columns is {shown(columns)} ({type(columns).__name__}); names by what they stand for are needed, say "
            "{'x': 'lon', 'y': 'lat', 'size': None}"
        )
    given = dict(columns or {})
    for name, own in given.items():
        if name not in MEANT:
            raise InputError(f"columns name {name!r}; the columns of points stand for {', '.join(MEANT)}")
        if own is not None and not isinstance(own, str):
            raise InputError(f"columns call {name} {shown(own)}; the name of a column, or None, is needed")
    names = {name: given.get(name, name) or None for name in MEANT}
    for name in ("x", "y"):
        if names[name] is None:
            raise InputError(f"columns leave {name} out; points have an x and a y")
    for name, own in names.items():
        twin = next((other for other in MEANT if own is not None and other != name and names[other] == own), None)
        if twin is not None:
            raise InputError(
                f"columns call both {name} and {twin} {own!r}; name the column of each, or None for a size or an hour "
                "that is not there"
            )
    return names


def _by_name(source: Any, needed: list[str]) -> dict[str, np.ndarray]:
    there = [str(name) for name in getattr(source, "columns", source)] if hasattr(source, "__getitem__") else []
    values = {}
    for name in needed:
        if name not in there:
            raise InputError(f"points have no column {name!r}; they have {', '.join(there) or 'none'}")
        column = source[name]
        values[name] = numbers(getattr(column, "values", column), f"column {name!r} of the points").reshape(-1)
    return values


def _projected(points: Points) -> Points:
    """Longitude and latitude as km from their mean, to the east and to the north."""
    for name, values, limit in (("x, the longitude,", points.x, 180.0), ("y, the latitude,", points.y, 90.0)):
        points._refuse(np.abs(values) > limit, name, values, f"degrees from {-limit:g} to {limit:g} are needed")
    longitude, latitude = np.radians(points.x), np.radians(points.y)
    x = EARTH_RADIUS * math.cos(latitude.mean()) * (longitude - longitude.mean())
    y = EARTH_RADIUS * (latitude - latitude.mean())
    return Points(x, y, points.size, points.hour, points.what, points.lines, PROJECTED)
