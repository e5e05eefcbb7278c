"""The watch over long work: a deadline and Ctrl-C that act inside an iteration.

Whoever works long looks at it between two pieces of work that must not be torn apart (a sweep, a slab of a price, one
factorisation, one step of a loop in Python):

    look()                  raises `TimeUp` once the deadline has passed, KeyboardInterrupt once somebody asked for it
    if over(): break        for a start, which has to be made whole: do no more of what can be left out
    with held_back(): ...   what must not be torn apart: neither of them acts before its end

and whoever owns the loop opens it (`watching`), catches `TimeUp`, and goes on with the last state that was whole.
`TimeUp` is no `Exception`, so that nothing on its way takes it for a fault of the numbers.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

__all__ = [
    "SIGNALS",
    "TimeUp",
    "ask",
    "asked",
    "clock",
    "forget",
    "held_back",
    "left",
    "look",
    "over",
    "strictly",
    "watching",
]

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

clock: Callable[[], float] = time.perf_counter  # seconds; tests put another one in its place


class TimeUp(BaseException):
    """The deadline has passed inside of an iteration."""


@dataclass(frozen=True)
class _Watch:
    deadline: float
    raises: bool


_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)  # of this thread
_asked: int | None = None  # the signal that asked the main thread to stop


@contextmanager
def watching(deadline: float | None, raises: bool = True) -> Iterator[None]:
    """Watch a deadline (a time of `clock`; None is none) in this block and thread.

    Without ``raises`` only `over` tells that it has passed.  A watch inside of another one is in its place.
    """
    token = _watch.set(None if deadline is None else _Watch(deadline, raises))
    try:
        yield
    finally:
        _watch.reset(token)


@contextmanager
def strictly() -> Iterator[None]:
    """Within a watch that does not raise: in this block it does."""
    now = _watch.get()
    with watching(None if now is None else now.deadline):
        yield


def look() -> None:
    """Raise `TimeUp` or KeyboardInterrupt if it is time to; takes a fraction of a microsecond."""
    if _asked is not None and not _shields and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt
    now = _watch.get()
    if now is not None and now.raises and clock() >= now.deadline:
        raise TimeUp


def over() -> bool:
    """Whether the deadline has passed."""
    now = _watch.get()
    return now is not None and clock() >= now.deadline


def left() -> float:
    """Seconds until the deadline; infinite without one."""
    now = _watch.get()
    return math.inf if now is None else max(now.deadline - clock(), 0.0)


# -- signals ---------------------------------------------------------------------------------------------------------


def ask(number: int) -> None:
    """Remember that a signal asked the main thread to stop: Python drops an exception that is raised in a finaliser or
    in a callback of the compiler, and then the next `look` raises it again."""
    global _asked
    _asked = number


def asked() -> int | None:
    """The signal that asked the main thread to stop, if one did."""
    return _asked


def forget() -> None:
    """Nobody has asked."""
    global _asked
    _asked = None


_shields = 0  # blocks of the main thread that hold signals back


@contextmanager
def held_back() -> Iterator[None]:
    """Let neither the deadline nor a signal act before the end of this block; then they do.

    Signals reach the main thread alone, and there is nothing to hold back in others.
    """
    global _shields
    token = _watch.set(None)
    came: list[int] = []
    handlers: dict[int, Any] = {}
    main = threading.current_thread() is threading.main_thread()
    try:
        if main and not _shields:
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    handlers[number] = handler
                    signal.signal(number, lambda number, _: came.append(number))
        _shields += main
        try:
            yield
        finally:
            _shields -= main
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        _watch.reset(token)
        for number in came[:1]:
            signal.raise_signal(number)
