"""All keys of a problem file in words, from the declarations that they are read by."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

from mfgsolve import couplings, dynamics, fields
from mfgsolve.dynamics.movement import KINDS as MOVEMENTS
from mfgsolve.grids import Axis
from mfgsolve.inputs.tables import Kinds, Part, Table, table
from mfgsolve.problemfile.exits import ExitTable
from mfgsolve.problemfile.tables import GRID, TIMES, DeclaredProblem

__all__ = ["all_keys"]

WIDTH = 118


def all_keys() -> str:
    """A paragraph for each table of a problem file: its keys, how they are written, what they are if absent, and what
    the docstring of the class says of them.

    Classes that were registered (`mfgsolve.dynamics.KINDS`, `mfgsolve.couplings.KINDS`) are among them.

    Examples
    --------
    >>> "horizon : a number, needed; T, positive" in all_keys()
    True
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    problem = table(DeclaredProblem)
    for part in problem.parts:
        form = part.form
        if isinstance(form, Table):
            yield from _table(f"[{part.name}]", form, form.make)
    for word, form in TIMES.items():
        yield from _table(f'[time] kind = "{word}"', form, form.make)
    yield from _table("[[exit]]", table(ExitTable), ExitTable)
    yield from _kinds("[dynamics]", dynamics.KINDS)
    yield from _kinds("[dynamics.movement]", MOVEMENTS)
    yield from _kinds("[[coupling]] and [[terminal.coupling]]", couplings.KINDS)
    for word, kind in fields.KINDS.items():
        yield from _table(f"{{{word} = ...}}, a field", table(kind), kind)


def _kinds(where: str, kinds: Kinds) -> Iterator[str]:
    for word, kind in kinds.items():
        yield from _table(f'{where} kind = "{word}"', table(kind), kind)


def _table(title: str, form: Table, kind: object) -> Iterator[str]:
    yield title
    attrs = (_parameters(Axis) if form is GRID else {}) | _parameters(kind)
    for part in form.parts:
        if isinstance(part.form, Table) and part.form.inline:
            attrs |= _parameters(part.form.make)
    for name, part in form.keys.items():
        text = f"{name} : {_written(part)}"
        if name in attrs:
            text += f"; {attrs[name]}"
        yield from textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="        ")
    yield ""


def _written(part: Part) -> str:
    if part.needed:
        return f"{part.form.one}, needed"
    plain = isinstance(part.default, int | float | str)
    value = str(part.default).lower() if isinstance(part.default, bool) else repr(part.default).replace("'", '"')
    return f"{part.form.one}, {value} if absent" if plain else part.form.one


def _parameters(kind: object) -> dict[str, str]:
    """The first clause that the section *Parameters* of a docstring has on each name."""
    section = re.search(r"Parameters\n-+\n(.*?)(?:\n\n(?! )|\n\w[^\n]*\n-+\n|\Z)", inspect.getdoc(kind) or "", re.S)
    result: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", section[1] if section else ""):
        names, colon, text = entry.partition(" : ")
        if colon:
            clause = re.split(r"; |\. ", " ".join(text.split()))[0]
            result |= {name.strip(): clause for name in names.split(",")}
    return result
