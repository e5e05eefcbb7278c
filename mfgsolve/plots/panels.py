"""Parts that pictures are made of: a row of panels, a density, walls, the path of what moves, sites, legends."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from mfgsolve.plots.reading import View

__all__ = [
    "DENSITY", "HIGHLIGHT", "INK", "Picture", "density_image", "density_scale", "draw_sites", "draw_track",
    "draw_walls", "label_colours", "legend", "panels", "title",
]  # fmt: skip

HIGHLIGHT = "#0096c7"  # what moves: a hue the density does not use
INK = "0.25"
WALL = ListedColormap(["0.55"])
POWER = 0.5
FADE = 0.15
WIDTH = 12.0  # inches of every figure, so that type has one size beside it


def _density_colours() -> ListedColormap:
    """Magma reversed, perceptually uniform, its pale end faded to white: white is where nobody is."""
    colours = matplotlib.colormaps["magma_r"](np.linspace(0.0, 1.0, 256))[:, :3]
    white = np.clip(1 - np.linspace(0.0, 1.0, 256) / FADE, 0.0, 1.0)[:, None]
    return ListedColormap(white + (1 - white) * colours, name="density")


DENSITY = _density_colours()


class Picture(Figure):
    """A figure that shows itself in a notebook, without pyplot and its backends."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
        return buffer.getvalue()


def panels(view: View, count: int) -> tuple[Figure, list[Axes]]:
    """Equal panels of the plane (y, x), in one row unless they are wide; labels at the left and at the bottom only."""
    columns = min(count, 3 if view.aspect > 1.3 else 6)
    rows = math.ceil(count / columns)
    across = max(columns, 2)  # one panel alone need not fill the page
    width = (WIDTH - 1.6) / across
    figure = Picture(figsize=(WIDTH * columns / across, rows * (width / view.aspect + 0.3) + 1.2))
    figure.set_layout_engine("compressed", wspace=0.01, hspace=0.01)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes = list(grid.flat)
    for ax in axes[count:]:
        ax.remove()
    for k, ax in enumerate(axes[:count]):
        left, right, bottom, top = view.extent
        ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        ax.tick_params(labelsize=9, color=INK)
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        if k % columns == 0:
            ax.set_ylabel(view.axis_label("y"))
        ax.tick_params(labelbottom=k + columns >= count)
        if k + columns >= count:
            ax.set_xlabel(view.axis_label("x"))
    return figure, axes[:count]


def title(figure: Figure, view: View, text: str) -> None:
    """What is shown, and how good it is."""
    figure.suptitle(f"{view.name}: {text} {certificate(view)}", fontsize=12, x=0.01, ha="left")


def certificate(view: View) -> str:
    status, measure = view.dataset.attrs.get("status"), view.dataset.attrs.get("relative_exploitability")
    return "" if status is None or measure is None else f"({status}, relative exploitability {measure:.0e})"


def density_scale(levels: np.ndarray) -> Normalize:
    """One scale for all panels; its square root keeps a thin crowd visible beside a dense one."""
    top = float(np.max(levels))
    return PowerNorm(POWER, 0.0, top if top > 0 else 1.0)


def density_image(ax: Axes, view: View, level: np.ndarray, norm: Normalize) -> AxesImage:
    return ax.imshow(level, origin="lower", extent=view.extent, norm=norm, cmap=DENSITY, interpolation="nearest")


def draw_walls(ax: Axes, view: View, walls: np.ndarray | None) -> None:
    if walls is not None:
        grey = np.ma.masked_where(~walls, np.zeros(walls.shape))
        ax.imshow(grey, origin="lower", extent=view.extent, cmap=WALL, interpolation="nearest", zorder=3)


def draw_track(ax: Axes, view: View, t: float, colour: str = HIGHLIGHT) -> list[Line2D]:
    """The whole path dotted, and where it stands at time t; nothing if nothing moves."""
    place = view.track_at(t)
    if view.track is None or place is None:
        return []
    rim = "white" if colour == HIGHLIGHT else INK
    halo = [withStroke(linewidth=3.0, foreground=rim, alpha=0.6)]  # keeps a dotted line visible on any ground
    path = ax.plot(*view.track.T[:2], ":", color=colour, linewidth=1.6, zorder=4, label=f"path of {view.track_name}",
                   path_effects=halo)  # fmt: skip
    now = ax.plot(*place[:2], "o", color=colour, markersize=7, markeredgecolor=rim, zorder=5,
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


def legend(figure: Figure, handles: Sequence[Artist], note: str | None = None) -> None:
    """Below the panels, with a line of explanation above it."""
    if handles or note:
        columns = max(len(handles), 1) if figure.get_figwidth() > 0.7 * WIDTH else 2
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=10,
                      title=note, title_fontsize=9)  # fmt: skip


def label_colours(figure: Figure, image: ScalarMappable, axes: Axes | list[Axes], lines: list[str]) -> Colorbar:
    """Colour bar with a label of short lines, which fit beside a low strip."""
    bar = figure.colorbar(image, ax=axes, aspect=16, pad=0.01)
    bar.set_label("\n".join(lines), fontsize=9)
    bar.ax.tick_params(labelsize=9)
    return bar
