"""Aiyagari's economy after a fall of productivity that passes."""

from __future__ import annotations

import math

from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.markets import Shock, Transition
from mfgsolve.problems.aiyagari import aiyagari
from mfgsolve.problems.registry import named

__all__ = ["aiyagari_shock"]


@named(group="markets")
def aiyagari_shock(
    *,
    fall: float = 0.03,
    recovery: float = 0.2,
    horizon: float = 200.0,
    dt: float = 0.5,
    points: int = 501,
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
) -> Transition:
    """Productivity falls, and recovers: households live on their wealth, capital falls and is built up again.

    Parameters
    ----------
    fall : of productivity at t = 0, relative [1]
    recovery : rate at which the fall fades [1 / time]
    horizon : time at which the steady state is taken to be reached [time]
    dt : length of a step, of which a whole number makes the horizon [time]
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
    productivity : A of output A K^share L^(1 - share) at rest [1]
    depreciation : of capital [1 / time]

    Source: Achdou, Han, Lasry, Lions and Moll, Income and wealth distribution in macroeconomics, Review of Economic
    Studies 89 (2022), doi:10.1093/restud/rdab002; Auclert, Bardoczy, Rognlie and Straub, Using the sequence-space
    Jacobian to solve and estimate heterogeneous-agent models, Econometrica 89 (2021), doi:10.3982/ECTA17434.
    """
    steps = round(horizon / dt) if dt > 0 and 0 < horizon / dt < math.inf else 0
    if steps < 1 or not math.isclose(steps * dt, horizon, rel_tol=1e-9):
        raise InputError(
            f"aiyagari-shock has steps of {dt:g} and a horizon of {horizon:g}; a whole number of "
            f"steps must make the horizon, say {horizon / 400:g}"
        )
    economy = aiyagari(
        points=points, exponent=exponent, limit=limit, highest=highest, low=low, high=high, rate_up=rate_up,
        rate_down=rate_down, gamma=gamma, discount_rate=discount_rate, share=share, productivity=productivity,
        depreciation=depreciation,
    )  # fmt: skip
    return Transition(economy, Shock(productivity=-fall, recovery=recovery), TimeGrid(horizon, steps))
