"""What one can choose about diffusion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mfgsolve.errors import InputError, real, whole
from mfgsolve.tasks.learner import TaskLearner

__all__ = ["Options"]


@dataclass(frozen=True)
class Options(TaskLearner[Any]):
    """Parameters of diff-dac, checked.

    An *episode* is 200 steps of every agent on tables, and an update of 32 steps of every machine on control families.

    Parameters
    ----------
    graph : who hears whom: none, ring, grid, complete, small-world, random, or links "0-1, 1-2, 2-0"
    weights : "metropolis" or "uniform", see `mfgsolve.parts.combine.Combine`
    rounds : how often agents combine after a step
    failure : probability that a link is down
    connected : whether a graph that falls into parts is refused
    agents : how many, one for each task; 0 for as many as there are tasks
    episodes : how long they learn
    actor, critic : step sizes b and a of tables
    step : step size of Adam on networks at the beginning, it falls linearly to 0; 0 for what suits the family
    hidden : units of the hidden layer of either network
    machines : that each agent runs side by side
    entropy : weight of the entropy in the actor's objective
    seed : of all random numbers, a random graph included
    """

    graph: str = "ring"
    weights: str = "metropolis"
    rounds: int = 1
    failure: float = 0.0
    connected: bool = True
    agents: int = 0
    episodes: int = 500
    actor: float = 0.5
    critic: float = 0.1
    step: float = 0.0
    hidden: int = 32
    machines: int = 8
    entropy: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("agents", 0), ("episodes", 1), ("hidden", 1), ("machines", 1), ("seed", 0)):
            if whole(getattr(self, name), f"{name} of diff-dac") < least:
                raise InputError(f"{name} of diff-dac is {getattr(self, name)}; at least {least} is needed")
        for name in ("actor", "critic", "step", "entropy"):
            size, least = real(getattr(self, name), f"{name} of diff-dac"), name in ("step", "entropy")
            if not (size >= 0 if least else size > 0) or math.isinf(size):
                needed = "0 or more" if least else "more than 0"
                raise InputError(f"{name} of diff-dac is {size:g}; a finite number of {needed} is needed")
