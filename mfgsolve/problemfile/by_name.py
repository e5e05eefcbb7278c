"""A problem by its name where one is needed, its parameters among the options: ``solve("supply-demand", reward=4)``.

Statements of other kinds (`mfgsolve.statements`) have names and files, too: `by_kind` hands over to them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from mfgsolve import methods
from mfgsolve.errors import InputError, cut, unknown
from mfgsolve.problem import Problem
from mfgsolve.problemfile.reading import named_problem, read_problem
from mfgsolve.problems import registry
from mfgsolve.statements import Answer, Statement

__all__ = ["by_kind", "other_statement", "parameter_names", "stated"]

A = TypeVar("A", bound=Answer)
P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class _ByKind(Protocol[P, R_co]):
    """A function of games that hands other statements over to themselves."""

    @overload
    def __call__(self, problem: Statement[A], **options: Any) -> A: ...

    @overload
    def __call__(self, *args: P.args, **options: P.kwargs) -> R_co: ...


def by_kind(verb: str) -> Callable[[Callable[P, R_co]], _ByKind[P, R_co]]:
    """Decorator of a function of games: of other statements, their names and files, it calls ``statement.verb``."""

    def decorate(function: Callable[P, R_co]) -> _ByKind[P, R_co]:
        work: Callable[..., Any] = function

        @functools.wraps(function)
        def handed(problem: Any, *args: Any, **options: Any) -> Any:
            other, rest = other_statement(problem, options)
            return work(problem, *args, **options) if other is None else getattr(other, verb)(**rest)

        return cast("_ByKind[P, R_co]", handed)

    return decorate


def other_statement(problem: Any, options: Mapping[str, Any]) -> tuple[Statement[Any] | None, dict[str, Any]]:
    """The statement of another kind that is given, or that a name or a file stands for; None if it is a game, or
    nothing known.  And the options that are not its own: parameters of what is named, or told besides a file."""
    if isinstance(problem, Statement) or not isinstance(problem, str | Path):
        return (problem if isinstance(problem, Statement) else None), dict(options)
    kind = _kind_of_file(problem)
    if kind is not None:
        besides = parameter_names(problem)
        return kind.read(problem, **_among(options, besides)), _among(options, besides, without=True)
    if str(problem).replace("_", "-") not in registry.names():
        return None, dict(options)
    entry = registry.get(str(problem))
    if entry.kind == "game":
        return None, dict(options)
    made = entry.build(**_among(options, entry.parameters))
    return made, _among(options, entry.parameters, without=True)


def parameter_names(problem: str | Path) -> list[str]:
    """Parameters of a named statement, or what is told besides the file of one."""
    kind = _kind_of_file(problem)
    if kind is None:
        return list(registry.get(str(problem)).parameters)
    return [name for name in inspect.signature(kind.read).parameters if name != "path"]


def _kind_of_file(problem: str | Path) -> Any:
    """The kind of statements that files of that suffix state; None of any other."""
    suffix = Path(problem).suffix.lower()
    return next((kind for kind in methods.STATEMENTS.values() if suffix in kind.suffixes), None)


def _among(options: Mapping[str, Any], names: Iterable[str], without: bool = False) -> dict[str, Any]:
    """The options that are among the names, or those that are not."""
    known = set(names)
    return {name: value for name, value in options.items() if (name in known) != without}


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
    other = other_statement(problem, options)[0]
    if other is not None:
        raise InputError(f"{verb} got {other.noun}; it is of games: solve what this is by mfgsolve.solve")
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
