"""Texts of users: a name, a path or an attribute may hold anything, and is shown to terminals and kept in files."""

from __future__ import annotations

import re
from typing import Any

from mfgsolve.errors import InputError, cut

__all__ = ["check_names", "cut", "one_line", "visible"]

# Control characters; marks that turn the direction of writing; separators of lines; halves of characters
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_LINES = re.compile("[\t\n]")
_UNNAMED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def visible(text: str, lines: bool = False) -> str:
    """The text with all that a terminal would act on written out, as in ``\\x1b[31m``.

    Parameters
    ----------
    lines : whether the text may have several lines, as a table of TOML has; a name or a path has one
    """
    result = _UNSEEN.sub(_escaped, text)
    return result if lines else _LINES.sub(_escaped, result)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return {"\n": "\\n", "\t": "\\t"}.get(character, f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def one_line(value: Any, what: str) -> str:
    """The value, if it is a text that a file can hold and a line can show.

    Raises
    ------
    InputError
        for what is no text, and for control characters, line breaks and halves of characters (lone surrogates)
    """
    if not isinstance(value, str):
        raise InputError(f"{what} is {cut(repr(value))} ({type(value).__name__}); a text is needed")
    result = _UNNAMED.search(value)
    if result is not None:
        raise InputError(
            f"{what} is {cut(ascii(value))}, which holds the character {result.group()!a}; "
            "one line of printable characters is needed"
        )
    return value


def check_names(problem: Any) -> None:
    """Refuse names of a problem that no file can hold, before it is solved."""
    one_line(problem.name, "name of the problem")
    one_line(problem.source.replace("\n", " "), "source of the problem")
    one_line(problem.time.unit, "unit of time")
    space = problem.grid
    while space is not None:
        for name in getattr(space, "names", None) or ():
            one_line(name, f"name of a {space.dims[0]}")
        for axis in getattr(space, "axes", ()):
            one_line(axis.unit, f"unit of axis {axis.name}")
        space = getattr(space, "space", None)
    for dynamics in problem.all_dynamics:
        for name in getattr(dynamics, "actions", None) or ():
            one_line(name, "name of an action")
