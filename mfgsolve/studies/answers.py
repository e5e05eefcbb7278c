"""What a planner asks of a solution: how many are where and when, when they get there, what it costs whom.

    mass(solution, "y<0.4", time=0.5)      share of the crowd in a region
    arrival(solution, "x>0.8")             when, and how many, get there for the first time
    by_start(solution, {"west": "x<0.2"})  what agents pay, and how fast they are, by where they start

Regions are said as in `mfgsolve.solution.regions`.  Everything follows from the solution alone; arrivals and groups
play its plan once more, by the exact law of one agent, so that a file whose game was made in Python needs it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.agents.play import Play, play_of
from mfgsolve.errors import InputError, real
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution
from mfgsolve.solution.regions import Where, share_of, space_dims, volumes_of
from mfgsolve.solution.solution import velocity_of

__all__ = ["arrival", "by_start", "mass"]

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def mass(solution: Solution, where: Where = None, time: float | Sequence[float] | None = None) -> xr.DataArray:
    """Mass of the crowd in a region, int_region rho(t, x) dx.

    Parameters
    ----------
    solution : a plan
    where : the region, see `mfgsolve.solution.regions`; None is the whole space
    time : a time or several, at any point of the horizon; None takes all nodes

    Returns
    -------
    xarray.DataArray
        on ``time`` (without it for a single time), and on ``population`` where there are several and the region names
        none

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05))
    >>> round(float(mfg.mass(solution, "x<0.5", 0.0) + mfg.mass(solution, "x>0.5", 0.0)), 12)
    1.0
    """
    _check(solution)
    dataset = solution.dataset
    share = share_of(where, dataset)
    density = dataset["density"] if time is None else solution.density_at(time)
    whole = density * share * volumes_of(dataset)
    summed = whole.sum([name for name in space_dims(dataset) if name != "population" or "population" in share.dims])
    summed.attrs = {"long_name": "mass in the region" if where is not None else "mass", "units": "1"}
    return summed.rename("mass")


def arrival(
    solution: Solution, where: Where, *, quantiles: Sequence[float] = QUANTILES, problem: Problem | None = None
) -> xr.Dataset:
    """When agents first get to a region, and how many: the exact law of one agent who follows the plan.

    With S_k the share of a cell outside of the region (an agent in a cell of which a third lies in the region is there
    with chance 1/3), those who have not yet been there follow m_0 = S m, m_{k+1} = S P_k^T m_k, and

        arrived(t_k) = 1 - sum m_k.

    They are looked for at the nodes: who passes through within a step is not seen.

    Parameters
    ----------
    solution : a plan
    where : the region
    quantiles : shares of those who arrive at all, by when so many of them have
    problem : the game of a solution from a file that was made of Python functions

    Returns
    -------
    xarray.Dataset
        ``arrived`` (time), share of the crowd that has been there by then; ``arrived_in_all``; ``mean_time`` of those
        who arrive; ``quantile_time`` (quantile), linear between the nodes of a continuum, else the first
        node by which so many have.  On ``population``, too, where there are
        several.  NaN where nobody arrives

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05))
    >>> 0 < float(mfg.arrival(solution, "x>0.7").arrived_in_all) <= 1
    True
    """
    _check(solution)
    listed = [real(each, "quantile") for each in quantiles]
    if not listed or not all(0 < each < 1 for each in listed):
        raise InputError(f"quantiles are {list(quantiles)}; numbers between 0 and 1 are needed, say 0.5")
    dataset, play = solution.dataset, play_of(solution, problem=problem, who="what happens in regions and when")
    outside = 1.0 - _on_space(share_of(where, dataset), dataset)
    flow = play.game.mass(play.crowd).reshape(play.game.steps + 1, -1)
    chain = play.game.step.chain(play.policy)
    left = flow[0] * outside
    parts = max(1, len(play.populations))
    not_yet = [left.reshape(parts, -1).sum(axis=1)]
    for t in range(play.game.steps):
        left = chain.expect(t, left, flow[t]) * outside
        not_yet.append(left.reshape(parts, -1).sum(axis=1))
    arrived = np.clip(flow[0].reshape(parts, -1).sum(axis=1) - np.array(not_yet), 0.0, None)  # round-off below 0
    return _arrivals(arrived, listed, dataset, play)


def _arrivals(arrived: np.ndarray, quantiles: list[float], dataset: xr.Dataset, play: Play) -> xr.Dataset:
    time = dataset["time"].values
    total = arrived[-1]
    gained = np.diff(arrived, axis=0, prepend=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, (gained * time[:, None]).sum(axis=0) / total, np.nan)
    when = np.full((len(quantiles), len(total)), np.nan)
    for p in range(len(total)):
        if total[p] > 0:
            smooth = play.game.step.is_continuum
            when[:, p] = [_first(time, arrived[:, p], each * total[p], smooth) for each in quantiles]
    unit = str(dataset["time"].attrs.get("units", "1"))
    several = ("population",) if play.populations else ()
    names: dict[str, Any] = {"population": list(play.populations)} if several else {}

    def shaped(values: np.ndarray) -> np.ndarray:
        return values if several else values[..., 0]

    return xr.Dataset(
        {
            "arrived": (("time", *several), shaped(arrived), {"long_name": "have been there", "units": "1"}),
            "arrived_in_all": (several, shaped(total), {"long_name": "arrive within the horizon", "units": "1"}),
            "mean_time": (several, shaped(mean), {"long_name": "mean time of arrival", "units": unit}),
            "quantile_time": (("quantile", *several), shaped(when), {"long_name": "time by which", "units": unit}),
        },
        {"time": dataset["time"], "quantile": quantiles, **names},
    )


def _first(time: np.ndarray, arrived: np.ndarray, level: float, smooth: bool) -> float:
    """When a rising share reaches a level; ``smooth``: linear between the nodes."""
    k = min(int(np.searchsorted(arrived, level * (1 - 1e-12))), len(time) - 1)
    if k == 0 or not smooth:
        return float(time[k])
    low, high = arrived[k - 1], arrived[k]
    return float(time[k - 1] + (time[k] - time[k - 1]) * (level - low) / (high - low))


def by_start(
    solution: Solution, groups: Mapping[str, Where] | Where = None, *, problem: Problem | None = None
) -> xr.Dataset:
    """What agents pay, and how fast they are, by where they start.

    An agent who starts in x pays the value V(0, x), up to the exploitability of the plan; a group pays the mean of its
    members.  Its speed is the mean of |velocity| over its members, who follow the plan by the exact law of one agent.

    Parameters
    ----------
    solution : a plan
    groups : regions by name; or one region, called "all"
    problem : the game of a solution from a file that was made of Python functions

    Returns
    -------
    xarray.Dataset
        on ``group``: ``mass`` at the start, ``cost`` (NaN for a group of nobody); of diffusions ``speed`` (group, step)
        and ``mean_speed``

    Raises
    ------
    InputError
    """
    _check(solution)
    named = dict(groups) if isinstance(groups, Mapping) else {"all": groups}
    if not named:
        raise InputError("no groups came; give regions by name, say {'west': 'x<0.2'}")
    dataset = solution.dataset
    start = (dataset["density"].isel(time=0) * volumes_of(dataset)).transpose(*space_dims(dataset))
    value = dataset["value"].isel(time=0).transpose(*space_dims(dataset))
    shares = {name: _on_space(share_of(where, dataset, f"group {name!r}"), dataset) for name, where in named.items()}
    size = np.array([float((start.values.reshape(-1) * share).sum()) for share in shares.values()])
    paid = np.array([float(np.nansum(start.values.reshape(-1) * share * value.values.reshape(-1)))
                     for share in shares.values()])  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        cost = np.where(size > 0, paid / size, np.nan)
    unit = str(dataset["value"].attrs.get("units", "cost"))
    data: dict[str, Any] = {
        "mass": ("group", size, {"long_name": "mass that starts there", "units": "1"}),
        "cost": ("group", cost, {"long_name": "mean cost of those who start there", "units": unit}),
    }
    if "velocity" in dataset or "speed" in dataset:
        data |= _speeds(solution, list(shares.values()), start.values.reshape(-1), size, problem)
    return xr.Dataset(
        data, {"group": list(named), "step": dataset["step"]} if "speed" in data else {"group": list(named)}
    )


def _speeds(
    solution: Solution, shares: list[np.ndarray], start: np.ndarray, size: np.ndarray, problem: Problem | None
) -> dict[str, Any]:
    """Mean speed of every group in every step."""
    dataset, play = solution.dataset, play_of(solution, problem=problem, who="what happens in regions and when")
    velocity = velocity_of(dataset, solution.name)
    squares = (velocity**2).sum("direction").transpose("step", *space_dims(dataset)).values
    pace = np.sqrt(np.nan_to_num(squares)).reshape(len(squares), -1)
    chain = play.game.step.chain(play.policy)
    speed = np.full((len(shares), pace.shape[0]), np.nan)
    for g, share in enumerate(shares):
        members = start * share
        for t in range(pace.shape[0] if size[g] > 0 else 0):
            speed[g, t] = float(members @ pace[t]) / size[g]
            members = np.asarray(chain.expect(t, members))
    unit = str(velocity.attrs.get("units", "1"))
    return {
        "speed": (("group", "step"), speed, {"long_name": "mean speed", "units": unit}),
        "mean_speed": ("group", speed.mean(axis=1), {"long_name": "mean speed over the horizon", "units": unit}),
    }


def _on_space(share: xr.DataArray, dataset: xr.Dataset) -> np.ndarray:
    """A share for every cell, (cells,)."""
    names = space_dims(dataset)
    full = share.broadcast_like(dataset["density"].isel(time=0)).transpose(*names)
    return np.asarray(full.values, dtype=float).reshape(-1)


def _check(solution: Any) -> None:
    if not isinstance(solution, Solution):
        raise InputError(f"solution is a {type(solution).__name__}; a Solution is needed (mfgsolve.load reads a file)")
