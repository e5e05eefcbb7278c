"""Exact regret of a plan among N agents: what one of them gains at most by leaving it.  No sampling.

While the N - 1 others follow the plan, one agent faces a fixed price (`mfgsolve.agents.price`), and its best answer is
one backward pass.  The regret is summed as in the performance-difference lemma (Kakade and Langford 2002),

    regret = sum_t <m_t, sum_a pi_t (q_t + tau dt log pi_t) - V_t>,

q and V those of the best answer and m the flow of the plan pi.  No term is negative, so that regrets far below the
round-off of the cost are still meaningful.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.agents.play import Play, agent_list, play_of
from mfgsolve.agents.price import Paid, mean_field_price, price_among
from mfgsolve.certificates import certify, relative
from mfgsolve.errors import InputError
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution
from mfgsolve.steps.speed_policies import MovingPolicy, ValuePolicy
from mfgsolve.steps.table_policies import TINY, TablePolicy

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
    regret falls to the exploitability of the plan (where there are tolls, less what is paid for bounds that do not
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
    >>> plan = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=32))
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
    if game.problem.is_coupled:
        raise InputError(
            "the dynamics depend on the crowd, so that the agents of a finite game are not independent and the exact "
            "regret is not known; estimate it by sampling: mfg.simulate, mfg.simulate_deviation"
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
    }
    return xr.Dataset(data, coordinates, attrs=attributes)


def _judged(play: Play, paid: Paid) -> tuple[np.ndarray, np.ndarray, float]:
    """Regret and cost of following the plan against a price, by population, and the bound on the regret's error."""
    game = paid.game
    regret, best = _finite(play, paid) if game.has_tables else _diffusion(play, paid)
    return regret, best + regret, 2.0 * float(game.weights @ paid.error)


def _finite(play: Play, paid: Paid) -> tuple[np.ndarray, np.ndarray]:
    game, plan = paid.game, play.policy
    assert isinstance(plan, TablePolicy)
    best = game.respond(paid.price)
    _, q = game.evaluate(best.policy, paid.price)
    excess = np.zeros(game.states)
    for t in range(game.steps):
        gap = _excess(plan.probabilities[t], best.policy[t], q[t], float(game.entropy_cost[t]))
        excess += play.crowd[t, : game.states] * gap
    count = game.grid.populations
    return excess.reshape(count, -1).sum(axis=1), (game.initial_mass * best.value).reshape(count, -1).sum(axis=1)


def _excess(chosen: np.ndarray, best: np.ndarray, q: np.ndarray, tau: float) -> np.ndarray:
    """sum_a pi (q + tau log pi) less its minimum, at ``best``; (states,) from arrays (actions, states).

    With a temperature it is tau times the divergence sum pi log(pi / best) = sum pi (r + exp(-r) - 1), r = log(pi /
    best) from differences of q, plus the share of ``best`` in choices that pi leaves out.
    """
    taken = chosen > 0
    if tau == 0:
        least = np.where(best > 0, q, np.inf).min(axis=0)
        return np.asarray((chosen * np.where(taken, q - least, 0.0)).sum(axis=0))
    likely = np.argmax(best, axis=0)[None]  # its logarithm is exact enough to stand for the normalisation
    against = np.log(np.take_along_axis(best, likely, 0)) + (np.take_along_axis(q, likely, 0) - q) / tau
    r = np.where(taken, np.log(np.maximum(chosen, TINY)) - against, 0.0)
    return np.asarray(tau * np.where(taken, chosen * (r + np.expm1(-r)), best).sum(axis=0))


def _diffusion(play: Play, paid: Paid) -> tuple[np.ndarray, np.ndarray]:
    """Excess of speed s over the best b: (s - b) (c (s + b) / 2 - drop of the value), c (s - b)^2 / 2 below caps."""
    game, plan = paid.game, play.policy
    assert isinstance(plan, MovingPolicy)
    best = game.respond(paid.price, out=game.policy_buffer(paid.price))
    answer, total = ValuePolicy(best.policy), 0.0
    for nodes in game.slabs():
        ahead, mass = best.policy[nodes], play.crowd[nodes]
        half = 0.5 * game.scheme.control_cost[nodes].reshape(-1, 1, 1, 1)
        speed, fastest = plan.speed(game.step.mesh, nodes), answer.speed(game.step.mesh, nodes)
        for k, axis in enumerate(game.step.mesh.axes):
            for side, toward in enumerate((-1, 1)):
                s, b = speed[:, 2 * k + side], fastest[:, 2 * k + side]
                drop = (ahead - np.roll(ahead, toward, axis)) / game.scheme.distance(axis - 1, side)
                total += float((mass * (s - b) * (half * (s + b) - drop)).sum())
    return np.array([total * game.dt]), np.array([best.mean_value])
