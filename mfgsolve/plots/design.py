"""Incentive design: the goal and the controls over the equilibria that were solved."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, words

__all__ = ["design"]

NAMED = 8  # controls that a legend has room for
MARKERS = "osD^v<>p"


def design(result: Any) -> Figure:
    """Draw how a design came about: the objective, and the controls.

    Parameters
    ----------
    result : what `mfgsolve.design` returned, or its history
    """
    dataset = getattr(result, "history", result)
    if not isinstance(dataset, xr.Dataset) or "control" not in dataset.dims:
        raise InputError(f"a design is needed, from mfgsolve.design; a {type(result).__name__} came")
    figure = part.Picture(figsize=(part.WIDTH, 4.0), layout="constrained")
    goal, controls = figure.subplots(1, 2)
    at, objective = dataset["iteration"].values, dataset["objective"].values
    goal.plot(at, objective, "o-", markersize=4, label="every equilibrium")
    goal.plot(at, np.minimum.accumulate(objective), "--", label="the best so far")
    goal.set(xlabel="equilibria solved", ylabel="goal of the system")
    goal.legend(frameon=False, fontsize=9)
    for k, name in enumerate(dataset["control"].values):
        label = words(name) if dataset.sizes["control"] <= NAMED else None
        marker = MARKERS[k % len(MARKERS)]
        controls.plot(at, dataset["value"].sel(control=name), f"{marker}-", markersize=4, label=label)
    controls.set(xlabel="equilibria solved", ylabel="value of each control")
    if dataset.sizes["control"] <= NAMED:
        controls.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for ax in (goal, controls):
        ax.grid(alpha=0.3)
    figure.suptitle(f"{words(dataset.attrs['name'])}: incentives{doubts(dataset)}", x=0.01, ha="left")
    return figure
