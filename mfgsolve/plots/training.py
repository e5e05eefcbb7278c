"""Trainings on tasks: the picture of the learner; where it has none, every curve over the blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, words
from mfgsolve.plots.society import society

__all__ = ["PICTURES", "curves", "spread_curve", "training"]

WORK = ("seconds", "agent_steps")
MOST = 6  # curves that one picture has room for
PICTURES: dict[str, Callable[[xr.Dataset], Figure]] = {  # name of a learner's picture: what draws it
    "society": society,
}


@part.picture
def training(result: Any, **style: Unpack[part.Options]) -> Figure:
    """Draw what a learner made of a task, as that learner is drawn.

    Parameters
    ----------
    result : what `mfgsolve.learn` returned of a task, or its dataset
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    dataset = getattr(result, "dataset", result)
    if not isinstance(dataset, xr.Dataset) or dataset.attrs.get("kind") != "training":
        raise InputError(f"a training on a task is needed, from mfgsolve.learn; a {type(result).__name__} came")
    return PICTURES.get(str(dataset.attrs["picture"]), curves)(dataset)


def curves(dataset: xr.Dataset) -> Figure:
    """Every variable of the history over the episodes, a panel each; means over agents with their spread."""
    names = [str(name) for name, one in dataset.data_vars.items() if "iteration" in one.dims and name not in WORK]
    count = max(1, min(len(names), MOST))
    figure = part.page(1.0 + count * min(2.4, 0.6 * part.width()))
    axes = figure.subplots(count, 1, squeeze=False)[:, 0]
    for ax, name in zip(axes, names, strict=False):
        one = dataset[name]
        for k, arm in enumerate(dataset["arm"].values if "arm" in one.dims else [None]):
            which, label = (one, "") if arm is None else (one.sel(arm=arm), str(arm))
            spread_curve(ax, dataset, which, label, **(part.series(k) | {"marker": ""}))
        ax.set(xlabel="episodes", ylabel=words(one.attrs.get("long_name", name)))
        ax.grid(alpha=0.3)
        if "arm" in one.dims:
            part.explain(ax)
    part.headline(figure, *title(dataset))
    return figure


def spread_curve(ax: Axes, dataset: xr.Dataset, values: xr.DataArray, label: str, **style: Any) -> None:
    """Mean over all dimensions but ``iteration`` against the episodes, with a band of one standard deviation."""
    rest = [dim for dim in values.dims if dim != "iteration"]
    episodes = dataset["iteration"].values * float(dataset.attrs["episodes_of_block"])
    mean = values.mean(rest).values
    (line,) = ax.plot(episodes, mean, label=words(label), **style)
    if rest and int(np.prod([values.sizes[dim] for dim in rest])) > 1:
        spread = values.std(rest).values
        ax.fill_between(episodes, mean - spread, mean + spread, color=line.get_color(), alpha=0.2, linewidth=0)


def title(dataset: xr.Dataset) -> tuple[str, str, str]:
    """What was learned by whom; nothing in parentheses; and what is to be known beside it."""
    attrs = dataset.attrs
    ended = "" if attrs["status"] == "finished" else f" ({words(attrs['status'])})"
    return f"{words(attrs['task'])}: {words(attrs['learner'])}{ended}", "", doubts(dataset)
