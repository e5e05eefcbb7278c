"""train: run a learner on a task, block by block, watched, kept and gone on with.

    training = train(make_task("slippery-chains"), DiffDAC(graph="ring"))
    training.numbers["mean_return"], training.dataset, training.plot(), training.save("training.nc")

A training is one dataset: curves on ``iteration`` (a block each), tables, and numbers without a dimension.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve import methods, watch
from mfgsolve.cautions import Caution, stored, to_text
from mfgsolve.checkpoints import spoilt
from mfgsolve.errors import FileError, InputError, real, unknown
from mfgsolve.files import SCHEMA, read_dataset, write_dataset
from mfgsolve.inputs.options import typed_options
from mfgsolve.progress import Counted, live
from mfgsolve.solvers.stored import Stored, pack
from mfgsolve.tasks.learner import TaskLearner, TrainingState, stored_names
from mfgsolve.tasks.task import Task, make_task, parameters_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Progress", "Training", "load_training", "make_task_learner", "resume_training", "train"]

FINISHED, TIME_UP, CALLED_OFF = "finished", "time limit", "stopped by callback"
EVERY = 5.0  # seconds between two checkpoints


@dataclass(frozen=True)
class Progress:
    """What a callback is told after a block."""

    block: int
    blocks: int
    agent_steps: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Training:
    """Result of `train`: curves, tables and numbers in one dataset.

    Attributes
    ----------
    dataset : see the module
    """

    dataset: xr.Dataset

    @property
    def numbers(self) -> dict[str, float]:
        """All results that are one number, in the order in which the learner tells them; NaN is "not measured"."""
        return {str(name): each.item() for name, each in self.dataset.data_vars.items() if each.ndim == 0}

    @property
    def status(self) -> str:
        """ "finished", "time limit" or "stopped by callback"."""
        return str(self.dataset.attrs["status"])

    @property
    def warnings(self) -> tuple[Caution, ...]:
        """What is to be known beside the numbers."""
        return stored(self.dataset.attrs)

    def plot(self) -> Figure:
        """The picture of its learner."""
        from mfgsolve import plots

        return plots.training(self.dataset)

    def save(self, path: str | Path) -> Path:
        """Write the dataset as NetCDF."""
        return write_dataset(self.dataset, path)

    def __repr__(self) -> str:
        attrs = self.dataset.attrs
        rows = [f"  {name} {value:.6g}" for name, value in self.numbers.items()]
        head = f"Training of {attrs['learner']} on {attrs['task']}: {self.status}"
        return "\n".join([head, *rows, *(f"  {each.sentence}" for each in self.warnings)])


def make_task_learner(learner: str | TaskLearner[Any], options: Mapping[str, Any]) -> TaskLearner[Any]:
    """The learner of that name with those parameters, or a ready one."""
    if isinstance(learner, TaskLearner):
        if options:
            raise InputError(f"options {sorted(options)} come with a ready learner; set them on the learner itself")
        return learner
    if not isinstance(learner, str):
        raise InputError(f"learner is a {type(learner).__name__}; a name of {methods.TASK_LEARNERS!r} is needed")
    if learner not in methods.TASK_LEARNERS:
        raise InputError(unknown("learner of tasks", learner, methods.TASK_LEARNERS))
    kind = methods.TASK_LEARNERS[learner]
    made: TaskLearner[Any] = kind(**typed_options(kind, options, learner, "the learner"))
    return made


def learner_of(
    task: Task, learner: str | TaskLearner[Any] | None, options: Mapping[str, Any]
) -> tuple[Task, TaskLearner[Any]]:
    """The learner of a task with those parameters, and the task: "agents" are its own where the learner has none."""
    chosen = task.learner if learner is None else learner
    if "agents" in options and isinstance(chosen, str) and chosen in methods.TASK_LEARNERS:
        its = parameters_of(methods.TASK_LEARNERS[chosen])
        if "agents" not in its and "agents" in task.parameters:
            checked = typed_options(
                type(task), {"agents": options["agents"]}, task.name, f"task {task.name}", "parameter"
            )
            task = replace(task, **checked)  # type: ignore[type-var]
            options = {name: value for name, value in options.items() if name != "agents"}
    return task, make_task_learner(chosen, options)


def train(
    task: str | Task,
    learner: str | TaskLearner[Any] | None = None,
    *,
    max_seconds: float | None = None,
    callback: Callable[[Progress], Any] | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
    **options: Any,
) -> Training:
    """Let agents learn a task.

    Parameters
    ----------
    task : a name of `mfgsolve.methods.TASKS`, or a task with its parameters set
    learner : a name of `mfgsolve.methods.TASK_LEARNERS`, or a learner with its parameters set; by default the task's
    max_seconds : at which it stops, between two blocks
    callback : called with `Progress` after every block; a true value stops
    checkpoint : file from which `mfgsolve.resume` goes on, bit for bit; kept every few seconds and at the end
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`
    options : parameters of the learner; "agents" is the task's where the learner has no such one

    Returns
    -------
    Training

    Raises
    ------
    InputError
    """
    chosen = make_task(task) if isinstance(task, str) else task
    if not isinstance(chosen, Task):
        raise InputError(f"task is a {type(task).__name__}; a Task, or one of {methods.TASKS!r}, is needed")
    chosen, made = learner_of(chosen, learner, options)
    reason = made.refuses(chosen)
    if reason is not None:
        raise InputError(f"learner {made.name!r} does not suit {chosen.name}: {reason}")
    with live(_line(made), progress, verbose) as line:
        run = _Run(chosen, made, made.init(chosen), [], 0.0)
        return run.go(max_seconds, line.beside(callback), checkpoint)


def _line(learner: TaskLearner[Any]) -> Counted:
    """The live line of a training."""
    size = learner.episodes_of_block
    return Counted("episodes", counted=lambda told: (told.block * size, told.blocks * size))


@dataclass
class _Run:
    """A training under way."""

    task: Task
    learner: TaskLearner[Any]
    state: TrainingState
    entries: list[xr.Dataset]  # of the history: at first what a checkpoint held, then a block each
    seconds: float  # before this run began

    def go(
        self, max_seconds: float | None, callback: Callable[[Progress], Any] | None, checkpoint: str | Path | None
    ) -> Training:
        if max_seconds is not None and not real(max_seconds, "max_seconds") >= 0:
            raise InputError(f"max_seconds is {max_seconds}; zero or more is needed")
        begun = kept = watch.clock()
        status = FINISHED
        while self.state.block < self.learner.blocks:
            watch.look()
            now = self.seconds + watch.clock() - begun
            if max_seconds is not None and now >= max_seconds:
                status = TIME_UP
                break
            with self._whole(checkpoint):
                entry = self.learner.advance(self.task, self.state)
                self.state.block += 1
                now = self.seconds + watch.clock() - begun
                self.entries.append(self._dated(entry, now))
            if checkpoint is not None and watch.clock() - kept >= EVERY:
                self.keep(checkpoint)
                kept = watch.clock()
            told = Progress(self.state.block, self.learner.blocks, self.state.agent_steps, now)
            if callback is not None and callback(told):
                status = CALLED_OFF
                break
        if checkpoint is not None:
            self.keep(checkpoint)
        return self.concluded(status)

    @contextmanager
    def _whole(self, checkpoint: str | Path | None) -> Iterator[None]:
        """A block is whole, or was not begun: interrupts wait, or what is half done is dropped and the rest kept."""
        if not self.learner.stops_inside:
            with watch.held_back():
                yield
            return
        entries = len(self.entries)
        before = {name: copy(getattr(self.state, name)) for name in stored_names(self.state)}
        try:
            yield
        except KeyboardInterrupt:
            with watch.held_back():
                del self.entries[entries:]
                for name, value in before.items():
                    setattr(self.state, name, value)
                if checkpoint is not None:
                    self.keep(checkpoint)
            raise

    def _dated(self, entry: xr.Dataset, seconds: float) -> xr.Dataset:
        """With the work so far."""
        entry["agent_steps"] = ((), np.int64(self.state.agent_steps), {"units": "1", "long_name": "choices so far"})
        entry["seconds"] = ((), seconds, {"units": "s", "long_name": "time so far, compiling included"})
        return entry.expand_dims(iteration=[self.state.block])

    @property
    def history(self) -> xr.Dataset:
        if len(self.entries) > 1:
            self.entries[:] = [xr.concat(self.entries, "iteration", combine_attrs="override")]
        return self.entries[0] if self.entries else xr.Dataset(coords={"iteration": np.zeros(0, dtype=np.int64)})

    def attributes(self, kind: str) -> dict[str, Any]:
        """What this is, in a file."""
        result = {
            "schema": SCHEMA, "kind": kind, "mfgsolve_version": mfgsolve.__version__,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "task": self.task.name, "learner": self.learner.name, "picture": self.learner.picture,
            "source": self.learner.source, "task_source": self.task.source, "blocks": self.learner.blocks,
            "episodes_of_block": self.learner.episodes_of_block,
        }  # fmt: skip
        for of, parametric in (("task", self.task), ("option", self.learner)):
            for name, value in parametric.parameters.items():
                result[f"{of}_{name}" if of == "option" else f"parameter_{name}"] = (
                    int(value) if isinstance(value, bool) else value
                )
        return result

    def concluded(self, status: str) -> Training:
        history = self.history
        results = self.learner.finish(self.task, self.state, history)
        cautions = [Caution(*each) for each in self.learner.warnings(self.task)]
        attributes = self.attributes("training") | {"status": status, "warnings": to_text(cautions)}
        return Training(xr.merge([results, history], combine_attrs="override").assign_attrs(attributes))

    def keep(self, path: str | Path) -> None:
        """Write the checkpoint."""
        arrays, numbers = pack(self.state)
        data: dict[str, Any] = {
            f"array_{name}": (tuple(f"{name}_{k}" for k in range(array.ndim)), array) for name, array in arrays.items()
        }
        data["number"] = ("number_name", np.array(list(numbers.values()), dtype=float))
        names = xr.Dataset(data, {"number_name": np.array(list(numbers))})
        seconds = float(self.history["seconds"].values[-1]) if self.entries else self.seconds
        attributes = self.attributes("training-checkpoint") | {"created_seconds": seconds}
        write_dataset(xr.merge([names, self.history], combine_attrs="override").assign_attrs(attributes), path)


def load_training(path: str | Path) -> Training:
    """Read what `Training.save` wrote."""
    return Training(read_dataset(path, "training"))


def resume_training(
    checkpoint: str | Path,
    *,
    max_seconds: float | None = None,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> Training:
    """Go on from a checkpoint of `train`, to the same numbers; the checkpoint is kept up to date.

    Limits count from the first start.
    """
    run = _revived(checkpoint)
    with live(_line(run.learner), progress, verbose) as line:
        return run.go(max_seconds, line.beside(callback), checkpoint)


def _revived(path: str | Path) -> _Run:
    held = read_dataset(path, "training-checkpoint")
    with spoilt(path):
        task = _made(methods.TASKS, held, "task", "parameter", path)
        learner = _made(methods.TASK_LEARNERS, held, "learner", "option", path)
        pairs = zip(held["number_name"].values, held["number"].values, strict=True)
        arrays = {
            str(name)[6:]: np.ascontiguousarray(held[name].values) for name in held if str(name).startswith("array_")
        }
        numbers = {str(name): float(value) for name, value in pairs}
        state = learner.revive(task, Stored(arrays, numbers, int(numbers["block"])))
        own = [name for name in held.variables if str(name).startswith("array_") or str(name).startswith("number")]
        history = held.drop_vars(own).drop_attrs(deep=False)
        blocks = history.sizes.get("iteration", 0)
        if blocks != state.block:
            raise ValueError(f"a history of {blocks} blocks, where {state.block} were trained")
        return _Run(task, learner, state, [history] if state.block else [], float(held.attrs["created_seconds"]))


def _made(board: methods.Board, held: xr.Dataset, what: str, prefix: str, path: str | Path) -> Any:
    """The task, or the learner, that a checkpoint names, with the parameters that stand there."""
    name = str(held.attrs[what])
    if name not in board:
        raise FileError(f"checkpoint {path} names the {what} {name!r}, which mfgsolve does not have")
    kind = board[name]
    given = {
        each: type(default)(held.attrs[f"{prefix}_{each}"])
        for each, default in parameters_of(kind).items()
        if f"{prefix}_{each}" in held.attrs
    }
    return kind(**given)
