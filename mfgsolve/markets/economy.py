"""What an economy is made of: households, a market that clears, and perhaps a firm.

Without a firm the price is *implicit*: it is whatever makes wealth equal its supply.  With one it is *explicit* in an
aggregate, capital K: r(K) and w(K) are what the firm pays.  `mfgsolve.markets.equilibrium` states and solves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from mfgsolve.errors import InputError, real, shown, unknown
from mfgsolve.inputs.calls import ask
from mfgsolve.markets.firm import Firm, Prices
from mfgsolve.markets.households import Households
from mfgsolve.markets.wealth import Wealth

__all__ = ["Market", "Primitives"]


@dataclass(frozen=True)
class Market:
    """What is traded at which price, and how much there is of it.

    Parameters
    ----------
    price : "r", the interest rate
    clears : "wealth", the mean wealth of households
    supply : of wealth by others than firms, say of bonds, a number or a function of r; 0 where households can lend to
        each other alone
    bracket : (low, high), interest rates between which the price is looked for; None looks from -rate of impatience
        (or less) to just below it

    Raises
    ------
    InputError
    """

    price: str = "r"
    clears: str = "wealth"
    supply: float | Callable[[float], float] = 0.0
    bracket: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.price != "r":
            raise InputError(unknown("price of the market", self.price, ["r"]))
        if self.clears != "wealth":
            raise InputError(unknown("quantity that the market clears", self.clears, ["wealth"]))
        if not callable(self.supply):
            object.__setattr__(self, "supply", real(self.supply, "supply of the market"))
            if not math.isfinite(self.supply):  # type: ignore[arg-type]
                raise InputError(f"supply of the market is {self.supply}; a finite number or a function of r is needed")
        if self.bracket is not None:
            pair = self.bracket
            if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
                raise InputError(f"bracket of the market is {shown(pair)}; two interest rates (low, high) are needed")
            low, high = (real(value, "end of the bracket of the market") for value in pair)
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise InputError(f"bracket of the market is {shown(pair)}; low must lie below high, both finite")
            object.__setattr__(self, "bracket", (low, high))

    def supplied(self, r: float) -> float:
        """Supply of wealth at an interest rate.

        Raises
        ------
        InputError
            where a function of one's own returns no finite number
        """
        if not callable(self.supply):
            return self.supply
        value = real(ask(self.supply, (r,), "supply of the market", "(r)"), "supply of the market")
        if not math.isfinite(value):
            raise InputError(f"supply of the market is {value} at r = {r:g}; a finite number is needed")
        return value


@dataclass(frozen=True, eq=False)
class Primitives:
    """Preferences, endowments, technology and market: what an economy is, and nothing of how it is solved.

    Parameters
    ----------
    households : `Households`
    market : `Market`
    firm : a `Firm`, which holds capital that households own; None for an endowment economy, in which w = 1 and
        incomes are as stated

    Raises
    ------
    InputError
    """

    households: Households
    market: Market = field(default_factory=Market)
    firm: Firm | None = None

    def __post_init__(self) -> None:
        for name, kind in (("households", Households), ("market", Market), ("firm", Firm)):
            value = getattr(self, name)
            if not (isinstance(value, kind) or (name == "firm" and value is None)):
                raise InputError(f"{name} of the economy is {shown(value)}; an mfg.{kind.__name__} is needed")

    @property
    def is_explicit(self) -> bool:
        """Whether prices follow from an aggregate, the capital of a firm."""
        return self.firm is not None

    @property
    def labour(self) -> float:
        """What the firm hires: mean labour of households, unless it states its own."""
        own = None if self.firm is None else self.firm.labour
        return self.households.income.mean if own is None else own

    def prices(self, r: float) -> Prices:
        """Prices with this interest rate: the wage is what a firm pays that rents capital at r."""
        if self.firm is None:
            return Prices(r)
        if r <= -self.firm.depreciation:
            raise InputError(
                f"interest rate r = {r:g} is not above -depreciation, {-self.firm.depreciation:g}: the firm would rent "
                "capital without end; take a higher price"
            )
        return self.firm.prices(self.firm.capital(r, self.labour), self.labour)

    def demand(self, r: float) -> float:
        """Wealth that is to be had at r: capital of the firm, and the supply of others."""
        capital = 0.0 if self.firm is None else self.firm.capital(r, self.labour)
        return capital + self.market.supplied(r)

    @property
    def stated(self) -> dict[str, Any]:
        """What it is made of, as plain values; functions and objects of one's own by their names."""
        supply = self.market.supply
        market: dict[str, Any] = {"supply": supply if not callable(supply) else _named(supply)}
        if self.market.bracket is not None:
            market["bracket"] = list(self.market.bracket)
        stated: dict[str, Any] = {"households": self.households.stated, "market": market}
        if self.firm is not None:
            technology = getattr(self.firm.technology, "stated", _named(self.firm.technology))
            stated["firm"] = {"technology": technology, "depreciation": self.firm.depreciation}
            if self.firm.labour is not None:
                stated["firm"]["labour"] = self.firm.labour
        return stated

    def on(self, wealth: Wealth) -> Self:
        """The same economy on other points of wealth."""
        return replace(self, households=self.households.on(wealth))


def _named(thing: object) -> str:
    return f"a {getattr(thing, '__name__', type(thing).__name__)} of one's own"
