"""What an agent expects and what it does about it: the value and the speed, on nodes and on steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, labelled, view

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["speed", "value"]

LEVELS = 16
ARROWS = 20  # per axis, at most
NEGLIGIBLE = 0.01  # of the largest density at that time
NOTE = "arrows: net speed, mean over a block of cells weighted by mass; none where density is below 1 % of its maximum"


def value(solution: Solution | xr.Dataset, times: Sequence[float] | None = None) -> Figure:
    """Value: the cost an agent expects from here and now on, as filled contours on one scale for all times.

    Three axes are cut through the middle of z; one axis is shown over (time, x).

    Parameters
    ----------
    solution : a Solution or its dataset
    times : times to show (linear between nodes); by default about five, from 0 on
    """
    seen = view(solution, "value")
    label = ["value: expected cost", "from here to the end", f"({seen.unit('value')})"]
    if seen.ndim == 1:
        _all_times(times)
        levels, walls = seen.dataset["value"].values, seen.walls
        surface, (x,) = _padded(seen, levels, ("x",), walls)
        figure, ax = _over_time(seen, "expected cost from each place and time on")
        scale = _levels(levels if walls is None else levels[:, ~walls])
        contours = ax.contourf(seen.times, x, surface.T, scale, cmap="viridis")
        part.label_colours(figure, contours, ax, label)
        return figure
    moments = seen.moments(times, (6,) if seen.aspect > 1.3 else (6, 5, 7))
    if times is None and np.ptp(seen.between("value", moments[-1])) == 0:
        moments.pop()  # without a terminal cost there is nothing to see at the horizon
    levels, walls = np.array([seen.cut(seen.between("value", t)) for t in moments]), seen.walls_cut
    scale = _levels(levels if walls is None else levels[:, ~walls])
    figure, axes = part.panels(seen, len(moments))
    handles: list[Artist] = []
    for ax, t, level in zip(axes, moments, levels, strict=True):
        surface, (y, x) = _padded(seen, level, ("y", "x"), walls)
        contours = ax.contourf(x, y, surface, scale, cmap="viridis")
        part.draw_walls(ax, seen, walls)
        handles = [*part.draw_track(ax, seen, t, "white"), *part.draw_sites(ax, seen)]
        ax.set_title(seen.time_title(t), fontsize=11)
    part.label_colours(figure, contours, axes, label)
    cut = "" if seen.ndim < 3 else f", cut at {seen.place('z', float(seen.cut(seen.centres('z'))))}"
    part.title(figure, seen, f"expected cost from each place on{cut}")
    part.legend(figure, handles)
    return figure


def speed(solution: Solution | xr.Dataset, times: Sequence[float] | None = None) -> Figure:
    """Net speed (s+ - s-) of the agents as arrows above the density, where there are any.

    An arrow is the mean over a block of cells, weighted by mass; none is drawn where the density is below 1 % of its
    largest at that time.  Three axes: density integrated over z, speeds likewise weighted by mass.  One axis: the net
    speed over (time, x), white where the density is below 1 %.

    Parameters
    ----------
    solution : a Solution or its dataset
    times : times to show; a speed holds for the whole step that contains the time, the last one at the horizon
    """
    seen = view(solution, "speed", "step", "move")
    if seen.ndim == 1:
        _all_times(times)
        return _speed_line(seen)
    moments = seen.moments(times, (7,) if seen.aspect > 1.3 else (5, 4))
    shown = moments if times is not None else moments[:-1]  # nobody moves after the horizon
    levels = [seen.density(t) for t in shown]
    norm, arrows = part.density_scale(np.array(levels)), [_arrows(seen, t) for t in shown]
    fastest = max(float(np.nanmax(np.hypot(u, v), initial=0.0)) for _, _, u, v in arrows) or 1.0
    figure, axes = part.panels(seen, len(shown))
    handles: list[Artist] = []
    for ax, t, level, (x, y, u, v) in zip(axes, shown, levels, arrows, strict=True):
        image = part.density_image(ax, seen, level, norm)
        part.draw_walls(ax, seen, seen.walls)
        handles = [*part.draw_track(ax, seen, t), *part.draw_sites(ax, seen)]
        quiver = ax.quiver(x, y, u, v, color="black", edgecolor="white", linewidth=0.4, angles="xy", pivot="tail",
                           scale=6 * fastest, scale_units="width", units="inches", width=0.016, headwidth=3.5,
                           zorder=4)  # fmt: skip
        ax.set_title(seen.time_title(t), fontsize=11, loc="left")
    part.label_colours(figure, image, axes, seen.density_label)
    part.title(figure, seen, "how the crowd moves")
    part.legend(figure, handles, NOTE)
    key, unit = float(f"{fastest / 2:.1g}"), seen.unit("speed")
    axes[-1].quiverkey(quiver, 0.84, 1.06, key, f"speed {key:g}{'' if unit == '1' else ' ' + unit}", labelpos="W",
                       fontproperties={"size": 10})  # fmt: skip
    return figure


def _speed_line(seen: View) -> Figure:
    steps = seen.dataset["step"].values
    density, net = seen.densities()[: len(steps)], _net(seen, "x", slice(None))
    shown = np.where(density >= NEGLIGIBLE * density.max(axis=1, keepdims=True), net, np.nan)
    top = float(np.nanmax(np.abs(shown), initial=0.0)) or 1.0
    figure, ax = _over_time(seen, "net speed of the agents along x")
    image = ax.imshow(shown.T, origin="lower", extent=(seen.times[0], seen.times[-1], *seen.ends("x")), aspect="auto",
                      cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")  # fmt: skip
    lines = [labelled("net speed toward larger x", seen.unit("speed")), "white also where density < 1 %"]
    part.label_colours(figure, image, ax, lines)
    return figure


def _all_times(times: Sequence[float] | None) -> None:
    if times is not None:
        raise InputError(f"times is {times!r}, but with one axis the picture shows all times; leave times out")


def _over_time(seen: View, text: str) -> tuple[Figure, Axes]:
    """Axes of (time, x) with the path of what moves."""
    figure = part.Picture(figsize=(part.WIDTH * 0.75, 4.2), layout="constrained")
    ax = figure.subplots()
    ax.set(xlabel=labelled("time t", seen.unit("time")), ylabel=seen.axis_label("x"))
    if seen.track is not None:
        label = f"path of {seen.track_name}"
        ax.plot(seen.times, seen.track[:, 0], ":", color="black", linewidth=2, zorder=4, label=label)
        ax.legend(loc="upper right")
    part.title(figure, seen, text)
    return figure, ax


# -- arrays --------------------------------------------------------------------------------------------------------


def _levels(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    return np.asarray(MaxNLocator(LEVELS).tick_values(low, high if high > low else low + 1.0))


def _padded(
    seen: View, level: np.ndarray, names: tuple[str, ...], walls: np.ndarray | None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Contours from wall to wall: edge cells repeated at the walls, blocked cells filled from the nearest free one."""
    if walls is not None:
        from scipy.ndimage import distance_transform_edt

        nearest = distance_transform_edt(walls, return_distances=False, return_indices=True)
        level = level[..., *nearest]
    before = level.ndim - len(names)
    ends = [seen.ends(name) for name in names]
    places = [np.concatenate([[a], seen.centres(name), [b]]) for name, (a, b) in zip(names, ends, strict=True)]
    return np.pad(level, [(0, 0)] * before + [(1, 1)] * len(names), mode="edge"), places


def _net(seen: View, name: str, step: int | slice) -> np.ndarray:
    speeds = seen.dataset["speed"]
    forth, back = (speeds.sel(move=name + sign).isel(step=step).values for sign in "+-")
    return np.asarray(forth - back)


def _blocks(array: np.ndarray) -> np.ndarray:
    """Sums over blocks of cells, at most ARROWS along each axis."""
    for axis, n in enumerate(array.shape):
        array = np.add.reduceat(array, np.arange(0, n, -(-n // ARROWS)), axis)
    return array


def _arrows(seen: View, t: float) -> tuple[np.ndarray, ...]:
    """Places and net speeds (x, y, u, v) of blocks of cells, means over their mass; none where nobody is."""
    step = max(int(np.searchsorted(seen.dataset["step"].values, t, side="right")) - 1, 0)
    mass = seen.dataset["density"].values[step]
    momenta = [mass * _net(seen, name, step) for name in "xy"]
    if seen.ndim == 3:
        mass, momenta = mass.sum(axis=0), [momentum.sum(axis=0) for momentum in momenta]
    y, x = np.meshgrid(seen.centres("y"), seen.centres("x"), indexing="ij")
    total = _blocks(mass)
    there = (total >= NEGLIGIBLE * mass.max() * _blocks(np.ones_like(mass))) & (total > 0)
    return tuple(_blocks(array)[there] / total[there] for array in (mass * x, mass * y, *momenta))
