"""What an HDF5 file declares, compared with what it holds and with memory, before anything of that size is made."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from mfgsolve.errors import FileError
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.texts import cut, visible

__all__ = ["RATIO", "SPARE", "check_declared"]

RATIO = 1100  # compression by deflate makes at most 1032 bytes of one
SPARE = 2**24  # bytes that a file may leave to fill values, small as it is
REFERENCE = 8  # bytes that a text takes in a file at least


def check_declared(source: str | Path) -> None:
    """Refuse a file whose arrays cannot be what it says, or lie in other files.

    Raises
    ------
    FileError
        where more is declared than deflate can make of what is stored, more is stored than the file is long, or more
        is declared than memory has; for links to other files and for lists of different lengths
    """
    import h5py  # type: ignore[import-untyped]

    size = os.path.getsize(source)
    declared = stored = 0
    with h5py.File(source, "r") as file:
        for name in file:
            link = file.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise FileError(f"{_told(name)} is a link to another place; only arrays of the file itself are read")
            item = file[name]
            if not isinstance(item, h5py.Dataset) or _is_bare_dimension(item):
                continue
            declared += _bytes(item, name, size)
            stored += item.id.get_storage_size()
    if stored > size:
        raise FileError(f"it says that {stored} bytes are stored, and is {size} bytes long")
    if declared > RATIO * stored + SPARE:
        raise FileError(f"it declares {declared} bytes of numbers and stores {stored}, which cannot hold them")
    affordable(declared, 1, "what it declares")


def _is_bare_dimension(item: Any) -> bool:
    """A dimension without coordinate: a length alone, of which nothing is read."""
    attrs = item.attrs.get("NAME", b"")
    return isinstance(attrs, bytes) and attrs.startswith(b"This is a netCDF dimension but not")


def _bytes(item: Any, name: str, size: int) -> int:
    """Bytes in memory of one array."""
    import h5py

    if item.is_virtual or item.external:
        raise FileError(f"array {_told(name)} lies in other files; only arrays of the file itself are read")
    if item.shape is None:
        return 0
    is_text = h5py.check_string_dtype(item.dtype) is not None
    if item.dtype.kind == "O" and not is_text:
        raise FileError(f"array {_told(name)} holds lists of different lengths, or references")
    count = math.prod(item.shape)
    if item.dtype.kind == "O" and count > size // REFERENCE:
        raise FileError(f"array {_told(name)} declares {count} texts, more than {size} bytes can hold")
    block = math.prod(item.chunks or (1,)) * item.dtype.itemsize
    if block > RATIO * item.id.get_storage_size() + SPARE:
        raise FileError(f"array {_told(name)} comes in blocks of {block} bytes, which it cannot hold")
    return count * item.dtype.itemsize


def _told(name: str) -> str:
    return repr(cut(visible(name), 60))
