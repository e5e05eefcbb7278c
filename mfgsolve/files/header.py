"""The head of a file: attributes, dimensions, coordinates and history, read by h5py alone, in some milliseconds.

What `xarray.Dataset` calls its attributes and variables has the same names here, so that the schema and the seal are
compared by the same code.  An array of several dimensions stays in the file until its ``values`` are asked for; then
HDF5 compares it with its checksums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.errors import FileError
from mfgsolve.files.declared import check_declared
from mfgsolve.inputs.texts import cut, visible

__all__ = ["Header", "Variable"]

INNER = (
    "_nc3_strict",
    "_NCProperties",
    "CLASS",
    "NAME",
    "REFERENCE_LIST",
    "DIMENSION_LIST",
    "_FillValue",
    "coordinates",
)


@dataclass(frozen=True)
class Variable:
    """One array: its dimensions, type, shape and attributes; ``values`` reads it."""

    source: Path
    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attrs: dict[str, Any] = field(repr=False)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @cached_property
    def values(self) -> np.ndarray:
        """The array, compared with its checksums.

        Raises
        ------
        FileError
            if it is damaged
        """
        import h5py  # type: ignore[import-untyped]

        try:
            with h5py.File(self.source, "r") as file:
                item = file[self.name]
                return np.asarray(item.asstr()[...] if self.dtype.kind == "O" else item[...])
        except (OSError, UnicodeDecodeError) as error:
            reason = cut(visible(str(error).splitlines()[0]))
            raise FileError(f"array {self.name!r} of {visible(str(self.source))} is damaged: {reason}") from None


class Header:
    """Attributes and variables of a NetCDF 4 file of this package.

    Raises
    ------
    FileError
        if it declares more than it holds, or leads to other files
    OSError
        if it is no HDF5 file, or damaged where it says what it holds
    """

    def __init__(self, source: Path):
        import h5py

        check_declared(source)
        self.variables: dict[str, Variable] = {}
        self.sizes: dict[str, int] = {}
        with h5py.File(source, "r") as file:
            self.attrs = _attributes(file)
            for name, item in file.items():
                if not isinstance(item, h5py.Dataset):
                    continue
                if bytes(item.attrs.get("NAME", b"")).startswith(b"This is a netCDF dimension but not"):
                    self.sizes[name] = item.shape[0]
                    continue
                dims = (name,) if item.is_scale and item.ndim == 1 else tuple(_dimension(dim) for dim in item.dims)
                self.sizes |= dict(zip(dims, item.shape, strict=True))
                self.variables[name] = Variable(source, name, dims, item.shape, item.dtype, _attributes(item))

    @property
    def coords(self) -> list[str]:
        return [name for name, variable in self.variables.items() if variable.dims == (name,)]

    @property
    def data_vars(self) -> dict[str, Variable]:
        return {name: variable for name, variable in self.variables.items() if variable.dims != (name,)}

    def __contains__(self, name: object) -> bool:
        return name in self.variables

    def __iter__(self) -> Iterator[str]:
        return iter(self.data_vars)

    def __getitem__(self, name: str) -> Variable:
        return self.variables[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.variables.get(name, default)

    def copy(self) -> Header:
        """Another header of the same file, whose attributes can be changed."""
        result = object.__new__(Header)
        result.attrs, result.variables, result.sizes = dict(self.attrs), self.variables, self.sizes
        return result


def _dimension(dim: Any) -> str:
    """Name of a dimension of an array, by the scale that is attached to it."""
    return str(dim[0].name).rpartition("/")[2] if len(dim) else ""


def _attributes(item: Any) -> dict[str, Any]:
    """Attributes as Python has them: texts, numbers, arrays."""
    return {
        str(name): _plain(value)
        for name, value in item.attrs.items()
        if name not in INNER and not name.startswith("_Netcdf4")
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.item() if isinstance(value, np.generic) else value
