"""The plan: where the crowd is, over time, and where what it is after stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, labelled, view
from mfgsolve.plots.stationary import profile
from mfgsolve.plots.targets import draw_target

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["default_counts", "plan"]

COLUMNS = 128  # of an image over time, where the density is known between nodes
CURVES = 6  # states up to which each has a curve of its own


@part.picture
def plan(
    solution: Solution | xr.Dataset, times: Sequence[float] | None = None, **style: Unpack[part.Options]
) -> Figure:
    """Density of the crowd over time, with the path and the place of what moves, walls and sites.

    Two axes: a strip of densities, one panel a time, on one colour scale.  Three axes: the same, integrated over z.
    One axis: the density over (time, x), and profiles at a few times.  Listed states: the share of agents over (time,
    state), and its course in each state, or profiles where there are many.  Several populations: a row of panels each,
    on one scale.  Colour goes with the square root of density.  A final density that is given is drawn over the one
    that was reached.

    Parameters
    ----------
    solution : a Solution or its dataset
    times : times to show (between nodes the density is exact in the entropic scheme, and linear elsewhere); about six
        equally spaced ones by default
    style : options of all pictures, see `mfgsolve.plots.Style`: ax, width, title, labels, certificate, legend, style

    Raises
    ------
    InputError
        if a time lies outside the horizon, or the dataset is no solution

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05))
    >>> len(mfg.plots.plan(solution, times=[0, 0.5, 1]).axes)  # three panels and a colour bar
    4
    """
    seen = view(solution)
    if seen.is_timeless and seen.ndim == 1:
        seen.moments(times, ())
        return profile(seen, "density", "where the crowd is", seen.quantity)
    if seen.ndim > 1:
        return _strip(seen, seen.moments(times, default_counts(seen)))
    return _lines(seen, seen.moments(times, (6, 5, 7)))


def default_counts(seen: View) -> tuple[int, ...]:
    """How many panels fit a page well."""
    if len(seen.each) > 1 and part.width() <= part.BELOW:
        return (4, 3, 5)
    if seen.aspect > 1.3:
        return (4, 5, 3) if len(seen.each) > 1 else (6,)
    return (6, 5, 7)


def _strip(seen: View, moments: list[float]) -> Figure:
    levels = [[one.density(t) for t in moments] for one in seen.each]
    norm = part.density_scale(np.array(levels))
    figure, rows = part.panels(seen, len(moments))
    handles: list[Artist] = []
    for k, (one, row, crowds) in enumerate(zip(seen.each, rows, levels, strict=True)):
        for ax, t, level in zip(row, moments, crowds, strict=True):
            image = part.density_image(ax, one, level, norm)
            part.draw_walls(ax, one, one.walls)
            handles = [*part.draw_track(ax, one, t), *part.draw_sites(ax, one), *draw_target(ax, one, t)]
            if k == 0:
                ax.set_title(one.time_title(t))
    part.label_colours(figure, image, [ax for row in rows for ax in row], seen.density_label)
    part.title(figure, seen, "where the crowd is")
    part.legend(figure, handles)
    return figure


def _lines(seen: View, moments: list[float]) -> Figure:
    figure, rows = part.over_time(seen, 2)
    norm = part.density_scale(np.array([one.course(COLUMNS)[1] for one in seen.each]))
    for one, (left, right) in zip(seen.each, rows, strict=True):
        image = _over_time(one, left, norm)
        if one.is_listed and len(one.state_names) <= CURVES:
            _courses(one, right)
        else:
            _profiles(one, right, moments)
    bars = [row[0] for row in rows]
    part.label_colours(figure, image, bars if len(bars) > 1 else bars[0], seen.density_label)
    part.title(figure, seen, "where the crowd is")
    return figure


def _over_time(one: View, ax: Axes, norm: Normalize) -> ScalarMappable:
    times, levels = one.course(COLUMNS)
    image = part.field(ax, one, levels, one.clock_of(times), cmap=part.DENSITY, norm=norm)
    part.label_place(ax, one, f"{'share' if one.is_listed else 'density'} over time")
    if one.track is not None:
        ax.plot(one.times, one.track[:, 0], ":", color=part.HIGHLIGHT, linewidth=part.relative(2),
                label=f"path of {one.track_name}")  # fmt: skip
        part.explain(ax)
    return image


def _profiles(one: View, ax: Axes, moments: list[float]) -> None:
    name = one.dims[0]
    few = one.is_finite and len(one.centres(name)) <= 60
    for k, (t, shade) in enumerate(zip(moments, part.shades(len(moments)), strict=True)):
        style = {"marker": part.series(k)["marker"] if few else "", "linestyle": part.series(k)["linestyle"]}
        ax.plot(one.centres(name), one.density(t), color=shade, label=one.time_title(t), **style)
        place = one.track_at(t)
        if place is not None:
            ax.plot(
                *place,
                0.0,
                "o",
                color=shade,
                markeredgecolor="white",
                markersize=part.relative(8),
                clip_on=False,
                zorder=4,
            )
    draw_target(ax, one, moments[-1])
    ax.set(xlabel=one.axis_label(name), ylabel=one.quantity, xlim=one.ends(name), ylim=(0.0, None))
    ax.set_title("profiles" if one.track is None else f"profiles (dots: place of {one.track_name})")
    part.name_places(ax.xaxis, one)
    for low, high in part.wall_spans(one):
        ax.axvspan(low, high, color="0.55", linewidth=0)
    part.explain(ax)


def _courses(one: View, ax: Axes) -> None:
    """The share of each state against time, in steps where time is counted in them."""
    style: dict[str, Any] = {"drawstyle": "steps-post"} if one.is_finite else {}
    for k, (name, share) in enumerate(zip(one.state_names, one.densities().T, strict=True)):
        marks = {} if len(one.times) <= 60 else {"marker": ""}
        ax.plot(one.times, share, **(part.series(k) | style | marks), label=name)
    top = 1.05 * float(one.densities().max())
    ax.set(xlabel=labelled("time t", one.unit("time")), ylabel=one.quantity, ylim=(0.0, top))
    ax.set(title="share of each state", xlim=one.clock)
    part.whole_steps(ax, one)
    part.explain(ax, title="state")
