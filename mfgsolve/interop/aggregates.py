"""Prices in somebody else's game: a cost of a choice v(s, a) p(A), where A = sum v L is an aggregate of all choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebpts1

__all__ = ["AskedPrice", "SeriesPrice", "price_coupling"]

Ask = Callable[[int, np.ndarray], np.ndarray]
Change = Callable[[int, np.ndarray, np.ndarray], np.ndarray]

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(32)
DEGREE = 40


@dataclass(frozen=True, eq=False)
class AskedPrice:
    """p(t, A) = cost of one choice against a crowd with that aggregate, per amount; phi is its integral from 0."""

    ask: Ask
    change: Change
    amounts: np.ndarray  # (A, S)
    levels: int

    def _crowd(self, amount: float) -> np.ndarray:
        return np.asarray(self.amounts * (amount / (self.amounts**2).sum()))

    def _level(self, t: float) -> int:
        return min(round(t), self.levels - 1)

    @property
    def _choice(self) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(self.amounts)), self.amounts.shape))

    def derivative(self, t: float, amount: float) -> float:
        level, at = self._level(t), self._choice
        costs = self.ask(level, self._crowd(amount)) - self.ask(level, self._crowd(0.0))
        return float(costs[at] / self.amounts[at])

    def second(self, t: float, amount: float) -> float:
        at = self._choice
        return float(self.change(self._level(t), self._crowd(amount), self._crowd(1.0))[at] / self.amounts[at])

    def value(self, t: float, amount: float) -> float:
        prices = [self.derivative(t, amount * (0.5 + 0.5 * p)) for p in POINTS]
        return float(0.5 * amount * np.dot(WEIGHTS, prices))

    def smooth(self) -> Any:
        """The same as Chebyshev series on the aggregates that can occur, where those are exact to round-off."""
        low, high = float(self.amounts.min()), float(self.amounts.max())
        reach = low - 0.1 * (high - low), high + 0.1 * (high - low)
        probes = np.random.default_rng(0).uniform(*reach, 16)
        series = []
        for t in range(self.levels):
            nodes = 0.5 * (reach[0] + reach[1]) + 0.5 * (reach[1] - reach[0]) * chebpts1(DEGREE + 1)
            one = Chebyshev.fit(nodes, [self.derivative(t, a) for a in nodes], DEGREE, domain=list(reach))
            told = np.array([self.derivative(t, a) for a in probes])
            if not np.abs(one(probes) - told).max() <= 1e-13 * max(1.0, np.abs(told).max()):
                return self
            series.append(one)
        return SeriesPrice(self, series, reach)


class SeriesPrice:
    """A price by its Chebyshev series in A; outside their domain the peer is asked."""

    def __init__(self, asked: AskedPrice, series: list[Chebyshev], domain: tuple[float, float]):
        self.asked, self.domain, self.last = asked, domain, len(series) - 1
        self.prices = series
        self.integrals = [one.integ(lbnd=0.0) for one in series]
        self.slopes = [one.deriv() for one in series]

    def _at(self, name: str, series: list[Chebyshev], t: float, amount: float) -> float:
        if not self.domain[0] <= amount <= self.domain[1]:
            return float(getattr(self.asked, name)(t, amount))
        return float(series[min(round(t), self.last)](amount))

    def value(self, t: float, amount: float) -> float:
        return self._at("value", self.integrals, t, amount)

    def derivative(self, t: float, amount: float) -> float:
        return self._at("derivative", self.prices, t, amount)

    def second(self, t: float, amount: float) -> float:
        return self._at("second", self.slopes, t, amount)


def price_coupling(ask: Ask, change: Change, levels: Sequence[int], shape: tuple[int, int]) -> AskedPrice | None:
    """The price in a cost (level, occupation (A, S)) -> (A, S), or None where it has another form or falls in A.

    The derivative of such a cost is p'(A) v v^T: v is read off one column, and the form verified at other crowds.
    """
    rng = np.random.default_rng(3)
    crowds = [rng.dirichlet(np.ones(shape[0] * shape[1])).reshape(shape) for _ in range(4)]
    unit = np.zeros(shape)
    amounts = None
    for index in np.ndindex(*shape):
        unit[index] = 1.0
        column = change(levels[0], crowds[0], unit)
        unit[index] = 0.0
        if np.abs(column[index]) > 1e-9:
            amounts = column / column[index]
            amounts[np.abs(amounts) < 1e-12] = 0.0
            break
    if amounts is None:
        return None
    price = AskedPrice(ask, change, amounts, len(levels))
    for t in levels:
        free = ask(t, np.zeros(shape))
        for crowd in crowds:
            told, total = ask(t, crowd), float((amounts * crowd).sum())
            if np.abs(free + amounts * price.derivative(t, total) - told).max() > 1e-10 * max(1.0, np.abs(told).max()):
                return None
        ends = amounts.min(), amounts.max()
        if any(price.second(t, a) < 0 for a in np.linspace(*ends, 9)):
            return None
    return price
