"""Who drives where: sets of paths that grow by the cheapest one (column generation), and Newton shifts among them.

A round finds the cheapest path of every pair at the present costs, which tells the exploitability, sum of flow (cost -
least cost), and adds it to the pair's paths; then flow shifts, pair after pair, from dear paths to the cheapest one by
Newton's step, until the paths at hand are equalised a hundred times better than the last round was exploitable; then
paths that nobody takes are dropped, and link flows are added up anew from those of the paths, since increments drift.
(Dafermos and Sparrow, 1969; Jayakrishnan et al., 1994; a survey is Perederieieva et al., 2015,
doi:10.1016/j.cor.2014.08.012.)

Costs that are functions of one's own are taken to be straight lines in a round, which ends with a search along the way
from the old flows to the new ones; all others are exact at every shift.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mfgsolve import watch
from mfgsolve.errors import InputError, real
from mfgsolve.progress import Solves, live
from mfgsolve.roads.costs import LinkCosts
from mfgsolve.solution import Status
from mfgsolve.solution.datasets import Measure

__all__ = ["Assigned", "Paths", "assign"]

PASSES = 200  # over all pairs in a round, at most,
ENOUGH = 0.01  # or until what is left among the paths at hand is this share of the round's exploitability
PATIENCE = 12  # rounds in which the exploitability must fall
FALL = 0.7  # to this share
HALVINGS = 60  # of a search along a line


@dataclass
class Paths:
    """Paths of all pairs, one behind the other; see `mfgsolve.kernels.roads`."""

    of_pair: np.ndarray
    begin: np.ndarray
    links: np.ndarray
    flow: np.ndarray


@dataclass(frozen=True)
class Assigned:
    """What the solver hands over.

    Attributes
    ----------
    flow : (classes, links), in passenger-car equivalents
    home : of each pair who does not drive, in the same unit
    least : least cost of each pair, at these flows
    total : cost of all, by which the exploitability is relative
    """

    flow: np.ndarray = field(repr=False)
    home: np.ndarray = field(repr=False)
    least: np.ndarray = field(repr=False)
    paths: Paths = field(repr=False)
    total: float
    rows: list[Measure]
    status: Status


class _Costs:
    """Times of links, and behind them of staying at home, at the flows of both."""

    def __init__(self, network: Any, costs: LinkCosts):
        elastic, cars = network.elastic, network.demand.cars
        self.costs, self.links, self.cars = costs, network.tail.size, cars
        self.homes = 0 if elastic is None else cars.size
        self.reservation: float = 1.0 if elastic is None else elastic.reservation
        self.power: float = 1.0 if elastic is None else elastic.power
        self.of_home = np.arange(self.links, self.links + self.homes) if self.homes else np.full(cars.size, -1)

    @property
    def is_exact(self) -> bool:
        """Whether the kernel has the formula."""
        return self.costs.powers is not None

    def tables(self, flow: np.ndarray) -> list[np.ndarray]:
        """constant, coefficient, capacity, power of all: exact, or straight lines at these flows."""
        road = self.costs.powers
        if road is None:
            x = flow[: self.links]
            slope = self.costs.slope(x)
            road = self.costs.time(x) - slope * x, slope, np.ones(self.links), np.ones(self.links)
        home = np.zeros(self.homes), np.full(self.homes, self.reservation), self.cars, np.full(self.homes, self.power)
        return [np.concatenate([one, other[: self.homes]]) for one, other in zip(road, home, strict=True)]

    def time(self, flow: np.ndarray) -> np.ndarray:
        x, e = flow[: self.links], flow[self.links :]
        share = e / self.cars[: self.homes]
        return np.concatenate([self.costs.time(x), self.reservation * share**self.power])

    def potential(self, flow: np.ndarray) -> float:
        """Sum of the integrals of all times."""
        return math.fsum(self.costs.integral(flow[: self.links])) + self.lost(flow)

    def lost(self, flow: np.ndarray) -> float:
        """What driving would have been worth to those who stay at home: the integral of their times."""
        e = flow[self.links :]
        cost = self.reservation * (e / self.cars[: self.homes]) ** self.power
        return math.fsum(e * cost / (self.power + 1))


def assign(
    network: Any, *, objective: str, tol: float, max_iterations: int | None, max_seconds: float | None,
    callback: Callable[[Measure], Any] | None, progress: bool | None, verbose: bool | int,
) -> Assigned:  # fmt: skip
    """Flows at which nobody gains by another path; see `RoadNetwork.solve_with`."""
    _check_limits(tol, max_iterations, max_seconds)
    costs = network.costs.marginal() if objective == "social" else network.costs
    with live(Solves(tol), progress, verbose) as line:
        found = _Search(network, _Costs(network, costs)).run(tol, max_iterations, max_seconds, line.beside(callback))
        line.reached = found.rows[-1].relative_exploitability
    return found


def _check_limits(tol: float, iterations: int | None, seconds: float | None) -> None:
    for what, value in (("tol", tol), ("max_iterations", iterations), ("max_seconds", seconds)):
        if value is not None and not real(value, what) >= 0:
            raise InputError(f"{what} is {value}; a number of zero or more is needed")


class _Search:
    """Rounds of the solver."""

    def __init__(self, network: Any, costs: _Costs):
        self.network, self.costs, demand = network, costs, network.demand
        self.groups, self.origin, self.kind = demand.groups()
        self.first, self.out = network.outgoing
        self.classes, size = len(demand.classes), costs.links + costs.homes
        self.flow, self.time, self.slope = np.zeros((self.classes, size)), np.empty(size), np.empty(size)
        self.fixed = np.ascontiguousarray(network.fixed)
        empty = np.zeros(demand.size + 1, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0)
        self.paths = Paths(*empty)

    def run(
        self, tol: float, iterations: int | None, seconds: float | None, callback: Callable[[Measure], Any] | None
    ) -> Assigned:
        begun, rows, best, since, mark = watch.clock(), list[Measure](), None, 0, math.inf
        self._price()
        self._grow()
        if self.costs.homes:
            self._price()
        while True:
            watch.look()
            self._price()
            row, total, least = self._measure(len(rows), watch.clock() - begun)
            rows.append(row)
            if best is None or row.exploitability < best[0].exploitability:
                kept = Paths(*(part.copy() for part in vars(self.paths).values()))
                best = row, total, least, self.flow.copy(), kept
            since += 1
            if row.exploitability < FALL * mark:
                since, mark = 0, row.exploitability
            stop = callback is not None and bool(callback(row))
            status = _ended(row, tol, iterations, seconds, since, stop)
            if status is not None:
                break
            self._shift(ENOUGH * max(row.exploitability, 0.0))
        return self._handed(best, rows, status)

    def _handed(self, best: Any, rows: list[Measure], status: Status) -> Assigned:
        """The best round; the last row of the history is its own."""
        row, total, least, flow, paths = best
        if row is not rows[-1]:
            last = rows[-1]
            rows.append(replace(row, iteration=last.iteration, sweeps=last.sweeps, seconds=last.seconds))
        links = self.costs.links
        home = flow[:, links:].sum(axis=0) if self.costs.homes else np.zeros(self.network.demand.size)
        return Assigned(flow[:, :links], home, least, paths, total, rows, status)

    def _price(self) -> None:
        """Flows from those of the paths; times and slopes at them."""
        from mfgsolve.kernels import roads as kernel

        paths = self.paths
        kernel.loads(self.groups, self.kind, paths.of_pair, paths.begin, paths.links, paths.flow, self.flow)
        self.x = self.flow.sum(axis=0)
        self.tables = self.costs.tables(self.x)
        kernel.prices(self.x, *self.tables, self.time, self.slope)

    def _grow(self) -> tuple[np.ndarray, float]:
        """Least cost of every pair, and the exploitability; the cheapest paths are there from now on."""
        from mfgsolve.kernels import roads as kernel

        network, paths = self.network, self.paths
        least, excess, *new = kernel.columns(
            self.groups, self.origin, self.kind, network.demand.destination, network.demand.cars, self.costs.of_home,
            self.first, self.out, network.tail, network.head, network.through, self.time, self.fixed, paths.of_pair,
            paths.begin, paths.links, paths.flow,
        )  # fmt: skip
        self.paths = Paths(*new)
        return least, excess

    def _measure(self, number: int, seconds: float) -> tuple[Measure, float, np.ndarray]:
        least, excess = self._grow()
        links = self.costs.links
        fixed = math.fsum((self.fixed * self.flow[:, :links]).reshape(-1))
        total = math.fsum(self.time * self.x) + fixed
        relative = excess / total if total > 0 else 0.0 if excess == 0 else math.nan
        potential = self.costs.potential(self.x) + fixed
        work = self.network.tail.size * self.origin.size
        return (
            Measure(number, float(number + 1), excess, relative, potential, excess, work, True, seconds),
            total,
            least,
        )

    def _shift(self, enough: float) -> None:
        from mfgsolve.kernels import roads as kernel

        paths, exact = self.paths, self.costs.is_exact
        before = paths.flow.copy(), self.flow.copy()
        kernel.shifts(
            PASSES, enough, self.groups, self.kind, self.fixed, paths.of_pair, paths.begin, paths.links, paths.flow,
            self.x, *self.tables, self.time, self.slope,
        )  # fmt: skip
        if not exact:
            self._search(*before)

    def _search(self, flow: np.ndarray, loads: np.ndarray) -> None:
        """Where on the way from these path flows to the new ones the potential is least."""
        change = self.paths.flow - flow
        self._price()
        move, start = self.flow.sum(axis=0) - loads.sum(axis=0), loads.sum(axis=0)
        links = self.costs.links
        still = math.fsum((self.fixed * (self.flow - loads)[:, :links]).reshape(-1))

        def rise(share: float) -> float:
            return math.fsum(self.costs.time(start + share * move) * move) + still

        low, high = 0.0, 1.0
        if rise(1.0) <= 0:
            return
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if rise(middle) <= 0 else (low, middle)
        self.paths.flow = flow + low * change


def _ended(
    row: Measure, tol: float, iterations: int | None, seconds: float | None, since: int, stop: bool
) -> Status | None:
    """Why the solve ends with this round; None if it does not."""
    if not math.isfinite(row.exploitability):
        return Status.NON_FINITE
    if row.relative_exploitability <= tol:
        return Status.CONVERGED
    if stop:
        return Status.STOPPED
    if iterations is not None and row.iteration >= iterations:
        return Status.ITERATION_LIMIT
    if seconds is not None and row.seconds >= seconds:
        return Status.TIME_LIMIT
    return Status.STALLED if since >= PATIENCE else None
