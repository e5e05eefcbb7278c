"""What the benchmarks share: timing, the STREAM triad of this process, densities on meshes, and a plain table."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy.interpolate import RectBivariateSpline

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("NUMBA", "OMP", "OPENBLAS", "MKL")}  # of a process


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
        return self._arrays[0].size / best(lambda: _triad(*self._arrays), times, time.process_time)


def best(run: Callable[[], object], times: int = 5, clock: Callable[[], float] = time.perf_counter) -> float:
    """Shortest of several runs, in seconds of ``clock``: those of the processor, for one thread that shares it."""
    seconds = []
    for _ in range(times):
        begun = clock()
        run()
        seconds.append(clock() - begun)
    return min(seconds)


def seconds_of(runs: Mapping[Any, Callable[[], object]], rounds: int) -> dict[Any, float]:
    """Least CPU seconds of each run, all of them in turns."""
    found: dict[Any, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.process_time()
            run()
            found[name].append(time.process_time() - begun)
    return {name: min(taken) for name, taken in found.items()}


def most_memory(run: Callable[[], object]) -> int:
    """Bytes that NumPy and Python hold at most while it runs."""
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a head, columns aligned."""
    cells = [[str(c) for c in row] for row in [head, *rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    for k, row in enumerate(cells):
        print("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)))
        if k == 0:
            print("  ".join("-" * w for w in widths))


def told(value: float, target: float, form: str = ".1e") -> str:
    """A number beside the one that it should not exceed."""
    return f"{value:{form}} <= {target:{form}}" + ("" if value <= target else " !")


@dataclass(frozen=True)
class Levels:
    """Densities (T+1, n, n) of a plane of unit size."""

    density: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.density) - 1

    def on(self, n: int) -> Levels:
        """Sampled at the cell centres of another mesh, cubic in space."""
        there, here = ((np.arange(size) + 0.5) / size for size in (n, self.density.shape[1]))
        if len(here) == n:
            return self
        return Levels(np.stack([RectBivariateSpline(here, here, level)(there, there) for level in self.density]))

    def at(self, steps: int) -> np.ndarray:
        """Those of so many of the steps, which must divide them."""
        return self.density[:: self.steps // steps]

    def distance(self, reference: Levels) -> tuple[float, float]:
        """L1 distance, largest and mean over the times that both have."""
        shared = math.gcd(self.steps, reference.steps)
        cells = self.density.shape[1]
        gap = self.at(shared) - Levels(reference.at(shared)).on(cells).density
        found = np.abs(gap).reshape(shared + 1, -1).mean(axis=1)
        return float(found.max()), float(found.mean())


def extrapolated(coarse: Levels, fine: Levels) -> Levels:
    """(4 fine - coarse) / 3, on the mesh of the finer one and the times of the coarser one; steps must be doubled."""
    shared = Levels(fine.at(coarse.steps))
    return Levels((4 * shared.density - coarse.on(shared.density.shape[1]).density) / 3)
