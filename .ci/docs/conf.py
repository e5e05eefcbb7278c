"""Sphinx: the docstrings of the public names as pages.  ``python -m sphinx -W -b html .ci/docs build/docs``

Docstrings are written to be read as they stand (``python -m pydoc mfgsolve.solve``): numpydoc sections, and paragraphs
set in by four spaces for equations and programs.  Here such a paragraph becomes a literal block, and what only looks
like markup (bars around a norm, a subscript's underscore) is let be.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import mfgsolve

project = "mfgsolve"
author = "The mfgsolve developers"
version = release = mfgsolve.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "alabaster"
default_role = "code"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_attr_annotations = False
autodoc_typehints = "none"  # signatures have them, and the sections say what they mean
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}

FORMATS = ("mfgsolve.problemfile", "mfgsolve.files")  # pages on what stands in files


def setup(app: Any) -> None:
    app.connect("source-read", _with_public_names)
    app.connect("autodoc-process-docstring", _as_it_stands, priority=0)  # before the sections are read


def _with_public_names(app: Any, name: str, content: list[str]) -> None:
    """The index, with a directive for every public name in the place of the line ``PUBLIC NAMES``."""
    if name == "index":
        content[0] = content[0].replace("PUBLIC NAMES", "\n".join(_directives()))


def _directives() -> list[str]:
    kinds: dict[str, list[str]] = {"class": [], "function": [], "module": []}
    for name in mfgsolve.__all__:
        if name == "__version__":
            continue
        value = getattr(mfgsolve, name)
        kind = "class" if inspect.isclass(value) else "module" if inspect.ismodule(value) else "function"
        kinds[kind].append(name)
    lines = []
    for kind, title in (("function", "Functions"), ("class", "Classes")):
        lines += [title, "-" * len(title), ""]
        for name in sorted(kinds[kind]):
            lines += [f".. auto{kind}:: mfgsolve.{name}", ""]
    for name in [f"mfgsolve.{name}" for name in kinds["module"]] + list(FORMATS):
        lines += [name, "-" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
        members = [m for m in importlib.import_module(name).__all__ if m not in kinds["function"] + kinds["class"]]
        for member in members:
            value = getattr(importlib.import_module(name), member)
            if inspect.isclass(value) or inspect.isfunction(value):
                lines += [f".. auto{'class' if inspect.isclass(value) else 'function'}:: {name}.{member}", ""]
    return lines


# -- docstrings as they stand ------------------------------------------------------------------------------------------

CODE = re.compile(r"(``.*?``|`[^`]+`)")
RULE = re.compile(r"-{3,}")
ITEM = re.compile(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*) : (.+)")


def _as_it_stands(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Make a literal block of every paragraph that is set in, escape what is no markup in all others, and put what is
    said of a parameter below its name: it is a sentence, and no type."""
    if what in ("property", "attribute") and lines and " " in lines[0]:  # nor is what stands there before a colon
        lines[:1] = lines[0].split(" ", 1)
    made: list[str] = []
    literal, section = False, ""
    for number, line in enumerate(lines):
        begins = not number or not lines[number - 1].strip()
        if number + 1 < len(lines) and RULE.fullmatch(lines[number + 1]):
            section = line
        elif begins and section not in ("", "Examples") and line.strip() and not line.startswith(" "):
            section = "References" if line.startswith("Source") else "Notes"  # a paragraph that ends the section
            made += [section, "-" * len(section)]
        if begins and line.startswith("    ") and not section:
            if not literal and not (len(made) > 1 and made[-2].endswith("::")):
                made += ["::", ""]
            literal = True
        elif line.strip() and not line.startswith(" "):
            literal = False
        item = ITEM.fullmatch(line) if section in ("Parameters", "Attributes") else None
        if item is not None:
            made += [item[1], f"    {_escaped(item[2])}"]
        else:
            made.append(line if literal or line.startswith(">>>") else _escaped(line))
    lines[:] = made


def _escaped(line: str) -> str:
    parts = CODE.split(line)
    for k in range(0, len(parts), 2):
        text = parts[k].replace("|", "\\|")
        text = re.sub(r"(?<=[ (])\*(?=\w+[^*\w])", r"\\*", text)  # (T, *shape)
        parts[k] = re.sub(r"(?<=[A-Za-z0-9])_(?=[^A-Za-z0-9_]|$)", r"\\_", text)
    return "".join(parts)
