"""Incentive design: the goal and the controls over the equilibria that were solved."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, words

__all__ = ["design"]

NAMED = 8  # controls that a legend has room for


@part.picture
def design(result: Any, **style: Unpack[part.Options]) -> Figure:
    """Draw how a design came about: the objective, and the controls.

    Parameters
    ----------
    result : what `mfgsolve.design` returned, or its history
    """
    dataset = getattr(result, "history", result)
    if not isinstance(dataset, xr.Dataset) or "control" not in dataset.dims:
        raise InputError(f"a design is needed, from mfgsolve.design; a {type(result).__name__} came")
    figure, (goal, controls) = part.row(2, 4.0)
    at, objective = dataset["iteration"].values, dataset["objective"].values
    goal.plot(at, objective, "o-", label="every equilibrium")
    goal.plot(at, np.minimum.accumulate(objective), "--", label="the best so far")
    goal.set(xlabel="equilibria solved", ylabel="goal of the system")
    part.explain(goal)
    for k, name in enumerate(dataset["control"].values):
        label = words(name) if dataset.sizes["control"] <= NAMED else None
        controls.plot(at, dataset["value"].sel(control=name), **part.series(k), label=label)
    controls.set(xlabel="equilibria solved", ylabel="value of each control")
    if dataset.sizes["control"] <= NAMED:
        part.explain(controls, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for ax in (goal, controls):
        ax.grid(alpha=0.3)
    part.headline(figure, f"{words(dataset.attrs['name'])}: incentives", warned=doubts(dataset))
    return figure
