"""Sweeps: lines with bands over one parameter, maps over two, small multiples of densities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.errors import InputError, unknown
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import words

__all__ = ["study", "sweep", "sweep_densities"]

SEEDS = ("rng",)  # parameters that are averaged over, with a band
LINES = 8  # that a legend has room for
MOST = 5  # columns and rows of small multiples
QUANTITIES = ("simulated_cost", "cost", "potential", "regret", "relative_exploitability")


@part.picture
def study(study: Any, names: Sequence[str] | None = None, time: float = 1.0, **style: Unpack[part.Options]) -> Figure:
    """Both pictures below each other: `sweep`, and `sweep_densities` where the study kept densities."""
    dataset = _study(study)
    if "density" not in dataset or not np.isfinite(dataset["density"].values).any():
        return sweep(study, names, **style)
    shown, _ = _reduced(dataset)
    rows = len(_picks(shown)[1])
    heights = 3.8, min(2.2, part.width() / 3) * rows + 0.6
    figure = part.page(sum(heights))
    halves: Any = figure.subfigures(2, 1, height_ratios=heights)
    sweep(study, names, ax=halves[0])
    sweep_densities(study, time, ax=halves[1])
    return figure


@part.picture
def sweep(study: Any, names: Sequence[str] | None = None, **style: Unpack[part.Options]) -> Figure:
    """Draw a study: what it kept of numbers, and the masses of its regions at the end, over one or two parameters.

    Over one parameter a line each; over two a map each where both are numbers, else a line for each label.  Seeds are
    averaged over, with a band of one standard deviation.  Of further parameters the first value is shown, and the title
    says which.  What was not measured, or failed, is left blank.

    Parameters
    ----------
    study : what `mfgsolve.sweep` returned
    names : of numbers; by default the cost and the masses
    """
    dataset = _study(study)
    shown, fixed = _reduced(dataset)
    axes = [str(dim) for dim in shown["done"].dims if dim not in SEEDS]
    listed = _quantities(shown, names)
    figure, panels = part.row(len(listed), 3.8, widest=4.5)
    for ax, name in zip(panels, listed, strict=True):
        values = _at_end(shown[name])
        label = words(values.attrs.get("long_name", name))
        numeric = [np.issubdtype(shown[dim].dtype, np.number) for dim in axes]
        if len(axes) == 2 and all(numeric) and min(shown.sizes[dim] for dim in axes) > 2:
            _map(figure, ax, shown, values.mean(SEEDS[0]) if SEEDS[0] in values.dims else values, axes, label)
        else:
            _lines(ax, shown, values, axes, label)
    failed = int((dataset["status"] == "failed").sum())
    missing = int((dataset["done"] == 0).sum())
    told = [f"{words(dataset.attrs['name'])}"] + [f"{words(name)} = {words(value)}" for name, value in fixed.items()]
    told += [f"{failed} failed"] * bool(failed) + [f"{missing} not done"] * bool(missing)
    doubtful = int(((dataset["message"] != "") & (dataset["status"] != "failed")).sum())
    told += [f"warnings at {doubtful} points"] * bool(doubtful)
    part.headline(figure, ", ".join(told))
    return figure


@part.picture
def sweep_densities(study: Any, time: float = 1.0, **style: Unpack[part.Options]) -> Figure:
    """Densities over one parameter (a row) or two (a table), at a share of the horizon; the study kept "density".

    Of more values than there is room for every so many are shown.
    """
    dataset = _study(study)
    if "density" not in dataset:
        raise InputError("the study kept no density; sweep with keep=['density']")
    shown, _ = _reduced(dataset)
    shown = shown.mean(SEEDS[0]) if SEEDS[0] in shown.dims else shown
    at = shown["density"].sel(time_share=time, method="nearest")
    axes = [str(dim) for dim in shown["done"].dims if dim not in SEEDS]
    columns, rows = _picks(shown)
    each = min(2.2, (part.width() - 0.8) / len(columns))
    figure = part.page(each * len(rows) + 0.6, share=min(1.0, (each * len(columns) + 0.8) / part.width()))
    space = [str(dim) for dim in at.dims if dim not in axes]
    top = float(np.nanmax(at.values)) if np.isfinite(at.values).any() else 1.0
    axes_of = figure.subplots(len(rows), len(columns), squeeze=False)
    for j, row in enumerate(axes_of):
        for i, ax in enumerate(row):
            chosen = {axes[0]: columns[i]} | ({axes[1]: rows[j]} if len(axes) > 1 else {})
            _density(ax, at.isel(chosen), space, top)
            ax.set_title(
                ", ".join(f"{words(dim)} {_short(shown[dim].values[k])}" for dim, k in chosen.items()),
                fontsize=part.relative(8.6),
            )
    label = f"density of agents ({words(at.attrs.get('units', '1/volume'))})"
    if len(space) > 1:
        figure.colorbar(axes_of[0, 0].images[0], ax=axes_of, label=label)
    else:
        for row in axes_of:
            row[0].set_ylabel(label)
    part.headline(figure, f"{words(dataset.attrs['name'])}: density at {time:g} of the horizon")
    return figure


def _picks(shown: xr.Dataset) -> tuple[list[int], list[int]]:
    """Which values of the first and of the second parameter have a column, or a row."""
    axes = [str(dim) for dim in shown["done"].dims if dim not in SEEDS]
    columns, rows = ([*(_picked(shown.sizes[dim]) for dim in axes), [0], [0]])[:2]
    return columns, rows


def _study(study: Any) -> xr.Dataset:
    if not isinstance(study, xr.Dataset) or study.attrs.get("kind") != "sweep":
        raise InputError(f"a study is needed, from mfgsolve.sweep; a {type(study).__name__} came")
    return study


def _reduced(dataset: xr.Dataset) -> tuple[xr.Dataset, dict[str, Any]]:
    """The study over its first two parameters of several values (and seeds), and what the others are."""
    dims = [str(dim) for dim in dataset["done"].dims if dim not in SEEDS]
    free = [dim for dim in dims if dataset.sizes[dim] > 1] or dims
    fixed = {dim: 0 for dim in dims if dim not in free[:2]}
    told = {dim: _short(dataset[dim].values[0]) for dim in fixed}
    return dataset.isel(fixed, drop=True), told


def _quantities(dataset: xr.Dataset, names: Sequence[str] | None) -> list[str]:
    numbers = [str(name) for name, one in dataset.data_vars.items() if one.dtype.kind == "f"]
    if names is not None:
        for name in names:
            if name not in numbers:
                raise InputError(unknown("number of the study", name, numbers))
        return list(names)
    masses = [name for name in numbers if name.startswith("mass_")]
    first = [name for name in QUANTITIES if name in numbers and np.isfinite(dataset[name].values).any()][:1]
    return ([*first, *(["regret"] if "regret" in numbers and "regret" not in first else []), *masses] or ["cost"])[:3]


def _at_end(values: xr.DataArray) -> xr.DataArray:
    """A mass at the end of the horizon, of all populations."""
    attrs = values.attrs
    values = values.isel(time_share=-1, drop=True) if "time_share" in values.dims else values
    values = values.sum("population") if "population" in values.dims else values
    return values.assign_attrs(attrs)


def _lines(ax: Axes, dataset: xr.Dataset, values: xr.DataArray, axes: list[str], label: str) -> None:
    along, *others = sorted(axes, key=lambda dim: not np.issubdtype(dataset[dim].dtype, np.number))
    for k in range(dataset.sizes[others[0]] if others else 1):
        one = values.isel({others[0]: k}) if others else values
        name = f"{words(others[0])} {_short(dataset[others[0]].values[k])}" if others else None
        mean = one.mean(SEEDS[0]) if SEEDS[0] in one.dims else one
        at = dataset[along].values
        place = at if np.issubdtype(at.dtype, np.number) else np.arange(len(at))
        (line,) = ax.plot(place, mean.values, label=name if k < LINES else None, **part.series(k))
        if SEEDS[0] in one.dims and one.sizes[SEEDS[0]] > 1:
            spread = one.std(SEEDS[0], ddof=1).values
            band = mean.values - spread, mean.values + spread
            ax.fill_between(place, *band, color=line.get_color(), alpha=0.2, linewidth=0)
        if place is not at:
            ax.set_xticks(place, [words(each) for each in at])
    ax.set(xlabel=words(along), ylabel=label)
    ax.grid(alpha=0.3)
    if others:
        part.explain(ax)


def _map(figure: Figure, ax: Axes, dataset: xr.Dataset, values: xr.DataArray, axes: list[str], label: str) -> None:
    down, along = axes
    grid = values.transpose(down, along).values
    image = ax.pcolormesh(dataset[along].values, dataset[down].values, np.ma.masked_invalid(grid), shading="nearest")
    ax.set(xlabel=words(along), ylabel=words(down))
    figure.colorbar(image, ax=ax, label=label)


def _density(ax: Axes, level: xr.DataArray, space: list[str], top: float) -> None:
    values = level.values
    if len(space) == 1:
        at = level[space[0]].values
        ax.plot(at if np.issubdtype(at.dtype, np.number) else np.arange(len(at)), values)
        ax.set_ylim(0, top)
        return
    while values.ndim > 2:
        values = values.sum(axis=0)
    ax.imshow(np.ma.masked_invalid(values), origin="lower", vmin=0, vmax=top, aspect="auto")
    ax.set(xticks=[], yticks=[])


def _picked(size: int) -> list[int]:
    return list(range(size)) if size <= MOST else np.unique(np.linspace(0, size - 1, MOST).round().astype(int)).tolist()


def _short(value: Any) -> str:
    return format(float(value), ".4g") if isinstance(value, float | np.floating) else str(value)
