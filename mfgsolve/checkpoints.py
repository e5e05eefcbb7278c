"""Checkpoints: a solve written down so that `mfgsolve.resume` goes on from it, bit for bit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import SCHEMA, read_dataset, told, usable, write_dataset
from mfgsolve.identity import fingerprint
from mfgsolve.methods import kind_of
from mfgsolve.problem import Problem
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, restated
from mfgsolve.solution.datasets import Measure, history_dataset, history_rows
from mfgsolve.solution.learning import Reference
from mfgsolve.solvers.base import Save, Solver, State

__all__ = [
    "PYTHON_PROBLEM",
    "Checkpoint",
    "held_iteration",
    "problem_text",
    "read_checkpoint",
    "saver",
    "spoilt",
    "stored_problem",
]

PYTHON_PROBLEM = "python"  # stands for a problem that is made of Python functions and cannot be written down


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: the solver, where it stood, the game in words and as a digest."""

    solver: Solver
    tol: float
    objective: str
    digest: str
    text: str
    arrays: dict[str, np.ndarray]
    numbers: dict[str, float]
    rows: list[Measure]
    version: str  # of mfgsolve that wrote it
    reference: Reference | None = None  # what learning is compared with

    def problem(self, path: str | Path) -> Problem:
        """The game, if it is made of data."""
        return _problem(self.text, self.version, path)


def problem_text(problem: Problem) -> str:
    """Text from which the problem can be built again, or the word that says it was made in Python."""
    try:
        return problem_to_toml(problem)
    except InputError:
        return PYTHON_PROBLEM


def _check_place(path: str | Path) -> None:
    """Told before anything is solved: that no file can be where the checkpoint is to be."""
    target = Path(os.path.realpath(usable(path, "checkpoint")))
    if target.is_dir():
        raise FileError(f"checkpoint {told(target)} is a folder; name a file")
    if target.exists() and not target.is_file():
        raise FileError(f"checkpoint {told(target)} is no regular file; name another")
    if not target.parent.is_dir():
        parent = told(target.parent)
        raise FileError(f"checkpoint {told(target)}: the folder {parent} does not exist; create it or name another")


def saver(
    problem: Problem, posed: Problem, objective: str, solver: Solver, tol: float, path: str | Path | None,
    reference: Reference | None = None,
) -> Save | None:  # fmt: skip
    """A function ``save(state, history, seconds)`` that writes the checkpoint, or None without a path.

    Raises
    ------
    FileError
        for a path at which no file can be; what fails later, while there is something to lose, `run` takes care of
    """
    if path is None:
        return None
    _check_place(path)
    extra = {} if reference is None else reference.stored()
    text, digest, options = problem_text(problem), fingerprint(posed), asdict(solver)  # type: ignore[call-overload]

    def save(state: State, rows: list[Measure], seconds: float) -> None:
        arrays, numbers = state.pack()
        data: dict[str, Any] = {}
        for name, array in arrays.items():
            data[f"array_{name}"] = (tuple(f"{name}_{k}" for k in range(array.ndim)), array)
        for name, array in extra.items():
            if isinstance(array, np.ndarray):
                data[f"beside_{name}"] = (tuple(f"beside_{name}_{k}" for k in range(array.ndim)), array)
        data["number"] = ("number_name", np.array(list(numbers.values()), dtype=float))
        data |= history_dataset(rows)
        coordinates = {"number_name": np.array(list(numbers)), "iteration": [row.iteration for row in rows]}
        attributes = {
            "schema": SCHEMA, "kind": "checkpoint", "mfgsolve_version": mfgsolve.__version__, "problem": text,
            "solver": solver.name, "tol": tol, "fingerprint": digest, "objective": objective,
            "created_seconds": seconds,
        }  # fmt: skip
        attributes |= {f"option_{n}": v if isinstance(v, str) else float(v) for n, v in options.items()}
        attributes |= {f"beside_{n}": v for n, v in extra.items() if not isinstance(v, np.ndarray)}
        write_dataset(xr.Dataset(data, coordinates, attrs=attributes), path)

    return save


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint whole."""
    stored = read_dataset(path, "checkpoint")
    with spoilt(path):
        pairs = zip(stored["number_name"].values, stored["number"].values, strict=True)
        arrays = {str(name)[6:]: np.ascontiguousarray(stored[name].values) for name in stored if
                  str(name).startswith("array_")}  # fmt: skip
        beside = {str(name)[7:]: value for name, value in stored.attrs.items() if str(name).startswith("beside_")}
        beside |= {str(name)[7:]: stored[name].values for name in stored if str(name).startswith("beside_")}
        return Checkpoint(
            solver=_solver(stored, path),
            tol=float(stored.attrs["tol"]),
            objective=str(stored.attrs.get("objective", "equilibrium")),
            digest=str(stored.attrs.get("fingerprint", "")),
            text=str(stored.attrs["problem"]),
            arrays=arrays,
            numbers={str(name): float(value) for name, value in pairs},
            rows=history_rows(stored),
            version=str(stored.attrs.get("mfgsolve_version", "unknown")),
            reference=Reference.of(beside),
        )


def held_iteration(path: str | Path) -> int | None:
    """The iteration that a checkpoint holds; None where there is none that can be read."""
    try:
        return int(read_dataset(path, "checkpoint", history_only=True)["iteration"].values[-1])
    except (InputError, KeyError, IndexError, ValueError):
        return None


def stored_problem(path: str | Path) -> tuple[Problem, float]:
    """Problem and tolerance of a checkpoint; its large arrays stay in the file."""
    stored = read_dataset(path, "checkpoint", history_only=True)
    with spoilt(path):
        text, tol = str(stored.attrs["problem"]), float(stored.attrs["tol"])
    return _problem(text, str(stored.attrs.get("mfgsolve_version", "unknown")), path), tol


@contextmanager
def spoilt(path: str | Path) -> Iterator[None]:
    """What is missing in a checkpoint, or does not fit, is told as an error of the file."""
    try:
        yield
    except InputError:
        raise
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError, AttributeError) as error:
        raise FileError(f"checkpoint {path} misses or spoils {error}; it was not written by mfgsolve") from None


def _problem(text: str, version: str, path: str | Path) -> Problem:
    if text == PYTHON_PROBLEM:
        raise InputError(f"checkpoint {path} is of a problem made in Python; call resume(..., problem=...)")
    return problem_from_toml(restated(text, version), where=f"problem in checkpoint {path}")


def _solver(stored: xr.Dataset, path: str | Path) -> Solver:
    name = str(stored.attrs["solver"])
    kind = kind_of(name)
    if kind is None:
        raise FileError(
            f"checkpoint {told(path)} misses or spoils its solver: it names {name!r}, which mfgsolve does not have; "
            f"a solver of one's own is gone on with after mfgsolve.register({name!r}, ...)"
        )
    solver: Solver = kind(**_options(stored, kind))
    return solver


def _options(stored: xr.Dataset, kind: type[Solver]) -> dict[str, Any]:
    """Hyper-parameters of the solver; those that an earlier version did not have, or that are marked as "later" than
    files of this one, are as by default."""
    defaults = asdict(kind())  # type: ignore[call-overload]
    earlier = str(stored.attrs.get("mfgsolve_version")) != mfgsolve.__version__
    parts = fields(kind)  # type: ignore[arg-type]
    later = {part.name for part in parts if earlier or "later" in part.metadata}
    names = [name for name in defaults if f"option_{name}" in stored.attrs or name not in later]
    return {name: type(defaults[name])(stored.attrs[f"option_{name}"]) for name in names}
