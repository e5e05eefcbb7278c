"""Cooperative control: returns while agents learn beside the best of a centre; what the parts are worth."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, labelled, words
from mfgsolve.plots.training import PICTURES, spread_curve, title

__all__ = ["ablation", "cooperation"]

COLOURS = {"cooperative": part.HIGHLIGHT, "independent": "#e07a2f"}
LINES = {"cooperative": "-", "independent": "-."}
DIVERGING = "RdBu_r"
ROOMY = 0.6 * part.WIDTH  # inches from which names of parts stand upright


@part.picture
def cooperation(dataset: xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """Returns and what is lacking to the optimum over the episodes; sums of controls of the first seed, and a centre's.

    Parameters
    ----------
    dataset : of a training of the learner "cooperative"
    """
    wide = part.across(2, 2.6) == 2
    figure = part.page(0.62 * part.width() + 0.2 if wide else 8.6)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.1, 1.0) if wide else (1.35, 1.0))
    left, right = upper.subplots(*((1, 2) if wide else (2, 1)))
    best = float(dataset["optimal_return"])
    given = str(dataset.attrs["option_parts"]).replace(",", ", ")
    names = {"cooperative": f"cooperative ({given})", "independent": "independent"}
    for arm, colour in COLOURS.items():
        if "returns" in dataset:
            look = {"color": colour, "linestyle": LINES[arm]}
            spread_curve(left, dataset, dataset["returns"].sel(arm=arm), names[arm], **look)
            _losses(right, dataset, best - dataset["returns"].sel(arm=arm), look)
    left.axhline(best, color=part.INK, linestyle="--", label="best of a centre (exact)")
    left.set(xlabel="episodes", ylabel="return (mean over agents)")
    part.explain(left, loc="best")
    right.set(xlabel="episodes", ylabel="return below the best", yscale="log")
    for ax in (left, right):
        ax.grid(alpha=0.3)
    seeds = dataset.sizes["seed"]
    left.set_title(f"exact, mean of {seeds} seeds and one deviation" if seeds > 1 else "exact, one seed")
    right.set_title("mean, least and most of the seeds")
    _maps(lower, dataset)
    part.headline(figure, *title(dataset))
    return figure


def _losses(ax: Axes, dataset: xr.Dataset, losses: xr.DataArray, look: dict[str, Any]) -> None:
    """Mean over the seeds, with the least and the most, which a logarithmic axis can show."""
    episodes = dataset["iteration"].values * float(dataset.attrs["episodes_of_block"])
    ax.plot(episodes, losses.mean("seed").values, **look)
    if losses.sizes["seed"] > 1:
        ends = losses.min("seed").values, losses.max("seed").values
        ax.fill_between(episodes, *ends, color=look["color"], alpha=0.2, linewidth=0)


def _maps(figure: Any, dataset: xr.Dataset) -> None:
    """Sums of controls over the states, one colour scale for all."""
    second, first = (str(name) for name in reversed(dataset["optimal_total"].dims))
    learned = dataset["control"].isel(seed=0).sum("agent")
    shown = [(f"{arm}, first seed", learned.sel(arm=arm).values) for arm in COLOURS]
    shown.append(("best of a centre", dataset["optimal_total"].values))
    top = max(1.0, *(float(np.abs(values).max()) for _, values in shown))
    axes = figure.subplots(1, len(shown), sharex=True, sharey=True)
    for ax, (name, values) in zip(axes, shown, strict=True):
        image = ax.pcolormesh(
            dataset[first].values, dataset[second].values, values.T, cmap=DIVERGING, vmin=-top, vmax=top,
            shading="nearest", rasterized=True,
        )  # fmt: skip
        ax.set(xlabel=labelled(words(first), words(dataset[first].attrs["units"])))
        ax.set_title(words(name))
    axes[0].set_ylabel(labelled(words(second), words(dataset[second].attrs["units"])))
    figure.colorbar(image, ax=list(axes), pad=0.01).set_label("sum of controls", fontsize=part.relative(9))


@part.picture
def ablation(*datasets: xr.Dataset, at: tuple[int, ...] = (100, 200, 400), **style: Unpack[part.Options]) -> Figure:
    """How far below the best each combination of the parts ends, as bars with one deviation over the seeds.

    Parameters
    ----------
    datasets : of `mfgsolve.learners.cooperation.ablation`, a panel each
    at : episodes after which it is measured; the nearest measured ones are shown, each once
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    for dataset in datasets:
        if not isinstance(dataset, xr.Dataset) or dataset.attrs.get("kind") != "ablation":
            raise InputError(
                f"an ablation is needed, from mfgsolve.learners.cooperation.ablation; a {type(dataset).__name__} came"
            )
    if not datasets or not at:
        raise InputError("nothing is to be drawn; give an ablation and episodes to show it at")
    figure = part.page(1.4 + min(3.2, 0.75 * part.width()) * len(datasets))
    for ax, dataset in zip(figure.subplots(len(datasets), 1, squeeze=False)[:, 0], datasets, strict=True):
        _bars(ax, dataset, at)
    part.headline(figure, "cooperative control: what the parts are worth", warned=doubts(*datasets))
    return figure


def _bars(ax: Axes, dataset: xr.Dataset, at: tuple[int, ...]) -> None:
    episodes, losses = dataset["episodes"].values, dataset["optimal_return"] - dataset["returns"]
    places = sorted({int(np.abs(episodes - wanted).argmin()) for wanted in at})
    x, width = np.arange(dataset.sizes["parts"]), 0.8 / len(places)
    for k, place in enumerate(places):
        here = losses.isel(iteration=place)
        mean = here.mean("seed").values
        spread = here.std("seed", ddof=1).values if dataset.sizes["seed"] > 1 else np.zeros(len(x))
        shade = part.DENSITY(0.35 + 0.45 * k / max(1, len(places) - 1))
        low = np.minimum(spread, 0.9 * mean)  # a logarithmic axis has no place below 0
        ax.bar(
            x + (k - (len(places) - 1) / 2) * width, mean, width, yerr=(np.maximum(low, 0.0), spread), color=shade,
            error_kw={"ecolor": part.INK, "elinewidth": 1.0, "capsize": 2}, label=f"{episodes[place]} episodes",
        )  # fmt: skip
    ax.set(yscale="log", ylabel="return below the best")
    names, slim = [words(name) for name in dataset["parts"].values], part.width() < ROOMY
    ax.set_xticks(x, [name.replace(",", ", " if slim else "\n") for name in names], rotation=90 if slim else 0)
    ax.grid(alpha=0.3, axis="y")
    ax.set_axisbelow(True)
    part.explain(ax, ncols=len(places), loc="upper right")
    seeds = f"mean and deviation of {dataset.sizes['seed']} seeds" if dataset.sizes["seed"] > 1 else "one seed"
    equal = words(dataset.attrs["equal"])
    ax.set_title(f"{words(dataset.attrs['task'])}, equal {equal}, {seeds}", loc="left")


PICTURES["cooperation"] = cooperation
