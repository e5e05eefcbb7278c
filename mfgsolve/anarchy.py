"""How much selfishness costs: the equilibrium beside the social optimum of the same game."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from mfgsolve.certificates import exploitability
from mfgsolve.errors import InputError
from mfgsolve.problem import Problem
from mfgsolve.resolution import settle
from mfgsolve.solution import Solution
from mfgsolve.solving import solve

__all__ = ["Anarchy", "price_of_anarchy"]


@dataclass(frozen=True)
class Anarchy:
    """Result of `price_of_anarchy`.

    Attributes
    ----------
    ratio : cost at the equilibrium / cost at the social optimum.  It is at least 1 where costs are positive; where both
        are negative (rewards) it is at most 1, and NaN where they differ in sign or vanish
    difference : cost at the equilibrium - cost at the social optimum >= 0
    equilibrium, optimum : the two solutions
    """

    ratio: float
    difference: float
    equilibrium_cost: float
    optimal_cost: float
    equilibrium: Solution = field(repr=False)
    optimum: Solution = field(repr=False)

    def __float__(self) -> float:
        return self.ratio


def price_of_anarchy(problem: Problem, **options: Any) -> Anarchy:
    """Cost of an agent at the equilibrium over its cost at the social optimum, both certified.

    The social optimum minimises own cost + sum weight <f(m), m> + <g, m_T>; see ``solve(objective="social")``.  Its
    cost is exact to the tolerance.  That of the equilibrium may be known to the root of the tolerance only, where
    agents hardly care what they do and all together do: pass a smaller ``tol`` there.

    Parameters
    ----------
    problem : a potential game with local, linear or hard couplings
    options : of `mfgsolve.solve`, for both; no ``objective`` and no ``checkpoint``, which belong to one solve

    Raises
    ------
    InputError, NotConverged

    Examples
    --------
    >>> import numpy as np, mfgsolve as mfg
    >>> roads = mfg.Problem(  # Pigou: a road that always takes 1, beside one that takes the share of its users
    ...     grid=mfg.States(["home", "long", "short"]), time=mfg.TimeGrid(2, 2), initial=np.array([1.0, 0, 0]),
    ...     dynamics=mfg.Tabular([np.eye(3)[[1, 1, 1]], np.eye(3)[[2, 2, 2]]], temperature=1e-4),
    ...     coupling=mfg.CrowdAversion(lambda t, c: (t > 0) * (c.state == 2))
    ...     + mfg.RunningCost(lambda t, c: (t > 0) * (c.state == 1)))
    >>> round(mfg.price_of_anarchy(roads).ratio, 2)
    1.33
    """
    for name in ("objective", "checkpoint"):
        if name in options:
            raise InputError(f"price_of_anarchy got {name}, which is of one solve, and there are two: leave it out")
    problem = settle(problem) if isinstance(problem, Problem) else problem  # what is none, solve refuses
    optimum = solve(problem, objective="social", **options)  # first: what it refuses should not wait for the other
    equilibrium = solve(problem, **options)
    selfish, social = equilibrium.certificate.cost, optimum.certificate.potential
    if problem.is_hard:  # what agents pay for a bound that binds is no cost to all
        selfish = exploitability(problem.social(), equilibrium).potential
    ratio = selfish / social if selfish * social > 0 else math.nan
    return Anarchy(ratio, selfish - social, selfish, social, equilibrium, optimum)
