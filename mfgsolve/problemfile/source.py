"""What the tables of one problem file are read from: its text, its data file, its tables of comma-separated values.

Reading is strict: nothing is coerced, and every fault is told at once with its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from mfgsolve import fields
from mfgsolve.errors import InputError, unknown
from mfgsolve.fields import Bump, Field, Total
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.faults import Faults
from mfgsolve.inputs.forms import FIELD, NUMBER, Form, echoed, many
from mfgsolve.inputs.tables import table
from mfgsolve.problemfile.csvfile import CsvTable
from mfgsolve.problemfile.datafile import ArrayField, DataFile, Numbers, Series
from mfgsolve.problemfile.tables import GRID, STATES
from mfgsolve.spaces import Space

__all__ = ["structure"]

T = TypeVar("T")


def structure(document: Mapping[str, Any], kind: type[T], where: str, data: DataFile | None = None) -> T:
    """The document as a table of this kind, or one `InputError` with a line for every fault."""
    try:
        return table(kind).read(document, _Document(document, data))  # type: ignore[no-any-return, arg-type]
    except InputError as error:
        lines = error.lines() if isinstance(error, Faults) else [str(error)]
        raise InputError("\n".join(f"{where}: {line}" for line in lines)) from None


def _is_array(value: Any) -> bool:
    """Whether a list holds numbers alone, at any depth."""
    if isinstance(value, list):
        return bool(value) and all(_is_array(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Document:
    """The `Source` of the tables of one document."""

    def __init__(self, document: Mapping[str, Any], data: DataFile | None):
        self.document, self.data = document, data

    @cached_property
    def space(self) -> Space | None:
        """Where one population lives; None where the grid is at fault, which is told elsewhere."""
        stated = [key for key in ("grid", "states") if key in self.document]
        return self._made({"grid": GRID, "states": STATES}[stated[0]], stated[0]) if len(stated) == 1 else None

    @cached_property
    def time(self) -> TimeGrid | None:
        """When arrays that change with time have their values; None where the times are at fault."""
        return self._made(table(TimeGrid), "time")

    def _made(self, form: Form, key: str) -> Any:
        try:
            return form.read(self.document.get(key), self)
        except (ValueError, TypeError, ArithmeticError):
            return None

    # -- arrays --------------------------------------------------------------------------------------------------

    def array(self, value: Any) -> Numbers:
        """Nested lists, or the name of an array; whether it is there is told now."""
        if not isinstance(value, str | list):
            raise InputError(f"{echoed(value)} is neither a list of numbers nor the name of an array of the data file")
        result = Numbers(value, self.data)
        if isinstance(value, str) and (self.data is None or f"{value}_row" not in self.data.names):
            result.given  # noqa: B018
        return result

    def series(self, values: Numbers, what: str) -> Series:
        """A number of each step."""
        array, time = values.numbers(), self.time
        if time is None:
            raise InputError(f"{what} is a list, one number for each step, and the times are at fault")
        if not time.settled:
            raise InputError(f"{what} is a list, one number for each step; state steps under [time]")
        if array.shape != (time.steps,):
            raise InputError(f"{what} has shape {array.shape}; one number for each of the {time.steps} steps is needed")
        return Series(tuple(array.tolist()), time.dt)

    def rows(self, value: Any) -> Any:
        """Rows (t, x, y, ...), written out or in a CSV file."""
        if isinstance(value, dict) and "csv" in value:
            return self._table(value).points(("t", "x", "y", "z"))
        return many(many(NUMBER)).read(value, self)

    # -- fields --------------------------------------------------------------------------------------------------

    def field(self, value: Any) -> Field:
        """Number; values of all cells; {bump|quadratic|box|array = ...}; a list of numbers and tables, their sum."""
        if _is_array(value) and isinstance(value, list):
            return ArrayField(Numbers(value, None).numbers(), "a list of the file", self.time)
        if isinstance(value, dict) and "csv" in value:
            return self._table_field(value)
        if isinstance(value, list) and value:
            return Total(many(FIELD).read(value, self))
        if isinstance(value, dict) and len(value) == 1:
            ((name, stated),) = value.items()
            if name == "array":
                return self._array_field(stated)
            if name == "bumps":
                return self._bumps(stated)
            if name not in fields.KINDS:
                raise InputError(unknown("field", name, [*fields.KINDS, "array", "bumps", "csv"]))
            made: Field = table(fields.KINDS[name]).read(stated, self)
            return made
        if isinstance(value, dict | list):
            raise InputError(
                f"a field is a number, a table with one of {', '.join(fields.KINDS)}, or a list of those that is their "
                f"sum; this {'table' if isinstance(value, dict) else 'list'} has {len(value)} entries"
            )
        if isinstance(value, str):
            raise InputError(
                f"{echoed(value)} is no number; an array of the data file is written {{array = {echoed(value)}}}"
            )
        return float(NUMBER.read(value, self))

    def _array_field(self, name: Any) -> ArrayField:
        result = self.array(name)
        if self.data is not None and isinstance(name, str) and self.space is not None:
            self.data.check_coordinates(name, self.space)
        return ArrayField(result.numbers(), result.what, self.time)

    def _table(self, value: Any, also: Sequence[str] = ()) -> CsvTable:
        """The CSV file that a table names, and the digest that it must have."""
        stated = {key: item for key, item in value.items() if key not in also}
        if not (set(stated) <= {"csv", "sha256"} and all(isinstance(item, str) for item in stated.values())):
            raise InputError(f"{echoed(value)} is no name of a table; write {{csv = 'start.csv'}}")
        return CsvTable(Path(value["csv"]))

    def _table_field(self, value: dict[str, Any]) -> Field:
        """Numbers of every cell, from a CSV file."""
        result, column = self._table(value, ("column",)), value.get("column")
        if not (column is None or isinstance(column, str)):
            raise InputError(f"column is {echoed(column)}; the name of a column is needed")
        if self.space is None:
            raise InputError(f"{result.what} is read by cells, and the grid or the states are at fault")
        return ArrayField(result.on_grid(self.space, self.time, column), result.what, self.time)

    def _bumps(self, value: Any) -> Field:
        """A bump of one width at every point of a CSV file, as high as its column ``amplitude`` says."""
        if not (isinstance(value, dict) and "csv" in value and "width" in value):
            raise InputError(
                "bumps are a table with csv = 'points.csv', whose columns are x, y and amplitude, and width"
            )
        result, width = self._table(value, ("width",)), NUMBER.read(value["width"], self)
        names = ["x", "y", "z"][: len(self.space.dims)] if self.space is not None else ["x", "y"]
        rows = result.points([*names, "amplitude"])
        if "amplitude" not in result.names or len(rows[0]) != len(names) + 1:
            raise InputError(f"{result.what} needs the columns {', '.join(names)} and amplitude")
        return Total(tuple(Bump(row[-1], width, row[:-1]) for row in rows))
