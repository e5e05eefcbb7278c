"""The plan: where the crowd is, over time, and where what it is after stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import matplotlib
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, labelled, view

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["plan", "scale_label"]


def plan(solution: Solution | xr.Dataset, times: Sequence[float] | None = None) -> Figure:
    """Density of the crowd over time, with the path and the place of what moves, walls and sites.

    Two axes: a strip of densities, one panel a time, on one colour scale.  Three axes: the same, integrated over z.
    One axis: the density over (time, x), and profiles at a few times.  Colour goes with the square root of density.

    Parameters
    ----------
    solution : a Solution or its dataset
    times : times to show, each drawn at its nearest node; about six equally spaced ones by default

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
    nodes = seen.nodes(times, (6, 7, 5))
    return _lines(seen, nodes) if seen.ndim == 1 else _strip(seen, nodes)


def scale_label(seen: View) -> str:
    return f"{seen.density_label},\ncolour ∝ √density"


def _strip(seen: View, nodes: list[int]) -> Figure:
    levels = [seen.density(k) for k in nodes]
    norm = part.density_scale(np.array(levels))
    strip = part.panels(seen, len(nodes))
    handles: list[Artist] = []
    for ax, k, level in zip(strip.axes, nodes, levels, strict=True):
        image = part.density_image(ax, seen, level, norm)
        part.draw_walls(ax, seen)
        handles = [*part.draw_track(ax, seen, k), *part.draw_sites(ax, seen)]
        ax.set_title(seen.time_title(seen.times[k]), fontsize=11)
    strip.figure.colorbar(image, ax=strip.axes, label=scale_label(seen), aspect=16, pad=0.01)
    part.title(strip.figure, seen, "where the crowd is")
    part.legend(strip.figure, handles)
    return strip.figure


def _lines(seen: View, nodes: list[int]) -> Figure:
    figure = Figure(figsize=(part.WIDTH, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    field, track = seen.density(), seen.track("x")
    times = seen.times
    image = left.imshow(
        field.T, origin="lower", extent=(times[0], times[-1], *seen.ends("x")), aspect="auto", cmap=part.DENSITY,
        norm=part.density_scale(field), interpolation="nearest",
    )  # fmt: skip
    left.set(xlabel=labelled("time t", seen.unit("time")), ylabel=seen.axis_label("x"), title="density over time")
    if track is not None:
        left.plot(times, track, ":", color=part.HIGHLIGHT, linewidth=1.8, label=f"path of {seen.track_name}")
        left.legend(frameon=False, labelcolor=part.INK)
    figure.colorbar(image, ax=left, label=scale_label(seen), pad=0.01)

    shades = [to_hex(matplotlib.colormaps["viridis"](s)) for s in np.linspace(0.0, 0.9, len(nodes))]
    for k, shade in zip(nodes, shades, strict=True):
        right.plot(seen.centres("x"), field[k], color=shade, label=seen.time_title(times[k]))
        if track is not None:
            right.plot(track[k], 0.0, "o", color=shade, markeredgecolor="white", markersize=8, clip_on=False, zorder=4)
    what = "" if track is None else f"; dots: {seen.track_name}"
    right.set(xlabel=seen.axis_label("x"), ylabel=seen.density_label, title=f"profiles{what}")
    right.set(xlim=seen.ends("x"), ylim=(0.0, None))
    if seen.walls is not None:
        _shade_walls(seen, left, right)
    right.legend(frameon=False)
    part.title(figure, seen, "where the crowd is")
    return figure


def _shade_walls(seen: View, left: part.Axes, right: part.Axes) -> None:
    half = seen.spacing("x") / 2
    for x in seen.centres("x")[seen.walls]:
        left.axhspan(x - half, x + half, color="0.55", linewidth=0)
        right.axvspan(x - half, x + half, color="0.55", linewidth=0)
