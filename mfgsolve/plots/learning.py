"""What agents learned: the exploitability against episodes, and the learned density beside a solver's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, dataset_of, doubts, words

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["learning"]

LEARNED, SOLVED = "#d1495b", "0.82"
GOOD = 0.05  # relative exploitability that is marked
FAR = 1e-8  # of the least one learned: the solver's level lies off the axis from there on
ACROSS = 4  # times (or populations and times) beside each other
LOWEST, HIGHEST = 4.4, 9.5  # inches of the figure
FEW = 60  # places up to which each has a dot

Pair = list[tuple[str, View]]  # what is learned and, where there is a reference, what the solver found


@part.picture
def learning(solution: Solution | xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """How agents learned, and what, from a solution of `mfgsolve.learn`.

    Left: relative exploitability against episodes, both logarithmic, with the level of the solver that the learners are
    compared with, and 5 %.  A value at or below zero (round-off) cannot stand there: it is a triangle at the bottom;
    what was measured before the first episode is not shown.  Below it, of agents with tables of their own, how far
    these are from their mean.

    Right, the learned density beside the solver's.  Two and three axes: at a few times, one above the other (three axes
    are integrated over z).  One axis, or many states: over time, and profiles.  Few states: bars.  Several populations
    share the columns (four at most), or have a row each.  Without a reference there is the learned density alone.

    Parameters
    ----------
    solution : a Solution of `mfgsolve.learn`, or its dataset
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    dataset = dataset_of(solution, ("time", "density"))
    if "episodes" not in dataset:
        raise InputError(
            f"dataset of solver {dataset.attrs.get('solver', 'unknown')!r} has no episodes: nobody learned it; "
            "mfg.plots.convergence shows how a solver got there"
        )
    pair = _pair(dataset)
    first = pair[0][1]
    planes, bars = first.ndim > 1, first.is_listed and len(first.state_names) <= part.NAMED
    if planes:
        height = len(pair) * (1.75 / first.aspect + 0.15) + 1.9
    else:
        height = LOWEST if bars else 0.9 + 3.3 * len(first.each)
    if planes and part.width() < part.WIDTH:
        height = 1.9 + len(pair) * (0.2 + 0.85 * part.width() / min(4, len(_columns(pair))) / first.aspect)
    elif not bars and not planes and part.across(len(pair) + 1, 1.9) < len(pair) + 1:
        height = 0.9 + 2.1 * len(first.each) * (len(pair) + 1)
    height = min(max(height, LOWEST if part.width() == part.WIDTH else 2.2), HIGHEST)
    figure, (left, right) = part.sides((1, 2.1), height, (2.2 + 1.2 * ("disagreement" in dataset), height))
    if "disagreement" in dataset:
        upper, lower = left.subplots(2, 1, sharex=True, height_ratios=(1.6, 1))
        _course(upper, dataset)
        _apart(lower, dataset)
        upper.set_xlabel("")
    else:
        _course(left.subplots(), dataset)
    (_maps if planes else _bars if bars else _over_time)(right, pair)
    part.headline(figure, *_title(dataset))
    return figure


def _pair(dataset: xr.Dataset) -> Pair:
    learned = ("learned", View(dataset))
    if "reference_density" not in dataset:
        return [learned]
    return [learned, ("solver", View(dataset.drop_vars("density").rename(reference_density="density")))]


def _title(dataset: xr.Dataset) -> tuple[str, str, str]:
    attrs = dataset.attrs
    apart = float(attrs.get("density_distance", math.nan))
    beside = "" if math.isnan(apart) else f"; total variation to the solver's density {apart:.2g}"
    gap = dataset["relative_exploitability"].values[-1]
    who = f"what {words(attrs.get('agents', '?'))} agents learned"
    name = words(attrs.get("name", "game"))
    return f"{name}: {who}", f"relative exploitability {max(gap, 0.0):.2g}{beside}", doubts(dataset)


# -- exploitability against episodes -----------------------------------------------------------------------------------


def _course(ax: Axes, dataset: xr.Dataset) -> None:
    episodes, gap = dataset["episodes"].values, dataset["relative_exploitability"].values
    above, below = (gap > 0) & (episodes > 0), (gap <= 0) & (episodes > 0)
    name = words(dataset.attrs.get("solver", "learner"))
    ax.set(xscale="log", yscale="log", xlabel="episodes", ylabel="relative exploitability")
    ax.plot(episodes[above], gap[above], ".-", color=LEARNED, label=f"learned ({name})")
    if below.any():
        ax.plot(episodes[below], np.zeros(below.sum()), "v", color=LEARNED, clip_on=False, label="at or below zero",
                transform=ax.get_xaxis_transform())  # fmt: skip
    ax.axhline(GOOD, color=part.INK, linestyle=":", label=f"{GOOD:.0%}")
    level = float(dataset.attrs.get("reference_exploitability", math.nan))
    if level > FAR * float(gap[above].min(initial=1.0)):
        ax.axhline(level, color=part.INK, linestyle=(0, (6, 3)), label=f"solver: {level:.0e}")
    elif math.isfinite(level):
        ax.plot([], [], " ", label=f"solver: {level:.0e}, below the axis")
    low, high = ax.get_ylim()
    ax.set_ylim(low / 2, high)
    ax.grid(alpha=0.3)
    part.explain(ax, loc="best")


def _apart(ax: Axes, dataset: xr.Dataset) -> None:
    """How far the tables of agents are from their mean, against episodes; nothing where they are alike."""
    episodes, apart = dataset["episodes"].values, dataset["disagreement"].values
    known = (apart > 0) & (episodes > 0)
    ax.set(xscale="log", xlabel="episodes", ylabel="disagreement")
    if known.any():
        ax.set_yscale("log")
        ax.plot(episodes[known], apart[known], ".-", color=LEARNED)
    ax.grid(alpha=0.3)


# -- densities ---------------------------------------------------------------------------------------------------------


def _columns(pair: Pair) -> list[tuple[int, int]]:
    """Which population at which time each panel shows: middles of equal spans, for agents start alike."""
    first = pair[0][1]
    shown = list(range(min(len(first.each), ACROSS)))
    last = len(first.times) - 1
    most = min(last, ACROSS // len(shown))
    return [(name, k) for name in shown for k in sorted({math.ceil((j + 0.5) * last / most) for j in range(most)})]


def _panel_title(first: View, population: int, k: int) -> str:
    who, moment = first.each[population].population, first.time_title(float(first.times[k]))
    return moment if who is None else f"{who}, {moment}"


def _maps(figure: part.Page, pair: Pair) -> None:
    columns, first = _columns(pair), pair[0][1]
    axes = figure.subplots(len(pair), len(columns), sharex=True, sharey=True, squeeze=False)
    levels = np.array([[seen.each[who].densities()[k] for who, k in columns] for _, seen in pair])
    norm = part.density_scale(levels)
    for row, (name, seen), crowds in zip(axes, pair, levels, strict=True):
        for ax, (who, k), level in zip(row, columns, crowds, strict=True):
            one = seen.each[who]
            ax.set(xlim=one.ends("x"), ylim=one.ends("y"), aspect="equal")
            image = part.density_image(ax, one, level, norm)
            part.draw_walls(ax, one, one.walls)
            handles = [*part.draw_track(ax, one, float(one.times[k])), *part.draw_sites(ax, one)]
            ax.tick_params(color=part.INK)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_locator(MaxNLocator(3 if part.width() > part.BELOW else 2, steps=part.STEPS))
        row[0].set_ylabel(f"{name}\n{first.axis_label('y')}")
    for ax, column in zip(axes[0], columns, strict=True):
        ax.set_title(_panel_title(first, *column))
    for ax in axes[-1]:
        ax.set_xlabel(first.axis_label("x"))
    _colour_bar(figure, image, list(axes.flat), first)
    part.legend(figure, handles, most=3)


def _over_time(figure: part.Page, pair: Pair) -> None:
    """Fields over (time, place), and profiles at a few times: lines are the solver's, dots learned."""
    first = pair[0][1]
    rows = _rows(figure, len(first.each), len(pair) + 1)
    norm = part.density_scale(np.array([one.densities() for _, seen in pair for one in seen.each]))
    for k, row in enumerate(rows):
        for j, (ax, (name, seen)) in enumerate(zip(row[:-1], pair, strict=True)):
            one = seen.each[k]
            image = part.field(ax, one, one.densities(), one.clock, cmap=part.DENSITY, norm=norm)
            outer = j == 0 or part.leftmost(ax)
            part.label_place(ax, one, name if k == 0 or (j and outer) else "", first=outer)
            ax.tick_params(labelleft=outer)
            if one.track is not None:
                ax.plot(one.times, one.track[:, 0], ":", color=part.HIGHLIGHT, linewidth=part.relative(2))
        _profiles(row[-1], [(name, seen.each[k]) for name, seen in pair])
    _colour_bar(figure, image, [ax for row in rows for ax in row[:-1]], first)


def _rows(figure: Any, each: int, columns: int) -> np.ndarray:
    """Axes (each, columns), those of a row below each other where the page is narrow."""
    if part.across(columns, 1.9) == columns:
        return np.asarray(figure.subplots(each, columns, squeeze=False))
    return np.asarray(figure.subplots(each * columns, 1, squeeze=False)).reshape(each, columns)


def _colour_bar(figure: part.Page, image: ScalarMappable, axes: list[Axes], seen: View) -> None:
    bar = figure.colorbar(image, ax=axes, location="bottom", aspect=40, pad=0.02)
    *names, colour = seen.density_label
    beyond = "; beyond the arrow: the start" if getattr(image.norm, "extend", "") == "max" else ""
    bar.set_label(f"{' '.join(names)}, {colour}{beyond}", fontsize=part.relative(9))
    bar.ax.xaxis.set_major_locator(MaxNLocator(6 if part.width() > part.BELOW else 4, steps=part.STEPS))


def _profiles(ax: Axes, pair: Pair) -> None:
    first, name = pair[0][1], pair[0][1].dims[0]
    last = len(first.times) - 1
    moments = sorted({round(j * last / 3) for j in range(4)})
    shades = part.shades(len(moments), 0.85)
    dots = len(first.centres(name)) <= FEW
    for k, shade in zip(moments, shades, strict=True):
        for which, one in pair:
            style = "o" if dots and which == "learned" else "--" if which == "learned" else "-"
            text = one.time_title(float(one.times[k])) if which == pair[-1][0] else None
            ax.plot(one.centres(name), one.densities()[k], style, color=shade, label=text)
    ax.set(xlabel=first.axis_label(name), xlim=first.ends(name), ylim=(0.0, None))
    ax.set_ylabel(first.quantity.replace(" (", "\n("))
    ax.set_title("profiles" if len(pair) < 2 else f"lines: solver, {'dots' if dots else 'broken'}: learned")
    part.name_places(ax.xaxis, first)
    part.explain(ax)


def _bars(figure: part.Page, pair: Pair) -> None:
    """The share of each state at a few times, learned beside the solver's."""
    columns, first = _columns(pair), pair[0][1]
    across = min(2, len(columns))
    axes = figure.subplots(-(-len(columns) // across), across, sharex=True, sharey=True, squeeze=False)
    width = 0.84 / len(pair)
    for ax in axes.flat[len(columns) :]:
        ax.remove()
    for place, (ax, (who, k)) in enumerate(zip(axes.flat, columns, strict=False)):
        for j, (name, seen) in enumerate(pair):
            at = first.centres("state") + (j - (len(pair) - 1) / 2) * width
            colour = LEARNED if name == "learned" else SOLVED
            ax.bar(at, seen.each[who].densities()[k], width, color=colour, label=name)
        part.name_places(ax.xaxis, first)
        ax.set_title(_panel_title(first, who, k))
        ax.tick_params(labelbottom=place + across >= len(columns))
        if max(len(name) for name in first.state_names) * len(first.state_names) > 24:
            ax.tick_params(axis="x", rotation=30)
    figure.supylabel(first.quantity, fontsize=part.relative(10))
    part.legend(figure, axes[0, 0].get_legend_handles_labels()[0], most=2)
