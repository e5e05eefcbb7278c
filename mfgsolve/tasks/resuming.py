"""resume: one door for every checkpoint, of a solver, of learners of a game, and of a training on a task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mfgsolve import solving
from mfgsolve.errors import InputError
from mfgsolve.files import file_kind
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution
from mfgsolve.tasks.training import Training, resume_training

__all__ = ["resume"]


def resume(
    checkpoint: str | Path,
    *,
    problem: Problem | None = None,
    tol: float | None = None,
    max_iterations: int | None = None,
    max_seconds: float | None = None,
    callback: Callable[[Any], Any] | None = None,
    check: str = "warn",
    threads: int | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> Solution | Training:
    """Go on from a checkpoint, to the same answer as the run that wrote it would have reached, bit for bit.

    Parameters
    ----------
    checkpoint : what `mfgsolve.solve` or `mfgsolve.learn` wrote; it is kept up to date
    problem : needed only where a game was made of Python functions
    tol, max_iterations, max_seconds, check, threads : as of `mfgsolve.solve`; limits count from the first start.  A
        training on a task knows ``max_seconds`` alone
    callback : as of the run that wrote the checkpoint
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`

    Returns
    -------
    Solution or Training

    Raises
    ------
    FileError, InputError
    """
    if file_kind(checkpoint) != "training-checkpoint":
        return solving.resume(
            checkpoint, problem=problem, tol=tol, max_iterations=max_iterations, max_seconds=max_seconds,
            callback=callback, check=check, threads=threads, progress=progress, verbose=verbose,
        )  # fmt: skip
    for what, value, default in (
        ("problem", problem, None), ("tol", tol, None), ("max_iterations", max_iterations, None),
        ("check", check, "warn"), ("threads", threads, None),
    ):  # fmt: skip
        if value != default:
            raise InputError(f"{what} is of games, and the checkpoint is of a training on a task; leave it out")
    return resume_training(checkpoint, max_seconds=max_seconds, callback=callback, progress=progress, verbose=verbose)
