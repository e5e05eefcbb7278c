"""The game of N agents beside its mean-field limit, for several N: densities, their distance, costs and regret."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.agents.distances import Transport, l2, transport
from mfgsolve.agents.play import Play, agent_list, play_of
from mfgsolve.agents.regret import nash_gap
from mfgsolve.agents.run import Party, Run, run_replicas
from mfgsolve.agents.simulation import METHODS, check_memory, kept_nodes, seed_sequence
from mfgsolve.agents.slopes import CONFIDENCE, mean_and_band, slope
from mfgsolve.agents.walk import Walk
from mfgsolve.checkpoints import problem_text
from mfgsolve.errors import InputError, unknown, whole
from mfgsolve.files import SCHEMA
from mfgsolve.inputs.masses import ALIKE, check_unit_masses
from mfgsolve.problem import Problem
from mfgsolve.progress import Replicas, live
from mfgsolve.solution import Solution
from mfgsolve.solution.datasets import per_volume

__all__ = ["compare"]

FLOOR = 10.0  # times what is not exact: below, a slope would be that of the floor
TIMES = 4
MEASURES = ("l2", "wasserstein", "regret", "cost_difference")


def compare(
    solution: Solution | Problem,
    agents: Sequence[int] = (10, 100, 1000, 10_000),
    replicas: int = 200,
    rng: Any = 0,
    *,
    times: Sequence[int] | None = None,
    transports: int = 50,
    method: str = "counts",
    policy: Any = None,
    problem: Problem | None = None,
    threads: int | None = None,
    callback: Callable[[int, int], Any] | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> xr.Dataset:
    """Play a plan with N agents, many times for each N, and tell how far that is from the mean-field limit.

    Agents that do not see each other are independent, so that the empirical density misses the mean field by
    1 / sqrt(N).  What one of them could gain (regret) and what they pay more than in the limit (cost difference) are
    exact, by `nash_gap`, and fall faster where costs are smooth.  `mfgsolve.plots.agents` draws the result.

    Parameters
    ----------
    solution : the plan; or a problem, and then ``policy`` is needed
    agents : numbers of agents, of each population where there are several
    replicas : how many times the game is played for each N
    rng : seed, as for `simulate`.  Every N has a stream of its own, whichever others are listed, and every replica
        one of those
    times : numbers of nodes (0..T, not times in units of time) at which densities are compared; by default the ends of
        four parts of the horizon
    transports : in how many replicas Wasserstein-1 is measured where it takes a linear program (2 and 3 axes, or
        walls; about 25 ms each); elsewhere it is measured in all
    method : "counts" or "agents", see `simulate`
    policy, problem, threads : as for `simulate`
    callback : called with (agents, replica) after every replica
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`

    Returns
    -------
    xarray.Dataset
        On (agents, replica, time): ``l2`` and ``wasserstein``, distances of the empirical from the mean-field density,
        see `mfgsolve.agents.distances`; NaN where not measured.  On agents: their means over times and replicas,
        ``l2_mean`` and ``wasserstein_mean``, with 95 % bands of the mean (``l2_band`` ..., on (agents, end)), Student's
        of the means over time of each replica.  ``simulated_cost`` (agents, replica[, population]): cost of an agent,
        mean over agents; with mean and band, beside the exact ``cost``.  ``regret``, ``relative_regret``, ``cost``,
        ``cost_difference``, ``regret_error``: as of `nash_gap`; NaN where the exact law does not hold, and the
        attribute ``regret_unknown`` tells why.  ``density`` (agents, time, ...): the first replica of each N, beside
        ``mean_field_density`` (time, ...).  ``slope``, ``slope_band``, ``slope_last``, ``slope_level`` and
        ``slope_used`` on measure: least squares of log measure on log N, with Student's interval from the residuals,
        and the slope between the two largest N.  Those of regret and |cost difference| (summed over populations) take
        only N at which they are above 10 times what is not exact: the exploitability of the plan itself (regret), and
        ``regret_error`` (both)

    Notes
    -----
    L2 falls as 1 / sqrt(N) from N = 1 on.  W1 on fine grids of two and three axes falls more slowly until there are
    many agents in a cell (or block): empirical measures in the plane are sqrt(log N / N) away (Ajtai, Komlos, Tusnady,
    Combinatorica 4 (1984), doi:10.1007/BF02579135).

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> plan = mfg.solve(mfg.problems.linear_quadratic(shape=(32,)))
    >>> data = mfg.compare(plan, agents=[10, 100, 1000], replicas=50)
    >>> abs(float(data.slope.sel(measure="l2")) + 0.5) < 0.05
    True
    """
    play = play_of(solution, policy, problem)
    check_unit_masses(
        play.game.grid,
        "a study of agents",
        ALIKE,
    )
    listed, count = _numbers(agents), _at_least(replicas, "replicas", 1)
    if method not in METHODS:
        raise InputError(unknown("method", method, METHODS))
    if threads is not None:
        _at_least(threads, "threads", 1)
    seeds, nodes = seed_sequence(rng), _default_nodes(play) if times is None else kept_nodes(times, play)
    most, ground, metric = _at_least(transports, "transports", 0), None, {}
    try:
        ground = transport(play.game.grid)
        metric = {"wasserstein_metric": ground.metric, "wasserstein_coarsening": ground.coarsening}
    except InputError as error:  # walls part the grid
        metric = {"wasserstein_metric": f"not measured: {error}", "wasserstein_coarsening": math.nan}
    measured = 0 if ground is None else count if ground.quick else min(count, most)
    exact = _exact(solution, listed, policy, problem)  # first: it takes the least time
    walk = Walk(play)
    largest = Party(walk, np.full(max(1, len(play.populations)), listed[-1]), method)
    check_memory(largest, count, 3 * nodes.size * listed.size, threads)
    table = _Table(play, listed, count, nodes)
    with live(Replicas([int(number) for number in listed], count), progress, verbose) as line:
        tick = line.beside(callback)
        for k, number in enumerate(listed):
            party = Party(walk, np.full(max(1, len(play.populations)), number), method)
            stream = np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, int(number)))
            for replica, run in enumerate(run_replicas(party, count, stream, threads)):
                table.enter(k, replica, run, ground if replica < measured else None)
                tick(int(number), replica)
    settings = {"method": method, "seed": str(seeds.entropy), "transports": measured}
    data = table.data("1" if ground is None else ground.unit) | {
        str(name): values for name, values in exact.data_vars.items()
    }
    attributes = _attributes(solution, play) | metric | settings | exact.attrs
    return xr.Dataset(data | _slopes(listed, data, exact.attrs), table.coordinates(), attributes)


# -- what was asked for ----------------------------------------------------------------------------------------------


def _numbers(agents: Any) -> np.ndarray:
    listed = agent_list(agents)
    for number in listed:
        if listed.count(number) > 1:
            raise InputError(f"agents lists {number} twice; list every number once")
    return np.array(sorted(listed), dtype=np.int64)


def _at_least(value: Any, what: str, least: int) -> int:
    number = whole(value, what)
    if number < least:
        raise InputError(f"{what} is {value}; a whole number of at least {least} is needed")
    return number


def _default_nodes(play: Play) -> np.ndarray:
    return np.unique(np.ceil(play.game.steps * np.arange(1, TIMES + 1) / TIMES).astype(int))


# -- what came out ---------------------------------------------------------------------------------------------------


class _Table:
    """What is measured, run by run."""

    def __init__(self, play: Play, agents: np.ndarray, replicas: int, nodes: np.ndarray):
        self.play, self.game, self.agents, self.nodes = play, play.game, agents, nodes
        self.limit = self.game.mass(play.crowd)[nodes] / self.game.grid.volumes
        self.density = np.empty((agents.size, *self.limit.shape))
        self.l2 = np.empty((agents.size, replicas, nodes.size))
        self.wasserstein = np.full(self.l2.shape, math.nan)
        self.cost = np.empty((agents.size, replicas, max(1, len(play.populations))))

    def enter(self, k: int, replica: int, run: Run, ground: Transport | None) -> None:
        mass = run.counts[self.nodes] / float(self.agents[k])
        density = mass.reshape(self.limit.shape) / self.game.grid.volumes
        if replica == 0:
            self.density[k] = density
        self.l2[k, replica] = l2(density, self.limit, self.game.grid)
        if ground is not None:
            self.wasserstein[k, replica] = ground(density, self.limit)
        self.cost[k, replica] = run.cost

    def data(self, length: str) -> dict[str, Any]:
        """Variables by name; ``length`` is the unit of Wasserstein-1."""
        each, space, unit = ("agents", "replica", "time"), ("time", *self.game.grid.dims), per_volume(self.game)
        root = _root(unit)
        data: dict[str, Any] = {
            "density": (("agents", *space), self.density, _attrs("density of one run of N agents", unit)),
            "mean_field_density": (space, self.limit, _attrs("density in the limit of many agents", unit)),
            "l2": (each, self.l2, _attrs("L2 distance to the mean field", root)),
            "wasserstein": (each, self.wasserstein, _attrs("Wasserstein-1 distance to the mean field", length)),
        }
        who = ("population",) if self.play.populations else ()
        costs = self.cost if who else self.cost[:, :, 0]
        data["simulated_cost"] = (("agents", "replica", *who), costs, _attrs("mean cost of the agents", "cost"))
        for name, values in (("l2", self.l2.mean(axis=2)), ("wasserstein", self.wasserstein.mean(axis=2)),
                             ("simulated_cost", costs)):  # fmt: skip
            mean, band = mean_and_band(values, 1)
            attrs, dims = data[name][2], ("agents", *(who if values is costs else ()))
            data[f"{name}_mean"] = (dims, mean, _attrs(f"{attrs['long_name']}, mean", attrs["units"]))
            data[f"{name}_band"] = ((*dims, "end"), band, _attrs(f"{CONFIDENCE:.0%} band of the mean", attrs["units"]))
        mask = self.game.grid.mask
        if mask.any():
            data["blocked"] = (
                self.game.grid.dims[len(who) :],
                mask[0] if who else mask,
                _attrs("no agent may be here"),
            )
        return data

    def coordinates(self) -> dict[str, Any]:
        time = self.game.time
        return {
            "agents": ("agents", self.agents, _attrs("number of agents")),
            "time": ("time", time.nodes[self.nodes], _attrs("time", time.unit)),
            "end": ("end", np.array(["low", "high"]), _attrs("end of the band")),
            "measure": ("measure", np.array(MEASURES), _attrs("what the slope is of")),
        } | {name: (name, values, attrs) for name, (values, attrs) in self.game.grid.dimension_coordinates.items()}


def _root(unit: str) -> str:
    """Unit of the root of a density: 1/km of 1/(km*km)."""
    lengths = unit.removeprefix("1/").strip("()").split("*")
    if unit == "1" or len(set(lengths)) > 1:
        return unit if unit == "1" else f"({unit})^0.5"
    return f"1/{lengths[0]}" if len(lengths) == 2 else f"{lengths[0]}^-{len(lengths) / 2:g}"


def _attrs(text: str, unit: str = "1") -> dict[str, str]:
    return {"units": unit, "long_name": text}


def _slopes(agents: np.ndarray, data: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    """Slopes of all measures, over the N whose value stands above the floor."""
    floor = FLOOR * _summed(data["regret_error"].values)
    plan = FLOOR * abs(float(attributes["exploitability"]))
    slopes = [
        slope(agents, data["l2_mean"][1]),
        slope(agents, data["wasserstein_mean"][1]),
        slope(agents, _summed(data["regret"].values), floor + plan),
        slope(agents, _summed(np.abs(data["cost_difference"].values)), floor),
    ]
    ends = np.array([[fit.low, fit.high] for fit in slopes])
    return {
        "slope": ("measure", np.array([fit.value for fit in slopes]), _attrs("slope of log measure on log N")),
        "slope_band": (("measure", "end"), ends, _attrs(f"{CONFIDENCE:.0%} confidence interval of the slope")),
        "slope_last": ("measure", np.array([fit.last for fit in slopes]), _attrs("slope between the two largest N")),
        "slope_level": ("measure", np.array([fit.level for fit in slopes]), _attrs("the fit at N = 1")),
        "slope_used": (
            ("measure", "agents"), np.stack([fit.used for fit in slopes]).astype(np.int8), _attrs("1 where N counts"),
        ),
    }  # fmt: skip


def _summed(values: np.ndarray) -> np.ndarray:
    """Over populations, if there are any."""
    return values.sum(axis=1) if values.ndim > 1 else values


def _exact(solution: Any, agents: np.ndarray, policy: Any, problem: Problem | None) -> xr.Dataset:
    """`nash_gap`, or the reason why there is none."""
    try:
        return nash_gap(solution, agents=[int(number) for number in agents], policy=policy, problem=problem)
    except InputError as error:
        nothing = np.full(agents.size, math.nan)
        names = ("regret", "relative_regret", "cost", "cost_difference", "regret_error")
        attributes = {"exploitability": math.nan, "regret_unknown": str(error)}
        return xr.Dataset({name: ("agents", nothing) for name in names}, attrs=attributes)


def _attributes(solution: Any, play: Play) -> dict[str, Any]:
    stated = play.game.problem
    attributes = {
        "schema": SCHEMA, "kind": "comparison", "mfgsolve_version": mfgsolve.__version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "name": stated.name,
        "source": stated.source, "problem": problem_text(stated), "confidence": CONFIDENCE,
        "slopes_above": f"{FLOOR:g} times the exploitability of the plan (regret only) and the error of truncation",
    } | stated.attrs  # fmt: skip
    kept = getattr(solution, "dataset", None)
    names = ("status", "relative_exploitability", "warnings")
    return attributes | ({} if kept is None else {name: kept.attrs[name] for name in names if name in kept.attrs})
