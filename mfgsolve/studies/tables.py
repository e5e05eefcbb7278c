"""Numbers of a solution as one table, and tables as files: CSV, Markdown, LaTeX, Excel.

frame = table(solution, {"shortcut": "y<0.4"}, times=[0, 0.5, 1])
write_table(frame, "table.md")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mfgsolve.errors import FileError, InputError, unknown
from mfgsolve.files import replace_file
from mfgsolve.solution import Solution
from mfgsolve.solution.regions import Where, edges_of, space_dims, volumes_of
from mfgsolve.studies.answers import mass

__all__ = ["FORMATS", "SUFFIXES", "export", "read_suffix", "table", "write_table"]

FORMATS = {".csv": "CSV", ".md": "Markdown", ".tex": "LaTeX", ".xlsx": "Excel"}
SUFFIXES = tuple(FORMATS)
DIGITS = ".10g"
ROWS = 1 << 20  # of a sheet
EXPORTED = ("density", "value", "extrapolated_density")


def table(
    solution: Solution, regions: Mapping[str, Where] | None = None, times: Sequence[float] | None = None
) -> pd.DataFrame:
    """How the crowd moves, a row for each time: where its mean is, and how much of it is in each region.

    Parameters
    ----------
    solution : a plan
    regions : by name, see `mfgsolve.solution.regions`; none
    times : within the horizon; all nodes by default

    Returns
    -------
    pandas.DataFrame
        indexed by time: ``mean x``, ... of the axes of a grid (a mean direction where an axis is periodic would need an
        origin: NaN there), ``mass NAME`` of every region, ``left by NAME`` of every exit; of listed
        states the mass of each, if there are no regions.
        Where there are several populations, each column once for each of them.  A game without a final time has a
        single row, without a time

    Raises
    ------
    InputError
        for times outside the horizon, and any where there is none

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.studies.tables import table
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05))
    >>> list(table(solution, {"shortcut": "y<0.4"}, [0, 1]).columns)
    ['mean x', 'mean y', 'mass shortcut']
    """
    dataset = solution.dataset
    density = dataset["density"] if times is None else solution.density_at(list(times))
    lasting = "time" not in density.dims
    volumes, columns = volumes_of(dataset), {}
    places = [name for name in space_dims(dataset) if name != "population"]
    whole = (density * volumes).sum(places)
    for name in sorted(places):
        if edges_of(dataset, name) is None:
            continue
        periodic = dataset[name].attrs.get("boundary") == "periodic"
        mean = (density * volumes * dataset[name]).sum(places) / whole
        columns[f"mean {name}"] = mean * np.nan if periodic else mean
    named = dict(regions or {})
    if not named and "state" in places:
        named = {str(label): [str(label)] for label in dataset["state"].values}
    for name, where in named.items():
        columns[f"mass {name}"] = mass(solution, where, None if times is None else list(times))
    if "exited" in dataset:
        for name in dataset["exit"].values:
            left = dataset["exited"].sel(exit=name)
            columns[f"left by {name}"] = left if lasting else left.interp(time=density["time"].values)
    frame = pd.DataFrame(index=None if lasting else pd.Index(density["time"].values, name="time"))
    for name, column in columns.items():
        if lasting:
            column = column.expand_dims("time", axis=-1)
        if "population" in column.dims:
            for each in column["population"].values:
                frame[f"{name} ({each})"] = column.sel(population=each).values
        else:
            frame[name] = column.values
    return frame


def export(
    solution: Solution, variable: str = "density", times: Sequence[float] | None = None
) -> pd.DataFrame:  # fmt: skip
    """A field of a solution in long form: a row for each time and cell, with its coordinates.

    Parameters
    ----------
    variable : density, value, extrapolated_density
    times : within the horizon (of the density: any; else the nearest nodes); all nodes by default

    Raises
    ------
    InputError
        for a variable that the solution does not have
    """
    dataset = solution.dataset
    allowed = [name for name in EXPORTED if name in dataset]
    if variable not in allowed:
        raise InputError(unknown("variable", variable, allowed))
    values = dataset[variable]
    if times is not None and "time" not in values.dims:
        raise InputError(
            f"times are {list(times)}, and the game has no final time: it is the same at all; leave them out"
        )
    if times is not None:
        at_all = variable == "density"
        values = solution.density_at(list(times)) if at_all else values.sel(time=list(times), method="nearest")
    frame = values.drop_vars([name for name in values.coords if name not in values.dims]).to_dataframe(variable)
    return frame.reset_index()


def read_suffix(path: str | Path) -> str:
    """The suffix of a table's file, if it is one that can be written."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise FileError(
            f"table {path} has the suffix {suffix or 'none'!r}; one of {', '.join(FORMATS)} is needed "
            f"({', '.join(FORMATS.values())})"
        )
    if suffix == ".xlsx":
        try:
            import openpyxl  # noqa: F401
        except ImportError:
            remedy = "pip install openpyxl, or write .csv"
            raise FileError(f"table {path} needs openpyxl, which is not installed: {remedy}") from None
    return suffix


def write_table(frame: pd.DataFrame, path: str | Path, index: bool = True) -> Path:
    """Write a table, whole or not at all; the suffix says how: .csv, .md, .tex, .xlsx."""
    suffix = read_suffix(path)
    if suffix == ".xlsx":
        if len(frame) >= ROWS:
            raise FileError(f"table {path} has {len(frame)} rows; a sheet holds {ROWS}: write .csv, or fewer --times")
        return replace_file(path, lambda temporary: frame.to_excel(temporary, index=index))
    text = as_text(frame, suffix, index)
    return replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def as_text(frame: pd.DataFrame, suffix: str = ".csv", index: bool = True) -> str:
    """A table as CSV, Markdown or LaTeX; CSV keeps all digits."""
    if suffix == ".csv":
        return str(frame.to_csv(index=index))
    plain = frame.reset_index() if index else frame
    head = [str(name) for name in plain.columns]
    rows = [[_cell(value) for value in row] for row in plain.itertuples(index=False)]
    if suffix == ".md":
        clean = [[text.replace("|", r"\|") for text in row] for row in [head, *rows]]
        lines = ["| " + " | ".join(row) + " |" for row in clean]
        return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) + "\n"
    clean = [[_latex(text) for text in row] for row in [head, *rows]]
    lines = [" & ".join(row) + r" \\" for row in clean]
    frame_of = [r"\begin{tabular}{" + "r" * len(head) + "}", r"\hline", lines[0], r"\hline"]
    return "\n".join([*frame_of, *lines[1:], r"\hline", r"\end{tabular}"]) + "\n"


def _cell(value: Any) -> str:
    return format(float(value), DIGITS) if isinstance(value, float | np.floating) else str(value)


def _latex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(letter, f"\\{letter}" if letter in "&%$#_{}" else letter) for letter in text)
