"""What a learner of a task is to the loop that trains it: it begins, it trains a block at a time, it reports.

Everything that training needs to go on lies in the state: fields marked ``metadata=STORED`` are what a checkpoint
holds.  Random numbers of a block follow from the seed and the number of the block (`TaskLearner.stream`), or from a
stream that is itself stored, so that a resumed training goes on bit for bit.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import xarray as xr

from mfgsolve.solvers.stored import STORED, Stored, pack
from mfgsolve.tasks.task import Parametric, Task

__all__ = ["STORED", "TaskLearner", "TrainingState", "number", "series"]


@dataclass
class TrainingState:
    """What a learner knows.  ``block`` blocks have been trained, with ``agent_steps`` choices of single agents.

    Stored fields are numbers (int, float, bool) or arrays without NaN whose shapes do not change in the course of
    training; what else there is follows from the task and the learner in `TaskLearner.init`.
    """

    block: int = field(default=0, metadata=STORED, kw_only=True)
    agent_steps: int = field(default=0, metadata=STORED, kw_only=True)


S = TypeVar("S", bound=TrainingState)


class TaskLearner(Parametric, Generic[S]):
    """Base of learners of tasks.  A subclass is a frozen dataclass, listed in `mfgsolve.methods.TASK_LEARNERS`.

    Attributes
    ----------
    name, source : see `Parametric`
    picture : name of the function in `mfgsolve.plots` that draws its trainings
    seed : a parameter, of all random numbers
    stops_inside : whether an interrupt acts inside of a block, for those whose blocks take long: what was trained of it
        is dropped, so all that counts from one block to the next must be in stored fields
    """

    picture = "training"
    stops_inside: ClassVar[bool] = False
    seed: int

    @property
    @abstractmethod
    def blocks(self) -> int:
        """How many blocks are trained in all; after each one there is an entry in the history."""

    @property
    @abstractmethod
    def episodes_of_block(self) -> int:
        """Updates or episodes in a block, which the command counts."""

    def refuses(self, task: Task) -> str | None:
        """Why the task does not suit, in a sentence that begins with "it"; None if it does."""
        return None

    @abstractmethod
    def init(self, task: Task) -> S:
        """The state before anything was learned."""

    @abstractmethod
    def advance(self, task: Task, state: S) -> xr.Dataset:
        """Train one block in place, and measure.  `train` counts the block itself; ``agent_steps`` is the learner's.

        Returns
        -------
        xarray.Dataset
            what was measured, the same names, dimensions and units every time, made by `series`; `train` puts the
            entries of all blocks one behind the other, along ``iteration``
        """

    @abstractmethod
    def finish(self, task: Task, state: S, history: xr.Dataset) -> xr.Dataset:
        """Results: numbers without a dimension (made by `number`), in the order in which they are to be told, and
        tables.  May be asked at any time, also of a training that was stopped."""

    def warnings(self, task: Task) -> tuple[tuple[str, str], ...]:
        """Cautions (code, sentence) that hold for this learner on this task, told wherever results stand."""
        return ()

    def stream(self, block: int, use: int = 0) -> np.random.Generator:
        """Random numbers of a block; another ``use`` is another stream."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(block, use)))

    def revive(self, task: Task, stored: Stored) -> S:
        """The state that a checkpoint holds.

        Raises
        ------
        KeyError, ValueError
            for arrays that are missing, or of another shape or type than this learner has on this task
        """
        state = self.init(task)
        arrays, _ = pack(state)
        for name, fresh in arrays.items():
            came = stored.arrays[name]
            if came.shape != fresh.shape or came.dtype != fresh.dtype:
                raise ValueError(f"{name} as {came.dtype} of shape {came.shape}; {fresh.dtype} {fresh.shape} is needed")
        for name, value in stored.of(type(state)).items():
            setattr(state, name, value)
        return state


def series(long_name: str, units: str, values: Any, dims: tuple[str, ...] = (), **attrs: Any) -> xr.DataArray:
    """A variable of a block: with its unit and a sentence, on no or on named dimensions (arm, agent, state, ...)."""
    return xr.DataArray(np.asarray(values), dims=dims, attrs={"long_name": long_name, "units": units, **attrs})


def number(long_name: str, units: str, value: float) -> xr.DataArray:
    """A result: one number; NaN where it was not measured."""
    return series(long_name, units, value)


def stored_names(state: TrainingState) -> list[str]:
    """Fields of a state that checkpoints hold."""
    return [part.name for part in fields(state) if "stored" in part.metadata]
