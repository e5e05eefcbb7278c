"""Diffusion of tables: actor-critics of few states, which take plain gradient steps and meet after each.

With plain steps C = 11'/N is the centralised learner exactly: one table that moves by the mean of what all agents would
have it moved by.  All that is learned is judged by linear equations, see `mfgsolve.tasks.chains`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mfgsolve.kernels.diffusion import MEAN, NOBODY, diffuse
from mfgsolve.learners.diffusion.arms import ARMS, hears, upper_links
from mfgsolve.learners.diffusion.options import Options
from mfgsolve.parts.combine import Combine, disagreement
from mfgsolve.tasks.chains import TabularTasks
from mfgsolve.tasks.learner import STORED, TrainingState

__all__ = ["TableState", "combined_alone", "policies", "table_block", "table_returns", "table_start"]

STEPS = 200  # of every agent in an episode
WATCHED = 60  # first updates, after each of which the disagreement is measured
APART = 0.1  # deviation of the entries that agents begin with


@dataclass
class TableState(TrainingState):
    """What agents hold: ``held`` (arms, agents, states + states x actions), values and preferences; where they stand,
    ``place`` (arms, agents); and how far they were ``apart`` (arms, updates) at the very beginning."""

    held: np.ndarray = field(metadata=STORED)
    place: np.ndarray = field(metadata=STORED)
    apart: np.ndarray = field(metadata=STORED)


def table_start(task: TabularTasks, learner: Options) -> TableState:
    """Every agent begins with entries of its own, so that one sees how they come together."""
    size = task.states * (1 + task.actions)
    first = learner.stream(0, use=1).normal(0.0, APART, (task.tasks, size))
    held = np.broadcast_to(first, (len(ARMS), *first.shape)).copy()
    apart = np.zeros((len(ARMS), 1 + min(WATCHED, learner.episodes * STEPS)))
    apart[:, 0] = disagreement(first)
    return TableState(held, np.full((len(ARMS), task.tasks), task.start, dtype=np.int64), apart)


def table_block(task: TabularTasks, learner: Options, combine: Combine, state: TableState, episodes: range) -> None:
    """Train these episodes, in place."""
    tails, heads, share = upper_links(combine)
    model = (task.successor, task.chance, task.reward, task.ends, task.start, task.discount)
    for episode in episodes:
        words = learner.stream(episode).bit_generator.random_raw(8)
        for arm, listens in enumerate((hears(combine), NOBODY, MEAN)):
            walk = (
                state.held[arm], state.place[arm], *model, learner.critic, learner.actor, listens, tails, heads, share,
                combine.rounds, combine.failure, words[:4].copy(), words[4:].copy(),
            )  # fmt: skip
            watched = state.apart.shape[1] - 1 if episode == 0 else 0
            for k in range(watched):
                diffuse(*walk, 1)
                state.apart[arm, k + 1] = disagreement(state.held[arm])
            diffuse(*walk, STEPS - watched)
    state.agent_steps += len(ARMS) * task.tasks * STEPS * len(episodes)


def combined_alone(task: TabularTasks, learner: Options, combine: Combine) -> np.ndarray:
    """Disagreement (updates,) if agents only combined, from the same start: it falls by |lambda_2|^rounds at least."""
    state, rng = table_start(task, learner), learner.stream(0, use=2)
    held, apart = state.held[0], [state.apart[0, 0]]
    for _ in range(state.apart.shape[1] - 1):
        held = combine(held, rng)
        apart.append(disagreement(held))
    return np.array(apart)


def policies(task: TabularTasks, held: np.ndarray) -> np.ndarray:
    """Softmax of the preferences, (..., states, actions)."""
    wish = held[..., task.states :].reshape(*held.shape[:-1], task.states, task.actions)
    weight = np.exp(wish - wish.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def table_returns(task: TabularTasks, state: TableState) -> np.ndarray:
    """Exact discounted value from the start of every agent's policy on every task, (arms, agents, tasks)."""
    return task.returns(policies(task, state.held))
