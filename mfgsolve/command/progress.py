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

__all__ = ["Counted", "Episodes", "Progress", "Replicas", "Shown", "Steps"]


class Shown(room.Line):
    """A line that is its own context manager."""

    at_once = True  # from the first moment on; else where it lasts (`mfgsolve.progress.DELAY`)

    def __enter__(self) -> Any:
        self._open = contextlib.ExitStack()
        self._open.enter_context(room.live(self, (True if self.at_once else None) if has_live_line() else False))
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


class Steps(Shown):
    """The line of work in a few steps, each in its words, where that lasts.

    Parameters
    ----------
    steps : what is done, one after the other
    """

    at_once = False

    def __init__(self, *steps: str):
        super().__init__()
        self.steps, self.number = steps, 0
        self.doing = steps[0]

    @property
    def done(self) -> float:
        return self.number

    @property
    def total(self) -> float:
        return len(self.steps)

    def next(self) -> None:
        """Go on to the next step."""
        self.number += 1
        self.doing = self.steps[self.number]


class Counted(room.Counted, Shown):
    """The line of work in alike pieces; those who work tell the logger."""

    logs = False


class Replicas(room.Replicas, Shown):
    """The line of N agents beside their limit."""

    logs = False
