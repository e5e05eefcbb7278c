"""The command ``mfgsolve``: its subcommands, and how each may end.

Everything heavy is imported where it is used, so that ``--help`` answers at once.

Exit codes: 0 converged (or done), 2 bad input (and help, where no command is given), 3 not converged (files are written
all the same), 130 interrupted.  How errors are told under ``--json``: `mfgsolve.command.faults`.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from mfgsolve.command.agents import compare
from mfgsolve.command.battling import faceoff
from mfgsolve.command.comparing import convergence
from mfgsolve.command.completing import completion, prepare
from mfgsolve.command.drawing import animate, plot
from mfgsolve.command.faults import asks_for_json, fault_facts, meant_setting
from mfgsolve.command.learning import learn
from mfgsolve.command.listing import list_problems
from mfgsolve.command.refining import refine
from mfgsolve.command.report import BAD_INPUT, INTERRUPTED
from mfgsolve.command.showing import show
from mfgsolve.command.solving import resume, solve
from mfgsolve.command.speaking import begin_json, complain, json_is_given, quieten, say, silence, to_json
from mfgsolve.command.sweeping import sweep
from mfgsolve.command.tables import export, table
from mfgsolve.command.warming import warm_up
from mfgsolve.command.writing import write
from mfgsolve.errors import FileError, InputError
from mfgsolve.inputs.texts import cut, visible

__all__ = ["app", "main"]

LONGEST = 1000  # characters of what is said about the words of the command line
EPILOG = """Start here:  mfgsolve solve supply-demand --shape 32x32 --steps 256 -o plan.nc --plot plan.png

Exit codes: 0 converged, or done; 2 bad input, and this help where no command is given; 3 not converged (files are
written all the same); 130 interrupted.  Under --json a program reads one object from stdout in every case."""
HELP = {"help_option_names": ["-h", "--help"]}

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell errors alone, and what --json asks for.")]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        metavar="",
        show_default=False,
        help="Tell the work in lines on stderr; -vv: every iteration.",
    ),
]


def _plain_flags(params: list[Any]) -> list[Any]:
    """Options that take no value have no word for one."""
    for param in params:
        if getattr(param, "is_flag", False) and param.metavar is None:
            param.metavar = ""
    return params


class _Command(TyperCommand):
    """A subcommand; an option that is a parameter of the problem is told so."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain_flags(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        words = list(args)  # which the parser takes apart
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            option = getattr(error, "option_name", None)
            if hasattr(error, "possibilities") and "--set" in _options(self):
                meant = meant_setting(str(option), words)
                if meant is not None:
                    error.message = f"no such option: {option}; {meant}"  # type: ignore[attr-defined]
                    error.possibilities = None
            raise


def _options(command: Any) -> set[str]:
    return {name for param in command.params for name in param.opts}


class _Group(TyperGroup):
    """The subcommands; what is wrong with words of the command line is told without what a terminal would act on."""

    words: Sequence[str] = ()

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain_flags(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """An option of the subcommands is told to stand behind one."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            option = str(getattr(error, "option_name", None))
            if hasattr(error, "possibilities") and any(option in _options(one) for one in self.commands.values()):
                error.message = f"no such option here: {option}; it stands behind a command: mfgsolve COMMAND {option}"  # type: ignore[attr-defined]
                error.possibilities = None
            raise

    def make_context(self, info_name: Any, args: list[str], *rest: Any, **options: Any) -> Any:
        self.words = list(args)
        begin_json()
        with _escaped(self.words):
            return super().make_context(info_name, args, *rest, **options)

    def invoke(self, *args: Any, **options: Any) -> Any:
        with _escaped(self.words):
            return super().invoke(*args, **options)


@contextlib.contextmanager
def _escaped(words: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not (hasattr(error, "message") and hasattr(error, "format_message")):
            raise  # typer's own errors have no public class
        error.message = cut(visible(str(error.message), lines=True), LONGEST)
        if asks_for_json(words):
            _fail("usage", str(error.format_message()), BAD_INPUT, True)
        raise


app = typer.Typer(
    name="mfgsolve",
    cls=_Group,
    help="Solve mean-field games to machine precision, with a certificate, and see the plan.",
    epilog=EPILOG.replace("\n\n", "\n\n\n"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=HELP,
)


def _fail(kind: str, text: str, code: int, json: bool, head: str = "Error") -> NoReturn:
    """Tell what went wrong, as one sentence or as one JSON object, and leave."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        try:
            if json and not json_is_given():
                to_json(fault_facts(kind, text, code))
            else:
                complain(text, head)
        except FileError as error:  # stdout is full
            complain(f"{text}; {error}", head)
    raise typer.Exit(code) from None


def _guarded(function: Callable[..., None]) -> Callable[..., None]:
    """What a user can mend ends in one sentence and an exit code."""

    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> None:
        json = bool(options.get("json", False))
        try:
            with _warnings_told():
                function(*args, **options)
        except InputError as error:
            _fail("file" if isinstance(error, FileError) else "bad input", str(error), BAD_INPUT, json)
        except MemoryError as error:
            why = f"out of memory ({error or 'no more to be had'})"
            _fail("memory", f"{why}; take a coarser --shape, fewer --steps or --agents", BAD_INPUT, json)
        except KeyboardInterrupt as error:
            from mfgsolve.command.interrupts import exit_code

            _fail("interrupted", f"interrupted{error}", exit_code(), json, "Stopped")

    return guarded


def _loud(function: Callable[..., None]) -> Callable[..., None]:
    """A subcommand that works long tells as much as is asked for: -q, -v, -vv."""

    @functools.wraps(function)
    def loud(*args: Any, quiet: bool = False, verbose: int = 0, **options: Any) -> None:
        from mfgsolve.progress import Line, live, logged

        plain = quiet or bool(verbose)
        quieten(quiet, live=not plain)
        try:
            with logged(0 if quiet else verbose), live(Line(), False) if plain else contextlib.nullcontext():
                function(*args, **options)
        finally:
            quieten(False)

    signature = inspect.signature(function, eval_str=True)
    more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, default, kind in (("quiet", False, Quiet), ("verbose", 0, Verbose))]  # fmt: skip
    changed: Any = loud
    changed.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *more])
    changed.__annotations__ = {name: each.annotation for name, each in changed.__signature__.parameters.items()}
    return loud


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


def _enter(function: Callable[..., None], name: str | None = None, works: bool = True) -> None:
    """Make a function a subcommand."""
    entered = _guarded(_loud(function) if works else function)
    app.command(name, cls=_Command, no_args_is_help=name not in ("list", "warm-up"), context_settings=HELP)(entered)


_enter(list_problems, "list", works=False)
_enter(write, works=False)
_enter(warm_up, "warm-up", works=False)
_LOUD: tuple[Callable[..., None], ...] = (
    solve, resume, learn, plot, animate, convergence, compare, refine, sweep, faceoff,
)  # fmt: skip
ALL: tuple[Callable[..., None], ...] = (*_LOUD[:3], show, *_LOUD[3:], table, export, completion)
for subcommand in ALL:
    _enter(subcommand, works=subcommand in _LOUD)


def main() -> NoReturn:
    """Entry point of the command."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="replace")  # of a terminal that knows ASCII alone
    prepare()
    try:
        app(prog_name="mfgsolve")
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
