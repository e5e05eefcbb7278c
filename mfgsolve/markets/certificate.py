"""How good a plan and a price are, told by the plan itself: its law, what it is worth, and the best there is.

A plan, in continuous time, is the savings s(a, z): they alone decide who has how much, m Q_s = 0.  At prices (r, w) it
consumes w z + r a - s and is worth V_s.

- *regret* given the prices, rho <m, max V - V_s>, per unit of time: what a household gains at most by another plan,
  from where it is; never told as less than round-off of V.  Relative: over <m, u'(c) c>, the share of consumption for
  ever that is worth as much.
- *excess* of wealth, <m, a> less what there is at that price.  What it means for the price: with E(r) the excess of
  the best plans at r, the price is off by about |excess / E'(r)|.
- Where prices are explicit in an aggregate (a firm), a plan has prices of its own, those of the capital it saves, and
  its regret at *them* is the *exploitability* of a mean-field game: one number that is zero at equilibria alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.markets.chains import chain_of
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.firm import Prices

__all__ = ["MarketCertificate", "certify"]


@dataclass(frozen=True)
class MarketCertificate:
    """What was measured of a plan and a price; NaN is 'not measured'.

    Attributes
    ----------
    regret, relative_regret : given the price, utility per unit of time, and as a share of consumption
    excess, relative_excess : of wealth, mean; over the mean of |wealth| and what there is
    slope : E'(r), what a higher price adds to the excess
    price_error : |excess / slope|, by how much the price is off
    exploitability, relative_exploitability : regret at the prices that the plan's own capital makes; NaN where prices
        are implicit
    mass_error : |1 - sum m|, and how far m is from being invariant, as a share that moves per unit of time
    """

    regret: float = math.nan
    relative_regret: float = math.nan
    excess: float = math.nan
    relative_excess: float = math.nan
    slope: float = math.nan
    price_error: float = math.nan
    exploitability: float = math.nan
    relative_exploitability: float = math.nan
    mass_error: float = math.nan

    def __post_init__(self) -> None:
        for part in fields(self):
            object.__setattr__(self, part.name, float(getattr(self, part.name)))

    @classmethod
    def read(cls, attributes: Mapping[str, Any]) -> MarketCertificate:
        """What the attributes of a dataset say, where the exploitability is told as "own_exploitability"."""
        own = {f"own_{name}": name for name in ("exploitability", "relative_exploitability")}
        names = {part.name: part.name for part in fields(cls) if part.name not in own.values()} | own
        return cls(**{name: float(attributes.get(key, math.nan)) for key, name in names.items()})

    def worst(self, impatience: float) -> float:
        """What a tolerance is compared with: the larger of the relative regret (exploitability, where there is one)
        and the error of the price over the rate of impatience."""
        regret = self.relative_regret if math.isnan(self.relative_exploitability) else self.relative_exploitability
        return max(regret, self.price_error / impatience)


def certify(economy: Primitives, plan: np.ndarray, r: float, slope: float = math.nan) -> MarketCertificate:
    """The certificate of any plan at any price.

    Parameters
    ----------
    plan : as the chain takes one; in continuous time savings, the drift of wealth (incomes, wealth)
    r : interest rate
    slope : of the excess in r, where it is known

    Raises
    ------
    InputError
        for a plan that consumes nothing somewhere, or leaves the points of wealth
    """
    households, chain = economy.households, chain_of(economy.households)
    mass = chain.law(plan)
    held, wealth = float(mass.sum(axis=0) @ households.wealth.points), np.abs(households.wealth.points)
    demand = economy.demand(r)
    excess, scale = held - demand, float(mass.sum(axis=0) @ wealth) + abs(demand)
    regret, relative = _regret(economy, plan, mass, economy.prices(r))
    own = relative_own = math.nan
    if economy.firm is not None:
        capital = held - economy.market.supplied(r)
        if capital <= 0:
            raise InputError(
                f"the plan saves {held:.3g} of wealth, of which others owe {economy.market.supplied(r):.3g}: the firm "
                "has no capital, and there are no prices; give a plan that saves"
            )
        own, relative_own = _regret(economy, plan, mass, economy.firm.prices(capital, economy.labour))
    share, off = excess / scale if scale else math.nan, _shift(excess, slope)
    error = chain.law_error(plan, mass)
    return MarketCertificate(regret, relative, excess, share, slope, off, own, relative_own, error)


def _shift(excess: float, slope: float) -> float:
    """|excess / slope|, by how much a price is off."""
    return 0.0 if excess == 0 else (math.inf if slope == 0 else abs(excess / slope))


def _regret(economy: Primitives, plan: np.ndarray, mass: np.ndarray, prices: Prices) -> tuple[float, float]:
    """What is gained at most by another plan at these prices, per unit of time; and as a share of consumption."""
    households, chain = economy.households, chain_of(economy.households)
    value = chain.valued(plan, prices)
    best = np.maximum(chain.best(prices, value)[1], value)
    consumption = chain.consumption(plan, prices)
    gained, known = float((mass * (best - value)).sum()), float((mass * np.abs(value)).sum()) * np.finfo(float).eps
    regret = households.impatience * max(gained, known)
    return regret, regret / float((mass * households.utility.marginal(consumption) * consumption).sum())
