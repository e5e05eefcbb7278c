"""Subcommands that solve: from a problem, or on from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfgsolve.command import completing
from mfgsolve.command.arguments import (
    Iterations,
    Json,
    Method,
    Name,
    Output,
    Plot,
    Scheme,
    Seconds,
    Settings,
    Shape,
    Steps,
    Strict,
    Threads,
    ToContinuum,
    Tolerance,
    number,
    read_settings,
    read_shape,
    stated_problem,
)
from mfgsolve.command.comparing import keep
from mfgsolve.command.report import NOT_CONVERGED
from mfgsolve.command.statements import given_options, solve_other, stated_other
from mfgsolve.command.training import check_of_games, resume_task
from mfgsolve.errors import InputError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from mfgsolve.command.progress import Progress
    from mfgsolve.problem import Problem
    from mfgsolve.solution import Solution
    from mfgsolve.solution.datasets import Measure

    Watch = Callable[[Measure], None]

OURS = {  # what is done here, of statements of all kinds
    "problem", "settings", "output", "plot", "json", "strict", "trips", "nodes", "table", "quiet", "verbose",
}  # fmt: skip
Trips = Annotated[Path | None, typer.Option("--trips", metavar="TRIPS.tntp", help="Of a road network: its demand.")]
Nodes = Annotated[
    Path | None, typer.Option("--nodes", metavar="NODE.tntp", help="Of a road network: where its nodes are.")
]
Links = Annotated[
    Path | None,
    typer.Option(
        "--table", metavar="FILE.csv", help="Of roads and economies: write the table of links, wealth or steps."
    ),
]
Whole = Annotated[
    bool, typer.Option("--whole", help="Write what follows from the policy, too, for readers other than mfgsolve.")
]


def solve(
    ctx: typer.Context,
    problem: Name,
    shape: Shape = None,
    steps: Steps = None,
    scheme: Scheme = None,
    settings: Settings = None,
    tol: Tolerance = 1e-10,
    tol_continuum: ToContinuum = None,
    solver: Method = None,
    objective: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="equilibrium, or social: the plan that costs all together least.",
            autocompletion=completing.objectives,
        ),
    ] = "equilibrium",
    output: Output = None,
    plot: Plot = None,
    json: Json = False,
    strict: Strict = False,
    whole: Whole = False,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE.nc", help="Keep a file from which 'mfgsolve resume' goes on.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(metavar="FILE.nc", help="Start from this solution, also of another grid.")
    ] = None,
    max_iterations: Iterations = None,
    max_seconds: Seconds = None,
    threads: Threads = None,
    trips: Trips = None,
    nodes: Nodes = None,
    table: Links = None,
) -> None:
    """Solve a named problem, a problem file or a game of another library to a certified relative exploitability.

    A road network is a file _net.tntp, with its --trips and, for the map, its --nodes.

    Exit code 0: converged; 2: bad input; 3: not converged, or with --strict answers beside which
    warnings stand (files are written all the same); 130: interrupted.

    Example:  mfgsolve solve supply-demand --shape 64x64 --steps 512 --set reward=2.0 -o plan.nc --plot plan.png
    """
    from mfgsolve.command.preflight import DATA, PICTURES, TABLES, check_data, check_outputs

    check_outputs(
        {"--output": (output, DATA), "--plot": (plot, PICTURES), "--checkpoint": (checkpoint, DATA),
         "--table": (table, TABLES)},
        {"--start": start, "the problem file": problem, "--trips": trips, "--nodes": nodes},
    )  # fmt: skip
    given = read_settings(settings or [])
    other = stated_other(problem, given, {"trips": trips, "nodes": nodes})
    if other is not None:
        solve_other(other, {key: each for key, each in given_options(ctx).items() if key not in OURS},
                    output, plot, table, json, strict)  # fmt: skip
        return
    if table is not None:
        raise InputError(
            "--table is of road networks and economies; 'mfgsolve table' writes tables of the file of a game's solution"
        )
    stated = stated_problem(problem, read_shape(shape), steps, given, scheme)
    check_data({"--output": output, "--checkpoint": checkpoint}, stated)
    import mfgsolve
    from mfgsolve.command.progress import Progress

    def work(watch: Watch) -> Solution:
        return mfgsolve.solve(
            stated, method=solver, objective=objective, tol=tol, tol_continuum=tol_continuum, start=start,
            max_iterations=max_iterations, max_seconds=max_seconds, callback=watch, checkpoint=checkpoint,
            check="ignore", threads=threads,
        )  # fmt: skip

    line = Progress.of(stated, tol) if tol_continuum is None else Progress(tol)  # of meshes that are chosen
    if tol_continuum is None:
        foretell(stated, solver, objective)
    carry_out(work, line, checkpoint, output, plot, json, strict, whole)


def foretell(problem: Problem, solver: str | None = None, objective: str = "equilibrium") -> None:
    """Say beforehand what a large solve will take, as information alone: nobody is asked."""
    from mfgsolve.command.preflight import estimate
    from mfgsolve.command.speaking import inform

    needs = estimate(problem, solver, objective)
    if needs.is_big:
        inform(needs.sentence)


def resume(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT.nc",
            help="A file of solve or learn --checkpoint.",
            autocompletion=completing.files(".nc"),
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.nc", help="Write the solution or training (NetCDF).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the plan, or what was learned (.png, .pdf or .svg).")
    ] = None,
    json: Json = False,
    strict: Strict = False,
    whole: Whole = False,
    tol: Annotated[
        float | None,
        typer.Option(parser=number, metavar="TOL", help="Of games: relative exploitability; else that of the solve."),
    ] = None,
    max_iterations: Iterations = None,
    max_seconds: Seconds = None,
    threads: Threads = None,
) -> None:
    """Go on from a checkpoint, to the same answer; the checkpoint is kept up to date.

    Limits count from the first start.  A training of a task has a limit of seconds alone.

    Example:  mfgsolve resume f.nc -o plan.nc
    """
    from mfgsolve.command.preflight import DATA, PICTURES, check_data, check_outputs

    check_outputs({"--output": (output, DATA), "--plot": (plot, PICTURES)}, {"the checkpoint": checkpoint})
    from mfgsolve.files import file_kind

    if file_kind(checkpoint) == "training-checkpoint":
        check_of_games(tol=tol, max_iterations=max_iterations, threads=threads, whole=whole or None)
        resume_task(checkpoint, output, plot, json, strict, max_seconds)
        return
    import mfgsolve
    from mfgsolve.checkpoints import stored_problem
    from mfgsolve.command.progress import Episodes, Progress
    from mfgsolve.command.stored import stored_learner

    stated, stored_tol = stored_problem(checkpoint)
    learner = stored_learner(checkpoint)
    check_data({"--output": output}, stated)
    reach = stored_tol if tol is None else tol
    line = Progress.of(stated, reach) if learner is None else Episodes.of_learner(learner)

    def work(watch: Watch) -> Solution:
        result = mfgsolve.resume(
            checkpoint, problem=stated, tol=reach, max_iterations=max_iterations, max_seconds=max_seconds,
            callback=watch, check="ignore", threads=threads,
        )  # fmt: skip
        return result if learner is None else compared(result, stated, line)

    carry_out(work, line, checkpoint, output, plot, json, strict, whole)


def compared(learned: Solution, problem: Problem, line: Progress) -> Solution:
    """What was learned beside what a solver finds."""
    from mfgsolve.solution.learning import Reference
    from mfgsolve.solving import beside

    line.doing = "all that is learned; now the solver, to compare"
    return beside(learned, problem, Reference("solved"))


def carry_out(
    work: Callable[[Watch], Solution],
    line: Progress,
    checkpoint: Path | None,
    output: Path | None,
    plot: Path | None,
    json: bool,
    strict: bool,
    whole: bool = False,
) -> None:
    """Work under a live line, write, then tell; what could not be written is told last."""
    from mfgsolve.command.interrupts import Interrupts, checkpoint_told
    from mfgsolve.command.report import say, solution_facts, solution_rows, to_json, told, verdict

    written: list[Path] = []
    with checkpoint_told(checkpoint, line), Interrupts() as interrupts, line:

        def watch(measure: Measure) -> None:
            interrupts.check()
            line.update(measure)

        solution = work(watch)
        interrupts.check()
        data = solution.dataset if output is None else _file_of(solution, whole)
        failure = keep(data, output, plot, lambda _: _drawn(solution), line, written)
    if json:
        to_json(solution_facts(solution) | {"files": [str(path) for path in written]})
    else:
        files = f" Wrote {' and '.join(str(path) for path in written)}." if written else ""
        say(verdict(solution) + files + told(solution.warnings), solution_rows(solution))
    if failure is not None:
        raise failure
    ended = solution.converged or solution.status.value == "finished"
    if not ended or (strict and solution.warnings):
        raise typer.Exit(NOT_CONVERGED)


def _file_of(solution: Solution, whole: bool) -> xr.Dataset:
    """What is written of a solution."""
    from mfgsolve.solution.lean import full, lean

    return full(solution.dataset) if whole else lean(solution.dataset)


def _drawn(solution: Solution) -> Figure:
    """What agents learned, or the plan of a solver."""
    from mfgsolve import plots
    from mfgsolve.command.report import is_learned

    return plots.learning(solution) if is_learned(solution) else plots.plan(solution)
