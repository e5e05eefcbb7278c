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
PRICES = 24  # of it,
MORE = 6  # and of what is looked at besides,
FARTHER = 4  # times
LOWEST = 100.0  # rates of impatience below zero, where nobody looks any more
NEAREST = 1e-3  # to the ceiling that it looks, of what it looks over
HALVINGS = 60
CROWDED = 1e-3  # share of households at the highest wealth that would save more
WIDER = 12  # times that a bracket is moved where the own points of wealth put the zero outside


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
    """What households hold, and what there is, at many prices, on few points of wealth.

    Attributes
    ----------
    prices, held, demand : (prices,) each, prices increasing
    crowded : share of households at the highest wealth, at the highest price
    floor, ceiling : between which households have a law and can pay their interest, or the ends of a bracket
    """

    prices: np.ndarray
    held: np.ndarray
    demand: np.ndarray
    crowded: float
    floor: float
    ceiling: float

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

    def joined(self, other: Scan) -> Scan:
        """Both, in the order of prices; the other lies below or above."""
        low, high = (other, self) if other.prices[0] < self.prices[0] else (self, other)
        prices, held, demand = (
            np.concatenate([getattr(low, name), getattr(high, name)]) for name in ("prices", "held", "demand")
        )
        return Scan(prices, held, demand, high.crowded, self.floor, self.ceiling)


def scan(economy: Primitives) -> Scan:
    """Look at prices over the market's bracket; or at all that have a stationary law, farther below zero where
    households hold too much at all of them, and nearer to the ceiling where they hold too little.

    Raises
    ------
    InputError
        where no price clears the market, with what was seen
    """
    coarse = economy.on(economy.households.wealth.refined(min(COARSE, economy.households.wealth.count)))
    if economy.market.bracket is not None:
        floor, ceiling = economy.market.bracket
        seen = _seen(coarse, np.linspace(floor, ceiling, PRICES), floor, ceiling)
        _check_room(economy, seen)
    else:
        floor = -LOWEST * economy.households.impatience
        if economy.firm is not None:
            floor = max(floor, -economy.firm.depreciation * (1 - NEAREST))
        low = max(-economy.households.impatience, floor)
        ceiling = _ceiling(economy, low)
        seen = _seen(coarse, ceiling - (ceiling - low) * np.geomspace(1.0, NEAREST, PRICES), floor, ceiling)
        _check_room(economy, seen)
        for _ in range(FARTHER):
            if not seen.brackets:
                seen = _farther(coarse, seen)
    if not seen.brackets:
        raise InputError(_unmatched(economy, seen))
    return seen


def _farther(economy: Primitives, seen: Scan) -> Scan:
    """Lower prices besides, where too much is held at all, and ones nearer to the ceiling, where too little is."""
    low, high, ceiling = float(seen.prices[0]), float(seen.prices[-1]), seen.ceiling
    if seen.excess[0] > 0:
        lowest = max(ceiling - 4 * (ceiling - low), seen.floor)
        more = ceiling - (ceiling - low) * np.geomspace((ceiling - lowest) / (ceiling - low), 1.0, MORE)[:-1]
        more = more[more < low]
    else:
        more = ceiling - (ceiling - high) * np.geomspace(1.0, 1 / 16, MORE)[1:]
    try:
        return seen.joined(_seen(economy, more, seen.floor, ceiling)) if more.size else seen
    except Reducible:
        return seen


def _seen(economy: Primitives, prices: np.ndarray, floor: float, ceiling: float) -> Scan:
    """Prices that nobody stated are left out where households have several laws: on few points, near to the rate of
    impatience, the rich rest wherever they are."""
    excess, held, left_out, crowded = Excess(economy), dict[float, float](), None, math.nan
    for r in map(float, prices):
        try:
            response = excess.respond(r)
        except Reducible as error:
            if economy.market.bracket is not None:
                raise
            left_out = error
            continue
        held[r], crowded = response.wealth(economy.households), float(response.mass[:, -1].sum())
    if left_out is not None and not held:
        raise left_out
    demand = np.array([economy.demand(r) for r in held])
    return Scan(np.array([*held]), np.array([*held.values()]), demand, crowded, floor, ceiling)


def _ceiling(economy: Primitives, low: float) -> float:
    """The rate of impatience; or the least price at which whoever owes the most cannot pay the interest."""
    top = economy.households.impatience
    if _is_possible(economy, top * (1 - 1e-9)):
        return top
    economy.households.check(economy.prices(low))
    possible, not_so = low, top
    for _ in range(HALVINGS):
        middle = 0.5 * (possible + not_so)
        possible, not_so = (middle, not_so) if _is_possible(economy, middle) else (possible, middle)
    return possible - 1e-9 * (possible - low)


def _is_possible(economy: Primitives, r: float) -> bool:
    """Whether households at these prices have a law, and can pay."""
    try:
        economy.households.check(economy.prices(r))
    except InputError:
        return False
    return True


def _check_room(economy: Primitives, seen: Scan) -> None:
    """What there is lies between the borrowing limit, else any low price will do, and the highest wealth."""
    wealth, most, least = economy.households.wealth, float(seen.demand.max()), float(seen.demand.min())
    limit = wealth.limit
    if least >= wealth.highest:
        raise InputError(
            f"there is {least:.6g} of wealth at least, and the highest wealth is {wealth.highest:g}: nobody can hold "
            "as much; raise the highest wealth, or lower the supply"
        )
    if most <= limit:
        raise InputError(
            f"there is {most:.6g} of wealth at most, and the borrowing limit is {limit:g}: nobody can lend to anybody, "
            "and every price that is low enough leaves all at the limit; lower the limit, or raise the supply"
        )


def _unmatched(economy: Primitives, seen: Scan) -> str:
    limit, top = economy.households.wealth.limit, economy.households.wealth.highest
    less = seen.excess[0] > 0
    told = (
        f"no price clears the market between r = {seen.prices[0]:.6g} and {seen.prices[-1]:.6g}: households hold "
        f"{seen.held[0]:.6g} to {seen.held[-1]:.6g} of wealth, and there is {seen.demand[0]:.6g} to "
        f"{seen.demand[-1]:.6g}, always {'less' if less else 'more'}"
    )
    if economy.market.bracket is not None:
        return f"{told}; give the market a wider bracket, or leave it to be looked for"
    if less:
        return f"{told}; lower the borrowing limit ({limit:g}), or raise the supply"
    if seen.crowded > CROWDED:
        return f"{told}; {100 * seen.crowded:.2g} % sit at the highest wealth ({top:g}): raise it, or lower the supply"
    if seen.ceiling < economy.households.impatience:
        return (
            f"{told}, and above r = {seen.ceiling:.6g} the poorest cannot pay the interest on what they owe; raise the "
            f"borrowing limit ({limit:g}), or lower the supply"
        )
    return (
        f"{told}: below the rate of impatience, {seen.ceiling:g}, households have no reason to hold more; give incomes "
        "that vary more, more points of wealth, or a lower supply"
    )


def roots(excess: Excess, seen: Scan) -> list[tuple[float, float]]:
    """Every zero of the excess between neighbouring prices of a scan, as (low, high) that enclose it to round-off."""
    return [_root(excess, low, high, seen) for low, high in seen.brackets]


def _root(excess: Excess, low: float, high: float, seen: Scan) -> tuple[float, float]:
    known: dict[float, float] = {}

    def remembered(r: float) -> float:
        known[r] = known[r] if r in known else excess(r)
        return known[r]

    low, high = _enclosed(remembered, low, high, seen)
    if low == high:
        return low, high
    brentq(remembered, low, high, xtol=1e-300, rtol=4 * np.finfo(float).eps)
    rising = remembered(high) > 0
    inside = [(r, e) for r, e in known.items() if low <= r <= high]
    return max(r for r, e in inside if (e <= 0) == rising), min(r for r, e in inside if (e >= 0) == rising)


def _enclosed(excess: Callable[[float], float], low: float, high: float, seen: Scan) -> tuple[float, float]:
    """The bracket, widened within what was scanned, and towards the ceiling, until the excess changes its sign."""
    rising = bool(np.interp(high, seen.prices, seen.excess) >= 0)
    low, high = _with_law(excess, low, high), _with_law(excess, high, low)
    for _ in range(WIDER):
        at_low, at_high = excess(low), excess(high)
        if at_low == 0 or at_high == 0:
            return (low, low) if at_low == 0 else (high, high)
        if (at_low < 0) != (at_high < 0):
            return low, high
        step = 2 * (high - low)
        if (at_low < 0) == rising:
            low, high = high, _with_law(excess, min(high + step, 0.25 * high + 0.75 * seen.ceiling), high)
        else:
            low, high = _with_law(excess, max(low - step, 0.25 * low + 0.75 * seen.floor), low), low
    raise InputError(
        f"a change of sign was seen near r = {0.5 * (low + high):.6g} on few points of wealth, and there is none on "
        "those of the economy; give the market a bracket, or more points of wealth"
    )


def _with_law(excess: Callable[[float], float], r: float, other: float) -> float:
    """The price, moved by halves to another one until households have one law there."""
    for _ in range(HALVINGS):
        try:
            excess(r)
        except Reducible:
            r = 0.5 * (r + other)
        else:
            return r
    excess(r)
    return r
