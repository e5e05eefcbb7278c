"""Solvers on the flagship: sweeps, time, share of memory bandwidth, memory.

python benchmarks/solvers.py            # Newton on 32^2, 64^2, 128^2; every solver on 32^2
python benchmarks/solvers.py --quick    # without 128^2
"""

from __future__ import annotations

import argparse
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
        begun = time.perf_counter()
        solution = mfg.solve(problem, threads=1)
        seconds = time.perf_counter() - begun
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
    quick = parser.parse_args().quick
    newton([32, 64] if quick else [32, 64, 128])
    compare(32, [1e-4, 1e-7, 1e-10])
