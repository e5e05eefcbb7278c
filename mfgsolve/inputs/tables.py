"""How the fields of a dataclass are written in a problem file: one declaration a field.

A field whose annotation is plain says by it how it is written: ``float``, ``int``, ``str``, ``bool``, a `Field` of time
and place, a dataclass of such fields, tuples of these; ``| None`` changes nothing.  Any other names its form,

>>> from dataclasses import dataclass, field
>>> from mfgsolve.inputs.forms import OFFSET, many
>>> @dataclass(frozen=True)
... class Wind:
...     speed: float
...     towards: Any = field(default=(), metadata={"form": many(OFFSET)})
>>> list(table(Wind).keys)
['speed', 'towards']

and one with neither, or with the form None, cannot be stated in a file.  What has a default in Python, and must be
stated in a file, says so: ``metadata={"needed": True}``.  From these declarations alone files are read,
keys listed in errors, and described (`mfgsolve.problemfile`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeGuard, Union, get_args, get_origin, get_type_hints

import numpy as np

from mfgsolve.errors import InputError, unknown
from mfgsolve.inputs.faults import gathered
from mfgsolve.inputs.forms import FIELD, NUMBER, TEXT, TRUTH, WHOLE, Form, Later, Source, echoed, many, row

__all__ = ["Kinds", "Part", "Table", "group", "inline", "table"]


@dataclass(frozen=True)
class Part:
    """One value of a table."""

    name: str
    form: Form
    needed: bool
    default: Any = None


class Table(Form):
    """A table with keys.

    Parameters
    ----------
    make : from the values by name to what the table stands for
    parts : its values
    inline : whether its keys stand in the table around it
    """

    def __init__(self, make: Callable[..., Any], parts: Iterable[Part], inline: bool = False):
        self.make, self.parts, self.inline = make, tuple(parts), inline
        super().__init__(f"a table of {', '.join(self.keys)}", f"tables of {', '.join(self.keys)}", self._read)

    @property
    def keys(self) -> dict[str, Part]:
        """What may stand in the table."""
        result: dict[str, Part] = {}
        for part in self.parts:
            result |= part.form.keys if _is_inline(part.form) else {part.name: part}
        return result

    def _read(self, value: Any, source: Source) -> Any:
        if not isinstance(value, Mapping):
            raise InputError(f"{echoed(value)} is no table; its keys are {', '.join(self.keys)}")
        values = {}
        with gathered() as faults:
            for part in self.parts:
                if _is_inline(part.form):
                    stated = {key: value[key] for key in part.form.keys if key in value}
                    if stated or part.needed:
                        with faults.at(""):
                            values[part.name] = part.form.read(stated, source)
                elif part.name in value:
                    with faults.at(f".{part.name}"):
                        values[part.name] = part.form.read(value[part.name], source)
                elif part.needed:
                    faults.add(f".{part.name}", "this key is missing, and needed")
            extra = sorted(value.keys() - self.keys.keys())
            if extra:
                faults.add("", "; ".join(unknown("key", key, self.keys) for key in extra))
        return self.make(**{n: v.make(values) if isinstance(v, Later) else v for n, v in values.items()})


def _is_inline(form: Form) -> TypeGuard[Table]:
    return isinstance(form, Table) and form.inline


@cache
def table(kind: type) -> Table:
    """How a dataclass is written, from its fields.

    Raises
    ------
    InputError
        if no file can state it, because a field that is needed has no form
    """
    hints, parts = get_type_hints(kind), []
    for field in fields(kind):
        form = field.metadata["form"] if "form" in field.metadata else _plain(hints[field.name])
        needed = field.default is MISSING and field.default_factory is MISSING
        if form is None and field.init and needed:
            raise InputError(
                f"field {field.name} of {kind.__name__} has no form in a problem file, and no default; "
                "name one, metadata={'form': ...}, or give it a default"
            )
        if form is not None and field.init:
            default = None if field.default is MISSING else field.default
            parts.append(Part(field.name, form, needed or field.metadata.get("needed", False), default))
    return Table(kind, parts)


def inline(kind: type) -> Table:
    """A dataclass whose keys stand in the table around it."""
    return Table(kind, table(kind).parts, inline=True)


def group(needed: bool = True, inline: bool = False, **forms: Form) -> Table:
    """A table that stands for the tuple of its values, None for those that are left out."""

    def make(**values: Any) -> tuple[Any, ...]:
        return tuple(values.get(name) for name in forms)

    return Table(make, [Part(name, form, needed) for name, form in forms.items()], inline)


_PLAIN: dict[Any, Form] = {float: NUMBER, int: WHOLE, str: TEXT, bool: TRUTH}


def _plain(hint: Any) -> Form | None:
    """The form that an annotation tells."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        rest = [arg for arg in args if arg is not NoneType]
        if len(rest) == 1:
            return _plain(rest[0])
        is_field = {float, np.ndarray} < set(rest) and any(get_origin(arg) is Callable for arg in rest)
        return FIELD if is_field else None
    if origin is tuple and args:
        inner = [_plain(arg) for arg in args if arg is not Ellipsis]
        if None in inner:
            return None
        return many(inner[0]) if args[-1] is Ellipsis else row(*inner)  # type: ignore[arg-type]
    return table(hint) if isinstance(hint, type) and is_dataclass(hint) else None


class Kinds(dict[str, type]):
    """Classes by the word that a problem file has for them, ``kind = "..."``."""

    def register(self, kind: str, cls: type) -> None:
        """Let files state a dataclass under a word of its own; see `mfgsolve.inputs.tables` for its fields.

        Raises
        ------
        InputError
            if the word is taken by another class, or a field that is needed has no form
        """
        if self.get(kind, cls) is not cls:
            raise InputError(f"kind {kind!r} is taken by {self[kind].__name__}; take another word")
        table(cls)
        self[kind] = cls
