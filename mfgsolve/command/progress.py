"""A running subcommand seen from outside: one live line on stderr, none where that is no terminal.

What the lines say stands in `mfgsolve.progress`; here they are shown from the first moment on, since compiling takes
its time, and not at all with -q and -v.
"""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Any

from mfgsolve import progress as room
from mfgsolve.command.speaking import has_live_line

__all__ = ["Counted", "Episodes", "Progress", "Replicas", "Shown"]


class Shown(room.Line):
    """A line that is its own context manager."""

    def __enter__(self) -> Any:
        self._open = contextlib.ExitStack()
        self._open.enter_context(room.live(self, has_live_line()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


class Progress(room.Solves, Shown):
    """The line of solves; give ``update`` to `solve` as its callback, see `mfgsolve.progress.Solves`.

    Examples
    --------
    >>> with Progress(1e-10) as progress:
    ...     assert progress.update is not None
    """


class Episodes(room.Episodes, Progress):
    """The line of learners, see `mfgsolve.progress.Episodes`."""


class Counted(room.Counted, Shown):
    """The line of work in alike pieces; those who work tell the logger."""

    logs = False


class Replicas(room.Replicas, Shown):
    """The line of N agents beside their limit."""

    logs = False
