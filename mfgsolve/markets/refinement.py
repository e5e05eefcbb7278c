"""How far the price on points of wealth is from that of the continuous economy: the same on coarser points.

Upwind chains are off by C h + ..., in whole powers of h where points are smooth (see `Wealth.power`), so that
Richardson's rule on h, 2 h and 4 h leaves h^3.  The estimate is that of `mfgsolve.resolution.richardson` for the
price itself.  For the extrapolated one it is by how much the last step of the rule moved it, or a fourth of how much it
moved that of 2 h, 4 h and 8 h, where that is more: one step alone may be small by accident.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from mfgsolve.errors import InputError
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.wealth import FEWEST
from mfgsolve.resolution.richardson import error_of, observed_order

__all__ = ["PREFIX", "GridError", "coarser", "grid_error"]

PREFIX = "discretisation_"
LEVELS = 4  # the own points, and three coarser ones
POWERS = 3  # of the polynomial in h that is extrapolated, on as many of the finest
FORMAL = 1.0  # order of upwind differences
SHRINKS = 4.0  # times, the last step of the rule where h is halved


@dataclass(frozen=True)
class GridError:
    """Estimated distance of the price to the continuum; NaN is 'not measured'.

    Attributes
    ----------
    price : estimated error of the price
    order : observed, in the distance of points; NaN where fewer than three grids were solved
    extrapolated_price : by Richardson's rule from all grids
    extrapolated_price_error : estimated error of that
    obtained : from what, in words
    """

    price: float = math.nan
    order: float = math.nan
    extrapolated_price: float = math.nan
    extrapolated_price_error: float = math.nan
    obtained: str = "not measured"

    @property
    def is_measured(self) -> bool:
        return not math.isnan(self.price)

    @property
    def sentence(self) -> str:
        """What is known of the distance to the continuum."""
        if not self.is_measured:
            return f"The distance to the continuum: {self.obtained}."
        order = "" if math.isnan(self.order) else f", observed order {self.order:.2g}"
        return (
            f"Distance to the continuum: the price is off by about {self.price:.1e} ({self.obtained}{order}). "
            f"Extrapolated price {self.extrapolated_price:.9g}, off by about {self.extrapolated_price_error:.1e}."
        )

    @property
    def short(self) -> str:
        """For titles; empty where nothing is known."""
        return f"±{self.price:.1g} to the continuum" if self.is_measured else ""

    @property
    def facts(self) -> dict[str, float | str | None]:
        """All fields as JSON has them: None for what was not measured."""
        rows = asdict(self).items()
        return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in rows}

    @property
    def attributes(self) -> dict[str, float | str]:
        """For a dataset, flat: ``discretisation_price``, ..."""
        return {f"{PREFIX}{name}": value for name, value in asdict(self).items()}

    @classmethod
    def read(cls, attributes: Mapping[str, Any]) -> GridError:
        """What the attributes of a dataset say."""
        known = {part.name: attributes.get(f"{PREFIX}{part.name}") for part in fields(cls)}
        told: dict[str, Any] = {k: v if k == "obtained" else float(v) for k, v in known.items() if v is not None}
        return cls(**told)


def coarser(economy: Primitives) -> list[Primitives]:
    """The same economy on half as many intervals of wealth, a quarter, and an eighth, as far as there are enough."""
    intervals = economy.households.wealth.count - 1
    counts = [intervals // 2**k + 1 for k in range(1, LEVELS)]
    return [economy.on(economy.households.wealth.refined(count)) for count in counts if count >= 4 * FEWEST]


def grid_error(economy: Primitives, price: float, solve: Callable[[Primitives], float]) -> GridError:
    """Solve on coarser points, by ``solve`` from an economy to its price, and compare."""
    others = coarser(economy)
    if not others:
        return GridError(obtained=f"not measured, {economy.households.wealth.count} points have no coarser ones")
    prices, counts = [price], [economy.households.wealth.count]
    for other in others:
        try:
            prices.append(solve(other))
        except InputError:  # on so few points there is no equilibrium
            break
        counts.append(other.households.wealth.count)
    if len(prices) == 1:
        return GridError(
            obtained=f"not measured, no price clears the market on {others[0].households.wealth.count} points"
        )
    return estimated(prices, [1.0 / (count - 1.0) for count in counts])


def estimated(prices: Sequence[float], widths: Sequence[float]) -> GridError:
    """The estimate from prices on grids of these relative widths, the finest first."""
    first, second, third = [float(price) for price in (*prices, math.nan)][:3]
    counts, ratio = ", ".join(f"{round(1 / width) + 1}" for width in widths), widths[1] / widths[0]
    error = error_of(first, second, third, FORMAL, ratio)
    order = observed_order(first, second, third, FORMAL, ratio)
    steps = [_last_step(prices[k:], widths[k:]) / SHRINKS**k for k in range(2) if len(prices) >= POWERS + k] or [error]
    best = _to_zero(prices[:POWERS], widths[:POWERS])
    return GridError(error, order, best, max(steps), f"upwind, from {counts} points")


def _last_step(prices: Sequence[float], widths: Sequence[float]) -> float:
    """By how much the last of the powers moves the extrapolated price."""
    one_less = _to_zero(prices[: POWERS - 1], widths[: POWERS - 1])
    return abs(_to_zero(prices[:POWERS], widths[:POWERS]) - one_less)


def _to_zero(prices: Sequence[float], widths: Sequence[float]) -> float:
    """The polynomial through (width, price) at width 0, by Neville's rule."""
    table = [float(p) for p in prices]
    for k in range(1, len(table)):
        table = [
            (widths[i] * table[i + 1] - widths[i + k] * table[i]) / (widths[i] - widths[i + k])
            for i in range(len(table) - 1)
        ]
    return table[0]
