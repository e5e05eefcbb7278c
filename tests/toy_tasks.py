"""A task small enough to know by heart, and its learner: several agents estimate the mean of a coin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

import mfgsolve as mfg
from mfgsolve import methods
from mfgsolve.tasks.learner import STORED, TaskLearner, TrainingState, number, series
from mfgsolve.tasks.task import Task


@dataclass(frozen=True)
class Coin(Task):
    """A coin that shows 1 with a probability."""

    bias: float = 0.5
    name = "coin"
    source = "none"
    summary = "Agents estimate the mean of a coin."
    learner = "mean"


@dataclass
class Means(TrainingState):
    total: np.ndarray = field(metadata=STORED)


@dataclass(frozen=True)
class Mean(TaskLearner[Means]):
    """The mean of what each agent has seen."""

    agents: int = 3
    episodes: int = 20
    block: int = 5
    fair: bool = False
    seed: int = 0
    name = "mean"
    source = "none"

    @property
    def blocks(self) -> int:
        return self.episodes // self.block

    @property
    def episodes_of_block(self) -> int:
        return self.block

    def refuses(self, task: Task) -> str | None:
        return None if isinstance(task, Coin) else "it is no coin"

    def init(self, task: Task) -> Means:
        return Means(np.zeros(self.agents))

    def advance(self, task: Coin, state: Means) -> xr.Dataset:
        state.total += (self.stream(state.block).random((self.block, self.agents)) < task.bias).sum(axis=0)
        state.agent_steps += self.block * self.agents
        mean = state.total / ((state.block + 1) * self.block)
        return xr.Dataset({"mean": series("mean seen", "1", mean, ("agent",))})

    def finish(self, task: Coin, state: Means, history: xr.Dataset) -> xr.Dataset:
        error = abs(history["mean"].values[-1].mean() - task.bias) if state.block else np.nan
        return xr.Dataset({"error": number("error of the mean", "1", error)})

    def warnings(self, task: Coin) -> tuple[tuple[str, str], ...]:
        return (("unfair", f"the coin has a bias of {task.bias}"),) if task.bias != 0.5 else ()


@contextmanager
def listed() -> Iterator[None]:
    """Both on their boards."""
    mfg.register("coin", Coin)
    mfg.register("mean", Mean)
    try:
        yield
    finally:
        del methods.TASKS.homes["coin"], methods.TASK_LEARNERS.homes["mean"]
