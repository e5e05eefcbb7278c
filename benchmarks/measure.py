"""What the benchmarks share: best-of timing, the STREAM triad of this process, and a plain table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numba import njit


@njit(error_model="numpy")
def _triad(a, b, c):
    for i in range(a.size):
        a[i] = b[i] + 3.0 * c[i]


class Stream:
    """Elements per second of a = b + 3 c (24 bytes an element) on one thread, measured anew at each call."""

    def __init__(self, elements: int = 20_000_000) -> None:  # 480 MB in all: far beyond every cache
        self._arrays = np.zeros(elements), np.ones(elements), np.ones(elements)
        _triad(*self._arrays)

    def rate(self, times: int = 3) -> float:
        return self._arrays[0].size / best(lambda: _triad(*self._arrays), times)


def best(run: Callable[[], object], times: int = 5) -> float:
    """Shortest of several runs, in seconds."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a head, columns aligned."""
    cells = [[str(c) for c in row] for row in [head, *rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    for k, row in enumerate(cells):
        print("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)))
        if k == 0:
            print("  ".join("-" * w for w in widths))
