"""Where no sure plan clears the market: households that are indifferent go on in both ways.

In discrete time what households hold jumps at prices where the best plan changes.  If it jumps over what there is, both
plans are best at that price, and some of those who are indifferent follow each: the plan

    (1 - share) pi_low + share pi_high

is best, too, and its law moves continuously with the share, so that the market clears at one.  The price is where both
plans are worth the same in the states in which they differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from mfgsolve.markets.discrete import DiscreteChain
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.response import Response

__all__ = ["Mixture", "mixed"]

NEAREST, FARTHEST = 4e-16, 1e-8  # of a price, that its best plans are looked for on either side


@dataclass(frozen=True, eq=False)
class Mixture:
    """A plan that clears the market, and who mixes.

    Attributes
    ----------
    response : the plan, its value and its law
    share : of those who are indifferent that follow the plan that is best at higher prices
    states : (income, wealth) of each state in which both differ
    """

    response: Response
    share: float
    states: tuple[tuple[float, float], ...]

    @property
    def sentence(self) -> str:
        """Who mixes."""
        some = "; ".join(f"wealth {a:.9g}, income {z:g}" for z, a in self.states[:3])
        return (
            f"No sure plan clears the market: households in {len(self.states)} "
            f"{'state' if len(self.states) == 1 else 'states'} ({some}{'; ...' * (len(self.states) > 3)}) are "
            f"indifferent, and {100 * self.share:.6g} % of them save as at higher prices."
        )


class _Jump:
    """What happens around a price at which households' wealth jumps over what there is."""

    def __init__(self, economy: Primitives, chain: DiscreteChain):
        self.economy, self.chain, self.points = economy, chain, economy.households.wealth.points

    def best(self, r: float) -> np.ndarray:
        return self.chain.best(self.economy.prices(r))[0]

    def excess(self, plan: np.ndarray, r: float) -> float:
        return float(self.chain.law(plan).sum(axis=0) @ self.points) - self.economy.demand(r)

    def sides(self, r: float) -> tuple[float, np.ndarray, np.ndarray] | None:
        """The least distance from r at which the plans on both sides enclose what there is, and these plans."""
        away = NEAREST * max(abs(r), self.economy.households.impatience)
        while away <= FARTHEST:
            low, high = self.best(r - away), self.best(r + away)
            if self.excess(low, r) * self.excess(high, r) < 0:
                return away, low, high
            away *= 4
        return None

    def indifferent(self, low: np.ndarray, high: np.ndarray, r: float, away: float) -> float:
        """The price near r at which both plans are worth the same where they differ."""
        where = (low != high).any(axis=2)

        def gained(price: float) -> float:
            prices = self.economy.prices(price)
            return float((self.chain.valued(high, prices) - self.chain.valued(low, prices))[where].sum())

        ends = r - 16 * away, r + 16 * away
        if not gained(ends[0]) < 0 < gained(ends[1]):
            return r
        return float(brentq(gained, *ends, xtol=1e-300, rtol=4 * np.finfo(float).eps))


def mixed(economy: Primitives, near: float) -> Mixture | None:
    """The mixture at the price next to one; None where wealth does not jump over what there is."""
    chain = DiscreteChain(economy.households)
    jump = _Jump(economy, chain)
    sides = jump.sides(near)
    if sides is None:
        return None
    away, low, high = sides
    r = jump.indifferent(low, high, near, away)
    share = float(brentq(
        lambda part: jump.excess(low + part * (high - low), r), 0.0, 1.0, xtol=1e-300, rtol=4 * np.finfo(float).eps
    ))  # fmt: skip
    plan, prices = low + share * (high - low), economy.prices(r)
    states = tuple(
        (float(economy.households.income.levels[j]), float(jump.points[i]))
        for j, i in np.argwhere((low != high).any(axis=2))
    )
    return Mixture(chain.response(plan, chain.valued(plan, prices), prices, 0), share, states)
