"""How the solvers got there: the certificate against the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import dataset_of

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["convergence"]

MEASURES = {"relative_exploitability": "relative exploitability", "duality_gap": "duality gap (cost)"}


def convergence(solutions: Solution | xr.Dataset | Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Figure:
    """Relative exploitability and duality gap of every iteration against sweeps of the final grid, both logarithmic.

    Iterations on coarser grids are hollow and cost less than a sweep.  A measure at or below zero (round-off) cannot
    stand on a logarithmic axis: it is drawn as a triangle at the bottom.  What was not measured is not drawn.

    Parameters
    ----------
    solutions : one solution (or its dataset), or several: a mapping or a list of (label, solution)
    """
    runs = _runs(solutions)
    figure = part.Picture(figsize=(part.WIDTH, 4.4), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True)
    colours = [matplotlib.colormaps["tab10"](k % 10) for k in range(len(runs))]
    floored = False
    for ax, (name, label) in zip(axes, MEASURES.items(), strict=True):
        drawn = [_curve(ax, dataset, name, colour) for (_, dataset), colour in zip(runs, colours, strict=True)]
        ax.set(xscale="log", yscale="log", xlabel="work (sweeps of the final grid)", ylabel=label)
        ax.grid(alpha=0.3)
        floored |= any(below for _, below in drawn)
        if not any(known for known, _ in drawn):
            ax.text(0.5, 0.5, f"{label}: not measured", transform=ax.transAxes, ha="center", color=part.INK)
    tolerances = {float(d.attrs["tol"]) for _, d in runs if float(d.attrs.get("tol", 0.0)) > 0}
    for tolerance in tolerances:
        axes[0].axhline(tolerance, color=part.INK, linestyle="--", linewidth=1)
    handles = [Line2D([], [], color=c, marker="o", label=text) for (text, _), c in zip(runs, colours, strict=True)]
    if any((d["cell_steps"] < d["cell_steps"][-1]).any() for _, d in runs if "cell_steps" in d):
        handles.append(_mark("o", "on a coarser grid"))
    if floored:
        handles.append(_mark("v", "at or below zero (round-off)"))
    if tolerances:
        handles.append(Line2D([], [], color=part.INK, linestyle="--", linewidth=1, label="tolerance"))
    part.legend(figure, handles)
    names = list(dict.fromkeys(str(d.attrs.get("name", "solution")) for _, d in runs))
    text = f"{', '.join(names)}: how far from equilibrium, iteration by iteration"
    figure.suptitle(text, fontsize=12, x=0.01, ha="left")
    return figure


def _mark(marker: str, label: str) -> Line2D:
    return Line2D([], [], color=part.INK, marker=marker, markerfacecolor="white", linestyle="", label=label)


def _runs(solutions: Any) -> list[tuple[str, xr.Dataset]]:
    if isinstance(solutions, xr.Dataset) or hasattr(solutions, "dataset"):
        dataset = dataset_of(solutions, ("iteration", "sweeps", *MEASURES))
        return [(str(dataset.attrs.get("solver", "solver")), dataset)]
    pairs = list(solutions.items()) if isinstance(solutions, Mapping) else solutions
    if not isinstance(pairs, list | tuple) or not pairs or not all(isinstance(p, tuple) and len(p) == 2 for p in pairs):
        raise InputError(
            f"convergence got a {type(solutions).__name__}; a solution, a mapping from labels to solutions or a "
            "list of (label, solution), not empty, is needed"
        )
    return [(str(label), dataset_of(run, ("iteration", "sweeps", *MEASURES))) for label, run in pairs]


def _curve(ax: Axes, dataset: xr.Dataset, name: str, colour: Any) -> tuple[bool, bool]:
    """One run in one measure; whether there was anything to draw, and anything at or below zero."""
    work, values = dataset["sweeps"].values, dataset[name].values
    cells = dataset["cell_steps"].values if "cell_steps" in dataset else np.ones_like(work)
    known = np.isfinite(values) & (work > 0)
    above, coarse = known & (values > 0), cells < cells[-1:]
    below = known & ~above
    for grid in np.unique(cells):  # a line joins iterations of one game, not those of different grids
        same = above & (cells == grid)
        ax.plot(work[same], values[same], "-", color=colour, linewidth=1.2)
    for here, face in ((coarse, "white"), (~coarse, colour)):
        ax.plot(work[above & here], values[above & here], "o", color=colour, markerfacecolor=face, markersize=4.5)
        if (below & here).any():
            ax.plot(work[below & here], np.zeros((below & here).sum()), "v", color=colour, markerfacecolor=face,
                    markersize=7, clip_on=False, transform=ax.get_xaxis_transform())  # fmt: skip
    return bool(known.any()), bool(below.any())
