"""Exact regret of a plan among N agents: what one of them gains at most by leaving it.  No sampling.

While the N - 1 others follow the plan, one agent faces a fixed price (`mfgsolve.agents.price`), and its best answer is
one backward pass.  The regret is summed as in the performance-difference lemma (`mfgsolve.steps.excess`), so that
regrets far below the round-off of the cost are still meaningful.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.agents.play import Play, agent_list, play_of
from mfgsolve.agents.price import ExpectedPrice, mean_field_price, price_among
from mfgsolve.certificates import certify, relative
from mfgsolve.errors import InputError
from mfgsolve.inputs.masses import ALIKE, check_unit_masses
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution

__all__ = ["nash_gap"]


def nash_gap(
    solution: Solution | Problem, agents: int | Iterable[int], *, policy: Any = None, problem: Problem | None = None
) -> xr.Dataset:
    """Regret of a plan in the game of N agents, for each N: the most that one agent gains by leaving the plan.

    N agents (in every population) start independently from m_0 and follow the plan; a deviator may use any policy of
    time and its own state.  Its expected cost is that of a single agent who pays

        gamma^N_t(x) = E f_t(x, (1 + B) / (N volume)),   B ~ Binomial(N - 1, m_t(x)),

    the empirical density with itself in it.  Multipliers of hard bounds are paid as prices that stay as they are.

    Parameters
    ----------
    solution : what `mfgsolve.solve` or `mfgsolve.load` returns; or a problem, with ``policy``
    agents : a number of agents, or a list of them, each from 1 to 10^12, kept in their order
    policy : what everybody does instead of the plan; see `mfgsolve.exploitability`
    problem : the game of a solution that was loaded from a file and was made of Python functions

    Returns
    -------
    Dataset on ``agents`` (and ``population`` where there are several), all in units of cost but the second:

    - ``regret``: cost of an agent that follows the plan less the least cost it could have
    - ``relative_regret``: regret over the scale of the plan's certificate
    - ``cost``: expected cost of an agent in the game of N
    - ``cost_difference``: cost less the mean-field cost
    - ``regret_error``: bound on the error of ``regret`` by the binomial sums, 2 sum_t weight_t max_x |error of
      gamma_t|, where a sum errs by the probability left out (1e-16) times |f| at its ends, f taken as monotone there,
      and by no more than its estimates differ; see `mfgsolve.agents.binomial`.  0 where all is of closed form.
      Round-off comes on top

    and the attributes ``exploitability``, ``mean_field_cost`` and ``scale`` (sums over populations).  As N grows, the
    regret falls to the exploitability of the plan (where there are multipliers, less what bounds cost that do not
    bind): as 1/N^2 where the best answer is smooth in the price, as 1/N where it jumps, as 1/sqrt(N) where the price
    has a kink at the crowd; with few agents it may also rise.  Sums over costs of your own (`CustomCoupling`) take time
    like sqrt(N) where they bend at the crowd.

    Raises
    ------
    InputError
        for dynamics coupled to the crowd, a coupling that is neither local nor of closed form, a price that is not
        linear in its aggregate: there agents are not independent, or E f is not known; `mfgsolve.simulate` samples

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> plan = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05))
    >>> gap = mfg.nash_gap(plan, agents=[1, 100, 10_000])
    >>> bool(gap.regret[2] < 1e-3 * gap.regret[1])
    True

    Source: costs of counts as in Rosenthal, A class of games possessing pure-strategy Nash equilibria,
    doi:10.1007/BF01737559; the sum by Kakade and Langford, Approximately optimal approximate reinforcement learning,
    ICML 2002, Lemma 6.1
    """
    numbers = agent_list(agents)
    play = play_of(solution, policy, problem)
    game = play.game
    check_unit_masses(game.grid, "nash_gap", ALIKE)
    if game.problem.is_coupled:
        raise InputError(
            "the dynamics depend on the crowd, so that the agents of a finite game are not independent and the exact "
            "regret is not known; estimate it by sampling: mfg.simulate, mfg.simulate_deviation"
        )
    if game.step.pays_by_crowd:
        raise InputError(
            "what moving costs depends on the crowd, and among finitely many others it is not known exactly; "
            "mfg.simulate moves them by the exact law, without their costs"
        )
    certificate = certify(game, play.policy, play.crowd, multiplier=play.multiplier)
    _, limit, _ = _judged(play, mean_field_price(play))
    rows = [_judged(play, price_among(play, number)) for number in numbers]
    regret, cost, error = (np.array(values) for values in zip(*rows, strict=True))
    share = np.array([[relative(value, certificate.scale) for value in row] for row in regret])
    table = {
        "regret": (regret, "most that one agent gains by leaving the plan", "cost"),
        "relative_regret": (share, "regret / scale of the plan", "1"),
        "cost": (cost, "expected cost of an agent", "cost"),
        "cost_difference": (cost - limit, "expected cost less the mean-field cost", "cost"),
        "regret_error": (
            np.repeat(error[:, None], regret.shape[1], axis=1),
            "bound on the error of the regret",
            "cost",
        ),
    }
    names = play.populations
    dims = ("agents", "population") if names else ("agents",)
    coordinates: dict[str, Any] = {"agents": ("agents", np.array(numbers), {"units": "1", "long_name": "agents"})}
    if names:
        coordinates["population"] = ("population", np.array(names), {"units": "1"})
    data = {
        name: (dims, values if names else values[:, 0], {"long_name": text, "units": unit})
        for name, (values, text, unit) in table.items()
    }
    attributes = {
        "name": game.problem.name,
        "exploitability": certificate.exploitability,
        "mean_field_cost": float(limit.sum()),
        "scale": certificate.scale,
    } | game.time.attrs
    return xr.Dataset(data, coordinates, attrs=attributes)


def _judged(play: Play, expected: ExpectedPrice) -> tuple[np.ndarray, np.ndarray, float]:
    """Regret and cost of following the plan against a price, by population, and the bound on the regret's error."""
    game = expected.game
    mass = game.mass(play.crowd).reshape(-1, *game.step.shape)
    regret, value = game.step.excess(play.policy, mass, game.costs(expected.price))
    best = (game.initial_mass * value).reshape(regret.size, -1).sum(axis=1)
    return regret, best + regret, 2.0 * float(game.weights @ expected.error)
