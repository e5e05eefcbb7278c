"""The density that was to be met at the end, drawn over, or beside, the one that was."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View

__all__ = ["draw_target", "target_of"]

SHARES = (0.1, 0.4, 0.7)  # of the largest density of the target, at which lines of equal density are drawn
NAME = "density to be met"


def target_of(one: View) -> np.ndarray | None:
    """The target over (y, x), x or the states; of three axes as the density is shown; None where the end was free."""
    if "final_target" not in one.dataset:
        return None
    end = one.dataset.assign(density=one.dataset["final_target"].expand_dims(time=one.dataset["time"]))
    result: np.ndarray = View(end, one.population, one.options).densities()[-1]
    return result


def draw_target(ax: Axes, one: View, t: float) -> list[Artist]:
    """The target at the horizon: dashed lines of equal density on a plane, a dashed course or stars beside a profile;
    nothing before the horizon, and where the end was free.  What a legend explains."""
    target = target_of(one) if t >= one.times[-1] * (1.0 - 1e-12) else None
    if target is None:
        return []
    halo = [withStroke(linewidth=part.relative(2.6), foreground="white", alpha=0.7)]
    line: dict[str, Any] = {"color": part.INK, "linewidth": part.relative(1.2)}
    if one.ndim > 1:
        levels = [share * float(target.max()) for share in SHARES]
        drawn = ax.contour(one.centres("x"), one.centres("y"), target, levels, colors=[part.INK], linestyles="--",
                           linewidths=part.relative(1.2), zorder=4)  # fmt: skip
        drawn.set(path_effects=halo)
        return [Line2D([], [], linestyle="--", label=NAME, **line)]
    few = one.is_finite and len(target) <= 60
    style: dict[str, Any] = (
        {"linestyle": "", "marker": "*", "markersize": part.relative(9)} if few else {"linestyle": "--"}
    )
    return list(ax.plot(one.centres(one.dims[0]), target, label=NAME, zorder=4, path_effects=halo, **line, **style))
