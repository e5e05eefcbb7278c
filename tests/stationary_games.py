"""Games without a final time that several tests use."""

from __future__ import annotations

from typing import Any

import numpy as np

import mfgsolve as mfg
from mfgsolve.problems import bench_mfg_chain

TIMES = {
    "invariant": mfg.Discounted(factor=0.9),
    "ergodic": mfg.Ergodic(),
    "renewal": mfg.Discounted(factor=0.9, population="renewal"),
}


def chain(game: str, **parameters: Any) -> mfg.Problem:
    return bench_mfg_chain(game=game, **parameters)


def begun(time: Any, initial: Any) -> dict[str, Any]:
    """The initial density, where the times ask for one."""
    return {"initial": initial} if time.needs_initial else {}


def random_game(kind: str, rng: np.random.Generator, states: int = 3, temperature: float = 0.0) -> mfg.Problem:
    """Two actions, transitions that reach everything, own costs and a crowd that is averse to itself."""
    time = TIMES[kind]
    chances = rng.dirichlet(np.ones(states), size=(2, states))
    dynamics = mfg.Tabular(chances, cost=rng.normal(size=(2, states)), temperature=temperature)
    start = begun(time, rng.dirichlet(np.ones(states)))
    return mfg.Problem(mfg.States(states), time, dynamics, mfg.CrowdAversion(2.0), **start)


def two_populations(time: Any, temperature: float = 0.0) -> mfg.Problem:
    """Two kinds of agents on a line of five, each with a place of its own, who dislike each other."""
    place = np.arange(5)
    moves = [np.clip(place + move, 0, 4) for move in (-1, 0, 1)]
    chances = [0.9 * np.eye(5)[there] + 0.02 for there in moves]
    own = np.abs([[-1.0], [0.0], [1.0]])
    dynamics = [mfg.Tabular(chances, cost=c * own + np.zeros((3, 5)), temperature=temperature) for c in (0.5, 1.0)]
    space = mfg.Populations(["west", "east"], mfg.States(5))
    goals = mfg.RunningCost(np.stack([(place - 1.0) ** 2, (place - 3.0) ** 2]))
    crowd = mfg.Interaction(np.array([[4.0, 2.0], [2.0, 6.0]]), between="populations")
    return mfg.Problem(space, time, dynamics, crowd + goals, **begun(time, np.full((2, 5), 0.2)))
