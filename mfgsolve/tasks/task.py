"""A task: what agents learn where they do not feel a crowd; a frozen dataclass whose fields are its parameters."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any, ClassVar

from mfgsolve import methods
from mfgsolve.errors import InputError, unknown
from mfgsolve.inputs.options import typed_options

__all__ = ["Parametric", "Task", "make_task", "parameters_of"]

OPTION = (bool, int, float, str)  # types of parameters, which files hold


class Parametric(ABC):
    """What is made of parameters alone: a frozen dataclass with defaults that are numbers, truth values or texts."""

    name: ClassVar[str]  # what `mfgsolve.learn`, the command and files call it
    source: ClassVar[str]  # paper, with its DOI or arXiv number

    @property
    def parameters(self) -> dict[str, Any]:
        """By name, as they were given."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]


class Task(Parametric):
    """Base of tasks.  A subclass is a frozen dataclass, listed in `mfgsolve.methods.TASKS`.

    What a learner asks of a task is between the two: a learner says by `TaskLearner.refuses` which tasks suit it.

    Attributes
    ----------
    name, source : see `Parametric`
    summary : one sentence
    learner : name of the learner that is taken where none is given
    """

    summary: ClassVar[str]
    learner: ClassVar[str]


def make_task(name: str, parameters: Mapping[str, Any] | None = None) -> Task:
    """The task of that name with those parameters.

    Raises
    ------
    InputError
        for a name or a parameter that is unknown, with the nearest spelling

    Examples
    --------
    >>> from mfgsolve.tasks import make_task
    >>> make_task("no-such-task")
    Traceback (most recent call last):
    ...
    mfgsolve.errors.InputError: ...
    """
    if name not in methods.TASKS:
        raise InputError(unknown("task", name, methods.TASKS))
    kind = methods.TASKS[name]
    made: Task = kind(**typed_options(kind, parameters or {}, name, f"task {name}", "parameter"))
    return made


def parameters_of(kind: type[Any]) -> dict[str, Any]:
    """Names and defaults of the parameters of a task or a learner."""
    if not (is_dataclass(kind) and all(type(part.default) in OPTION for part in fields(kind))):
        raise InputError(
            f"{kind.__name__} is no frozen dataclass whose parameters have defaults that are numbers, truth values or "
            "texts, which is what files hold"
        )
    return {part.name: part.default for part in fields(kind)}
