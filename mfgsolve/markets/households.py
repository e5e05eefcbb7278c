"""Households that save against bad income: what they have, earn, like, and how impatient they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, real, shown
from mfgsolve.markets.firm import Prices
from mfgsolve.markets.income import Income
from mfgsolve.markets.utility import CRRA, Utility
from mfgsolve.markets.wealth import Wealth

__all__ = ["Households"]


@dataclass(frozen=True, eq=False)
class Households:
    """Many alike households, each with a wealth a and an income z of its own.

    In continuous time, at prices (r, w), a household maximises

        E int_0^inf e^(-rho t) u(c_t) dt,    da = (w z + r a - c) dt,    a >= limit,    z jumps at its rates;

    in discrete time E sum beta^t u(c_t) with a' = w z + (1 + r) a - c.

    Parameters
    ----------
    wealth : a `Wealth`; its lowest point is the borrowing limit
    income : an `Income`; its rates (or probabilities) say which time it is
    utility : a `CRRA`, or anything with of, marginal, curvature and consumption
    discount_rate : rho > 0 per unit of time, in continuous time; or
    discount_factor : beta between 0 and 1, in discrete time

    Raises
    ------
    InputError
    """

    wealth: Wealth
    income: Income
    utility: Utility = field(default_factory=CRRA)
    discount_rate: float | None = None
    discount_factor: float | None = None

    def __post_init__(self) -> None:
        for name, kind, remedy in (
            ("wealth", Wealth, "mfg.Wealth.uniform(-0.15, 5, points=1000)"),
            ("income", Income, "mfg.Income([0.1, 0.2], rates=[1.2, 1.2])"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"{name} of the households is {shown(getattr(self, name))}; give {remedy}")
        if not all(callable(getattr(self.utility, name, None)) for name in ("of", "marginal", "consumption")):
            raise InputError(f"utility of the households is {shown(self.utility)}; give one, say mfg.CRRA(2)")
        needed, other = ("discount_rate", "discount_factor")[:: 1 if self.time == "continuous" else -1]
        if getattr(self, other) is not None:
            raise InputError(
                f"households got {other}, and their income moves in {self.time} time, by "
                f"{'rates' if self.time == 'continuous' else 'probabilities'}; give {needed}"
            )
        if getattr(self, needed) is None:
            raise InputError(f"households need {needed}, how impatient they are; say 0.05 a year (a factor of 0.95)")
        value = real(getattr(self, needed), f"{needed} of the households")
        if not (0 < value < (math.inf if needed == "discount_rate" else 1)):
            allowed = "a positive number" if needed == "discount_rate" else "a number between 0 and 1"
            raise InputError(f"{needed} of the households is {value:g}; {allowed} is needed")
        object.__setattr__(self, needed, value)

    @property
    def time(self) -> str:
        """ "continuous" or "discrete"."""
        return self.income.time

    @property
    def impatience(self) -> float:
        """The interest rate at and above which savings grow without end: rho, or 1 / beta - 1."""
        return self.discount_rate if self.discount_rate is not None else 1 / self._factor - 1

    @property
    def _factor(self) -> float:
        assert self.discount_factor is not None
        return self.discount_factor

    @property
    def shape(self) -> tuple[int, int]:
        """(incomes, wealth points), of values, policies and laws."""
        return self.income.count, self.wealth.count

    def earnings(self, prices: Prices) -> np.ndarray:
        """w z + r a, what a household has to spend per unit of time (incomes, wealth)."""
        return prices.w * self.income.levels[:, None] + prices.r * self.wealth.points

    def on(self, wealth: Wealth) -> Households:
        """The same households on other points of wealth."""
        return replace(self, wealth=wealth)

    def check(self, prices: Prices) -> None:
        """That households at these prices have a stationary law, and can pay the interest on what they owe.

        Raises
        ------
        InputError
            for an interest rate at or above the rate of impatience, and for a borrowing limit below the natural one
        """
        r, w = prices
        if not (math.isfinite(r) and math.isfinite(w) and w > 0):
            raise InputError(f"prices are r = {r:g} and w = {w:g}; finite numbers are needed, and a positive wage")
        if r >= self.impatience:
            own = "the discount rate" if self.time == "continuous" else "1 / discount_factor - 1"
            raise InputError(
                f"interest rate r = {r:g} is not below {own}, {self.impatience:g}: households would save without end, "
                "and have no stationary law; take a lower price, or more impatient households"
            )
        least = w * float(self.income.levels[0])
        if least + r * self.wealth.limit <= 0:
            raise InputError(
                f"borrowing limit {self.wealth.limit:g} lies below the natural one, {-least / r:.6g} = -w z / r at "
                f"r = {r:g}: whoever owes that much and earns the lowest income, {least:g}, cannot pay the interest; "
                "raise the limit, or the lowest income"
            )

    @property
    def stated(self) -> dict[str, Any]:
        """What makes them again, as plain values."""
        name = "discount_rate" if self.time == "continuous" else "discount_factor"
        own = f"a {type(self.utility).__name__} of one's own"
        utility = {"gamma": self.utility.gamma} if isinstance(self.utility, CRRA) else own
        return {
            "wealth": self.wealth.stated, "income": self.income.stated, "utility": utility,
            name: getattr(self, name),
        }  # fmt: skip
