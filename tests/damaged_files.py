"""A corpus of damaged files: small real ones, each spoilt in one way.  Made anew for every run of the tests.

`broken` makes files that are none: cut, overwritten, empty, of another format, no regular file at all.
`huge` makes files that declare far more than they hold, or lead elsewhere.
`spoilt` makes whole NetCDF files of ours in which one thing is not as it should be.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

Change = Callable[[xr.Dataset], xr.Dataset]


# -- no files of ours ------------------------------------------------------------------------------------------------


def broken(good: Path, folder: Path) -> dict[str, Path]:
    """Files that cannot be read at all, by name."""
    content, made = good.read_bytes(), {}

    def put(name: str, data: bytes) -> None:
        made[name] = folder / f"{name}.nc"
        made[name].write_bytes(data)

    put("empty", b"")
    for share in (0.1, 0.5, 0.9, 0.999):
        put(f"cut-{share}", content[: int(share * len(content))])
    put("header-alone", content[:96])
    put("zeros", content[:512] + bytes(len(content) - 512))
    put("text", b"density = 1\n" * 50)
    put("pickle", pickle.dumps({"density": 1}))
    put("archive", b"PK\x03\x04" + content)
    put("classic", b"CDF\x01" + content[4:])
    put("tail-first", content[len(content) // 2 :] + content[: len(content) // 2])
    xr.Dataset({"density": ("time", np.ones(3))}).to_netcdf(folder / "foreign.nc", engine="h5netcdf")
    made["foreign"] = folder / "foreign.nc"
    with h5py.File(folder / "plain.nc", "w") as file:
        file["density"] = np.ones(3)
    made["plain"] = folder / "plain.nc"
    made["folder"] = folder / "folder.nc"
    made["folder"].mkdir()
    made["pipe"] = folder / "pipe.nc"
    os.mkfifo(made["pipe"])
    made["ring"] = folder / "ring.nc"
    made["ring"].symlink_to("ring.nc")
    made["dangling"] = folder / "dangling.nc"
    made["dangling"].symlink_to("nothing-here.nc")
    made["missing"] = folder / "missing.nc"
    made["too-long"] = folder / ("a" * 6000 + ".nc")
    return made


def huge(good: Path, folder: Path) -> dict[str, Path]:
    """Files of a few kilobytes that declare gigabytes, or whose arrays lie elsewhere."""
    made = {}

    def copy(name: str) -> h5py.File:
        made[name] = folder / f"{name}.nc"
        made[name].write_bytes(good.read_bytes())
        return h5py.File(made[name], "r+")

    for name, shape in (("table", (2**24,)), ("long-table", (2**34,)), ("wide-array", (2**20, 2**20))):
        with copy(name) as file:  # nothing is stored of it
            file.create_dataset("more", shape, dtype="f8", chunks=tuple(min(n, 1024) for n in shape))
    with copy("replaced") as file:
        name = next(name for name in file if len(file[name].shape) > 1)
        dims = file[name].shape
        del file[name]
        file.create_dataset(name, tuple(2**12 * n for n in dims), dtype="f8", chunks=tuple(64 for _ in dims))
    with copy("one-block") as file:
        file.create_dataset("more", (2**28,), dtype="f8", chunks=(2**28,))
    with copy("texts") as file:
        file.create_dataset("more", (2**26,), dtype=h5py.string_dtype(), chunks=(1024,))
    with copy("lists") as file:
        file.create_dataset("more", (8,), dtype=h5py.vlen_dtype(np.float64))
    with copy("elsewhere") as file:
        file["more"] = h5py.ExternalLink("/etc/hostname", "/x")
    with copy("outside") as file:
        file.create_dataset("more", (16,), dtype="u1", external=[("/etc/hostname", 0, 16)])
    with copy("virtual") as file:
        layout = h5py.VirtualLayout((4,), dtype="f8")
        layout[:] = h5py.VirtualSource("/etc/hostname", "x", (4,))
        file.create_virtual_dataset("more", layout)
    with copy("twice-packed") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((2**22,))
        for _ in range(2):
            plist.set_filter(h5py.h5z.FILTER_DEFLATE, 0, (9,))
        space = h5py.h5s.create_simple((2**22,))
        made_set = h5py.h5d.create(file.id, b"more", h5py.h5t.NATIVE_DOUBLE, space, plist)
        made_set.write(h5py.h5s.ALL, h5py.h5s.ALL, np.zeros(2**22))
    return made


# -- files of ours in which one thing is wrong -----------------------------------------------------------------------


def unsealed(path: Path) -> xr.Dataset:
    """The dataset of a file, as one reads it who will change it on purpose."""
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as opened:
        dataset = opened.load()
    dataset.attrs = {name: value for name, value in dataset.attrs.items() if name not in ("seal", "sealed")}
    return dataset


def written(dataset: xr.Dataset, path: Path) -> Path:
    dataset.to_netcdf(path, engine="h5netcdf")
    return path


def everywhere(dataset: xr.Dataset) -> Iterator[tuple[str, Change]]:
    """Each variable missing, of another type, on other dimensions; each attribute missing, of another type."""
    for name in map(str, dataset.variables):
        yield f"no {name}", lambda d, name=name: d.drop_vars(name)
        if name in dataset.data_vars:
            yield f"text {name}", lambda d, name=name: d.assign({name: d[name].astype(str)})
            yield f"renamed {name}", lambda d, name=name: d.assign({name: _renamed(d[name])})
            yield f"one level of {name}", lambda d, name=name: d.assign({name: _halved(d[name])})
    for name, value in dataset.attrs.items():
        yield f"no attribute {name}", lambda d, name=name: _with(d, name, None)
        other = 3.0 if isinstance(value, str) else "much"
        yield f"another attribute {name}", lambda d, name=name, other=other: _with(d, name, other)
        yield f"list attribute {name}", lambda d, name=name: _with(d, name, [1.0, 2.0])
        if not isinstance(value, str):
            yield f"nan attribute {name}", lambda d, name=name: _with(d, name, np.nan)
            yield f"infinite attribute {name}", lambda d, name=name: _with(d, name, -np.inf)
    for dim in map(str, dataset.dims):
        yield f"half of {dim}", lambda d, dim=dim: d.isel({dim: slice(0, d.sizes[dim] // 2)})
        yield f"nothing of {dim}", lambda d, dim=dim: d.isel({dim: slice(0, 0)})


def _renamed(array: xr.DataArray) -> xr.DataArray:
    return xr.DataArray(array.values, dims=[f"other_{k}" for k in range(array.ndim)])


def _halved(array: xr.DataArray) -> xr.DataArray:
    return xr.DataArray(array.values[: array.shape[0] // 2], dims=[f"other_{k}" for k in range(array.ndim)])


def _with(dataset: xr.Dataset, name: str, value: object) -> xr.Dataset:
    changed = dataset.copy()
    changed.attrs = {key: item for key, item in dataset.attrs.items() if key != name}
    if value is not None:
        changed.attrs[name] = value
    return changed


def numbers(name: str, value: float, share: float = 1.0) -> Change:
    """One number of an array is another, or is scaled."""

    def change(dataset: xr.Dataset) -> xr.Dataset:
        values = np.array(dataset[name].values, dtype=float)
        place = tuple(n // 2 for n in values.shape)
        values[place] = share * values[place] if share != 1.0 else value
        return dataset.assign({name: (dataset[name].dims, values)})

    return change


WRONG_SOLUTIONS: dict[str, tuple[Change, str]] = {  # by name: what is wrong, and what must be told
    "negative density": (numbers("density", -1.0), "'density' with the value -1"),
    "density not a number": (numbers("density", np.nan), "'density' with nan"),
    "infinite density": (numbers("density", np.inf), "'density' with inf"),
    "mass beyond 1": (numbers("density", 9.0), "'density' with a mass that is"),
    "step without time": (lambda d: d.isel(step=slice(0, 3)), "times and"),
    "falling times": (lambda d: d.isel(time=slice(None, None, -1)), "coordinate 'time' that does not rise"),
    "falling places": (lambda d: d.isel(x=slice(None, None, -1)), "coordinate 'x' that does not rise"),
    "no convergence": (lambda d: _with(d, "relative_exploitability", 0.3), "calls itself converged at"),
    "unknown exploitability": (lambda d: _with(d, "exploitability", np.nan), "calls itself converged, and has"),
    "other history": (
        lambda d: d.assign(relative_exploitability=d.relative_exploitability * 0 + 0.7),
        "which no iteration of its history has",
    ),
    "half an iteration": (lambda d: d.assign_coords(iteration=d.iteration + 0.5), "that does not count iterations"),
    "negative work": (lambda d: d.assign(sweeps=-d.sweeps - 1), "'sweeps' with the value"),
}
