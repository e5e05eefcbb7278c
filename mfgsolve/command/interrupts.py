"""Ctrl-C, SIGTERM and SIGHUP while a subcommand works: what is kept, what is said, and how the process ends."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mfgsolve import watch
from mfgsolve.inputs.texts import visible

__all__ = ["Interrupts", "checkpoint_told", "end_at_once", "exit_code", "nothing_written"]

_last: int = signal.SIGINT  # the signal that came last


class Interrupts:
    """Context manager: signals that ask to stop raise KeyboardInterrupt, and are remembered until they have.

    Python drops an exception that a signal raises inside a callback of the interpreter or of the compiler (a finaliser,
    a weak reference); then the next ``check`` raises it again, or the next `mfgsolve.watch.look` inside an iteration.
    A signal that the caller ignores (nohup) stays ignored.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        watch.forget()
        if threading.current_thread() is threading.main_thread():
            wanted = [number for number in watch.SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._handlers = {number: signal.signal(number, self._raise) for number in wanted}
        self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        return self

    def __exit__(self, *_: object) -> None:
        sys.unraisablehook = self._hook
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        watch.forget()

    def check(self) -> None:
        if watch.asked() is not None:
            raise KeyboardInterrupt

    def _raise(self, number: int, frame: object) -> None:
        global _last
        _last = number
        watch.ask(number)
        raise KeyboardInterrupt

    def _unraisable(self, dropped: Any) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            self._hook(dropped)


def exit_code() -> int:
    """128 + the number of the signal that came last; 130 for Ctrl-C, as shells have it."""
    global _last
    number, _last = _last, signal.SIGINT
    return 128 + int(number)


@contextlib.contextmanager
def nothing_written(remedy: str) -> Iterator[None]:
    """An interrupt says that nothing was written, and how that can be had."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; nothing was written: {remedy}") from None


@contextlib.contextmanager
def checkpoint_told(checkpoint: Path | None, line: Any) -> Iterator[None]:
    """An interrupt says what the checkpoint holds, as the file itself has it, and how to go on."""
    before = _stamp(checkpoint)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_hint(checkpoint, before, line)) from None


def _hint(checkpoint: Path | None, before: tuple[int, int] | None, line: Any) -> str:
    if checkpoint is None:
        return "; nothing was written: --checkpoint f.nc keeps the work of a long solve"
    now = _stamp(checkpoint)
    if now is None:
        return "; no checkpoint was written yet"
    from mfgsolve.checkpoints import held_iteration

    with watch.held_back():
        held = held_iteration(checkpoint)
    name, holds = visible(str(checkpoint)), "" if held is None else f", which holds {line.named(held)}"
    if now == before:
        return f"; the checkpoint {name} is as it was{holds}"
    return f"; go on from the checkpoint{holds}, with: mfgsolve resume {name}"


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        return None if path is None else (path.stat().st_ino, path.stat().st_mtime_ns)
    except OSError:
        return None


def end_at_once(code: Any) -> None:
    """Do not wait, at the end of an interrupted process, for kernels that are still being compiled."""
    kernels = sys.modules.get("mfgsolve.kernels")
    if kernels is None or not kernels.compiling():
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else 1)
