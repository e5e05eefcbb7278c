"""What `mfgsolve learn` does with a task that is no mean-field game, and what is said of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mfgsolve.cautions import stored
from mfgsolve.command.comparing import keep
from mfgsolve.command.progress import Counted
from mfgsolve.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from mfgsolve.tasks import Training
    from mfgsolve.tasks.training import Progress

__all__ = [
    "Blocks", "check_of_games", "resume_task", "task_facts", "task_rows", "told_checkpoint", "train_task",
    "training_facts", "training_rows",
]  # fmt: skip


class Blocks(Counted):
    """The live line of a training: how many of its episodes are done.

    Parameters
    ----------
    task, learner : their names
    episodes : of a block
    """

    def __init__(self, task: str, learner: str, episodes: int):
        super().__init__(
            "episodes", counted=lambda told: (told.block * episodes, told.blocks * episodes),
            words=lambda _: f"{learner} on {task}",
        )  # fmt: skip
        self.episodes = episodes

    def named(self, iteration: int) -> str:
        """What has been done by that block, in words."""
        return f"episode {iteration * self.episodes}"


def check_of_games(**options: object) -> None:
    """Refuse options of games, which a task does not have."""
    for name, value in options.items():
        if value is not None:
            option = name.replace("_", "-")
            raise InputError(f"--{option} is of mean-field games, and this is a task; leave it out, or see --set")


def train_task(
    name: str, learner: str | None, parameters: Mapping[str, Any], options: Mapping[str, Any], output: Path | None,
    plot: Path | None, json: bool, strict: bool, checkpoint: Path | None, max_seconds: float | None,
) -> None:  # fmt: skip
    """Train a learner on the task of that name; what `mfgsolve learn` does with a task."""
    from mfgsolve.tasks import make_task, train
    from mfgsolve.tasks.training import learner_of

    if "agents" in parameters and "agents" in options:
        raise InputError("agents are given by --agents and by --set; give them once")
    task, made = learner_of(make_task(name, parameters), learner, options)

    def work(callback: Callable[[Progress], Any]) -> Training:
        return train(task, made, max_seconds=max_seconds, callback=callback, checkpoint=checkpoint)

    _carry_out(work, Blocks(task.name, made.name, made.episodes_of_block), output, plot, json, strict, checkpoint)


def resume_task(
    checkpoint: Path, output: Path | None, plot: Path | None, json: bool, strict: bool, max_seconds: float | None
) -> None:
    """Go on from the checkpoint of a training."""
    from mfgsolve.files import read_dataset
    from mfgsolve.tasks import resume_training

    held = read_dataset(checkpoint, "training-checkpoint", history_only=True).attrs

    def work(callback: Callable[[Progress], Any]) -> Training:
        return resume_training(checkpoint, max_seconds=max_seconds, callback=callback)

    line = Blocks(str(held["task"]), str(held["learner"]), int(held.get("episodes_of_block", 1)))
    _carry_out(work, line, output, plot, json, strict, checkpoint)


def _carry_out(
    work: Callable[[Callable[[Progress], Any]], Training], line: Blocks, output: Path | None, plot: Path | None,
    json: bool, strict: bool, checkpoint: Path | None,
) -> None:  # fmt: skip
    from mfgsolve.command.interrupts import Interrupts, checkpoint_told
    from mfgsolve.command.report import NOT_CONVERGED, say, to_json, told

    written: list[Path] = []
    with checkpoint_told(checkpoint, line), Interrupts() as interrupts, line:

        def watch(done: Progress) -> None:
            interrupts.check()
            line.update(done)

        result = work(watch)
        interrupts.check()
        failure = keep(result.dataset, output, plot, lambda _: result.plot(), line, written)
    if json:
        to_json(training_facts(result.dataset))
    else:
        files = f" Wrote {' and '.join(str(path) for path in written)}." if written else ""
        head = f"{result.dataset.attrs['learner']} on {result.dataset.attrs['task']}: {result.status}."
        say(head + files + told(result.warnings), training_rows(result.dataset))
    if failure is not None:
        raise failure
    if result.status != "finished" or (strict and result.warnings):
        raise typer.Exit(NOT_CONVERGED)


def training_facts(dataset: xr.Dataset) -> dict[str, Any]:
    """Who learned what, all numbers, the work, and what is to be known beside them."""
    from mfgsolve.files import plain

    attrs = dataset.attrs
    numbers = {str(name): one.values.item() for name, one in dataset.data_vars.items() if one.ndim == 0}
    head = {name: str(attrs[name]) for name in ("task", "learner", "status")}
    given = {
        group: {
            str(name).removeprefix(prefix): plain(each) for name, each in attrs.items() if str(name).startswith(prefix)
        }
        for group, prefix in (("parameters", "parameter_"), ("options", "option_"))
    }
    work = {"blocks": dataset.sizes.get("iteration", 0), "agent_steps": 0, "seconds": 0.0}
    if work["blocks"]:
        work |= {"agent_steps": int(dataset["agent_steps"].values[-1]), "seconds": float(dataset["seconds"].values[-1])}
    return head | numbers | work | given | {"warnings": [asdict(each) for each in stored(attrs)]}


def training_rows(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The small table of a training."""
    facts, attrs = training_facts(dataset), dataset.attrs
    rows = [("task", facts["task"]), ("learner", facts["learner"])]
    for name, one in dataset.data_vars.items():
        if one.ndim == 0:
            unit = str(one.attrs.get("units", "1"))
            rows.append(
                (str(one.attrs.get("long_name", name)), f"{one.values.item():.6g}{'' if unit == '1' else ' ' + unit}")
            )
    work = f"{facts['blocks'] * int(attrs['episodes_of_block'])} episodes, {facts['agent_steps']:.3g} agent-steps"
    return [*rows, ("work", f"{work}, {facts['seconds']:.2f} s")]


def told_checkpoint(file: Path, json: bool) -> None:
    """What a checkpoint of a training holds."""
    from mfgsolve.command.report import say, to_json
    from mfgsolve.files import read_header

    held = read_header(file, "training-checkpoint")
    attrs, done = held.attrs, held.sizes.get("iteration", 0)
    facts: dict[str, Any] = {"task": str(attrs["task"]), "learner": str(attrs["learner"]), "status": "unfinished"}
    facts |= {"blocks": done, "of_blocks": int(attrs["blocks"]), "seconds": float(attrs["created_seconds"])}
    if json:
        to_json(facts)
        return
    rows = [("checkpoint of", f"{facts['learner']} on {facts['task']}")]
    work = f"{done} of {facts['of_blocks']} blocks of {int(attrs['episodes_of_block'])} episodes"
    say(f"Go on with:  mfgsolve resume {file}", [*rows, ("work so far", f"{work}, {facts['seconds']:.2f} s")])


def task_facts(name: str) -> dict[str, Any]:
    """The same, for programs."""
    from mfgsolve import methods
    from mfgsolve.tasks.task import parameters_of

    if name == "tasks":
        return {"tasks": [{"name": each, "summary": kind.summary, "source": kind.source}
                          for each, kind in methods.TASKS.items()]}  # fmt: skip
    kind = methods.TASKS[name]
    learner = methods.TASK_LEARNERS[kind.learner]
    made = {"name": kind.learner, "source": learner.source, "options": parameters_of(learner)}
    head = {"name": name, "summary": kind.summary, "source": kind.source}
    return head | {"parameters": parameters_of(kind), "learner": made}


def task_rows(name: str) -> list[tuple[str, str]]:
    """A line for each task; or all of one: its parameters, and who learns it."""
    from mfgsolve import methods
    from mfgsolve.tasks.task import parameters_of

    if name == "tasks":
        return [(each, f"{kind.summary} Source: {kind.source}") for each, kind in methods.TASKS.items()]
    kind = methods.TASKS[name]
    parameters = [(f"--set {key}={value}", "parameter") for key, value in parameters_of(kind).items()]
    learner = methods.TASK_LEARNERS[kind.learner]
    options = [(f"--option {key}={value}", "of the learner") for key, value in parameters_of(learner).items()]
    head = [(name, kind.summary), ("source", kind.source), ("learner", f"{kind.learner}. Source: {learner.source}")]
    return [*head, *parameters, *options]
