"""Equilibrium on given paths by a primal-dual interior point, whose linear systems are of the size of the links.

Paths p of pairs w (an origin, a destination and a class) carry flows f >= 0, links x = A' f; a path costs A t(x) + k,
k what it costs its class besides time.  With the least cost u_w of each pair and slacks s >= 0, equilibrium on these
paths is

    A t(x) + k - s = E' u,        E f = demand,        f s = 0,

and their exploitability is the sum of f s.  A step of Newton on f s = mu eliminates everything but
the links: with D = diag(f / s), held below a bound, C = A less the D-weighted mean of the paths of the same pair, and
H = diag(t'(x)),

    (1 + H^1/2 C' D C H^1/2) z = H^1/2 A' q,        df = q - D C H^1/2 z,

a positive definite matrix, dense, of the links whose cost rises.  The centred C keeps digits where one path of a pair
carries much and weighs as much.  Steps are Mehrotra's: a predictor, then a corrector that aims at
mu (mu_predicted / mu)^3.  Taken whole they may circle, in about one case of two hundred: short of round-off the search
begins anew with guarded steps, more of them, which hold every product f s above a share of their mean, and mu above
a share of what the first equation fails by, which grows no more.

Shifts of flow between two paths at a time (`mfgsolve.roads.paths`) are faster on networks where few paths tie.  Where
many do, as where a trip may wait before it starts or on its way, they crawl; these steps do not see ties at all.

S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992) 575,
doi:10.1137/0802028; the guard: S. Wright, D. Ralph, A superlinear infeasible-interior-point algorithm for monotone
complementarity problems, Math. Oper. Res. 21 (1996) 815, doi:10.1287/moor.21.4.815; the equilibrium as a
minimum: M. Beckmann, C. McGuire, C. Winsten, Studies in the Economics of Transportation, Yale University Press 1956.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sparse

__all__ = ["Balance", "interior_point"]

MOST_STEPS = 100
PATIENCE = 5  # steps without a smaller gap: what is left is round-off, or these steps circle
ROUND_OFF = 1e-13  # of what all pay: an excess that is not worth another search
BOUNDARY = 0.9995  # share of the way to where the first flow or slack would be 0
PROXIMAL = 1e-8  # of a path's own slope, added to s / f: bounds the condition number, and delays nothing that is seen
FLOOR = 1e-25  # of a demand or a time: weights f / s stay finite
INWARD = 0.1  # share of each demand that a start spreads over all its paths
SLACK = 0.05  # of a pair's least cost, added to every slack of a start
SHORT = 0.3  # a step as short as this points at the boundary; a guarded one turns to the middle instead
CENTRAL = 1e-3  # of their mean: no product f s below it, where a step is guarded
FAILS = 0.3  # times the mean product over the mean flow: how much the first equation may fail in any case
AHEAD = 0.1  # of what it fails by, times the mean flow: no mu below it is aimed at
SHRINK, SHRINKS = 0.7, 12  # of a guarded step that goes too far

Function = Callable[[np.ndarray], np.ndarray]  # of all links, from their flows


class Balance(NamedTuple):
    """Flows on given paths, and how far from equilibrium on these paths."""

    flow: np.ndarray  # (paths,)
    excess: float  # sum of f (path cost - least of its pair)
    steps: int  # to these flows


class _Point(NamedTuple):
    flow: np.ndarray  # f (paths,)
    slack: np.ndarray  # s (paths,)
    least: np.ndarray  # u (pairs,)


def interior_point(
    paths: sparse.csr_matrix, pair: np.ndarray, demand: np.ndarray, flow: np.ndarray, time: Function, slope: Function,
    besides: np.ndarray | float = 0.0, enough: float = 0.0,
) -> Balance:  # fmt: skip
    """Balance ``demand`` over given paths, beginning with ``flow``.

    Parameters
    ----------
    paths : incidence A (paths, links), 1 where a path takes a link
    pair : (paths,) whose path it is
    demand : (pairs,), positive
    flow : (paths,) of the right sums
    time, slope : t(x) and t'(x) >= 0 of all links
    besides : k (paths,)
    enough : excess to stop at; 0 goes on to round-off
    """
    system = _System(paths, pair, demand, time, slope, besides)
    best = Balance(flow, system.excess(flow), 0)
    for guarded in (False, True):
        best = min(best, _search(system, flow, enough, guarded), key=lambda balance: balance.excess)
        if best.excess <= max(enough, ROUND_OFF * system.total(best.flow)):
            break
    return best


def _search(system: _System, flow: np.ndarray, enough: float, guarded: bool) -> Balance:
    """Steps from one start, until the excess is ``enough`` or falls no more; the best of them."""
    point, best = system.start(flow), Balance(flow, np.inf, 0)
    for step in range(1, MOST_STEPS + 1):
        point = system.step(point, guarded)
        flow = system.scaled(point.flow)
        excess = system.excess(flow)
        if excess < best.excess:
            best = Balance(flow, excess, step)
        if best.excess <= enough or step - best.steps >= PATIENCE * (1 + guarded):
            break
    return best


class _System:
    """The equations of a set of paths."""

    def __init__(
        self, paths: sparse.csr_matrix, pair: np.ndarray, demand: np.ndarray, time: Function, slope: Function,
        besides: np.ndarray | float,
    ) -> None:  # fmt: skip
        self.paths, self.pair, self.demand, self.time, self.slope = paths, pair, demand, time, slope
        self.besides = besides
        self.number = np.bincount(pair, minlength=len(demand))

    def of_pairs(self, values: np.ndarray) -> np.ndarray:
        """E values: sums over the paths of each pair."""
        return np.bincount(self.pair, values, len(self.demand))

    def scaled(self, flow: np.ndarray) -> np.ndarray:
        """The same with the sums that are asked for, from which round-off drifts."""
        return flow * (self.demand / self.of_pairs(flow))[self.pair]

    def cost(self, flow: np.ndarray) -> np.ndarray:
        """A t(x) + k."""
        return np.asarray(self.paths @ self.time(self.paths.T @ flow) + self.besides)

    def least(self, cost: np.ndarray) -> np.ndarray:
        """Of each pair."""
        result = np.full(len(self.demand), np.inf)
        np.minimum.at(result, self.pair, cost)
        return result

    def excess(self, flow: np.ndarray) -> float:
        """What all could gain together on these paths."""
        cost = self.cost(flow)
        return float((cost - self.least(cost)[self.pair]) @ flow)

    def start(self, flow: np.ndarray) -> _Point:
        """Every path carries something, and no slack is 0."""
        spread = (1 - INWARD) * flow + INWARD * (self.demand / self.number)[self.pair]
        cost = self.cost(spread)
        least = self.least(cost)
        below = SLACK * np.where(least > 0, least, cost.max() or 1.0)
        return _Point(spread, cost - (least - below)[self.pair], least - below)

    def total(self, flow: np.ndarray) -> float:
        """What all pay together."""
        return float(np.abs(self.cost(flow)) @ flow)

    def uneven(self, point: _Point) -> np.ndarray:
        """A t + k - s - E' u, by which the first equation fails."""
        return self.cost(point.flow) - point.slack - point.least[self.pair]

    def step(self, point: _Point, guarded: bool) -> _Point:
        """One step of Mehrotra's predictor and corrector."""
        flow = np.maximum(point.flow, FLOOR * self.demand[self.pair])
        slack = np.maximum(point.slack, FLOOR * np.abs(point.least).max())
        point = _Point(flow, slack, point.least)
        newton = _Newton(self, point)
        mean, fails = flow @ slack / len(flow), _root_mean_square(newton.uneven)
        far = newton.direction(0.0, 0.0)
        ahead = _moved(flow, far.flow, _longest(flow, far.flow)) @ _moved(slack, far.slack, _longest(slack, far.slack))
        target = (ahead / len(flow) / mean) ** 3 * mean
        if guarded:
            target = min(max(target, AHEAD * fails * flow.mean()), mean)
        way = newton.direction(target, far.flow * far.slack)
        if guarded and _length(point, way) < SHORT:
            way = max(way, newton.direction(0.5 * mean, 0.0), key=lambda way: _length(point, way))
        return self.guarded(point, way, fails) if guarded else _along(point, way, _length(point, way))

    def guarded(self, point: _Point, way: _Point, fails: float) -> _Point:
        """So far along a way that no product stays behind the others and the first equation fails no more."""
        length, least = _length(point, way), (point.flow * point.slack).min()
        for _ in range(SHRINKS):
            ahead = _along(point, way, length)
            products = ahead.flow * ahead.slack
            central = products.min() >= min(CENTRAL * products.mean(), least)
            allowed = max(fails, FAILS * products.mean() / ahead.flow.mean())
            if central and _root_mean_square(self.uneven(ahead)) <= allowed:
                break
            length *= SHRINK
        return ahead


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _length(point: _Point, way: _Point) -> float:
    """The step that keeps flows and slacks positive, at most 1."""
    return min(1.0, BOUNDARY * min(_longest(point.flow, way.flow), _longest(point.slack, way.slack)))


def _along(point: _Point, way: _Point, length: float) -> _Point:
    return _Point(*(_moved(value, change, length) for value, change in zip(point, way, strict=True)))


def _moved(values: np.ndarray, change: np.ndarray, length: float) -> np.ndarray:
    return values + length * change


def _longest(values: np.ndarray, change: np.ndarray) -> float:
    """The longest step along which no value falls below 0, at most 1."""
    falls = change < 0
    return min(1.0, float(np.min(-values[falls] / change[falls], initial=np.inf)))


class _Newton:
    """The linear system at one point, factored once for predictor and corrector."""

    def __init__(self, system: _System, point: _Point) -> None:
        self.system, self.point, pair = system, point, system.pair
        load = system.paths.T @ point.flow
        slope = system.slope(load)
        self.uneven = system.uneven(point)
        self.missing = system.demand - system.of_pairs(point.flow)
        rising = slope > 0
        self.root = np.sqrt(slope[rising])
        self.links = system.paths[:, np.flatnonzero(rising)]
        own = np.asarray(self.links.power(2) @ slope[rising])  # of a path alone: how its time rises with its flow
        mean = own.mean() if own.any() else 1.0
        held = PROXIMAL * np.where(own > 0, own, mean)
        self.weight = 1.0 / (point.slack / point.flow + held)
        self.total = system.of_pairs(self.weight)
        shares = sparse.csr_matrix(
            (self.weight / self.total[pair], (pair, np.arange(len(pair)))), (len(self.total), len(pair))
        )
        self.mean = shares @ self.links
        self.centred = (self.links - self.mean[pair]).tocsr()
        half = sparse.diags(np.sqrt(self.weight)) @ self.centred @ sparse.diags(self.root)
        matrix = (half.T @ half).toarray()
        diagonal = np.diag_indices_from(matrix)
        matrix[diagonal] += 1.0
        self.factor = scipy.linalg.cho_factor(matrix, overwrite_a=True, check_finite=False)

    def direction(self, target: float, second: np.ndarray | float) -> _Point:
        """Changes of flows, slacks and least costs towards f s = target, less a term of second order."""
        flow, slack, _ = self.point
        pair, of_pairs = self.system.pair, self.system.of_pairs
        force = (target - second) / flow - slack - self.uneven
        common = of_pairs(self.weight * force) / self.total
        free = self.weight * (force - common[pair] + (self.missing / self.total)[pair])
        priced = self.root * scipy.linalg.cho_solve(self.factor, self.root * (self.links.T @ free), check_finite=False)
        d_flow = free - self.weight * (self.centred @ priced)
        d_least = self.missing / self.total - common + self.mean @ priced
        d_slack = (target - second - flow * slack - slack * d_flow) / flow
        return _Point(d_flow, d_slack, d_least)
