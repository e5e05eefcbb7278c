"""How good a plan over time and a path of prices are, told by the plan itself.

A plan, savings s_k(a, z) of each step, decides who has how much when.  At given prices it is worth V^s_0.

- *regret* <m_0, max V_0 - V^s_0>, the present value of what households gain at most by another plan; relative to that
  of u'(c) c: the share of consumption that is worth as much.  After the last step both live in the steady state.
- *excess* of wealth, the largest over time, and by how much it puts an interest rate off (Newton's method).
- With a firm a plan has prices of its own, those of the capital it saves: regret at *them* is the *exploitability*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from mfgsolve.markets.paths import Conditions, Stepper
from mfgsolve.markets.price_paths import PricePath

__all__ = ["PathCertificate", "certify_path"]


@dataclass(frozen=True)
class PathCertificate:
    """What was measured; NaN is 'not measured'.

    Attributes
    ----------
    regret, relative_regret : at the given prices, present value of utility, and as a share of consumption
    excess, relative_excess : of wealth, largest over time; over the mean of |wealth| at rest
    price_error : by how much an interest rate is off at most
    exploitability, relative_exploitability : regret at the prices that the plan's own capital makes; NaN without a firm
    mass_error : largest |1 - sum m|
    """

    regret: float = math.nan
    relative_regret: float = math.nan
    excess: float = math.nan
    relative_excess: float = math.nan
    price_error: float = math.nan
    exploitability: float = math.nan
    relative_exploitability: float = math.nan
    mass_error: float = math.nan

    @classmethod
    def read(cls, attributes: Mapping[str, Any]) -> PathCertificate:
        """What the attributes of a dataset say, where the exploitability is told as "own_exploitability"."""
        own = {"exploitability": "own_exploitability", "relative_exploitability": "own_relative_exploitability"}
        names = [part.name for part in fields(cls)]
        return cls(**{name: float(attributes.get(own.get(name, name), math.nan)) for name in names})

    def worst(self, impatience: float) -> float:
        """What a tolerance is compared with: the larger of the relative regret (exploitability, where there is one)
        and the error of an interest rate over the rate of impatience."""
        regret = self.relative_regret if math.isnan(self.relative_exploitability) else self.relative_exploitability
        return max(regret, self.price_error / impatience)


def certify_path(
    prices: PricePath, stepper: Stepper, path: np.ndarray, plans: np.ndarray, masses: np.ndarray, excess: np.ndarray,
    price_error: float,
) -> PathCertificate:  # fmt: skip
    """The certificate of any plan, with its law, at any path.

    Raises
    ------
    InputError
        for a plan that consumes nothing somewhere, or leaves the points of wealth
    """
    points, largest = prices.economy.households.wealth.points, float(np.abs(excess).max())
    scale = float(masses[0].sum(axis=0) @ np.abs(points))
    regret, relative = _regret(prices, stepper, plans, masses, prices.conditions(path))
    own = relative_own = math.nan
    if prices.economy.is_explicit:  # capital of the plan, at the prices of which bonds are told
        saved = path + excess
        own, relative_own = _regret(prices, stepper, plans, masses, prices.conditions(saved))
    lost = float(np.abs(1.0 - masses.sum(axis=(1, 2))).max())
    return PathCertificate(regret, relative, largest, largest / scale, price_error, own, relative_own, lost)


def _regret(
    prices: PricePath, stepper: Stepper, plans: np.ndarray, masses: np.ndarray, met: Conditions
) -> tuple[float, float]:
    """What is gained at most by another plan; and as a share of consumption."""
    rest, first = prices.response, masses[0]
    worth = stepper.valued(plans, met, rest.value)[0]
    best = np.maximum(stepper.best(met, rest.value)[1][0], worth)
    known = float((first * np.abs(worth)).sum()) * np.finfo(float).eps
    gained = max(float((first * (best - worth)).sum()), known)
    return gained, gained / _consumed(prices, stepper, plans, masses, met)


def _consumed(prices: PricePath, stepper: Stepper, plans: np.ndarray, masses: np.ndarray, met: Conditions) -> float:
    """Present value of u'(c) c, for ever."""
    chain, utility, rest, total, left = stepper.chain, prices.economy.households.utility, prices.response, 0.0, 1.0
    for k, plan in enumerate(plans):
        spent = chain.consumption(plan, met.prices(k))
        left /= 1.0 + stepper.dt * met.impatience[k]
        total += stepper.dt * left * float((masses[k + 1] * utility.marginal(spent) * spent).sum())
    last = float((masses[-1] * utility.marginal(rest.consumption) * rest.consumption).sum())
    return total + left * last / prices.economy.households.impatience
