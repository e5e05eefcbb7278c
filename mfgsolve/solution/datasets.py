"""The dataset of a solution, schema mfgsolve/1: names, dimensions, units; made from arrays, checked when read."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.certificates import Certificate
from mfgsolve.files import SCHEMA
from mfgsolve.games import Game, Policy
from mfgsolve.games.multipliers import end_variables, paid_once
from mfgsolve.grids import Grid
from mfgsolve.scenarios import Scenarios
from mfgsolve.solution.leaves import tree_variables
from mfgsolve.solution.timeless import cost_attrs, lasting_value, without_times
from mfgsolve.spaces import Layers

__all__ = [
    "HISTORY",
    "Measure",
    "build_dataset",
    "history_dataset",
    "history_rows",
    "per_time",
    "per_volume",
    "plan_dataset",
]


@dataclass(frozen=True, slots=True)
class Measure:
    """What one iteration measured; sweeps are in units of the final grid, NaN is 'not measured'."""

    iteration: int
    sweeps: float
    exploitability: float
    relative_exploitability: float
    potential: float
    duality_gap: float
    cell_steps: int
    final_grid: bool
    seconds: float = math.nan
    violation: float = 0.0
    stage: int = 0  # number of the solver that took the step, where several run in turn

    def times(self, rate: float) -> Measure:
        """With all costs times ``rate``, see `mfgsolve.certificates.Certificate.times`."""
        if rate == 1.0:
            return self
        names = ("exploitability", "potential", "duality_gap")
        return replace(self, **{name: rate * getattr(self, name) for name in names})


def per_time(callback: Callable[[Measure], Any] | None, rate: float) -> Callable[[Measure], Any] | None:
    """A callback that is told costs per unit of time, where solvers know those of one step."""
    if callback is None or rate == 1.0:
        return callback
    return lambda measure: callback(measure.times(rate))


WORTH = {"ergodic": ", beside the average", "first-exit": ", until it leaves"}
HISTORY = {  # name: what it is, and its unit
    "exploitability": ("exploitability of the policy on its own grid", "cost"),
    "relative_exploitability": ("exploitability / scale", "1"),
    "potential": ("potential at the policy", "cost"),
    "duality_gap": ("potential minus dual value", "cost"),
    "sweeps": ("work so far, in sweeps of the final grid", "1"),
    "seconds": ("wall time so far", "s"),
    "violation": ("largest excess over a hard bound, relative", "1"),
    "final_grid": ("1 where the certificate is of the game itself, 0 of a coarser or hotter one", "1"),
    "cell_steps": ("cells times steps of the grid of this iteration", "1"),
    "stage": ("number of the solver that ran, of those in the attribute stages", "1"),
}


def history_dataset(rows: Sequence[Measure]) -> dict[str, Any]:
    """History variables on the dimension ``iteration``."""
    out: dict[str, Any] = {}
    for name, (text, unit) in HISTORY.items():
        values = np.array([float(getattr(row, name)) for row in rows])
        out[name] = ("iteration", values, {"long_name": text, "units": unit})
    return out


def history_rows(dataset: xr.Dataset) -> list[Measure]:
    """The history of a dataset, which `mfgsolve.files.schema` has checked, row by row."""
    kinds = {"iteration": int, "final_grid": bool, "cell_steps": int, "stage": int}
    names = [name for name in ("iteration", *HISTORY) if name in dataset.variables]  # older files lack the last ones
    columns = {name: dataset[name].values.astype(kinds.get(name, float)).tolist() for name in names}
    return [Measure(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def build_dataset(
    game: Game,
    policy: Policy,
    crowd: np.ndarray,
    rows: Sequence[Measure],
    certificate: Certificate,
    attributes: dict[str, Any],
    multiplier: np.ndarray | None = None,
) -> xr.Dataset:
    """Schema mfgsolve/1 from arrays: one more backward pass for the value against the plan's own crowd."""
    plan = plan_dataset(game, policy, crowd, multiplier)
    numbers = np.array([row.iteration for row in rows])
    plan.coords["iteration"] = ("iteration", numbers, {"units": "1", "long_name": "iteration"})
    background, coordinates = _background(game)
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    problem = game.problem
    head = {"schema": SCHEMA, "kind": "solution", "created": created, "name": problem.name, "source": problem.source}
    result = plan.assign_coords(coordinates).assign(background | history_dataset(rows))
    costs = cost_attrs(game, certificate, crowd) if game.time.is_stationary else {}
    measured = {key: value for key, value in asdict(certificate).items() if key != "final_distance" or value == value}
    return result.assign_attrs(head | problem.attrs | attributes | measured | costs)


def plan_dataset(game: Game, policy: Policy, crowd: np.ndarray, multiplier: np.ndarray | None = None) -> xr.Dataset:
    """The variables that follow from a policy and the crowd it makes, with their coordinates."""
    grid, time = game.grid, game.time
    multiplier = None if multiplier is None else game.balanced(multiplier)
    price = game.full_price(crowd)
    rate = "cost" if time.unit == "1" else f"cost/{time.unit}"
    nodes, density = ("time", *grid.dims), game.density(crowd)
    data: dict[str, Any] = {
        "density": (nodes, density, {"units": per_volume(game), "long_name": "density of agents"}),
        "coupling_cost": (
            ("step", *grid.dims),
            game.mass(price)[: game.steps],
            {"units": rate, "long_name": "cost of the crowd per unit time"},
        ),
    }
    worth = ", worth at t = 0" if time.discount else ""
    if time.is_stationary:
        worth = WORTH.get(str(time.attrs["stationary"]), ", in all, discounted")
    coordinates: dict[str, Any] = {
        "time": ("time", time.nodes, {"units": time.unit, "long_name": "time"} | time.attrs),
        "step": ("step", time.nodes[:-1], {"units": time.unit, "long_name": "start of the step"}),
    } | {name: (name, values, attrs) for name, (values, attrs) in grid.dimension_coordinates.items()}
    if grid.exits is not None:
        share = grid.exits.totals(game.mass(crowd), grid.populations) / np.asarray(grid.masses)[:, None]
        if time.is_stationary:  # in a step
            share = share / time.dt
        several = ("population",) if "population" in grid.dims else ()
        about = {"units": "1", "long_name": "share of the agents that has left by each exit"}
        data["exited"] = (("time", *several, "exit"), share if several else share[:, 0], about)
        coordinates["exit"] = ("exit", np.array(grid.exits.names), {"units": "1", "long_name": "exit"})
    variable = game.step.described(policy)
    coordinates |= variable.coordinates
    data |= variable.variables
    data |= _choices(game, crowd, price, multiplier, rate)
    if game.prices:
        attrs = {"units": "1", "long_name": "number of the price"}
        coordinates["aggregate"] = ("aggregate", np.arange(len(game.prices)), attrs)
    data["value"] = (
        nodes,
        _values(game, crowd, multiplier),
        {"units": "cost", "long_name": f"value against the crowd{worth}"},
    )
    made = xr.Dataset(data, coordinates)
    return without_times(made) if game.time.is_stationary else made


def _values(game: Game, crowd: np.ndarray, multiplier: np.ndarray | None) -> np.ndarray:
    """V (T+1, *shape), with what everybody pays put back after the sweep."""
    price = game.price(crowd)
    value = game.values(price if multiplier is None else price + multiplier, crowd)
    ahead = game.constants.ahead()  # (T+1, populations); the populations are the first axis of a space of several
    lead = ahead.shape if game.grid.populations > 1 else ahead.shape[:1]
    whole = value + ahead.reshape(lead + (1,) * (value.ndim - len(lead)))
    return lasting_value(game, whole, game.full_price(crowd)) if game.time.is_stationary else whole


def _lengths(game: Game) -> tuple[str, list[str]]:
    """Unit of the last axis, and of all; "1" where there are none."""
    space = game.grid.space if isinstance(game.grid, Layers) else game.grid
    units = [axis.unit for axis in space.axes] if isinstance(space, Grid) else ["1"]
    return units[-1], units


def per_volume(game: Game) -> str:
    _, units = _lengths(game)
    if all(unit == "1" for unit in units):
        return "1"
    volume = "*".join(units)
    return f"1/({volume})" if len(units) > 1 else f"1/{volume}"


def _choices(
    game: Game, crowd: np.ndarray, price: np.ndarray, multiplier: np.ndarray | None, rate: str
) -> dict[str, Any]:
    """What couplings on choices and prices add, and the multipliers of hard bounds."""
    data: dict[str, Any] = {}
    dims, count = game.grid.dims, len(game.prices)
    for block in game.blocks:
        if block.on == "occupation":
            cost = price[:-1, block.columns].reshape(game.steps, *block.shape)
            data["choice_cost"] = (("step", "action", *dims), cost, {"units": rate, "long_name": "cost of a choice"})
    if count:
        last = slice(game.width - count, game.width)
        both = ("step", "aggregate")
        data["aggregate_amount"] = (both, crowd[:-1, last], {"units": "1", "long_name": "aggregate of all choices"})
        data["price"] = (both, price[:-1, last], {"units": rate, "long_name": "price per unit of the aggregate"})
    data |= end_variables(game, multiplier, per_volume(game))
    if multiplier is not None:
        if game.has_caps or game.final_mass is None:
            text = {"units": rate, "long_name": "multiplier of the capacity"}
            data["capacity_multiplier"] = (("time", *dims), game.mass(paid_once(game, multiplier)), text)
        if count:
            text = {"units": rate, "long_name": "multiplier of the bounds of the aggregate"}
            data["price_multiplier"] = (both, multiplier[:-1, last], text)
    return data


def _background(game: Game) -> tuple[dict[str, Any], dict[str, Any]]:
    """What pictures show besides, walls, what moves, fixed places; and the coordinates of these."""
    data, coordinates = dict[str, Any](), dict[str, Any]()
    problem, grid, (length, _) = game.problem, game.grid, _lengths(game)
    if isinstance(grid, Scenarios):
        data |= tree_variables(grid, game.time)
    if grid.mask.any():
        data["blocked"] = (grid.dims, grid.mask.astype(np.int8), {"units": "1", "long_name": "1 where no agent may be"})
    if grid.exits is not None:
        about = {"units": "1", "long_name": "number of the exit that a cell belongs to, -1 of the others"}
        data["exit_number"] = (grid.dims, grid.exits.number.astype(np.int16), about)
    if problem.track is not None:
        track = np.array([problem.track(t) for t in game.time.nodes])  # of a game without a final time it rests
        coordinates["axis"] = ("axis", np.array(["x", "y", "z"][: track.shape[1]]), {"units": "1"})
        data["track"] = (("time", "axis"), track, {"units": length, "long_name": "position of what moves"})
    if problem.sites is not None:
        sites = np.asarray(problem.sites, dtype=float)
        for k, name in enumerate(("site_x", "site_y", "site_size")):
            data[name] = ("site", sites[:, k], {"units": length if k < 2 else "1"})
        coordinates["site"] = ("site", np.arange(len(sites)), {"units": "1"})
    return data, coordinates
