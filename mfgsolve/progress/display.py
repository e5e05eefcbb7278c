"""Where a live line stands: the last row of a terminal, by rich, or one output of a notebook's cell; else nowhere."""

from __future__ import annotations

import contextlib
import contextvars
import html
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from mfgsolve.errors import InputError
from mfgsolve.errors import shown as echoed
from mfgsolve.progress.lines import Counted, Line
from mfgsolve.progress.logs import is_notebook, logged

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

__all__ = ["DELAY", "counting", "live"]

VARIABLE = "MFGSOLVE_PROGRESS"  # "off" shows nothing that was not asked for
DELAY = 2.0  # seconds of work before anything is shown
TERMINAL, NOTEBOOK = 0.2, 0.5  # seconds from one picture to the next
NARROWEST_BAR, WIDEST_BAR = 6, 40
ECHO = len("^C")  # a terminal writes it behind the line, which must not wrap
_outermost: contextvars.ContextVar[bool] = contextvars.ContextVar("outermost", default=True)
L = TypeVar("L", bound="Line")
T = TypeVar("T")


@contextlib.contextmanager
def live(line: L, progress: bool | None = None, verbose: bool | int = False) -> Iterator[L]:
    """Show a line while this block works; see the room.

    Only the outermost block of the main thread shows anything, and none where the work is told in lines.
    """
    if progress is not None and not isinstance(progress, bool):
        raise InputError(f"progress is {echoed(progress)}; True, False or None (where somebody looks on) is needed")
    if progress is None and os.environ.get(VARIABLE, "").lower() in ("0", "off", "no", "false"):
        progress = False
    if not (isinstance(verbose, bool | int) and 0 <= verbose <= 2):
        raise InputError(f"verbose is {echoed(verbose)}; False, True or 2 (every iteration) is needed")
    place = None
    if _outermost.get() and progress is not False and threading.current_thread() is threading.main_thread():
        place = _place(line, 0.0 if progress else DELAY) if not verbose else None
    token = _outermost.set(False)
    try:
        with logged(verbose), place or contextlib.nullcontext():
            yield line
    finally:
        _outermost.reset(token)


def counting(
    pieces: Iterable[T], total: int, what: str, progress: bool | None = None, verbose: bool | int = False
) -> Iterator[T]:
    """The pieces one by one, with a line that counts them."""
    with live(Counted(what, total), progress, verbose) as line:
        for number, piece in enumerate(pieces):
            yield piece
            line.update(number + 1, total)


def _place(line: Line, delay: float) -> _Live | None:
    if is_notebook():
        return _Notebook(line, delay)
    if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") not in (None, "", "dumb"):
        return _Terminal(line, delay)
    return None


class _Live:
    """Pictures of a line, one after the other, by a thread of their own: the kernels leave it the interpreter."""

    every = TERMINAL

    def __init__(self, line: Line, delay: float):
        self.line, self.delay, self._end = line, delay, threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        context = contextvars.copy_context()  # where a notebook's outputs go
        self._thread = threading.Thread(target=context.run, args=(self._run,), daemon=True, name="mfgsolve-progress")
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        if self._end.wait(self.delay):
            return
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            self.begin()
            while not self._end.wait(self.every):
                self.draw()
            self.finish()

    def begin(self) -> None:
        """Show the line for the first time."""

    def draw(self) -> None:
        """Show it as it is now."""

    def finish(self) -> None:
        """Take leave."""


class _Terminal(_Live):
    """The last row of a terminal, cleared at the end."""

    def begin(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        self._live = Live(_Row(self.line), console=console, auto_refresh=False, transient=True)
        self._live.start(refresh=True)

    def draw(self) -> None:
        self._live.refresh()

    def finish(self) -> None:
        self._live.stop()


class _Row:
    """A line as rich draws it: as many words as there is room for."""

    def __init__(self, line: Line):
        self.line = line

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        row: list[Any] = []
        for left, right in self.line.texts():
            room = options.max_width - ECHO - len(left) - len(right) - 2 * bool(left) - 2
            row = [left] * bool(left)
            if room >= NARROWEST_BAR:
                row.append(ProgressBar(total=1.0, completed=self.line.share(), width=min(room, WIDEST_BAR)))
            row.append(right)
            if room >= NARROWEST_BAR:
                break
        table = Table.grid(padding=(0, 2, 0, 0))
        for _ in row:
            table.add_column(no_wrap=True)
        table.add_row(*row)
        yield table


class _Notebook(_Live):
    """One output of a cell, which stays, and says at the end what was done."""

    every = NOTEBOOK

    def begin(self) -> None:
        from IPython import display

        show: Any = display.display
        self._handle: Any = show(_bundle(self.line), raw=True, display_id=True)

    def draw(self) -> None:
        self._handle.update(_bundle(self.line), raw=True)

    def finish(self) -> None:
        self._handle.update(_bundle(self.line, ended=True), raw=True)


def _bundle(line: Line, ended: bool = False) -> dict[str, str]:
    """A line as a notebook keeps it: a bar and words, or words alone."""
    left, right = next(line.texts())
    share = 1.0 if ended else line.share()
    if ended:
        right = right.replace("soon done  ", "")
    words = html.escape(f"{left}  {right}".strip())
    bar = f'<progress value="{share:.3f}" max="1" style="width: 14em; vertical-align: middle"></progress>'
    page = f'<div style="font-family: monospace; white-space: pre-wrap">{bar} {words}</div>'
    return {"text/plain": f"{share:4.0%}  {left}  {right}".strip(), "text/html": page}
