"""Arrays of a problem file: an .npz or .nc file beside it, and the fields and transitions that are made of them."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import FileError, InputError, unknown
from mfgsolve.files import open_netcdf
from mfgsolve.grids import TimeGrid
from mfgsolve.spaces import Coordinates

__all__ = ["ArrayField", "DataFile", "Series", "numbers", "truths"]

KINDS = (".npz", ".nc")


class DataFile:
    """Arrays by name, each read when it is asked for.

    Parameters
    ----------
    name : as stated, relative to the folder
    folder : of the problem file
    sha256 : digest that the file must have; None takes any
    """

    def __init__(self, name: str, folder: Path, sha256: str | None = None):
        self.name, self.path = name, _found(name, folder, sha256)
        if self.path.suffix.lower() not in KINDS:
            raise FileError(f"data file {name} has the suffix {self.path.suffix!r}; {' or '.join(KINDS)} is needed")
        try:
            with self.path.open("rb") as file:
                self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FileError(f"data file {name} cannot be read: {error.strerror or error}") from None
        if sha256 is not None and self.sha256 != sha256:
            raise FileError(
                f"data file {name} is not the one that the problem was made of: its SHA-256 digest is "
                f"{self.sha256[:12]}..., that of the problem {sha256[:12]}...; bring that file back"
            )

    @cached_property
    def names(self) -> list[str]:
        """Names of all arrays."""
        return sorted(self._opened(lambda file: [str(name) for name in file]))

    def array(self, name: str) -> np.ndarray:
        """The array of that name."""
        if name not in self.names:
            raise InputError(unknown(f"array of {self.name}", name, self.names))
        return np.asarray(self._opened(lambda file: np.asarray(file[name])))

    def _opened(self, read: Any) -> Any:
        try:
            if self.path.suffix.lower() == ".npz":
                if not zipfile.is_zipfile(self.path):  # NumPy would take it for a pickle, and tell how to load that
                    raise ValueError("it is no .npz archive")
                with np.load(self.path) as file:  # never pickles: that is the default, and a test holds it
                    return read(file)
            with open_netcdf(self.path) as dataset:
                return read(dataset.variables)
        except MemoryError:
            raise
        except Exception as error:  # zipfile, NumPy, h5py and xarray each raise their own kinds
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise FileError(f"data file {self.name} cannot be read ({reason}); numbers in {self.path.suffix}") from None

    def transitions(self, name: str, states: int, actions: int | None) -> Any:
        """What `Tabular` takes, from a dense array or, if there is none of that name, from triples."""
        if name in self.names or f"{name}_row" not in self.names:
            return numbers(self.array(name), self.told(name))
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
        for what, index, limit in ((f"{name}_row", row, count * states), (f"{name}_column", column, states)):
            bad = (index < 0) | (index >= limit)
            if bad.any():
                raise InputError(
                    f"{self.told(what)} holds {int(index[bad][0])}; whole numbers from 0 to {limit - 1} are needed "
                    "(row = action * states + state)"
                )
        by_step = [_matrices(row[step == t], column[step == t], value[step == t], count, states)
                   for t in range(int(step.max()) + 1)]  # fmt: skip
        return by_step if f"{name}_step" in self.names else by_step[0]

    def _whole(self, name: str) -> np.ndarray:
        array = self.array(name)
        if array.dtype.kind not in "iu" and not (array.dtype.kind == "f" and (array == np.floor(array)).all()):
            raise InputError(f"{self.told(name)} holds {array.dtype}; whole numbers are needed")
        return array.astype(np.int64)

    def told(self, name: str) -> str:
        return f"array {name!r} of {self.name}"


def _found(name: str, folder: Path, sha256: str | None) -> Path:
    """Where the file is: as stated, or (a file known by its digest) of that name in the folder itself."""
    places = [folder / name] + [folder / Path(name).name] * (sha256 is not None)
    for place in places:
        if place.is_file():
            return place
    known = f" (SHA-256 {sha256[:12]}...)" if sha256 else ""
    raise FileError(
        f"data file {name}{known}, which holds arrays of the problem, is not in {os.path.relpath(folder)}; "
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
