"""What an agent expects and what it does about it: the value and the speed, on nodes and on steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View, labelled, view

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["speed", "value"]

LEVELS = 16
ARROWS = 20  # per axis, at most
NEGLIGIBLE = 0.01  # of the largest density at that time


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
        levels, x = _padded(seen, seen.dataset["value"].values, ("x",))
        figure, ax = _over_time(seen, "expected cost from each place and time on")
        contours = ax.contourf(seen.times, x[0], levels.T, LEVELS, cmap="viridis")
        part.label_colours(figure, contours, ax, label)
        return figure
    moments = seen.moments(times, (6,) if seen.aspect > 1.3 else (5, 6))
    levels = np.array([_cut(seen, seen.between("value", t)) for t in moments])
    scale = _levels(levels if seen.walls is None else levels[:, ~seen.walls])
    figure, axes = part.panels(seen, len(moments))
    handles: list[Artist] = []
    for ax, t, level in zip(axes, moments, levels, strict=True):
        surface, (y, x) = _padded(seen, level, ("y", "x"))
        contours = ax.contourf(x, y, surface, scale, cmap="viridis")
        part.draw_walls(ax, seen)
        handles = [*part.draw_track(ax, seen, t), *part.draw_sites(ax, seen)]
        ax.set_title(seen.time_title(t), fontsize=11)
    part.label_colours(figure, contours, axes, label)
    cut = "" if seen.ndim < 3 else f", cut at z = {seen.centres('z')[len(seen.centres('z')) // 2]:.3g}"
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
    times : times to show; a speed holds for the whole step that contains the time
    """
    seen = view(solution, "speed", "step", "move")
    if seen.ndim == 1:
        return _speed_line(seen)
    moments = seen.moments(times, (6,) if seen.aspect > 1.3 else (6, 5, 7))
    shown = moments if times is not None else moments[:-1]  # nobody moves after the horizon
    levels = [seen.density(t) for t in shown]
    norm, arrows = part.density_scale(np.array(levels)), [_arrows(seen, t) for t in shown]
    fastest = max(float(np.nanmax(np.hypot(u, v), initial=0.0)) for _, _, u, v in arrows) or 1.0
    figure, axes = part.panels(seen, len(shown))
    handles: list[Artist] = []
    for ax, t, level, (x, y, u, v) in zip(axes, shown, levels, arrows, strict=True):
        image = part.density_image(ax, seen, level, norm)
        part.draw_walls(ax, seen)
        handles = [*part.draw_track(ax, seen, t), *part.draw_sites(ax, seen)]
        quiver = ax.quiver(x, y, u, v, color=part.ARROW, angles="xy", pivot="tail", zorder=4, width=0.006,
                           scale=fastest * 6, edgecolor="white", linewidth=0.3)  # fmt: skip
        ax.set_title(seen.time_title(t), fontsize=11)
    part.label_colours(figure, image, axes, seen.density_label)
    part.title(figure, seen, "how the crowd moves")
    part.legend(figure, handles)
    _key(seen, axes[0], quiver, fastest)
    figure.supxlabel("arrows: net speed, mass-weighted mean of a block; none where density < 1 % of its maximum at t",
                     fontsize=9, color=part.INK)  # fmt: skip
    return figure


def _key(seen: View, ax: Axes, quiver: Quiver, fastest: float) -> None:
    size = float(f"{fastest / 2:.1g}")
    unit = seen.unit("speed")
    ax.quiverkey(quiver, 0.62, 0.93, size, f"{size:g}{'' if unit == '1' else ' ' + unit}", labelpos="E",
                 fontproperties={"size": 9})  # fmt: skip


def _speed_line(seen: View) -> Figure:
    steps = seen.dataset["step"].values
    density, net = seen.densities()[: len(steps)], _net(seen, "x", slice(None))
    shown = np.where(density >= NEGLIGIBLE * density.max(axis=1, keepdims=True), net, np.nan)
    top = float(np.nanmax(np.abs(shown), initial=0.0)) or 1.0
    figure, ax = _over_time(seen, "net speed of the agents along x")
    image = ax.imshow(shown.T, origin="lower", extent=(seen.times[0], seen.times[-1], *seen.ends("x")), aspect="auto",
                      cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")  # fmt: skip
    part.label_colours(figure, image, ax, [labelled("net speed", seen.unit("speed")), "white also where density", "< 1 % of its maximum"])
    return figure


def _over_time(seen: View, text: str) -> tuple[Figure, Axes]:
    """Axes of (time, x) with the path of what moves."""
    figure = Figure(figsize=(part.WIDTH * 0.6, 4.2), layout="constrained")
    ax = figure.subplots()
    ax.set(xlabel=labelled("time t", seen.unit("time")), ylabel=seen.axis_label("x"))
    if seen.track is not None:
        ax.plot(seen.times, seen.track[:, 0], ":", color=part.HIGHLIGHT, linewidth=2, path_effects=part.HALO, zorder=4,
                label=f"path of {seen.track_name}")  # fmt: skip
        ax.legend(loc="upper right")
    part.title(figure, seen, text)
    return figure, ax


# -- arrays --------------------------------------------------------------------------------------------------------


def _cut(seen: View, level: np.ndarray) -> np.ndarray:
    return level[level.shape[0] // 2] if seen.ndim == 3 else level


def _levels(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    return np.linspace(low, high if high > low else low + 1.0, LEVELS)


def _padded(seen: View, level: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Contours from wall to wall: edge cells repeated at the walls, blocked cells filled from the nearest free one."""
    if seen.walls is not None:
        from scipy.ndimage import distance_transform_edt

        walls = seen.walls if seen.ndim == 2 else np.broadcast_to(seen.walls, level.shape)
        nearest = distance_transform_edt(walls, return_distances=False, return_indices=True)
        level = level[tuple(nearest)]
    before = level.ndim - len(names)
    ends = [seen.ends(name) for name in names]
    places = [np.concatenate([[a], seen.centres(name), [b]]) for name, (a, b) in zip(names, ends, strict=True)]
    return np.pad(level, [(0, 0)] * before + [(1, 1)] * len(names), mode="edge"), places


def _net(seen: View, name: str, step: int | slice) -> np.ndarray:
    speeds = seen.dataset["speed"]
    forth, back = (speeds.sel(move=name + sign).isel(step=step).values for sign in "+-")
    return np.asarray(forth - back)


def _arrows(seen: View, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Places and net speeds (x, y, u, v) of blocks of cells, NaN where nobody is."""
    step = int(np.clip(np.searchsorted(seen.dataset["step"].values, t, side="right") - 1, 0, None))
    mass = seen.dataset["density"].values[step]
    momenta = [mass * _net(seen, name, step) for name in "xy"]
    if seen.ndim == 3:
        mass, momenta = mass.sum(axis=0), [momentum.sum(axis=0) for momentum in momenta]
    starts = [np.arange(0, n, -(-n // ARROWS)) for n in mass.shape]
    sums = [np.add.reduceat(np.add.reduceat(a, starts[0], 0), starts[1], 1) for a in (mass, *momenta, np.ones_like(mass))]
    there = sums[0] >= NEGLIGIBLE * mass.max() * sums[3]
    u, v = (np.divide(s, sums[0], out=np.full_like(s, np.nan), where=there & (sums[0] > 0)) for s in sums[1:3])
    y, x = (np.add.reduceat(seen.centres(n), s) / np.diff([*s, len(seen.centres(n))]) for n, s in zip("yx", starts, strict=True))
    return *np.meshgrid(x, y), u, v
