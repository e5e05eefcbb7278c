"""The card of a solution: why it ended, what it is worth, and the crowd at four times."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.display.cards import card
from mfgsolve.display.pictures import strip
from mfgsolve.display.stated import flat_levels
from mfgsolve.solution.timeless import is_timeless, with_times

__all__ = ["density_picture", "solution_card"]

LEVELS = 4  # times that are shown of a plane; of a line all, from below


def density_picture(density: xr.DataArray) -> tuple[str, str]:
    """A picture of a density (time, ...), and a line that says which times it shows."""
    populations = density.sizes.get("population", 1)
    if density.sizes["time"] == 1:
        return strip(flat_levels(density.values, populations), None, ["density"]), "density at all times"
    line = density.ndim - (1 if populations == 1 else 2) == 1
    unit = str(density["time"].attrs.get("units", "1"))
    unit = "" if unit == "1" else f" {unit}"
    times = density["time"].values
    if line:
        levels = np.moveaxis(density.values.reshape(len(times), populations, -1), 0, 1)  # time upward, place across
        return strip(levels, None, ["density"]), f"place across, time upward from 0 to {times[-1]:g}{unit}"
    picked = np.unique(np.linspace(0, len(times) - 1, LEVELS).astype(int))
    levels = flat_levels(density.isel(time=picked).values, populations)
    told = ", ".join(f"{times[k]:.3g}" for k in picked)
    return strip(levels, None, ["density at four times"]), f"density at t = {told}{unit}"


def off_target(certificate: Any) -> dict[str, str]:
    """How far the end is from the density that was to be met, where one was."""
    distance = certificate.final_distance
    return {} if math.isnan(distance) else {"off the final density": f"total variation {distance:.1e}"}


def solution_card(solution: Any) -> str:
    """The card of a `Solution`."""
    dataset, certificate = with_times(solution.dataset), solution.certificate
    if is_timeless(solution.dataset):
        dataset = dataset.isel(time=[0])
    density = dataset["density"]
    if "blocked" in dataset:
        density = density.where(dataset["blocked"] == 0)
    picture, below = density_picture(density)
    numbers = {
        "exploitability": f"{certificate.exploitability:.2e} (relative {certificate.relative_exploitability:.1e})",
        "potential": certificate.potential,
        **off_target(certificate),
        "cost": certificate.cost,
        "to the continuum": solution.discretisation.sentence,
        "solver": f"{dataset.attrs.get('solver', '')}, {solution.sweeps:.1f} sweeps, {solution.iterations} iterations",
    }
    return card(
        f"Solution of {solution.name}: {solution.status.value}", solution.status.sentence, numbers, picture=picture,
        below=below, warnings=[caution.sentence for caution in solution.warnings],
    )  # fmt: skip
