"""The subcommand that runs several solvers on one game."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mfgsolve.cautions import stored
from mfgsolve.command import completing
from mfgsolve.command.arguments import (
    SOLVERS,
    Json,
    Name,
    Scheme,
    Seconds,
    Settings,
    Shape,
    Steps,
    Strict,
    Tolerance,
    number,
    read_settings,
    read_shape,
    stated_problem,
)
from mfgsolve.errors import FileError
from mfgsolve.inputs.texts import visible

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from mfgsolve.progress import Line
    from mfgsolve.solution.datasets import Measure


def convergence(
    problem: Name,
    solvers: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help=f"Of {SOLVERS}; else all that suit.", autocompletion=completing.solvers),
    ] = None,
    max_sweeps: Annotated[
        float, typer.Option(parser=number, metavar="N", help="Stop each solver after N sweeps.")
    ] = 1000.0,
    max_seconds: Seconds = None,
    tol: Tolerance = 1e-10,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.nc", help="Keep the curves here (NetCDF).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw the curves here (.png, .pdf or .svg).")
    ] = None,
    json: Json = False,
    strict: Strict = False,
    shape: Shape = None,
    steps: Steps = None,
    scheme: Scheme = None,
    settings: Settings = None,
) -> None:
    """Run several solvers on one problem: exploitability against sweeps and seconds.

    Limits hold for each solver.

    Example:  mfgsolve convergence beach-bar --solvers fictitious-play,newton -o conv.nc --plot conv.png
    """
    from mfgsolve.command.preflight import DATA, PICTURES, check_data, check_outputs

    check_outputs({"--output": (output, DATA), "--plot": (plot, PICTURES)}, {"the problem file": problem})
    stated = stated_problem(problem, read_shape(shape), steps, read_settings(settings or []), scheme)
    check_data({"--output": output}, stated)
    from mfgsolve import plots
    from mfgsolve.command.interrupts import Interrupts, nothing_written
    from mfgsolve.command.progress import Progress
    from mfgsolve.command.report import convergence_facts, convergence_rows
    from mfgsolve.solvers import suited
    from mfgsolve.studies.convergence import convergence

    names = suited(stated) if solvers is None else [name.strip() for name in solvers.split(",")]
    written: list[Path] = []
    line = Progress.of(stated, tol)
    with nothing_written("--max-seconds S ends each solver after S seconds"), Interrupts() as interrupts, line:

        def watch(label: str, measure: Measure) -> None:
            interrupts.check()
            line.update_one(label, measure)

        compared = convergence(stated, names, max_sweeps=max_sweeps, max_seconds=max_seconds, tol=tol, callback=watch)
        interrupts.check()
        failure = keep(compared, output, plot, plots.convergences, line, written)
    tell(compared, json, convergence_facts, convergence_rows, written, failure, strict)


def keep(
    compared: xr.Dataset, output: Path | None, plot: Path | None, draw: Callable[[xr.Dataset], Figure], line: Line,
    written: list[Path],
) -> FileError | None:  # fmt: skip
    """Write the data and the picture; what fails is returned, to be raised once the numbers have been told."""
    from mfgsolve.files import write_dataset

    try:
        if output is not None:
            line.doing = f"writing {visible(output.name)}"
            write_dataset(compared, output)
            written.append(output)
        if plot is not None:
            line.doing = f"drawing {visible(plot.name)}"
            from mfgsolve import plots  # where there is something to draw: it takes its time

            plots.save(draw(compared), plot)
            written.append(plot)
    except FileError as error:
        return error
    return None


def tell(
    compared: xr.Dataset, json: bool, facts: Callable[[xr.Dataset], dict[str, Any]],
    rows: Callable[[xr.Dataset], list[tuple[str, str]]], written: list[Path], failure: FileError | None, strict: bool,
) -> None:  # fmt: skip
    """Print the numbers, as one JSON object or as a small table; what could not be written is told last."""
    from mfgsolve.command.report import NOT_CONVERGED, say, to_json, told

    cautions = stored(compared.attrs)
    if json:
        to_json(facts(compared))
    else:
        say(
            (f"Wrote {' and '.join(str(path) for path in written)}." if written else "") + told(cautions),
            rows(compared),
        )
    if failure is not None:
        raise failure
    if strict and cautions:
        raise typer.Exit(NOT_CONVERGED)
