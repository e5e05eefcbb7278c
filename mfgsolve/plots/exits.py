"""Who leaves by which exit, and when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, labelled, view
from mfgsolve.solution.evacuation import evacuation_of, exited_of

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.solution import Solution

__all__ = ["exits"]


@part.picture
def exits(
    solution: Solution | xr.Dataset, times: Sequence[float] | None = None, **style: Unpack[part.Options]
) -> Figure:
    """Left: the share of the agents that has left by each exit, and by all; dotted lines tell when half and 95 % of all
    agents had left.  Right: how many leave in a unit of time.

    A row for each population.

    Raises
    ------
    InputError
        for a game without exits, and one without a final time, whose agents leave at all times alike
    """
    seen = view(solution)
    if times is not None:
        raise InputError("a picture of exits shows all times; leave times out")
    exited = exited_of(seen.dataset, seen.name)
    if "time_until_exit" in seen.dataset.attrs:  # of a first-exit game
        raise InputError(
            f"agents leave {seen.name} at all times alike, so that there are no curves to draw; solution.evacuation() "
            "and 'mfgsolve show' tell by which exit, and after how long"
        )
    figure, rows = part.over_time(seen, 2)
    several = "population" in exited.dims
    for k, (one, (left, right)) in enumerate(zip(seen.each, rows, strict=True)):
        name = str(exited["population"].values[k]) if several else None
        share = exited.isel(population=k).values if several else exited.values
        _left(left, one, seen.dataset, share, name)
        _rates(right, one, share)
    part.title(figure, seen, "who leaves, by which exit")
    return figure


def _names(one: View) -> list[str]:
    return [str(name) for name in one.dataset["exit"].values]


def _left(ax: Axes, one: View, whole: xr.Dataset, share: np.ndarray, population: str | None) -> None:
    style: dict[str, Any] = {"drawstyle": "steps-post"} if one.is_finite else {}
    many = len(one.times) > 40
    for k, (name, column) in enumerate(zip(_names(one), share.T, strict=True)):
        ax.plot(one.times, column, label=name, **(part.series(k) | style | ({"marker": ""} if many else {})))
    if share.shape[1] > 1:
        ax.plot(one.times, share.sum(axis=1), color=part.INK, linewidth=part.relative(2), label="all", **style)
    percentiles = evacuation_of(whole, one.name, population).percentiles
    for q in (50, 95):
        if not math.isnan(percentiles[q]):
            ax.plot([percentiles[q]] * 2, [0.0, q / 100], ":", color=part.INK, linewidth=part.relative(1.2))
            ax.annotate(f"{q} %", (percentiles[q], q / 100), (-3, 2), textcoords="offset points", ha="right")
    ax.set(xlabel=labelled("time t", one.unit("time")), ylabel="share of the agents", ylim=(0.0, 1.05))
    ax.set(title="have left" if population is None else f"have left: {population}", xlim=one.clock)
    part.explain(ax, loc="best")


def _rates(ax: Axes, one: View, share: np.ndarray) -> None:
    times = one.times
    for k, (name, column) in enumerate(zip(_names(one), share.T, strict=True)):
        look = {key: value for key, value in part.series(k).items() if key != "marker"}
        if one.is_finite or len(times) < 4:
            ax.stairs(np.diff(column) / np.diff(times), times, label=name, **look)
        else:  # over two steps: agents take the axes in turn, x first in every second one
            ax.plot(times, np.gradient(column, times), label=name, **look)
    unit = one.unit("time")
    per = "" if unit == "1" else f" (1/{unit})"
    ax.set(xlabel=labelled("time t", unit), ylabel=f"share per unit of time{per}", title="leave now", xlim=one.clock)
    ax.set_ylim(0.0, None)
    part.explain(ax, loc="best")
