"""Several solvers on one game: how fast each of them comes to the equilibrium, with the data kept."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve import watch as clock
from mfgsolve.cautions import to_text
from mfgsolve.checkpoints import problem_text
from mfgsolve.claims import verified
from mfgsolve.errors import InputError, real, unknown
from mfgsolve.files import SCHEMA
from mfgsolve.games import make_game
from mfgsolve.problem import Problem
from mfgsolve.progress import Solves, live
from mfgsolve.resolution import settle
from mfgsolve.solution import Status
from mfgsolve.solution.datasets import HISTORY, Measure
from mfgsolve.solvers import make_solver
from mfgsolve.solvers.base import Budget, Run, Solver, begin, restorer, run
from mfgsolve.solving import check_limits

__all__ = ["convergence"]

SWEEP_LIMIT = "sweep limit"
COMPILING = 3  # iterations after which every kernel of a solver has been used


SUMMARY = {
    "best": ("least of max(relative exploitability, violation) so far, of the game itself", "1"),
    "status": ("why the run ended", "1"),
    "method": ("name of the solver", "1"),
    "options": ("hyper-parameters, as JSON", "1"),
}


def convergence(
    problem: Problem,
    solvers: Sequence[str] | Mapping[str, str | Solver] = ("fictitious-play", "newton"),
    *,
    max_sweeps: float = 1000,
    max_seconds: float | None = None,
    tol: float = 1e-10,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    callback: Callable[[str, Measure], Any] | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> xr.Dataset:
    """Run several solvers on the same game and keep the history of each; `mfgsolve.plots.convergences` draws it.

    All are judged by the same certificate, all start from their own cold start.  Each one makes a few
    iterations before its clock starts, so that ``seconds`` hold no compiling.

    Parameters
    ----------
    problem : the game
    solvers : names; or a mapping from labels to names or to solvers with their hyper-parameters set, which compares one
        solver with itself: ``{"uniform": mfg.solvers.FictitiousPlay(average="uniform"), "linear": "fictitious-play"}``
    max_sweeps, max_seconds : budget of each solver; the iteration in which the sweeps are spent is completed, and that
        in which the time is up is left out
    tol : relative exploitability at which a solver is done
    options : hyper-parameters by the solver's name or label
    callback : called with (label, `Measure`) after every iteration; a true value stops this solver, not the others
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`

    Returns
    -------
    xarray.Dataset
        on (solver, iteration): ``exploitability``, ``relative_exploitability``, ``potential``, ``duality_gap``,
        ``violation``, ``sweeps``, ``seconds``, ``cell_steps``, ``final_grid`` and ``best``; on solver: ``status``,
        ``method``, ``options``.  A solver that ended earlier than others has NaN in the iterations it did not make.
        Attributes as of a solution, with ``kind`` "convergence"

    Raises
    ------
    InputError
        for a solver that does not suit the game (naming those that do), an unknown one, a bad limit

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> data = mfg.convergence(mfg.problems.linear_quadratic(shape=(16,), steps=32), max_sweeps=20)
    >>> float(data.relative_exploitability.sel(solver="newton").min()) < 1e-10
    True
    """
    if not isinstance(problem, Problem):
        raise InputError(f"convergence got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    if not real(max_sweeps, "max_sweeps") > 0:
        raise InputError(f"max_sweeps is {max_sweeps}; a positive number is needed")
    check_limits(tol, None, max_seconds, "ignore", None)
    problem = verified(settle(problem))
    runs = _checked(problem, solvers, options or {})
    histories, ends, rate = [], [], problem.time.cost_rate
    with live(Solves.of(problem, tol), progress, verbose) as line:
        for label, solver in runs.items():
            _run(problem, solver, tol, Budget(iterations=COMPILING, seconds=max_seconds))
            watch = _Watch(label, max_sweeps, line.beside(callback))
            ended = _run(problem, solver, tol, Budget(seconds=max_seconds), watch)
            histories.append([row.times(rate) for row in ended.history])
            spent = watch.spent and ended.status is Status.STOPPED
            ends.append(SWEEP_LIMIT if spent else ended.status.value)
    attributes = {
        "schema": SCHEMA, "kind": "convergence", "mfgsolve_version": mfgsolve.__version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "name": problem.name,
        "source": problem.source, "warnings": to_text(problem.cautions), "problem": problem_text(problem),
        "tol": float(tol),
        "max_sweeps": float(max_sweeps), "max_seconds": math.inf if max_seconds is None else float(max_seconds),
    } | problem.time.attrs  # fmt: skip
    return _dataset(runs, histories, ends, attributes)


def _run(problem: Problem, solver: Solver, tol: float, budget: Budget, watch: _Watch | None = None) -> Run:
    """One solver from a cold start, its history alone: the plan itself may be large, and is not kept."""
    begun = clock.clock()
    deadline = None if budget.seconds is None else begun + budget.seconds
    with clock.watching(deadline, raises=False):
        game = make_game(problem)
    state = begin(solver, game, tol, None, deadline)
    return run(
        solver, state, tol, budget, seconds_before=clock.clock() - begun, callback=watch,
        restore=restorer(solver, game, tol),
    )  # fmt: skip


class _Watch:
    """Stops a run when its sweeps are spent, or when the user says so."""

    def __init__(self, label: str, limit: float, callback: Callable[[str, Measure], Any] | None):
        self.label, self.limit, self.callback, self.spent = label, limit, callback, False

    def __call__(self, measure: Measure) -> bool:
        asked = self.callback is not None and bool(self.callback(self.label, measure))
        self.spent = measure.sweeps >= self.limit and not asked
        return asked or self.spent


def _checked(problem: Problem, solvers: Any, options: Mapping[str, Mapping[str, Any]]) -> dict[str, Solver]:
    """Every solver made before the first one runs."""
    if isinstance(solvers, str) or not isinstance(solvers, Mapping | Sequence) or not solvers:
        raise InputError(f"solvers is {solvers!r}; a list of names is needed, say ['fictitious-play', 'newton']")
    pairs = list(solvers.items()) if isinstance(solvers, Mapping) else [(name, name) for name in solvers]
    labels = [str(label) for label, _ in pairs]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"solver {label!r} is listed twice; give each run a label: {{label: solver, ...}}")
    for name in options:
        if name not in labels and name not in [method for _, method in pairs]:
            raise InputError(unknown("solver in options", name, labels))
    given = [{**options.get(method, {}), **options.get(label, {})} if isinstance(method, str) else
             dict(options.get(label, {})) for label, (_, method) in zip(labels, pairs, strict=True)]  # fmt: skip
    return {
        label: make_solver(problem, method, chosen)
        for label, (_, method), chosen in zip(labels, pairs, given, strict=True)
    }


def _dataset(
    runs: dict[str, Solver], histories: list[list[Measure]], ends: list[str], attributes: dict[str, Any]
) -> xr.Dataset:
    length = max(len(rows) for rows in histories)
    both, texts = ("solver", "iteration"), HISTORY
    data: dict[str, Any] = {}
    for name, (text, unit) in texts.items():
        values = np.full((len(runs), length), math.nan)
        for padded, rows in zip(values, histories, strict=True):
            padded[: len(rows)] = [float(getattr(row, name)) for row in rows]
        data[name] = (both, values, {"long_name": text, "units": unit})
    data["best"] = (both, _best(*(data[n][1] for n in ("relative_exploitability", "violation", "final_grid"))))
    data["status"] = ("solver", np.array(ends))
    data["method"] = ("solver", np.array([solver.name for solver in runs.values()]))
    data["options"] = ("solver", np.array([json.dumps(asdict(solver), default=str) for solver in runs.values()]))  # type: ignore[call-overload]
    for name, (text, unit) in SUMMARY.items():
        data[name] += ({"long_name": text, "units": unit},)
    coordinates = {
        "solver": ("solver", np.array(list(runs)), {"units": "1", "long_name": "label of the run"}),
        "iteration": ("iteration", np.arange(length), {"units": "1", "long_name": "iteration"}),
    }
    return xr.Dataset(data, coordinates, attributes)


def _best(relative: np.ndarray, violation: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Best so far; iterations of other games, on coarser grids or at higher temperatures, do not count."""
    distance = np.where(final == 1, np.maximum(relative, violation), math.nan)
    best = np.fmin.accumulate(distance, axis=1)
    return np.where(np.isfinite(final), best, math.nan)  # nothing where no iteration was made
