"""Parts that pictures are made of: a row of panels, a density, walls, the path of what moves, sites, legends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize, PowerNorm
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from mfgsolve.discretisation import Discretisation
from mfgsolve.plots.pages import (
    Given,
    Page,
    Picture,
    across,
    check_labels,
    explain,
    explains_inside,
    fold,
    headline,
    legend,
    page,
    picture,
    relabel,
    relabelled,
    row,
    row_height,
    sides,
    width,
)
from mfgsolve.plots.reading import View, doubts, labelled, words
from mfgsolve.plots.series import series, shades
from mfgsolve.plots.style import WIDTH, Options, current, relative

__all__ = [
    "BELOW", "DENSITY", "HIGHLIGHT", "INK", "WIDTH", "Given", "Options", "Page", "Picture", "across", "check_labels",
    "current", "density_image", "density_scale", "draw_sites", "draw_track", "draw_walls", "explain", "explains_inside",
    "field", "fold", "headed", "headline", "label_colours", "label_place", "leftmost", "legend", "name_places",
    "over_time", "page", "panels", "picture", "relabel", "relabelled", "relative", "row", "row_height", "series",
    "shades", "sides", "size_text", "title", "whole_steps", "width",
]  # fmt: skip

HIGHLIGHT = "#0096c7"  # what moves: a hue the density does not use
INK = "0.25"
WALL, DOOR = ListedColormap(["0.55"]), ListedColormap(["#009e73"])
POWER = 0.5
POINTED = 5.0
STEPS = [1, 2, 5, 10]  # between ticks
NAMED = 12  # states up to which each has its name at the axis
FADE = 0.15
NARROW = 0.95  # inches: no panel of a plane is narrower, unless it stands for one of several populations
BELOW = 5.0  # inches of a page up to which colour bars stand below its panels


def _density_colours() -> ListedColormap:
    """Magma reversed, perceptually uniform, its pale end faded to white: white is where nobody is."""
    colours = matplotlib.colormaps["magma_r"](np.linspace(0.0, 1.0, 256))[:, :3]
    white = np.clip(1 - np.linspace(0.0, 1.0, 256) / FADE, 0.0, 1.0)[:, None]
    return ListedColormap(white + (1 - white) * colours, name="density")


DENSITY = _density_colours()


def panels(view: View, count: int) -> tuple[Page, list[list[Axes]]]:
    """Equal panels of the plane (y, x), as many for each population; labels at the left and at the bottom only.

    They stand in one row unless they are wide, or the page is narrow; several populations have one row each.
    """
    views, room = view.each, width() - relative(16) / 10.0
    over = count if len(views) > 1 else min(count, 3 if view.aspect > 1.3 else 6)
    while len(views) == 1 and over > 1 and room / over < NARROW:
        over = min(over - 1, math.ceil(count / (math.ceil(count / over) + 1)))
    down = len(views) if len(views) > 1 else math.ceil(count / over)
    columns = max(over, 2) if width() > BELOW else over  # one panel alone need not fill the page
    each = room / columns
    figure = page(down * (each / view.aspect + 0.3) + (1.2 if width() > BELOW else 1.4), "compressed", over / columns)
    shown = count * len(views)
    if isinstance(figure, Given):
        axes = list(figure.subplots(1, shown, squeeze=False)[0])
    else:
        if isinstance(figure, Picture):
            figure.set_layout_engine("compressed", wspace=0.01, hspace=0.01)
        axes = list(figure.subplots(down, over, sharex=True, sharey=True, squeeze=False).flat)
    for ax in axes[shown:]:
        ax.remove()
    alone = isinstance(figure, Given)
    for k, ax in enumerate(axes[:shown]):
        left, right, bottom, top = view.extent
        ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        ax.tick_params(color=INK)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(5 if each > 1.5 else 2, steps=STEPS))
        if k % over == 0 or alone:
            ax.set_ylabel(headed(views[k // count if len(views) > 1 else 0], view.axis_label("y")))
        ax.tick_params(labelbottom=k + over >= shown or alone)
        if k + over >= shown or alone:
            ax.set_xlabel(view.axis_label("x"))
    return figure, [axes[k : k + count] for k in range(0, shown, count)]


def headed(view: View, label: str) -> str:
    """The label of an axis, below the name of the population if there are several."""
    return label if view.population is None else f"{view.population}\n{label}"


def over_time(view: View, columns: int, share: float = 1.0) -> tuple[Page, list[list[Axes]]]:
    """A row of panels over (time, x) or (time, state) for each population, not yet labelled; several rows of a narrow
    page."""
    each = len(view.each)
    over = across(columns, 1.9)
    down = each * math.ceil(columns / over)
    share = share if width() > BELOW else 1.0
    least = 3.3 if each < 3 else 2.4
    height = 0.9 + down * min(least, max(1.8, 0.8 * width() / over))
    figure = page(height, share=share)
    if isinstance(figure, Given):
        return figure, [list(row) for row in figure.subplots(each, columns, squeeze=False)]
    grid = figure.subplots(down, over, squeeze=False).reshape(each, -1)
    for ax in grid[:, columns:].flat:
        ax.remove()
    return figure, [list(row[:columns]) for row in grid]


def label_place(ax: Axes, view: View, title: str = "", first: bool = True) -> None:
    """Time below, place beside: names of states where they are listed, whole numbers where time counts steps."""
    name = view.dims[0]
    ax.set(xlabel=labelled("time t", view.unit("time")), ylim=view.ends(name))
    ax.set_ylabel(headed(view, view.axis_label(name)) if first else "")
    ax.set_title(title)
    name_places(ax.yaxis, view)
    whole_steps(ax, view)


def whole_steps(ax: Axes, view: View) -> None:
    """Whole numbers along time where it counts steps."""
    if view.is_finite and np.ptp(view.times) == len(view.times) - 1:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def leftmost(ax: Axes) -> bool:
    """Whether a panel stands first in its row, where places are named: of a narrow page that is every one."""
    place = ax.get_subplotspec()
    return place is None or bool(place.colspan.start == 0)


def name_places(axis: Axis, view: View) -> None:
    """Ticks of the one axis there is: names of states where they are few, round numbers otherwise."""
    if view.is_listed and len(view.state_names) <= NAMED:
        axis.set_ticks(range(len(view.state_names)), view.state_names)
    else:
        most = 8 if width() > BELOW else 4
        axis.set_major_locator(MaxNLocator(most, steps=STEPS, integer=view.is_listed))


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


def title(figure: Page, view: View, text: str) -> None:
    """What is shown, how good it is, and what is to be doubted."""
    headline(figure, f"{view.name}: {text}", certificate(view), doubts(view.dataset))


def certificate(view: View) -> str:
    status, measure = view.dataset.attrs.get("status"), view.dataset.attrs.get("relative_exploitability")
    distance = Discretisation.read(view.dataset.attrs).short
    beside = f", {distance}" if distance else ""
    if status is None or measure is None:
        return ""
    return f"{words(status)}, relative exploitability {size_text(measure)}{beside}"


def size_text(measure: float) -> str:
    """An exploitability in one figure; below zero it is round-off."""
    return "0" if measure <= 0 else f"{measure:.0e}"


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
    """Walls grey, exits green."""
    if walls is not None:
        grey = np.ma.masked_where(~walls, np.zeros(walls.shape))
        plane(ax, view, grey, cmap=WALL, zorder=3)
    if view.doors is not None:
        green = np.ma.masked_where(~view.doors, np.zeros(view.doors.shape))
        plane(ax, view, green, cmap=DOOR, zorder=3)


def draw_track(ax: Axes, view: View, t: float, colour: str = HIGHLIGHT) -> list[Line2D]:
    """The whole path dotted, and where it stands at time t; nothing if nothing moves."""
    place = view.track_at(t)
    if view.track is None or place is None:
        return []
    rim = "white" if colour == HIGHLIGHT else INK
    halo = [withStroke(linewidth=relative(3.0), foreground=rim, alpha=0.6)]  # keeps a line visible on any ground
    path = ax.plot(*view.track.T[:2], ":", color=colour, linewidth=relative(1.6), zorder=4,
                   label=f"path of {view.track_name}", path_effects=halo)  # fmt: skip
    now = ax.plot(*place[:2], "o", color=colour, markersize=relative(7), markeredgecolor=rim, zorder=5,
                  label=f"{view.track_name} now")  # fmt: skip
    return [*path, *now]


def draw_sites(ax: Axes, view: View) -> list[PathCollection]:
    """Fixed places as rings whose area is their size, dark with a pale rim: they stand out on any ground."""
    if "site_x" not in view.dataset or view.ndim < 2:
        return []
    x, y, size = (view.dataset[name].values for name in ("site_x", "site_y", "site_size"))
    area = relative(1.0) ** 2 * (12.0 * size / size.max() if size.max() > 0 else 2.0)
    rim = [withStroke(linewidth=relative(1.1), foreground="white", alpha=0.8)]
    dots = ax.scatter(x, y, s=area, facecolors="none", edgecolors="0.1", linewidths=relative(0.5), zorder=3.5,
                      label=view.site_name, path_effects=rim)  # fmt: skip
    return [dots]


def label_colours(figure: Page, image: ScalarMappable, axes: Axes | list[Axes], lines: list[str]) -> Colorbar:
    """Colour bar with a label of short lines, which fit beside a low strip; below the panels of a narrow page."""
    beyond = ["beyond the arrow: the start"] if getattr(image.norm, "extend", "") == "max" else []
    if width() > BELOW or isinstance(figure, Given):
        bar = figure.colorbar(image, ax=axes, aspect=16, pad=0.01)
        bar.set_label("\n".join([*lines, *beyond]), fontsize=relative(9))
    else:
        bar = figure.colorbar(image, ax=axes, location="bottom", aspect=32, pad=0.02)
        text = ", ".join([*lines, *beyond]).replace(", (", " (")
        bar.set_label(fold(text, 0.85 * width(), relative(9)), fontsize=relative(9))
        bar.ax.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    return bar
