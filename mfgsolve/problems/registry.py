"""The list of named problems: what each one is called, says, takes and where it comes from.

A named problem is a function with keyword-only parameters that returns a `Problem`, or a `Statement` of another kind.
The decorator `named` enters it in the list, checks what is passed to it, and writes name, source and the actual
parameters on the problem, so that ``build(problem.name, problem.parameters, problem.grid.shape, problem.time.steps)``
is the same game again.

The section *Parameters* of its docstring has an entry ``name : meaning [unit]`` for each of them, one name an entry,
which is read here once and told by ``mfgsolve list NAME``.  A unit of pure numbers is 1; texts have ``[name]``, flags
``[true or false]``.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numpy as np

from mfgsolve.errors import InputError, shown, unknown
from mfgsolve.grids import Coordinates
from mfgsolve.problem import Problem
from mfgsolve.statements import Statement

__all__ = ["ClosedForm", "NamedProblem", "Parameter", "build", "closed_form", "get", "named", "names"]

P = ParamSpec("P")
S = TypeVar("S", bound=Problem | Statement[Any])
RESOLUTION = ("shape", "steps", "scheme")  # how finely, and how, a problem is solved is no part of what it is
GROUPS = {
    "space": "crowds in space: controlled diffusions",
    "cells": "moves from cell to cell",
    "states": "a few states",
    "roads": "road networks",
    "markets": "households and markets",
    "own": "entered by this session",
}


class ClosedForm(Protocol):
    """Exact solution of a game: density (mass per unit volume) and value of the continuous problem."""

    def density(self, t: float, c: Coordinates) -> np.ndarray: ...

    def value(self, t: float, c: Coordinates) -> np.ndarray: ...


@dataclass(frozen=True)
class Parameter:
    """One parameter of a named problem: its name, default and type, what it means, and its unit ("1": a number)."""

    name: str
    default: Any
    kind: type
    meaning: str = ""
    unit: str = ""

    def checked(self, value: Any, owner: str) -> Any:
        """The value as int, float, bool or str; anything else is an error."""
        what = f"parameter {self.name} of {owner}"
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if self.kind is float and number:
            if not math.isfinite(value):
                raise InputError(f"{what} is {value}; it must be finite (the default is {self.default})")
            return float(value)
        if self.kind is int and number and math.isfinite(value) and int(value) == value:
            return int(value)
        if self.kind in (str, bool) and isinstance(value, self.kind):
            return value
        wanted = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}[self.kind]
        raise InputError(f"{what} is {value!r}; {wanted} is needed (the default is {self.default!r})")


@dataclass(frozen=True)
class NamedProblem:
    """Entry of the list.

    Parameters
    ----------
    name : with dashes, as on the command line
    summary : one line
    source : paper or data set
    parameters : by name, without shape, steps and scheme
    resolution : default of shape, steps and scheme, as far as they can be chosen; the states of some games are given
    build : the function that makes the `Problem`
    closed_form : from a problem to its exact solution, or None
    group : one of the `GROUPS`
    meanings : of shape, steps and scheme, as far as they can be chosen
    kind : "game"; or the `Statement.kind` of what is none
    """

    name: str
    summary: str
    source: str
    parameters: Mapping[str, Parameter]
    resolution: Mapping[str, Any]
    build: Callable[..., Any]
    closed_form: Callable[[Problem], ClosedForm] | None
    group: str = "own"
    meanings: Mapping[str, str] = field(default_factory=dict)
    kind: str = "game"

    @functools.cached_property
    def shape(self) -> tuple[int, ...]:
        """Default shape."""
        return self.resolution["shape"] if "shape" in self.resolution else self.build().grid.shape

    @functools.cached_property
    def steps(self) -> int | None:
        """Default number of steps; None where the game chooses it."""
        return self.resolution["steps"] if "steps" in self.resolution else self.build().time.steps


_NAMED: dict[str, NamedProblem] = {}


def named(
    closed_form: Callable[[Problem], ClosedForm] | None = None, *, group: str = "own"
) -> Callable[[Callable[P, S]], Callable[P, S]]:
    """Enter a function in the list, under one of the `GROUPS`; its docstring starts with the summary, says of each
    parameter what it means and in which unit, and ends with ``Source: ...``."""

    def decorate(function: Callable[P, S]) -> Callable[P, S]:
        name = function.__name__.replace("_", "-")
        signature, hints = inspect.signature(function), typing.get_type_hints(function)
        defaults = {key: parameter.default for key, parameter in signature.parameters.items()}
        text = inspect.getdoc(function) or ""
        told = _meanings(text)
        parameters = {
            k: Parameter(k, v, hints[k], *told.get(k, ("", ""))) for k, v in defaults.items() if k not in RESOLUTION
        }
        summary, source = text.split("\n")[0], " ".join(text.partition("Source: ")[2].split())

        resolution = {key: defaults[key] for key in RESOLUTION if key in defaults}

        @functools.wraps(function)
        def build(*unnamed: P.args, **given: P.kwargs) -> S:
            if unnamed:
                raise InputError(f"{name} takes its parameters by name: {', '.join(defaults)}")
            for key in given:
                if key not in (*defaults, *RESOLUTION):
                    raise InputError(unknown(f"parameter of {name}", key, defaults))
            values: dict[str, Any] = {k: p.checked(given.get(k, p.default), name) for k, p in parameters.items()}
            chosen: dict[str, Any] = {}
            if "shape" in resolution:
                kind = typing.get_args(hints["shape"])
                chosen["shape"] = _shape(given.get("shape", resolution["shape"]), kind, name)
            if "steps" in resolution:
                steps = given.get("steps", resolution["steps"])
                steps = resolution["steps"] if steps is None else steps
                chosen["steps"] = None if steps is None else Parameter("steps", 64, int).checked(steps, name)
            if "scheme" in resolution:
                chosen["scheme"] = given.get("scheme", resolution["scheme"])
            problem = function(**values, **chosen)  # type: ignore[call-arg,arg-type]
            fixed = {key: value for key, value in given.items() if key not in defaults and value is not None}
            _check_given(fixed, problem, name)
            return cast("S", replace(cast("Any", problem), name=name, source=source, parameters=values))

        meanings = {key: told[key][0] for key in resolution if key in told}
        kind = getattr(hints.get("return"), "kind", "game")
        _NAMED[name] = NamedProblem(
            name, summary, source, parameters, resolution, build, closed_form, group, meanings, kind
        )
        return build

    return decorate


ENTRY = re.compile(r"^(\w+) : (.+?) \[([^\[\]]+)\]$", re.M)


def _meanings(text: str) -> dict[str, tuple[str, str]]:
    """Meaning and unit of every parameter, by the section *Parameters* of a docstring."""
    section = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    joined = re.sub(r"\n +", " ", section)  # an entry that goes on in the next line
    return {name: (meaning, unit) for name, meaning, unit in ENTRY.findall(joined)}


def _shape(shape: Any, kind: tuple[Any, ...], owner: str) -> tuple[int, ...]:
    sizes = list(shape) if isinstance(shape, Sequence | np.ndarray) and not isinstance(shape, str) else [shape]
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in sizes):
        raise InputError(f"shape of {owner} is {shape!r}; whole numbers in array order (..., ny, nx) are needed")
    if kind[-1] is not Ellipsis and len(sizes) != len(kind):
        axes = "1 axis, (nx,)" if len(kind) == 1 else f"{len(kind)} axes, {('(ny, nx)', '(nz, ny, nx)')[len(kind) - 2]}"
        raise InputError(f"shape of {owner} is {shape!r}; this problem has {axes}")
    return tuple(int(n) for n in sizes)


def _check_given(given: Mapping[str, Any], problem: Any, owner: str) -> None:
    """A shape or a number of steps that cannot be chosen may be told, as a file does, but must be the true one."""
    if isinstance(problem, Statement):
        for key in given:
            raise InputError(f"{key} of {owner} is given; {problem.noun} has none: leave it out")
        return
    true = {"shape": problem.grid.shape, "steps": problem.time.steps}
    for key, value in given.items():
        if key == "scheme":
            raise InputError(
                f"scheme of {owner} is {shown(value)}; this game is a finite one and has none: leave scheme out"
            )
        told = tuple(value) if key == "shape" and isinstance(value, Sequence | np.ndarray) else value
        if told != true[key]:
            raise InputError(f"{key} of {owner} is {value!r}; this game has {true[key]} and no other: leave {key} out")


def names(kind: str | None = None) -> list[str]:
    """Names of all problems; or of those of one kind alone, "game" or that of another statement, "roads"."""
    return sorted(name for name, entry in _NAMED.items() if kind is None or entry.kind == kind)


def get(name: str) -> NamedProblem:
    """Entry of the problem ``name`` (dashes; underscores are read as dashes)."""
    entry = _NAMED.get(str(name).replace("_", "-"))
    if entry is None:
        raise InputError(unknown("problem", name, _NAMED))
    return entry


def build(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    shape: Sequence[int] | None = None,
    steps: int | None = None,
    scheme: str | None = None,
) -> Any:
    """Problem ``name`` with some parameters other than their defaults; what is not given is as by default.

    Raises
    ------
    InputError
        for an unknown problem or parameter (with the nearest spelling), a wrong type, a number that is not finite

    Examples
    --------
    >>> from mfgsolve import problems
    >>> problems.build("supply-demand", {"reward": 3.0}, shape=(16, 16), steps=64).parameters["reward"]
    3.0
    """
    values = dict(parameters or {})
    for key, value in (("shape", shape), ("steps", steps), ("scheme", scheme)):
        if value is not None:
            values[key] = value
    return get(name).build(**values)


def closed_form(problem: Problem) -> ClosedForm:
    """Exact solution of a named problem that has one, for its actual parameters."""
    entry = _NAMED.get(problem.name)
    if entry is None or entry.closed_form is None or problem.parameters is None:
        known = ", ".join(e.name for e in _NAMED.values() if e.closed_form)
        raise InputError(f"problem {problem.name!r} has no closed form; those that have one: {known}")
    if problem.time.discount:
        raise InputError(
            f"the closed form of {problem.name!r} is that of costs that count alike at all times, and this problem has "
            f"a discount rate of {problem.time.discount:g}; leave it at 0 to compare"
        )
    return entry.closed_form(problem)
