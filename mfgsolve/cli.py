"""The command ``mfgsolve``.  Everything heavy is imported where it is used, so that ``--help`` answers at once.

Exit codes: 0 converged (or done), 2 bad input, 3 not converged (files are written all the same), 130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mfgsolve.arguments import (
    Iterations,
    Json,
    Output,
    PlanFile,
    Plot,
    Seconds,
    Threads,
    number,
    read_settings,
    read_shape,
    stated_problem,
    whole,
)
from mfgsolve.errors import FileError, InputError, unknown
from mfgsolve.report import complain, silence

if TYPE_CHECKING:
    from mfgsolve.problem import Problem
    from mfgsolve.datasets import Measure
    from mfgsolve.solution import Solution

    Watch = Callable[[Measure], None]

__all__ = ["app", "main"]

BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 2, 3, 130
PICTURE_KINDS = ("plan", "value", "speed", "convergence")

app = typer.Typer(
    name="mfgsolve",
    help="Solve mean-field games on a grid to machine precision, with a certificate, and see the plan.",
    epilog="Start here:  mfgsolve solve supply-demand --shape 32x32 --steps 256 -o plan.nc --plot plan.png",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Enter a function as a subcommand; what a user can mend ends in one sentence and an exit code."""

    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> None:
        try:
            with _warnings_told():
                function(*args, **options)
        except InputError as error:
            complain(str(error))
            raise typer.Exit(BAD_INPUT) from None
        except MemoryError as error:
            complain(f"out of memory ({error or 'no more to be had'}); take a coarser --shape or fewer --steps")
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt as error:
            complain(f"interrupted{error}", "Stopped")
            raise typer.Exit(INTERRUPTED) from None

    return app.command(no_args_is_help=function.__name__ != "list_problems", name=_name(function))(guarded)


def _name(function: Callable[..., None]) -> str:
    return function.__name__.removesuffix("_problems")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        import mfgsolve
        from mfgsolve.report import say

        say(f"mfgsolve {mfgsolve.__version__}")
        raise typer.Exit


@command
def list_problems(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Tell about this one in full.")] = None,
) -> None:
    """List the named problems, one line each with its source; with a name, its parameters too.

    Example:  mfgsolve list supply-demand
    """
    from mfgsolve import problems
    from mfgsolve.report import problem_rows, say

    if name is None:
        entries = [problems.get(each) for each in problems.names()]
        say(rows=[(entry.name, f"{entry.summary} Source: {entry.source}") for entry in entries])
        return
    entry = problems.get(name)
    say(rows=[(entry.name, entry.summary), ("source", entry.source), *problem_rows(entry)])


@command
def solve(
    problem: Annotated[str, typer.Argument(metavar="NAME|FILE.toml", help="A problem of 'mfgsolve list' or a file.")],
    shape: Annotated[
        str | None, typer.Option(metavar="64x64", help="Cells along each axis in array order (..., ny, nx).")
    ] = None,
    steps: Annotated[int | None, typer.Option(parser=whole, metavar="N", help="Time steps.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter, or a dotted key of the file; repeatable."),
    ] = None,
    tol: Annotated[float, typer.Option(parser=number, metavar="TOL", help="Relative exploitability to reach.")] = 1e-10,
    solver: Annotated[str, typer.Option(metavar="NAME", help="newton, frank-wolfe or fictitious-play.")] = "newton",
    output: Output = None,
    plot: Plot = None,
    json: Json = False,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE.nc", help="Keep a file from which 'mfgsolve resume' goes on.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(metavar="FILE.nc", help="Start from this solution, also of another grid.")
    ] = None,
    max_iterations: Iterations = None,
    max_seconds: Seconds = None,
    threads: Threads = None,
) -> None:
    """Solve a named problem or a problem file to a certified relative exploitability.

    Exit code 0: converged; 2: bad input; 3: not converged (files are written all the same); 130: interrupted.

    Example:  mfgsolve solve supply-demand --shape 64x64 --steps 512 --set reward=2.0 -o plan.nc --plot plan.png
    """
    from mfgsolve.preflight import DATA, PICTURES, check_memory, check_outputs

    check_outputs(
        {"--output": (output, DATA), "--plot": (plot, PICTURES), "--checkpoint": (checkpoint, DATA)},
        {"--start": start, "the problem file": problem},
    )
    stated = stated_problem(problem, read_shape(shape), steps, read_settings(settings or []))
    check_memory(stated.grid.shape, stated.time.steps)
    import mfgsolve

    def work(watch: Watch) -> Solution:
        return mfgsolve.solve(
            stated, method=solver, tol=tol, start=start, max_iterations=max_iterations, max_seconds=max_seconds,
            callback=watch, checkpoint=checkpoint, check="ignore", threads=threads,
        )  # fmt: skip

    _solve(work, stated, tol, checkpoint, output, plot, json)


@command
def resume(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT.nc", help="A file of solve --checkpoint.")],
    output: Output = None,
    plot: Plot = None,
    json: Json = False,
    tol: Annotated[
        float | None,
        typer.Option(parser=number, metavar="TOL", help="Relative exploitability to reach; else that of the solve."),
    ] = None,
    max_iterations: Iterations = None,
    max_seconds: Seconds = None,
    threads: Threads = None,
) -> None:
    """Go on from a checkpoint, to the same answer; the checkpoint is kept up to date.

    Limits count from the first start of the solve.

    Example:  mfgsolve resume f.nc -o plan.nc
    """
    from mfgsolve.preflight import DATA, PICTURES, check_outputs

    check_outputs({"--output": (output, DATA), "--plot": (plot, PICTURES)}, {"the checkpoint": checkpoint})
    import mfgsolve
    from mfgsolve.solving import stored_problem

    stated, stored_tol = stored_problem(checkpoint)
    reach = stored_tol if tol is None else tol

    def work(watch: Watch) -> Solution:
        return mfgsolve.resume(
            checkpoint, tol=reach, max_iterations=max_iterations, max_seconds=max_seconds,
            callback=watch, check="ignore", threads=threads,
        )  # fmt: skip

    _solve(work, stated, reach, checkpoint, output, plot, json)


@command
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE.nc", help="A solution or a checkpoint.")], json: Json = False
) -> None:
    """Show what was solved, its certificate and its status.

    Example:  mfgsolve show plan.nc --json
    """
    from mfgsolve.files import file_kind, read_dataset
    from mfgsolve.report import checkpoint_facts, checkpoint_rows, say, solution_rows, to_json, verdict
    from mfgsolve.solution import load

    if file_kind(file) == "checkpoint":
        stored = read_dataset(file, "checkpoint", history_only=True)
        if json:
            to_json(checkpoint_facts(stored, file))
        else:
            say(f"{stored.attrs['problem']}\nGo on with:  mfgsolve resume {file}", checkpoint_rows(stored, file))
        return
    solution = load(file)
    if json:
        to_json(solution.summary())
    else:
        about = solution.dataset.attrs
        made = [("made", f"{about.get('created', 'unknown')}, mfgsolve {about.get('mfgsolve_version', 'unknown')}")]
        say(f"{verdict(solution)}\n\n{about.get('problem', '')}".rstrip(), solution_rows(solution) + made)


@command
def plot(
    file: PlanFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.png", help="Picture: .png, .pdf or .svg.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="plan, value, speed or convergence.")] = "plan",
) -> None:
    """Draw a solution: the plan, its value, its speeds, or how the solve converged.

    Example:  mfgsolve plot plan.nc -o speed.png --kind speed
    """
    from mfgsolve.preflight import PICTURES, check_outputs

    if kind not in PICTURE_KINDS:
        raise InputError(unknown("kind of picture", kind, PICTURE_KINDS))
    check_outputs({"--output": (output, PICTURES)}, {"the solution": file})
    from mfgsolve.report import say
    from mfgsolve.solution import load

    _draw(load(file), output, kind)
    say(f"Wrote {output}.")


@command
def animate(
    file: PlanFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.gif", help="Film: .gif, or .mp4 by ffmpeg.")],
    fps: Annotated[int, typer.Option(parser=whole, metavar="N", help="Pictures a second.")] = 15,
    frames: Annotated[int, typer.Option(parser=whole, metavar="N", help="Pictures in all.")] = 60,
) -> None:
    """Show a solution as a film over time.

    Example:  mfgsolve animate plan.nc -o plan.gif
    """
    from mfgsolve.preflight import ANIMATIONS, check_outputs

    check_outputs({"--output": (output, ANIMATIONS)}, {"the solution": file})
    from mfgsolve import plots
    from mfgsolve.report import say
    from mfgsolve.solution import load

    plots.animate(load(file), output, fps=fps, frames=frames)
    say(f"Wrote {output}.")


# -- solving -----------------------------------------------------------------------------------------------------------


def _solve(
    work: Callable[[Watch], Solution],
    problem: Problem,
    tol: float,
    checkpoint: Path | None,
    output: Path | None,
    plot: Path | None,
    json: bool,
) -> None:
    """Work under a live line, write, then tell; what could not be written is told last."""
    from mfgsolve.progress import Interrupts, Progress, checkpoint_told
    from mfgsolve.report import say, solution_rows, to_json, verdict

    written: list[Path] = []
    failure: FileError | None = None
    line = Progress(tol, problem.grid.shape, problem.time.steps)
    with checkpoint_told(checkpoint), Interrupts() as interrupts, line:

        def watch(measure: Measure) -> None:
            interrupts.check()
            line.update(measure)

        solution = work(watch)
        interrupts.check()
        try:
            if output is not None:
                line.doing = f"writing {output.name}"
                solution.save(output)
                written.append(output)
            if plot is not None:
                line.doing = f"drawing {plot.name}"
                _draw(solution, plot, "plan")
                written.append(plot)
        except FileError as error:
            failure = error
    if json:
        to_json(solution.summary())
    else:
        files = f" Wrote {' and '.join(str(path) for path in written)}." if written else ""
        say(verdict(solution) + files, solution_rows(solution))
    if failure is not None:
        raise failure
    if not solution.converged:
        raise typer.Exit(NOT_CONVERGED)


def _draw(solution: Solution, path: Path, kind: str) -> None:
    from mfgsolve import plots

    plots.save(getattr(plots, kind)(solution), path)


# -- running -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _warnings_told() -> Iterator[None]:
    """Warnings of Python are sentences here, too."""
    import warnings

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(str(message), "Warning")
        yield


def main() -> NoReturn:
    """Entry point of the command."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    try:
        app()
    except KeyboardInterrupt:  # before a command had begun
        complain("interrupted", "Stopped")
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in (errno.EIO, errno.ENOSPC, errno.EPIPE):
            raise
        complain(f"standard output cannot be written: {error.strerror}")
        sys.exit(BAD_INPUT)
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            silence()
    sys.exit(0)
