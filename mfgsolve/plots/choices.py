"""What agents of a finite game choose: mean moves as arrows, probabilities of actions, or the likeliest action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mfgsolve.plots import panels as part
from mfgsolve.plots.fields import all_times, arrow_panels, arrows, drift_line
from mfgsolve.plots.reading import View, view
from mfgsolve.plots.stationary import choices, likeliest

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["policy"]

ABREAST = 5  # actions up to which each has a panel of its own
LISTED = 20  # actions up to which each has a colour of its own
EMPTY = 1e-6  # of the largest density at that time: nobody is there, and the policy is arbitrary
NOWHERE = "0.88"
NOTE = (
    "arrows: mean of the moves chosen, over a block of cells weighted by mass; dots: no net move; none where density "
    "is below 1 % of its maximum"
)


@part.picture
def policy(
    solution: Solution | xr.Dataset, times: Sequence[float] | None = None, **style: Unpack[part.Options]
) -> Figure:
    """What agents of a finite game choose where, and when.

    Two or three axes with lattice moves: the mean of the moves chosen as arrows above the density, none where that is
    below 1 % of its maximum at that time (three axes are integrated over z).  One axis, or listed states: the
    probability of each action over (time, place); with many lattice moves their mean; with many other actions the
    likeliest one.  Two or three axes and actions that are no moves: the likeliest one (z is cut in the middle).  Pale
    grey is where nobody is.

    Parameters
    ----------
    solution : a Solution or its dataset, of a finite game
    times : times to show; a policy holds for the whole step that contains the time, the last one at the horizon
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    seen = view(solution, "policy", "step", "action")
    if seen.is_timeless and seen.ndim == 1:
        seen.moments(times, ())
        return choices(seen) if len(seen.actions) <= LISTED else likeliest(seen)
    if seen.ndim == 1:
        all_times(times)
        if len(seen.actions) <= ABREAST:
            return _probabilities(seen)
        return _likeliest_line(seen) if seen.offsets is None else _mean_line(seen)
    counts = (5, 6, 4) if len(seen.each) > 1 else (7, 6, 5) if seen.aspect > 1.3 else (6, 5, 4)
    moments = seen.moments(times, counts)
    shown = moments if times is not None or seen.is_timeless else moments[:-1]  # nobody moves after the horizon
    return _likeliest_planes(seen, shown) if seen.offsets is None else _arrow_planes(seen, shown)


# -- lattice moves ---------------------------------------------------------------------------------------------------


def _mean_moves(one: View, step: int | slice) -> list[np.ndarray]:
    """Components x, y, ... of the mean move chosen, in cells, on the cells."""
    assert one.offsets is not None
    chosen = one.dataset["policy"].isel(step=step)
    axis = chosen.dims.index("action")
    return [np.tensordot(chosen.values, column.astype(float), (axis, 0)) for column in one.offsets.T]


def _arrow_planes(seen: View, shown: list[float]) -> Figure:
    fields = [[arrows(one, t, _mean_moves(one, one.step_at(t))[:2]) for t in shown] for one in seen.each]
    across = len(seen.centres("x"))
    block = -(-across // 20)
    key = lambda cells: f"{cells:g} cell{'' if cells == 1 else 's'} a step"
    return arrow_panels(seen, shown, fields, "what the crowd chooses", NOTE, key, reach=0.9 * block / across)


def _mean_line(seen: View) -> Figure:
    drifts = [_mean_moves(one, slice(None))[0] for one in seen.each]
    lines = ["mean move toward larger x (cells a step)", "none shown where density < 1 %"]
    return drift_line(seen, drifts, "what the crowd chooses", lines)


# -- any actions -----------------------------------------------------------------------------------------------------


def _peopled(one: View, values: np.ndarray, step: slice | int = slice(None)) -> np.ma.MaskedArray:
    """Masked where nobody is."""
    density = one.dataset["density"].values[:-1]
    top = density.reshape(len(density), -1).max(axis=1).reshape((-1,) + (1,) * (density.ndim - 1))
    return np.ma.masked_where((density <= EMPTY * top)[step], values)


def _empty_note(figure: part.Page, handles: list[Patch], masks: list[np.ndarray]) -> None:
    nobody = Patch(facecolor=NOWHERE, edgecolor="0.6", label="nobody is there")
    part.legend(figure, [*handles, *([nobody] if any(mask.any() for mask in masks) else [])])


def _probabilities(seen: View) -> Figure:
    colours = matplotlib.colormaps["Blues"].with_extremes(bad=NOWHERE)
    figure, rows = part.over_time(seen, len(seen.actions))
    masks = []
    for k, (one, row) in enumerate(zip(seen.each, rows, strict=True)):
        for j, (name, ax) in enumerate(zip(seen.actions, row, strict=True)):
            shown = _peopled(one, one.dataset["policy"].isel(action=j).values)
            masks.append(np.ma.getmaskarray(shown))
            image = part.field(ax, one, shown, _clock(one), cmap=colours, vmin=0.0, vmax=1.0)
            outer = j == 0 or part.leftmost(ax)
            part.label_place(ax, one, name if k == 0 or (j and outer) else "", first=outer)
            ax.tick_params(labelleft=outer)
    part.label_colours(figure, image, [ax for row in rows for ax in row], ["probability of the action"])
    part.title(figure, seen, "what agents choose")
    _empty_note(figure, [], masks)
    return figure


def _clock(one: View) -> tuple[float, float]:
    return float(one.times[0]), float(one.times[-1])


def _colours(actions: list[str]) -> tuple[Colormap, BoundaryNorm]:
    name = "tab10" if len(actions) <= 10 else "tab20" if len(actions) <= LISTED else "viridis"
    palette = matplotlib.colormaps[name]
    places = range(len(actions)) if name != "viridis" else np.linspace(0.0, 1.0, len(actions))
    return ListedColormap([palette(k) for k in places]).with_extremes(bad=NOWHERE), BoundaryNorm(
        np.arange(len(actions) + 1) - 0.5, len(actions)
    )


def _likeliest(one: View, step: slice | int) -> np.ma.MaskedArray:
    chosen = one.dataset["policy"].isel(step=step)
    return _peopled(one, chosen.values.argmax(axis=chosen.dims.index("action")), step)


def _likeliest_line(seen: View) -> Figure:
    colours, norm = _colours(seen.actions)
    figure, rows = part.over_time(seen, 1, 0.75)
    fields = [_likeliest(one, slice(None)) for one in seen.each]
    for one, (ax,), field in zip(seen.each, rows, fields, strict=True):
        image = part.field(ax, one, field, _clock(one), cmap=colours, norm=norm)
        part.label_place(ax, one)
    _explain(figure, seen, image, [row[0] for row in rows], fields)
    return figure


def _likeliest_planes(seen: View, shown: list[float]) -> Figure:
    colours, norm = _colours(seen.actions)
    figure, rows = part.panels(seen, len(shown))
    fields = [[_likeliest(one, one.step_at(t)) for t in shown] for one in seen.each]
    for k, (one, row) in enumerate(zip(seen.each, rows, strict=True)):
        for ax, t, field in zip(row, shown, fields[k], strict=True):
            level = field[len(field) // 2 if one.level is None else one.level] if one.ndim == 3 else field
            image = part.plane(ax, one, level, cmap=colours, norm=norm)
            part.draw_walls(ax, one, one.walls_cut)
            if k == 0:
                ax.set_title(one.time_title(t))
    _explain(figure, seen, image, [ax for row in rows for ax in row], [field for row in fields for field in row])
    return figure


def _explain(
    figure: part.Page, seen: View, image: ScalarMappable, axes: list[Axes], fields: list[np.ma.MaskedArray]
) -> None:
    """Colours of actions: in the legend where it can name them, beside a bar otherwise."""
    masks = [np.ma.getmaskarray(field) for field in fields]
    if len(seen.actions) <= LISTED:
        used = sorted({int(k) for field in fields for k in np.unique(field.compressed())})
        names = [Patch(facecolor=image.cmap(k), label=seen.actions[k]) for k in used]
        _empty_note(figure, names, masks)
    else:
        bar = part.label_colours(figure, image, axes, ["number of the likeliest action"])
        bar.set_ticks(range(0, len(seen.actions), -(-len(seen.actions) // 10)))
        _empty_note(figure, [], masks)
    cut = f", cut {seen.cut_name}" if seen.ndim == 3 else ""
    part.title(figure, seen, f"the likeliest action{cut}")
