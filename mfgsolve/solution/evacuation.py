"""Who has left by which exit, and how long that took: from the variable ``exited`` of a solution's dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mfgsolve.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Evacuation", "evacuation_of", "exited_of"]

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True)
class Evacuation:
    """How long agents take to leave.

    Attributes
    ----------
    left : share of the agents that has left at the end
    mean : mean time of those who left; NaN where nobody did
    percentiles : by percent, when so many of *all* agents had left; NaN where fewer do
    by_exit : share of all agents that left by each exit
    """

    left: float
    mean: float
    percentiles: Mapping[int, float]
    by_exit: Mapping[str, float]


def exited_of(dataset: Any, name: str) -> xr.DataArray:
    """Share of the agents that has left, (time, ..., exit).

    Raises
    ------
    InputError
        where there are no exits
    """
    if "exited" not in dataset:
        raise InputError(
            f"nobody leaves {name}: its space has no exits; state them, Grid(..., exits={{'door': cells}})"
        )
    return dataset["exited"]  # type: ignore[no-any-return]


def evacuation_of(dataset: Any, name: str, population: str | None = None) -> Evacuation:
    """How long agents take to leave.

    Agents of a diffusion leave at any time within a step, evenly; those of a finite game at its end.

    Raises
    ------
    InputError
        where there are no exits, or several populations and none is named
    """
    exited = exited_of(dataset, name)  # of a file that is shown, no more than its head was read
    share = np.asarray(exited.values, dtype=float)
    if "population" in exited.dims:
        known = [str(each) for each in dataset["population"].values]
        if population not in known:
            raise InputError(f"populations leave {name} each in its own time; name one of {', '.join(known)}")
        share = np.take(share, known.index(population), axis=-2)
    elif population is not None:
        raise InputError(f"population is {population!r}, and {name} has a single one; leave it out")
    names = [str(each) for each in dataset["exit"].values]
    if "time_until_exit" in dataset.attrs:  # agents come and go: all of them leave, and where one is says not when
        return _lasting(dataset, share, names, population is not None)
    times, gone, rounds = np.asarray(dataset["time"].values, dtype=float), share.sum(axis=1), "policy" in dataset
    step = np.diff(gone)
    when = times[1:] if rounds else 0.5 * (times[1:] + times[:-1])
    left = float(gone[-1])
    mean = float((step * when).sum() / left) if left > 0 else math.nan
    percentiles = {q: _time_of(q / 100, times, gone, rounds) for q in PERCENTILES}
    return Evacuation(left, mean, percentiles, dict(zip(names, share[-1].tolist(), strict=True)))


def _lasting(dataset: Any, share: np.ndarray, names: list[str], several: bool) -> Evacuation:
    """Of a first-exit game; the mean time is known of all populations together."""
    mean = math.nan if several and dataset.sizes["population"] > 1 else float(dataset.attrs["time_until_exit"])
    unknown_times = dict.fromkeys(PERCENTILES, math.nan)
    return Evacuation(float(share.sum()), mean, unknown_times, dict(zip(names, share.tolist(), strict=True)))


def _time_of(share: float, times: np.ndarray, gone: np.ndarray, rounds: bool) -> float:
    """When that share had left; NaN where it never has."""
    there = np.flatnonzero(gone >= share)
    if not there.size:
        return math.nan
    k = int(there[0])
    if k == 0 or rounds:
        return float(times[k])
    part = (share - gone[k - 1]) / (gone[k] - gone[k - 1])
    return float(times[k - 1] + part * (times[k] - times[k - 1]))
