"""Arrays with names (xarray, pandas) read by their names, and copies that nobody can change.

Wherever the package takes an array it takes a labelled one, and here alone it is decided what the names mean:

- dimensions in any order are brought into the order that is needed; others are refused;
- coordinates are compared with those that are needed (centres of cells within a thousandth of a cell; names and
  numbers as they are), brought into their order where they are a permutation, and refused where they are others;
- a dimension without a coordinate goes by position;
- a Dataset is refused: which of its variables is meant is not for us to say.

pandas is told by its attributes and xarray too, so that neither is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, has_labels, masked, numbers, shown

__all__ = ["Labelled", "aligned", "frozen", "labelled", "owned"]

NEAR = 1e-3  # of a cell: coordinates that went through a file of fewer digits
SAME = {"time": "step", "step": "time"}  # names of one thing, where only one of them is asked for


@dataclass(frozen=True, eq=False, repr=False)
class Labelled:
    """An array with the names of its dimensions (None: not named) and their coordinates (None: by position)."""

    values: np.ndarray
    dims: tuple[str | None, ...]
    coordinates: tuple[np.ndarray | None, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def ndim(self) -> int:
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    def along(self, dim: str) -> int | None:
        """Which axis a dimension is, under any name it goes by; None where there is none."""
        for name in (dim, SAME.get(dim)):
            if name is not None and name in self.dims:
                return self.dims.index(name)
        return None

    def __repr__(self) -> str:
        return f"Labelled{tuple(zip(self.dims, self.shape, strict=True))}"


def frozen(value: Any) -> np.ndarray:
    """A copy that cannot be changed, nor made so; what is one already is returned as it is."""
    array = np.asarray(value)
    root: Any = array
    while isinstance(root, np.ndarray):
        root = root.base
    if isinstance(root, bytes):
        return array
    if array.dtype.hasobject or array.size == 0 or array.dtype.itemsize == 0:
        array = np.array(array)
        array.setflags(write=False)
        return array
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def labelled(value: Any, what: str) -> Labelled | None:
    """The names that a value brings, with a copy of its numbers; None for a plain one.

    Raises
    ------
    InputError
        for a Dataset, and for the rows of a table that several columns name together
    """
    if isinstance(value, Labelled):
        return value
    if hasattr(value, "data_vars"):
        raise InputError(
            f"{what} is a Dataset with the variables {shown(sorted(map(str, value.data_vars)))}; pass one of them: "
            "dataset[name]"
        )
    if isinstance(value, list | tuple) or not has_labels(value):
        return None
    if masked(value):
        raise InputError(f"{what} has masked entries; fill them first")
    if hasattr(value, "iloc"):
        return _of_pandas(value, what)
    coords = getattr(value, "coords", {})
    labels = tuple(np.asarray(coords[dim].values) if dim in coords else None for dim in value.dims)
    return Labelled(frozen(value.values), tuple(map(str, value.dims)), labels)


def _of_pandas(value: Any, what: str) -> Labelled:
    if any(getattr(axis, "nlevels", 1) > 1 for axis in value.axes):
        if value.ndim == 1 and all(value.index.names):
            made = labelled(value.to_xarray(), what)
            assert made is not None
            if made.values.size != value.size:
                raise InputError(f"{what} names {value.size} of {made.values.size} entries; all are needed")
            return made
        raise InputError(
            f"{what} is a {type(value).__name__} with several levels of names, of which not all are named; "
            "pass series.rename_axis([...]) or a plain array"
        )
    dims = tuple(None if axis.name is None else str(axis.name) for axis in value.axes)
    labels = tuple(np.asarray(axis) if _tells(axis) else None for axis in value.axes)
    array = np.asarray(value)
    if array.dtype.kind == "O" and not value.isna().to_numpy().any():  # numbers that may be missing, and are not
        with suppress(TypeError, ValueError):
            array = value.to_numpy(dtype=float)
    return Labelled(frozen(array), dims, labels)


def _tells(index: Any) -> bool:
    """Whether an index says more than the position."""
    return not (type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1)


def aligned(
    value: Any, dims: Sequence[str], coordinates: Mapping[str, Any], what: str, *, partial: bool = False
) -> Any:  # fmt: skip
    """A labelled value in the order of ``dims`` and of their coordinates, as a plain array; others as they are.

    Parameters
    ----------
    value : anything; what has no names goes by position and is returned unchanged
    dims : names that are needed, in the order of the result
    coordinates : of the dimensions, as far as they are known: an array, a sequence of names, or a function of their
        number that gives one
    what : the value's name, as the subject of a sentence
    partial : whether dimensions may be missing; they have length 1 in the result

    Raises
    ------
    InputError
        for other dimensions, other coordinates, a Dataset

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> array = xr.DataArray(np.arange(6.0).reshape(3, 2), {"x": [0.5, 0.1, 0.3]}, ("x", "y"))
    >>> aligned(array, ("y", "x"), {"x": np.array([0.1, 0.3, 0.5])}, "field")
    array([[2., 4., 0.],
           [3., 5., 1.]])
    """
    result = labelled(value, what)
    if result is None:
        return value
    names, array = _names(result, tuple(dims), coordinates, what, partial), result.values
    for axis, (name, given) in enumerate(zip(names, result.coordinates, strict=True)):
        wanted = coordinates.get(name)
        if given is not None and wanted is not None:
            wanted = wanted(given.size) if callable(wanted) else wanted
            order = _order(given, np.asarray(wanted), name, what)
            array = array if order is None else np.take(array, order, axis)
    array = array.transpose([names.index(name) for name in dims if name in names])
    if len(names) < len(dims):
        array = array.reshape([result.shape[names.index(name)] if name in names else 1 for name in dims])
    return array


def _names(
    found: Labelled, dims: tuple[str, ...], coordinates: Mapping[str, Any], what: str, partial: bool
) -> list[str]:  # fmt: skip
    """Names of the dimensions of an array, all among those needed."""
    names = list(found.dims)
    for k, labels in enumerate(found.coordinates):  # pandas: an index without a name is told by its labels,
        if names[k] is None and labels is not None:
            fits = [dim for dim in dims if dim not in names and _ordered(labels, coordinates.get(dim)) is not None]
            names[k] = fits[0] if len(fits) == 1 else None
    if None in names and len(names) == len(dims):  # or by its place
        names = [dims[k] if name is None else name for k, name in enumerate(names)]
    names = [SAME[name] if name in SAME and name not in dims and SAME[name] in dims else name for name in names]  # type: ignore[index]
    fit = len(set(names)) == len(names) and set(names) <= set(dims) and (partial or len(names) == len(dims))
    if not fit:
        came = tuple("(no name)" if name is None else name for name in found.dims)
        some = "some of " if partial and len(dims) > 1 else ""
        raise InputError(
            f"{what} has the dimensions {shown(came)}; {some}{dims}, in any order, are needed: rename them, say "
            "array.rename(a='x')"
        )
    return [str(name) for name in names]


def _ordered(given: np.ndarray, wanted: Any) -> np.ndarray | None:
    """Where each of the wanted labels stands; None where the labels are others, or not known."""
    wanted = wanted(given.size) if callable(wanted) else wanted
    if wanted is None:
        return None
    wanted = np.asarray(wanted)
    if wanted.dtype.kind == "f":
        return _order_of_places(given, wanted)
    return _order_of_names([_text(label) for label in given], [_text(label) for label in wanted])


def _order(given: np.ndarray, wanted: np.ndarray, dim: str, what: str) -> np.ndarray | None:
    """Where each of the wanted labels stands; None where they stand in order."""
    order = _ordered(given, wanted)
    if order is None:
        remedy = "bring it in line, or leave the coordinate out and go by position: array.drop_vars"
        raise InputError(
            f"{what} has the coordinate {dim} = {_some(given)}, and {_some(wanted)} is needed"
            f"{_hidden(given, wanted)}; {remedy}({dim!r})"
        )
    return None if (order == np.arange(order.size)).all() else order


def _hidden(given: np.ndarray, wanted: Any) -> str:
    """Where two coordinates differ that look alike when only some of their labels are told."""
    if callable(wanted) or wanted is None or _some(given) != _some(wanted := np.asarray(wanted)):
        return ""
    k = int(np.argmax(given != wanted))
    return f" (entry {k} is {shown(given.tolist()[k])}, not {shown(wanted.tolist()[k])})"


def _order_of_places(given: np.ndarray, wanted: np.ndarray) -> np.ndarray | None:
    if given.dtype.kind not in "fiu" or given.shape != wanted.shape:
        return None
    by_place, by_need = np.argsort(given, kind="stable"), np.argsort(wanted, kind="stable")
    gaps = np.diff(wanted[by_need])
    near = NEAR * gaps.min() if gaps.size else 1e-6 * max(1.0, abs(float(wanted[0])))
    if not (np.abs(given[by_place] - wanted[by_need]) <= near).all():
        return None
    order = np.empty(given.size, dtype=np.int64)
    order[by_need] = by_place
    return order


def _order_of_names(given: list[str], wanted: list[str]) -> np.ndarray | None:
    if given == wanted:
        return np.arange(len(wanted))
    where = {name: k for k, name in enumerate(given)}
    if len(given) != len(wanted) or len(where) != len(given) or where.keys() != set(wanted):
        return None
    return np.array([where[name] for name in wanted], dtype=np.int64)


def _text(label: Any) -> str:
    """A name, or a number as the name it has: 3, 3.0 and '3' are one."""
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def _some(labels: np.ndarray) -> str:
    """The first labels and the last one."""
    listed = [label.item() if hasattr(label, "item") else label for label in labels]
    if len(listed) > 6:
        return f"[{', '.join(shown(label) for label in listed[:3])}, ..., {shown(listed[-1])}] ({len(listed)})"
    return shown(listed)


def owned(value: Any, what: str, needed: str = "a number, an array or a function is needed") -> Any:
    """What a game keeps of a field, a cost or a cap: functions and numbers as they are, arrays as copies of its own.

    Names are kept until a grid is there to compare them with.

    Raises
    ------
    InputError
        for what is no array of real numbers
    """
    if callable(value) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value
    result = labelled(value, what)
    if result is None:
        checked = numbers(value, what, needed)
        given = np.asarray(value)
        return frozen(given if given.dtype.kind == "f" else checked)  # how precise it was is kept, too
    numbers(result.values, what, needed)
    return result
