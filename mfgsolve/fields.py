"""Functions of time and place, (t, coordinates) -> array, that a problem file can name.

Anything callable as ``f(t, c)`` is a field; so is a number.  The classes here are the ones that can be written in a
file, because they are data: a file never contains code.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.spaces import Coordinates, Space

__all__ = ["Box", "Bump", "Field", "Quadratic", "Separable", "Still", "Total", "sample", "sample_nodes"]

Field = float | Callable[[float, Coordinates], Any]


def _squared_distance(c: Coordinates, centre: Sequence[float] | np.ndarray) -> np.ndarray:
    names = sorted(c)  # x, y, z: points are written in that order
    if len(centre) != len(names):
        raise InputError(
            f"point {[float(p) for p in centre]} has {len(centre)} coordinates; the grid has {tuple(names)}"
        )
    return np.asarray(sum(c.gap(n, float(p)) ** 2 for n, p in zip(names, centre, strict=True)))


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
    path: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if (self.centre is None) == (self.path is None):
            raise InputError("a bump needs either a centre or a path, and not both")
        if not self.width > 0:
            raise InputError(f"bump width is {self.width}; it must be positive")
        if self.path is not None:
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


@dataclass(frozen=True)
class Quadratic:
    """weight |X - centre|^2 / 2."""

    weight: float
    centre: tuple[float, ...]

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return 0.5 * self.weight * _squared_distance(c, self.centre)


@dataclass(frozen=True)
class Box:
    """``inside`` where lower <= X <= upper in every coordinate, ``outside`` elsewhere (a wall, a zone, a start)."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    inside: float = 1.0
    outside: float = 0.0

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
class Total:
    """Sum of fields."""

    terms: tuple[Field, ...]

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


def _rests(field: Field) -> bool:
    """Whether the field is known not to change with time."""
    if isinstance(field, Total):
        return all(_rests(term) for term in field.terms)
    return not callable(field) or isinstance(field, Box | Quadratic) or (isinstance(field, Bump) and field.path is None)


def sample(field: Field | np.ndarray, t: float, grid: Space, what: str) -> np.ndarray:
    """Values of a field at the cell centres at one time; every value must be a finite number."""
    try:
        values = _call(field, t, grid.coordinates, what) if callable(field) else field
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    try:
        array = np.asarray(values.real if np.iscomplexobj(values) else values, dtype=float)
        array = np.broadcast_to(array, grid.shape)
    except (TypeError, ValueError):
        raise InputError(
            f"{what} gives {type(values).__name__} of shape {np.shape(values)}; "
            f"numbers of the grid's shape {grid.shape} are needed"
        ) from None
    if np.iscomplexobj(values) or np.ma.is_masked(values):
        raise InputError(f"{what} gives complex or masked values; real numbers are needed")
    bad = ~np.isfinite(array) & ~grid.mask
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"{what} is {array[index]} at t = {t:g}, cell {index}; every value must be finite")
    return np.where(grid.mask, 0.0, array)


def _call(field: Callable[[float, Coordinates], Any], t: float, c: Coordinates, what: str) -> Any:
    """field(t, c), where what is wrong with the call itself is said in a sentence."""
    try:
        inspect.signature(field).bind(t, c)
    except TypeError as error:
        raise InputError(f"a function is called as f(t, coordinates), and this one cannot be ({error})") from None
    except ValueError:  # a function of C has no signature to look at
        pass
    try:
        return field(t, c)
    except AttributeError as error:
        if str(error).startswith("unknown coordinate"):
            raise InputError(str(error)) from None
        raise


def sample_nodes(field: Field, times: np.ndarray, grid: Space, what: str) -> np.ndarray:
    """Values at the cell centres and times: (times, *shape), or (1, *shape) where the field does not move."""
    if _rests(field):
        return sample(field, float(times[0]), grid, what)[None].copy()
    out = np.empty((len(times), *grid.shape))
    values = field.at(times, grid.coordinates) if isinstance(field, Separable) else [field] * len(times)
    for k, t in enumerate(times):
        out[k] = sample(values[k], float(t), grid, what)
    return out
