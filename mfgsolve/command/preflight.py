"""Checks before a long solve: that what it will write can be written, and that it fits into memory."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mfgsolve.errors import FileError, InputError
from mfgsolve.files import told, usable
from mfgsolve.inputs.memory import available_memory, human_size
from mfgsolve.inputs.texts import cut

if TYPE_CHECKING:
    from mfgsolve.problem import Problem

__all__ = [
    "ANIMATIONS",
    "DATA",
    "PICTURES",
    "bytes_needed",
    "check_data",
    "check_memory",
    "check_outputs",
    "check_problem",
]

DATA = (".nc",)
PICTURES = (".jpg", ".pdf", ".png", ".svg")
POLICIES = 8  # arrays (steps, actions, states) that a solver and the finished dataset hold
ANIMATIONS = (".gif", ".mp4")


def check_outputs(
    outputs: Mapping[str, tuple[Path | None, Sequence[str]]], inputs: Mapping[str, str | Path | None]
) -> None:
    """Raise now what would otherwise be lost work later.

    Parameters
    ----------
    outputs : by option, a path to be written (None: not asked for) and the suffixes that it may have
    inputs : by option, a path that is read and must not be overwritten

    Raises
    ------
    FileError
        for a missing or write-protected folder, an unknown suffix, a path that is no regular file, or one named twice
    """
    taken = {option: Path(path) for option, path in inputs.items() if path is not None}
    for option, (path, suffixes) in outputs.items():
        if path is None:
            continue
        usable(path, option)
        if path.suffix.lower() not in suffixes:
            raise FileError(
                f"{option} {told(path)} has the suffix {told(path.suffix)!r}; a name that ends in "
                f"{' or '.join(suffixes)} is needed"
            )
        for other, used in taken.items():
            if _same(path, used):
                raise FileError(f"{option} {told(path)} is the same file as {other}; name another file")
        _check_writable(path, option)
        if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
            raise FileError(f"{option} {told(path)} needs the program ffmpeg, which is not installed; name a .gif file")
        taken[option] = path


def check_data(outputs: Mapping[str, Path | None], problem: Problem) -> None:
    """The data file of a problem is not overwritten either."""
    stated = tomllib.loads(problem.text or "").get("data")
    for option, path in outputs.items():
        if stated and path is not None and _same(path, Path(stated["file"])):
            raise FileError(
                f"{option} {told(path)} is the same file as the data file of the problem; name another file"
            )


def _same(path: Path, other: Path) -> bool:
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):  # one of them does not exist yet, or is no file's name
        try:
            return os.path.realpath(path) == os.path.realpath(other)
        except (OSError, ValueError):
            return False


def _check_writable(path: Path, option: str) -> None:
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise FileError(f"{option} {told(path)} is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise FileError(f"{option} {told(path)} is no regular file; name another")
    if not target.parent.is_dir():
        raise FileError(
            f"{option} {told(path)}: the folder {told(target.parent)} does not exist; create it or name another"
        )
    if target.exists() and not os.access(target, os.W_OK):
        raise FileError(f"{option} {told(path)} exists and is write-protected; name another file")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise FileError(f"{option} {told(path)} cannot be written: {error.strerror}; choose another place") from None


def bytes_needed(shape: Sequence[int], steps: int) -> int:
    """Memory of a solve: about 8 + 2 d arrays of (T+1) x cells in float64, the finished dataset included."""
    return 8 * (8 + 2 * len(shape)) * math.prod(shape) * (steps + 1)


def finite_bytes_needed(states: int, actions: int, steps: int, entries: int) -> int:
    """Memory of a solve of a finite game: some policies (T, actions, states), levels, and the transitions."""
    policies, levels = POLICIES * steps * actions * states, 12 * (steps + 1) * states
    return 8 * (policies + levels) + 16 * entries


def check_memory(shape: Sequence[int], steps: int) -> None:
    """Refuse a grid whose solve needs more memory than the machine has: it would be killed, without a word."""
    sizes = cut("x".join(str(n) for n in shape), 80)
    _check(f"a grid of shape {sizes} with {steps} steps", bytes_needed(shape, steps))


def check_problem(problem: Problem) -> None:
    """The same for any problem."""
    if not problem.is_finite:
        check_memory(problem.grid.shape, problem.time.steps)
        return
    actions, entries = _sizes(problem)
    states, steps = problem.grid.size, problem.time.steps
    needed = finite_bytes_needed(states, actions, steps, entries)
    _check(f"a game of {states} states, {actions} actions and {steps} steps", needed)


def _sizes(problem: Problem) -> tuple[int, int]:
    """Actions, and how many chances are stored in all, as far as both are known before the crowd is."""
    space = getattr(problem.grid, "space", problem.grid)
    actions = max(dynamics.action_count for dynamics in problem.all_dynamics)
    return max(actions, 1), sum(dynamics.chance_count(space, problem.time) for dynamics in problem.all_dynamics)


def _check(what: str, needed: float) -> None:
    present = _memory()
    if needed > present:
        raise InputError(
            f"{what} needs about {_gibibytes(needed)} of memory; "
            f"this machine has {_gibibytes(present)} to spare: take a coarser --shape or fewer --steps"
        )


def _gibibytes(number: float) -> str:
    if number >= 2**100:
        return human_size(int(number))
    return f"{number / 2**30:,.3g} GiB" if number < 2**40 else f"{number / 2**30:,.0f} GiB"


def _memory() -> float:
    """Bytes of memory that can be had, see `mfgsolve.inputs.memory`."""
    there = available_memory()
    return math.inf if there is None else float(there)
