"""Density of a solution between the nodes of its times.

Where agents follow the entropic scheme it is known exactly (`mfgsolve.steps.bridge`), from the dataset alone; that of
other solutions is taken to be linear from node to node.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.axes import Axis
from mfgsolve.errors import InputError
from mfgsolve.grids import Grid
from mfgsolve.inputs.times import checked_times
from mfgsolve.steps.bridge import Bridge
from mfgsolve.steps.entropic_policies import FORM, pass_axes

__all__ = ["Between", "density_at"]


class Between:
    """Density at any time, of a dataset of schema mfgsolve/1; see the module.

    Parameters
    ----------
    dataset : with ``time`` and ``density``; with ``value_ahead`` where agents follow the entropic scheme
    """

    def __init__(self, dataset: xr.Dataset):
        self.dataset = dataset
        self.times = np.asarray(dataset["time"].values, dtype=float)
        plain = "population" not in dataset["density"].dims and "exited" not in dataset  # who leaves, leaves in between
        self.is_exact = FORM.name in dataset and plain
        self.bridge = lru_cache(maxsize=1)(self._bridge)  # times come in order

    def density(self, t: float) -> np.ndarray:
        """Mass per unit volume at a time, (*shape)."""
        times, levels = self.times, self.dataset["density"].values
        right = int(np.clip(np.searchsorted(times, t), 1, len(times) - 1))
        share = float((t - times[right - 1]) / (times[right] - times[right - 1]))
        if self.is_exact and 0.0 < share < 1.0:
            return np.asarray(self.bridge(right - 1).at(share) / self.grid.volumes)
        return np.asarray((1 - share) * levels[right - 1] + share * levels[right])

    def _bridge(self, step: int) -> Bridge:
        field, grid = self.dataset[FORM.name], self.grid
        dt = float(self.times[step + 1] - self.times[step])
        discount = math.exp(-float(self.dataset.attrs.get("discount", 0.0)) * (float(self.times[step]) + 0.5 * dt))
        viscosity, cost = float(field.attrs["viscosity"]), float(field.attrs["control_cost"])
        ahead = field.transpose("step", *grid.dims).values[step] / (2.0 * viscosity * cost * discount)
        mass = self.dataset["density"].transpose("time", *grid.dims).values[step : step + 2] * grid.volumes
        return Bridge(grid, mass[0], mass[1], ahead, 2.0 * viscosity * dt, pass_axes(grid.ndim, step))

    @cached_property
    def grid(self) -> Grid:
        """The grid that the coordinates tell."""
        return _grid_of(self.dataset)


def density_at(dataset: xr.Dataset, times: Any) -> xr.DataArray:
    """Density (time, ...) at these times; see `mfgsolve.Solution.density_at`."""
    between, density = Between(dataset), dataset["density"]
    unit = str(dataset["time"].attrs.get("units", "1"))
    wanted = checked_times(times, float(between.times[0]), float(between.times[-1]), unit)
    levels = np.array([between.density(float(t)) for t in wanted])
    kept = {name: values for name, values in density.coords.items() if "time" not in values.dims}
    result = xr.DataArray(levels, kept | {"time": wanted}, density.dims, "density", density.attrs)
    result["time"].attrs = dict(dataset["time"].attrs)
    return result if np.ndim(times) else result.isel(time=0)


def _grid_of(dataset: xr.Dataset) -> Grid:
    names = [str(name) for name in dataset["density"].dims if name != "time"]
    axes = []
    for name in names:
        about = dataset[name].attrs
        missing = [key for key in ("start", "stop", "boundary") if key not in about]
        if missing:
            raise InputError(
                f"coordinate {name!r} of the dataset has no {', '.join(missing)}, which the density between two nodes "
                "depends on; keep the attributes of the coordinates (xarray: keep_attrs=True)"
            )
        axes.append(
            Axis(name, dataset.sizes[name], float(about["start"]), float(about["stop"]), str(about["boundary"]))
        )
    blocked = dataset["blocked"].transpose(*names).values.astype(bool) if "blocked" in dataset else None
    return Grid(tuple(axes), blocked)
