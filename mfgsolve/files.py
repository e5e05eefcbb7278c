"""NetCDF files, whole or not at all: written under a temporary name beside the target, then renamed over it."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import FileError

__all__ = ["SCHEMA", "file_kind", "open_netcdf", "plain", "read_dataset", "replace_file", "write_dataset"]

SCHEMA = "mfgsolve/1"
READERS = {  # kinds of files, and what reads each
    "solution": "'mfgsolve show' or 'plot'",
    "checkpoint": "'mfgsolve resume'",
    "convergence": "'mfgsolve show' or 'plot', or 'mfgsolve.plots.convergences'",
    "comparison": "'mfgsolve show' or 'plot', or 'mfgsolve.plots.agents'",
}


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
        raise FileError(f"output {target} cannot be written: {reason}; any earlier file is untouched") from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def write_dataset(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a dataset as NetCDF (h5netcdf), compressed lightly.

    The file is made in memory and then written at once: HDF5 crashes the process where a disk is full.
    """
    encoding = {
        name: {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in dataset.data_vars.items()
        if variable.size > 4096 and variable.dtype.kind == "f"
    }
    with _uninterrupted():
        image = dataset.to_netcdf(engine="h5netcdf", encoding=encoding)
    return replace_file(path, lambda temporary: temporary.write_bytes(image))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done: HDF5 does not survive an exception in the middle of its work."""
    came: list[int] = []
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def read_dataset(path: str | Path, kind: str, *, history_only: bool = False) -> xr.Dataset:
    """Read a file of this package into memory; ``kind`` is one of `READERS`.

    ``history_only`` leaves the large arrays, those of several dimensions, in the file.
    """
    dataset = _read(path, history_only)
    found = str(dataset.attrs.get("kind", "solution"))
    if found != kind:
        remedy = f": use {READERS[found]} for it" if found in READERS else ""
        raise FileError(f"file {path} is a {found}; a {kind} is needed{remedy}")
    return dataset


def file_kind(path: str | Path) -> str:
    """What a file of this package is, one of `READERS`."""
    return str(_read(path, history_only=True).attrs.get("kind", "solution"))


def _read(path: str | Path, history_only: bool) -> xr.Dataset:
    source = Path(path)
    if not source.exists():
        raise FileError(f"file {source} does not exist")
    if source.is_dir():
        raise FileError(f"{source} is a folder; name a file")
    if not source.is_file():
        raise FileError(f"{source} is no regular file; name one that mfgsolve wrote")
    dataset = _opened(source, history_only)
    if isinstance(dataset, str):
        raise FileError(
            f"file {source} cannot be read as NetCDF ({dataset}); it is truncated, damaged or of another format"
        )
    schema = str(dataset.attrs.get("schema", ""))
    name, _, major = schema.partition("/")
    if name != "mfgsolve":
        raise FileError(f"file {source} is NetCDF but not of mfgsolve: schema {schema or 'missing'!r}, need {SCHEMA!r}")
    if major.split(".")[0] != SCHEMA.split("/")[1]:
        raise FileError(f"file {source} has schema {schema!r}; this version reads {SCHEMA!r}: update mfgsolve")
    return dataset


def open_netcdf(source: str | Path) -> xr.Dataset:
    """A NetCDF file, whoever wrote it, opened lazily; to be closed."""
    return xr.open_dataset(source, engine="h5netcdf", decode_times=False)


def _opened(source: Path, history_only: bool) -> xr.Dataset | str:
    """The dataset in memory, or the reason why there is none.

    The file object that h5netcdf leaves behind at a damaged file complains once more when it is finalised, on leaving
    ``except``; that is not printed.
    """
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with open_netcdf(source) as opened:
            large = [name for name, variable in opened.variables.items() if history_only and variable.ndim > 1]
            return opened.drop_vars(large).load()
    except PermissionError:
        return "permission denied"
    except MemoryError:
        raise
    except Exception as error:  # h5py, h5netcdf and xarray each raise their own kinds
        return _first_line(error)
    finally:
        sys.unraisablehook = hook


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def plain(value: Any) -> Any:
    """A NumPy scalar as a Python one."""
    return value.item() if isinstance(value, np.generic) else value
