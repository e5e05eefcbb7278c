"""Parts that pictures are made of: a row of panels, a density, walls, the path of what moves, sites, legends."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import ListedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from mfgsolve.plots.reading import View

__all__ = [
    "DENSITY", "HIGHLIGHT", "INK", "Panels", "density_image", "density_scale", "draw_sites", "draw_track", "draw_walls",
    "legend", "panels", "title",
]  # fmt: skip

DENSITY = "magma_r"  # perceptually uniform, light where nobody is
HIGHLIGHT = "#0a9396"  # what moves: the one hue the density does not use
INK = "0.25"
WALL = ListedColormap(["0.55"])
POWER = 0.5
WIDTH = 12.0  # inches of every figure, so that type has one size beside it


class Panels:
    """Figure and axes of a strip: equal panels, shared axes, labels at the left and at the bottom only."""

    def __init__(self, figure: Figure, axes: list[Axes]):
        self.figure, self.axes = figure, axes


def panels(view: View, count: int) -> Panels:
    """Equal panels of the plane (y, x), in one row unless they are wide."""
    columns = count if view.aspect <= 1.3 and count <= 7 else min(count, 3 if view.aspect > 1.3 else 6)
    rows = math.ceil(count / columns)
    width = (WIDTH - 1.6) / max(columns, 2)
    figure = Figure(figsize=(WIDTH if columns > 2 else 1.6 + columns * width, rows * (width / view.aspect + 0.3) + 1.3))
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.04)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes = list(grid.flat)
    for ax in axes[count:]:
        ax.remove()
    for k, ax in enumerate(axes[:count]):
        left, right, bottom, top = view.extent
        ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        ax.tick_params(labelsize=9, color=INK)
        if k % columns == 0:
            ax.set_ylabel(view.axis_label("y"))
        ax.tick_params(labelbottom=k + columns >= count)
        if k + columns >= count:
            ax.set_xlabel(view.axis_label("x"))
    return Panels(figure, axes[:count])


def title(figure: Figure, view: View, text: str) -> None:
    figure.suptitle(f"{view.name}: {text}", fontsize=12, x=0.01, ha="left")


def density_scale(levels: np.ndarray) -> Normalize:
    """One scale for all panels; its square root keeps a thin crowd visible beside a dense one."""
    top = float(np.max(levels))
    return PowerNorm(POWER, 0.0, top if top > 0 else 1.0)


def density_image(ax: Axes, view: View, level: np.ndarray, norm: Normalize) -> AxesImage:
    return ax.imshow(level, origin="lower", extent=view.extent, norm=norm, cmap=DENSITY, interpolation="nearest")


def draw_walls(ax: Axes, view: View) -> None:
    if view.walls is not None:
        walls = np.ma.masked_where(~view.walls, np.zeros(view.walls.shape))
        ax.imshow(walls, origin="lower", extent=view.extent, cmap=WALL, interpolation="nearest", zorder=3)


def draw_track(ax: Axes, view: View, index: int) -> list[Line2D]:
    """The whole path dotted, and where it stands at node ``index``; nothing if nothing moves."""
    x, y = view.track("x"), view.track("y")
    if x is None or y is None:
        return []
    path = ax.plot(x, y, ":", color=HIGHLIGHT, linewidth=1.4, zorder=4, label=f"path of {view.track_name}")
    now = ax.plot(x[index], y[index], "o", color=HIGHLIGHT, markersize=8, markeredgecolor="white", zorder=5,
                  label=f"{view.track_name} now")  # fmt: skip
    return [*path, *now]


def draw_sites(ax: Axes, view: View) -> list[PathCollection]:
    """Fixed places as dots whose area is their size; nothing if there are none."""
    if "site_x" not in view.dataset or view.ndim < 2:
        return []
    x, y, size = (view.dataset[name].values for name in ("site_x", "site_y", "site_size"))
    area = 12.0 * size / size.max() if size.max() > 0 else 2.0
    dots = ax.scatter(x, y, s=area, facecolors="none", edgecolors="0.3", linewidths=0.5, alpha=0.7, zorder=3,
                      label=view.site_name)  # fmt: skip
    return [dots]


def legend(figure: Figure, handles: list[Artist]) -> None:
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=10)
