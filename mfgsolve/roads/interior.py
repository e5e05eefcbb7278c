"""Equilibrium on given paths by a primal-dual interior point, whose linear systems are of the size of the links.

Paths p of pairs w (an origin, a destination and a class) carry flows f >= 0, links x = A' f, and cost c(x).  With the
cheapest time u_w of each pair and slacks s >= 0, equilibrium on these paths is

    A c(x) - s = E' u,        E f = demand,        f s = 0,

and the relative gap on them is the sum of f s over x . c(x).  A step of Newton on f s = mu eliminates everything but
the links: with D = diag(f / s), held below a bound, C = A less the D-weighted mean of the paths of the same pair, and
H = diag(c'(x)),

    (1 + H^1/2 C' D C H^1/2) z = H^1/2 A' q,        df = q - D C H^1/2 z,

a positive definite matrix, dense, of the links whose cost rises.  The centred C keeps digits where one path of a pair
carries much and weighs as much.  Steps are Mehrotra's: a predictor, then a corrector that aims at
mu (mu_predicted / mu)^3.

Shifts of flow between two paths at a time (`mfgsolve.roads.paths`) are faster on networks where few paths tie.  Where
many do, as where a trip may wait before it starts or on its way, they crawl; these steps do not see ties at all.

S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992) 575,
doi:10.1137/0802028; the equilibrium as a minimum: M. Beckmann, C. McGuire, C. Winsten, Studies in the Economics of
Transportation, Yale University Press 1956.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sparse

__all__ = ["Balance", "interior_point"]

MOST_STEPS = 60
PATIENCE = 5  # steps without a smaller gap: what is left is round-off
BOUNDARY = 0.9995  # share of the way to where the first flow or slack would be 0
PROXIMAL = 1e-8  # of a path's own slope, added to s / f: bounds the condition number, and delays nothing that is seen
FLOOR = 1e-25  # of a demand or a time: weights f / s stay finite
INWARD = 0.1  # share of each demand that a start spreads over all its paths
SLACK = 0.05  # of a pair's cheapest time, added to every slack of a start

Costs = Callable[[np.ndarray], np.ndarray]  # of all links, from their flows


class Balance(NamedTuple):
    """Flows on given paths, and how far from equilibrium on these paths."""

    flow: np.ndarray  # (paths,)
    gap: float  # relative: sum of f (path cost - cheapest of its pair) over the cost of all
    steps: int  # to these flows


class _Point(NamedTuple):
    flow: np.ndarray  # f (paths,)
    slack: np.ndarray  # s (paths,)
    cheapest: np.ndarray  # u (pairs,)


def interior_point(
    paths: sparse.csr_matrix, pair: np.ndarray, demand: np.ndarray, flow: np.ndarray,
    cost: Costs, slope: Costs, tol: float = 0.0,
) -> Balance:  # fmt: skip
    """Balance ``demand`` over given paths to a relative gap, from ``flow``.

    Parameters
    ----------
    paths : incidence A (paths, links), 1 where a path takes a link
    pair : (paths,) whose path it is
    demand : (pairs,), positive
    flow : (paths,) a start, of the right sums
    cost, slope : c(x) and c'(x) >= 0 of all links
    tol : of the relative gap on these paths; 0 goes on to round-off
    """
    system = _System(paths, pair, demand, cost, slope)
    start = Balance(flow, system.gap(flow), 0)
    point, best = system.start(flow), start._replace(gap=np.inf)
    for step in range(1, MOST_STEPS + 1):
        point = system.step(point)
        flow = system.scaled(point.flow)
        gap = system.gap(flow)
        if gap < best.gap:
            best = Balance(flow, gap, step)
        if best.gap <= tol or step - best.steps >= PATIENCE:
            break
    return best if best.gap < start.gap else start


class _System:
    """The equations of a set of paths."""

    def __init__(
        self, paths: sparse.csr_matrix, pair: np.ndarray, demand: np.ndarray, cost: Costs, slope: Costs
    ) -> None:
        self.paths, self.pair, self.demand, self.cost, self.slope = paths, pair, demand, cost, slope
        self.number = np.bincount(pair, minlength=len(demand))

    def of_pairs(self, values: np.ndarray) -> np.ndarray:
        """E values: sums over the paths of each pair."""
        return np.bincount(self.pair, values, len(self.demand))

    def scaled(self, flow: np.ndarray) -> np.ndarray:
        """The same with the sums that are asked for, from which round-off drifts."""
        return flow * (self.demand / self.of_pairs(flow))[self.pair]

    def cheapest(self, times: np.ndarray) -> np.ndarray:
        least = np.full(len(self.demand), np.inf)
        np.minimum.at(least, self.pair, times)
        return least

    def gap(self, flow: np.ndarray) -> float:
        load = self.paths.T @ flow
        costs = self.cost(load)
        times = self.paths @ costs
        return float((times - self.cheapest(times)[self.pair]) @ flow / (costs @ load))

    def start(self, flow: np.ndarray) -> _Point:
        """Every path carries something, and no slack is 0."""
        spread = (1 - INWARD) * flow + INWARD * (self.demand / self.number)[self.pair]
        times = self.paths @ self.cost(self.paths.T @ spread)
        least = self.cheapest(times)
        slack = times - (1 - SLACK) * least[self.pair]
        return _Point(spread, slack, (1 - SLACK) * least)

    def step(self, point: _Point) -> _Point:
        """One step of Mehrotra's predictor and corrector."""
        flow = np.maximum(point.flow, FLOOR * self.demand[self.pair])
        slack = np.maximum(point.slack, FLOOR * point.cheapest.max())
        point = _Point(flow, slack, point.cheapest)
        newton = _Newton(self, point)
        mean = flow @ slack / len(flow)
        ahead = newton.direction(0.0, 0.0)
        d_flow, d_slack, _ = ahead
        reached = (flow + _longest(flow, d_flow) * d_flow) @ (slack + _longest(slack, d_slack) * d_slack) / len(flow)
        d_flow, d_slack, d_cheapest = newton.direction((reached / mean) ** 3 * mean, d_flow * d_slack)
        length = min(1.0, BOUNDARY * min(_longest(flow, d_flow), _longest(slack, d_slack)))
        return _Point(flow + length * d_flow, slack + length * d_slack, point.cheapest + length * d_cheapest)


def _longest(values: np.ndarray, change: np.ndarray) -> float:
    """The longest step along which no value falls below 0, at most 1."""
    falls = change < 0
    return min(1.0, float(np.min(-values[falls] / change[falls], initial=np.inf)))


class _Newton:
    """The linear system at one point, factored once for predictor and corrector."""

    def __init__(self, system: _System, point: _Point) -> None:
        self.system, self.point, pair = system, point, system.pair
        load = system.paths.T @ point.flow
        times, slope = system.paths @ system.cost(load), system.slope(load)
        self.uneven = times - point.slack - point.cheapest[pair]  # A c - s - E' u
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

    def direction(self, target: float, second: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Changes of flows, slacks and cheapest times towards f s = target, less a term of second order."""
        flow, slack, _ = self.point
        pair, of_pairs = self.system.pair, self.system.of_pairs
        force = (target - second) / flow - slack - self.uneven
        common = of_pairs(self.weight * force) / self.total
        free = self.weight * (force - common[pair] + (self.missing / self.total)[pair])
        priced = self.root * scipy.linalg.cho_solve(self.factor, self.root * (self.links.T @ free), check_finite=False)
        d_flow = free - self.weight * (self.centred @ priced)
        d_cheapest = self.missing / self.total - common + self.mean @ priced
        d_slack = (target - second - flow * slack - slack * d_flow) / flow
        return d_flow, d_slack, d_cheapest
