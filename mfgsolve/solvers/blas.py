"""How many threads BLAS uses while a solver runs, several at once in one process included."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["blas_threads", "single_thread"]

LARGE_BLOCK = 4096  # unknowns of a time step from which BLAS may use all its threads

_counting = threading.Lock()
_small = 0  # solves of this process that want BLAS to use a single thread,
_limit: Any = None  # and what keeps it at that


@contextmanager
def blas_threads(state: Any) -> Iterator[None]:
    """A single thread of BLAS for games of small matrices, as many as it likes for others."""
    game = getattr(state, "game", None)
    if game is None or not game.step.has_tables or game.width >= LARGE_BLOCK:
        yield
        return
    with single_thread():
        yield


@contextmanager
def single_thread() -> Iterator[None]:
    """Matrices of a few hundred rows are factored ten times slower by two threads than by one, if both are busy.

    The limit is one of the process: the first who wants it sets it, and the last one takes it back.
    """
    global _small, _limit
    with _counting:
        _small += 1
        if _limit is None:
            _limit = _libraries().limit(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _counting:
            _small -= 1
            if _small == 0:
                _limit.restore_original_limits()
                _limit = None


@cache
def _libraries() -> ThreadpoolController:
    """The libraries of this process, looked up once: it takes longer than a small game."""
    return ThreadpoolController()
