"""Diffusion of networks: an advantage actor-critic for each agent, moved by Adam, combined after every update.

Adam scales the steps of each agent by that agent's own gradients before they are averaged, so that C = 11'/N is *not*
the centralised learner here: that one (the arm "centralised") is a single network, moved by Adam along the mean of all
gradients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mfgsolve.learners.diffusion.advantage import Recipe, gradients, played, returns
from mfgsolve.learners.diffusion.arms import ARMS, CENTRALISED, DIFFUSION
from mfgsolve.parts.combine import Combine
from mfgsolve.parts.functions import Adam
from mfgsolve.tasks.control import ControlFamily
from mfgsolve.tasks.learner import STORED, TrainingState

if TYPE_CHECKING:
    from mfgsolve.learners.diffusion.diff_dac import DiffDAC

__all__ = ["NetworkState", "network_block", "network_returns", "network_start", "recipe"]

STEPS = 32  # of every machine in an update
DISCOUNT, TRACE = 0.99, 0.95
JUDGED = 4  # whole episodes on every task


@dataclass
class NetworkState(TrainingState):
    """What agents hold: parameters ``held`` (arms, agents, size) and Adam's ``mean`` and ``square`` of their gradients;
    states of the ``machines`` (arms, agents, machines, d), whose episodes are ``age`` steps old."""

    held: np.ndarray = field(metadata=STORED)
    mean: np.ndarray = field(metadata=STORED)
    square: np.ndarray = field(metadata=STORED)
    machines: np.ndarray = field(metadata=STORED)
    age: np.ndarray = field(metadata=STORED)


def recipe(task: ControlFamily, learner: DiffDAC) -> Recipe:
    """Networks and constants of the updates."""
    ends = (task.observations, learner.hidden)
    return Recipe((*ends, task.actions), (*ends, 1), STEPS, DISCOUNT, TRACE, learner.entropy)


def network_start(task: ControlFamily, learner: DiffDAC) -> NetworkState:
    """All agents begin with the same parameters."""
    rng = learner.stream(0, use=1)
    arms, agents = len(ARMS), task.tasks
    first = recipe(task, learner).start(rng)
    held = np.broadcast_to(first, (arms, agents, first.size)).copy()
    points = rng.uniform(-1.0, 1.0, (agents, learner.machines, task.dimensions))
    machines = np.broadcast_to(task.started(points), (arms, *points.shape)).copy()
    age = np.zeros(machines.shape[:-1], dtype=np.int64)
    return NetworkState(held, np.zeros_like(held), np.zeros_like(held), machines, age)


def network_block(
    task: ControlFamily, learner: DiffDAC, combine: Combine, state: NetworkState, episodes: range
) -> None:
    """Train these updates, in place."""
    made, factors, shape = recipe(task, learner), task.factors[:, None, :], state.held.shape
    adam = Adam()
    adam.count, adam.means, adam.squares = episodes.start, [state.mean], [state.square]
    for episode in episodes:
        flat = state.held.reshape(-1, shape[-1])
        batch, state.machines, state.age = played(
            task, made, flat, state.machines, state.age, factors, learner.stream(episode)
        )
        slope = gradients(made, flat, batch).reshape(shape)
        slope[CENTRALISED] = slope[CENTRALISED].mean(axis=0)
        (state.held,) = adam.moved([state.held], [slope], learner.step * (1.0 - episode / learner.episodes))
        state.held[DIFFUSION] = combine(state.held[DIFFUSION], learner.stream(episode, use=2))
    state.agent_steps += int(state.age.size) * STEPS * len(episodes)


def network_returns(task: ControlFamily, learner: DiffDAC, state: NetworkState) -> np.ndarray:
    """Mean return of every agent on every task, (arms, agents, tasks), from the same starts each time."""
    arms, agents, size = state.held.shape
    found = returns(
        task, recipe(task, learner), state.held.reshape(-1, size), JUDGED, learner.stream(0, use=3)
    )
    return found.reshape(arms, agents, task.tasks)
