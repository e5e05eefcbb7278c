"""One axis of a grid: its cells, their edges, centres and widths, and the distances across their faces.

Cells are centred: x_i = start + (i + 1/2) h where all are alike, and the middle of their edges elsewhere.  One `Axis`
owns what widths and distances mean; nothing else computes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, real, unknown, whole

__all__ = ["AXIS_NAMES", "BOUNDARIES", "Axis"]

BOUNDARIES = ("reflecting", "periodic")
AXIS_NAMES = ("x", "y", "z")
SHORTEST = 1e-150  # of what floats square and divide by
ALIKE = 8 * np.finfo(float).eps  # of the largest coordinate: edges that are so near to equal ones are equal


@dataclass(frozen=True, repr=False)
class Axis:
    """``cells`` equal cells from ``start`` to ``stop``; `from_edges` makes cells of different widths.

    Parameters
    ----------
    name : "x", "y" or "z"
    cells : at least 2
    start, stop : the walls, or the ends of one period, in ``unit``
    boundary : "reflecting" (no flux) or "periodic"
    unit : of the coordinate, as it is to be shown
    """

    name: str
    cells: int
    start: float = 0.0
    stop: float = 1.0
    boundary: str = "reflecting"
    unit: str = "1"
    # the edges, where widths differ: see `from_edges`
    uneven: tuple[float, ...] | None = field(default=None, kw_only=True, metadata={"since": "0.6"})

    def __post_init__(self) -> None:
        if self.name not in AXIS_NAMES:
            raise InputError(unknown("axis name", self.name, AXIS_NAMES))
        for name in ("start", "stop"):
            object.__setattr__(self, name, real(getattr(self, name), f"{name} of axis {self.name}"))
        object.__setattr__(self, "cells", whole(self.cells, f"number of cells of axis {self.name}"))
        if self.cells < 2:
            raise InputError(f"axis {self.name} has {self.cells} cells; an axis needs a whole number of at least 2")
        if not (math.isfinite(self.start) and math.isfinite(self.stop) and self.start < self.stop):
            raise InputError(f"axis {self.name} goes from {self.start} to {self.stop}; start must lie below stop")
        if not math.isfinite(self.length):
            raise InputError(
                f"axis {self.name} goes from {self.start:g} to {self.stop:g}, which is longer than any float; take "
                "another unit of length"
            )
        if self.boundary not in BOUNDARIES:
            raise InputError(unknown(f"boundary of axis {self.name}", self.boundary, BOUNDARIES))
        if self.uneven is not None:
            object.__setattr__(self, "uneven", tuple(_increasing(self.uneven, f"edges of axis {self.name}").tolist()))
        edges = self.uneven
        if edges is not None and (len(edges) != self.cells + 1 or (edges[0], edges[-1]) != (self.start, self.stop)):
            raise InputError(
                f"axis {self.name} has {self.cells} cells from {self.start:g} to {self.stop:g}, and the edges of "
                f"{len(edges) - 1} from {edges[0]:g} to {edges[-1]:g}; use Axis.from_edges, or axis.refined(cells)"
            )

    @classmethod
    def from_edges(cls, name: str, edges: Any, boundary: str = "reflecting", unit: str = "1") -> Axis:
        """Cells between neighbouring numbers of ``edges``, one more than there are cells.

        The centre of a cell is the middle of its edges, and across a face it is (h_i + h_{i+1}) / 2 from centre to
        centre, on a periodic axis also from the last cell to the first.  Edges that are those of equal cells to
        round-off make the very axis of equal cells.

        Parameters
        ----------
        name : "x", "y" or "z"
        edges : increasing finite numbers, at least 3 (2 cells), in ``unit``; the first and the last are the walls, or
            the ends of one period
        boundary, unit : as of any axis

        Raises
        ------
        InputError
            for edges that are no list of increasing finite numbers

        Examples
        --------
        >>> import mfgsolve as mfg
        >>> axis = mfg.Axis.from_edges("x", [0.0, 0.1, 0.3, 1.0])
        >>> axis.cells, axis.widths.round(3).tolist(), axis.centres.round(3).tolist()
        (3, [0.1, 0.2, 0.7], [0.05, 0.2, 0.65])
        """
        array = _increasing(edges, f"edges of axis {name}")
        ends = (array.size - 1, float(array[0]), float(array[-1]))
        plain = cls(name, *ends, boundary=boundary, unit=unit)
        if (np.abs(array - plain.edges) <= ALIKE * np.abs(array).max()).all():
            return plain
        return cls(name, *ends, boundary=boundary, unit=unit, uneven=tuple(array.tolist()))

    def __repr__(self) -> str:
        ends = f"name={self.name!r}, cells={self.cells}, start={self.start!r}, stop={self.stop!r}"
        widths = "" if self.even else f", widths={self.widths.min():.6g}..{self.widths.max():.6g}"
        return f"Axis({ends}{widths}, boundary={self.boundary!r}, unit={self.unit!r})"

    @property
    def identity(self) -> Any:
        """What tells two axes apart, with a repr that tells all: the axis itself, and all edges where widths differ."""
        return self if self.even else (self, self.uneven)

    @property
    def even(self) -> bool:
        """Whether all cells have the same width."""
        return self.uneven is None

    @property
    def length(self) -> float:
        return self.stop - self.start

    @property
    def spacing(self) -> float:
        """Width of a cell where all are alike.

        Raises
        ------
        InputError
            where they are not
        """
        if not self.even:
            raise InputError(
                f"cells of axis {self.name} have widths from {self.widths.min():g} to {self.widths.max():g}, and no "
                "single one; use the arrays widths (of the cells) and distances (between their centres)"
            )
        return self.length / self.cells

    @property
    def periodic(self) -> bool:
        return self.boundary == "periodic"

    @property
    def edges(self) -> np.ndarray:
        """Ends of the cells (cells + 1,)."""
        if self.uneven is not None:
            return np.array(self.uneven)
        edges = self.start + np.arange(self.cells + 1) * self.spacing
        edges[-1] = self.stop
        return edges

    @property
    def centres(self) -> np.ndarray:
        """Middle of each cell (cells,)."""
        if self.uneven is not None:
            edges = np.array(self.uneven)
            return np.asarray(0.5 * (edges[1:] + edges[:-1]))
        return self.start + (np.arange(self.cells) + 0.5) * self.spacing

    @property
    def widths(self) -> np.ndarray:
        """Width of each cell (cells,)."""
        return np.full(self.cells, self.spacing) if self.even else np.diff(np.array(self.uneven))

    @property
    def distances(self) -> np.ndarray:
        """Distance from the centre of each cell to that of the next one (cells,); after the last cell comes the first
        one of the next period, and beyond a wall a cell of the same width."""
        if self.even:
            return np.full(self.cells, self.spacing)
        widths = self.widths
        after = np.append(widths[1:], widths[0] if self.periodic else widths[-1])
        return np.asarray(0.5 * (widths + after))

    def pace(self, offset: int, dt: float) -> float | np.ndarray:
        """Mean speed from each cell to the one ``offset`` cells on, within the time ``dt``: a number where all cells
        are alike, else (cells,); beyond a wall cells are as wide as the last one."""
        if self.even:
            return offset * (self.spacing / dt)
        place = np.arange(self.cells) + offset
        inside = place % self.cells if self.periodic else np.clip(place, 0, self.cells - 1)
        each = self.length / self.cells if self.periodic else self.widths[inside]
        return np.asarray((self.centres[inside] + (place - inside) * each - self.centres) / dt)

    @property
    def smallest(self) -> float:
        """Width of the smallest cell."""
        return self.spacing if self.even else float(self.widths.min())

    def refined(self, cells: int) -> Axis:
        """The same axis with another number of cells; edges are a smooth increasing function of their number.

        Between the stated edges that function is the monotone cubic one of Fritsch and Carlson
        (doi:10.1137/0717021), continued around a period: with half as many cells every second edge remains.
        """
        wanted = whole(cells, f"number of cells of axis {self.name}")
        if self.even or wanted < 2 or wanted == self.cells:
            return replace(self, cells=wanted)
        from scipy.interpolate import PchipInterpolator

        edges, around = self.edges, 0
        if self.periodic:
            around = min(self.cells, 3)
            edges = np.r_[edges[-1 - around : -1] - self.length, edges, edges[1 : 1 + around] + self.length]
        at = PchipInterpolator(np.arange(-around, self.cells + around + 1), edges)
        result = at(np.arange(wanted + 1) * (self.cells / wanted))
        result[0], result[-1] = self.start, self.stop
        return Axis.from_edges(self.name, result, self.boundary, self.unit)

    def places(self, points: np.ndarray) -> np.ndarray:
        """Where coordinates lie in cells: 0.0 at the start, ``cells`` at the stop, and linear in between within each
        cell; beyond the ends it goes on with the width of the cell there."""
        points = np.asarray(points, dtype=float)
        if self.even:
            return np.asarray((points - self.start) / self.spacing)
        edges, widths = self.edges, self.widths
        inside = np.interp(points, edges, np.arange(self.cells + 1.0))
        before, after = np.minimum(points - self.start, 0.0), np.maximum(points - self.stop, 0.0)
        return np.asarray(inside + before / widths[0] + after / widths[-1])


def _increasing(edges: Any, what: str) -> np.ndarray:
    """Edges of at least two cells, as numbers.

    Raises
    ------
    InputError
        for anything but increasing finite numbers, and for two so near that floats hold no length between them
    """
    array = numbers(edges, what)
    if array.ndim != 1 or array.size < 3:
        raise InputError(
            f"{what} have shape {array.shape}; a list of at least 3 increasing numbers is needed, one more than there "
            "are cells"
        )
    if not np.isfinite(array).all():
        raise InputError(f"{what} hold {array[~np.isfinite(array)][0]}; every edge must be a finite number")
    widths = np.diff(array)
    if (widths <= 0).any():
        k = int(np.argmax(widths <= 0))
        raise InputError(
            f"{what} must increase; entry {k + 1} ({array[k + 1]:g}) does not lie above entry {k} ({array[k]:g})"
        )
    if widths.min() < SHORTEST:
        k = int(np.argmin(widths))
        raise InputError(
            f"{what} are only {widths[k]:g} apart at entry {k}, too little to divide by; take another unit of length"
        )
    return array
