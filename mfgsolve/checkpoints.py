"""Checkpoints: a solve written down so that `mfgsolve.resume` goes on from it, bit for bit."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.datasets import Measure, history_dataset, history_rows
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import SCHEMA, read_dataset, write_dataset
from mfgsolve.identity import fingerprint
from mfgsolve.problem import Problem
from mfgsolve.problemfile import problem_from_toml, problem_to_toml
from mfgsolve.solvers import kind_of
from mfgsolve.solvers.base import Solver, State

__all__ = ["PYTHON_PROBLEM", "Checkpoint", "problem_text", "read_checkpoint", "saver", "spoilt", "stored_problem"]

PYTHON_PROBLEM = "python"  # stands for a problem that is made of Python functions and cannot be written down


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: the solver, where it stood, and the game in words and as a digest."""

    solver: Solver
    tol: float
    objective: str
    digest: str
    text: str
    arrays: dict[str, np.ndarray]
    numbers: dict[str, float]
    rows: list[Measure]

    def problem(self, path: str | Path) -> Problem:
        """The game, if it is made of data."""
        return _problem(self.text, path)


def problem_text(problem: Problem) -> str:
    """Text from which the problem can be built again, or the word that says it was made in Python."""
    try:
        return problem_to_toml(problem)
    except InputError:
        return PYTHON_PROBLEM


def saver(
    problem: Problem, posed: Problem, objective: str, solver: Solver, tol: float, path: str | Path | None
) -> Callable[[State, list[Measure], float], None] | None:
    """A function ``save(state, history, seconds)`` that writes the checkpoint, or None without a path."""
    if path is None:
        return None
    text, digest, options = problem_text(problem), fingerprint(posed), asdict(solver)  # type: ignore[call-overload]

    def save(state: State, rows: list[Measure], seconds: float) -> None:
        arrays, numbers = state.pack()
        data: dict[str, Any] = {}
        for name, array in arrays.items():
            data[f"array_{name}"] = (tuple(f"{name}_{k}" for k in range(array.ndim)), array)
        data["number"] = ("number_name", np.array(list(numbers.values()), dtype=float))
        data |= history_dataset(rows)
        coordinates = {"number_name": np.array(list(numbers)), "iteration": [row.iteration for row in rows]}
        attributes = {
            "schema": SCHEMA, "kind": "checkpoint", "mfgsolve_version": mfgsolve.__version__, "problem": text,
            "solver": solver.name, "tol": tol, "fingerprint": digest, "objective": objective,
            "created_seconds": seconds,
        }  # fmt: skip
        attributes |= {f"option_{n}": v if isinstance(v, str) else float(v) for n, v in options.items()}
        write_dataset(xr.Dataset(data, coordinates, attrs=attributes), path)

    return save


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint whole."""
    stored = read_dataset(path, "checkpoint")
    with spoilt(path):
        pairs = zip(stored["number_name"].values, stored["number"].values, strict=True)
        arrays = {str(name)[6:]: np.ascontiguousarray(stored[name].values) for name in stored if
                  str(name).startswith("array_")}  # fmt: skip
        return Checkpoint(
            solver=_solver(stored),
            tol=float(stored.attrs["tol"]),
            objective=str(stored.attrs.get("objective", "equilibrium")),
            digest=str(stored.attrs.get("fingerprint", "")),
            text=str(stored.attrs["problem"]),
            arrays=arrays,
            numbers={str(name): float(value) for name, value in pairs},
            rows=history_rows(stored),
        )


def stored_problem(path: str | Path) -> tuple[Problem, float]:
    """Problem and tolerance of a checkpoint; its large arrays stay in the file."""
    stored = read_dataset(path, "checkpoint", history_only=True)
    with spoilt(path):
        text, tol = str(stored.attrs["problem"]), float(stored.attrs["tol"])
    return _problem(text, path), tol


@contextmanager
def spoilt(path: str | Path) -> Iterator[None]:
    """What is missing in a checkpoint, or does not fit, is told as an error of the file."""
    try:
        yield
    except InputError:
        raise
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError, AttributeError) as error:
        raise FileError(f"checkpoint {path} misses or spoils {error}; it was not written by mfgsolve") from None


def _problem(text: str, path: str | Path) -> Problem:
    if text == PYTHON_PROBLEM:
        raise InputError(f"checkpoint {path} is of a problem made in Python; call resume(..., problem=...)")
    return problem_from_toml(text, where=f"problem in checkpoint {path}")


def _solver(stored: xr.Dataset) -> Solver:
    name = str(stored.attrs["solver"])
    # learners are solvers, too, and stand above this module: looked up only where a checkpoint names one
    kind: Any = kind_of(name) or importlib.import_module("mfgsolve.learners").LEARNERS[name]
    options = {name: type(default)(stored.attrs[f"option_{name}"]) for name, default in asdict(kind()).items()}
    return kind(**options)
