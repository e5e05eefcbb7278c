"""How a value is written in a problem file: as a number, a text, a field of time and place, a list, an array, ...

A form reads what TOML holds; what lies in files beside it, or depends on the grid and the times, it asks the `Source`.
Which form the fields of a dataclass have is said in their declarations; see `mfgsolve.inputs.tables`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from mfgsolve.errors import InputError
from mfgsolve.inputs.faults import gathered
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.texts import cut, visible

__all__ = [
    "ARRAY", "FIELD", "FIELD_OR_PER_AXIS", "FIELD_PER_AXIS", "NUMBER", "NUMBER_OR_ARRAY", "NUMBER_OR_FIELD", "OFFSET",
    "ROWS", "TEXT", "TRANSITIONS", "TRUTH", "TRUTHS", "WHOLE", "WORD", "Form", "Later", "Source", "count", "echoed",
    "many", "one_or_many", "row", "series",
]  # fmt: skip


class Source(Protocol):
    """What a problem file and what it names hold; `mfgsolve.problemfile` has the only one."""

    @property
    def space(self) -> Any:
        """Where one population lives; None where it is at fault, which is told at its place."""

    @property
    def time(self) -> Any:
        """The `TimeGrid`; None where it is at fault."""

    def field(self, value: Any) -> Any:
        """A function of (t, coordinates), or a number."""

    def array(self, value: Any) -> Any:
        """Nested lists, or an array of the data file, as an object with ``numbers``, ``truths`` and ``transitions``."""

    def rows(self, value: Any) -> Any:
        """Rows (t, x, y, ...), written out or in a table beside the file."""

    def series(self, value: Any, what: str) -> Any:
        """A number of each step, as a function of time."""


class Form:
    """How a value is written.

    Parameters
    ----------
    one, several : what it is, in words: "a number", "numbers"
    read : from what TOML holds and the `Source` to the value that the class takes, or to a `Later`
    """

    def __init__(self, one: str, several: str, read: Callable[[Any, Source], Any]):
        self.one, self.several, self.read = one, several, read


class Later:
    """A value that is made of the other values of its table, (name -> value), once they are read."""

    def __init__(self, make: Callable[[Mapping[str, Any]], Any]):
        self.make = make


def echoed(value: Any) -> str:
    """A value as sentences repeat it."""
    return cut(visible(repr(value)))


# -- plain values ------------------------------------------------------------------------------------------------------


def _number(value: Any, _: Any = None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{echoed(value)} is no number")
    if (isinstance(value, int) and abs(value) > sys.float_info.max) or not math.isfinite(value):
        raise InputError(f"{echoed(value)} is not finite; every number must be")
    return float(value)


def _whole(value: Any, _: Any = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{echoed(value)} is no whole number")
    return value


def _exactly(kind: type, fault: str) -> Any:
    def read(value: Any, _: Any) -> Any:
        if not isinstance(value, kind):
            raise InputError(f"{echoed(value)} is {fault}")
        return value

    return read


NUMBER = Form("a number", "numbers", _number)
WHOLE = Form("a whole number", "whole numbers", _whole)
TEXT = Form("a text", "texts", _exactly(str, "no text"))
WORD = Form(TEXT.one, TEXT.several, TEXT.read)  # that a file leaves out where it is as by default
TRUTH = Form("true or false", "true or false", _exactly(bool, "neither true nor false"))


def count(what: str, size: int = 8) -> Form:
    """A whole number of which so much is made, ``size`` bytes each, that it is held against memory first."""

    def read(value: Any, _: Any) -> int:
        affordable(max(_whole(value), 0), size, what.format(value))
        return _whole(value)

    return Form(WHOLE.one, WHOLE.several, read)


# -- lists -------------------------------------------------------------------------------------------------------------


def _each(forms: Iterable[Form], values: list[Any], source: Source) -> tuple[Any, ...]:
    made = []
    with gathered() as faults:
        for k, (form, value) in enumerate(zip(forms, values, strict=True)):
            with faults.at(f"[{k}]"):
                made.append(form.read(value, source))
    return tuple(made)


def many(form: Form) -> Form:
    """A list of any length."""

    def read(value: Any, source: Source) -> Any:
        if not isinstance(value, list):
            raise InputError(f"{echoed(value)} is no list; a list of {form.several} is needed")
        return _each([form] * len(value), value, source)

    return Form(f"a list of {form.several}", f"lists of {form.several}", read)


def one_or_many(form: Form) -> Form:
    """A value, or a list of them."""

    def read(value: Any, source: Source) -> Any:
        return many(form).read(value, source) if isinstance(value, list) else form.read(value, source)

    return Form(f"{form.one} or a list of {form.several}", f"{form.several} or lists of them", read)


def row(*forms: Form) -> Form:
    """A list of as many values as there are forms, the first of which names them all in sentences."""

    def read(value: Any, source: Source) -> Any:
        if not isinstance(value, list) or len(value) != len(forms):
            few = isinstance(value, list) and len(value) < len(forms)
            what = "Not enough values" if few else "Too many values" if isinstance(value, list) else "No list"
            raise InputError(f"{what}: {echoed(value)} came, a row of {len(forms)} is needed")
        return _each(forms, value, source)

    return Form(f"a row of {len(forms)} {forms[0].several}", f"rows of {len(forms)} {forms[0].several}", read)


OFFSET = one_or_many(WHOLE)  # on one axis, or (x, y, ...)

# -- values that need the data file, the space or the times ------------------------------------------------------------

FIELD = Form("a field", "fields", lambda value, source: source.field(value))
ROWS = Form("rows (t, x, y, ...) or {csv = ...}", "rows", lambda value, source: source.rows(value))
ARRAY = Form("an array", "arrays", lambda value, source: source.array(value).numbers())
TRUTHS = Form("an array of truth values", "arrays", lambda value, source: source.array(value).truths())


def _number_or_array(value: Any, source: Source) -> Any:
    return ARRAY.read(value, source) if isinstance(value, str | list) else _number(value)


def _transitions(value: Any, source: Source) -> Any:
    result, states = source.array(value), None if source.space is None else source.space.size

    def make(parts: Mapping[str, Any]) -> Any:  # an action without entries is known by its name alone
        named, allowed = parts.get("actions"), parts.get("allowed")
        return result.transitions(states, len(named) if named else None if allowed is None else len(allowed))

    return Later(make)


def _field_per_axis(value: Any, source: Source) -> Any:
    if source.space is None:
        return 0.0  # how many fields there must be nobody knows; the fault of the grid is told at its place
    names = sorted(source.space.dims)
    if names == ["state"]:
        raise InputError("a field for each axis needs a [grid]; [states] have no axes")
    if len(names) == 1:
        return source.field(value[0] if isinstance(value, list) and len(value) == 1 else value)
    if not isinstance(value, list) or len(value) != len(names):
        raise InputError(
            f"{echoed(value)} came; a list of {len(names)} fields, one for each axis in the order "
            f"{', '.join(names)}, is needed"
        )
    return _each([FIELD] * len(names), value, source)


def _field_or_per_axis(value: Any, source: Source) -> Any:
    """A list is one entry for each axis where there are several, and none of its entries is a list (an array is)."""
    axes = 1 if source.space is None else len(source.space.dims)
    if isinstance(value, list) and axes > 1 and not any(isinstance(each, list) for each in value):
        if len(value) != axes:
            raise InputError(
                f"{echoed(value)} came; a list of {axes} numbers or fields, one for each axis in the order "
                f"{', '.join(sorted(source.space.dims))}, is needed"
            )
        return _each([FIELD] * axes, value, source)
    return source.field(value)


NUMBER_OR_FIELD = Form("a number or a field", "numbers or fields", lambda value, source: source.field(value))
FIELD_OR_PER_AXIS = Form(
    "a number or a field, or a list with one for each axis in the order x, y, z", "numbers or fields",
    _field_or_per_axis,
)  # fmt: skip
NUMBER_OR_ARRAY = Form("a number or an array", "numbers or arrays", _number_or_array)
TRANSITIONS = Form("an array, or the name of triples", "arrays", _transitions)
FIELD_PER_AXIS = Form(
    "a list of fields, one for each axis in the order x, y, z (on one axis a single one)", "lists of fields",
    _field_per_axis,
)  # fmt: skip


def series(what: str) -> Form:
    """A number, or one for each step; ``what`` is the subject of sentences."""

    def read(value: Any, source: Source) -> Any:
        if not isinstance(value, str | list):
            return _number(value)
        result = source.array(value)
        return Later(lambda _: source.series(result, what))

    return Form("a number, or a list with one for each step", "numbers of each step", read)
