"""The price at which households hold what there is to hold: looked for everywhere, then found to round-off.

Excess demand for wealth is E(r) = S(r) - D(r): mean wealth of households less capital and bonds.  Its zeros need not
be unique (S need not increase in r), so that a `scan` on few points of wealth comes first and tells every change of
sign; each is then found on the economy's own points by Brent's method.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from mfgsolve.errors import InputError
from mfgsolve.markets.chains import chain_of
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.response import Reducible, Response

__all__ = ["Excess", "Scan", "Trial", "roots", "scan"]

COARSE = 200  # points of wealth of the scan
PRICES = 24  # of it
NEAREST = 1e-3  # to the rate of impatience that it looks, of what it looks over
DEEPER = 3  # times that it looks four times as far below zero where all prices are too high
WIDER = 8  # times that a bracket is widened where the own points of wealth put the zero outside


@dataclass(frozen=True)
class Trial:
    """A price that was tried: the excess there, improvements of plans so far, and how far the price seems off, by the
    slope between the trials that lie farthest apart (NaN of the first); seconds so far."""

    number: int
    price: float
    excess: float
    improvements: int
    off: float
    seconds: float


class Excess:
    """E(r) of an economy; each call begins with the value of the last one, and is told to ``watch``.

    Attributes
    ----------
    response : of the last call
    trials : all calls
    """

    response: Response

    def __init__(self, economy: Primitives, watch: Callable[[Trial], Any] | None = None):
        self.economy, self.watch, self.chain = economy, watch, chain_of(economy.households)
        self.value: np.ndarray | None = None
        self.trials: list[Trial] = []
        self._begun = time.perf_counter()

    def respond(self, r: float) -> Response:
        """What households do at the prices that go with r."""
        response = self.chain.respond(self.economy.prices(r), self.value)
        self.value = response.value
        return response

    def __call__(self, r: float) -> float:
        response = self.response = self.respond(r)
        excess = response.wealth(self.economy.households) - self.economy.demand(r)
        before = self.trials[-1].improvements if self.trials else 0
        off = self._off(r, excess)
        self.trials.append(Trial(len(self.trials), r, excess, before + response.improvements, off, self.seconds))
        if self.watch is not None:
            self.watch(self.trials[-1])
        return excess

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.perf_counter() - self._begun

    def _off(self, r: float, excess: float) -> float:
        if not self.trials:
            return math.nan
        far = max(self.trials, key=lambda trial: abs(trial.price - r))
        return abs(excess * (far.price - r) / (far.excess - excess)) if far.excess != excess else math.nan


@dataclass(frozen=True, eq=False)
class Scan:
    """What households hold, and what there is, at many prices, on few points of wealth; (prices,) each."""

    prices: np.ndarray
    held: np.ndarray
    demand: np.ndarray

    @property
    def excess(self) -> np.ndarray:
        return self.held - self.demand

    @property
    def brackets(self) -> list[tuple[float, float]]:
        """Neighbouring prices between which the excess changes its sign."""
        above = self.excess >= 0
        changes = np.flatnonzero(above[1:] != above[:-1]).tolist()
        if self.excess[0] == 0 and 0 not in changes:
            changes = [0, *changes]
        return [(float(self.prices[k]), float(self.prices[k + 1])) for k in changes]


def scan(economy: Primitives) -> Scan:
    """Look at prices over the market's bracket, or all that have a stationary law.

    Raises
    ------
    InputError
        where no price clears the market, with what was seen
    """
    coarse = economy.on(economy.households.wealth.refined(min(COARSE, economy.households.wealth.count)))
    for prices in _candidates(economy):
        seen = _seen(coarse, prices)
        _check_room(economy, seen)
        if seen.brackets:
            return seen
    raise InputError(_unmatched(economy, seen))


def _seen(economy: Primitives, prices: np.ndarray) -> Scan:
    """Prices that nobody stated are left out where households have several laws: on few points, near to the rate of
    impatience, the rich rest wherever they are."""
    excess, held, left_out = Excess(economy), dict[float, float](), None
    for r in map(float, prices):
        try:
            held[r] = excess.respond(r).wealth(economy.households)
        except Reducible as error:
            if economy.market.bracket is not None:
                raise
            left_out = error
    if left_out is not None and len(held) < 2:
        raise left_out
    return Scan(np.array([*held]), np.array([*held.values()]), np.array([economy.demand(r) for r in held]))


def _candidates(economy: Primitives) -> list[np.ndarray]:
    """Prices to look at, a wider range each time; those of a stated bracket are all looked at, whatever they are."""
    top, bracket = economy.households.impatience, economy.market.bracket
    if bracket is not None:
        return [np.linspace(*bracket, PRICES)]
    lows = [-top * 4.0**k for k in range(DEEPER + 1)]
    if economy.firm is not None:
        lows = [max(lows[0], -economy.firm.depreciation * (1 - NEAREST)), -economy.firm.depreciation * (1 - NEAREST)]
    ranges = [top - (top - low) * np.geomspace(1.0, NEAREST, PRICES) for low in lows]
    possible = [np.array([r for r in prices if _is_possible(economy, float(r))]) for prices in ranges]
    if not any(prices.size > 1 for prices in possible):
        economy.households.check(economy.prices(float(ranges[0][-1])))
    return [prices for prices in possible if prices.size > 1]


def _is_possible(economy: Primitives, r: float) -> bool:
    """Whether whoever owes the most can pay the interest."""
    try:
        economy.households.check(economy.prices(r))
    except InputError:
        return False
    return True


def _check_room(economy: Primitives, seen: Scan) -> None:
    """Households hold at least the borrowing limit: what there is must be more, or any low price will do."""
    limit, most = economy.households.wealth.limit, float(seen.demand.max())
    if most <= limit:
        raise InputError(
            f"there is {most:.6g} of wealth at most, and the borrowing limit is {limit:g}: nobody can lend to anybody, "
            "and every price that is low enough leaves all at the limit; lower the limit, or raise the supply"
        )


def _unmatched(economy: Primitives, seen: Scan) -> str:
    low, high = seen.prices[0], seen.prices[-1]
    more = seen.excess[0] > 0
    told = (
        f"no price clears the market between r = {low:.6g} and {high:.6g}: households hold {seen.held[0]:.6g} to "
        f"{seen.held[-1]:.6g} of wealth, and there is {seen.demand[0]:.6g} to {seen.demand[-1]:.6g}, always "
        f"{'less' if more else 'more'}"
    )
    top = economy.households.wealth.highest
    if economy.market.bracket is not None:
        return f"{told}; give the market a wider bracket, or leave it to be looked for"
    if more:
        return f"{told}; lower the borrowing limit ({economy.households.wealth.limit:g}), or raise the supply"
    return f"{told}; raise the highest wealth ({top:g}), or lower the supply"


def roots(excess: Excess, seen: Scan) -> list[tuple[float, float]]:
    """Every zero of the excess between neighbouring prices of a scan, as (low, high) that enclose it to round-off."""
    return [_root(excess, low, high, seen) for low, high in seen.brackets]


def _root(excess: Excess, low: float, high: float, seen: Scan) -> tuple[float, float]:
    low, high = _enclosed(excess, low, high, float(seen.prices[0]), float(seen.prices[-1]))
    known: dict[float, float] = {}

    def remembered(r: float) -> float:
        known[r] = known[r] if r in known else excess(r)
        return known[r]

    if low == high:
        return low, high
    brentq(remembered, low, high, xtol=1e-300, rtol=4 * np.finfo(float).eps)
    rising = remembered(high) > 0
    below = [r for r, e in known.items() if (e <= 0) == rising]
    above = [r for r, e in known.items() if (e >= 0) == rising]
    return max(below), min(above)


def _enclosed(
    excess: Callable[[float], float], low: float, high: float, least: float, most: float
) -> tuple[float, float]:
    """The bracket, widened within what was scanned until the excess changes its sign in it."""
    at_low, at_high = excess(low), excess(high)
    for _ in range(WIDER):
        if at_low == 0 or at_high == 0:
            return (low, low) if at_low == 0 else (high, high)
        if (at_low < 0) != (at_high < 0):
            return low, high
        width = high - low
        if low > least:
            low = max(least, low - width)
            at_low = excess(low)
        if (at_low < 0) != (at_high < 0):
            return low, high
        if high < most:
            high = min(most, high + width)
            at_high = excess(high)
    raise InputError(
        f"a change of sign was seen between r = {low:.6g} and {high:.6g} on few points of wealth, and there is none on "
        "those of the economy; give the market a bracket, or more points of wealth"
    )
