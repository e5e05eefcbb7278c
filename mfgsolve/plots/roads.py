"""Road networks: a map, flows as widths and delays as colours."""

from __future__ import annotations

from typing import Any, Unpack

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from mfgsolve.errors import InputError, cut
from mfgsolve.plots import panels as part
from mfgsolve.plots.narrow import LOWER
from mfgsolve.plots.reading import doubts, labelled, words

__all__ = ["layout", "roads"]

WIDEST, NARROWEST = 7.0, 0.4  # points of a link
ASIDE = 0.007  # of the map, by which the two directions of a road stand apart
BELOW = 48  # points from the map to what explains the widths, with ticks and a label between
NAMED = 60  # nodes up to which each has its name
SHORT, LONG = 3, 24  # letters of a name that its circle holds, and of one that is shown in full
COLOURS = ListedColormap(matplotlib.colormaps["magma_r"](np.linspace(0.18, 0.92, 256)), name="delay")
EMPTY = "0.8"
LARGE = 3000  # nodes up to which a layout is made


@part.picture
def roads(result: Any, **style: Unpack[part.Options]) -> Figure:
    """Map of the flows on a road network: widths are flows, colours delays, each direction on its right.

    Colours are travel time / that of the empty link; where some links take no time when they are empty, the time lost.
    Of a network by the clock flows are those of all steps, and times their means.
    A network without coordinates is laid out by how many links its nodes are apart, and the map says so.

    Parameters
    ----------
    result : what `mfgsolve.solve` returned of a road network, or its dataset
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    data = getattr(result, "dataset", result)
    if not isinstance(data, xr.Dataset) or data.attrs.get("kind") != "roads":
        raise InputError(f"flows of a road network are needed, from mfgsolve.solve; a {type(result).__name__} came")
    data = _all_steps(data) if "clock_flow" in data else data
    places, placed = _places(data)
    wide, high = _half(places)
    figure = part.page(min(0.68, 0.8 * high / wide) * part.width() + 0.8, "compressed")
    ax = figure.subplots()
    image = _draw(ax, data, places)
    delay, unit = _delay(data)
    bar = figure.colorbar(image, ax=ax, aspect=24, pad=0.01)
    bar.set_label("travel time / that of the empty link" if delay == "delay" else labelled("time lost", unit))
    _frame(ax, data, places, placed)
    _explain_widths(ax, data)
    what = "social optimum" if data.attrs["objective"] == "social" else "user equilibrium"
    ended = f"{words(data.attrs['status'])}, relative gap {part.size_text(float(data.attrs['relative_gap']))}"
    part.headline(figure, f"{words(data.attrs['name'])}: {what}", ended, doubts(data))
    return figure


def _all_steps(data: xr.Dataset) -> xr.Dataset:
    """The roads of a network by the clock: flows of all steps, mean times of drivers."""
    number = {name: k for k, name in enumerate(data["place"].values)}
    flow, free = data["clock_flow"].sum("step"), data["road_free_time"]
    spent = (data["clock_flow"] * data["clock_time"]).sum("step")
    time = (spent / flow.where(flow > 0)).fillna(free)
    delay = time / free.where(free > 0)
    ends = {name: ("link", [number[node] for node in data[f"road_{side}"].values])
            for name, side in (("tail", "from"), ("head", "to"))}  # fmt: skip
    units = {"flow": flow, "time": time, "free_time": free, "delay": delay}
    arrays = {name: ("link", values.values, data[name].attrs) for name, values in units.items()}
    spots = {f"node_{axis}": ("node", data[f"place_{axis}"].values) for axis in "xy" if f"place_{axis}" in data}
    return xr.Dataset(ends | arrays | spots, {"node": data["place"].values}, data.attrs)


def _delay(data: xr.Dataset) -> tuple[str, str]:
    """Which delay is shown, and the unit of time."""
    finite = bool(np.isfinite(data["delay"].values).all())
    return ("delay" if finite else "lost"), str(data["time"].attrs.get("units", "1"))


def _draw(ax: Axes, data: xr.Dataset, places: np.ndarray) -> LineCollection:
    """All links, the busiest on top."""
    flow = data["flow"].values
    which, _ = _delay(data)
    colour = data["delay"].values if which == "delay" else (data["time"] - data["free_time"]).values
    order = np.argsort(flow, kind="stable")
    tail, head = places[data["tail"].values[order]], places[data["head"].values[order]]
    way = head - tail
    length = np.maximum(np.hypot(*way.T), 1e-300)[:, None]
    aside = ASIDE * np.ptp(places, axis=0).max() * np.column_stack([way[:, 1], -way[:, 0]]) / length
    lines = np.stack([tail + aside, head + aside], axis=1)
    most = flow.max() if flow.max() > 0 else 1.0
    widths = np.maximum(_widest() * flow[order] / most, NARROWEST)
    low = 1.0 if which == "delay" else 0.0
    norm = Normalize(low, max(float(colour.max()), low + 1e-9))
    shades = np.where((flow[order] > 0)[:, None], COLOURS(norm(colour[order])), matplotlib.colors.to_rgba(EMPTY))
    drawn = LineCollection(list(lines), linewidths=widths, colors=shades, capstyle="butt", zorder=2)
    ax.add_collection(drawn)
    scale = LineCollection([], cmap=COLOURS, norm=norm)
    scale.set_array(colour)
    return scale


def _widest() -> float:
    """Points of the busiest link: as wide on a narrow page as the map is."""
    return WIDEST * max(part.width() / part.WIDTH, 0.35)


def _frame(ax: Axes, data: xr.Dataset, places: np.ndarray, placed: bool) -> None:
    """Nodes, limits and axes."""
    names = [words(cut(str(name), LONG)) for name in data["node"].values] if len(places) <= NAMED else []
    inside = bool(names) and max(map(len, names)) <= SHORT
    size = part.relative(9.0 if inside else 4.0 if names else 2.2)
    ax.plot(*places.T, "o", color="white", markeredgecolor=part.INK, markersize=size, markeredgewidth=0.5, zorder=3)
    for place, name in zip(places, names, strict=False):
        _name(ax, (float(place[0]), float(place[1])), name, inside, bool(place[0] > places[:, 0].mean()))
    middle, half = 0.5 * (places.min(axis=0) + places.max(axis=0)), _half(places)
    ax.set(xlim=(middle[0] - half[0], middle[0] + half[0]), ylim=(middle[1] - half[1], middle[1] + half[1]))
    ax.set_aspect("equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6 if part.width() > part.BELOW else 3))
    if placed:
        ax.set(xlabel="x", ylabel="y")
    else:
        ax.set(xticks=[], yticks=[], xlabel="no coordinates were given: nodes lie as many links apart as they are")


def _half(places: np.ndarray) -> np.ndarray:
    """Half of the width and height of the map."""
    half: np.ndarray = 0.54 * np.ptp(places, axis=0)
    return np.maximum(half, 0.3 * (half.max() + 1e-12))


def _name(ax: Axes, place: tuple[float, float], name: str, inside: bool, right: bool) -> None:
    """A node's name, in its circle, or where it is longer beside it, towards the middle of the map."""
    size = part.relative(6)
    if inside:
        ax.annotate(name, place, ha="center", va="center", fontsize=size, zorder=4)
        return
    away = part.relative(7) * (-1 if right else 1)
    shown = ax.annotate(name, place, (away, 0), textcoords="offset points", ha="right" if right else "left",
                        va="center", fontsize=size, zorder=4)  # fmt: skip
    shown.set_path_effects([withStroke(linewidth=part.relative(2), foreground="white")])


def _explain_widths(ax: Axes, data: xr.Dataset) -> None:
    """What the widths mean."""
    most, unit = float(data["flow"].values.max()), str(data["flow"].attrs.get("units", "1"))
    if most <= 0:
        return
    marks = [
        Line2D([], [], color=part.INK, linewidth=_widest() * share, label=_amount(share * most))
        for share in (0.1, 0.5, 1.0)
    ]  # fmt: skip
    if part.current().legend:
        below = ax.transAxes + ScaledTranslation(0.0, -part.relative(BELOW) / 72, ax.figure.dpi_scale_trans)
        shown = ax.legend(handles=marks, title=labelled("flow", unit), ncols=3, borderaxespad=0.0, loc="upper center",
                          bbox_to_anchor=(0.5, 0.0), bbox_transform=below)  # fmt: skip
        shown.set_gid(LOWER)  # where it is put on a narrow page


def _amount(flow: float) -> str:
    """A flow in a few figures."""
    return f"{flow:,.0f}" if flow >= 100 else f"{flow:.3g}"


def _places(data: xr.Dataset) -> tuple[np.ndarray, bool]:
    """Coordinates of the nodes, and whether they were given."""
    if "node_x" in data:
        return np.column_stack([data["node_x"].values, data["node_y"].values]), True
    return layout(data["tail"].values, data["head"].values, data.sizes["node"]), False


def layout(tail: np.ndarray, head: np.ndarray, nodes: int) -> np.ndarray:
    """Places (nodes, 2) whose distances resemble those in links: classical scaling (Torgerson, 1952,
    doi:10.1007/BF02288916).

    Raises
    ------
    InputError
        for a network that is too large for that
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import shortest_path

    if nodes > LARGE:
        raise InputError(
            f"the network has {nodes} nodes and no coordinates, too many for a layout: give its nodes' places"
        )
    graph = csr_matrix((np.ones(tail.size), (tail, head)), shape=(nodes, nodes))
    apart = shortest_path(graph, directed=False, unweighted=True)
    apart[~np.isfinite(apart)] = np.max(apart[np.isfinite(apart)], initial=1.0) + 1
    square = -0.5 * apart**2
    square = square - square.mean(axis=0) - square.mean(axis=1)[:, None] + square.mean()
    values, vectors = np.linalg.eigh(square)
    if nodes < 2:
        return np.zeros((nodes, 2))
    found = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    signs = np.sign(found[np.abs(found).argmax(axis=0), [0, 1]])
    return np.asarray((found * np.where(signs == 0, 1.0, signs))[:, ::-1])
