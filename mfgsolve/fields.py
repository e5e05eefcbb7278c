"""Functions of time and place, (t, coordinates) -> array, that a problem file can name.

Anything callable as ``f(t, c)`` is a field; so is a number.  The classes here are the ones that can be written in a
file, because they are data: a file never contains code.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, has_labels, numbers, real, shown
from mfgsolve.inputs.calls import ask, is_of_package
from mfgsolve.inputs.forms import ROWS
from mfgsolve.inputs.labels import Labelled, aligned, owned
from mfgsolve.inputs.tables import Kinds
from mfgsolve.spaces import Coordinates, Space

__all__ = [
    "KINDS", "Arc", "Box", "Bump", "Field", "Linear", "Quadratic", "Separable", "Still", "Total", "own_field", "sample",
    "sample_nodes",
]  # fmt: skip

Field = float | np.ndarray | Callable[[float, Coordinates], Any]
AT_ONCE = 1 << 16  # numbers of a field that are made in one call: about what a cache holds


def _point(value: Any, what: str) -> tuple[float, ...]:
    """A point, or a row of a path, as numbers of our own."""
    return tuple(float(coordinate) for coordinate in numbers(value, what).reshape(-1))


def _squared_distance(c: Coordinates, centre: Sequence[float] | np.ndarray) -> np.ndarray:
    names = sorted(c)  # x, y, z: points are written in that order
    if len(centre) != len(names):
        raise InputError(
            f"point {np.asarray(centre).reshape(len(centre), -1)[:, 0].tolist()} has {len(centre)} coordinates; the "
            f"grid has {tuple(names)}"
        )
    return np.asarray(sum(c.gap(n, p) ** 2 for n, p in zip(names, centre, strict=True)))


@dataclass(frozen=True)
class Bump:
    """amplitude exp(-|X - centre(t)|^2 / (2 width^2)); the centre rests or moves along ``path``.

    Parameters
    ----------
    amplitude, width : height and standard deviation
    centre : point (x, y, ...) where it rests
    path : rows (t, x, y, ...) in increasing time, joined by straight lines; instead of ``centre``
    """

    amplitude: float = 1.0
    width: float = 0.1
    centre: tuple[float, ...] | None = None
    path: tuple[tuple[float, ...], ...] | None = dataclasses.field(default=None, metadata={"form": ROWS})

    def __post_init__(self) -> None:
        if (self.centre is None) == (self.path is None):
            raise InputError("a bump needs either a centre or a path, and not both")
        for name in ("amplitude", "width"):
            object.__setattr__(self, name, real(getattr(self, name), f"{name} of a bump"))
        if self.centre is not None:
            object.__setattr__(self, "centre", _point(self.centre, "centre of a bump"))
        if not self.width > 0:
            raise InputError(f"bump width is {self.width}; it must be positive")
        if self.path is not None:
            rows = numbers(self.path, "path of a bump")
            if rows.ndim != 2:
                raise InputError(f"path of a bump has shape {rows.shape}; rows (t, x, y, ...) are needed")
            object.__setattr__(self, "path", tuple(_point(row, "path of a bump") for row in rows))
            times = [row[0] for row in self.path]
            if len(times) < 2 or any(b <= a for a, b in itertools.pairwise(times)):
                raise InputError(f"bump path has times {times}; at least two, increasing, are needed")

    def position(self, t: float) -> np.ndarray:
        """Centre at time t, (x, y, ...)."""
        if self.path is None:
            return np.array(self.centre, dtype=float)
        rows = np.array(self.path, dtype=float)
        return np.array([np.interp(t, rows[:, 0], rows[:, i]) for i in range(1, rows.shape[1])])

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return self.amplitude * np.exp(-_squared_distance(c, self.position(t)) / (2 * self.width**2))

    def at(self, times: np.ndarray, c: Coordinates) -> np.ndarray:
        """Values at all times, (K, *shape)."""
        return self.along(np.array([self.position(float(t)) for t in times]), c)

    def along(self, points: np.ndarray, c: Coordinates) -> np.ndarray:
        """The bump at each of some points (K, d) in place of its own, (K, *shape)."""
        rest = (1,) * (c[next(iter(c))].ndim)
        centre = points.T.reshape(points.shape[1], -1, *rest)
        return self.amplitude * np.exp(-_squared_distance(c, centre) / (2 * self.width**2))


@dataclass(frozen=True)
class Quadratic:
    """weight |X - centre|^2 / 2."""

    weight: float
    centre: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", real(self.weight, "weight of a quadratic"))
        object.__setattr__(self, "centre", _point(self.centre, "centre of a quadratic"))

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return 0.5 * self.weight * _squared_distance(c, self.centre)


@dataclass(frozen=True)
class Box:
    """``inside`` where lower <= X <= upper in every coordinate, ``outside`` elsewhere (a wall, a zone, a start)."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    inside: float = 1.0
    outside: float = 0.0

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            object.__setattr__(self, name, _point(getattr(self, name), f"{name} corner of a box"))
            if np.isnan(getattr(self, name)).any():
                raise InputError(
                    f"{name} corner of a box is {getattr(self, name)}; numbers are needed, inf is possible"
                )

    def contains(self, c: Coordinates) -> np.ndarray:
        names = sorted(c)
        if len(self.lower) != len(names) or len(self.upper) != len(names):
            raise InputError(f"box from {self.lower} to {self.upper} does not fit the coordinates {tuple(names)}")
        inside = np.ones(c[names[0]].shape, dtype=bool)
        for n, low, high in zip(names, self.lower, self.upper, strict=True):
            inside &= (c[n] >= low) & (c[n] <= high)
        return inside

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return np.where(self.contains(c), self.inside, self.outside)


@dataclass(frozen=True)
class Arc:
    """A bump that rides half an ellipse, from its left end over the top (y grows) to its right end, and waits there.

    amplitude exp(-|X - p(t)|^2 / (2 width^2)),  p = centre + (-r_x cos(pi s), r_y sin(pi s)),  s = min(t / arrival, 1).

    Parameters
    ----------
    amplitude, width : height and standard deviation
    centre, radii : of the ellipse, each (x, y)
    arrival : time at which it is at its end
    """

    amplitude: float
    width: float
    centre: tuple[float, ...]
    radii: tuple[float, ...]
    arrival: float

    def __post_init__(self) -> None:
        for name in ("amplitude", "width", "arrival"):
            object.__setattr__(self, name, real(getattr(self, name), f"{name} of an arc"))
        for name in ("centre", "radii"):
            object.__setattr__(self, name, _point(getattr(self, name), f"{name} of an arc"))
            if len(getattr(self, name)) != 2:
                raise InputError(f"{name} of an arc is {getattr(self, name)}; two numbers, (x, y), are needed")
        for name in ("width", "arrival"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of an arc is {getattr(self, name)}; it must be positive")

    def position(self, t: float) -> np.ndarray:
        """Centre of the bump at time t, (x, y)."""
        s = min(t / self.arrival, 1.0)
        (x, y), (wide, high) = self.centre, self.radii
        return np.array([x - wide * math.cos(math.pi * s), y + high * math.sin(math.pi * s)])

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return Bump(self.amplitude, self.width, tuple(self.position(t)))(t, c)

    def at(self, times: np.ndarray, c: Coordinates) -> np.ndarray:
        """Values at all times, (K, *shape)."""
        points = np.array([self.position(float(t)) for t in times])
        return Bump(self.amplitude, self.width, tuple(points[0])).along(points, c)


@dataclass(frozen=True)
class Linear:
    """slope . (X - origin), the sum over the coordinates.

    Parameters
    ----------
    slope : for each coordinate (x, y, ...)
    origin : point where it is 0
    """

    slope: tuple[float, ...]
    origin: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("slope", "origin"):
            object.__setattr__(self, name, _point(getattr(self, name), f"{name} of a linear field"))

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        names = sorted(c)
        if len(self.slope) != len(names) or len(self.origin) != len(names):
            raise InputError(f"slope {self.slope} from {self.origin} does not fit the coordinates {tuple(names)}")
        terms = (slope * (c[n] - zero) for n, slope, zero in zip(names, self.slope, self.origin, strict=True))
        return np.asarray(sum(terms))


KINDS = Kinds(  # as problem files call them
    {"bump": Bump, "quadratic": Quadratic, "box": Box, "linear": Linear, "arc": Arc}
)


@dataclass(frozen=True)
class Total:
    """Sum of fields: functions of (t, coordinates), numbers and plain arrays."""

    terms: tuple[Field, ...]

    def __post_init__(self) -> None:
        for term in self.terms:
            if not callable(term):
                numbers(term, "term of a sum of fields")
        object.__setattr__(self, "terms", tuple(own_field(term, "term of a sum of fields") for term in self.terms))

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return np.asarray(sum(term(t, c) if callable(term) else term for term in self.terms))


@dataclass(frozen=True)
class Separable:
    """sum_i weight_i(t) map_i(X): a few maps that rest, in proportions that change.

    Sampled at many times it costs one matrix product instead of one evaluation a time.

    Parameters
    ----------
    weights : from times (K,) to an array (K, n)
    maps : from coordinates to an array (n, *shape)
    """

    weights: Callable[[np.ndarray], np.ndarray]
    maps: Callable[[Coordinates], np.ndarray]

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return np.asarray(self.at(np.array([t]), c)[0])

    def at(self, times: np.ndarray, c: Coordinates) -> np.ndarray:
        """Values at all times, (K, *shape)."""
        return np.asarray(np.tensordot(self.weights(times), self.maps(c), axes=1))


@dataclass(frozen=True, eq=False)
class Still:
    """An array that does not change, one number for every cell (or choice)."""

    values: np.ndarray

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return self.values


def _rests(field: Any) -> bool:
    """Whether the field is known not to change with time."""
    if isinstance(field, Total):
        return all(_rests(term) for term in field.terms)
    if isinstance(field, Labelled):
        return field.along("time") is None
    if isinstance(field, Bump):
        return field.path is None
    return not callable(field) or isinstance(field, Box | Quadratic | Linear)


def own_field(field: Any, what: str) -> Any:
    """What a problem keeps of a field: a function, a number, or a copy of an array that nobody can change.

    Raises
    ------
    InputError
        for what is none of these
    """
    if isinstance(field, bool | str) or field is None:
        raise InputError(
            f"{what} is {shown(field)} ({type(field).__name__}); a number, an array or a function of (t, coordinates) "
            "is needed"
        )
    return owned(field, what, "real numbers or a function are needed")


def sample(field: Any, t: float, grid: Space, what: str) -> np.ndarray:
    """Values of a field at the cell centres at one time; every value must be a finite number.

    An array with names (xarray, pandas) is read by them, whether it is the field or what a function returns; it may
    leave dimensions out in which it does not change.  A plain array has the space's shape, or one that differs from it
    by axes of length 1 and by the leading populations and actions.
    """
    try:
        call = (t, grid.coordinates), what, "(t, coordinates)", f" at t = {t:g}"
        values = ask(field, *call) if callable(field) else field
    except InputError as error:
        raise error if str(error).startswith(what) else InputError(f"{what}: {error}") from None
    if callable(field) and getattr(values, "dtype", None) == np.dtype(bool):
        values = values.astype(float)  # the indicator of a set, as functions like to write it
    try:
        array = numbers(aligned(values, grid.dims, grid.labels, what, partial=True), what)
    except InputError as error:
        if has_labels(values):
            raise
        raise InputError(
            f"{what} gives {type(values).__name__} of another kind; numbers of the grid's shape {grid.shape} are "
            f"needed ({error})"
        ) from None
    if array.ndim and not grid.takes(array.shape):
        raise InputError(
            f"{what} gives {type(values).__name__} of shape {array.shape}; "
            f"numbers of the grid's shape {grid.shape} are needed"
        )
    array = np.broadcast_to(array, grid.shape)
    bad = ~np.isfinite(array) & ~grid.mask
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"{what} is {array[index]} at t = {t:g}, cell {index}; every value must be finite")
    return np.where(grid.mask, 0.0, array)


def sample_nodes(field: Any, times: np.ndarray, grid: Space, what: str) -> np.ndarray:
    """Values at the cell centres and times: (times, *shape), or (1, *shape) where the field does not move.

    An array with the dimension ``time`` (or ``step``) holds the values at these times, told by its coordinate; one
    without that coordinate has as many entries as there are times.
    """
    if _rests(field):
        return sample(field, float(times[0]), grid, what)[None].copy()
    out = np.empty((len(times), *grid.shape))
    if is_of_package(field) and hasattr(field, "at"):
        block = len(times) if isinstance(field, Separable) else max(1, AT_ONCE // grid.size)  # maps are made once
        for k in range(0, len(times), block):
            out[k : k + block] = _at_once(field, times[k : k + block], grid, what)
        return out
    values: Any = _levels(field, times, what) if isinstance(field, Labelled) else [field] * len(times)
    for k, t in enumerate(times):
        out[k] = sample(values[k], float(t), grid, what)
    return out


def _at_once(field: Any, times: np.ndarray, grid: Space, what: str) -> Any:
    """Values of a field that knows many times at once; what is wrong with them is told time by time."""
    try:
        with np.errstate(all="ignore"):  # what is not finite is told below
            values = field.at(times, grid.coordinates)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    if values.shape == (len(times), *grid.shape) and (np.isfinite(values) | grid.mask).all():
        return np.where(grid.mask, 0.0, values)
    return [sample(level, float(t), grid, what) for level, t in zip(values, times, strict=True)]


def _levels(field: Labelled, times: np.ndarray, what: str) -> list[Labelled]:
    """The values of an array with a dimension ``time`` at each of the times."""
    axis = field.along("time")
    assert axis is not None
    given, rest = field.coordinates[axis], [k for k in range(field.ndim) if k != axis]
    if given is None and field.shape[axis] not in (len(times), len(times) + 1):
        raise InputError(f"{what} has {field.shape[axis]} times without a coordinate; {len(times)} are needed")
    rows = np.arange(len(times)) if given is None else _rows(given, times, what)
    dims, coordinates = tuple(field.dims[k] for k in rest), tuple(field.coordinates[k] for k in rest)
    levels = np.moveaxis(field.values, axis, 0)
    return [Labelled(levels[row], dims, coordinates) for row in rows]


def _rows(given: np.ndarray, times: np.ndarray, what: str) -> np.ndarray:
    """Where each of the times stands in a coordinate."""
    if given.dtype.kind not in "fiu" or given.size == 0:
        raise InputError(f"{what} has times of the kind {given.dtype}; numbers are needed, in the unit of the problem")
    near = 1e-3 * (times[1] - times[0] if len(times) > 1 else max(1.0, abs(float(times[0]))))
    gaps = np.abs(given[None, :] - times[:, None])
    rows = gaps.argmin(axis=1)
    missing = gaps[np.arange(len(times)), rows] > near
    if missing.any():
        raise InputError(
            f"{what} has no values at t = {times[np.argmax(missing)]:g}; its times are {given[0]:g} to {given[-1]:g} "
            f"({given.size}), and those of the problem {times[0]:g} to {times[-1]:g} ({len(times)})"
        )
    return np.asarray(rows)
