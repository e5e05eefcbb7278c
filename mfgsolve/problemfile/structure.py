"""A strict reading of the tables: nothing is coerced, and every fault is told at once with its place."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error
from cattrs.gen import make_dict_structure_fn, override

from mfgsolve.couplings import Capacity, Congestion, Coupling, CrowdAversion, LogCongestion, Nonlocal, RunningCost
from mfgsolve.errors import InputError, unknown
from mfgsolve.fields import Box, Bump, Field, Quadratic, Total
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.problemfile.csvfile import CsvTable
from mfgsolve.problemfile.datafile import ArrayField, DataFile
from mfgsolve.problemfile.tables import (
    COUPLING_TABLES,
    DYNAMICS_TABLES,
    DataTable,
    DynamicsTable,
    GridTable,
    Numbers,
    StatesTable,
)
from mfgsolve.spaces import Space

__all__ = ["data_table", "structure"]

T = TypeVar("T")

COUPLINGS: dict[str, Any] = {
    "capacity": Capacity,
    "congestion": Congestion,
    "crowd-aversion": CrowdAversion,
    "log": LogCongestion,
    "nonlocal": Nonlocal,
    "running-cost": RunningCost,
} | COUPLING_TABLES
FIELDS: dict[str, type] = {"bump": Bump, "quadratic": Quadratic, "box": Box}


def structure(
    document: Mapping[str, Any], kind: type[T], where: str, data: DataFile | None = None, time: TimeGrid | None = None
) -> T:
    """The document as a table of this kind, or one `InputError` with a line for every fault."""
    try:
        return _Reader(document, data, time).converter.structure(document, kind)
    except BaseValidationError as error:
        faults = transform_error(error, path="", format_exception=_sentence)
        lines = [_tidy(fault) for fault in faults]
        raise InputError("\n".join(f"{where}: {line}" for line in lines)) from None


def _tidy(fault: str) -> str:
    """``sentence @ .path`` of cattrs as ``path: sentence``."""
    sentence, _, path = fault.rpartition(" @ ")
    path = path.removeprefix(".")
    return f"{path}: {sentence}" if path else sentence


def _sentence(error: BaseException, kind: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        allowed = [f.name for f in fields(error.cl) if f.init]
        return "; ".join(unknown("key", key, allowed) for key in sorted(error.extra_fields))
    if isinstance(error, KeyError):
        return "this key is missing, and needed"
    return str(error)


def shown(value: Any) -> str:
    """A value as sentences repeat it."""
    return cut(visible(repr(value)))


# -- plain values ------------------------------------------------------------------------------------------------------


def _number(value: Any, _: Any = float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{shown(value)} is no number")
    if (isinstance(value, int) and abs(value) > sys.float_info.max) or not math.isfinite(value):
        raise InputError(f"{shown(value)} is not finite; every number must be")
    return float(value)


def _whole(value: Any, _: Any = int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{shown(value)} is no whole number")
    return value


def _exactly(kind: type, word: str) -> Any:
    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, kind):
            raise InputError(f"{shown(value)} is {word}")
        return value

    return hook


def _one_or_many(value: Any, _: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise InputError(f"{shown(value)} is neither a text nor a list of texts")


def _offset(value: Any, _: Any) -> Any:
    """A whole number on one axis, or a list (x, y, ...)."""
    return tuple(_whole(item) for item in value) if isinstance(value, list) else _whole(value)


def _number_or_list(value: Any, _: Any) -> Any:
    return tuple(_number(item) for item in value) if isinstance(value, list) else _number(value)


def data_table(value: Any, _: Any = None) -> DataTable:
    """A file name; or, as a solution keeps it, a table with the digest besides."""
    if isinstance(value, str):
        return DataTable(value)
    if isinstance(value, dict) and set(value) <= {"file", "sha256"} and all(isinstance(v, str) for v in value.values()):
        return DataTable(**value)
    raise InputError(f"{shown(value)} is no name of a data file; write data = 'game.npz'")


def _is_array(value: Any) -> bool:
    """Whether a list holds numbers alone, at any depth."""
    if isinstance(value, list):
        return bool(value) and all(_is_array(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- values that need the data file or the times -----------------------------------------------------------------------


class _Reader:
    """Hooks of one document."""

    def __init__(self, document: Mapping[str, Any], data: DataFile | None, time: TimeGrid | None):
        self.document, self.data, self.time = document, data, time
        self.converter = self._made()

    @cached_property
    def space(self) -> Space | None:
        """Where one population lives; None where the grid is at fault, which is told elsewhere."""
        kinds: dict[str, Any] = {"grid": GridTable, "states": StatesTable}
        try:
            ((name, kind),) = ((name, kind) for name, kind in kinds.items() if name in self.document)
            made: Space = self.converter.structure(self.document[name], kind).build()
            return made
        except (InputError, BaseValidationError, ValueError, TypeError):
            return None

    def _made(self) -> Converter:
        converter = Converter(forbid_extra_keys=True, detailed_validation=True)
        converter.register_structure_hook(float, _number)
        converter.register_structure_hook(int, _whole)
        converter.register_structure_hook(str, _exactly(str, "no text"))
        converter.register_structure_hook(bool, _exactly(bool, "neither true nor false"))
        for kind, hook in (
            (Field, self._field),
            (Field | None, self._field),
            (str | tuple[str, ...], _one_or_many),
            (int | tuple[int, ...], _offset),
            (float | tuple[float, ...], _number_or_list),
            (float | Numbers, self._number_or_array),
            (float | Numbers | None, self._number_or_array),
            (tuple[tuple[float, ...], ...] | None, self._path),
        ):
            converter.register_structure_hook_func(lambda found, kind=kind: found == kind, hook)  # type: ignore[misc]
        for exact, hook in (
            (Coupling, self._coupling),
            (DynamicsTable, self._dynamics),
            (Numbers, self._array),
            (DataTable, data_table),
        ):
            converter.register_structure_hook_func(lambda found, exact=exact: found is exact, hook)  # type: ignore[misc]
        nonlocal_hook = make_dict_structure_fn(
            Nonlocal, converter, _cattrs_forbid_extra_keys=True, kernel=override(omit=True)
        )
        converter.register_structure_hook_func(lambda kind: kind is Nonlocal, nonlocal_hook)
        return converter

    def _field(self, value: Any, _: Any) -> Field:
        """Number; values of all cells; {bump|quadratic|box|array = ...}; a list of numbers and tables, their sum."""
        if _is_array(value) and isinstance(value, list):
            return ArrayField(Numbers(value, None).numbers(), "a list of the file", self.time)
        if isinstance(value, dict) and "csv" in value:
            return self._table_field(value)
        if isinstance(value, list) and value:
            return Total(tuple(self.converter.structure(value, tuple[Field, ...])))
        if isinstance(value, dict) and len(value) == 1:
            ((name, table),) = value.items()
            if name == "array":
                found = self._array(table, None)
                if self.data is not None and isinstance(table, str) and self.space is not None:
                    self.data.check_coordinates(table, self.space)
                return ArrayField(found.numbers(), found.what, self.time)
            if name == "bumps":
                return self._bumps(table)
            if name not in FIELDS:
                raise InputError(unknown("field", name, [*FIELDS, "array", "bumps", "csv"]))
            made: Field = self.converter.structure(table, FIELDS[name])
            return made
        if isinstance(value, dict | list):
            raise InputError(
                f"a field is a number, a table with one of {', '.join(FIELDS)}, or a list of those that is their sum; "
                f"this {'table' if isinstance(value, dict) else 'list'} has {len(value)} entries"
            )
        if isinstance(value, str):
            raise InputError(
                f"{shown(value)} is no number; an array of the data file is written {{array = {shown(value)}}}"
            )
        return _number(value)

    def _table(self, value: Any, also: Sequence[str] = ()) -> CsvTable:
        """The CSV file that a table names, and the digest that it must have."""
        stated = {key: item for key, item in value.items() if key not in also}
        if not (set(stated) <= {"csv", "sha256"} and all(isinstance(item, str) for item in stated.values())):
            raise InputError(f"{shown(value)} is no name of a table; write {{csv = 'start.csv'}}")
        return CsvTable(Path(value["csv"]))

    def _table_field(self, value: dict[str, Any]) -> Field:
        """Numbers of every cell, from a CSV file."""
        table, column = self._table(value, ("column",)), value.get("column")
        if not (column is None or isinstance(column, str)):
            raise InputError(f"column is {shown(column)}; the name of a column is needed")
        if self.space is None:
            raise InputError(f"{table.what} is read by cells, and the grid or the states are at fault")
        return ArrayField(table.on_grid(self.space, self.time, column), table.what, self.time)

    def _path(self, value: Any, _: Any) -> Any:
        """Rows (t, x, y, ...), written out or in a CSV file."""
        if isinstance(value, dict) and "csv" in value:
            return self._table(value).points(("t", "x", "y", "z"))
        return None if value is None else self.converter.structure(value, tuple[tuple[float, ...], ...])

    def _bumps(self, value: Any) -> Field:
        """A bump of one width at every point of a CSV file, as high as its column ``amplitude`` says."""
        if not (isinstance(value, dict) and "csv" in value and "width" in value):
            raise InputError(
                "bumps are a table with csv = 'points.csv', whose columns are x, y and amplitude, and width"
            )
        table, width = self._table(value, ("width",)), _number(value["width"])
        names = ["x", "y", "z"][: len(self.space.dims)] if self.space is not None else ["x", "y"]
        rows = table.points([*names, "amplitude"])
        if "amplitude" not in table.names or len(rows[0]) != len(names) + 1:
            raise InputError(f"{table.what} needs the columns {', '.join(names)} and amplitude")
        return Total(tuple(Bump(row[-1], width, row[:-1]) for row in rows))

    def _array(self, value: Any, _: Any) -> Numbers:
        """Nested lists, or the name of an array; whether it is there is told now."""
        if not isinstance(value, str | list):
            raise InputError(f"{shown(value)} is neither a list of numbers nor the name of an array of the data file")
        found = Numbers(value, self.data)
        if isinstance(value, str) and (self.data is None or f"{value}_row" not in self.data.names):
            found.given  # noqa: B018
        return found

    def _number_or_array(self, value: Any, _: Any) -> Any:
        return self._array(value, None) if isinstance(value, str | list) else _number(value)

    def _dynamics(self, value: Any, _: Any) -> DynamicsTable:
        return self._by_kind(value, DYNAMICS_TABLES, "dynamics", "diffusion")

    def _coupling(self, value: Any, _: Any) -> Coupling:
        made = self._by_kind(value, COUPLINGS, "coupling", None)
        return made if isinstance(made, Coupling) else made.build(self.time)

    def _by_kind(self, value: Any, kinds: Mapping[str, Any], what: str, default: str | None) -> Any:
        if not isinstance(value, dict) or (default is None and "kind" not in value):
            raise InputError(
                f"a {what} is a table with a kind, one of {', '.join(kinds)}"
                if default is None
                else f"{what} are a table, with a kind, one of {', '.join(kinds)}"
            )
        kind = value.get("kind", default)
        if not isinstance(kind, str) or kind not in kinds:
            raise InputError(unknown(f"kind of {what}", kind, kinds))
        rest = {key: item for key, item in value.items() if key != "kind"}
        return self.converter.structure(rest, kinds[kind])
