"""Trips by the clock: when to leave and which way to go, on roads that fill at some hours and are empty at others.

    day = mfg.RoadNetwork.from_tntp(net, trips).by_clock(steps=40, departures=range(4))
    flows = mfg.solve(day)
    flows.dataset["clock_flow"].sel(step=3)          # of the links, by the step at which they are entered

Drivers who may leave at one of several steps take a link in as many steps as it takes when it is empty; the crowd that
enters it at the same step makes it dearer, t(x) of the static network, and not longer.  Waiting, before the trip or on
its way, costs `waiting` a step.  This is the static game of the graph whose nodes are (node, step), so that solver,
certificate and social optimum are those of `mfgsolve.roads`; its equilibria are dynamic user equilibria with travel
times by the clock (Friesz et al., 1993, doi:10.1287/opre.41.1.179, whose delays depend on the crowd; this is the case
that has a potential).

Trips and capacities of a network are of one period, `period` steps long: a link takes capacity / period a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from mfgsolve.cautions import Caution, collect, say, unique
from mfgsolve.errors import InputError, cut, has_labels, real, whole
from mfgsolve.roads.costs import LinkCosts
from mfgsolve.roads.demand import Demand

__all__ = ["Clock", "by_clock", "departure_shares", "variables"]

WHOLE = 1e-9  # to which the time of an empty link must be a whole number of steps, or is said not to be
LARGE = 2_000_000  # links of the graph, beyond which it is refused


class Clock(NamedTuple):
    """Where the links of the graph of (node, step) come from.

    ``link`` is the link of the static network, -1 for waiting, -2 for arriving; ``step`` that at which it begins.
    """

    network: Any
    steps: int
    link: np.ndarray
    step: np.ndarray


def departure_shares(departures: Any, steps: int) -> dict[int, float]:
    """Shares of the trips by the step at which they leave: a mapping, or steps that share them alike."""
    if has_labels(departures):
        raise InputError("departures came as an array with names; shares by step, {0: 0.5, 1: 0.5}, are needed")
    if isinstance(departures, int | np.integer):
        departures = [departures]
    if not isinstance(departures, Mapping):
        if not isinstance(departures, Iterable) or isinstance(departures, str):
            raise InputError(
                f"departures are {cut(repr(departures))}; steps, or shares by step, {{0: 0.5, 1: 0.5}}, are needed"
            )
        listed = list(departures)
        departures = {step: 1.0 / len(listed) for step in listed}
        if len(departures) < len(listed):
            raise InputError(f"departures {listed} name a step twice; give shares by step, {{0: 0.5, 1: 0.5}}")
    shares = {
        whole(step, "step of a departure"): real(share, "share of a departure") for step, share in departures.items()
    }
    for step, share in shares.items():
        if not 0 <= step < steps:
            raise InputError(f"a departure is at step {step}; steps 0 to {steps - 1} are needed")
        if not (math.isfinite(share) and share > 0):
            raise InputError(f"share of the departures at step {step} is {share}; a positive number is needed")
    if not shares or abs(math.fsum(shares.values()) - 1.0) > 1e-9:
        raise InputError(f"shares of the departures add up to {math.fsum(shares.values()):.9g}; 1 is needed")
    return shares


def by_clock(
    network: Any, steps: int, departures: Any = (0,), *, waiting: float = 1.0, step: float = 1.0,
    period: float | None = None,
) -> Any:  # fmt: skip
    """The network of (node, step); see `RoadNetwork.by_clock`."""
    count = whole(steps, "steps of a network by the clock")
    if count < 1:
        raise InputError(f"steps of a network by the clock are {count}; one or more are needed")
    if network.clock is not None:
        raise InputError(f"{network.name} is by the clock already; begin with the static network")
    shares = departure_shares(departures, count)
    cost, length = real(waiting, "waiting"), real(step, "step")
    many = float(len(shares)) if period is None else real(period, "period")
    for word, value, least in (("waiting", cost, 0.0), ("step", length, 1e-300), ("period", many, 1e-300)):
        if not (math.isfinite(value) and value >= least):
            raise InputError(
                f"{word} of a network by the clock is {value}; a {'positive ' if least else ''}number is needed"
            )
    with collect() as said:
        lags = _lags(network, length)
        made = _expanded(network, count, lags, shares, cost, many)
        made._check()
    kept = [each for each in network.cautions if each.code != "roads-not-unique"]
    return replace(made, cautions=unique(kept, _without_waits(said)))


def _without_waits(said: Iterable[Caution]) -> list[Caution]:
    return [each for each in said if each.code != "roads-not-unique"]


def _lags(network: Any, length: float) -> np.ndarray:
    """Steps that a link takes when it is empty: the nearest whole number, at least one."""
    free = network.costs.time(np.zeros(network.tail.size)) / length
    lags = np.maximum(np.rint(free), 1.0)
    off = np.abs(lags - free)
    if off.max() > WHOLE:
        k = int(np.argmax(off))
        say(
            "roads-clock",
            f"Times of {int((off > WHOLE).sum())} empty links are no whole numbers of steps and were rounded, to at "
            f"least one, the most that of {network.link_name(k)}: {free[k]:.4g} steps to {lags[k]:.0f}. Costs are "
            "exact. A shorter step rounds less.",
        )
    return np.asarray(lags, dtype=np.int64)


def _expanded(
    network: Any, steps: int, lags: np.ndarray, shares: Mapping[int, float], waiting: float, period: float
) -> Any:
    """Nodes (node, step) in rows of one step, then a node for each destination, where trips end at any step."""
    nodes, links, demand = len(network.nodes), network.tail.size, network.demand
    size = links * steps + (2 * steps + 1) * nodes
    if size > LARGE:
        raise InputError(f"a network by the clock has {size} links; up to {LARGE} are solved: take fewer steps")
    ends = np.unique(demand.destination)
    shut = ~network.through
    at, which = np.repeat(np.arange(steps), links), np.tile(np.arange(links), steps)
    head = network.head[which]
    closed = shut[head]  # a node that none passes is where trips end: links lead to its end alone
    fits = (at + lags[which] <= steps) & (~closed | np.isin(head, ends))
    at, which, head, closed = at[fits], which[fits], head[fits], closed[fits]
    end_of = np.full(nodes, -1)
    end_of[ends] = (steps + 1) * nodes + np.arange(ends.size)
    roads = (at * nodes + network.tail[which], np.where(closed, end_of[head], (at + lags[which]) * nodes + head))
    wait_at, wait = np.repeat(np.arange(steps), nodes), np.tile(np.arange(nodes), steps)
    waits = (wait_at * nodes + wait, (wait_at + 1) * nodes + wait)
    open_ends = ends[~shut[ends]]
    in_at, arrive = np.repeat(np.arange(1, steps + 1), open_ends.size), np.tile(open_ends, steps)
    arrivals = (in_at * nodes + arrive, end_of[arrive])
    tail, ahead = (np.concatenate(parts) for parts in zip(roads, waits, arrivals, strict=True))
    link = np.concatenate([which, np.full(wait.size, -1), np.full(arrive.size, -2)])
    begins = np.concatenate([at, wait_at, in_at])
    clock = Clock(network, steps, link, begins)
    names = [f"{name}@{k}" for k in range(steps + 1) for name in network.nodes] + [str(network.nodes[k]) for k in ends]
    fixed = np.where(link >= 0, network.fixed[:, np.maximum(link, 0)], 0.0)
    own = {word: np.where(link >= 0, getattr(network, word)[np.maximum(link, 0)], 0.0) for word in ("length", "toll")}
    places = (
        None
        if network.places is None
        else np.concatenate([np.tile(network.places, (steps + 1, 1)), network.places[ends]])
    )
    return replace(
        network, nodes=tuple(names), tail=tail, head=ahead, costs=_ClockCosts(clock, waiting, period),
        demand=_demand(demand, shares, nodes, end_of), fixed=fixed, through=np.ones(len(names), dtype=bool),
        places=places, clock=clock, name=f"{network.name}-by-clock", cautions=(), **own,
    )  # fmt: skip


def _demand(demand: Demand, shares: Mapping[int, float], nodes: int, end_of: np.ndarray) -> Demand:
    """Trips of every pair at all departures."""
    steps, part = np.array(list(shares)), np.array(list(shares.values()))
    many = steps.size
    of_class, end = np.repeat(demand.of_class, many), np.repeat(end_of[demand.destination], many)
    origin = (steps * nodes + demand.origin[:, None]).reshape(-1)
    vehicles = (part * demand.vehicles[:, None]).reshape(-1)
    order = np.lexsort((end, origin, of_class))
    return Demand(demand.classes, demand.pce, of_class[order], origin[order], end[order], vehicles[order])


def variables(clock: Clock, flow: np.ndarray, time: np.ndarray, units: Mapping[str, str]) -> dict[str, Any]:
    """What a dataset of (node, step) says of the static network: its ``road`` links, by the step of entering them."""
    network, road = clock.network, np.flatnonzero(clock.link >= 0)
    by_step = np.full((2, clock.steps, network.tail.size), np.nan)
    for part, values in zip(by_step, (flow, time), strict=True):
        part[clock.step[road], clock.link[road]] = values[road]
    name = np.array([str(node) for node in network.nodes])
    late = "; NaN where it would end after the last step"
    result: dict[str, Any] = {
        "clock_flow": (("step", "road"), by_step[0], _about(f"flow that enters a road at a step{late}", units["flow"])),
        "clock_time": (("step", "road"), by_step[1], _about(f"what its crowd makes it cost{late}", units["time"])),
        "clock_link": ("link", clock.link + 1, _about("road of a link, from 1; 0 waiting, -1 arriving", "1")),
        "clock_step": ("link", clock.step, _about("step at which a link begins", "1")),
        "road_from": ("road", name[network.tail], _about("node where the road begins", "1")),
        "road_to": ("road", name[network.head], _about("node where the road ends", "1")),
        "road_free_time": ("road", network.costs.time(np.zeros(network.tail.size)),
                           _about("travel time of the empty road", units["time"])),
        "place": ("place", name, _about("node of the static network", "1")),
    }  # fmt: skip
    if network.places is not None:
        for k, axis in enumerate("xy"):
            result[f"place_{axis}"] = ("place", network.places[:, k], _about(f"coordinate {axis}", "1"))
    return result


def _about(text: str, unit: str) -> dict[str, str]:
    return {"long_name": text, "units": unit}


@dataclass(frozen=True, eq=False)
class _ClockCosts(LinkCosts):
    """t(period x) of links, a constant of waiting, 0 of arriving."""

    clock: Clock
    waiting: float
    period: float
    costs: LinkCosts | None = None  # None of the network's own

    @property
    def size(self) -> int:
        return int(self.clock.link.size)

    @property
    def static(self) -> LinkCosts:
        return self.clock.network.costs if self.costs is None else self.costs

    @property
    def powers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        own = self.static.powers
        if own is None:
            return None
        link, road = self.clock.link, self.clock.link >= 0
        constant, coefficient, capacity, power = (part[np.maximum(link, 0)] for part in own)
        return (
            np.where(road, constant, self._rest(np.ones(self.size))), np.where(road, coefficient, 0.0),
            np.where(road, capacity / self.period, 1.0), np.where(road, power, 1.0),
        )  # fmt: skip

    def _rest(self, each: np.ndarray) -> np.ndarray:
        """What waiting and arriving cost, times a number of each link."""
        return np.where(self.clock.link == -1, self.waiting * each, 0.0)

    def _by_step(self, function: Callable[[np.ndarray], np.ndarray], flow: np.ndarray) -> np.ndarray:
        """A function of the static links, step after step, at period times their flows."""
        link, result, many = self.clock.link, np.zeros(self.size), self.clock.network.tail.size
        static = np.zeros((self.clock.steps, many))
        road = np.flatnonzero(link >= 0)
        static[self.clock.step[road], link[road]] = self.period * flow[road]
        values = np.stack([function(row) for row in static])
        result[road] = values[self.clock.step[road], link[road]]
        return result

    def time(self, flow: np.ndarray) -> np.ndarray:
        return self._by_step(self.static.time, flow) + self._rest(np.ones(self.size))

    def integral(self, flow: np.ndarray) -> np.ndarray:
        return self._by_step(self.static.integral, flow) / self.period + self._rest(flow)

    def slope(self, flow: np.ndarray) -> np.ndarray:
        return self.period * self._by_step(self.static.slope, flow)

    def marginal(self) -> LinkCosts:
        return replace(self, costs=self.static.marginal())

    def check(self, name: Callable[[int], str], scale: float) -> None:
        """Nothing: those of the network were checked when it was stated."""

    @property
    def constant_links(self) -> np.ndarray:
        return (self.clock.link < 0) | self.static.constant_links[np.maximum(self.clock.link, 0)]
