"""Sweeps: lines with bands over one parameter, maps over two, small multiples of densities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from mfgsolve.errors import InputError, real, unknown
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, words

__all__ = ["study", "sweep", "sweep_densities"]

SEEDS = ("rng",)  # parameters that are averaged over, with a band
LINES = 8  # that a legend has room for
HEIGHT = 3.8  # inches of a row of curves
MOST = 5  # columns and rows of small multiples,
NARROWEST = 1.0  # and inches of a column
LETTERS = 12  # of names of states that stand beside each other below a small panel
QUANTITIES = ("simulated_cost", "cost", "potential", "regret", "relative_exploitability")


@part.picture
def study(study: Any, names: Sequence[str] | None = None, time: float = 1.0, **style: Unpack[part.Options]) -> Figure:
    """Both pictures below each other: `sweep`, and `sweep_densities` where the study kept densities."""
    dataset = _study(study)
    if "density" not in dataset or not np.isfinite(dataset["density"].values).any():
        return sweep(study, names, **style)
    shown, _ = _reduced(dataset)
    heights = part.row_height(len(_quantities(shown, names)), HEIGHT), _table_height(*_levels(shown, time))
    given, figure = part.current().title, part.page(sum(heights))
    halves: Any = figure.subfigures(2, 1, height_ratios=heights)
    sweep(study, names, ax=halves[0], title=given)
    sweep_densities(study, time, ax=halves[1], title="" if given == "" else None)
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
    figure, panels = part.row(len(listed), HEIGHT, widest=4.5)
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

    Planes are drawn as in `plan`, all on one scale, those of several populations added; a line is a curve, listed
    states are bars, each population beside the others.  Of more values than there is room for every so many are shown.

    Parameters
    ----------
    study : what `mfgsolve.sweep` returned
    time : share of the horizon, 0 to 1; of those that the study kept the nearest is shown, and the title says which
    """
    dataset = _study(study)
    shown, _ = _reduced(dataset)
    at, columns, rows = _levels(shown, time)
    axes = [str(dim) for dim in shown["done"].dims if dim not in SEEDS]
    over, down = len(columns), len(rows)
    space, share = _view(at, {}), min(1.0, (2.4 * over + 0.8) / part.width())
    figure = part.page(_table_height(at, columns, rows), share=share if part.width() >= part.WIDTH else 1.0)
    panels = figure.subplots(down, over, squeeze=False)
    heights = np.nan_to_num(_plane(space) if space.ndim > 1 else at.values)
    top = float(heights.max(initial=0.0)) or 1.0
    images: list[ScalarMappable] = []
    for (j, i), ax in np.ndenumerate(panels):
        chosen = {axes[0]: columns[i]} | ({axes[1]: rows[j]} if len(axes) > 1 else {})
        images += _density(ax, _view(at, chosen), top)
        named = ", ".join(f"{words(dim)} {_short(shown[dim].values[k])}" for dim, k in chosen.items())
        ax.set_title(named, fontsize=part.relative(8.6))
        if space.ndim == 1:
            ax.set(xlabel=space.axis_label(space.dims[0]) if j == down - 1 else "", ylabel=space.quantity * (i == 0))
    if space.ndim > 1:
        part.label_colours(figure, images[0], list(panels.flat), space.density_label)
    elif len(space.each) > 1:
        part.legend(figure, panels[0, 0].get_legend_handles_labels()[0])
    kept = float(at["time_share"])
    when = {0.0: "at the start", 1.0: "at the end"}.get(kept, f"at {kept:.4g} of the horizon")
    part.headline(
        figure, f"{words(dataset.attrs['name'])}: {'share of agents' if space.is_listed else 'density'} {when}"
    )
    return figure


def _levels(shown: xr.Dataset, time: float) -> tuple[xr.DataArray, list[int], list[int]]:
    """Densities at that share of the horizon, and the values of both parameters that have a column, or a row."""
    if "density" not in shown:
        raise InputError("the study kept no density; sweep with keep=['density']")
    share = real(time, "time of a picture of a sweep")
    if not 0.0 <= share <= 1.0:
        raise InputError(f"time of a picture of a sweep is {share:g}; it is a share of the horizon, from 0 to 1")
    shown = shown.mean(SEEDS[0], keep_attrs=True) if SEEDS[0] in shown.dims else shown
    axes = [str(dim) for dim in shown["done"].dims if dim not in SEEDS]
    columns, rows = ([*(shown.sizes[dim] for dim in axes), 1, 1])[:2]
    at = shown["density"].sel(time_share=share, method="nearest")
    return at, _picked(columns, part.across(MOST, NARROWEST)), _picked(rows, MOST)


def _view(at: xr.DataArray, chosen: dict[str, int]) -> View:
    """Densities as pictures see them; those of one point where its place among the parameters is given."""
    level = at.isel(chosen)
    return View(level.to_dataset(name="density"))


def _plane(view: View) -> np.ndarray:
    """Of all populations together; three axes are integrated over z, or cut."""
    return np.asarray(np.sum([one.densities() for one in view.each], axis=0))


def _table_height(at: xr.DataArray, columns: list[int], rows: list[int]) -> float:
    """Inches of the table of densities, whose panels of planes are true to scale."""
    space, room = _view(at, {}), part.width() - (1.6 if part.width() > part.BELOW else 0.2)
    each = min(2.4, room / len(columns))
    height = each / space.aspect if space.ndim > 1 else max(1.2, min(2.2, each))
    below = 1.1 if space.ndim > 1 and part.width() <= part.BELOW else 0.75  # the colour bar, or names of the axis
    return (height + 0.3) * len(rows) + below


def _density(ax: Axes, view: View, top: float) -> list[ScalarMappable]:
    """The density of one point; the image of a plane, which has a colour bar."""
    name = view.dims[0]
    if view.ndim > 1:
        norm = part.density_scale(np.full((1, 1), top))
        image = part.density_image(ax, view, np.ma.masked_invalid(_plane(view)), norm)
        ax.set(xticks=[], yticks=[])
        return [image]
    for k, one in enumerate(view.each):
        look = part.series(k)
        if view.is_listed:
            width = 0.84 / len(view.each)
            places = one.centres(name) + (k - (len(view.each) - 1) / 2) * width
            ax.bar(places, one.densities(), width, color=look["color"], label=one.population)
        else:
            ax.plot(one.centres(name), one.densities(), **(look | {"marker": ""}), label=one.population)
    ax.set(ylim=(0.0, 1.05 * top), xlim=view.ends(name))
    part.name_places(ax.xaxis, view)
    if view.is_listed and max(map(len, view.state_names)) * len(view.state_names) > LETTERS:
        ax.tick_params(axis="x", rotation=90)
    return []


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
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise InputError(f"names is empty; name one number of the study at least, of {', '.join(numbers)}")
        for name in names:
            if name not in numbers:
                raise InputError(unknown("number of the study", name, numbers))
        return names
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


def _picked(size: int, most: int) -> list[int]:
    return list(range(size)) if size <= most else np.unique(np.linspace(0, size - 1, most).round().astype(int)).tolist()


def _short(value: Any) -> str:
    return format(float(value), ".4g") if isinstance(value, float | np.floating) else str(value)
