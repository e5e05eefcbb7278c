"""The unknown of a transition, a path of one number for each step, and what clears it.

- With a firm it is capital K_k at the beginning of step k = 1, 2, ... (K_0 is there): prices r(K_k), w(K_k) are those
  of the shocked firm, and the excess is the wealth that households bring to step k, less bonds and K_k.
- Without one it is the interest rate r_k: the excess is the wealth that households take out of step k, less supply.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Self

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.jacobian import wealth_jacobian
from mfgsolve.markets.paths import Conditions
from mfgsolve.markets.response import Response
from mfgsolve.markets.shock import Shock

__all__ = ["PricePath"]

NUDGE = 1e-6  # relative, of differences that tell slopes of technology and supply


class PricePath:
    """What markets of an economy ask of a path, around its steady state.

    Attributes
    ----------
    rest : the path that stays in the steady state, to begin with
    jacobian : of the excess, at the steady state
    productivity, impatience : of each step; productivity relative to that of the steady state
    """

    def __init__(
        self, economy: Primitives, response: Response, time: TimeGrid, productivity: np.ndarray, impatience: np.ndarray
    ):
        self.economy, self.response, self.time = economy, response, time
        self.productivity, self.impatience = productivity, impatience
        self.held = response.wealth(economy.households)
        capital = self.held - economy.market.supplied(response.prices.r)
        self.rest = np.full(time.steps - economy.is_explicit, capital if economy.is_explicit else response.prices.r)
        self.first = capital
        if economy.is_explicit and time.steps < 2:
            raise InputError("a transition of a single step has no price left to find; give more steps")

    @classmethod
    def after(cls, shock: Shock, economy: Primitives, response: Response, time: TimeGrid) -> Self:
        """Of an economy that a shock hits in its steady state."""
        more, hurry = 1.0 + shock.path("productivity", time), 1.0 + shock.path("impatience", time)
        return cls(economy, response, time, more, economy.households.impatience * hurry)

    def longer(self) -> Self:
        """The same with steps twice as long."""
        time = replace(self.time, steps=self.time.steps // 2)
        return type(self)(self.economy, self.response, time, self.productivity[::2], self.impatience[::2])

    def capital(self, path: np.ndarray) -> np.ndarray:
        """Of the firm in each step; NaN without one."""
        return np.r_[self.first, path] if self.economy.is_explicit else np.full(path.shape, np.nan)

    def conditions(self, path: np.ndarray) -> Conditions:
        """Prices in each step that go with a path."""
        if not self.economy.is_explicit:
            return Conditions(path, self.productivity, self.impatience)
        assert self.economy.firm is not None
        firm, labour = self.economy.firm, self.economy.labour
        marginal = np.array([firm.technology.marginal(float(k), labour) for k in self.capital(path)])
        r, w = (self.productivity[:, None] * marginal).T
        return Conditions(r - firm.depreciation, w, self.impatience)

    def is_possible(self, path: np.ndarray) -> bool:
        """Whether the firm has capital in every step, and whoever owes the most can pay the interest."""
        if self.economy.is_explicit and not (path > 0).all():
            return False
        met, households = self.conditions(path), self.economy.households
        least = met.w * households.income.levels[0] + met.r * households.wealth.limit
        return bool(np.isfinite(path).all() and (least > 0).all())

    def excess(self, path: np.ndarray, held: np.ndarray) -> np.ndarray:
        """Of wealth ``held`` at the nodes, where the path promises something else."""
        r = self.conditions(path).r
        if self.economy.is_explicit:
            return held[1:-1] - self._supplied(r[1:]) - path
        return held[1:] - self._supplied(r)

    def _supplied(self, r: np.ndarray) -> np.ndarray:
        return np.array([self.economy.market.supplied(float(rate)) for rate in r])

    @cached_property
    def change(self) -> tuple[float, float]:
        """(dr, dw) that one unit of the unknown brings at rest."""
        if not self.economy.is_explicit:
            return 1.0, 0.0
        assert self.economy.firm is not None
        step, labour = NUDGE * self.first, self.economy.labour
        above, below = (self.economy.firm.prices(self.first + sign * step, labour) for sign in (1, -1))
        return (above.r - below.r) / (2 * step), (above.w - below.w) / (2 * step)

    @cached_property
    def jacobian(self) -> np.ndarray:
        time, r, (more, _) = self.time, self.response.prices.r, self.change
        wealth = wealth_jacobian(
            ContinuousChain(self.economy.households), self.response, time.horizon / time.steps, time.steps, self.change
        )
        step = NUDGE * self.economy.households.impatience
        market = self.economy.market
        bonds = (market.supplied(r + step) - market.supplied(r - step)) / (2 * step) * more
        if self.economy.is_explicit:
            return np.asarray(wealth[:-1, 1:] - (1.0 + bonds) * np.eye(time.steps - 1))
        return np.asarray(wealth - bonds * np.eye(time.steps))
