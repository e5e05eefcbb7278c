"""Where no sure plan clears the market: households that are indifferent go on in both ways.

In discrete time what households hold jumps at prices where the best plan changes.  If it jumps over what there is, both
plans are best at that price, and some of those who are indifferent follow each: the plan

    (1 - share) pi_low + share pi_high

is best, too, and its law moves continuously with the share, so that the market clears at one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from mfgsolve.markets.discrete import DiscreteChain
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.response import Response

__all__ = ["Mixture", "mixed"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """A plan that clears the market, and who mixes.

    Attributes
    ----------
    response : the plan, its value and its law
    share : of the plan that is best at higher prices, where both differ
    states : (income, wealth) of each state in which they do
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


def mixed(economy: Primitives, low: float, high: float) -> Mixture | None:
    """The mixture at the price low of neighbouring prices low <= high; None where their plans do not enclose what
    there is."""
    chain, households = DiscreteChain(economy.households), economy.households
    (first, value, count), (other, _, _) = (chain.best(economy.prices(r)) for r in (low, high))
    there, points, change = economy.demand(low), households.wealth.points, other - first

    def excess(share: float) -> float:
        return float(chain.law(first + share * change).sum(axis=0) @ points) - there

    ends = excess(0.0), excess(1.0)
    if not change.any() or ends[0] * ends[1] > 0:
        return None
    share = float(brentq(excess, 0.0, 1.0, xtol=1e-300, rtol=4 * np.finfo(float).eps))
    plan = first + share * change
    where = np.argwhere((change != 0).any(axis=2))
    states = tuple((float(households.income.levels[j]), float(points[i])) for j, i in where)
    return Mixture(chain.response(plan, value, economy.prices(low), count), share, states)
