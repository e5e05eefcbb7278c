"""Aiyagari's economy in discrete time, with savings on points of wealth, as lectures teach it."""

from __future__ import annotations

from mfgsolve.markets import CRRA, CobbDouglas, Economy, Firm, Households, Income, Market, Wealth
from mfgsolve.problems.registry import named

__all__ = ["aiyagari_lecture"]


@named(group="markets")
def aiyagari_lecture(
    *,
    points: int = 200,
    limit: float = 1e-10,
    highest: float = 20.0,
    low: float = 0.1,
    high: float = 1.0,
    stays: float = 0.9,
    gamma: float = 1.0,
    discount_factor: float = 0.96,
    share: float = 0.33,
    productivity: float = 1.0,
    depreciation: float = 0.05,
    labour: float = 1.0,
) -> Economy:
    """Savings are points of wealth, and no sure plan clears the market: households that are indifferent mix.

    As taught, the firm hires one unit of labour, whatever the households offer.

    Parameters
    ----------
    points : of wealth, equally far apart [1]
    limit : the borrowing limit, lowest wealth [wealth]
    highest : highest wealth of the points [wealth]
    low : labour of the poor [1]
    high : labour of the rich [1]
    stays : chance that labour stays as it is in the next period [1]
    gamma : relative risk aversion; 1 is the logarithm [1]
    discount_factor : beta, of a period [1]
    share : of capital in income [1]
    productivity : A of output A K^share L^(1 - share) [1]
    depreciation : of capital, a period [1]
    labour : that the firm hires [1]

    Source: Sargent and Stachurski, Quantitative Economics with Python, the lecture on the Aiyagari model; Aiyagari,
    Uninsured idiosyncratic risk and aggregate saving, Quarterly Journal of Economics 109 (1994), doi:10.2307/2118417.
    """
    income = Income([low, high], probabilities=[[stays, 1 - stays], [1 - stays, stays]])
    wealth = Wealth.uniform(limit, highest, points)
    households = Households(wealth, income, CRRA(gamma), discount_factor=discount_factor)
    return Economy(households, Market(), Firm(CobbDouglas(share, productivity), depreciation, labour))
