"""A problem by its name where one is needed, its parameters among the options: ``solve("supply-demand", reward=4)``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mfgsolve.errors import InputError, cut, unknown
from mfgsolve.problem import Problem
from mfgsolve.problemfile.reading import named_problem, read_problem
from mfgsolve.problems import registry

__all__ = ["stated"]


def stated(
    problem: Any, options: Mapping[str, Any], general: Mapping[str, Any], own: Callable[[Problem], Iterable[str]],
    verb: str,
) -> tuple[Problem, dict[str, Any]]:  # fmt: skip
    """The problem that a name, or the path of a problem file, stands for, and the options that are not its own.

    Parameters
    ----------
    options : parameters of the problem, and of whoever works on it, by name
    general : arguments that have a meaning of their own, by name, None where they were left out or cannot be mistaken
    own : from the problem to the names of the options of whoever works on it
    verb : the function that was called

    Raises
    ------
    InputError
        for an unknown problem, what is none, and for a name that both the problem and whoever works on it have
    """
    if isinstance(problem, Problem):
        late = sorted(options.keys() & (problem.parameters or {}).keys())
        if late and late[0] not in set(own(problem)):
            raise InputError(
                f"{late[0]} is a parameter of {problem.name}, and that is built already; state the problem with it, "
                f"{_call(problem.name, late[0])}"
            )
        return problem, dict(options)
    if not isinstance(problem, str):
        raise InputError(
            f"{verb} got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems), or the name of one"
        )
    if problem.endswith(".toml"):
        return read_problem(problem), dict(options)
    if ":" in problem:
        return named_problem(problem), dict(options)
    entry = registry.get(problem)
    parameters = {*entry.parameters, *entry.resolution}
    for name, value in general.items():
        if value is not None and name in parameters:
            raise InputError(_both(name, entry.name, "an argument of its own here"))
    made = entry.build(**{name: value for name, value in options.items() if name in parameters})
    rest = {name: value for name, value in options.items() if name not in parameters}
    others = set(own(made))
    for name in options:
        if name in parameters and name in others:
            raise InputError(_both(name, entry.name, "an option of what works on it"))
        if name not in parameters and name not in others:
            raise InputError(
                unknown(f"option, or parameter of {entry.name},", name, parameters | others | set(general))
            )
    return made, rest


def _both(name: str, problem: str, what: str) -> str:
    return (
        f"{cut(name)} is a parameter of {problem}, and {what}: which one is meant nobody could tell. State the problem "
        f"first, {_call(problem, name)}, and hand it over in place of its name"
    )


def _call(problem: str, name: str) -> str:
    return f"problems.{problem.replace('-', '_')}({name}=...)"
