"""From TOML to a problem: the file, what is given besides it, its data file, its tables."""

from __future__ import annotations

import copy
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from mfgsolve.errors import FileError, InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problemfile.building import build, check
from mfgsolve.problemfile.datafile import DataFile
from mfgsolve.problemfile.overriding import override
from mfgsolve.problemfile.structure import data_table, structure
from mfgsolve.problemfile.tables import DeclaredProblem, NamedProblemTable
from mfgsolve.problemfile.tomlwriter import dump_toml
from mfgsolve.problems import registry

__all__ = ["READ", "named_problem", "problem_from_toml", "read_problem"]

T = TypeVar("T")
READ: WeakKeyDictionary[Problem, str] = WeakKeyDictionary()  # text of problems whose building takes long


def read_problem(
    path: str | os.PathLike[str],
    shape: Sequence[int] | None = None,
    steps: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Problem:
    """Problem stated in a TOML file.

    Parameters
    ----------
    path : the file; a data file that it names is looked for in the same folder
    shape, steps : instead of those in the file
    settings : values by dotted key that replace the file's: ``{"coupling.0.congestion": 0.2}``; for a named problem the
        parameter's name alone will do

    Raises
    ------
    FileError
        if the file or its data file cannot be read, or is of another format
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
    where = f"problem file {os.fspath(path)}"
    return problem_from_toml(text, shape, steps, settings, where=where, folder=Path(path).parent)


def problem_from_toml(
    text: str,
    shape: Sequence[int] | None = None,
    steps: int | None = None,
    settings: Mapping[str, Any] | None = None,
    where: str = "problem text",
    folder: str | os.PathLike[str] = ".",
) -> Problem:
    """Problem stated in TOML text; see `read_problem`.  A data file is looked for in ``folder``.

    Examples
    --------
    >>> problem_from_toml('problem = "cole-hopf"', steps=64).time.steps
    64
    """
    try:
        return _built(text, shape, steps, settings or {}, where, Path(folder))
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{where} is not TOML: {error}") from None
    except RecursionError:
        raise FileError(f"{where} is nested too deeply for a problem") from None


def named_problem(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    shape: Sequence[int] | None = None,
    steps: int | None = None,
) -> Problem:
    """A problem of the list, or (``peer:game``) of another library, whose resolution is part of its own parameters."""
    if ":" not in name:
        return registry.build(name, parameters, shape, steps)
    for what, given in (("shape", shape), ("steps", steps)):
        if given is not None:
            raise InputError(
                f"{what} is given for {name}, a game of another library, which has its own; set its parameters instead"
            )
    from mfgsolve import interop

    problem = interop.build(name, parameters)
    READ[problem] = dump_toml({"problem": name, "parameters": dict(parameters or {})})
    return problem


def _built(
    text: str, shape: Sequence[int] | None, steps: int | None, settings: Mapping[str, Any], where: str, folder: Path
) -> Problem:
    document = tomllib.loads(text)
    changed = copy.deepcopy(document)
    override(changed, shape, steps, settings, where)
    if "problem" in changed:
        named = structure(changed, NamedProblemTable, where)
        found = _located(lambda: named_problem(named.problem, named.parameters, named.shape, named.steps), where)
        return replace(found, time=replace(found.time, chosen=True)) if named.steps_chosen and named.steps else found
    data = None
    if "data" in changed:
        stated = _located(lambda: data_table(changed["data"]), where)
        data = _located(lambda: DataFile(stated.file, folder, stated.sha256), where)
        changed["data"] = {"file": os.path.relpath(data.path), "sha256": data.sha256}
    declared = structure(changed, DeclaredProblem, where, data, _times(changed))
    kept = text if changed == document else dump_toml(changed)
    problem = _located(lambda: build(declared, kept), where)
    check(problem, where)
    if data is not None:
        READ[problem] = kept
    return problem


def _times(document: Mapping[str, Any]) -> TimeGrid | None:
    """When arrays that change with time have their values; None where the times are at fault, which is told later."""
    try:
        return TimeGrid(document["time"]["horizon"], document["time"].get("steps"))
    except (InputError, KeyError, TypeError, AttributeError):
        return None


def _located(make: Callable[[], T], where: str) -> T:
    try:
        return make()
    except FileError as error:
        raise FileError(f"{where}: {error}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
