"""The plan: where the crowd is, over time, and where what it is after stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, labelled, view

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["plan"]


def plan(solution: Solution | xr.Dataset, times: Sequence[float] | None = None) -> Figure:
    """Density of the crowd over time, with the path and the place of what moves, walls and sites.

    Two axes: a strip of densities, one panel a time, on one colour scale.  Three axes: the same, integrated over z.
    One axis: the density over (time, x), and profiles at a few times.  Colour goes with the square root of density.

    Parameters
    ----------
    solution : a Solution or its dataset
    times : times to show (density is linear between nodes); about six equally spaced ones by default

    Raises
    ------
    InputError
        if a time lies outside the horizon, or the dataset is no solution

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=32))
    >>> len(mfg.plots.plan(solution, times=[0, 0.5, 1]).axes)  # three panels and a colour bar
    4
    """
    seen = view(solution)
    moments = seen.moments(times, (6,) if seen.ndim > 1 and seen.aspect > 1.3 else (6, 5, 7))
    return _lines(seen, moments) if seen.ndim == 1 else _strip(seen, moments)


def _strip(seen: View, moments: list[float]) -> Figure:
    levels = [seen.density(t) for t in moments]
    norm = part.density_scale(np.array(levels))
    figure, axes = part.panels(seen, len(moments))
    handles: list[Artist] = []
    for ax, t, level in zip(axes, moments, levels, strict=True):
        image = part.density_image(ax, seen, level, norm)
        part.draw_walls(ax, seen, seen.walls)
        handles = [*part.draw_track(ax, seen, t), *part.draw_sites(ax, seen)]
        ax.set_title(seen.time_title(t), fontsize=11)
    part.label_colours(figure, image, axes, seen.density_label)
    part.title(figure, seen, "where the crowd is")
    part.legend(figure, handles)
    return figure


def _lines(seen: View, moments: list[float]) -> Figure:
    figure = part.Picture(figsize=(part.WIDTH, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    field, times, name = seen.densities(), seen.times, seen.track_name
    image = left.imshow(
        field.T, origin="lower", extent=(times[0], times[-1], *seen.ends("x")), aspect="auto", cmap=part.DENSITY,
        norm=part.density_scale(field), interpolation="nearest",
    )  # fmt: skip
    left.set(xlabel=labelled("time t", seen.unit("time")), ylabel=seen.axis_label("x"), title="density over time")
    if seen.track is not None:
        left.plot(times, seen.track[:, 0], ":", color=part.HIGHLIGHT, linewidth=2, label=f"path of {name}")
        left.legend(frameon=False)
    part.label_colours(figure, image, left, seen.density_label)

    shades = [to_hex(matplotlib.colormaps["viridis"](s)) for s in np.linspace(0.0, 0.9, len(moments))]
    for t, shade in zip(moments, shades, strict=True):
        right.plot(seen.centres("x"), seen.density(t), color=shade, label=seen.time_title(t))
        place = seen.track_at(t)
        if place is not None:
            right.plot(*place, 0.0, "o", color=shade, markeredgecolor="white", markersize=8, clip_on=False, zorder=4)
    right.set(xlabel=seen.axis_label("x"), ylabel=f"density of agents ({seen.density_unit})")
    right.set_title("profiles" if seen.track is None else f"profiles (dots: place of {name})")
    right.set(xlim=seen.ends("x"), ylim=(0.0, None))
    if seen.walls is not None:
        _shade_walls(seen, left, right)
    right.legend(frameon=False)
    part.title(figure, seen, "where the crowd is")
    return figure


def _shade_walls(seen: View, left: Axes, right: Axes) -> None:
    half = seen.spacing("x") / 2
    for x in seen.centres("x")[seen.walls]:
        left.axhspan(x - half, x + half, color="0.55", linewidth=0)
        right.axvspan(x - half, x + half, color="0.55", linewidth=0)
