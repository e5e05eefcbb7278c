"""How much selfishness costs: the equilibrium beside the social optimum of the same game."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mfgsolve.certificates import exploitability
from mfgsolve.errors import InputError
from mfgsolve.problem import Problem
from mfgsolve.problemfile.by_name import other_statement, stated
from mfgsolve.resolution import settle
from mfgsolve.solution import Solution
from mfgsolve.solvers import own_options
from mfgsolve.solving import solve, solve_arguments
from mfgsolve.statements import Answer, Statement

__all__ = ["Anarchy", "price_of_anarchy"]


@dataclass(frozen=True)
class Anarchy:
    """Result of `price_of_anarchy`.

    Attributes
    ----------
    ratio : cost at the equilibrium / cost at the social optimum.  It is at least 1 where costs are positive; where both
        are negative (rewards) it is at most 1, and NaN where they differ in sign or vanish
    difference : cost at the equilibrium - cost at the social optimum >= 0
    guarantee : "bound" where the total cost is known to be convex and the optimum therefore one, to the tolerance;
        "stationary" where the best of some stationary plans was taken, so that the ratio is a lower bound (of costs)
    equilibrium, optimum : the two solutions
    """

    ratio: float
    difference: float
    equilibrium_cost: float
    optimal_cost: float
    equilibrium: Solution | Answer = field(repr=False)
    optimum: Solution | Answer = field(repr=False)
    guarantee: str = "bound"

    @property
    def sentence(self) -> str:
        """What the optimum is worth, in words."""
        if self.guarantee == "bound":
            return "The total cost is convex: the certificate bounds how far the optimum is from the least cost."
        return (
            "The total cost is not known to be convex: the optimum is the best of some stationary plans, and another "
            "plan may cost less."
        )

    def __float__(self) -> float:
        return self.ratio


def price_of_anarchy(problem: Problem | Statement[Any] | str, **options: Any) -> Anarchy:
    """Cost of an agent at the equilibrium over its cost at the social optimum, both certified.

    The social optimum minimises own cost + sum weight <f(m), m> + <g, m_T>; see ``solve(objective="social")``.  Its
    cost is exact to the tolerance where the total is known to be convex; where it is not, the optimum is the best of
    the stationary plans found from several starts (``guarantee`` says which).  That of the equilibrium may be known to
    the root of the tolerance only, where agents hardly care what they do and all together do: pass a smaller ``tol``
    there.

    Parameters
    ----------
    problem : a game whose couplings have derivatives, and whose transitions do not depend on the crowd; or a road
        network (see `mfgsolve.RoadNetwork`); or the name of one, whose parameters then stand among the options
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
    other, rest = other_statement(problem, options)
    if other is not None:
        return _of_other(other, rest)
    general = {name: options.pop(name) for name in solve_arguments() if name in options}
    own = partial(own_options, method=general.get("method"))
    left_out = dict.fromkeys(solve_arguments()) | {"start": general.get("start")}
    game, rest = stated(problem, options, left_out, own, "price_of_anarchy")
    return _of_game(game, general | rest)


def _of_game(problem: Problem, options: dict[str, Any]) -> Anarchy:
    """The same of a game."""
    problem = settle(problem)
    optimum = solve(problem, objective="social", **options)  # first: what it refuses should not wait for the other
    equilibrium = solve(problem, **options)
    guarantee = str(optimum.dataset.attrs["optimum"])
    if guarantee == "stationary":
        optimum = _best(problem, optimum, equilibrium, options)
    selfish, social = equilibrium.certificate.cost, optimum.certificate.potential
    if problem.is_hard:  # what agents pay for a bound that binds is no cost to all
        selfish = exploitability(problem.social(), equilibrium).potential
    ratio = selfish / social if selfish * social > 0 else math.nan
    return Anarchy(ratio, selfish - social, selfish, social, equilibrium, optimum, guarantee)


def _of_other(statement: Statement[Any], options: dict[str, Any]) -> Anarchy:
    """The same of a statement that is no game, whose social optimum is one."""
    optimum, equilibrium = (statement.solve(objective=one, **options) for one in ("social", "equilibrium"))
    ratio = equilibrium.cost / optimum.cost if equilibrium.cost * optimum.cost > 0 else math.nan
    difference = equilibrium.cost - optimum.cost
    return Anarchy(ratio, difference, equilibrium.cost, optimum.cost, equilibrium, optimum)


def _best(problem: Problem, found: Solution, equilibrium: Solution, options: dict[str, Any]) -> Solution:
    """The cheapest of the stationary plans that are found from here, from the equilibrium, and by going downhill."""
    tries: list[dict[str, Any]] = [{"start": equilibrium}]
    if "method" not in options:
        tries += [{"method": "frank-wolfe"}, {"method": "frank-wolfe", "start": equilibrium}]
    plans = [found]
    for more in tries:
        try:
            plans.append(solve(problem, objective="social", **{**options, **more, "check": "ignore"}))
        except InputError:  # not suited, or another start was asked for
            continue
    best = min(plan.potential for plan in plans)
    close = [plan for plan in plans if plan.potential <= best + 1e-9 * max(abs(best), plan.certificate.scale)]
    return min(close, key=lambda plan: plan.certificate.relative_exploitability)
