"""solve and resume: problem in, certified solution out."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve import earlier, watch
from mfgsolve.cautions import Caution, collect, to_text, unique, warn
from mfgsolve.checkpoints import Checkpoint, problem_text, read_checkpoint, saver, spoilt
from mfgsolve.claims import guarantee, posed
from mfgsolve.errors import Doubtful, InputError, NotConverged, real, unknown
from mfgsolve.games import make_game
from mfgsolve.identity import VERSIONS, fingerprint
from mfgsolve.problem import Problem
from mfgsolve.problemfile import as_then
from mfgsolve.problemfile.by_name import by_kind, stated
from mfgsolve.progress import Episodes, Line, Solves, live, logger, told
from mfgsolve.resolution import Judgement, judge, settle
from mfgsolve.resolution.continuum import approached, check_wish
from mfgsolve.resolution.estimating import estimated
from mfgsolve.resolution.ladder import Asked, Solve
from mfgsolve.resolution.reach import reach_cautions, wider
from mfgsolve.solution import Solution, Status, believed_crowd
from mfgsolve.solution import load as load_solution
from mfgsolve.solution.citations import sources_of
from mfgsolve.solution.datasets import Measure, build_dataset, per_time
from mfgsolve.solution.learning import Learning, Reference
from mfgsolve.solvers import make_solver, own_options
from mfgsolve.solvers.base import Budget, Guess, Outcome, Restore, Run, Solver, begin, handed_over, restorer, run
from mfgsolve.stationary import check_final_time

__all__ = ["beside", "check_limits", "learned", "mesh_solver", "resume", "solve", "solve_arguments", "solved"]

WIDER = 3  # times that steps are made to reach farther, where a plan asks for it
REFERENCE = {"tol": 1e-6, "max_seconds": 60.0}  # of the solver that learners are compared with


@dataclass(frozen=True)
class _Job:
    """What is solved, by whom, and how exactly."""

    problem: Problem
    objective: str
    solver: Solver
    tol: float
    reference: Reference | None = None  # what learning is compared with


@by_kind("solve")
def solve(
    problem: Problem | str,
    *,
    method: str | Solver | None = None,
    tol: float = 1e-10,
    tol_continuum: float | None = None,
    objective: str = "equilibrium",
    start: Solution | str | Path | None = None,
    max_iterations: int | None = None,
    max_seconds: float | None = None,
    callback: Callable[[Measure], Any] | None = None,
    checkpoint: str | Path | None = None,
    check: str = "warn",
    threads: int | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
    **options: Any,
) -> Solution:
    """Equilibrium of a mean-field game to a certified relative exploitability.

    Where no solver is named, those that suit run in turn (`mfgsolve.solvers.portfolio`): when one stalls, or falls too
    slowly to reach the tolerance, its best point goes to the next; the best plan is returned, the attribute ``solver``
    says whose it is, ``stages`` who ran, and ``stage`` in the history who took which step.  A named one runs alone.

    Which solver first: "newton" wherever best responses are smooth (controlled
    diffusions, or a temperature) and the coupling has a derivative, to machine precision in tens of sweeps;
    "interior-point" for finite games with a convex potential, sharp above all, hard bounds included; "complementarity"
    for sharp ones without; "frank-wolfe" where there is a potential only, or memory is short; "prior-descent" for
    finite games without any of these, above all sharp ones whose transitions depend on the crowd;
    "fictitious-play" for anything without hard bounds.

    Parameters
    ----------
    problem : the game; or the name of one (``mfgsolve.problems.names()``), whose parameters then stand among the
        options, ``solve("supply-demand", reward=4)``; or the path of a problem file.  What is stated as no game, a
        road network, its name or its file, has options and an answer of its own (`mfgsolve.statements`)
    method : name of a solver, or a solver with its hyper-parameters set; None runs those that suit
        in turn, ``options`` being those of the first
    tol : relative exploitability to stop at
    tol_continuum : distance of the potential to the continuous game, relative to it, that mesh and steps are chosen
        for: a few meshes are solved, the finest one is returned, and its ``discretisation`` holds the estimate and
        the potential extrapolated to the continuum (`mfgsolve.resolution.continuum`).  The shape and the steps of the
        problem are where this begins; it must be stated by functions
    objective : "equilibrium", or "social": the plan that minimises the total cost of all, own cost + sum weight
        <f(m), m> + <g, m_T>, as the equilibrium of the game in which agents also pay what they cost the others.  Its
        ``potential`` is that total.  Where the total is known to be convex its certificate bounds how far it is from
        the least one (attribute ``optimum = "bound"``), else the plan is "stationary", and a warning says so
    start : a solution (or its file) of the same game, also on another grid or with other parameters
    max_iterations, max_seconds : budgets; None is no limit
    callback : called with a `Measure` after every iteration; a true value stops the solve
    checkpoint : file that `resume` continues from, bit for bit
    check : what to do when not converged, or when warnings stand beside the answer: "warn", "raise" (`NotConverged`,
        `Doubtful`; the exception has the ``solution``) or "ignore"
    threads : of the kernels; None decides by the size of the grid.  Results do not depend on it
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`
    options : hyper-parameters of the solver; an unknown one is an error

    Returns
    -------
    Solution

    Raises
    ------
    InputError, NotConverged, Doubtful

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(16, 16), viscosity=0.01))
    >>> solution.relative_exploitability <= 1e-10
    True
    """
    general = dict.fromkeys(solve_arguments()) | {"start": start}
    problem, options = stated(problem, options, general, partial(own_options, method=method), "solve")
    if tol_continuum is None:
        return solved(
            problem, method=method, tol=tol, objective=objective, start=start, max_iterations=max_iterations,
            max_seconds=max_seconds, callback=callback, checkpoint=checkpoint, check=check, threads=threads,
            progress=progress, verbose=verbose, options=options,
        )[0]  # fmt: skip
    for name, value in {"start": start, "max_iterations": max_iterations, "checkpoint": checkpoint}.items():
        if value is not None:
            raise InputError(f"solve got {name}, which is of one mesh, and tol_continuum solves several: leave it out")
    wish = check_wish(tol_continuum)
    check_final_time(problem.time, "tol_continuum", "meshes and steps are refined together over a time")
    check_limits(tol, None, max_seconds, check, threads)
    with collect() as said, live(Solves(tol), progress, verbose) as line:
        of_all: dict[str, Any] = {"method": method, "objective": objective, "threads": threads, "options": options}
        on_one = mesh_solver(tol, **of_all, callback=line.beside(callback))
        solution = approached(settle(problem), wish, on_one, max_seconds)
    solution = solution.estimated(solution.discretisation, tuple(said))
    return _told(solution, "the finest mesh", tol, check)


def solve_arguments() -> list[str]:
    """Names of the arguments of `solve` that are no options of solvers."""
    return [name for name in inspect.signature(solve).parameters if name not in ("problem", "options")]


def mesh_solver(tol: float = 1e-10, **arguments: Any) -> Solve:
    """What solves a game on one mesh for those who solve several; see `mfgsolve.resolution.ladder.Asked`."""

    def on_one(problem: Problem, asked: Asked) -> tuple[Solution, Outcome]:
        limits = {"tol": max(tol, asked.rough), "max_seconds": asked.seconds, "judged": asked.judged}
        return solved(problem, check="ignore", estimate=False, **arguments | limits)

    return on_one


def solved(
    problem: Problem, *, method: str | Solver | None = None, tol: float = 1e-10, objective: str = "equilibrium",
    start: Solution | str | Path | None = None, max_iterations: int | None = None, max_seconds: float | None = None,
    callback: Callable[[Measure], Any] | None = None, checkpoint: str | Path | None = None, check: str = "warn",
    threads: int | None = None, progress: bool | None = None, verbose: bool | int = False, estimate: bool = True,
    judged: bool = True, options: Mapping[str, Any] | None = None, guess: Guess | None = None,
) -> tuple[Solution, Outcome]:  # fmt: skip
    """The same, beside what the solver handed over; a ``guess`` takes the place of a start.

    Without ``estimate`` nothing is solved on a coarser mesh; without ``judged``, the number of steps is not judged.
    """
    if not isinstance(problem, Problem):
        raise InputError(f"solve got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    check_limits(tol, max_iterations, max_seconds, check, threads)
    with live(Solves(tol), progress, verbose) as line:
        with collect() as said:
            problem = settle(problem)
            line.of_problem(problem)
            game = posed(problem, objective)
            job = _Job(problem, objective, make_solver(game, method, dict(options or {}), solve_arguments()), tol)
            budget, callback = Budget(max_iterations, max_seconds), line.beside(callback)
            first = _guess(start) if guess is None else guess
            ended = _run(job, game, first, budget, callback, checkpoint, threads)
            for _ in range(WIDER):
                farther = _farther(problem, ended)
                if farther is None:
                    break
                job, known, wider_game = replace(job, problem=farther), ended, posed(farther, objective)
                ended = _run(job, wider_game, _belief(known), budget, callback, checkpoint, threads, known)
        limited = not estimate or budget != Budget()
        solution, outcome = _conclude(job, ended, said, limited=limited, judged=judged)
        line.reached = solution.relative_exploitability
    return _told(solution, ", ".join(outcome.stages or (job.solver.name,)), job.tol, check), outcome


def _farther(problem: Problem, ended: Run) -> Problem | None:
    """The problem with steps that reach farther, where the plan found asks for that."""
    if ended.verified is None:
        return None
    outcome = ended.verified[0]
    return wider(problem, outcome.game, outcome.policy, outcome.crowd)


def _belief(ended: Run) -> Guess:
    """The crowd of the plan found."""
    assert ended.verified is not None
    crowd: np.ndarray = ended.verified[0].crowd
    return lambda game: crowd.copy()


def learned(
    problem: Problem,
    learner: Solver,
    reference: Reference,
    *,
    tol: float = 0.0,
    max_seconds: float | None = None,
    callback: Callable[[Measure], Any] | None = None,
    checkpoint: str | Path | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> Solution:
    """What a learner makes of a problem, compared with a reference; see `mfgsolve.learn`."""
    check_limits(tol, None, max_seconds, "ignore", threads)
    with live(Episodes.of_learner(learner), progress, verbose) as line:
        with collect() as said:
            problem = settle(problem)
            game = posed(problem, "equilibrium")
            job = _Job(problem, "equilibrium", make_solver(game, learner, {}), tol, reference)
            ended = _run(job, game, None, Budget(None, max_seconds), line.beside(callback), checkpoint, threads)
        return _conclude(job, ended, said, limited=True)[0]


def _run(
    job: _Job, posed: Problem, guess: Guess | None, budget: Budget, callback: Callable[[Measure], Any] | None,
    checkpoint: str | Path | None, threads: int | None, before: Run | None = None,
) -> Run:  # fmt: skip
    """From the first state to the last; ``before`` it, another run has used up some of the seconds."""
    solver, tol, begun = job.solver, job.tol, watch.clock() - (0.0 if before is None else before.seconds)
    save = saver(job.problem, posed, job.objective, solver, tol, checkpoint, job.reference)
    deadline = None if budget.seconds is None else begun + budget.seconds
    with watch.watching(deadline, raises=False):
        game = make_game(posed.levelled(), threads)
    callback = per_time(callback, game.time.cost_rate)
    with told(job.problem, solver.name, tol, callback) as callback:
        state = begin(solver, game, tol, guess, deadline)
        return run(
            solver, state, tol, budget, seconds_before=watch.clock() - begun, callback=callback, save=save,
            restore=restorer(solver, game, tol),
        )  # fmt: skip


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
    progress: bool | None = None,
    verbose: bool | int = False,
) -> Solution:
    """Go on from a checkpoint, to the same answer as the solve that wrote it would have reached.

    ``problem`` is needed only where the game was made of Python functions; limits count from the first start.
    """
    stored = read_checkpoint(checkpoint)
    problem = settle(stored.problem(checkpoint) if problem is None else as_then(problem, stored.version))
    tol = stored.tol if tol is None else tol
    check_limits(tol, max_iterations, max_seconds, check, threads)
    line: Line = Episodes.of_learner(stored.solver) if stored.solver.learns else Solves.of(problem, tol)
    with live(line, progress, verbose), collect() as said:
        game = posed(problem, stored.objective)
        restore = restorer(stored.solver, make_game(game.levelled(), threads), tol)
        with spoilt(checkpoint):
            stored = _of_same_game(stored, game, restore, checkpoint)
            solver, rows = stored.solver, stored.rows
            state = restore(stored.arrays, stored.numbers, rows[-1])
            before = rows[-1].seconds
        job = _Job(problem, stored.objective, solver, tol, stored.reference)
        budget = Budget(max_iterations, max_seconds)
        save = saver(problem, game, stored.objective, solver, tol, checkpoint, stored.reference)
        with told(problem, solver.name, tol, per_time(line.beside(callback), problem.time.cost_rate)) as callback:
            ended = run(
                solver, state, tol, budget, history=rows, seconds_before=before, callback=callback, save=save,
                restore=restore,
            )  # fmt: skip
    solution, outcome = _conclude(job, ended, said, limited=budget != Budget())
    return _told(solution, ", ".join(outcome.stages or (job.solver.name,)), job.tol, check)


def _of_same_game(stored: Checkpoint, posed: Problem, restore: Restore, path: str | Path) -> Checkpoint:
    """The checkpoint, if it is of that game; refuse to go on in another one."""
    if stored.digest == fingerprint(posed):
        return stored
    result = earlier.continued(stored, posed, restore)
    if result is not None:
        return result
    if stored.version not in (*earlier.VERSIONS, *VERSIONS):
        raise InputError(
            f"checkpoint {path} was written by mfgsolve {stored.version}, and this is {mfgsolve.__version__}: it "
            "cannot tell whether the game is the same; solve it again, or start from a solution: "
            "solve(problem, start=...)"
        )
    raise InputError(
        f"checkpoint {path} is of another game than the problem given (grid, times, dynamics, couplings or densities "
        "differ); resume it with its own problem, or solve(problem, start=...) from a solution"
    )


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


def _conclude(
    job: _Job, ended: Run, said: Sequence[Caution], *, limited: bool, judged: bool = True
) -> tuple[Solution, Outcome]:
    """The solution of a run that has ended, what is to be said of it, and what the solver handed over."""
    status, rows, problem = ended.status, ended.history, job.problem
    if ended.verified is None:
        outcome = handed_over(job.solver, ended.state)
        certificate = outcome.certified()
    else:
        outcome, certificate = ended.verified
    steps = Judgement(problem.time.steps, problem.time.chosen)
    if judged:
        steps = judge(problem, certificate.cap_fraction)
    stages = outcome.stages or (job.solver.name,)
    short = reach_cautions(problem, outcome.game, outcome.policy, outcome.crowd)
    cautions = unique(problem.cautions, said, steps.cautions, short)
    distance = estimated(outcome, certificate, rows, limited=limited, judged=steps.work)
    rate = problem.time.cost_rate
    certificate, rows = certificate.times(rate), [row.times(rate) for row in rows]
    attributes = {
        "mfgsolve_version": mfgsolve.__version__, "solver": outcome.solver or job.solver.name,
        "stages": ", ".join(stages), "solver_source": sources_of(job.solver, stages),
        "status": status.value, "tol": job.tol,
        "objective": job.objective, "iterations": rows[-1].iteration, "sweeps": outcome.sweeps,
        "seconds": ended.seconds, "warnings": to_text(cautions),
    } | steps.attributes | distance.attributes  # fmt: skip
    if job.objective == "social":
        attributes["optimum"] = guarantee(outcome.game.problem)

    def dataset() -> xr.Dataset:
        made, text = (outcome.game, outcome.policy, outcome.crowd), {"problem": problem_text(problem)}
        return build_dataset(*made, rows, certificate, attributes | text, outcome.multiplier)

    work = rows[-1].iteration, outcome.sweeps, ended.seconds
    solution = Solution(dataset, status, certificate, *work, problem.name, problem, cautions, discretisation=distance)
    if outcome.played is not None:
        at = np.array([row.iteration for row in rows])
        solution = solution.learned(Learning.of(outcome.played, at, problem.grid.populations, problem.time.steps))
        if job.reference is not None:
            solution = beside(solution, problem, job.reference)
    logger.info("%s: %s at relative exploitability %.1e after %d iterations, %.1f sweeps, %.2f s", problem.name,
                status.value, certificate.relative_exploitability, *work)  # fmt: skip
    return solution, outcome


def beside(solution: Solution, problem: Problem, reference: Reference) -> Solution:
    """What was learned beside a reference, which a solver finds first where it is to: the distance of the densities."""
    learning = solution.learning
    assert learning is not None
    density, gap = reference.density, reference.exploitability
    if reference.kind == "solved":
        exact = solve(problem, check="ignore", **REFERENCE)  # type: ignore[call-overload]
        density, gap = exact.dataset["density"].values, exact.relative_exploitability
    own = solution.dataset["density"].values
    return solution.learned(learning.beside(density, gap, own, problem.grid))


def _told(solution: Solution, stages: str, tol: float, check: str) -> Solution:
    """The solution, after warning of, or refusing, what has not converged or stands beside warnings."""
    sentences = [caution.sentence for caution in solution.warnings]
    ended = solution.converged or solution.status is Status.FINISHED
    if not ended:
        sentences.insert(0,
            f"{stages} ended with status '{solution.status.value}' at relative exploitability "
            f"{solution.relative_exploitability:.1e} (tol {tol:.1e}). {solution.status.sentence}"
        )  # fmt: skip
    if check == "raise" and sentences:
        raise (Doubtful if ended else NotConverged)(" ".join(sentences), solution)
    if check == "warn":
        for sentence in sentences:
            warn(sentence)
    return solution
