"""What an agent expects and what it does about it: the value and the speed, on nodes and on steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from matplotlib.ticker import MaxNLocator

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.arrows import NEGLIGIBLE, arrows, kept_off
from mfgsolve.plots.densities import default_counts
from mfgsolve.plots.reading import View, dataset_of, labelled, view
from mfgsolve.plots.stationary import profile, rates

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["all_times", "arrow_panels", "arrows", "drift_line", "speed", "value"]

VALUE = "viridis"

LEVELS = 16
NOTE = "arrows: net speed, mean over a block of cells weighted by mass; none where density is below 1 % of its maximum"


@part.picture
def value(
    solution: Solution | xr.Dataset, times: Sequence[float] | None = None, **style: Unpack[part.Options]
) -> Figure:
    """Value: the cost an agent expects from here and now on, on one scale for all times and populations.

    Where the game is stated by rewards (`Problem.sense`) it is what an agent expects to earn.

    Filled contours of a diffusion, cells of a finite game.  Three axes are cut through the middle of z; one axis, or
    listed states, are shown over time.

    Parameters
    ----------
    solution : a Solution or its dataset
    times : times to show (linear between nodes); by default about five, from 0 on
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    seen = view(solution, "value")
    if part.current().project is not None:
        raise InputError("a value is not integrated over z, and project is 'z'; slice={\"z\": ...} shows it somewhere")
    worth = ", worth at t = 0" if "discount" in seen.dataset.attrs else ""
    word = "earnings" if seen.earns else "cost"
    if seen.earns:
        paid = seen.dataset["value"]
        seen = View(seen.dataset.assign(value=paid.copy(data=0.0 - paid.values)))
    span = {
        "": f"from here to the end{worth}",
        "ergodic": "from here on, beside the average",
        "first-exit": "from here on, until an agent leaves",
    }
    label = [
        f"value: expected {word}",
        span.get(str(seen.dataset.attrs.get("stationary", "")), "from here on, discounted"),
        f"({'reward' if seen.earns and seen.unit('value') == 'cost' else seen.unit('value')})",
    ]
    if seen.is_timeless and seen.ndim == 1:
        seen.moments(times, ())
        return profile(seen, "value", f"expected {word} from each place on", "\n".join(label))
    if seen.ndim == 1:
        all_times(times)
        return _value_lines(seen, label)
    moments = seen.moments(times, default_counts(seen))
    if (
        times is None
        and len(moments) > 1
        and all(np.ptp(_free(one, one.between("value", moments[-1]))) == 0 for one in seen.each)
    ):
        moments.pop()  # without a terminal cost there is nothing to see at the horizon
    scale = _levels(np.concatenate([_free(one, one.between("value", t)) for one in seen.each for t in moments]))
    figure, rows = part.panels(seen, len(moments))
    handles: list[Artist] = []
    for k, (one, row) in enumerate(zip(seen.each, rows, strict=True)):
        for ax, t in zip(row, moments, strict=True):
            image = _value_plane(ax, one, t, scale)
            part.draw_walls(ax, one, one.walls_cut)
            handles = [*part.draw_track(ax, one, t, "white"), *part.draw_sites(ax, one)]
            if k == 0:
                ax.set_title(one.time_title(t))
    part.label_colours(figure, image, [ax for row in rows for ax in row], label)
    cut = "" if seen.ndim < 3 else f", cut {seen.cut_name}"
    part.title(figure, seen, f"expected {word} from each place on{cut}")
    part.legend(figure, handles)
    return figure


def _value_plane(ax: Axes, one: View, t: float, scale: np.ndarray) -> ScalarMappable:
    level = one.cut(one.between("value", t))
    if one.is_finite:
        limits = {"vmin": scale[0], "vmax": scale[-1]}
        return part.plane(ax, one, level, cmap=VALUE, **limits)
    surface, (y, x) = _padded(one, level, ("y", "x"), one.walls_cut)
    return ax.contourf(x, y, surface, scale, cmap=VALUE)


def _value_lines(seen: View, label: list[str]) -> Figure:
    scale = _levels(np.concatenate([_free(one, one.dataset["value"].values).ravel() for one in seen.each]))
    where = "state" if seen.is_listed else "place"
    figure, axes = _over_time(seen, f"expected {'earnings' if seen.earns else 'cost'} from each {where} and time on")
    for one, ax in zip(seen.each, axes, strict=True):
        values = one.dataset["value"].values
        if one.is_finite:
            image: ScalarMappable = part.field(ax, one, values, one.clock, cmap=VALUE, vmin=scale[0], vmax=scale[-1])
        else:
            surface, (x,) = _padded(one, values, ("x",), one.walls)
            image = ax.contourf(one.times, x, surface.T, scale, cmap=VALUE)
    part.label_colours(figure, image, axes if len(axes) > 1 else axes[0], label)
    return figure


def _free(one: View, values: np.ndarray) -> np.ndarray:
    """Where agents may be, of a field or several levels of one; three axes are cut."""
    blocked = one.dataset["blocked"].values.astype(bool) if "blocked" in one.dataset else None
    if one.ndim < 3:
        return np.asarray(values[..., ~blocked] if blocked is not None else values.reshape(-1))
    middle = values[..., values.shape[-3] // 2 if one.level is None else one.level, :, :]
    return np.asarray(middle if one.walls_cut is None else middle[..., ~one.walls_cut]).reshape(-1)


@part.picture
def speed(
    solution: Solution | xr.Dataset, times: Sequence[float] | None = None, **style: Unpack[part.Options]
) -> Figure:
    """Net speed of the agents as arrows above the density, where there are any.

    It is s+ - s- of the upwind scheme, and the mean velocity of the entropic one.

    An arrow is the mean over a block of cells, weighted by mass; none is drawn where the density is below 1 % of its
    largest at that time.  Three axes: density integrated over z, speeds likewise weighted by mass.  One axis: the net
    speed over (time, x), white where the density is below 1 %.

    Parameters
    ----------
    solution : a Solution or its dataset, of a controlled diffusion
    times : times to show; a speed holds for the whole step that contains the time, the last one at the horizon
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    entropic = "velocity" in dataset_of(solution)
    seen = view(solution, *(("velocity", "step", "direction") if entropic else ("speed", "step", "move")))
    if "population" in seen.dataset["velocity" if entropic else "speed"].dims:
        names = [str(name) for name in seen.dataset["population"].values]
        raise InputError(
            f"speeds of several populations ({', '.join(names)}) are not drawn in one picture; draw one of them: "
            f"mfg.plots.speed(solution.dataset.sel(population={names[0]!r}))"
        )
    if seen.ndim == 1:
        all_times(times)
        return _speed_line(seen)
    moments = seen.moments(times, (7,) if seen.aspect > 1.3 else (5, 4))
    shown = moments if times is not None or seen.is_timeless else moments[:-1]  # nobody moves after the horizon
    unit = seen.unit("velocity" if entropic else "speed")
    fields = [[arrows(seen, t, [_net(seen, name, seen.step_at(t)) for name in "xy"]) for t in shown]]
    return arrow_panels(seen, shown, fields, "how the crowd moves", NOTE,
                        lambda key: f"speed {key:g}{'' if unit == '1' else ' ' + unit}")  # fmt: skip


def arrow_panels(
    seen: View, shown: list[float], fields: list[list[tuple[np.ndarray, ...]]], text: str, note: str,
    key: Callable[[float], str], reach: float = 1 / 6,
) -> Figure:  # fmt: skip
    """Arrows (x, y, u, v) above the density, a row of panels for each population.

    ``key`` names a length; the longest arrow reaches over that share of a panel's width.
    """
    levels = [[one.density(t) for t in shown] for one in seen.each]
    norm = part.density_scale(np.array(levels))
    lengths = [np.hypot(u, v) for row in fields for _, _, u, v in row]
    longest = max(float(np.nanmax(length, initial=0.0)) for length in lengths) or 1.0
    across = seen.ends("x")[1] - seen.ends("x")[0]
    fields, shorter, lost = kept_off(fields, seen.each, reach * across / longest)
    quivers: list[Quiver] = []
    reach, note = reach * shorter, note + (f"; {lost} beside walls have no room" if lost else "")
    figure, rows = part.panels(seen, len(shown))
    handles: list[Artist] = []
    for k, (one, row) in enumerate(zip(seen.each, rows, strict=True)):
        for j, (ax, t) in enumerate(zip(row, shown, strict=True)):
            image = part.density_image(ax, one, levels[k][j], norm)
            part.draw_walls(ax, one, one.walls)
            handles = [*part.draw_track(ax, one, t), *part.draw_sites(ax, one)]
            x, y, u, v = fields[k][j]
            quiver = ax.quiver(x, y, u, v, color="black", edgecolor="white", linewidth=part.relative(0.4), angles="xy",
                               pivot="tail", scale=longest / reach, scale_units="width", units="inches",
                               width=part.relative(0.016), headwidth=3.5, zorder=4)  # fmt: skip
            if k == 0:
                ax.set_title(one.time_title(t), loc="left")
                quivers.append(quiver)
    part.label_colours(figure, image, [ax for row in rows for ax in row], seen.density_label)
    part.title(figure, seen, text)
    if part.width() <= part.BELOW:
        part.legend(figure, handles, f"{note}; the longest: {key(float(f'{longest:.2g}'))}")
        return figure
    part.legend(figure, handles, note)
    length, top = float(f"{longest / 2:.1g}"), _top_row(rows[0])
    height = (part.width() - 1.6) / len(top) / seen.aspect  # in inches
    above = 1.06 if len(top) < 5 else 1 + 0.4 / height  # narrow panels have no room beside the time
    top[-1].quiverkey(quivers[len(top) - 1], 0.84, above, length, key(length), labelpos="W",
                      fontproperties={"size": part.relative(10)})  # fmt: skip
    return figure


def _top_row(axes: list[Axes]) -> list[Axes]:
    """Those that stand highest."""
    return [ax for ax in axes if (spec := ax.get_subplotspec()) is None or spec.rowspan.start == 0] or axes


def _speed_line(seen: View) -> Figure:
    net = [_net(seen, "x", slice(None))]
    unit = seen.unit("velocity" if "velocity" in seen.dataset else "speed")
    lines = [labelled("net speed toward larger x", unit), "white also where density < 1 %"]
    if seen.is_timeless:
        return rates(seen, net, "net speed of the agents along x", lines[0])
    return drift_line(seen, net, "net speed of the agents along x", lines)


def drift_line(seen: View, drifts: list[np.ndarray], text: str, lines: list[str]) -> Figure:
    """A signed field (step, x) for each population, only where the density is not below 1 % of its maximum."""
    shown = []
    for one, drift in zip(seen.each, drifts, strict=True):
        density = one.densities()[: len(drift)]
        shown.append(np.where(density >= NEGLIGIBLE * density.max(axis=1, keepdims=True), drift, np.nan))
    top = float(np.nanmax(np.abs(shown), initial=0.0)) or 1.0
    figure, axes = _over_time(seen, text)
    for one, ax, field in zip(seen.each, axes, shown, strict=True):
        ends = float(seen.times[0]), float(seen.times[-1])
        image = part.field(ax, one, field, ends, cmap="RdBu_r", vmin=-top, vmax=top)
    part.label_colours(figure, image, axes if len(axes) > 1 else axes[0], lines)
    return figure


def all_times(times: Sequence[float] | None) -> None:
    """Refuse a choice of times where the picture shows all."""
    if times is not None:
        raise InputError(f"times is {times!r}, but with one axis the picture shows all times; leave times out")


def _over_time(seen: View, text: str) -> tuple[part.Page, list[Axes]]:
    """Axes of (time, x) with the path of what moves, one for each population."""
    figure, rows = part.over_time(seen, 1, 0.75)
    axes = [row[0] for row in rows]
    for one, ax in zip(seen.each, axes, strict=True):
        part.label_place(ax, one)
        if one.track is not None:
            label = f"path of {one.track_name}"
            ax.plot(one.times, one.track[:, 0], ":", color="black", linewidth=part.relative(2), zorder=4, label=label)
            part.explain(ax, loc="upper right")
    part.title(figure, seen, text)
    return figure, axes


# -- arrays --------------------------------------------------------------------------------------------------------


def _levels(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    levels = np.array(MaxNLocator(LEVELS).tick_values(low, high if high > low else low + 1.0))
    levels[0], levels[-1] = min(levels[0], low), max(levels[-1], high)  # round ticks may miss an end by round-off
    return levels


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
    if "velocity" in seen.dataset:
        return np.asarray(seen.dataset["velocity"].sel(direction=name).isel(step=step).values)
    speeds = seen.dataset["speed"]
    forth, back = (speeds.sel(move=name + sign).isel(step=step).values for sign in "+-")
    return np.asarray(forth - back)
