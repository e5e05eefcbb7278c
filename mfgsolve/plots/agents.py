"""N agents beside their mean field: densities of single runs, distances, regret and costs against N."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, dataset_of, doubts, labelled, words

__all__ = ["agents"]

FEW, MANY, LIMIT = "#d1495b", "#00798c", "0.82"  # a run of the fewest agents, one of the most, the mean field
MARKS = "osD^"
ACROSS = 4  # panels of densities beside each other
BINS = 24  # of a line with few agents: more would show spikes alone
LOWEST, HIGHEST = 6.4, 9.0  # inches of the figure
VAGUE = 0.5  # width of an interval of a slope from which it is no news
NEAR = 1e-3  # of the least regret: an exploitability far below is not shown
MEASURES = ["l2", "wasserstein", "regret", "cost_difference"]
ENDS = ["low", "high"]  # of a band
MEANS = ("l2", "wasserstein", "simulated_cost")  # over replicas, and therefore with bands
NEEDED = {
    "density": ("agents", "time"),
    "mean_field_density": ("time",),
    **{name: ("agents", "replica") for name in MEANS},
    **{f"{name}_mean": ("agents",) for name in MEANS},
    **{f"{name}_band": ("agents", "end") for name in MEANS},
    **{name: ("agents",) for name in ("regret", "cost", "cost_difference")},
    **{name: ("measure",) for name in ("slope", "slope_last")},
    "slope_band": ("measure", "end"),
    "slope_used": ("measure", "agents"),
}  # what is drawn, and the dimensions without which it cannot be
AXES = ("x", "y", "z")
ORDER = ("measure", "agents", "replica", "time", "population", "z", "y", "x", "state", "end")


@part.picture
def agents(dataset: xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """The game of N agents beside its limit, from a dataset of `mfgsolve.compare`.

    Left: densities of one run with the fewest and of one with the most agents beside the mean field.  Two and three
    axes: a column a time; agents fewer than cells are dots, whose area goes with their number.  One axis and listed
    states: a panel a time; few agents are counted in bins of several cells.  Several populations share the panels.
    Right, against N: distances of the densities, with 95 % bands and measured slopes; regret and cost difference, which
    are exact; the cost of an agent, simulated and exact.  Of many populations the first four are drawn, and the title
    says so.

    A regret at or below zero (round-off) cannot stand on a logarithmic axis: it is a triangle at the bottom.  Points
    that no slope counts, for they are as small as what is not exact, are hollow.  A slope is printed where its 95 %
    interval says something: where it contains 0, or is wider than 1/2, that is what is said.

    ``style`` are the options of all pictures, see `mfgsolve.plots.Style`.

    Raises
    ------
    InputError
        for datasets of another kind, and for parts of one that miss what is to be drawn
    """
    seen = _seen(dataset)
    runs = list(dict.fromkeys([0, seen.sizes["agents"] - 1]))
    first = View(seen.isel(agents=0))
    planes = first.ndim > 1
    height = (len(runs) + 1) * (1.45 / first.aspect + 0.25) + 1.3 if planes else LOWEST
    height = min(max(height, LOWEST), HIGHEST)
    each = 0.85 * part.width() / len(_columns(seen))
    upper = (len(runs) + 1) * (each / first.aspect + 0.12) + 1.0 if planes else 0.9 * part.width()
    figure, (left, right) = part.sides((1.5, 1), height, (upper, 5.2))
    (_maps if planes else _profiles)(left, seen, runs)
    distances, gains, costs = right.subplots(3, 1, sharex=True)
    _distances(distances, seen)
    _gains(gains, seen)
    costs.set_xlabel("number of agents N")
    _costs(costs, seen)
    title = f"{_name(seen)}: N agents beside the mean field"
    part.headline(figure, title, _quality(seen), f"{_left_out(seen)}{doubts(seen)}")
    return figure


def _seen(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset, whole and in the order of its dimensions."""
    result = dataset_of(dataset, ("density",))
    if result.attrs.get("kind") != "comparison":
        raise InputError(
            f"dataset is a {result.attrs.get('kind', 'solution')}; one of mfgsolve.compare is needed: "
            "mfg.plots.agents(mfg.compare(solution))"
        )
    _check_whole(result)
    try:
        result = result.sel(measure=MEASURES, end=ENDS)
    except KeyError as error:
        raise InputError(f"dataset misses measures {MEASURES} or ends of bands {ENDS}: {error.args[0]}") from None
    return result.transpose(*ORDER, ..., missing_dims="ignore")


def _check_whole(dataset: xr.Dataset) -> None:
    """That a user who dropped or chose parts of the dataset left what is drawn."""
    missing = [name for name in NEEDED if name not in dataset]
    if missing:
        raise InputError(f"dataset has no {', '.join(missing)}; the whole dataset of mfgsolve.compare is needed")
    for name, dims in NEEDED.items():
        for dim in dims:
            if dim not in dataset[name].dims:
                raise InputError(f"{name} has no dimension {dim}; keep it with a list: dataset.isel({dim}=[0])")
    for dim in dict.fromkeys(str(dim) for name in NEEDED for dim in dataset[name].dims):
        if dataset.sizes[dim] == 0:
            raise InputError(f"dimension {dim} is empty; at least one is needed: dataset.isel({dim}=[0])")
        if dim not in dataset.coords and dim != "replica":
            raise InputError(f"dataset has no coordinate {dim}; the whole dataset of mfgsolve.compare is needed")
    result = tuple(axis for axis in AXES if axis in dataset["density"].dims)
    if result != AXES[: len(result)] or not (result or "state" in dataset["density"].dims):
        raise InputError(f"density has the dimensions {dataset['density'].dims}; of space x, or x and y are needed")


def _name(dataset: xr.Dataset) -> str:
    return words(dataset.attrs.get("name", "game"))


def _quality(dataset: xr.Dataset) -> str:
    reached = dataset.attrs.get("relative_exploitability")
    plan = "" if reached is None else f"plan: relative exploitability {part.size_text(reached)}, "
    return f"{plan}{dataset.sizes['replica']} replicas"


def _left_out(dataset: xr.Dataset) -> str:
    """A line of the title where there are more populations than panels and curves."""
    count = dataset.sizes.get("population", 1)
    if count <= ACROSS:
        return ""
    return f"\ndensities and costs: the first {ACROSS} of {count} populations; distances and regret: all"


def _number(count: int) -> str:
    """1 000 000, or a power of ten."""
    return f"{count:,}".replace(",", "\N{THIN SPACE}") if count < 1e7 else f"{count:.0e}".replace("e+0", "e")


def _crowd(count: int) -> str:
    return f"{_number(count)} agent{'' if count == 1 else 's'}"


# -- densities -------------------------------------------------------------------------------------------------------


def _columns(dataset: xr.Dataset) -> list[tuple[int | None, int]]:
    """Which population at which time each panel shows; several populations share the panels there are."""
    names = list(range(min(dataset.sizes["population"], ACROSS))) if "population" in dataset.sizes else [None]
    most = min(dataset.sizes["time"], ACROSS // len(names))
    last = dataset.sizes["time"]
    moments = sorted({round((k + 1) * last / most) - 1 for k in range(most)})
    return [(name, k) for name in names for k in moments]


def _views(dataset: xr.Dataset, runs: Sequence[int]) -> list[tuple[int, View]]:
    """Number of agents (0: the mean field) and what is to be seen of each."""
    limit = dataset.drop_vars("density").rename(mean_field_density="density")
    every = [(int(dataset["agents"].values[k]), View(dataset.isel(agents=k))) for k in runs]
    return [*every, (0, View(limit))]


def _panel_title(view: View, population: int | None, k: int) -> str:
    moment = view.time_title(float(view.times[k]))
    return moment if population is None else f"{view.each[population].population}, {moment}"


def _level(view: View, population: int | None, k: int) -> np.ndarray:
    return view.each[population or 0].densities()[k]


def _maps(figure: part.Page, dataset: xr.Dataset, runs: Sequence[int]) -> None:
    columns, views = _columns(dataset), _views(dataset, runs)
    first = views[0][1]
    axes = figure.subplots(len(views), len(columns), sharex=True, sharey=True, squeeze=False)
    cells = math.prod(len(first.centres(name)) for name in first.dims[:2])
    dotted = [0 < count < cells for count, _ in views]
    shown = [_level(v, *c) for (_, v), dots in zip(views, dotted, strict=True) if not dots for c in columns]
    norm = part.density_scale(np.array(shown)[:, None])
    image: ScalarMappable | None = None
    for row, (count, view), dots in zip(axes, views, dotted, strict=True):
        for ax, (population, k) in zip(row, columns, strict=True):
            one, level = view.each[population or 0], _level(view, population, k)
            ax.set(xlim=one.ends("x"), ylim=one.ends("y"), aspect="equal")
            if dots:
                _dots(ax, one, level)
            else:
                image = part.density_image(ax, one, level, norm)
            part.draw_walls(ax, one, one.walls)
            ax.tick_params(color=part.INK)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_locator(MaxNLocator(3 if part.width() > part.BELOW else 2, steps=part.STEPS))
        row[0].set_ylabel(f"{_crowd(count) if count else 'mean field'}\n{first.axis_label('y')}")
    for ax, column in zip(axes[0], columns, strict=True):
        ax.set_title(_panel_title(first, *column))
    for ax in axes[-1]:
        ax.set_xlabel(first.axis_label("x"))
    assert image is not None  # the mean field is always one
    bar = figure.colorbar(image, ax=axes[-1].tolist() if any(dotted) else list(axes.flat), location="bottom", aspect=40)
    beside = "; dots: agents of a cell, area by their number" if any(dotted) else ""
    bar.set_label(", ".join(first.density_label).replace(", (", " (") + beside, fontsize=part.relative(9))
    bar.ax.xaxis.set_major_locator(MaxNLocator(4, steps=part.STEPS))


def _dots(ax: Axes, one: View, level: np.ndarray) -> None:
    """Agents of each cell; the area of a dot goes with their share."""
    share = level * one.widths("y")[:, None] * one.widths("x")
    place = np.argwhere(share > 0)
    least = share[share > 0].min()
    area = part.relative(1.0) ** 2 * 20.0 * min(1.0, 60.0 * least) / least  # of one agent among many: smaller
    x, y = one.centres("x")[place[:, 1]], one.centres("y")[place[:, 0]]
    ax.scatter(x, y, s=area * share[share > 0], color=FEW, alpha=0.7, linewidths=0)


def _profiles(figure: part.Page, dataset: xr.Dataset, runs: Sequence[int]) -> None:
    columns, views = _columns(dataset), _views(dataset, runs)
    first = views[0][1]
    across = min(2, len(columns))
    axes = figure.subplots(-(-len(columns) // across), across, sharex=True, squeeze=False)
    for ax in axes.flat[len(columns) :]:
        ax.remove()
    draw = _bars if first.is_listed and len(first.state_names) <= part.NAMED else _steps
    for ax, (population, k) in zip(axes.flat, columns, strict=False):
        draw(ax, [(count, view.each[population or 0], _level(view, population, k)) for count, view in views])
        ax.set_title(_panel_title(first, population, k))
        ax.set_ylim(0.0, None)
    for k, ax in enumerate(axes.flat[: len(columns)]):
        if k + across >= len(columns):  # the lowest of its column
            ax.set_xlabel(first.axis_label(first.dims[0]))
            ax.tick_params(labelbottom=True)
    figure.supylabel(first.quantity, fontsize=part.relative(10))
    part.legend(figure, axes[0, 0].get_legend_handles_labels()[0])


Curves = list[tuple[int, View, np.ndarray]]  # number of agents (0: the mean field), where, how dense


def _colour(curves: Curves, k: int) -> str:
    return LIMIT if curves[k][0] == 0 else FEW if k == 0 else MANY


def _bars(ax: Axes, curves: Curves) -> None:
    """The share of each state, series beside each other."""
    width = 0.84 / len(curves)
    for k, (count, one, level) in enumerate(curves):
        places = one.centres("state") + (k - (len(curves) - 1) / 2) * width
        ax.bar(places, level, width, color=_colour(curves, k), label=_crowd(count) if count else "mean field")
    part.name_places(ax.xaxis, curves[0][1])
    if max(len(name) for name in curves[0][1].state_names) * len(curves[0][1].state_names) > 24:
        ax.tick_params(axis="x", rotation=30)


def _steps(ax: Axes, curves: Curves) -> None:
    """Constant in every cell; few agents on many cells in bins of several cells."""
    for k in [len(curves) - 1, *range(len(curves) - 1)]:  # the mean field lies behind
        count, one, level = curves[k]
        name = one.dims[0]
        side = 1 if count == 0 or one.is_listed else max(1, level.size // max(BINS, count // 4))
        starts = np.arange(0, level.size, side)
        edges = one.edges(name)[np.append(starts, level.size)]
        each = one.widths(name)
        text = _crowd(count) + (f", in bins of {side} cells" if side > 1 else "") if count else "mean field"
        heights = np.add.reduceat(level * each, starts) / np.diff(edges)
        ax.stairs(
            heights,
            edges,
            color=_colour(curves, k),
            fill=count == 0,
            linestyle="--" if k and count else "-",
            label=text,
        )
    part.name_places(ax.xaxis, curves[0][1])
    ax.set_xlim(curves[0][1].ends(curves[0][1].dims[0]))


# -- measures against N ----------------------------------------------------------------------------------------------


def _distances(ax: Axes, seen: xr.Dataset) -> None:
    """Means of the distances, bands, slopes, and the slope that is to be expected."""
    numbers = seen["agents"].values
    listed = "state" in seen["density"].dims
    names = {"l2": "L2 distance", "wasserstein": "total variation" if listed else "Wasserstein-1"}
    for (name, text), colour, marker in zip(names.items(), ("tab:blue", "tab:orange"), "os", strict=True):
        mean, band = seen[f"{name}_mean"].values, seen[f"{name}_band"].values
        if not np.isfinite(mean).any():
            ax.plot([], [], " ", label=f"{text}: not measured")
            continue
        label = f"{labelled(text, words(seen[name].attrs.get('units', '1')))}{_slope_text(seen, name)}"
        ax.plot(numbers, mean, marker=marker, color=colour, label=label)
        low = np.where(band[:, 0] > 0, band[:, 0], 1e-3 * mean)  # a band may reach below zero, and an axis may not
        ax.fill_between(numbers, low, band[:, 1], color=colour, alpha=0.3, linewidth=0)
    guide = 1.7 * seen["l2_mean"].values[0] * np.sqrt(numbers[0] / numbers)
    ax.plot(numbers, guide, ":", color=part.INK, label="slope −1/2")
    _dress(ax, "distance to mean field")


def _slope_text(seen: xr.Dataset, measure: str) -> str:
    one = seen.sel(measure=measure)
    value, last = float(one["slope"]), float(one["slope_last"])
    low, high = (float(one["slope_band"].sel(end=end)) for end in ENDS)
    if not math.isfinite(value):
        return ""
    if low <= 0.0 <= high or high - low > VAGUE:
        return f": slope {low:.2g} to {high:.2g}".replace("-", "−") + ", unresolved"
    band = f" ± {high - value:.1g}" if high - value > 1e-4 else ""
    if measure in ("l2", "wasserstein"):
        return f": slope {value:.3f}".replace("-", "−") + band
    return f": slope {value:.2f}".replace("-", "−") + band + f", last {last:.2f}".replace("-", "−")


def _gains(ax: Axes, seen: xr.Dataset) -> None:
    """Regret and the size of the cost difference, summed over populations, as their slopes are."""
    numbers, least, floored = seen["agents"].values, math.inf, False
    for name, text, colour, marker in (
        ("regret", "regret", "tab:red", "o"), ("cost_difference", "|cost difference|", "tab:green", "s")
    ):  # fmt: skip
        size: xr.DataArray = seen[name] if name == "regret" else abs(seen[name])
        values = (size.sum("population", skipna=False) if "population" in size.dims else size).values
        known, above = np.isfinite(values), values > 0
        if not known.any():
            ax.plot([], [], " ", label=f"{text}: no exact law for this game")
            continue
        ax.plot(numbers[above], values[above], color=colour, linestyle="-" if marker == "o" else "--")
        counted = above & (seen["slope_used"].sel(measure=name).values != 0)
        for which, face in ((counted, colour), (above & ~counted, "white")):
            ax.plot(numbers[which], values[which], marker, color=colour, markerfacecolor=face)
        floor = known & ~above
        if floor.any():
            style: dict[str, Any] = {"color": colour, "markersize": part.relative(7), "clip_on": False}
            ax.plot(numbers[floor], np.zeros(floor.sum()), "v", transform=ax.get_xaxis_transform(), **style)
            floored = True
        ax.plot(
            [],
            [],
            marker=marker,
            color=colour,
            linestyle="-" if marker == "o" else "--",
            label=text + _slope_text(seen, name),
        )
        least = min(least, float(values[above].min(initial=math.inf)))
    plan = abs(float(seen.attrs.get("exploitability", math.nan)))
    if math.inf > plan > NEAR * least:
        ax.axhline(plan, color=part.INK, linestyle=(0, (6, 3)), label="exploitability of the plan")
    if floored:
        ax.plot([], [], "v", color=part.INK, label="at or below zero")
    _dress(ax, "exact, in units of cost")


def _costs(ax: Axes, seen: xr.Dataset) -> None:
    """Cost of an agent: simulated with its band, exact, and in the limit; a colour for each population."""
    numbers, earns = seen["agents"].values, seen.attrs.get("sense") == "reward"
    sign = -1.0 if earns else 1.0
    if "population" in seen["simulated_cost"].dims:
        every = [(str(name), seen.sel(population=name)) for name in seen["population"].values[:ACROSS]]
    else:
        every = [("", seen)]
    for j, (name, one) in enumerate(every):
        colour = f"C{j}" if name else "tab:purple"
        mean, band, exact = (sign * one[key].values for key in ("simulated_cost_mean", "simulated_cost_band", "cost"))
        if np.isfinite(exact).any():
            limit = float((exact - sign * one["cost_difference"].values)[-1])
            ax.axhline(limit, color=colour, linestyle=":")
            ax.plot(numbers, exact, "-", color=colour)
        reach = np.nan_to_num(np.abs(band - mean[:, None])).T  # of one replica: none
        label = words(name) if name else None
        ax.errorbar(numbers, mean, reach, fmt=MARKS[j], color=colour, capsize=part.relative(3), label=label)
    for style, text in ((":", "mean field"), ("-", "exact")):
        if np.isfinite(seen["cost"].values).any():
            ax.plot([], [], style, color=part.INK if every[0][0] else "tab:purple", label=text)
    ax.errorbar([], [], [], fmt="o", color=part.INK if every[0][0] else "tab:purple", capsize=part.relative(3),
                label="simulated, 95 %")  # fmt: skip
    ax.set_xscale("log")
    ax.set_ylabel("earnings of an agent" if earns else "cost of an agent")
    ax.grid(alpha=0.3)
    _legend(ax, "best", 1 + (len(every) > 2))


def _dress(ax: Axes, label: str) -> None:
    """Logarithmic axes, with room above the falling curves for the legend, which tells their slopes, if it is there."""
    ax.set(xscale="log", yscale="log")
    ax.set_ylabel(label)
    ax.grid(alpha=0.3)
    low, high = np.log10(ax.get_ylim())
    room = min(0.04 + 0.13 * len(ax.get_legend_handles_labels()[1]), 0.6) if part.explains_inside() else 0.0
    ax.set_ylim(10**low, 10 ** (high + (high - low) * room / (1 - room)))
    _legend(ax, "upper right")


def _legend(ax: Axes, place: Literal["best", "upper right"], columns: int = 1) -> None:
    """Inside the panel, which it must not widen."""
    part.explain(ax, loc=place, ncols=columns, handlelength=1.6, borderpad=0.1)
    shown = ax.get_legend()
    if shown is not None and part.width() >= part.WIDTH:
        shown.set_in_layout(False)
