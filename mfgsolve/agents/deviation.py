"""What one agent really gains by leaving the plan, by simulation: the exact regret seen from outside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

import mfgsolve
from mfgsolve.agents.play import Play, play_of
from mfgsolve.agents.price import price_among
from mfgsolve.agents.run import Party, run_replicas
from mfgsolve.agents.simulation import make_party, seed_sequence
from mfgsolve.errors import InputError, real, unknown, whole
from mfgsolve.files import SCHEMA
from mfgsolve.games import Policy
from mfgsolve.inputs.masses import ALIKE, check_unit_masses
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution

__all__ = ["simulate_deviation"]


def simulate_deviation(
    plan: Solution | Problem,
    agents: Any,
    replicas: int = 1000,
    *,
    deviation: Any = None,
    population: str | None = None,
    rng: Any = None,
    confidence: float = 0.99,
    policy: Any = None,
    problem: Problem | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Let one agent play another policy while the N - 1 others follow the plan, and once more the plan itself.

    Both runs of a replica use common random numbers: the agent starts in the same cell and draws the same uniform
    numbers at every step, and so do the others.  Unless the dynamics are coupled to the crowd, the others even walk
    the same paths.  The mean of the differences is an unbiased estimate of what the deviation gains.

    Parameters
    ----------
    plan, agents, rng, policy, problem, threads : see `mfgsolve.simulate`
    replicas : at least 2
    deviation : the policy of the one agent, as an array, a Dataset or a solution; None takes its exact best one against
        N - 1 others on the plan, whose gain is the regret of `mfgsolve.nash_gap`
    population : of the agent; needed if there are several
    confidence : of the intervals (Student's t)

    Returns
    -------
    xarray.Dataset
        ``plan_cost``, ``deviation_cost`` and ``gain`` (replica); ``mean_gain`` with ``gain_interval`` (end), and
        ``mean_cost`` of staying on the plan with ``cost_interval`` (end)

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.beach_bar())
    >>> tried = mfg.simulate_deviation(solution, agents=10, replicas=200, rng=0)
    >>> regret = float(mfg.nash_gap(solution, agents=[10]).regret[0])
    >>> bool(tried.gain_interval[0] <= regret <= tried.gain_interval[1])
    True
    """
    play = play_of(plan, policy, problem)
    check_unit_masses(play.game.grid, "simulate_deviation", ALIKE)
    if play.game.step.pays_by_crowd:
        raise InputError(
            "what moving costs depends on the crowd, and what one agent pays among finitely many others is not known: "
            "deviations cannot be compared; mfg.simulate moves agents by the exact law, without their costs"
        )
    count = whole(replicas, "replicas")
    if count < 2:
        raise InputError(f"replicas is {replicas}; at least 2 are needed for an interval")
    if not 0 < real(confidence, "confidence") < 1:
        raise InputError(f"confidence is {confidence}; a number between 0 and 1 is needed")
    owner = _owner(population, play)
    numbers = make_party(play, agents, tagged=1).agents
    if deviation is None:
        chosen = _best_answer(play, int(numbers[owner]))
    else:
        chosen = play.game.step.policy_from(getattr(deviation, "dataset", deviation))
    other = play.game.step.chain(_only_for(owner, chosen, play))
    seeds = seed_sequence(rng)
    entropy, first = seeds.entropy, seeds.n_children_spawned
    costs = []
    for chain in (None, other):
        again = np.random.SeedSequence(entropy, spawn_key=seeds.spawn_key, n_children_spawned=first)
        party = make_party(play, agents, tagged=1, deviation=chain)
        costs.append(_tagged_costs(party, owner, count, again, threads))
    return _dataset(play, np.array(costs), confidence, numbers, str(entropy))


def _owner(population: str | None, play: Play) -> int:
    names = play.populations
    if population is None:
        if names:
            raise InputError(f"the game has the populations {names}; say which one the agent is of: population=...")
        return 0
    if population not in names:
        raise InputError(unknown("population", population, names or ("none: the game has a single one",)))
    return names.index(population)


def _best_answer(play: Play, agents: int) -> Policy:
    """The best policy of one agent against agents - 1 others on the plan."""
    if play.game.problem.is_coupled:
        raise InputError(
            "the dynamics are coupled to the crowd, and the best answer among N agents is not known; give a deviation, "
            "say a solution of another game"
        )
    expected = price_among(play, agents)
    game = expected.game
    best = game.respond(expected.price, out=game.policy_buffer(expected.price))
    return game.policy_of(best.policy)


def _only_for(owner: int, chosen: Policy, play: Play) -> Policy:
    """The policy for one population, and the plan for the others."""
    step = play.game.step
    if not play.populations:
        return chosen
    plan = step.choices(play.policy)
    mixed = plan.copy().reshape(step.steps, step.actions, len(play.populations), -1)
    mixed[:, :, owner] = step.choices(chosen).reshape(mixed.shape)[:, :, owner]
    return step.policy_of(mixed.reshape(plan.shape))


def _tagged_costs(
    party: Party, owner: int, replicas: int, seeds: np.random.SeedSequence, threads: int | None
) -> np.ndarray:
    return np.array([run.tagged_cost[owner] for run in run_replicas(party, replicas, seeds, threads)])


def _interval(values: np.ndarray, confidence: float) -> np.ndarray:
    half = stats.t.ppf(0.5 + confidence / 2, values.size - 1) * values.std(ddof=1) / math.sqrt(values.size)
    return np.array([values.mean() - half, values.mean() + half])


def _dataset(play: Play, costs: np.ndarray, confidence: float, numbers: np.ndarray, seed: str) -> xr.Dataset:
    staying, leaving = costs
    gain, attrs = staying - leaving, {"units": "cost"}
    text = f"{confidence:.0%} interval of the mean"
    data: dict[str, Any] = {
        "plan_cost": ("replica", staying, attrs | {"long_name": "cost of the agent on the plan"}),
        "deviation_cost": ("replica", leaving, attrs | {"long_name": "cost of the agent that leaves it"}),
        "gain": ("replica", gain, attrs | {"long_name": "what leaving gained"}),
        "mean_gain": ((), gain.mean(), attrs | {"long_name": "mean gain"}),
        "gain_interval": ("end", _interval(gain, confidence), attrs | {"long_name": text}),
        "mean_cost": ((), staying.mean(), attrs | {"long_name": "mean cost on the plan"}),
        "cost_interval": ("end", _interval(staying, confidence), attrs | {"long_name": text}),
    }
    coordinates = {"replica": np.arange(staying.size), "end": ["low", "high"]}
    attributes = {
        "schema": SCHEMA, "kind": "deviation", "mfgsolve_version": mfgsolve.__version__, "seed": seed,
        "name": play.game.problem.name, "agents": numbers if play.populations else int(numbers[0]),
        "confidence": confidence,
    } | play.game.time.attrs  # fmt: skip
    return xr.Dataset(data, coordinates, attrs=attributes)
