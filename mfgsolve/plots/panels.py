"""Parts that pictures are made of: a row of panels, a density, walls, the path of what moves, sites, legends."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from mfgsolve.discretisation import Discretisation
from mfgsolve.plots.reading import View, doubts, labelled, words

__all__ = [
    "DENSITY", "HIGHLIGHT", "INK", "WIDTH", "Picture", "density_image", "density_scale", "draw_sites", "draw_track",
    "draw_walls", "field", "headed", "label_colours", "label_place", "legend", "name_places", "over_time", "panels",
    "title",
]  # fmt: skip

HIGHLIGHT = "#0096c7"  # what moves: a hue the density does not use
INK = "0.25"
WALL = ListedColormap(["0.55"])
POWER = 0.5
POINTED = 5.0
STEPS = [1, 2, 5, 10]  # between ticks
NAMED = 12  # states up to which each has its name at the axis
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

    def draw(self, renderer: Any) -> None:
        """Without LaTeX, whatever the user's settings: to it, names are commands."""
        if not matplotlib.rcParams["text.usetex"]:
            super().draw(renderer)
            return
        with matplotlib.rc_context({"text.usetex": False}):
            for text in self.findobj(Text):
                text.set_usetex(False)  # type: ignore[attr-defined]
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
        return buffer.getvalue()


def panels(view: View, count: int) -> tuple[Figure, list[list[Axes]]]:
    """Equal panels of the plane (y, x), as many for each population; labels at the left and at the bottom only.

    They stand in one row unless they are wide; several populations have one row each.
    """
    views = view.each
    across = count if len(views) > 1 else min(count, 3 if view.aspect > 1.3 else 6)
    down = len(views) if len(views) > 1 else math.ceil(count / across)
    columns = max(across, 2)  # one panel alone need not fill the page
    width = (WIDTH - 1.6) / columns
    figure = Picture(figsize=(WIDTH * across / columns, down * (width / view.aspect + 0.3) + 1.2))
    figure.set_layout_engine("compressed", wspace=0.01, hspace=0.01)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    shown = count * len(views)
    axes = list(grid.flat)
    for ax in axes[shown:]:
        ax.remove()
    for k, ax in enumerate(axes[:shown]):
        left, right, bottom, top = view.extent
        ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        ax.tick_params(labelsize=9, color=INK)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(5, steps=STEPS))
        if k % across == 0:
            ax.set_ylabel(headed(views[k // across if len(views) > 1 else 0], view.axis_label("y")))
        ax.tick_params(labelbottom=k + across >= shown)
        if k + across >= shown:
            ax.set_xlabel(view.axis_label("x"))
    return figure, [axes[k : k + count] for k in range(0, shown, count)]


def headed(view: View, label: str) -> str:
    """The label of an axis, below the name of the population if there are several."""
    return label if view.population is None else f"{view.population}\n{label}"


def over_time(view: View, columns: int, width: float = WIDTH) -> tuple[Figure, list[list[Axes]]]:
    """A row of panels over (time, x) or (time, state) for each population, not yet labelled."""
    height = 0.9 + 3.3 * len(view.each) if len(view.each) < 3 else 0.9 + 2.4 * len(view.each)
    figure = Picture(figsize=(width, height), layout="constrained")
    grid = figure.subplots(len(view.each), columns, squeeze=False)
    return figure, [list(row) for row in grid]


def label_place(ax: Axes, view: View, title: str = "", first: bool = True) -> None:
    """Time below, place beside: names of states where they are listed, whole numbers where time counts steps."""
    name = view.dims[0]
    ax.set(xlabel=labelled("time t", view.unit("time")), ylim=view.ends(name))
    ax.set_ylabel(headed(view, view.axis_label(name)) if first else "")
    ax.set_title(title)
    name_places(ax.yaxis, view)
    if view.is_finite and np.ptp(view.times) == len(view.times) - 1:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def name_places(axis: Axis, view: View) -> None:
    """Ticks of the one axis there is: names of states where they are few, round numbers otherwise."""
    if view.is_listed and len(view.state_names) <= NAMED:
        axis.set_ticks(range(len(view.state_names)), view.state_names)
    else:
        axis.set_major_locator(MaxNLocator(8, steps=STEPS, integer=view.is_listed))


def field(ax: Axes, view: View, values: np.ndarray, ends: tuple[float, float], **style: Any) -> ScalarMappable:
    """An image of (time, place), one column a node or a step; blocked cells grey."""
    place = view.ends(view.dims[0])
    if view.is_even(view.dims[0]):
        style |= {"origin": "lower", "extent": (*ends, *place), "aspect": "auto", "interpolation": "nearest"}
        image: ScalarMappable = ax.imshow(values.T, **style)
    else:
        columns = np.linspace(*ends, len(values) + 1)
        image = ax.pcolormesh(columns, view.edges(view.dims[0]), values.T, rasterized=True, **style)
    for low, high in wall_spans(view):
        ax.axhspan(low, high, color="0.55", linewidth=0)
    return image


def wall_spans(view: View) -> Iterator[tuple[float, float]]:
    """Ends of the blocked cells of a line."""
    if view.walls is not None and view.ndim == 1:
        edges = view.edges(view.dims[0])
        yield from zip(edges[:-1][view.walls], edges[1:][view.walls], strict=True)


def plane(ax: Axes, view: View, level: np.ndarray, **style: Any) -> ScalarMappable:
    """An image of the cells of a plane (y, x), true to scale."""
    if view.is_even("x", "y"):
        return ax.imshow(level, origin="lower", extent=view.extent, interpolation="nearest", **style)
    mesh = ax.pcolormesh(view.edges("x"), view.edges("y"), level, rasterized=True, **style)
    ax.set_aspect("equal")
    return mesh


def title(figure: Figure, view: View, text: str) -> None:
    """What is shown, how good it is, and what is to be doubted."""
    text = f"{view.name}: {text} {certificate(view)}{doubts(view.dataset)}"
    figure.suptitle(text, fontsize=12, x=0.01, ha="left")


def certificate(view: View) -> str:
    status, measure = view.dataset.attrs.get("status"), view.dataset.attrs.get("relative_exploitability")
    distance = Discretisation.read(view.dataset.attrs).short
    beside = f", {distance}" if distance else ""
    if status is None or measure is None:
        return ""
    return f"({words(status)}, relative exploitability {measure:.0e}{beside})"


def density_scale(levels: np.ndarray) -> Normalize:
    """One scale for all panels; its square root keeps a thin crowd visible beside a dense one.

    ``levels`` (population, time, ...).  A crowd that starts in a point, many times as dense as ever after, lies beyond
    the scale, which the colour bar says by an arrow.
    """
    top, later = float(np.max(levels)), float(np.max(levels[:, 1:], initial=0.0))
    beyond = top > POINTED * later > 0
    return _Scale(later if beyond else top, beyond)


class _Scale(PowerNorm):
    """From 0 to ``top``; ``extend`` is what a colour bar asks for."""

    def __init__(self, top: float, beyond: bool):
        super().__init__(POWER, 0.0, top if top > 0 else 1.0)
        self.extend = "max" if beyond else "neither"


def density_image(ax: Axes, view: View, level: np.ndarray, norm: Normalize) -> ScalarMappable:
    return plane(ax, view, level, norm=norm, cmap=DENSITY)


def draw_walls(ax: Axes, view: View, walls: np.ndarray | None) -> None:
    if walls is not None:
        grey = np.ma.masked_where(~walls, np.zeros(walls.shape))
        plane(ax, view, grey, cmap=WALL, zorder=3)


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
    beyond = ["beyond the arrow: the start"] if getattr(image.norm, "extend", "") == "max" else []
    bar.set_label("\n".join([*lines, *beyond]), fontsize=9)
    bar.ax.tick_params(labelsize=9)
    return bar
