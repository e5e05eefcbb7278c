"""What tabular learners on a graph know, and what happened while they played."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.solution import Status
from mfgsolve.stages.types import Coding

__all__ = ["Memory", "Record"]


@dataclass(eq=False)
class Memory:
    """What a learner knows; `MultiType.start` makes it, `MultiType.play` and `MultiType.learn` change it.

    q : values (tables, states, cells, actions)
    preferences : theta of an actor, of the same shape; q itself without an actor
    visits : how often an entry was updated (empty where the step size is constant)
    tables : table of every learner of the game
    types : type of every agent, as the learner sees it
    coding : how counts per type become cells
    actions : last action of every agent
    stages : number played
    stream : state of the random numbers
    """

    q: np.ndarray
    preferences: np.ndarray
    visits: np.ndarray
    tables: np.ndarray
    types: np.ndarray
    coding: Coding
    actions: np.ndarray
    stages: int
    stream: np.ndarray

    def rows(self, tables: Any, states: Any, cells: Any) -> np.ndarray:
        """Rows of the flat table (rows, actions)."""
        return np.ravel_multi_index((tables, states, cells), self.q.shape[:3]).astype(np.int64)

    def kept(self) -> Memory:
        q = self.q.copy()
        theta = q if self.preferences is self.q else self.preferences.copy()
        return replace(self, q=q, preferences=theta, visits=self.visits.copy(), actions=self.actions.copy())

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.q).all() and np.isfinite(self.preferences).all())

    def check(self, rows: np.ndarray, ends: int = 0) -> None:
        """Refuse rows outside the table; -1 for an end is allowed where ``ends`` is -1."""
        if rows.dtype != np.int64 or (rows.size and not (ends <= rows.min() and rows.max() < self.q[..., 0].size)):
            raise InputError(
                f"rows are {rows.dtype}, or lie outside the table; int64 as Memory.rows makes them is needed"
            )


@dataclass(frozen=True, eq=False)
class Record:
    """What happened in some stages.

    status : ITERATION_LIMIT (all stages were played), or NON_FINITE (values diverged: the memory is that of the last
        block of stages in which all were finite, and rewards of the stages after it are NaN)
    reward : mean over the learners that acted, per stage (stages,); NaN where nobody acted
    mean_reward : of every learner over the stages in which it acted, (learners,)
    counts : agents of every group at every action, (stages, groups, actions); 0 in stages that were not played
    agreement : adjusted Rand index of discovered types with the game's own, after every window; empty without
    agent_steps : actions taken by learners
    """

    status: Status
    reward: np.ndarray
    mean_reward: np.ndarray
    counts: np.ndarray
    agreement: np.ndarray
    agent_steps: int
    seconds: float
