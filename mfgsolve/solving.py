"""solve and resume: problem in, certified solution out."""

from __future__ import annotations

import importlib
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

import mfgsolve
from mfgsolve.certificates import certify
from mfgsolve.checkpoints import problem_text, read_checkpoint, saver, spoilt
from mfgsolve.datasets import Measure, build_dataset
from mfgsolve.errors import InputError, NotConverged, real, unknown
from mfgsolve.identity import fingerprint
from mfgsolve.problem import Problem
from mfgsolve.resolution import judge, settle
from mfgsolve.solution import Solution, Status, believed_crowd
from mfgsolve.solution import load as load_solution
from mfgsolve.solvers import SOLVERS, make_solver
from mfgsolve.solvers.base import FEASIBLE, Budget, Guess, Run, Solver, run

__all__ = ["check_limits", "resume", "solve"]

OBJECTIVES = ("equilibrium", "social")


def solve(
    problem: Problem,
    *,
    method: str | Solver | None = None,
    tol: float = 1e-10,
    objective: str = "equilibrium",
    start: Solution | str | Path | None = None,
    max_iterations: int | None = None,
    max_seconds: float | None = None,
    callback: Callable[[Measure], Any] | None = None,
    checkpoint: str | Path | None = None,
    check: str = "warn",
    threads: int | None = None,
    **options: Any,
) -> Solution:
    """Equilibrium of a mean-field game to a certified relative exploitability.

    Which solver (the default is the first that suits): "newton" wherever best responses are smooth (controlled
    diffusions, or a temperature) and the coupling has a derivative, to machine precision in tens of sweeps;
    "interior-point" for finite games with a convex potential, sharp above all, hard bounds included; "complementarity"
    for sharp ones without; "frank-wolfe" where there is a potential only, or memory is short; "prior-descent" for
    finite games without any of these, above all sharp ones whose transitions depend on the crowd;
    "fictitious-play" for anything without hard bounds.

    Parameters
    ----------
    problem : the game
    method : name of a solver, or a solver with its hyper-parameters set; None takes the one that suits best
    tol : relative exploitability to stop at
    objective : "equilibrium", or "social": the plan that minimises the total cost of all, own cost + sum weight
        <f(m), m> + <g, m_T>, as the equilibrium of the game in which agents also pay what they cost the others.  Its
        ``potential`` is that total; its certificate bounds how far it is from the least one
    start : a solution (or its file) of the same game, also on another grid or with other parameters
    max_iterations, max_seconds : budgets; None is no limit
    callback : called with a `Measure` after every iteration; a true value stops the solve
    checkpoint : file that `resume` continues from, bit for bit
    check : what to do when not converged: "warn", "raise" or "ignore"
    threads : of the kernels; None decides by the size of the grid.  Results do not depend on it
    options : hyper-parameters of the solver; an unknown one is an error

    Returns
    -------
    Solution

    Raises
    ------
    InputError, NotConverged

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(16, 16), steps=128))
    >>> solution.relative_exploitability <= 1e-10
    True
    """
    if not isinstance(problem, Problem):
        raise InputError(f"solve got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    check_limits(tol, max_iterations, max_seconds, check, threads)
    problem = settle(problem)
    posed = _posed(problem, objective)
    solver = make_solver(posed, method, options)
    begun = time.perf_counter()
    state = solver.init(posed, tol, _guess(start), threads)
    save = saver(problem, posed, objective, solver, tol, checkpoint)
    budget = Budget(max_iterations, max_seconds)
    ended = run(solver, state, tol, budget, seconds_before=time.perf_counter() - begun, callback=callback, save=save)
    return _conclude(problem, objective, solver, tol, ended, check)


def _posed(problem: Problem, objective: str) -> Problem:
    """The game to be solved for an objective."""
    if objective not in OBJECTIVES:
        raise InputError(unknown("objective", objective, OBJECTIVES))
    if objective == "equilibrium":
        return problem
    if not problem.is_potential:
        raise InputError("the social optimum needs a potential game; this one has none")
    return problem.social()


def resume(
    checkpoint: str | Path,
    *,
    problem: Problem | None = None,
    tol: float | None = None,
    max_iterations: int | None = None,
    max_seconds: float | None = None,
    callback: Callable[[Measure], Any] | None = None,
    check: str = "warn",
    threads: int | None = None,
) -> Solution:
    """Go on from a checkpoint, to the same answer as the solve that wrote it would have reached.

    ``problem`` is needed only where the game was made of Python functions; limits count from the first start.
    """
    stored = read_checkpoint(checkpoint)
    problem = settle(stored.problem(checkpoint) if problem is None else problem)
    tol = stored.tol if tol is None else tol
    check_limits(tol, max_iterations, max_seconds, check, threads)
    posed, solver, rows = _posed(problem, stored.objective), stored.solver, stored.rows
    if stored.digest != fingerprint(posed):
        raise InputError(
            f"checkpoint {checkpoint} is of another game than the problem given (grid, times, dynamics, couplings or "
            "densities differ); resume it with its own problem, or solve(problem, start=...) from a solution"
        )
    with spoilt(checkpoint):
        state = solver.unpack(posed, tol, stored.arrays, stored.numbers, rows[-1], threads)
        before = rows[-1].seconds
    save = saver(problem, posed, stored.objective, solver, tol, checkpoint)
    budget = Budget(max_iterations, max_seconds)
    ended = run(solver, state, tol, budget, history=rows, seconds_before=before, callback=callback, save=save)
    solution = _conclude(problem, stored.objective, solver, tol, ended, check)
    if solver.name in SOLVERS:
        return solution
    return importlib.import_module("mfgsolve.learners.learning").beside(solution, solver, problem, False)  # type: ignore[no-any-return]


def check_limits(tol: float, iterations: int | None, seconds: float | None, check: str, threads: int | None) -> None:
    """Refuse limits and options that make no sense."""
    for what, value in (("tol", tol), ("max_iterations", iterations), ("max_seconds", seconds), ("threads", threads)):
        if value is not None:
            real(value, what)
    if not (math.isfinite(tol) and tol >= 0):
        raise InputError(f"tol is {tol}; a relative exploitability of zero or more is needed, say 1e-10")
    if iterations is not None and not (0 <= iterations < math.inf and int(iterations) == iterations):
        raise InputError(f"max_iterations is {iterations}; a whole number of zero or more is needed")
    if seconds is not None and not seconds >= 0:
        raise InputError(f"max_seconds is {seconds}; zero or more is needed")
    if threads is not None and not (threads >= 1 and int(threads) == threads):
        raise InputError(f"threads is {threads}; a whole number of at least 1 is needed")
    if check not in ("warn", "raise", "ignore"):
        raise InputError(unknown("value of check", check, ("warn", "raise", "ignore")))


def _guess(start: Solution | str | Path | None) -> Guess | None:
    if start is None:
        return None
    if not isinstance(start, Solution | str | Path):
        raise InputError(f"start is a {type(start).__name__}; a Solution, or the path of its file, is needed")
    solution = start if isinstance(start, Solution) else load_solution(start)
    return lambda game: believed_crowd(solution, game)


def _conclude(problem: Problem, objective: str, solver: Solver, tol: float, ended: Run, check: str) -> Solution:
    status, rows, seconds = ended.status, ended.history, ended.seconds
    outcome = solver.finish(ended.state)
    certificate = certify(outcome.game, outcome.policy, outcome.crowd, outcome.dual, multiplier=outcome.multiplier)
    attributes = {
        "mfgsolve_version": mfgsolve.__version__, "solver": solver.name, "status": status.value, "tol": tol,
        "objective": objective, "iterations": rows[-1].iteration,
        "sweeps": outcome.sweeps, "seconds": seconds,
    }  # fmt: skip

    def dataset() -> xr.Dataset:
        made, text = (outcome.game, outcome.policy, outcome.crowd), {"problem": problem_text(problem)}
        return build_dataset(*made, rows, certificate, attributes | text, outcome.multiplier)

    judged = judge(problem, certificate.cap_fraction)
    attributes |= judged.attributes
    feasible = certificate.violation <= 2 * max(tol, FEASIBLE)
    honest = abs(certificate.relative_exploitability) <= 2 * tol + 1e-14 and certificate.mass_error <= 1e-9 and feasible
    if status is Status.CONVERGED and not honest:
        status = Status.STALLED
        attributes["status"] = status.value
    solution = Solution(
        dataset, status, certificate, rows[-1].iteration, outcome.sweeps, seconds, problem.name, problem
    )
    if not solution.converged and status is not Status.FINISHED:
        message = (
            f"{solver.name} ended with status '{status.value}' at relative exploitability "
            f"{certificate.relative_exploitability:.1e} (tol {tol:.1e}). {status.sentence}"
        )
        if check == "raise":
            raise NotConverged(message)
        if check == "warn":
            warnings.warn(message, stacklevel=3)
    elif check == "warn" and judged.cautions:
        warnings.warn(str(judged.cautions[0]), stacklevel=3)
    return solution
