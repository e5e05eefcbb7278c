"""Files written again with something changed."""

from __future__ import annotations

from pathlib import Path

import xarray as xr


def rewrite(path: Path, change) -> Path:
    """The same file with its dataset changed, by one who takes the seal off."""
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as opened:
        dataset = opened.load()
    dataset.attrs = {name: value for name, value in dataset.attrs.items() if name not in ("seal", "sealed")}
    changed = change(dataset)
    (dataset if changed is None else changed).to_netcdf(path, engine="h5netcdf")
    return path
