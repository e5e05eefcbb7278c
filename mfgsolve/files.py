"""NetCDF files, whole or not at all: written under a temporary name beside the target, then renamed over it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import FileError

__all__ = ["SCHEMA", "file_kind", "plain", "read_dataset", "replace_file", "write_dataset"]

SCHEMA = "mfgsolve/1"


def replace_file(path: str | Path, write: Callable[[Path], Any]) -> Path:
    """Call ``write(temporary)`` and move the result to ``path``; an earlier file stays whole whatever happens."""
    target = Path(os.path.realpath(path))  # through a link, not over it
    if target.is_dir():
        raise FileError(f"output {target} is a folder; name a file")
    if target.exists() and not target.is_file():
        raise FileError(f"output {target} is no regular file; name another")
    if not target.parent.is_dir():
        raise FileError(f"output {target}: the folder {target.parent} does not exist; create it or name another")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise FileError(f"output {target} cannot be written: {error.strerror}; choose another place") from None
    temporary = Path(name)
    try:
        write(temporary)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        os.replace(temporary, target)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or _first_line(error)
        raise FileError(f"output {target} cannot be written: {reason}; an earlier file is untouched") from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def write_dataset(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a dataset as NetCDF (h5netcdf), compressed lightly."""
    encoding = {
        name: {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in dataset.data_vars.items()
        if variable.size > 4096 and variable.dtype.kind == "f"
    }
    return replace_file(path, lambda temporary: dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding))


def read_dataset(path: str | Path, kind: str, *, history_only: bool = False) -> xr.Dataset:
    """Read a file of this package into memory; ``kind`` is "solution" or "checkpoint".

    ``history_only`` leaves the large arrays, those of several dimensions, in the file.
    """
    dataset = _read(path, history_only)
    found = str(dataset.attrs.get("kind", "solution"))
    if found != kind:
        remedy = "use 'mfgsolve resume' for it" if found == "checkpoint" else "use 'mfgsolve show' or 'plot' for it"
        raise FileError(f"file {path} is a {found}; a {kind} is needed: {remedy}")
    return dataset


def file_kind(path: str | Path) -> str:
    """What a file of this package is: "solution" or "checkpoint"."""
    return str(_read(path, history_only=True).attrs.get("kind", "solution"))


def _read(path: str | Path, history_only: bool) -> xr.Dataset:
    source = Path(path)
    if not source.exists():
        raise FileError(f"file {source} does not exist")
    if source.is_dir():
        raise FileError(f"{source} is a folder; name a file")
    if not source.is_file():
        raise FileError(f"{source} is no regular file; name one that mfgsolve wrote")
    try:
        with xr.open_dataset(source, engine="h5netcdf", decode_times=False) as opened:
            large = [name for name, variable in opened.variables.items() if history_only and variable.ndim > 1]
            dataset = opened.drop_vars(large).load()
    except PermissionError:
        raise FileError(f"file {source} cannot be read: permission denied") from None
    except MemoryError:
        raise
    except Exception as error:  # h5py, h5netcdf and xarray each raise their own kinds for a broken file
        reason = f"({_first_line(error)}); it is truncated, damaged or of another format"
        raise FileError(f"file {source} cannot be read as NetCDF {reason}") from None
    schema = str(dataset.attrs.get("schema", ""))
    name, _, major = schema.partition("/")
    if name != "mfgsolve":
        raise FileError(f"file {source} is NetCDF but not of mfgsolve: schema {schema or 'missing'!r}, need {SCHEMA!r}")
    if major.split(".")[0] != SCHEMA.split("/")[1]:
        raise FileError(f"file {source} has schema {schema!r}; this version reads {SCHEMA!r}: update mfgsolve")
    return dataset


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def plain(value: Any) -> Any:
    """A NumPy scalar as a Python one."""
    return value.item() if isinstance(value, np.generic) else value
