"""A ladder of meshes: how potential and density come to the continuum, with slopes."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, words

__all__ = ["refinement"]

PANELS = {  # title: the curves, and what they are called
    "potential (cost)": {
        "potential_error": ("estimated error", "o-"),
        "to the last": ("distance to the extrapolated potential", "s--"),
    },
    "density (L1)": {
        "density_error": ("estimated error", "o-"),
        "density_difference": ("difference to the mesh before", "s--"),
    },
}


@part.picture
def refinement(study: Any, **style: Unpack[part.Options]) -> Figure:
    """Errors of potential and density against the time step on logarithmic axes, with the slope of the formal order.

    The time step falls with the mesh, each by its rule; the label of a mark is its mesh.  Where a game has no potential
    the cost of an agent stands in its place.  What was not measured is not drawn.

    Parameters
    ----------
    study : what `mfgsolve.refine` returned, or its dataset
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    dataset = getattr(study, "dataset", study)
    if not isinstance(dataset, xr.Dataset) or dataset.attrs.get("kind") != "refinement":
        raise InputError(f"a ladder of meshes is needed, from mfgsolve.refine; a {type(study).__name__} came")
    figure, axes = part.row(len(PANELS), 4.4)
    step = 1.0 / dataset["steps"].values
    for ax, (title, curves) in zip(axes, PANELS.items(), strict=True):
        ax.set(xscale="log", yscale="log", xlabel="time step (share of the horizon)", ylabel=f"error of the {title}")
        ax.grid(alpha=0.3, which="both")
        ax.margins(0.15)  # room for the names of meshes
        drawn = [_curve(ax, step, _values(dataset, name), *look) for name, look in curves.items()]
        if any(drawn):
            _slope(ax, step, dataset, next(iter(curves)))
            _names(ax, step, dataset, next(iter(curves)))
            part.explain(ax)
        else:
            ax.text(0.5, 0.5, "not measured", transform=ax.transAxes, ha="center", color=part.INK)
    name = words(dataset.attrs.get("name", "game"))
    scheme = words(dataset.attrs.get("discretisation_scheme", ""))
    part.headline(figure, f"{name}: mesh by mesh to the continuum ({scheme})", warned=doubts(dataset))
    return figure


def _values(dataset: xr.Dataset, name: str) -> np.ndarray:
    which = "cost" if np.isnan(dataset["potential"].values).all() else "potential"
    if name == "to the last":
        last = float(dataset["extrapolated_potential"].values[-1])
        return np.abs(dataset["potential"].values - last)
    return np.asarray(dataset["cost_error" if (name, which) == ("potential_error", "cost") else name].values)


def _curve(ax: Axes, step: np.ndarray, values: np.ndarray, label: str, style: str) -> bool:
    there = np.isfinite(values) & (values > 0)
    if there.any():
        ax.plot(step[there], values[there], style, label=label)
    return bool(there.any())


def _slope(ax: Axes, step: np.ndarray, dataset: xr.Dataset, name: str) -> None:
    """The formal order, through the last mark."""
    order, values = float(dataset.attrs.get("formal_order", 1.0)), _values(dataset, name)
    there = np.isfinite(values) & (values > 0)
    if there.sum() < 1 or len(step) < 2:
        return
    at, height = step[there][-1], values[there][-1]
    ends = np.array([step.min(), step.max()])
    colour: Any = part.INK
    ax.plot(ends, 0.5 * height * (ends / at) ** order, ":", color=colour, label=f"slope {order:g}")


def _names(ax: Axes, step: np.ndarray, dataset: xr.Dataset, name: str) -> None:
    values = _values(dataset, name)
    for x, y, mesh in zip(step, values, dataset["mesh"].values, strict=True):
        if np.isfinite(y) and y > 0:
            ax.annotate(
                words(mesh),
                (x, y),
                textcoords="offset points",
                xytext=(4, 5),
                fontsize=part.relative(8.6),
                color=part.INK,
            )
