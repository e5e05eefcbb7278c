"""Problems as text: TOML in and out.  A problem file is data only; nothing in it is ever executed.

A *named* problem and its parameters::

    problem = "supply-demand"
    shape = [64, 64]
    steps = 512
    [parameters]
    reward = 2.0

or a *declared* one, in which a field is a number, a table, or a list of both that is their sum::

    name = "two-hills"
    [grid]
    shape = [32, 64]                            # array order: ny, nx
    bounds = [[0.0, 1.0], [0.0, 2.0]]           # in the order of shape; the unit box if absent
    boundary = "reflecting"                     # or "periodic", or one of them per axis
    unit = "km"
    blocked = [{lower = [0.9, 0.3], upper = [1.1, 1.0]}]    # points are written (x, y)
    [time]
    horizon = 1.0
    steps = 256
    unit = "h"
    [dynamics]
    viscosity = 0.01
    control_cost = 1.0
    noise = "implicit"                          # or "explicit"
    [[coupling]]                                # any number of them, added up
    kind = "congestion"                         # "crowd-aversion", "log", "nonlocal", "running-cost"
    congestion = 0.1
    reward = {bump = {amplitude = 2.0, width = 0.1, path = [[0.0, 0.2, 0.2], [1.0, 1.8, 0.8]]}}   # rows (t, x, y)
    [initial]
    density = {bump = {width = 0.1, centre = [0.2, 0.2]}}
    normalise = true                            # otherwise a density that does not sum to 1 is an error
    [terminal]
    cost = [
        1.0,
        {box = {lower = [1.5, 0.0], upper = [2.0, 1.0], inside = -1.0}},
        {quadratic = {weight = 1.0, centre = [2.0, 0.5]}},
    ]
    [[terminal.coupling]]
    kind = "crowd-aversion"
    strength = 0.1
"""

from __future__ import annotations

import copy
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.couplings import Coupling, Sum
from mfgsolve.errors import FileError, InputError, unknown
from mfgsolve.fields import Bump, Total
from mfgsolve.problem import Problem
from mfgsolve.problems import registry
from mfgsolve.problemtables import DeclaredProblem, NamedProblemTable, structure
from mfgsolve.tomlwriter import dump_toml

__all__ = ["problem_from_toml", "problem_to_toml", "read_problem"]


def read_problem(
    path: str | os.PathLike[str],
    shape: Sequence[int] | None = None,
    steps: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Problem:
    """Problem stated in a TOML file.

    Parameters
    ----------
    path : the file
    shape, steps : instead of those in the file
    settings : values by dotted key that replace the file's: ``{"coupling.0.congestion": 0.2}``; for a named problem the
        parameter's name alone will do

    Raises
    ------
    FileError
        if the file cannot be read or is no TOML
    InputError
        with one line for every unknown key, missing key and wrong value
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise FileError(f"problem file {os.fspath(path)} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise FileError(
            f"problem file {os.fspath(path)} is no text in UTF-8 ({error.reason} at byte {error.start})"
        ) from None
    return problem_from_toml(text, shape, steps, settings, where=f"problem file {os.fspath(path)}")


def problem_from_toml(
    text: str,
    shape: Sequence[int] | None = None,
    steps: int | None = None,
    settings: Mapping[str, Any] | None = None,
    where: str = "problem text",
) -> Problem:
    """Problem stated in TOML text; see `read_problem`.

    Examples
    --------
    >>> problem_from_toml('problem = "cole-hopf"', steps=64).time.steps
    64
    """
    try:
        return _built(text, shape, steps, settings or {}, where)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{where} is not TOML: {error}") from None
    except RecursionError:
        raise FileError(f"{where} is nested too deeply for a problem") from None


def _built(
    text: str, shape: Sequence[int] | None, steps: int | None, settings: Mapping[str, Any], where: str
) -> Problem:
    document = tomllib.loads(text)
    changed = copy.deepcopy(document)
    _override(changed, shape, steps, settings, where)
    if "problem" in changed:
        table = structure(changed, NamedProblemTable, where)
        return _located(lambda: registry.build(table.problem, table.parameters, table.shape, table.steps), where)
    declared = structure(changed, DeclaredProblem, where)
    kept = text if changed == document else dump_toml(changed)
    problem = _located(lambda: _declared(declared, kept), where)
    _check(problem, where)
    return problem


def problem_to_toml(problem: Problem) -> str:
    """Text from which `problem_from_toml` builds the same problem.

    Raises
    ------
    InputError
        if the problem was made, or changed, with Python functions, which no data file can hold
    """
    text = _text(problem)
    if not _alike(problem, problem_from_toml(text)):
        raise InputError(
            f"problem {problem.name!r} was changed in Python after it was built, and a file cannot hold the change; "
            "build it with other parameters, or give it parameters=None and text=None"
        )
    return text


def _text(problem: Problem) -> str:
    shape, steps = list(problem.grid.shape), problem.time.steps
    if problem.text is not None:
        document = tomllib.loads(problem.text)
        if (document["grid"]["shape"], document["time"]["steps"]) == (shape, steps):
            return problem.text
        document["grid"]["shape"], document["time"]["steps"] = shape, steps
        document["initial"]["normalise"] = problem.normalise
        return dump_toml(document)
    if problem.parameters is None:
        raise InputError(
            f"problem {problem.name!r} was made from Python functions, which a file cannot hold; "
            "use a named problem or declare it in TOML to keep it with its solution"
        )
    table = {"problem": problem.name, "shape": shape, "steps": steps, "parameters": dict(problem.parameters)}
    return dump_toml(table)


def _alike(one: Problem, two: Problem) -> bool:
    """Whether two problems have the same grid, time and dynamics, and the same numbers where they are sampled."""
    stated = [(p.grid.identity, p.time, p.dynamics, len(p.couplings)) for p in (one, two)]
    if stated[0] != stated[1] or not np.array_equal(one.grid.mask, two.grid.mask):
        return False
    return all(np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(_samples(one), _samples(two), strict=True))


def _samples(problem: Problem) -> list[np.ndarray]:
    """Start, end, and the cost of the crowd as it starts, at three times."""
    mass, nodes = problem.initial_mass(), problem.time.nodes
    times = nodes[[0, len(nodes) // 2, -1]]
    density = np.stack([mass / problem.grid.cell_volume] * len(times))
    costs = [coupling.bind(problem.grid, times).cost(slice(0, len(times)), density) for coupling in problem.couplings]
    return [mass, problem.terminal_cost(), *costs]


# -- from tables to a problem ----------------------------------------------------------------------------------------


def _joined(couplings: Sequence[Coupling]) -> Coupling:
    return couplings[0] if len(couplings) == 1 else Sum(tuple(couplings))


def _declared(table: DeclaredProblem, text: str) -> Problem:
    moving = [bump for bump in _bumps(table.coupling) if bump.path is not None]
    return Problem(
        grid=table.grid.made(),
        time=table.time.made(),
        dynamics=table.dynamics.made(),
        coupling=_joined(table.coupling) if table.coupling else 0.0,
        initial=table.initial.density,
        terminal=table.terminal.cost,
        terminal_coupling=_joined(table.terminal.coupling) if table.terminal.coupling else None,
        normalise=table.initial.normalise,
        name=table.name,
        source=table.source,
        text=text,
        track=moving[0].position if len(moving) == 1 else None,
    )


def _bumps(couplings: Sequence[Coupling]) -> list[Bump]:
    """Bumps among the fields of the couplings."""
    fields = [value for coupling in couplings for value in vars(coupling).values()]
    terms = [term for field in fields for term in (field.terms if isinstance(field, Total) else (field,))]
    return [term for term in terms if isinstance(term, Bump)]


def _located(make: Callable[[], Problem], where: str) -> Problem:
    try:
        return make()
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _check(problem: Problem, where: str) -> None:
    """Evaluate every field once, so that a point of the wrong dimension is told of now, and all of them together."""
    first = problem.time.nodes[:1]
    checks: list[Callable[[], Any]] = [problem.initial_mass, problem.terminal_cost]
    checks += [lambda coupling=c: coupling.bind(problem.grid, first) for c in problem.couplings]  # type: ignore[misc]
    faults = []
    for check in checks:
        try:
            check()
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError("\n".join(f"{where}: {fault}" for fault in faults))


# -- overrides -------------------------------------------------------------------------------------------------------


def _override(
    document: dict[str, Any],
    shape: Sequence[int] | None,
    steps: int | None,
    settings: Mapping[str, Any],
    where: str,
) -> None:
    named = "problem" in document
    for key, value in settings.items():
        path = key.split(".")
        if named and len(path) == 1 and key not in ("shape", "steps", "problem"):
            path = ["parameters", key]
        _set(document, path, value, where)
    for key, given, section in (("shape", shape, "grid"), ("steps", steps, "time")):
        if given is not None:
            _set(document, [key] if named else [section, key], np.asarray(given).tolist(), where)


def _set(document: dict[str, Any], path: Sequence[str], value: Any, where: str) -> None:
    """Set a dotted key; tables on the way are made (a wrong name among them is found later), list items are not."""

    def entered(place: Any, step: str) -> Any:
        if isinstance(place, list):
            return place[_index(place, step, path, where)]
        if not isinstance(place, dict):
            raise InputError(f"{where}: setting {'.'.join(path)!r} goes through a value that is no table; set it whole")
        return place.setdefault(step, {})

    *ways, last = path
    place = reduce(entered, ways, document)
    if isinstance(place, list):
        place[_index(place, last, path, where)] = value
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise InputError(f"{where}: setting {'.'.join(path)!r} goes through a value that is no table; set it whole")


def _index(place: list[Any], step: str, path: Sequence[str], where: str) -> int:
    if not (step.isascii() and step.isdigit() and int(step) < len(place)):
        allowed = [str(i) for i in range(len(place))]
        raise InputError(f"{where}: setting {'.'.join(path)!r}: {unknown('place in a list', step, allowed)}")
    return int(step)
