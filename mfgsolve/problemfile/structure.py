"""A strict reading of the tables: nothing is coerced, and every fault is told at once with its place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error
from cattrs.gen import make_dict_structure_fn, override

from mfgsolve.couplings import Capacity, Congestion, Coupling, CrowdAversion, LogCongestion, Nonlocal, RunningCost
from mfgsolve.errors import InputError, unknown
from mfgsolve.fields import Box, Bump, Field, Quadratic, Total
from mfgsolve.grids import TimeGrid
from mfgsolve.problemfile.datafile import ArrayField, DataFile
from mfgsolve.problemfile.tables import COUPLING_TABLES, DYNAMICS_TABLES, DataTable, DynamicsTable, Numbers

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
        return _Reader(data, time).converter.structure(document, kind)
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


# -- plain values ------------------------------------------------------------------------------------------------------


def _number(value: Any, _: Any = float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{value!r} is no number")
    if not math.isfinite(value):
        raise InputError(f"{value} is not finite; every number must be")
    return float(value)


def _whole(value: Any, _: Any = int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{value!r} is no whole number")
    return value


def _exactly(kind: type, word: str) -> Any:
    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, kind):
            raise InputError(f"{value!r} is {word}")
        return value

    return hook


def _one_or_many(value: Any, _: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise InputError(f"{value!r} is neither a text nor a list of texts")


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
    raise InputError(f"{value!r} is no name of a data file; write data = 'game.npz'")


def _is_array(value: Any) -> bool:
    """Whether a list holds numbers alone, at any depth."""
    if isinstance(value, list):
        return bool(value) and all(_is_array(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- values that need the data file or the times -----------------------------------------------------------------------


class _Reader:
    """Hooks of one document."""

    def __init__(self, data: DataFile | None, time: TimeGrid | None):
        self.data, self.time = data, time
        self.converter = self._made()

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
        if isinstance(value, list) and value:
            return Total(tuple(self.converter.structure(value, tuple[Field, ...])))
        if isinstance(value, dict) and len(value) == 1:
            ((name, table),) = value.items()
            if name == "array":
                found = self._array(table, None)
                return ArrayField(found.numbers(), found.what, self.time)
            if name not in FIELDS:
                raise InputError(unknown("field", name, [*FIELDS, "array"]))
            made: Field = self.converter.structure(table, FIELDS[name])
            return made
        if isinstance(value, dict | list):
            raise InputError(
                f"a field is a number, a table with one of {', '.join(FIELDS)}, or a list of those that is their sum; "
                f"this {'table' if isinstance(value, dict) else 'list'} has {len(value)} entries"
            )
        if isinstance(value, str):
            raise InputError(f"{value!r} is no number; an array of the data file is written {{array = {value!r}}}")
        return _number(value)

    def _array(self, value: Any, _: Any) -> Numbers:
        """Nested lists, or the name of an array; whether it is there is told now."""
        if not isinstance(value, str | list):
            raise InputError(f"{value!r} is neither a list of numbers nor the name of an array of the data file")
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
        return made if isinstance(made, Coupling) else made.made(self.time)

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
