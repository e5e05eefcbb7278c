"""Panels that can show any time, one for each population: the frames of an animation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, doubts, view
from mfgsolve.plots.style import applied

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["Film"]

MOMENTS = 24  # whose densities set the scale, where it is known between nodes
BARS = 30  # cells of a finite game up to which each has a bar


class Film:
    """The plan at one time; ``show`` moves it to another, without building the figure anew."""

    def __init__(self, solution: Solution | xr.Dataset):
        self.view = view(solution)
        self.times = self.view.times
        self._crowds: list[Any] = []  # what shows the density, and the place of what moves, of each population
        self._markers: list[Any] = []
        self.options = part.current()
        self._words: Mapping[str, str] = {}  # in place of those of titles, which change
        with applied(self.options) as settings:
            if self.view.ndim == 1:
                self._build_lines()
            else:
                self._build_planes()
            self.show(float(self.times[0]))
            part.relabel(self.figure, self.options.labels)
            self._words = self.options.labels
            self.figure.settings = settings
        self.figure.draw_without_rendering()
        self.figure.hold_layout()

    def _build_planes(self) -> None:
        seen = self.view
        fields = [one.course(MOMENTS)[1] for one in seen.each]
        norm, count = part.density_scale(np.array(fields)), len(fields)
        width = 6.8 if seen.aspect >= 1 else 2.4 + 4.4 * max(seen.aspect, 0.4)
        height = (width - 1.6) / seen.aspect + 1.4
        if count > 1:
            width, height = part.WIDTH, (part.WIDTH - 1.6) / count / seen.aspect + 1.4
        if self.options.width is not None:
            width, height = self.options.width, (self.options.width - 0.9) / count / seen.aspect + 1.2
        self.figure = part.Picture(figsize=(width, height), layout="compressed")
        axes: list[Axes] = list(self.figure.subplots(1, count, squeeze=False)[0])
        handles: list[Artist] = []
        for one, ax, field in zip(seen.each, axes, fields, strict=True):
            image = part.density_image(ax, one, field[0], norm)
            part.draw_walls(ax, one, one.walls)
            track = part.draw_track(ax, one, float(self.times[0]))
            ax.set(xlabel=one.axis_label("x"), ylabel=one.axis_label("y") if ax is axes[0] else "")
            ax.set(xlim=one.extent[:2], ylim=one.extent[2:])
            handles = [*track, *part.draw_sites(ax, one)]
            self._crowds.append(image.set_data if isinstance(image, AxesImage) else image.set_array)
            self._markers += track[1:]
        part.label_colours(self.figure, image, axes if count > 1 else axes[0], seen.density_label)
        part.legend(self.figure, handles)
        self.axes, self._all_axes = axes[0], axes

    def _build_lines(self) -> None:
        seen = self.view
        name, count = seen.dims[0], len(seen.each)
        top = 1.05 * max(float(one.course(MOMENTS)[1].max()) for one in seen.each)
        width = self.options.width or (6.8 if count == 1 else part.WIDTH)
        self.figure = part.Picture(figsize=(width, min(4.4, 0.75 * width)), layout="constrained")
        axes: list[Axes] = list(self.figure.subplots(1, count, squeeze=False, sharey=True)[0])
        for one, ax in zip(seen.each, axes, strict=True):
            self._crowds.append(_profile(one, ax))
            if one.track is not None:
                look: dict[str, Any] = {"markersize": part.relative(9), "clip_on": False, "zorder": 4}
                self._markers += ax.plot(0, 0, "o", color=part.HIGHLIGHT, label=f"{one.track_name} now", **look)
                part.explain(ax, loc="upper right")
            ax.set(xlabel=one.axis_label(name), xlim=one.ends(name), ylim=(0.0, top))
            part.name_places(ax.xaxis, one)
        axes[0].set_ylabel(seen.quantity)
        self.axes, self._all_axes = axes[0], axes

    def show(self, t: float) -> Figure:
        for one, draw in zip(self.view.each, self._crowds, strict=True):
            draw(one.density(t))
        place = self.view.track_at(t)
        for marker in self._markers:
            if place is not None:
                marker.set_data([place[0]], [place[1] if len(place) > 1 else 0.0])
        decimals = max(0, 2 - int(np.floor(np.log10(self.times[-1]))))
        unit = self.view.unit("time")
        name = self.view.name if self.options.title is None else self.options.title
        when = f"t = {t:.{decimals}f}{'' if unit == '1' else ' ' + unit}"
        clock = f"{name}: {when}{doubts(self.view.dataset)}" if name else f"{when}{doubts(self.view.dataset)}"
        for one, ax in zip(self.view.each, self._all_axes, strict=True):
            own = [] if one.population is None else [one.population]
            said = "\n".join([clock if ax is self.axes else "", *own] if own else [clock])
            ax.set_title(part.relabelled(said, self._words), loc="left")
        return self.figure


def _profile(one: View, ax: Axes) -> Any:
    """Bars where cells are few and agents choose between them, a line otherwise; what sets their heights."""
    name, first = one.dims[0], one.densities()[0]
    if one.is_finite and first.size <= BARS:
        bars = ax.bar(one.centres(name), first, width=0.8 * one.widths(name), color=part.INK)

        def draw(level: np.ndarray) -> None:
            for bar, height in zip(bars, level, strict=True):
                bar.set_height(height)

        return draw
    (line,) = ax.plot(one.centres(name), first, color=part.INK, label="density")
    return line.set_ydata
