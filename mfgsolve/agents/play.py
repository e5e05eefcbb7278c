"""A policy that all agents follow, in the arrays of its game: what the regret and the simulation both start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.certificates import in_steps_of
from mfgsolve.checkpoints import PYTHON_PROBLEM
from mfgsolve.errors import InputError, unknown
from mfgsolve.games import Game, Policy, make_game
from mfgsolve.games.multipliers import multiplier_from
from mfgsolve.inputs.labels import aligned
from mfgsolve.problem import Problem
from mfgsolve.problemfile import as_then, problem_from_toml, restated
from mfgsolve.scenarios import check_one_world
from mfgsolve.solution import Solution
from mfgsolve.spaces import Populations
from mfgsolve.stationary import check_final_time

__all__ = ["Play", "agent_list", "agent_numbers", "one_number", "play_of"]

MOST_AGENTS = 10**12
SAME = 1e-6  # total variation of two flows of one plan, the one of them from a file
ANOTHER = "state that game again, or play the plan in another one: (problem, policy=solution)"


@dataclass(frozen=True, eq=False)
class Play:
    """A game, the policy of everybody (speeds or probabilities), and the crowd of its mean-field limit.

    ``multiplier`` (shape of a price) are those of hard bounds, which agents pay as prices that stay; None without.
    """

    game: Game
    policy: Policy
    crowd: np.ndarray
    multiplier: np.ndarray | None

    @property
    def populations(self) -> tuple[str, ...]:
        """Names of the populations; a single one has none."""
        return tuple(self.game.grid.names) if isinstance(self.game.grid, Populations) else ()


def play_of(
    plan: Solution | Problem, policy: Any = None, problem: Problem | None = None, who: str = "playing by N agents"
) -> Play:
    """The plan of a solution, or another policy in its game.

    Parameters
    ----------
    plan : a solution; or a problem, and then ``policy`` is needed
    policy : what everybody does instead of the plan: speeds (step, move, ...), probabilities (step, action, ...) or the
        values (step, ...) that agents of the entropic step look ahead to, as an array, a Dataset, or a solution
    problem : the game of a solution that was loaded from a file and was made of Python functions
    who : what is done with it, for the sentence that refuses games without a final time
    """
    if not isinstance(plan, Solution | Problem):
        raise InputError(
            f"the plan is a {type(plan).__name__}; a Solution is needed (mfgsolve.load reads a file), or a Problem and "
            "a policy"
        )
    if problem is not None and not isinstance(problem, Problem):
        raise InputError(f"problem is a {type(problem).__name__}; a Problem is needed, the game of the plan")
    if isinstance(plan, Problem):
        if problem is not None:
            raise InputError("the plan is a problem already; leave problem= out")
        if policy is None:
            raise InputError("a problem alone says nothing of what agents do; solve it, or give a policy")
        stated = plan
    else:
        stated = stated_problem(plan) if problem is None else as_then(problem, _version(plan))
    check_final_time(stated.time, who, "agents begin somewhere, and are judged at the end")
    check_one_world(stated.grid, "playing the game by N agents")
    dataset, policy = getattr(plan, "dataset", None), getattr(policy, "dataset", policy)
    wanted = dataset if policy is None else policy
    game = make_game(in_steps_of(stated, wanted))
    chosen = game.step.policy_from(wanted)
    crowd = game.follow(chosen)
    if problem is not None and policy is None:
        _check_same(game, crowd, dataset)
    return Play(game, chosen, crowd, multiplier_from(game, policy if dataset is None else dataset))


def _check_same(game: Game, crowd: np.ndarray, dataset: Any) -> None:
    """Refuse a problem that is not the game of the solution: its crowd goes another way, or its rate is another one."""
    rate = float(dataset.attrs.get("discount", 0.0))
    if rate != game.time.discount:
        raise InputError(
            f"the problem given has the discount rate {game.time.discount:g}, and the solution was made with {rate:g}; "
            f"{ANOTHER}"
        )
    if "density" not in dataset:
        return
    density = aligned(dataset["density"], ("time", *game.grid.dims), {}, "density of the solution")
    mass = np.nan_to_num(np.asarray(density, dtype=float)) * game.grid.volumes
    played = game.mass(crowd) if game.grid.exits is None else np.where(game.grid.exits.cells, mass, game.mass(crowd))
    apart = 0.5 * float(np.abs(mass - played).reshape(len(mass), -1).sum(axis=1).max())  # of those who are inside
    if apart > SAME:
        raise InputError(
            f"the problem given is not the game of the solution: its agents follow the plan to other places "
            f"({apart:.2g} of the crowd at the worst time, in total variation); {ANOTHER}"
        )


def stated_problem(solution: Solution) -> Problem:
    """The problem that was solved, also from a file."""
    if solution.problem is not None:
        return solution.problem
    text = str(solution.dataset.attrs.get("problem", PYTHON_PROBLEM))
    if text == PYTHON_PROBLEM:
        raise InputError(
            "the solution is of a problem made of Python functions, which its file could not keep; state it again: "
            "problem=..."
        )
    return problem_from_toml(restated(text, _version(solution)), where=f"problem of the solution {solution.name}")


def _version(solution: Solution) -> str:
    """Of mfgsolve that made it."""
    return str(solution.dataset.attrs.get("mfgsolve_version", "unknown"))


def agent_numbers(agents: Any, play: Play) -> np.ndarray:
    """Number of agents in every population: one number for all, or one for each by name."""
    names = play.populations
    if isinstance(agents, dict) and not names:
        raise InputError(f"agents are given by population, {agents}; the game has a single one: give a number")
    if isinstance(agents, dict):
        for name in agents:
            if name not in names:
                raise InputError(unknown("population", name, names))
        missing = [name for name in names if name not in agents]
        if missing:
            raise InputError(f"agents of the populations {missing} are missing")
        numbers = [agents[name] for name in names]
    else:
        numbers = [agents] * max(1, len(names))
    return np.array([one_number(value) for value in numbers], dtype=np.int64)


def agent_list(agents: Any) -> list[int]:
    """Numbers of agents: one, or any sequence of them."""
    values = getattr(agents, "values", agents)
    if isinstance(values, str | bytes | dict):
        raise InputError(f"agents is {agents!r}; a number or a list of numbers such as [1, 100, 10_000] is needed")
    numbers = [one_number(value) for value in (values if np.iterable(values) else [values])]
    if not numbers:
        raise InputError("agents is an empty list; a list of numbers such as [1, 100, 10_000] is needed")
    return numbers


def one_number(value: Any) -> int:
    """A number of agents."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise InputError(f"agents is {value!r}; a whole number of at least 1 is needed")
    if not (1 <= value <= MOST_AGENTS and int(value) == value):
        raise InputError(f"agents is {value}; a whole number from 1 to {MOST_AGENTS:.0e} is needed")
    return int(value)
