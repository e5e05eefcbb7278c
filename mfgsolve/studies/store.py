"""Where a sweep is kept: one Zarr store, a chunk for each point, written the moment the point is finished.

Numbers of a point are a few bytes each, and a study has many points: their chunks are written as what they are in the
format, the bytes of the numbers (https://zarr-specs.readthedocs.io, version 3: keys c/i/j, codec "bytes", none that
compresses), each file whole or not at all.  Fields and texts go through Zarr.

The flag of a point (``done``) is written after all else of it, so that whatever kills the driver leaves points that are
whole, and points that are to be computed.  A store says by its fingerprint which study it is of.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import FileError, InputError
from mfgsolve.files import SCHEMA, told

__all__ = ["Memory", "Store", "open_sweep"]

EXTRA = 'pip install "mfgsolve[studies]"'
LONGEST = 400  # characters of a message
SMALL = 64  # numbers of a point in one array that are not worth a codec


class Memory:
    """The dataset of a study in memory: everything NaN, nothing done."""

    def __init__(self, template: xr.Dataset):
        self.dataset = template

    @property
    def done(self) -> np.ndarray:
        """Which points are finished."""
        return np.asarray(self.dataset["done"].values, dtype=bool)

    def write(self, index: tuple[int, ...], values: Mapping[str, Any], finished: bool = True) -> None:
        """Write a point: numbers, fields, status and message; and whether it is done."""
        for name, value in values.items():
            self.dataset[name].values[index] = value
        self.dataset["done"].values[index] = finished

    def result(self) -> xr.Dataset:
        """The study as it stands."""
        return self.dataset


class Store(Memory):
    """The same in a Zarr store on a disk.

    Parameters
    ----------
    path : a folder that ends in .zarr
    template : the dataset before anything is done, with the attribute ``fingerprint``
    resume : go on with the study that is there
    overwrite : replace it
    """

    def __init__(self, path: str | Path, template: xr.Dataset, resume: bool, overwrite: bool):
        check_zarr()
        self.path = Path(path)
        if self.path.suffix != ".zarr":
            raise FileError(f"output {told(self.path)} has the suffix {self.path.suffix or 'none'!r}; .zarr is needed")
        if not self.path.parent.is_dir():
            raise FileError(f"output {told(self.path)}: the folder {told(self.path.parent)} does not exist; create it")
        if self.path.exists() and not (resume or overwrite):
            raise FileError(f"output {told(self.path)} exists; --resume goes on with it, --overwrite replaces it")
        if resume and self.path.exists():
            before = open_sweep(self.path)
            if before.attrs.get("fingerprint") != template.attrs["fingerprint"]:
                raise FileError(
                    f"output {told(self.path)} is of another study (its game, parameters, options, or version of "
                    "mfgsolve differ), and two are never mixed; name another output, or --overwrite it"
                )
            super().__init__(before)
            return
        super().__init__(template)
        self._create()

    def _create(self) -> None:
        """A whole store in place of an earlier one, made beside it first."""
        fresh = self.path.with_name(f".{self.path.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        points = [str(dim) for dim in self.dataset["done"].dims]
        encoding: dict[Any, Any] = {}
        for name, one in self.dataset.variables.items():
            if one.ndim:
                sizes = tuple(1 if dim in points else n for dim, n in zip(one.dims, one.shape, strict=True))
                encoding[name] = {"chunks": sizes} | ({"compressors": None} if self._is_plain(str(name)) else {})
        _texts(self.dataset, object).to_zarr(fresh, zarr_format=3, encoding=encoding, consolidated=False)
        shutil.rmtree(self.path, ignore_errors=True)
        fresh.rename(self.path)

    def _is_plain(self, name: str) -> bool:
        """Whether a point's chunk of an array is so small that it is written as the bytes of its numbers."""
        one = self.dataset[name]
        points = self.dataset["done"].dims
        if one.dims[: len(points)] != points or one.dtype.kind not in "fi":
            return False
        return math.prod(one.shape[len(points) :]) <= SMALL

    def write(self, index: tuple[int, ...], values: Mapping[str, Any], finished: bool = True) -> None:
        """Write a point into its chunks; then that it is done."""
        for name, value in values.items():
            self._put(name, index, value)
        super().write(index, values, finished)
        self._put("done", index, finished)

    def _put(self, name: str, index: tuple[int, ...], value: Any) -> None:
        one = self.dataset[name]
        if name not in self._plain:
            array = self._arrays[name]
            if one.dtype.kind not in "fi" and value == "" == one.values[index]:
                return  # as the store has it
            array[index] = value
            return
        rest = (0,) * (one.ndim - len(index))
        place = self.path.joinpath(name, "c", *map(str, (*index, *rest)))
        beside = place.with_name(f".{place.name}.{os.getpid()}")
        data = np.broadcast_to(np.asarray(value, dtype=one.dtype.newbyteorder("<")), one.shape[len(index) :]).tobytes()
        try:
            beside.write_bytes(data)
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(data)
        beside.replace(place)

    @cached_property
    def _plain(self) -> set[str]:
        """Arrays whose chunks are written as bytes: those that this version has made so."""
        return {name for name in map(str, self.dataset.data_vars) if self._is_plain(name) and _is_raw(self.path / name)}

    @cached_property
    def _arrays(self) -> Any:
        import zarr

        return dict(zarr.open_group(self.path, mode="r+").arrays())


def _is_raw(folder: Path) -> bool:
    """Whether an array of a store holds its numbers as they are, chunk by chunk, at the usual places."""
    about = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
    codecs = [(each["name"], each.get("configuration", {}).get("endian", "little")) for each in about["codecs"]]
    keys = about["chunk_key_encoding"]
    usual = keys["name"] == "default" and keys.get("configuration", {}).get("separator", "/") == "/"
    return usual and codecs == [("bytes", "little")]


def check_zarr() -> None:
    """That Zarr is there.

    Raises
    ------
    InputError
    """
    try:
        import zarr
    except ImportError:
        raise InputError(f"studies are kept in Zarr stores, and zarr is not installed: {EXTRA}") from None
    if int(zarr.__version__.split(".")[0]) < 3:
        raise InputError(f"studies are kept in stores of Zarr 3, and zarr {zarr.__version__} is installed: {EXTRA}")


def open_sweep(path: str | Path) -> xr.Dataset:
    """Read a study back into memory, whatever of it is done.

    Raises
    ------
    FileError
        for what is no store of a study
    """
    check_zarr()
    source = Path(path)
    if not source.is_dir():
        raise FileError(f"store {told(source)} does not exist")
    try:
        dataset = xr.open_zarr(source, consolidated=False, zarr_format=3).load()  # others may hold pickles
    except Exception as error:  # Zarr, xarray and codecs each raise their own kinds
        line = (str(error).splitlines() or [type(error).__name__])[0][:LONGEST]
        raise FileError(f"store {told(source)} cannot be read: {line}") from None
    if dataset.attrs.get("schema") != SCHEMA or dataset.attrs.get("kind") != "sweep":
        raise FileError(f"store {told(source)} is no study of mfgsolve")
    return _texts(dataset, str)


def _texts(dataset: xr.Dataset, labels: type) -> xr.Dataset:
    """The same with texts of any length (`object`, as every reader of Zarr 3 knows them); labels as `str` in memory."""
    turned = {}
    for name, one in dataset.variables.items():
        if one.dtype.kind in "OUT":
            texts = one.values.astype(object)
            turned[name] = (one.dims, texts.astype(labels) if name in dataset.coords else texts, one.attrs)
    return dataset.assign(turned) if turned else dataset


def template_of(
    over: Mapping[str, Sequence[Any]], numbers: Mapping[str, tuple[str, str]], fields: Mapping[str, xr.DataArray],
    attributes: Mapping[str, Any],
) -> xr.Dataset:  # fmt: skip
    """A study before anything is done."""
    points, shape = tuple(over), tuple(len(values) for values in over.values())
    data: dict[str, Any] = {
        name: (points, np.full(shape, np.nan), {"long_name": text, "units": unit})
        for name, (text, unit) in numbers.items()
    }
    coordinates: dict[str, Any] = {name: list(values) for name, values in over.items()}
    for name, like in fields.items():
        data[name] = ((*points, *like.dims), np.full((*shape, *like.shape), np.nan), dict(like.attrs))
        coordinates |= {str(key): like.coords[key] for key in like.coords if key in like.dims}
    for name, text in (("status", "why the solve ended"), ("message", "warnings, or why it failed")):
        data[name] = (
            points,
            np.full(shape, "", dtype=object),
            {"long_name": text},
        )
    data["done"] = (points, np.zeros(shape, dtype=np.int8), {"long_name": "1 where the point is finished"})
    return xr.Dataset(data, coordinates, {"schema": SCHEMA, "kind": "sweep", **attributes})
