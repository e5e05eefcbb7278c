"""The subcommand that solves a game on ever finer meshes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfgsolve.command.arguments import (
    Json,
    Method,
    Name,
    Scheme,
    Seconds,
    Settings,
    Shape,
    Steps,
    Strict,
    Threads,
    ToContinuum,
    Tolerance,
    read_settings,
    read_shape,
    stated_problem,
    whole,
)
from mfgsolve.command.comparing import keep, tell

if TYPE_CHECKING:
    from mfgsolve.solution.datasets import Measure


def refine(
    problem: Name,
    levels: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Meshes at most; 3 without --tol-continuum.")
    ] = None,
    tol_continuum: ToContinuum = None,
    solver: Method = None,
    tol: Tolerance = 1e-10,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.nc", help="Keep the numbers here (NetCDF).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw the errors here (.png, .pdf or .svg).")
    ] = None,
    json: Json = False,
    strict: Strict = False,
    scheme: Scheme = None,
    shape: Shape = None,
    steps: Steps = None,
    settings: Settings = None,
    max_seconds: Seconds = None,
    threads: Threads = None,
) -> None:
    """Solve a problem on ever finer meshes, and tell how far it is from the continuous game.

    The first mesh is --shape and --steps; the ladder ends at --levels, at an estimated distance of --tol-continuum, or
    where memory or time say stop.

    Example:  mfgsolve refine supply-demand --shape 32x32 --levels 3 -o refine.nc --plot refine.png
    """
    from mfgsolve.command.preflight import DATA, PICTURES, check_data, check_outputs

    check_outputs({"--output": (output, DATA), "--plot": (plot, PICTURES)}, {"the problem file": problem})
    stated = stated_problem(problem, read_shape(shape), steps, read_settings(settings or []), scheme)
    check_data({"--output": output}, stated)
    from mfgsolve import plots
    from mfgsolve.command.distance import refinement_facts, refinement_rows
    from mfgsolve.command.interrupts import Interrupts, nothing_written
    from mfgsolve.command.progress import Progress
    from mfgsolve.studies.refine import refine

    written: list[Path] = []
    line, remedy = Progress(tol), "fewer --levels, or --max-seconds S for all meshes together, end it earlier"
    with nothing_written(remedy), Interrupts() as interrupts, line:

        def watch(mesh: str, measure: Measure) -> None:
            interrupts.check()
            line.update_one(mesh, measure)

        study = refine(
            stated, levels, tol_continuum=tol_continuum, method=solver, tol=tol, max_seconds=max_seconds,
            callback=watch, threads=threads,
        )  # fmt: skip
        interrupts.check()
        failure = keep(study.dataset, output, plot, plots.refinement, line, written)
    tell(study.dataset, json, refinement_facts, refinement_rows, written, failure, strict)
    if (study.dataset["status"] != "converged").any() or not study.is_near:
        from mfgsolve.command.report import NOT_CONVERGED

        raise typer.Exit(NOT_CONVERGED)
