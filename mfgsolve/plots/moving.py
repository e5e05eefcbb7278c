"""One panel that can show any time: the frames of an animation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import view

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["Film"]


class Film:
    """The plan at one time; ``show`` moves it to another, without building the figure anew."""

    def __init__(self, solution: Solution | xr.Dataset):
        self.view = view(solution)
        self.times = self.view.times
        if self.view.ndim == 1:
            self._build_line()
        else:
            self._build_plane()
        self.show(float(self.times[0]))
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # the layout of the first frame holds for all

    def _build_plane(self) -> None:
        seen, field = self.view, self.view.densities()
        width = 6.8 if seen.aspect >= 1 else 2.4 + 4.4 * max(seen.aspect, 0.4)
        self.figure = part.Picture(figsize=(width, (width - 1.6) / seen.aspect + 1.4), layout="compressed")
        ax = self.figure.subplots()
        self._image = part.density_image(ax, seen, field[0], part.density_scale(field))
        part.draw_walls(ax, seen, seen.walls)
        track = part.draw_track(ax, seen, float(self.times[0]))
        self._marker = track[1] if track else None
        ax.set(xlabel=seen.axis_label("x"), ylabel=seen.axis_label("y"))
        ax.set(xlim=seen.extent[:2], ylim=seen.extent[2:])
        part.label_colours(self.figure, self._image, ax, seen.density_label)
        part.legend(self.figure, [*track, *part.draw_sites(ax, seen)])
        self.axes = ax

    def _build_line(self) -> None:
        seen, field = self.view, self.view.densities()
        self.figure = part.Picture(figsize=(6.8, 4.4), layout="constrained")
        ax = self.figure.subplots()
        (self._line,) = ax.plot(seen.centres("x"), field[0], color=part.INK, label="density")
        self._marker = None
        if seen.track is not None:
            (self._marker,) = ax.plot(0, 0, "o", color=part.HIGHLIGHT, markersize=9, clip_on=False, zorder=4,
                                      label=f"{seen.track_name} now")  # fmt: skip
        ax.set(xlabel=seen.axis_label("x"), ylabel=f"density of agents ({seen.density_unit})")
        ax.set(xlim=seen.ends("x"), ylim=(0.0, 1.05 * float(field.max())))
        ax.legend(frameon=False, loc="upper right")
        self.axes = ax

    def show(self, t: float) -> Figure:
        level = self.view.density(t)
        if self.view.ndim == 1:
            self._line.set_ydata(level)
        else:
            self._image.set_data(level)
        place = self.view.track_at(t)
        if self._marker is not None and place is not None:
            self._marker.set_data([place[0]], [place[1] if len(place) > 1 else 0.0])
        decimals = max(0, 2 - int(np.floor(np.log10(self.times[-1]))))
        unit = self.view.unit("time")
        self.axes.set_title(f"{self.view.name}: t = {t:.{decimals}f}{'' if unit == '1' else ' ' + unit}", loc="left")
        return self.figure
