"""Solutions of games with common noise, read along the branches of their tree: one course of the crowd for each way
that the world may take."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

__all__ = ["by_branch", "tree_variables"]


def tree_variables(space: Any, time: Any) -> dict[str, Any]:
    """Variables on ``scenario`` that tell the tree: probability, the number of the segment before (-1: none), and the
    times between which each lasts."""
    tree = space.tree
    ends = np.array([0.0, *tree.dates, time.horizon])
    level = np.array([segment.level for segment in tree.segments])
    parents = np.array([segment.parent for segment in tree.segments])
    return {
        "scenario_probability": ("scenario", tree.shares, {"units": "1", "long_name": "that the world comes there"}),
        "scenario_parent": ("scenario", parents, {"units": "1", "long_name": "number of the segment before"}),
        "scenario_begin": ("scenario", ends[level], {"units": time.unit, "long_name": "from when on"}),
        "scenario_end": ("scenario", ends[level + 1], {"units": time.unit, "long_name": "until when"}),
    }


def by_branch(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset of a solution with the dimension ``population`` in the place of ``scenario``: one entry for each leaf
    of the tree, "up/down (24 %)", with what holds at each time along the way there; itself without scenarios.

    What agents would pay or do in a segment that is over, or has not begun, is left out.
    """
    if "scenario" not in dataset.dims:
        return dataset
    parents = dataset["scenario_parent"].values.astype(int)
    begin, shares = dataset["scenario_begin"].values, dataset["scenario_probability"].values
    leaves = [n for n in range(len(parents)) if n not in set(parents.tolist())]
    paths = [_path(parents, leaf) for leaf in leaves]
    names = [f"{dataset['scenario'].values[leaf]} ({100 * shares[leaf]:.3g} %)" for leaf in leaves]

    def along(name: str) -> xr.DataArray:
        variable = dataset[name]
        clock = next((dim for dim in ("time", "step") if dim in variable.dims), None)
        if clock is None:
            parts = [variable.isel(scenario=leaf, drop=True) for leaf in leaves]
        else:
            times = dataset[clock].values * (1 + 1e-12)
            parts = [
                variable.isel(scenario=xr.DataArray(_live(path, begin, times), dims=clock)).drop_vars("scenario")
                for path in paths
            ]
        joined = xr.concat(parts, "population").assign_attrs(variable.attrs)
        return joined.transpose(*("population" if dim == "scenario" else dim for dim in variable.dims))

    told = {str(name) for name in dataset.data_vars if "scenario" in dataset[name].dims}
    made = {name: along(name) for name in told if not name.startswith("scenario_")}
    rest = dataset.drop_dims("scenario")
    return rest.assign(made).assign_coords(population=("population", np.array(names))).assign_attrs(dataset.attrs)


def _path(parents: np.ndarray, leaf: int) -> list[int]:
    """From the root to a leaf."""
    result = [leaf]
    while parents[result[-1]] >= 0:
        result.append(int(parents[result[-1]]))
    return result[::-1]


def _live(path: list[int], begin: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The segment of a path in which the world is at each time."""
    return np.array(path)[np.searchsorted(begin[path], times, side="right") - 1]
