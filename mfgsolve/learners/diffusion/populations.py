"""Diffusion of networks: an advantage actor-critic for each agent, moved by Adam, combined after every update.

Adam scales the steps of each agent by that agent's own gradients before they are averaged, so that C = 11'/N is *not*
the centralised learner here: that one (the arm "centralised") is a single network, moved by Adam along the mean of all
gradients.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mfgsolve.learners.diffusion.advantage import Recipe, gradients, played, returns
from mfgsolve.learners.diffusion.arms import ARMS, CENTRALISED, DIFFUSION
from mfgsolve.learners.diffusion.options import Options
from mfgsolve.parts.combine import Combine
from mfgsolve.parts.functions import Adam
from mfgsolve.tasks.control import ControlFamily
from mfgsolve.tasks.learner import STORED, TrainingState

__all__ = ["NetworkState", "network_block", "network_returns", "network_start", "recipe"]

STEPS = 32  # of every machine in an update
TRACE = 0.95  # lambda of the advantages
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


def recipe(task: ControlFamily, learner: Options) -> Recipe:
    """Networks and constants of the updates."""
    ends = (task.observations, learner.hidden)
    return Recipe((*ends, task.actions), (*ends, 1), STEPS, task.discount, TRACE, learner.entropy)


def network_start(task: ControlFamily, learner: Options) -> NetworkState:
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
    task: ControlFamily, learner: Options, combine: Combine, state: NetworkState, episodes: range
) -> None:
    """Train these updates, in place."""
    made, factors, shape = recipe(task, learner), task.factors[:, None, :], state.held.shape
    adam, step = Adam(), learner.step or task.pace
    adam.count, adam.means, adam.squares = episodes.start, [state.mean], [state.square]
    for episode in episodes:
        flat = state.held.reshape(-1, shape[-1])
        batch, state.machines, state.age = played(
            task, made, flat, state.machines, state.age, factors, learner.stream(episode)
        )
        slope = gradients(made, flat, batch).reshape(shape)
        slope[CENTRALISED] = slope[CENTRALISED].mean(axis=0)
        (state.held,) = adam.moved([state.held], [slope], step * (1.0 - episode / learner.episodes))
        state.held[DIFFUSION] = combine(state.held[DIFFUSION], learner.stream(episode, use=2))
    state.agent_steps += int(state.age.size) * STEPS * len(episodes)


def network_returns(task: ControlFamily, learner: Options, state: NetworkState) -> np.ndarray:
    """Mean return of every agent on every task, (arms, agents, tasks), from the same starts each time."""
    arms, agents, size = state.held.shape
    each = np.concatenate([state.held[:CENTRALISED].reshape(-1, size), state.held[CENTRALISED, :1]])  # all alike there
    found = returns(task, recipe(task, learner), each, JUDGED, learner.stream(0, use=3))
    centre = np.broadcast_to(found[-1], (1, agents, task.tasks))
    return np.concatenate([found[:-1].reshape(arms - 1, agents, task.tasks), centre])
