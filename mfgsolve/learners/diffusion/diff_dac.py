"""Diff-DAC: actor-critics of many agents, who learn similar tasks and diffuse what they hold over a graph.

Agent k sees its own task alone.  It adapts, then combines with its neighbours, after every step:

    v^_k = v_k + a delta_k grad V(x),   w^_k = w_k + b delta_k grad log pi(u | x),   delta_k = r + gamma V(x') - V(x)
    v_k  <-  sum_l c_kl v^_l,           w_k  <-  sum_l c_kl w^_l

with weights C as of `mfgsolve.parts.combine.Combine`.  Beside the agents of the graph learn as many who hear nobody
(C = I) and as many who are one (C = 11'/N), from the same start and with the same random numbers.

Source: Macua et al., Diff-DAC (2017), arXiv:1710.10363, and Fully distributed actor-critic architecture for multitask
deep reinforcement learning (2021), arXiv:2110.12306.  The idea with step sizes, networks and tasks of our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.kernels.diffusion import MEAN
from mfgsolve.learners.diffusion.arms import ARMS, DIFFUSION, graph_of_text, hears, upper_links
from mfgsolve.learners.diffusion.options import Options
from mfgsolve.learners.diffusion.populations import NetworkState, network_block, network_returns, network_start
from mfgsolve.learners.diffusion.tables import TableState, combined_alone, table_block, table_returns, table_start
from mfgsolve.parts.combine import Combine, disagreement
from mfgsolve.tasks.chains import TabularTasks
from mfgsolve.tasks.control import ControlFamily
from mfgsolve.tasks.learner import number, series
from mfgsolve.tasks.task import Task

__all__ = ["DiffDAC"]

JUDGED_EVERY = 10  # episodes
State = TableState | NetworkState


@dataclass(frozen=True)
class DiffDAC(Options):
    """See the module; parameters are those of `mfgsolve.learners.diffusion.options.Options`.

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> training = mfg.learn("slippery-chains", graph="ring", episodes=100)
    >>> training.numbers["mean_return"] > training.numbers["independent_return"]
    True
    """

    name = "diff-dac"
    source = "arXiv:1710.10363"
    picture = "diffusion"

    @property
    def episodes_of_block(self) -> int:
        return math.gcd(self.episodes, JUDGED_EVERY)

    @property
    def blocks(self) -> int:
        return self.episodes // self.episodes_of_block

    def refuses(self, task: Task) -> str | None:
        if not isinstance(task, TabularTasks | ControlFamily):
            return "it is neither a family of tables nor one of machines to be controlled"
        if self.agents not in (0, task.tasks):
            return (
                f"it has {task.tasks} tasks, and there are {self.agents} agents; one agent learns one task: take "
                f"{task.tasks} agents, or set its parameter tasks={self.agents}"
            )
        return None

    def combine(self, task: TabularTasks | ControlFamily) -> Combine:
        """Weights of the graph that was asked for."""
        return Combine(
            task.tasks, graph_of_text(self.graph, task.tasks), self.weights, self.rounds, self.failure, self.connected,
            self.seed,
        )  # fmt: skip

    def warnings(self, task: Task) -> tuple[tuple[str, str], ...]:
        if isinstance(task, ControlFamily) and hears(self.combine(task)) == MEAN:
            return (
                (
                    "adam-not-centralised",
                    "everybody hears everybody, but Adam has scaled the steps of each agent by its own gradients "
                    "before they are averaged: this is not the centralised learner",
                ),
            )
        return ()

    def init(self, task: Task) -> State:
        self.combine(_known(task))  # says what is wrong with the graph before anything is learned
        if isinstance(task, TabularTasks):
            return table_start(task, self)
        return network_start(_machines(task), self)

    def advance(self, task: Task, state: State) -> xr.Dataset:
        combine, many = self.combine(_known(task)), self.episodes_of_block
        episodes = range(state.block * many, (state.block + 1) * many)
        if isinstance(state, TableState):
            assert isinstance(task, TabularTasks)
            table_block(task, self, combine, state, episodes)
            judged, unit = table_returns(task, state), "exact discounted return from the start"
        else:
            network_block(_machines(task), self, combine, state, episodes)
            judged, unit = network_returns(_machines(task), self, state), "return of an episode"
        apart = [disagreement(held) for held in state.held]
        return xr.Dataset(
            {
                "task_return": series(unit, "reward", judged, ("arm", "agent", "task")),
                "arm_disagreement": series("disagreement of the agents", "1", apart, ("arm",)),
            },
            {"arm": list(ARMS)},
        )

    def finish(self, task: Task, state: State, history: xr.Dataset) -> xr.Dataset:
        combine = self.combine(_known(task))
        results = _numbers(history, task, combine)
        tails, heads, share = upper_links(combine)
        held = state.held[DIFFUSION]
        own = np.linalg.norm(held - held.mean(axis=0), axis=-1)
        results["agent_disagreement"] = series("distance of an agent from the mean of all", "1", own, ("agent",))
        results["link"] = series(
            "agents at the ends of a link", "1", np.stack([tails, heads], axis=1), ("links", "end")
        )
        results["link_weight"] = series("weight of a link", "1", share, ("links",))
        if isinstance(task, TabularTasks) and isinstance(state, TableState) and state.block:
            alone = combined_alone(task, self, combine)
            results["early_disagreement"] = series("disagreement of the agents", "1", state.apart, ("arm", "update"))
            results["combined_alone"] = series("disagreement if agents only combined", "1", alone, ("update",))
        return results


def _numbers(history: xr.Dataset, task: Any, combine: Combine) -> xr.Dataset:
    """What is told first."""
    shape = (len(ARMS), task.tasks, task.tasks)
    learned = history["task_return"].values[-1] if "task_return" in history else np.full(shape, np.nan)
    apart = history["arm_disagreement"].values[-1] if "arm_disagreement" in history else np.full(len(ARMS), np.nan)
    mine, alone, centre = learned
    numbers = {
        "mean_return": ("return on all tasks", "reward", mine.mean()),
        "own_return": ("return on an agent's own task", "reward", np.diagonal(mine).mean()),
        "return_spread": ("deviation over agents of the return on all tasks", "reward", mine.mean(axis=1).std()),
        "independent_return": ("return on all tasks of independent agents", "reward", alone.mean()),
        "centralised_return": ("return on all tasks of a centralised learner", "reward", centre.mean()),
        "disagreement": ("disagreement of the agents at the end", "1", apart[DIFFUSION]),
        "second_eigenvalue": ("second eigenvalue of the weights, in modulus", "1", combine.second_eigenvalue),
        "lowest_return": ("lowest return of an agent on all tasks", "reward", mine.mean(axis=1).min()),
        "independent_own_return": ("return on their own task of independent agents", "reward",
                                   np.diagonal(alone).mean()),
        "independent_spread": ("deviation over independent agents", "reward", alone.mean(axis=1).std()),
    }  # fmt: skip
    return xr.Dataset({name: number(text, unit, float(value)) for name, (text, unit, value) in numbers.items()})


def _known(task: Task) -> TabularTasks | ControlFamily:
    assert isinstance(task, TabularTasks | ControlFamily)  # or it was refused
    return task


def _machines(task: Task) -> ControlFamily:
    assert isinstance(task, ControlFamily)
    return task
