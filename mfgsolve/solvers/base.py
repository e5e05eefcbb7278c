"""One driver for every solver: the loop, the stop test, budgets, callbacks, progress, checkpoints and history.

A solver is a frozen dataclass of hyper-parameters with ``init(problem, ...) -> state``, ``step(state) -> state`` and
``finish(state) -> outcome``; the state says what it measured (`Measure`) and can be packed into named arrays and
numbers that continue it bit for bit.  Everything else exists once, here.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from mfgsolve.certificates import Certificate
from mfgsolve.datasets import Measure
from mfgsolve.games import FiniteGame, Game, Policy
from mfgsolve.problem import Problem
from mfgsolve.solution import Status

__all__ = ["UNMEASURED", "Budget", "Guess", "Measure", "Outcome", "Run", "Solver", "State", "Status", "run"]


HARD = "a density or a price has hard bounds, which best responses alone do not keep"
FEASIBLE = 1e-9  # relative violation of a hard bound that is as good as none

LARGE_BLOCK = 4096  # unknowns of a time step from which BLAS may use all its threads

UNMEASURED = Measure(0, 0.0, math.nan, math.nan, math.nan, math.nan, 0, False)


@dataclass
class State(ABC):
    """Where a solver stands; subclasses add their arrays."""

    iteration: int
    sweeps: float
    measure: Measure

    stalled: bool = field(default=False, kw_only=True)
    finished: bool = field(default=False, kw_only=True)  # it has done all that it was to do

    def note(self, found: Certificate, cell_steps: int, final_grid: bool = True) -> None:
        """Enter a certificate as the measure of this iteration."""
        self.measure = Measure(
            iteration=self.iteration,
            sweeps=self.sweeps,
            exploitability=found.exploitability,
            relative_exploitability=found.relative_exploitability,
            potential=found.potential,
            duality_gap=found.duality_gap,
            cell_steps=cell_steps,
            final_grid=final_grid,
            violation=found.violation,
        )

    @abstractmethod
    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """Arrays and numbers from which ``Solver.unpack`` continues bit for bit."""


@dataclass(frozen=True)
class Outcome:
    """What a solver hands over: the game on the final grid, a policy with its own crowd, and a dual value."""

    game: Game
    policy: Policy
    crowd: np.ndarray
    dual: float = math.nan
    sweeps: float = math.nan
    multiplier: np.ndarray | None = None  # of hard bounds, shape of a price
    solver: str = ""  # whose plan it is, and all that ran, where several did
    stages: tuple[str, ...] = ()


Guess = Callable[[Game], np.ndarray]  # a believed crowd (T+1 levels) of the game


class Solver(ABC):
    """Base of all solvers; subclasses are frozen dataclasses."""

    name: str

    @abstractmethod
    def refuses(self, problem: Problem) -> str | None:
        """A sentence why the problem does not suit, or None."""

    @abstractmethod
    def init(self, problem: Problem, tol: float, start: Guess | None = None, threads: int | None = None) -> State: ...

    @abstractmethod
    def step(self, state: Any) -> State: ...

    @abstractmethod
    def finish(self, state: Any) -> Outcome: ...

    @abstractmethod
    def unpack(
        self, problem: Problem, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float],
        measure: Measure, threads: int | None = None,
    ) -> State: ...  # fmt: skip


@dataclass
class Budget:
    """Limits of one run; None is no limit."""

    iterations: int | None = None
    seconds: float | None = None


@dataclass
class Run:
    """What `run` returns."""

    state: State
    status: Status
    history: list[Measure] = field(default_factory=list)
    seconds: float = 0.0


def run(
    solver: Solver,
    state: State,
    tol: float,
    budget: Budget,
    *,
    history: list[Measure] | None = None,
    seconds_before: float = 0.0,
    callback: Callable[[Measure], Any] | None = None,
    save: Callable[[State, list[Measure], float], None] | None = None,
) -> Run:
    """Step until the certificate, a budget or the user says stop.

    ``callback(measure)`` stops the run by returning a true value.  ``save(state, history, seconds)`` writes a
    checkpoint; it is called as often as keeps writing below a twentieth of the time, and at the end.
    """
    with _blas_threads(state):
        return _run(solver, state, tol, budget, history, seconds_before, callback, save)


def _blas_threads(state: Any) -> AbstractContextManager[Any]:
    """Matrices of a few hundred rows are factored ten times slower by two threads than by one, if both are busy."""
    game = getattr(state, "game", None)
    small = isinstance(game, FiniteGame) and game.width < LARGE_BLOCK
    return _libraries().limit(limits=1, user_api="blas") if small else nullcontext()


@cache
def _libraries() -> ThreadpoolController:
    """The libraries of this process, looked up once: it takes longer than a small game."""
    return ThreadpoolController()


def _run(
    solver: Solver, state: State, tol: float, budget: Budget, history: list[Measure] | None, seconds_before: float,
    callback: Callable[[Measure], Any] | None, save: Callable[[State, list[Measure], float], None] | None,
) -> Run:  # fmt: skip
    begun = time.perf_counter()
    rows = [] if history is None else history
    next_save, first = 0.0, history is None

    def elapsed() -> float:
        return seconds_before + time.perf_counter() - begun

    while True:
        if first or not rows or rows[-1].iteration != state.iteration:
            rows.append(_timed(state.measure, elapsed()))
        status = _verdict(state, tol, budget, rows[-1])
        if status is None and callback is not None and callback(rows[-1]):
            status = Status.STOPPED
        now = time.perf_counter()
        whole = status is not Status.NON_FINITE  # what can be gone on from is not written over by what cannot
        if save is not None and whole and (status is not None or now >= next_save):
            save(state, rows, elapsed())
            spent = time.perf_counter() - now
            next_save = time.perf_counter() + 20 * spent
        if status is not None:
            return Run(state, status, rows, elapsed())
        state = solver.step(state)


def _timed(measure: Measure, seconds: float) -> Measure:
    values = {name: getattr(measure, name) for name in measure.__dataclass_fields__}
    return Measure(**{**values, "seconds": seconds})


def _verdict(state: State, tol: float, budget: Budget, row: Measure) -> Status | None:
    if row.final_grid and abs(row.relative_exploitability) <= tol and row.violation <= max(tol, FEASIBLE):
        return Status.CONVERGED
    if not math.isfinite(row.exploitability):  # every solver measures it in every iteration
        return Status.NON_FINITE
    if state.stalled:
        return Status.STALLED
    if state.finished:
        return Status.FINISHED
    if budget.iterations is not None and state.iteration >= budget.iterations:
        return Status.ITERATION_LIMIT
    if budget.seconds is not None and row.seconds >= budget.seconds:
        return Status.TIME_LIMIT
    return None
