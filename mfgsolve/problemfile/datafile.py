"""Arrays of a problem file: an .npz or .nc file beside it, and the fields and transitions that are made of them."""

from __future__ import annotations

import hashlib
import math
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.cautions import say
from mfgsolve.errors import FileError, InputError, unknown
from mfgsolve.files import open_netcdf, told, usable
from mfgsolve.files.declared import RATIO, SPARE
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.spaces import Coordinates, Space

__all__ = ["ArrayField", "DataFile", "Numbers", "Series", "digest", "found_file"]

KINDS = (".npz", ".nc")
ORDER = {name: k for k, name in enumerate(("time", "step", "action", "population", "z", "y", "x", "state"))}
LARGEST = 2.0**53  # whole numbers up to which a float tells each


class DataFile:
    """Arrays by name, each read when it is asked for.

    Parameters
    ----------
    name : as stated, relative to the folder
    folder : of the problem file
    sha256 : digest that the file must have; None takes any
    """

    def __init__(self, name: str, folder: Path, sha256: str | None = None):
        self.name, self.path = name, found_file(name, folder, sha256)
        if self.path.suffix.lower() not in KINDS:
            raise FileError(
                f"data file {told(name)} has the suffix {told(self.path.suffix)!r}; {' or '.join(KINDS)} is needed "
                "(a table of numbers is named where it is used: density = {csv = 'start.csv'})"
            )
        self.sha256 = digest(self.path, name, sha256)

    @cached_property
    def names(self) -> list[str]:
        """Names of all arrays."""
        return sorted(self._opened(lambda file: [str(name) for name in file]))

    def array(self, name: str) -> np.ndarray:
        """The array of that name; where its dimensions are named (NetCDF), in the order of `ORDER`."""
        if name not in self.names:
            raise InputError(unknown(f"array of {told(self.name)}", visible(name), map(visible, self.names)))
        dims, array = self._opened(lambda file: (getattr(file[name], "dims", ()), np.asarray(file[name])))
        order = self._order(name, tuple(map(str, dims)))
        return array if order is None else np.asarray(array.transpose(order))

    def _order(self, name: str, dims: tuple[str, ...]) -> list[int] | None:
        """How to transpose an array so that its dimensions stand in order; None where they do, or have other names."""
        rest = [dim for dim in dims if dim not in ORDER]
        if len(rest) == len(dims):
            return None
        if len(rest) > 1:
            raise InputError(
                f"{self.told(name)} has the dimensions {told(', '.join(dims))}; names among {', '.join(ORDER)}, in any "
                "order, and one for the next state are needed, or none of them"
            )
        order = sorted(range(len(dims)), key=lambda k: ORDER.get(dims[k], len(ORDER)))
        if order == sorted(order):
            return None
        before, after = ", ".join(dims), ", ".join(dims[k] for k in order)
        say("data-transposed", f"{self.told(name)} is stored over ({before}) and was read over ({after})")
        return order

    def check_coordinates(self, name: str, space: Space) -> None:
        """Refuse an array whose coordinates are not those of the space."""
        if self.path.suffix.lower() == ".npz":
            return
        given = self._opened(lambda file: {dim: np.asarray(file[dim]) for dim in file[name].dims if dim in file})
        for dim, (wanted, _) in space.dimension_coordinates.items():
            result = given.get(dim)
            if result is not None and not _alike(result, np.asarray(wanted)):
                raise InputError(
                    f"{self.told(name)} has the coordinate {dim} = {_ends(result)}, and the problem {_ends(wanted)}; "
                    "bring them in line, or leave the coordinate out of the file"
                )

    def _opened(self, read: Any) -> Any:
        try:
            if self.path.suffix.lower() == ".npz":
                check_archive(self.path)
                with np.load(self.path) as file:  # never pickles: that is the default, and a test holds it
                    return read(file)
            with open_netcdf(self.path) as dataset:
                return read(dataset.variables)
        except MemoryError:
            raise InputError(f"data file {told(self.name)} needs more memory than there is") from None
        except Exception as error:  # zipfile, NumPy, h5py and xarray each raise their own kinds
            reason = cut(visible((str(error).splitlines() or [type(error).__name__])[0]))
            raise FileError(
                f"data file {told(self.name)} cannot be read ({reason}); numbers in {self.path.suffix}"
            ) from None

    def transitions(self, name: str, states: int | None, actions: int | None) -> Any:
        """What `Tabular` takes, from a dense array or, if there is none of that name, from triples."""
        if name in self.names or f"{name}_row" not in self.names:
            return numbers(self.array(name), self.told(name))
        if states is None:
            raise InputError(f"{self.told(name)} is read by states, and the grid or the states are at fault")
        row, column = self._whole(f"{name}_row"), self._whole(f"{name}_column")
        value = numbers(self.array(f"{name}_value"), self.told(f"{name}_value"))
        step = self._whole(f"{name}_step") if f"{name}_step" in self.names else np.zeros(len(row), dtype=np.int64)
        if not row.shape == column.shape == value.shape == step.shape or value.ndim != 1:
            raise InputError(
                f"{self.told(name)}: rows, columns and values have shapes {row.shape}, {column.shape}, {value.shape} "
                "(and steps the same); three lists of one length are needed"
            )
        if len(row) == 0:
            raise InputError(f"{self.told(name)} has no entry; transitions are needed")
        count = max(int(row.max()) // states + 1, actions or 1)
        steps = int(step.max()) + 1
        for what, number in (("actions", count), ("steps", steps)):
            if number > len(row):  # each of them leads somewhere
                raise InputError(
                    f"{self.told(name)} is of {number} {what}, and has {len(row)} entries; each needs some"
                )
        affordable(count * steps * (states + 1), 16, self.told(name))
        limits = (f"{name}_row", row, count * states), (f"{name}_column", column, states), (f"{name}_step", step, steps)
        for what, index, limit in limits:
            bad = (index < 0) | (index >= limit)
            if bad.any():
                raise InputError(
                    f"{self.told(what)} holds {int(index[bad][0])}; whole numbers from 0 to {limit - 1} are needed "
                    "(row = action * states + state)"
                )
        by_step = [_matrices(row[step == t], column[step == t], value[step == t], count, states) for t in range(steps)]
        return by_step if f"{name}_step" in self.names else by_step[0]

    def _whole(self, name: str) -> np.ndarray:
        array = self.array(name)
        is_whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and bool((array == np.floor(array)).all()))
        if not is_whole or (np.abs(array.astype(float)) > LARGEST).any():
            raise InputError(f"{self.told(name)} holds {array.dtype}; whole numbers are needed")
        return array.astype(np.int64)

    def told(self, name: str) -> str:
        return f"array {told(name)!r} of {told(self.name)}"


def _alike(given: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether two coordinates are the same: centres within a thousandth of a cell, names letter by letter."""
    if given.shape != wanted.shape:
        return False
    if wanted.dtype.kind in "fiu" and given.dtype.kind in "fiu":
        near = 1e-3 * float(np.abs(np.diff(wanted)).min(initial=1.0)) if wanted.size > 1 else 1e-9
        return bool((np.abs(given - wanted) <= near).all())
    return [str(name) for name in given] == [str(name) for name in wanted]


def _ends(values: np.ndarray) -> str:
    shown = [f"{v:.6g}" if isinstance(v, float) else told(str(v)) for v in np.asarray(values).tolist()]
    return ", ".join(shown) if len(shown) < 5 else f"{shown[0]}, {shown[1]}, ..., {shown[-1]} ({len(shown)})"


def digest(path: Path, name: str, sha256: str | None = None) -> str:
    """SHA-256 of a file, which must be ``sha256`` where that is given."""
    try:
        with path.open("rb") as file:
            result = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"data file {told(name)} cannot be read: {error.strerror or error}") from None
    if sha256 is not None and result != sha256:
        raise FileError(
            f"data file {told(name)} is not the one that the problem was made of: its SHA-256 digest is "
            f"{result[:12]}..., that of the problem {told(sha256[:12])}...; bring that file back"
        )
    return result


def check_archive(path: Path) -> None:
    """Compare what the arrays of an .npz archive declare with what it holds and with memory.

    Raises
    ------
    ValueError
        if it is none, or an array declares more numbers than are there
    """
    if not zipfile.is_zipfile(path):  # NumPy would take it for a pickle, and tell how to load that
        raise ValueError("it is no .npz archive")
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > RATIO * member.compress_size + SPARE:
                raise ValueError(
                    f"{member.filename} declares {member.file_size} bytes and stores {member.compress_size}"
                )
            affordable(member.file_size, 1, member.filename)
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                if version not in read:
                    raise ValueError(f"{member.filename} has version {version} of the format, and no plain numbers")
                shape, _, dtype = read[version](file)
                if dtype.kind in "fiub" and math.prod(shape) * dtype.itemsize > member.file_size - file.tell():
                    raise ValueError(f"{member.filename} declares the shape {shape} and holds {member.file_size} bytes")


def found_file(name: str, folder: Path, sha256: str | None) -> Path:
    """Where the file is: as stated, or (a file known by its digest) of that name in the folder itself."""
    usable(name, "data file")
    places = [folder / name] + [folder / Path(name).name] * (sha256 is not None)
    for place in places:
        if place.is_file():
            return place
        if place.exists():
            raise FileError(f"data file {told(name)} is a folder or no regular file; name a file")
    known = f" (SHA-256 {told(sha256[:12])}...)" if sha256 else ""
    raise FileError(
        f"data file {told(name)}{known}, which holds arrays of the problem, is not in {told(os.path.relpath(folder))}; "
        "put it there, or go to the folder where it is"
    )


def _matrices(
    row: np.ndarray, column: np.ndarray, value: np.ndarray, actions: int, states: int
) -> list[sparse.csr_array]:
    """One matrix (state, next state) per action, of one step."""
    stack = sparse.csr_array((value, (row, column)), shape=(actions * states, states))
    return [sparse.csr_array(stack[a * states : (a + 1) * states]) for a in range(actions)]


def numbers(value: Any, what: str) -> np.ndarray:
    """Real numbers of an array or of nested lists."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(f"{what} has rows of different lengths; one length is needed") from None
    if array.dtype.kind not in "fiu":
        raise InputError(f"{what} holds {array.dtype}; real numbers are needed")
    return array.astype(float)


def truths(value: Any, what: str) -> np.ndarray:
    """Booleans of an array or of nested lists of true and false, or 1 and 0."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise InputError(f"{what} holds other things than true and false, or 1 and 0")
    return array.astype(bool)


@dataclass(frozen=True, eq=False)
class Numbers:
    """Nested lists of the file, or the name of an array of the data file."""

    stated: Any
    data: DataFile | None

    @property
    def what(self) -> str:
        return self.data.told(self.stated) if self.data and isinstance(self.stated, str) else "a list of the file"

    @property
    def given(self) -> Any:
        if not isinstance(self.stated, str):
            return self.stated
        if self.data is None:
            raise InputError(f"array {self.stated!r} is named, and no data file; write data = 'game.npz' on top")
        return self.data.array(self.stated)

    def numbers(self) -> np.ndarray:
        return numbers(self.given, self.what)

    def truths(self) -> np.ndarray:
        return truths(self.given, self.what)

    def transitions(self, states: int | None, actions: int | None) -> Any:
        """Dense, or of triples, which need the number of states."""
        if isinstance(self.stated, str) and self.data is not None:
            return self.data.transitions(self.stated, states, actions)
        return self.numbers()


@dataclass(frozen=True, eq=False)
class ArrayField:
    """A field given by its values in all cells, (*shape), or at all steps, (steps, *shape) or (steps + 1, *shape)."""

    values: np.ndarray
    what: str
    time: TimeGrid | None = None

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        shape = next(iter(c.values())).shape
        if self.values.shape == shape:
            return self.values
        if self.time is not None and self.values.shape[1:] == shape and self.values.shape[0] in self._lengths():
            return np.asarray(self.values[min(round(t / self.time.dt), self.values.shape[0] - 1)])
        raise InputError(f"{self.what} has shape {self.values.shape}; {self._wanted(shape)} is needed")

    def _lengths(self) -> Sequence[int]:
        return () if self.time is None or not self.time.settled else (self.time.steps, self.time.steps + 1)

    def _wanted(self, shape: tuple[int, ...]) -> str:
        wanted = " or ".join(str(s) for s in (shape, *((length, *shape) for length in self._lengths())))
        if self.time is None or self.time.settled or self.values.shape[1:] != shape:
            return wanted
        return f"{wanted}, or a number of steps under [time], which costs that change with time cannot do without,"


@dataclass(frozen=True)
class Series:
    """A number of each step, as a function of time."""

    values: tuple[float, ...]
    step: float

    def __call__(self, t: float) -> float:
        return self.values[min(round(t / self.step), len(self.values) - 1)]
