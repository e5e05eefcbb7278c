"""Firms that hire labour and rent capital at competitive prices: prices follow from the capital there is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from mfgsolve.errors import InputError, real, shown

__all__ = ["CobbDouglas", "Firm", "Prices", "Technology"]


class Prices(NamedTuple):
    """What households take as given: ``r`` pays r a per unit of time on wealth a, ``w`` pays w z on income z."""

    r: float
    w: float = 1.0


class Technology(Protocol):
    """Output of capital K and labour L, with constant returns to scale."""

    def output(self, capital: float, labour: float) -> float: ...

    def marginal(self, capital: float, labour: float) -> tuple[float, float]:
        """What one unit more of capital, and of labour, adds to output."""

    def capital(self, marginal: float, labour: float) -> float:
        """The capital at which one unit more adds this much."""


@dataclass(frozen=True)
class CobbDouglas:
    """Y = productivity K^share L^(1 - share).

    Parameters
    ----------
    share : of capital in income, between 0 and 1
    productivity : A > 0

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.CobbDouglas(share=0.5, productivity=2.0).output(4.0, 1.0)
    4.0
    """

    share: float = 1 / 3
    productivity: float = 1.0

    def __post_init__(self) -> None:
        for name in ("share", "productivity"):
            object.__setattr__(self, name, real(getattr(self, name), f"{name} of the technology"))
        if not 0 < self.share < 1:
            raise InputError(f"share of capital is {self.share:g}; a number between 0 and 1 is needed, say 1/3")
        if not (math.isfinite(self.productivity) and self.productivity > 0):
            raise InputError(f"productivity is {self.productivity:g}; a positive number is needed")

    def output(self, capital: float, labour: float) -> float:
        """Y."""
        return self.productivity * capital**self.share * labour ** (1 - self.share)

    def marginal(self, capital: float, labour: float) -> tuple[float, float]:
        """share Y / K and (1 - share) Y / L."""
        output = self.output(capital, labour)
        return self.share * output / capital, (1 - self.share) * output / labour

    def capital(self, marginal: float, labour: float) -> float:
        """K with share A (L / K)^(1 - share) = marginal."""
        return labour * (self.share * self.productivity / marginal) ** (1 / (1 - self.share))

    @property
    def stated(self) -> dict[str, Any]:
        return {"share": self.share, "productivity": self.productivity}


@dataclass(frozen=True)
class Firm:
    """A competitive firm: r = dY/dK - depreciation, w = dY/dL.

    Parameters
    ----------
    technology : a `CobbDouglas`, or anything with output, marginal and capital
    depreciation : of capital, per unit of time, at least 0
    labour : that it hires, where others than these households work, too; None is the labour of the households alone

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> firm = mfg.Firm(mfg.CobbDouglas(share=0.5, productivity=1.0), depreciation=0.1)
    >>> firm.capital(r=0.15, labour=1.0), firm.prices(4.0, 1.0)
    (4.0, Prices(r=0.15, w=1.0))
    """

    technology: Technology = field(default_factory=CobbDouglas)
    depreciation: float = 0.05
    labour: float | None = None

    def __post_init__(self) -> None:
        if not all(callable(getattr(self.technology, name, None)) for name in ("output", "marginal", "capital")):
            raise InputError(
                f"technology of the firm is {shown(self.technology)}; a technology is needed, say "
                "mfg.CobbDouglas(share=1/3)"
            )
        object.__setattr__(self, "depreciation", real(self.depreciation, "depreciation of the firm"))
        if not (math.isfinite(self.depreciation) and self.depreciation >= 0):
            raise InputError(f"depreciation of the firm is {self.depreciation:g}; a number of at least 0 is needed")
        if self.labour is not None:
            object.__setattr__(self, "labour", real(self.labour, "labour of the firm"))
            if not (math.isfinite(self.labour) and self.labour > 0):
                raise InputError(
                    f"labour of the firm is {self.labour:g}; a positive number is needed, or None for that of the "
                    "households"
                )

    def prices(self, capital: float, labour: float) -> Prices:
        """Prices at which the firm uses this capital and this labour."""
        of_capital, of_labour = self.technology.marginal(capital, labour)
        return Prices(of_capital - self.depreciation, of_labour)

    def capital(self, r: float, labour: float) -> float:
        """Capital that the firm rents at the interest rate r > -depreciation."""
        return self.technology.capital(r + self.depreciation, labour)
