"""How the command speaks: tables, sentences and JSON on stdout, complaints on stderr, plain where nobody looks on.

What is said stands in `mfgsolve.command.report`.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mfgsolve.errors import FileError
from mfgsolve.inputs.texts import visible

__all__ = [
    "begin_json", "complain", "has_live_line", "inform", "json_is_given", "json_text", "on_screen", "quieten", "say",
    "silence", "tell_columns", "to_json", "write_out",
]  # fmt: skip

NARROW = 30  # columns that a text needs beside others
WIDE = 10_000  # columns where there is no terminal: nothing is folded


_quiet, _live = False, True  # whether errors alone are told; whether a live line tells of the work


def quieten(quiet: bool, live: bool = True) -> None:
    """Let errors alone, and JSON that is asked for, be told from here on; or all.  Without ``live`` no live line is."""
    global _quiet, _live
    _quiet, _live = quiet, live


def has_live_line() -> bool:
    """Whether a live line may tell of the work."""
    return _live


def on_screen() -> bool:
    """Whether people read what is said."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(text: str = "", rows: Sequence[tuple[str, str]] = ()) -> None:
    """Print a table of two columns, then the text, on stdout.

    A reader who has gone away (``mfgsolve list | head -1``) is no error; a full disk behind stdout is.
    """
    if sys.stdout is None or _quiet:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal, page = sys.stdout.isatty(), io.StringIO()
    console = Console(file=page, force_terminal=terminal, width=None if terminal else WIDE)
    if rows:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(Text(visible(name)), Text(visible(value)))
        console.print(table)
    if text:
        console.print(Text(_told(text)), soft_wrap=not terminal)
    write_out("\n".join(line.rstrip() for line in page.getvalue().split("\n")))


def tell_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose first row is its heading; on a narrow screen the last column stands under the others."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    terminal, page = on_screen(), io.StringIO()
    console = Console(file=page, force_terminal=terminal, width=None if terminal else WIDE)
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    narrow = console.width - sum(widths) - 2 * len(widths) < NARROW
    if narrow:
        for *cells, last in rows[1:]:
            head = "  ".join([cells[0], *filter(None, cells[1:])])
            console.print(Text(visible(head), "bold"))
            console.print(Padding(Text(visible(last)), (0, 0, 0, 4)))
    else:
        table = Table.grid(padding=(0, 2, 0, 0))
        for k in range(len(rows[0])):
            table.add_column(style="bold" if k == 0 else None, no_wrap=k < len(widths), overflow="fold")
        for number, row in enumerate(rows):
            table.add_row(*(Text(visible(cell), "" if number else "dim") for cell in row))
        console.print(table)
    write_out("\n".join(line.rstrip() for line in page.getvalue().split("\n")))


def inform(text: str) -> None:
    """A sentence on the way, for those who look on; and to the logger."""
    from mfgsolve.progress import logger

    logger.info(text)
    if _live and sys.stderr is not None and sys.stderr.isatty():
        complain(text, "Note")


def _told(text: str) -> str:
    """Lines that may hold names and paths of users: a terminal acts on nothing in them, and a path is in one line."""
    for word in sys.argv[1:]:
        if "\n" in word:
            text = text.replace(word, visible(word))
    return visible(text, lines=True)


PLAIN = str.maketrans({
    "\N{PLUS-MINUS SIGN}": "+-", "\N{HORIZONTAL ELLIPSIS}": "...", "\N{EN DASH}": "-", "\N{MINUS SIGN}": "-",
    "\N{SUPERSCRIPT TWO}": "^2", "\N{MIDDLE DOT}": "*", "\N{MULTIPLICATION SIGN}": "x", "\N{BULLET}": "*",
})  # fmt: skip


def _printable(text: str, stream: Any) -> str:
    """The text in the characters that a stream has; those it has not are ``?``."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(PLAIN).encode("ascii", "replace").decode("ascii")
    return text


_given = False  # whether the one JSON object of this command is printed


def to_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    global _given
    if sys.stdout is not None:
        _given = True
        write_out(json_text(values) + "\n")


def begin_json() -> None:
    """A command begins: nothing is printed yet."""
    global _given
    _given = False


def json_is_given() -> bool:
    """Whether stdout holds its one JSON object."""
    return _given


def json_text(values: Mapping[str, Any]) -> str:
    """One JSON object; what is not a finite number, JSON cannot say: null."""
    return json.dumps(_finite(values), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_out(text: str) -> None:
    """Write to stdout and flush."""
    try:
        sys.stdout.write(_printable(text, sys.stdout))
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
    except OSError as error:
        silence()
        raise FileError(f"standard output cannot be written: {error.strerror}") from None


def silence() -> None:
    """Let stdout lead nowhere, so that nothing fails when the interpreter flushes it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def complain(text: str, kind: str = "Error") -> None:
    """One sentence on stderr."""
    if sys.stderr is None or (_quiet and kind == "Warning"):
        return
    from rich.console import Console
    from rich.text import Text

    style = "bold red" if kind == "Error" else "bold yellow"
    terminal, page = sys.stderr.isatty(), io.StringIO()
    console = Console(file=page, force_terminal=terminal)
    console.print(Text.assemble((f"{kind}: ", style), _told(text)), soft_wrap=not terminal)
    sys.stderr.write(_printable(page.getvalue(), sys.stderr))
    sys.stderr.flush()
