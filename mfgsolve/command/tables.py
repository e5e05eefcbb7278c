"""Subcommands that turn a solution into tables: for a paper, a spreadsheet, another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfgsolve.command import completing
from mfgsolve.command.statements import answer_table, is_other
from mfgsolve.errors import InputError
from mfgsolve.inputs.texts import cut

if TYPE_CHECKING:
    import pandas as pd

File = Annotated[
    Path,
    typer.Argument(
        metavar="PLAN.nc|SWEEP.zarr",
        help="A file of a solution, or of a sweep.",
        autocompletion=completing.files(".nc", ".zarr"),
    ),
]
Times = Annotated[
    str | None,
    typer.Option(
        "--times", metavar="T1,T2,...", help="Times within the horizon; else all. Of a sweep: shares of the horizon."
    ),
]
Table = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE.csv", help="Write .csv, .md, .tex or .xlsx; else print as CSV."),
]


def table(
    file: File,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="NAME: x>0.6", help="A region whose mass is told; repeatable."),
    ] = None,
    times: Times = None,
    mean: Annotated[
        str | None,
        typer.Option("--mean", metavar="KEY", help="Of a sweep: mean, deviation and 95 % interval over rng, say."),
    ] = None,
    output: Table = None,
) -> None:
    """Tell how the crowd moves, a line for each time: where its mean is, how much of it is in each region.

    Of a sweep: a line for each point, with its parameters, numbers and masses.

    A region is a comparison of coordinates, with a name before it or not: "shortcut: y<0.4", "0.2<x<0.5 & y<0.4",
    "state == 'A'", "site 3".

    Example:  mfgsolve table plan.nc --where "shortcut: y<0.4" --times 0,0.25,0.5,0.75,1 -o table.md
    """
    _checked(output, file)
    if file.suffix == ".zarr":
        _give(_of_study(file, where or [], read_times(times), mean), output, index=False)
        return
    if mean is not None:
        raise InputError(f"--mean is of sweeps, and {file} is none")
    from mfgsolve.files import file_kind
    from mfgsolve.solution import load

    kind = file_kind(file)
    if is_other(kind):
        if where or times is not None:
            raise InputError(f"--where and --times are of games, and {file} is of another kind: leave them out")
        _give(answer_table(file, kind), output, index=False)
        return
    from mfgsolve.studies.tables import table

    rows = table(load(file), read_regions(where or []), read_times(times))
    _give(rows, output, index=rows.index.name is not None)  # a game without a final time has one row, of no time


def export(
    file: File,
    variable: Annotated[str, typer.Option(metavar="NAME", help="density or value.")] = "density",
    times: Times = None,
    output: Table = None,
) -> None:
    """Write a field of a solution in long form: a line for each time and cell, with its coordinates.

    Example:  mfgsolve export plan.nc --times 0,0.5,1 -o density.csv
    """
    _checked(output, file)
    if file.suffix == ".zarr":
        from mfgsolve.studies.store import open_sweep
        from mfgsolve.studies.summary import field_table

        _give(field_table(open_sweep(file), variable, read_times(times)), output, index=False)
        return
    from mfgsolve.solution import load
    from mfgsolve.studies.tables import export

    _give(export(load(file), variable, read_times(times)), output, index=False)


def _of_study(file: Path, where: list[str], times: list[float] | None, over: str | None) -> pd.DataFrame:
    """The table of a sweep."""
    from mfgsolve.studies.store import open_sweep
    from mfgsolve.studies.summary import study_table

    study = open_sweep(file)
    if where:
        kept = [str(name).removeprefix("mass_") for name in study.data_vars if str(name).startswith("mass_")]
        raise InputError(
            f"--where is told when a sweep is solved; {file} kept the masses of {', '.join(kept) or 'no region'}, and "
            "its table has them all: leave --where out"
        )
    return study_table(study, over, times)


def _checked(output: Path | None, file: Path) -> None:
    """What cannot be written is told first."""
    if output is None:
        return
    from mfgsolve.command.preflight import check_outputs
    from mfgsolve.studies.tables import SUFFIXES, read_suffix

    read_suffix(output)
    check_outputs({"--output": (output, SUFFIXES)}, {"the solution": file})


def _give(frame: pd.DataFrame, output: Path | None, index: bool) -> None:
    from mfgsolve.command.report import say, write_out
    from mfgsolve.studies.tables import as_text, write_table

    if output is None:
        write_out(as_text(frame, ".csv", index))
    else:
        write_table(frame, output, index)
        say(f"Wrote {output}, {len(frame)} rows.")


def read_regions(texts: list[str]) -> dict[str, str]:
    """Regions by name: "NAME: condition", or a condition that is its own name."""
    regions: dict[str, str] = {}
    for text in texts:
        name, colon, condition = text.partition(":")
        name, condition = (name.strip(), condition.strip()) if colon else (text.strip(), text.strip())
        if not (name and condition):
            raise InputError(f"--where {cut(ascii(text))} is no region; write --where 'NAME: x>0.6'")
        if name in regions:
            raise InputError(f"--where names the region {cut(ascii(name))} twice; give each a name of its own")
        regions[name] = condition
    return regions


def read_times(text: str | None) -> list[float] | None:
    """Numbers, with commas between them."""
    if text is None:
        return None
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise InputError(f"--times {cut(ascii(text))} are no numbers; write --times 0,0.5,1") from None
