"""Solvers on the flagship: sweeps, time, share of memory bandwidth, memory; the first solve of a process.

python benchmarks/solvers.py            # Newton on 32^2, 64^2, 128^2; every solver on 32^2
python benchmarks/solvers.py --quick    # without 128^2
python benchmarks/solvers.py --first    # the first solve of a process alone
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import tracemalloc

from measure import Stream, table

import mfgsolve as mfg


def flagship(n: int) -> mfg.Problem:
    return mfg.problems.supply_demand(shape=(n, n), steps=8 * n, scheme="upwind")


def newton(sizes: list[int]) -> None:
    """24 bytes x cell-steps x sweeps / seconds over the triad's bytes per second: 0.1 and more is the aim."""
    stream, rows = Stream(), []
    mfg.solve(flagship(16))  # compile or load the kernels
    for n in sizes:
        problem = flagship(n)
        rate = stream.rate()
        mfg.solve(problem, threads=1)  # touch the memory once: a fresh page costs more than a sweep over it
        begun = time.process_time()
        solution = mfg.solve(problem, threads=1)
        seconds = time.process_time() - begun
        share = n * n * 8 * n * solution.sweeps / seconds / rate
        tracemalloc.start()
        mfg.solve(flagship(n), threads=1)
        arrays = tracemalloc.get_traced_memory()[1] / (8 * (8 * n + 1) * n * n)
        tracemalloc.stop()
        rows.append(
            [f"{n}x{n}x{8 * n}", f"{solution.sweeps:.1f}", f"{solution.relative_exploitability:.1e}",
             f"{solution.potential:.14f}", f"{seconds:.2f}", f"{share:.3f}", f"{arrays:.1f}"]
        )  # fmt: skip
    print("\nNewton on supply-demand to relative exploitability 1e-10, one thread")
    table(["grid", "sweeps", "relative expl.", "potential", "seconds", "of triad", "arrays"], rows)


def first(rounds: int = 5) -> None:
    """The first solve of a process beside the next one, on the default steps and on upwind ones.

    A process has read its kernels from the cache by solving a smaller game; what is left of being the first is memory
    that nobody has touched, and what is found out about a problem once (how many steps are enough).
    """
    rows = []
    for scheme in ("entropic", "upwind"):
        taken = []
        for _ in range(rounds):
            answer = subprocess.run(
                [sys.executable, __file__, "--worker", scheme], capture_output=True, text=True, check=True
            )
            taken.append(json.loads(answer.stdout.splitlines()[-1]))
        best = [min(run[k] for run in taken) for k in range(2)]
        kernel, faults, after = (min(run[k] for run in taken) for k in (2, 3, 4))
        rows.append([scheme, f"{best[0]:.2f}", f"{best[1]:.2f}", f"{best[0] / best[1]:.2f}", f"{kernel:.2f}",
                     f"{faults}", f"{after}"])  # fmt: skip
    print("\nNewton on supply-demand 64x64, one thread: CPU seconds, least of several processes")
    table(["steps", "first", "next", "ratio", "system, first", "faults, first", "next"], rows)


def worker(scheme: str) -> None:
    """CPU seconds of the first solve and of the next one, those of the system in the first, and page faults of both."""
    for n in (32, 64):
        problem, used = mfg.problems.supply_demand(shape=(n, n)) if scheme == "entropic" else flagship(n), []
        for _ in range(2):
            before = resource.getrusage(resource.RUSAGE_SELF)
            mfg.solve(problem, threads=1)
            after = resource.getrusage(resource.RUSAGE_SELF)
            used.append([b - a for a, b in zip(before[:8], after[:8], strict=True)])
    (user, system, *_), (user_next, system_next, *_) = used
    print(json.dumps([user + system, user_next + system_next, system, used[0][6], used[1][6]]))


def compare(n: int, tols: list[float]) -> None:
    """Sweeps and seconds that each solver needs for a given relative exploitability."""
    rows = []
    for method in ("newton", "frank-wolfe", "fictitious-play"):
        mfg.solve(flagship(8), method=method, max_iterations=2, check="ignore")
        tracemalloc.start()
        mfg.solve(flagship(n), method=method, max_iterations=12, check="ignore", threads=1)
        arrays = tracemalloc.get_traced_memory()[1] / (8 * (8 * n + 1) * n * n)
        tracemalloc.stop()
        for tol in tols:
            begun = time.perf_counter()
            solution = mfg.solve(flagship(n), method=method, tol=tol, max_iterations=600, check="ignore", threads=1)
            seconds = time.perf_counter() - begun
            rows.append([method, f"{tol:.0e}", solution.status.value, f"{solution.sweeps:.1f}", f"{seconds:.2f}",
                         f"{arrays:.1f}"])  # fmt: skip
    print(f"\nEvery solver on supply-demand {n}x{n}x{8 * n}, one thread")
    table(["solver", "tol", "status", "sweeps", "seconds", "arrays"], rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small grids only")
    parser.add_argument("--first", action="store_true", help="the first solve of a process alone")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker)
        raise SystemExit
    first()
    if not options.first:
        newton([32, 64] if options.quick else [32, 64, 128])
        compare(32, [1e-4, 1e-7, 1e-10])
