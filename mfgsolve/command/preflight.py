"""Checks before a long solve: that what it will write can be written, that it fits into memory, and how long it takes.

*Time* is that of Newton's method on a diffusion: cells x steps x sweeps x a cost, with the sweeps that the flagship
takes to 1e-10 (40 upwind, 56 to 61 entropic, hardly more on finer grids) and the cost of a cell in one step of one
sweep, couplings and certificates included, on one thread of a processor of 2023 (upwind 15 to 28 ns, entropic 25 to 40
ns from 64x64x40 to 192x192x220).  It is right within a factor 2 for such games; with two threads it is up to twice
less, and games that need several solvers, bounds or a social optimum take several times more.  For games of finite
lists of actions and for other solvers no time is told: their iterations vary by factors of a hundred.
*Memory* is that of the arrays of a solve, the dataset and the file's image, beside what the process itself takes.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    "TABLES",
    "Estimate",
    "bytes_needed",
    "check_data",
    "check_memory",
    "check_outputs",
    "check_problem",
    "estimate",
]

DATA = (".nc",)
PICTURES = (".jpg", ".pdf", ".png", ".svg")
TABLES = (".csv", ".md", ".tex", ".xlsx")
POLICIES = 8  # arrays (steps, actions, states) that a solver and the finished dataset hold
ANIMATIONS = (".gif", ".mp4")
BASE = 2.5e8  # bytes of a process that has all libraries loaded
SWEEPS = {"upwind": 40, "entropic": 60}  # of Newton's method to 1e-10
COST = {"upwind": 2.2e-8, "entropic": 3.2e-8}  # seconds of a cell in one step of one sweep
STARTING = 1.0  # seconds before the first sweep
LONG, LARGE = 20.0, 2e9  # seconds and bytes that are worth a line


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


@dataclass(frozen=True)
class Estimate:
    """What a solve will need: bytes, and seconds (NaN where nobody knows)."""

    memory: float
    seconds: float

    @property
    def is_big(self) -> bool:
        return self.memory > LARGE or self.seconds > LONG

    @property
    def sentence(self) -> str:
        size = human_size(int(self.memory))
        if math.isnan(self.seconds):
            return f"this needs about {size} of memory"
        time = f"about {_duration(self.seconds)} on one thread, give or take a factor 2"
        return f"this needs about {size} of memory, and {time} (by the size of the grid and the usual count of sweeps)"


def estimate(problem: Problem, method: str | None = None, objective: str = "equilibrium") -> Estimate:
    """Memory and time of a solve to 1e-10, see the module; time is NaN where the solver is not the usual one."""
    if problem.is_finite:
        actions, entries = _sizes(problem)
        return Estimate(BASE + finite_bytes_needed(problem.grid.size, actions, problem.time.steps, entries), math.nan)
    memory = BASE + bytes_needed(problem.grid.shape, problem.time.steps)
    usual = method in (None, "newton") and objective == "equilibrium" and problem.scheme in COST
    if not usual:
        return Estimate(memory, math.nan)
    work = problem.grid.size * problem.time.steps * SWEEPS[problem.scheme]
    return Estimate(memory, STARTING + work * COST[problem.scheme])


def _duration(seconds: float) -> str:
    """Seconds in one rounded word or two."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.2g} hours"


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
