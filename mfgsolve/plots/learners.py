"""Learners beside each other: how far from equilibrium each has come for the steps its agents took, over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.errors import InputError, shown, unknown
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import dataset_of, doubts, words

__all__ = ["learners"]

WORK = {"agent_steps": "steps of all agents", "episodes": "episodes"}
MEASURES = {"relative_exploitability": "relative exploitability", "exploitability": "exploitability (cost)"}
POINTS = 200  # of a common axis, where seeds were measured at different work


@part.picture
def learners(
    runs: Any, work: str = "agent_steps", measure: str = "relative_exploitability", **style: Unpack[part.Options]
) -> Figure:
    """Exploitability of several learners of one game against their work, both logarithmic, with bands over seeds.

    A line is the median over the seeds of a learner, its band reaches from the least to the most; of one seed there is
    the line alone.  Seeds that were measured at different work are compared where all of them were, linearly on the
    logarithmic axes.  Values at or below zero (round-off) cannot stand there and are left out, as is what was measured
    before the first step; the dotted line is 5 %.

    Parameters
    ----------
    runs : a mapping from labels to solutions of `mfgsolve.learn`, or to lists of them, one for each seed; a list of
        such pairs; or a list of solutions alone, which go by the names of their learners
    work : "agent_steps" (what all agents did, the fair measure between learners of crowds of different size) or
        "episodes"
    measure : "relative_exploitability" or "exploitability"
    style : options of all pictures, see `mfgsolve.plots.Style`

    Raises
    ------
    InputError
        for what nobody learned, for solutions of several games, and for nothing at all
    """
    for name, allowed, what in ((work, WORK, "work"), (measure, MEASURES, "measure")):
        if name not in allowed:
            raise InputError(unknown(what, name, allowed))
    groups = _groups(runs)
    every = [dataset for _, seeds in groups for dataset in seeds]
    names = list(dict.fromkeys(str(dataset.attrs.get("name", "game")) for dataset in every))
    if len(names) > 1:
        raise InputError(f"the solutions are of {len(names)} games ({', '.join(names)}); learners of one are compared")
    figure, (ax,) = part.row(1, 4.4, widest=8.0)
    ax.set(xscale="log", yscale="log", xlabel=WORK[work], ylabel=MEASURES[measure])
    ax.grid(alpha=0.3)
    for k, (label, seeds) in enumerate(groups):
        _band(ax, [_curve(dataset, work, measure) for dataset in seeds], label, k)
    if measure == "relative_exploitability":
        ax.axhline(0.05, color=part.INK, linestyle=":", label="5%")
    part.explain(ax)
    most = max(len(seeds) for _, seeds in groups)
    said = f"median of up to {most} seeds, bands from the least to the most" if most > 1 else "one seed each"
    part.headline(figure, f"{words(names[0])}: learners beside each other", said, doubts(*every))
    return figure


def _groups(runs: Any) -> list[tuple[str, list[xr.Dataset]]]:
    """Datasets of the seeds of each learner, by label."""
    if isinstance(runs, xr.Dataset) or hasattr(runs, "dataset"):
        runs = [runs]
    if not isinstance(runs, Iterable) or isinstance(runs, str):
        raise InputError(f"learners got {shown(runs)}; solutions of mfgsolve.learn by their labels are needed")
    result: dict[str, list[xr.Dataset]] = {}
    for entry in runs.items() if isinstance(runs, Mapping) else runs:
        label, given = entry if isinstance(entry, tuple) and len(entry) == 2 else (None, entry)
        single = isinstance(given, xr.Dataset) or hasattr(given, "dataset")
        for one in [given] if single else given:
            dataset = dataset_of(one, ("relative_exploitability",))
            if "episodes" not in dataset:
                raise InputError(
                    f"the dataset of solver {dataset.attrs.get('solver', 'unknown')!r} has no episodes: nobody learned "
                    "it; mfg.plots.convergence compares solvers"
                )
            result.setdefault(str(dataset.attrs.get("solver", "learner") if label is None else label), []).append(
                dataset
            )
    if not result or not all(result.values()):
        raise InputError("learners got no solutions; those of mfgsolve.learn by their labels are needed")
    return list(result.items())


def _curve(dataset: xr.Dataset, work: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
    at, values = dataset[work].values.astype(float), dataset[measure].values
    there = (at > 0) & np.isfinite(values) & (values > 0)
    at, first = np.unique(at[there], return_index=True)
    return at, values[there][first]


def _band(ax: Axes, curves: list[tuple[np.ndarray, np.ndarray]], label: str, k: int) -> None:
    look = part.series(k) | {"markevery": 0.12}
    curves = [curve for curve in curves if len(curve[0])]
    seeds = f" ({len(curves)} seeds)" if len(curves) > 1 else ""
    if not curves:
        ax.plot([], [], " ", label=f"{words(label)}: not measured")
        return
    at, values = _aligned(curves)
    ax.plot(at, np.exp(np.median(np.log(values), axis=0)), label=words(label) + seeds, **look)
    if len(curves) > 1:
        ax.fill_between(at, values.min(axis=0), values.max(axis=0), color=look["color"], alpha=0.2, linewidth=0)


def _aligned(curves: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Work that all seeds share, and values (seeds, points) at it."""
    first = curves[0][0]
    if all(np.array_equal(at, first) for at, _ in curves):
        return first, np.array([values for _, values in curves])
    low, high = max(at[0] for at, _ in curves), min(at[-1] for at, _ in curves)
    common = np.geomspace(low, max(low, high), POINTS if high > low else 1)
    return common, np.exp([np.interp(np.log(common), np.log(at), np.log(values)) for at, values in curves])
