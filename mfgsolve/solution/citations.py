"""What to cite for a solution: the software, and the sources of the solvers that ran and of the problem.

A *source* is a text, "authors, title, doi:..." or "..., arXiv:...", several of them parted by semicolons: solvers have
one (``Solver.source``), and so do problems (``Problem.source``).  A solution keeps them in its attributes ``source``
and ``solver_source``, so that a file can be cited where neither the solver nor the problem is at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mfgsolve.errors import InputError, unknown
from mfgsolve.methods import kind_of

__all__ = ["STYLES", "citation", "source_lines", "sources", "sources_of"]

STYLES = ("text", "bibtex")
DEVELOPERS = "The mfgsolve developers"
IDENTIFIER = re.compile(r"\b(doi|arXiv):\s?([^\s,;()]+)")
SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def source_lines(pairs: Iterable[tuple[str, str]]) -> str:
    """The attribute ``solver_source`` from names of solvers and their sources, a line each."""
    return "\n".join(f"{name}: {' '.join(source.split())}" for name, source in pairs)


def sources(attrs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What was used, its name and its source ("" where none is known): every solver that ran, and the problem."""
    solver = str(attrs.get("solver", ""))
    names = [name.strip() for name in str(attrs.get("stages", solver)).split(",")]
    known = dict(line.partition(": ")[::2] for line in str(attrs.get("solver_source", "")).split("\n"))
    used = [("Solver", name, known.get(name, "")) for name in names if name]
    return [*used, ("Problem", str(attrs.get("name", "custom")), str(attrs.get("source", "")))]


def citation(attrs: Mapping[str, Any], style: str = "text") -> str:
    """Text or BibTeX from the attributes of a solution; see `Solution.cite`."""
    if style not in STYLES:
        raise InputError(unknown("style of the citation", style, STYLES))
    version = str(attrs.get("mfgsolve_version", "of an unknown version"))
    if style == "bibtex":
        return "\n\n".join([_software(version), *_entries(sources(attrs))])
    lines = [f"Software: mfgsolve {version}, {DEVELOPERS}."]
    for what, name, source in sources(attrs):
        lines.append(f"{what} {name}: {source.rstrip('.') or 'no source is stated'}.")
    return "\n".join(lines)


def _software(version: str) -> str:
    return _entry("mfgsolve", {"author": f"{{{DEVELOPERS}}}", "title": "mfgsolve", "version": _escaped(version)})


def _entries(used: Iterable[tuple[str, str, str]]) -> list[str]:
    """An entry for each source of each solver and of the problem; the same paper once."""
    made: dict[str, str] = {}
    for _, name, source in used:
        parts = [part.strip().rstrip(".") for part in source.split(";")]
        for number, part in enumerate(filter(None, parts), start=1):
            key = f"{re.sub('[^A-Za-z0-9]+', '-', name).strip('-') or 'source'}-{number}"
            match = IDENTIFIER.search(part)
            marks = {} if match is None else _identifier(*match.groups())
            made.setdefault(part, _entry(key, {"note": _escaped(part)} | marks))
    return list(made.values())


def _identifier(kind: str, value: str) -> dict[str, str]:
    value = value.rstrip(".")
    return {"doi": value} if kind == "doi" else {"eprint": value, "archiveprefix": "arXiv"}


def _entry(key: str, fields: Mapping[str, str]) -> str:
    return f"@misc{{{key},\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items()) + "}"


def _escaped(text: str) -> str:
    return "".join(SPECIAL.get(c, c) for c in text)


def sources_of(solver: Any, stages: Sequence[str]) -> str:
    """Where the solvers that ran come from; a solution keeps it, to be cited."""
    kinds = {name: type(solver) if name == solver.name else kind_of(name) for name in stages}
    return source_lines((name, getattr(kind, "source", "")) for name, kind in kinds.items())
