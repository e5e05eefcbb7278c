"""From TOML to a problem: the file, what is given besides it, its data file, its tables."""

from __future__ import annotations

import codecs
import copy
import math
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from mfgsolve.cautions import collect, unique
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import regular, told, usable
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.problem import Problem
from mfgsolve.problemfile.building import build, check
from mfgsolve.problemfile.datafile import DataFile, digest, found_file
from mfgsolve.problemfile.overriding import override
from mfgsolve.problemfile.schemes import stating
from mfgsolve.problemfile.source import structure
from mfgsolve.problemfile.tables import ChainTable, DeclaredProblem, NamedProblem, data_table
from mfgsolve.problemfile.tomlwriter import dump_toml
from mfgsolve.problems import registry
from mfgsolve.statements import Statement

__all__ = ["READ", "named_problem", "problem_from_toml", "read_problem"]

T = TypeVar("T")
LARGER = 30  # bytes in memory of one in a problem file
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
    source = usable(path, "problem file")
    where = f"problem file {told(source)}"
    if source.exists() and not source.is_dir():  # what is none is told by the system's own words
        regular(source, "problem file")
        affordable(LARGER * source.stat().st_size, 1, where)
    try:
        content = source.read_bytes()
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise FileError(f"{where} is text in UTF-16; save it as UTF-8")
        text = content.decode("utf-8-sig")  # some editors begin a text with a byte-order mark
    except OSError as error:
        raise FileError(f"{where} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{where} is no text in UTF-8 ({error.reason} at byte {error.start})") from None
    return problem_from_toml(text, shape, steps, settings, where=where, folder=source.parent)


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
        with collect() as said, np.errstate(all="ignore"):  # what is not finite is told in a sentence
            stated = shape, steps, settings or {}
            problem, kept = _built(_parsed(text, where), text, *stated, where, Path(folder))
        if said:
            problem = replace(problem, cautions=unique(said, problem.cautions))
        if kept is not None:
            READ[problem] = kept
        return problem
    except RecursionError:
        raise FileError(f"{where} is nested too deeply for a problem") from None
    except MemoryError:
        raise InputError(f"{where} needs more memory than there is; take fewer cells or steps") from None


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except ValueError as error:  # also of numbers with thousands of digits
        raise FileError(f"{where} is not TOML: {cut(visible(str(error)))}") from None


def named_problem(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    shape: Sequence[int] | None = None,
    steps: int | None = None,
    discount: float = 0.0,
    kinks: Sequence[float] | None = None,
    scheme: str | None = None,
    reach: int | None = None,
    sense: str | None = None,
) -> Problem:
    """A problem of the list, or (``peer:game``) of another library, whose resolution is part of its own parameters; at
    a discount rate, with kinks and a sense instead of its own, and by a scheme (`Problem.with_scheme`)."""
    if ":" not in name:
        _check_size(name, shape, steps)
        made = registry.build(name, parameters, shape, steps, scheme)
        if isinstance(made, Statement):
            raise InputError(
                f"{told(name)} is {made.noun}, and a game is needed here; mfgsolve solve {told(name)} solves it"
            )
        return _changed(made if reach is None else made.with_scheme(scheme, reach), discount, kinks, sense)
    for what, given in (("shape", shape), ("steps", steps)):
        if given is not None:
            raise InputError(
                f"{what} is given for {told(name)}, a game of another library, which has its own; set its parameters "
                "instead"
            )
    from mfgsolve import interop

    problem = _changed(interop.build(name, parameters), discount, kinks, sense)
    if (scheme, reach) != (None, None):
        problem = problem.with_scheme(scheme, reach)
    late: dict[str, Any] = {"time": {"discount": discount}} if discount else {}
    late |= {} if kinks is None else {"kinks": list(kinks)}
    late |= {} if sense is None else {"sense": sense}
    READ[problem] = dump_toml({"problem": name, "parameters": dict(parameters or {}), **late})
    return problem


def _changed(problem: Problem, rate: float, kinks: Sequence[float] | None, sense: str | None) -> Problem:
    if rate and problem.time.is_stationary:
        raise InputError(
            f"time.discount is {rate:g}, and problem {problem.name!r} has no final time, {problem.time!r}; its own "
            "parameters say how costs are discounted"
        )
    problem = replace(problem, time=replace(problem.time, discount=rate)) if rate else problem
    late: dict[str, Any] = {} if kinks is None else {"kinks": kinks}
    late |= {} if sense is None else {"sense": sense}
    return replace(problem, **late) if late else problem


def _check_size(name: str, shape: Sequence[int] | None, steps: int | None) -> None:
    """Refuse a resolution beyond memory before anything of that size is made."""
    sizes = [int(n) for n in np.atleast_1d(np.asarray(shape if shape is not None else 1, dtype=object)).tolist()
             if isinstance(n, int | np.integer)]  # fmt: skip
    nodes = steps + 1 if isinstance(steps, int) else 1
    if min([*sizes, nodes]) > 0:
        what = f"problem {told(name)} of shape {told(str(tuple(sizes)))} at {nodes} times"
        affordable(math.prod(sizes) * nodes, 8, what)


def _pinned(value: Any, folder: Path) -> bool:
    """Write into every table that names a CSV file where it is from here, and its digest; whether there was one."""
    if isinstance(value, list):
        return any([_pinned(item, folder) for item in value])
    if not isinstance(value, dict):
        return False
    key = "csv" if "csv" in value else "points"  # of a demand
    name, sha256 = value.get(key), value.get("sha256")
    if not isinstance(name, str) or not isinstance(sha256, str | None):
        return any([_pinned(item, folder) for item in value.values()])
    if Path(name).suffix.lower() != ".csv":
        raise FileError(f"table {told(name)} has the suffix {told(Path(name).suffix)!r}; .csv is needed")
    path = found_file(name, folder, sha256)
    value |= {key: os.path.relpath(path), "sha256": digest(path, name, sha256)}
    return True


def _built(
    document: dict[str, Any], text: str, shape: Sequence[int] | None, steps: int | None, settings: Mapping[str, Any],
    where: str, folder: Path,
) -> tuple[Problem, str | None]:  # fmt: skip
    """The problem, and the text that is to be kept with it where that names data files or another library's game."""
    changed = copy.deepcopy(document)
    override(changed, shape, steps, copy.deepcopy(dict(settings)), where)
    if "problem" in changed:
        named = structure(changed, NamedProblem, where)
        chain = named.dynamics or ChainTable()
        attrs = named.parameters, named.shape, named.steps, named.time.discount, named.kinks, chain.scheme, chain.reach
        made = _located(lambda: named_problem(named.problem, *attrs, named.sense), where)
        if named.steps_chosen and named.steps:
            made = replace(made, time=replace(made.time, chosen=True))
        return made, READ.get(made)
    data = None
    if "data" in changed:
        stated = _located(lambda: data_table(changed["data"]), where)
        data = _located(lambda: DataFile(stated.file, folder, stated.sha256), where)
        changed["data"] = {"file": os.path.relpath(data.path), "sha256": data.sha256}
    tables = _located(lambda: _pinned(changed, folder), where)
    declared = structure(changed, DeclaredProblem, where, data)
    kept = text if changed == document else dump_toml(changed)
    problem = _located(lambda: build(declared, kept), where)
    kept = stating(kept, problem)
    if kept != problem.text:
        problem = replace(problem, text=kept)
    check(problem, where)
    return problem, kept if data is not None or tables else None


def _located(make: Callable[[], T], where: str) -> T:
    try:
        return make()
    except FileError as error:
        raise FileError(f"{where}: {error}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
