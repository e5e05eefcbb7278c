"""The tree of what all agents hear: which news, when, and how likely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import labelled, view, words

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.solution import Solution

__all__ = ["scenarios"]

THICK, THIN = 6.0, 0.8  # points of a segment where the world comes for certain, and of one where it hardly does
ROW = 0.45  # inches of a branch


@part.picture
def scenarios(
    solution: Solution | xr.Dataset, times: Sequence[float] | None = None, **style: Unpack[part.Options]
) -> Figure:
    """The tree of scenarios: a line for each segment, from when to when it lasts, as thick as it is likely.

    Beside it its name, and the probability that the world comes there.

    Raises
    ------
    InputError
        for a game without scenarios
    """
    seen = view(solution)
    data: Any = getattr(solution, "dataset", solution)
    if times is not None:
        raise InputError("a picture of scenarios shows all times; leave times out")
    if "scenario_parent" not in data:
        raise InputError(f"{seen.name} has no scenarios: nobody hears news; state them, Problem(..., scenarios=)")
    height = rows_of(data["scenario_parent"].values)
    figure = part.page(1.1 + ROW * (np.ptp(height) + 1), "constrained")
    ax = figure.subplots()
    _draw(ax, data, height)
    ax.set(xlabel=labelled("time t", str(data["time"].attrs.get("units", "1"))), yticks=[],
           ylim=(height.min() - 0.5, height.max() + 0.7))  # fmt: skip
    ax.spines[["left", "right", "top"]].set_visible(False)
    part.title(figure, seen, "what turns out, and when")
    return figure


def rows_of(parent: np.ndarray) -> np.ndarray:
    """Heights of the segments: ends of branches one below the other, every other one amid those that follow it."""
    children: dict[int, list[int]] = {k: [] for k in range(-1, len(parent))}
    for k, before in enumerate(parent):
        children[int(before)].append(k)
    height, free = np.zeros(len(parent)), 0.0
    waiting = [(k, False) for k in reversed(children[-1])]
    while waiting:
        k, placed = waiting.pop()
        if not children[k]:
            height[k], free = free, free - 1.0
        elif placed:
            height[k] = np.mean([height[each] for each in children[k]])
        else:
            waiting += [(k, True), *((each, False) for each in reversed(children[k]))]
    return height


def _draw(ax: Axes, data: xr.Dataset, height: np.ndarray) -> None:
    chance, parent = data["scenario_probability"].values, data["scenario_parent"].values
    begin, end = data["scenario_begin"].values, data["scenario_end"].values
    names = [str(name) for name in data["scenario"].values]
    for k, name in enumerate(names):
        wide = part.relative(THIN + (THICK - THIN) * float(chance[k]))
        if parent[k] >= 0:
            ax.plot([begin[k]] * 2, [height[parent[k]], height[k]], color=part.INK, linewidth=part.relative(THIN))
        ax.plot([begin[k], end[k]], [height[k]] * 2, color=part.series(0)["color"], linewidth=wide,
                solid_capstyle="butt", label=words(name))  # fmt: skip
        last = name.removeprefix(f"{names[parent[k]]}/") if parent[k] >= 0 else name  # what was before is seen
        shown = ax.annotate(f"{words(last)} ({100 * chance[k]:.3g} %)", (begin[k], height[k]), (4, wide / 2 + 2),
                    textcoords="offset points", ha="left", va="bottom")  # fmt: skip
        shown.set_path_effects([withStroke(linewidth=part.relative(2), foreground="white")])
