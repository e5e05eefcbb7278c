"""Aiyagari's economy in continuous time: households own the capital of a firm."""

from __future__ import annotations

from mfgsolve.markets import CRRA, CobbDouglas, Economy, Firm, Households, Income, Market, Wealth
from mfgsolve.problems.registry import named

__all__ = ["aiyagari"]


@named(group="markets")
def aiyagari(
    *,
    points: int = 1001,
    exponent: float = 2.0,
    limit: float = 0.0,
    highest: float = 20.0,
    low: float = 1.0,
    high: float = 2.0,
    rate_up: float = 1 / 3,
    rate_down: float = 1 / 3,
    gamma: float = 2.0,
    discount_rate: float = 0.05,
    share: float = 1 / 3,
    productivity: float = 0.1,
    depreciation: float = 0.05,
) -> Economy:
    """Households of uncertain labour save in the capital of a firm, which pays interest and wages.

    Parameters
    ----------
    points : of wealth [1]
    exponent : limit + (highest - limit) (i / n)^exponent are the points; 1 makes even ones [1]
    limit : the borrowing limit, lowest wealth [wealth]
    highest : highest wealth of the points [wealth]
    low : labour of the poor [1]
    high : labour of the rich [1]
    rate_up : at which low labour becomes high [1 / time]
    rate_down : at which high labour becomes low [1 / time]
    gamma : relative risk aversion; 1 is the logarithm [1]
    discount_rate : impatience rho [1 / time]
    share : of capital in income [1]
    productivity : A of output A K^share L^(1 - share) [1]
    depreciation : of capital [1 / time]

    Source: Aiyagari, Uninsured idiosyncratic risk and aggregate saving, Quarterly Journal of Economics 109 (1994),
    doi:10.2307/2118417; Achdou, Han, Lasry, Lions and Moll, Income and wealth distribution in macroeconomics, Review
    of Economic Studies 89 (2022), doi:10.1093/restud/rdab002.
    """
    income = Income([low, high], rates=[rate_up, rate_down])
    wealth = Wealth.power(limit, highest, points, exponent)
    households = Households(wealth, income, CRRA(gamma), discount_rate=discount_rate)
    return Economy(households, Market(), Firm(CobbDouglas(share, productivity), depreciation))
