"""The command ``mfgsolve``: its subcommands, and how each may end.

Everything heavy is imported where it is used, so that ``--help`` answers at once.

Exit codes: 0 converged (or done), 2 bad input, 3 not converged (files are written all the same), 130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from mfgsolve.command.agents import compare
from mfgsolve.command.battling import faceoff
from mfgsolve.command.comparing import convergence
from mfgsolve.command.learning import learn
from mfgsolve.command.refining import refine
from mfgsolve.command.report import BAD_INPUT, INTERRUPTED, complain, say, silence
from mfgsolve.command.showing import animate, list_problems, plot, show
from mfgsolve.command.solving import resume, solve
from mfgsolve.command.sweeping import sweep
from mfgsolve.command.tables import export, table
from mfgsolve.errors import InputError
from mfgsolve.inputs.texts import cut, visible

__all__ = ["app", "main"]

LONGEST = 1000  # characters of what is said about the words of the command line


class _Group(TyperGroup):
    """The subcommands; what is wrong with words of the command line is told without what a terminal would act on."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        with _escaped():
            return super().make_context(*args, **options)

    def invoke(self, *args: Any, **options: Any) -> Any:
        with _escaped():
            return super().invoke(*args, **options)


@contextlib.contextmanager
def _escaped() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if hasattr(error, "message") and hasattr(error, "format_message"):  # typer's own errors have no public class
            error.message = cut(visible(str(error.message), lines=True), LONGEST)
        raise


app = typer.Typer(
    name="mfgsolve",
    cls=_Group,
    help="Solve mean-field games to machine precision, with a certificate, and see the plan.",
    epilog="Start here:  mfgsolve solve supply-demand --shape 32x32 --steps 256 -o plan.nc --plot plan.png",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _guarded(function: Callable[..., None]) -> Callable[..., None]:
    """What a user can mend ends in one sentence and an exit code."""

    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> None:
        try:
            with _warnings_told():
                function(*args, **options)
        except InputError as error:
            complain(str(error))
            raise typer.Exit(BAD_INPUT) from None
        except MemoryError as error:
            complain(
                f"out of memory ({error or 'no more to be had'}); take a coarser --shape, fewer --steps or --agents"
            )
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt as error:
            from mfgsolve.command.interrupts import exit_code

            with contextlib.suppress(OSError):  # the terminal may be gone
                complain(f"interrupted{error}", "Stopped")
            raise typer.Exit(exit_code()) from None

    return guarded


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        import mfgsolve

        say(f"mfgsolve {mfgsolve.__version__}")
        raise typer.Exit


@contextlib.contextmanager
def _warnings_told() -> Iterator[None]:
    """Warnings of Python are sentences here, too."""
    import warnings

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(str(message), "Warning")
        yield


app.command(name="list")(_guarded(list_problems))
for subcommand in (
    solve,
    resume,
    learn,
    show,
    plot,
    animate,
    convergence,
    compare,
    refine,
    sweep,
    faceoff,
    table,
    export,
):
    app.command(no_args_is_help=True)(_guarded(subcommand))


def main() -> NoReturn:
    """Entry point of the command."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="replace")  # of a terminal that knows ASCII alone
    try:
        app()
    except SystemExit as end:
        from mfgsolve.command.interrupts import end_at_once

        end_at_once(end.code)
        raise
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
