"""What subcommands do with statements that are no games (`mfgsolve.statements`): solve, show and tabulate them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mfgsolve import methods
from mfgsolve.errors import FileError, InputError, unknown

if TYPE_CHECKING:
    import pandas as pd

    from mfgsolve.statements import Answer, Statement

__all__ = ["answer_table", "given_options", "is_other", "show_answer", "solve_other", "stated_other"]


def given_options(ctx: typer.Context) -> dict[str, Any]:
    """Options that stand on the command line, as opposed to those that have their defaults."""
    return {
        name: value for name, value in ctx.params.items()
        if str(getattr(ctx.get_parameter_source(name), "name", "")) == "COMMANDLINE"
    }  # fmt: skip


def is_other(kind: str) -> bool:
    """Whether a file of that kind holds the answer to a statement that is no game."""
    return kind in methods.STATEMENTS


def stated_other(name: str, settings: Mapping[str, Any], files: Mapping[str, Path | None]) -> Statement[Any] | None:
    """The statement that a name or a file stands for, with its settings and the files beside it; None of a game."""
    from mfgsolve.problemfile.by_name import other_statement, parameter_names

    besides = {key: path for key, path in files.items() if path is not None}
    made, rest = other_statement(name, {**settings, **besides})
    for key in besides:
        if made is None or key in rest:
            raise InputError(f"--{key} is of files that state a network, and {name} is none; leave it out")
    for key in rest if made is not None else ():
        raise InputError(f"{unknown(f'parameter of {name}', key, parameter_names(name))}; write --set KEY=VALUE")
    return made


def solve_other(
    statement: Statement[Any], options: Mapping[str, Any], output: Path | None, plot: Path | None, table: Path | None,
    json: bool, strict: bool,
) -> None:  # fmt: skip
    """Solve under a live line, write, then tell; what could not be written is told last."""
    from mfgsolve.command.comparing import keep
    from mfgsolve.command.interrupts import Interrupts, nothing_written
    from mfgsolve.command.progress import Progress
    from mfgsolve.command.report import NOT_CONVERGED, say, to_json, told

    own, written = inspect.signature(statement.solve_with).parameters, list[Path]()
    for key in options:
        if key not in own:
            option = key.replace("_", "-")
            raise InputError(f"--{option} is of games, and {statement.name} is {statement.noun}; leave it out")
    given = statement.options(options, "solve")
    line = Progress(float(given.get("tol", 1e-10)))
    with nothing_written("--max-seconds S ends it after S seconds"), Interrupts() as interrupts, line:

        def watch(measure: Any) -> None:
            interrupts.check()
            line.update(measure)

        answer: Answer = statement.solve(**given, callback=watch, check="ignore")
        interrupts.check()
        failure = keep(answer.dataset, output, plot, lambda _: answer.plot(), line, written)
        failure = failure or _keep_table(answer, table, written)
    files = [str(path) for path in written]
    if json:
        to_json(answer.summary() | {"files": files})
    else:
        wrote = f" Wrote {' and '.join(files)}." if files else ""
        say(answer.status.sentence + wrote + told(answer.warnings), answer.rows())
    if failure is not None:
        raise failure
    if not answer.converged or (strict and answer.warnings):
        raise typer.Exit(NOT_CONVERGED)


def _keep_table(answer: Answer, table: Path | None, written: list[Path]) -> FileError | None:
    if table is None:
        return None
    from mfgsolve.studies.tables import write_table

    try:
        write_table(answer.table(), table, index=False)
    except FileError as error:
        return error
    written.append(table)
    return None


def show_answer(file: Path, kind: str, json: bool) -> None:
    """What `mfgsolve show` tells of the file of an answer."""
    from mfgsolve.command.report import say, to_json, told

    answer = methods.STATEMENTS[kind].answer.load_header(file)
    if json:
        to_json(answer.summary())
        return
    attrs = answer.dataset.attrs
    made = ("made", f"{attrs.get('created', 'unknown')}, mfgsolve {attrs.get('mfgsolve_version', 'unknown')}")
    say(answer.status.sentence + told(answer.warnings), [*answer.rows(), made])


def answer_table(file: Path, kind: str) -> pd.DataFrame:
    """What `mfgsolve table` writes of the file of an answer."""
    table: pd.DataFrame = methods.STATEMENTS[kind].answer.load(file).table()
    return table
