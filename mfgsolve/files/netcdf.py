"""NetCDF files, whole or not at all: written under a temporary name beside the target, then renamed over it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mfgsolve.errors import FileError
from mfgsolve.files import schema
from mfgsolve.files.declared import check_declared
from mfgsolve.files.schema import SCHEMA
from mfgsolve.files.seals import sealed, unsealed
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.methods import STATEMENTS

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.files.header import Header

__all__ = [
    "SCHEMA", "file_kind", "open_netcdf", "plain", "read_dataset", "read_header", "regular", "replace_file", "told",
    "usable", "write_dataset",
]  # fmt: skip

READERS = {  # kinds of files, and what reads each
    "solution": "'mfgsolve show' or 'plot'",
    "checkpoint": "'mfgsolve resume'",
    "convergence": "'mfgsolve show' or 'plot', or 'mfgsolve.plots.convergences'",
    "comparison": "'mfgsolve show' or 'plot', or 'mfgsolve.plots.agents'",
    "refinement": "'mfgsolve show' or 'plot', or 'mfgsolve.plots.refinement'",
    "faceoff": "'mfgsolve show', 'plot' or 'animate'",
    "training": "'mfgsolve show' or 'plot', or 'mfgsolve.plots.training'",
    "training-checkpoint": "'mfgsolve resume'",
}


def usable(path: Any, what: str = "file") -> Path:
    """The path, if the system can look for a file of that name.

    Raises
    ------
    FileError
        for what is no path, for a NUL or a half of a character in it, for one that is too long or a ring of links
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise FileError(f"{what} is {cut(repr(path))} ({type(path).__name__}); a path is needed") from None
    try:
        named = os.fsencode(text)
    except UnicodeEncodeError:
        named = b"\0"
    if b"\0" in named or not text:
        raise FileError(f"{what} {cut(ascii(text))} is no name that a file can have; name another")
    try:
        os.stat(text)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            raise FileError(f"{what} {told(text)} cannot be looked for: {error.strerror}; name another") from None
    return Path(text)


def told(path: str | os.PathLike[str]) -> str:
    """A path as sentences tell it: in one line, without what a terminal would act on, cut where it is long."""
    return cut(visible(os.fspath(path)))


def replace_file(path: str | Path, write: Callable[[Path], Any]) -> Path:
    """Call ``write(temporary)`` and move the result to ``path``; an earlier file stays whole whatever happens.

    What replaces a file has its permissions and, where the system lets us, its owner; a symbolic link still leads to
    it, and a file of several names (hard links) keeps them all.  The bytes are on the disk before the name is.
    """
    target = _target(path)
    try:
        before = target.stat() if target.exists() else None
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=target.suffix[:20], dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise FileError(f"output {told(target)} cannot be written: {error.strerror}; choose another place") from None
    temporary, kept = Path(name), ""
    try:
        write(temporary)
        _dress(temporary, before)
        _flush(temporary)
        if before is not None and before.st_nlink > 1:
            kept = f"it may be damaged now, and what was to be written is in {told(temporary)}"
            _overwrite(target, temporary)
            kept = ""
        else:
            os.replace(temporary, target)
        _flush(target.parent)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or _first_line(error)
        rest = kept or "any earlier file is untouched"
        raise FileError(f"output {told(target)} cannot be written: {reason}; {rest}") from None
    finally:
        if not kept:
            temporary.unlink(missing_ok=True)
    return target


def _target(path: str | Path) -> Path:
    """Where a path leads, through links, if a file can be there."""
    target = Path(os.path.realpath(usable(path, "output")))
    if target.is_dir():
        raise FileError(f"output {told(target)} is a folder; name a file")
    if target.exists() and not target.is_file():
        raise FileError(f"output {told(target)} is no regular file; name another")
    if not target.parent.is_dir():
        folder = told(target.parent)
        raise FileError(f"output {told(target)}: the folder {folder} does not exist; create it or name another")
    return target


def _dress(temporary: Path, before: os.stat_result | None) -> None:
    """Permissions and owner of the file that is replaced, or those of any new file."""
    if before is None:
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        return
    with contextlib.suppress(OSError, AttributeError):  # the owner is often another's to change
        os.chown(temporary, -1, before.st_gid)
        os.chown(temporary, before.st_uid, -1)
    temporary.chmod(stat.S_IMODE(before.st_mode))


def _flush(path: Path) -> None:
    """Let the disk have what was written; some systems know no such thing for folders."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _overwrite(target: Path, temporary: Path) -> None:
    """The bytes into the file itself, which several names lead to."""
    with temporary.open("rb") as source, target.open("r+b") as file:
        shutil.copyfileobj(source, file)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def write_dataset(dataset: xr.Dataset, path: str | Path, *, compress: bool = True) -> Path:
    """Write a dataset as NetCDF (h5netcdf), every array and the attributes with a checksum.

    The file is made in memory and then written at once: HDF5 crashes the process where a disk is full.

    Parameters
    ----------
    compress : large arrays of double precision by deflate (level 1, bytes shuffled), to about 0.8 of their size at 60
        MB a second; arrays of single precision are small enough, and written as they are
    """
    encoding: dict[Any, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        if variable.ndim and variable.size and variable.dtype.kind in "biuf":
            large = compress and variable.size > 4096 and variable.dtype == np.float64
            packed = {"zlib": True, "complevel": 1, "shuffle": True} if large else {}
            encoding[name] = {"fletcher32": True} | packed
    try:
        with _uninterrupted():
            image = _image(sealed(dataset), encoding)
    except (UnicodeEncodeError, ValueError) as error:
        raise FileError(f"output {told(path)} cannot hold a text of the dataset: {_first_line(error)}") from None
    return replace_file(path, lambda temporary: temporary.write_bytes(image))


def _image(dataset: xr.Dataset, encoding: dict[Any, dict[str, Any]]) -> bytes:
    """The file of a dataset.  Its arrays are in memory, so that no scheduler needs to be asked for how they are locked:
    to import one, where it is installed, takes longer than to write a small file."""
    import h5netcdf
    import xarray as xr

    buffer = io.BytesIO()
    store = xr.backends.H5NetCDFStore(h5netcdf.File(buffer, "w"))
    try:
        dataset.dump_to_store(store, encoding=encoding)
    finally:
        store.close()  # type: ignore[no-untyped-call]
    return buffer.getvalue()


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
    """Read a file of this package into memory, checked; ``kind`` is one of `READERS`, or "occupation".

    ``history_only`` leaves the large arrays, those of several dimensions, in the file.

    Raises
    ------
    FileError
        if the file is missing, damaged, foreign, of another kind, or declares more than it holds or memory has
    """
    return _checked(_read(path, history_only), path, kind, whole=not history_only)  # type: ignore[no-any-return]


def read_header(path: str | Path, kind: str) -> Header:
    """The same without any array of several dimensions, and without xarray: attributes, coordinates and history, read
    and compared with the schema and the seal; arrays are read when they are asked for.

    Raises
    ------
    FileError
        as `read_dataset`, but for what is wrong within an array
    """
    return _checked(_header(path), path, kind, whole=False)  # type: ignore[no-any-return]


def _checked(dataset: Any, path: str | Path, kind: str, whole: bool) -> Any:
    """What was read, if it is of that kind, as the schema says, and under its seal."""
    result = str(dataset.attrs.get("kind", "solution"))
    if result != kind:
        reader = "'mfgsolve show' or 'plot', or 'mfgsolve.load'" if result in STATEMENTS else READERS.get(result)
        remedy = f": use {reader} for it" if reader else ""
        held = f"the answer to {STATEMENTS[result].noun}" if result in STATEMENTS else _one(told(result))
        raise FileError(f"file {told(path)} is {held}; {_one(kind)} is needed{remedy}")
    where = f"{'checkpoint' if kind == 'checkpoint' else 'file'} {told(path)}"
    schema.check(dataset, kind, where, whole=whole)
    try:
        return unsealed(dataset)
    except ValueError as error:
        raise FileError(f"{where} is damaged: {error}; make it anew, or fetch it again") from None


def _one(kind: str) -> str:
    """The kind with its article."""
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def file_kind(path: str | Path) -> str:
    """What a file of this package is, one of `READERS`."""
    return str(_header(path).attrs.get("kind", "solution"))


def regular(path: str | Path, what: str = "file") -> Path:
    """The path, if there is a file that can be read from beginning to end."""
    source = usable(path, what)
    try:
        mode = source.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise FileError(f"{what} {told(source)} does not exist") from None
        raise FileError(f"{what} {told(source)} cannot be read: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise FileError(f"{what} {told(source)} is a folder; name a file")
    if not stat.S_ISREG(mode):
        raise FileError(f"{what} {told(source)} is no regular file; name another")
    return source


def _read(path: str | Path, history_only: bool) -> xr.Dataset:
    source = regular(path)
    return _of_this_package(source, _opened(source, history_only))  # type: ignore[no-any-return]


def _header(path: str | Path) -> Header:
    from mfgsolve.files.header import Header

    source = regular(path)
    try:
        with open(source, "rb") as file:
            classic = file.read(3) == b"CDF"  # of which h5py knows nothing
        header: Any = _opened(source, False) if classic else Header(source)
    except PermissionError:
        header = "permission denied"
    except Exception as error:  # h5py raises many kinds
        header = cut(visible(_first_line(error)))
    return _of_this_package(source, header)  # type: ignore[no-any-return]


def _of_this_package(source: Path, dataset: Any) -> Any:
    """What was opened, if it is a file of this package; a text is the reason why it could not be."""
    if isinstance(dataset, str):
        raise FileError(
            f"file {told(source)} cannot be read as NetCDF ({dataset}); it is truncated, damaged or of another format"
        )
    schema_name = str(dataset.attrs.get("schema", ""))
    name, _, major = schema_name.partition("/")
    if name != "mfgsolve":
        came = told(schema_name or "missing")
        raise FileError(f"file {told(source)} is NetCDF but not of mfgsolve: schema {came!r}, need {SCHEMA!r}")
    if major.split(".")[0] != SCHEMA.split("/")[1]:
        came = told(schema_name)
        raise FileError(f"file {told(source)} has schema {came!r}; this version reads {SCHEMA!r}: update mfgsolve")
    return dataset


def open_netcdf(source: str | Path) -> xr.Dataset:
    """A NetCDF file (4, or the classic 3), whoever wrote it, opened lazily; to be closed.

    Raises
    ------
    ValueError
        if it declares more than it holds, or leads to other files
    """
    import xarray as xr

    with open(source, "rb") as file:
        if file.read(3) == b"CDF":
            affordable(os.path.getsize(source), 1, "it")
            content = io.BytesIO(b"CDF" + file.read())  # no array of it is larger than that, whatever it declares
            return xr.open_dataset(content, engine="scipy", decode_times=False)
    check_declared(source)
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
        return "it needs more memory than there is"
    except Exception as error:  # h5py, h5netcdf and xarray each raise their own kinds
        return cut(visible(_first_line(error)))
    finally:
        sys.unraisablehook = hook


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error).strip() else type(error).__name__


def plain(value: Any) -> Any:
    """A NumPy scalar as a Python one."""
    return value.item() if isinstance(value, np.generic) else value
