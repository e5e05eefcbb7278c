"""Huggett's economy in continuous time: households lend to each other alone."""

from __future__ import annotations

from mfgsolve.markets import CRRA, Economy, Households, Income, Market, Wealth
from mfgsolve.problems.registry import named

__all__ = ["huggett"]


@named(group="markets")
def huggett(
    *,
    points: int = 1001,
    exponent: float = 2.0,
    limit: float = -0.15,
    highest: float = 5.0,
    low: float = 0.1,
    high: float = 0.2,
    rate_up: float = 1.2,
    rate_down: float = 1.2,
    gamma: float = 2.0,
    discount_rate: float = 0.05,
    supply: float = 0.0,
) -> Economy:
    """Households of uncertain income lend to each other; the interest rate makes debts equal savings.

    With exponent=1 points are the even ones of widely copied codes, whose price is off by 6 % at 1000 points.

    Parameters
    ----------
    points : of wealth [1]
    exponent : limit + (highest - limit) (i / n)^exponent are the points; 1 makes even ones [1]
    limit : the borrowing limit, lowest wealth [wealth]
    highest : highest wealth of the points [wealth]
    low : income of the poor [wealth / time]
    high : income of the rich [wealth / time]
    rate_up : at which low incomes become high [1 / time]
    rate_down : at which high incomes become low [1 / time]
    gamma : relative risk aversion; 1 is the logarithm [1]
    discount_rate : impatience rho [1 / time]
    supply : mean wealth that there is beside debts [wealth]

    Source: Huggett, The risk-free rate in heterogeneous-agent incomplete-insurance economies, Journal of Economic
    Dynamics and Control 17 (1993); Achdou, Han, Lasry, Lions and Moll, Income and wealth distribution in
    macroeconomics, Review of Economic Studies 89 (2022), doi:10.1093/restud/rdab002.
    """
    income = Income([low, high], rates=[rate_up, rate_down])
    wealth = Wealth.power(limit, highest, points, exponent)
    return Economy(Households(wealth, income, CRRA(gamma), discount_rate=discount_rate), Market(supply=supply))
