"""Two states of the code against each other: how many times faster this checkout is than another one, row by row.

    python benchmarks/against.py OTHER                  # every row against the checkout in the folder OTHER
    python benchmarks/against.py OTHER solve kernels    # rows whose names begin so
    python benchmarks/against.py OTHER --rounds 41      # more turns: a narrower spread

Each checkout runs in a process of its own, on one thread, with everything compiled by a first call.  The two take
turns, the first one now this and then the other, and a row is the CPU time of the other over that of this checkout:
the median over all turns and, in brackets, its quartiles.  On a machine that is shared only such ratios mean anything.
Above 1 this checkout is faster.  `import` counts the modules, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

HERE = Path(__file__).resolve().parent.parent
SHORTEST = 0.1  # seconds of one measurement, for which short calls are repeated

SOLVES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "solve beach-bar, temperature 0.1": ("beach-bar", {"temperature": 0.1}, {}),
    "solve lattice-supply-demand 16x16, temperature 0.1": (
        "lattice-supply-demand", {"shape": (16, 16), "temperature": 0.1}, {}),
    "solve four-rooms, temperature 0.1": ("four-rooms", {"temperature": 0.1}, {}),
    "solve crowd-motion, temperature 0.1": ("crowd-motion", {"temperature": 0.1}, {}),
    "solve predator-prey, temperature 0.1": ("predator-prey", {"temperature": 0.1}, {}),
    "solve left-right, temperature 0.1": ("left-right", {"temperature": 0.1}, {}),
    "solve beach-bar": ("beach-bar", {}, {"tol": 1e-9}),
    "solvers newton 32x32x256": ("supply-demand", {"shape": (32, 32), "steps": 256}, {}),
    "solvers newton 64x64x512": ("supply-demand", {"shape": (64, 64), "steps": 512}, {}),
    "solvers newton 128x128x1024": ("supply-demand", {"shape": (128, 128), "steps": 1024}, {}),
} | {
    f"solvers {method} 32x32x256 to {tol:.0e}": (
        "supply-demand", {"shape": (32, 32), "steps": 256}, {"method": method, "tol": tol, "max_iterations": 600})
    for method in ("frank-wolfe", "fictitious-play") for tol in (1e-4, 1e-7, 1e-10)
}  # fmt: skip
GRIDS = [((64, 64), 512), ((128, 128), 256), ((256, 256), 64), ((65536,), 64), ((48, 48, 48), 32)]
KERNELS = {
    f"kernels {kernel} {'x'.join(map(str, shape))} {noise}": (kernel, shape, steps, noise)
    for shape, steps in GRIDS for noise in ("explicit", "implicit")
    for kernel in ("backward", "forward", "tangent", "movement")
}  # fmt: skip
ROWS = [*SOLVES, *KERNELS, "import"]


# -- one checkout ------------------------------------------------------------------------------------------------------


def kernel(name: str, made: dict[Any, Any]) -> Callable[[], object]:
    """One kernel of `kernels.py` of the checkout, on the data that this prepares."""
    import kernels

    kind, *key = KERNELS[name]
    if made.get("key") != key:
        made.clear()
        game = getattr(kernels, "Game", None) or kernels.DiffusionGame  # its name up to 0.4.0
        made |= {"key": key, "calls": kernels.calls(game(kernels.make_problem(*key), threads=1))}
    return made["calls"][kind]  # type: ignore[no-any-return]


def solve(name: str) -> Callable[[], object]:
    """A whole solve, the making of the problem left out."""
    import mfgsolve as mfg

    game, settings, options = SOLVES[name]
    problem = mfg.problems.build(game, settings)
    return lambda: mfg.solve(problem, check="ignore", threads=1, **options)


def worker() -> None:
    """Answer each line, the name of a row, with the CPU seconds of a call; the first call of a row does not count."""
    sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "benchmarks")]
    now, calls, times, made = None, None, 1, {}  # type: ignore[var-annotated]
    for line in sys.stdin:
        name = json.loads(line)
        if name != now:
            now, calls = name, kernel(name, made) if name in KERNELS else solve(name)
            calls()
            times = max(1, round(SHORTEST / max(timed(calls, 1), 1e-6)))
        print(json.dumps(timed(calls, times)), flush=True)


def timed(call: Callable[[], object], times: int) -> float:
    """CPU seconds of one call, the mean of several."""
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) / times


# -- two checkouts -----------------------------------------------------------------------------------------------------


class Checkout:
    """A folder with the code, and the process that measures it."""

    def __init__(self, folder: Path):
        threads = {f"{library}_NUM_THREADS": "1" for library in ("NUMBA", "OMP", "OPENBLAS", "MKL")}
        self.folder, self.environment = folder, {**os.environ, **threads, "PYTHONPATH": str(folder)}
        self.process = self.start(__file__, "--worker")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def measure(self, name: str) -> float:
        """CPU seconds of a row."""
        if name == "import":
            return self.imported()[0]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(name) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{name}: the process of {self.folder} ended; its error stands above")
        return float(json.loads(answer))

    def imported(self) -> tuple[float, int]:
        """CPU seconds of `import mfgsolve` in a new process, and the modules that it loads."""
        code = "import sys, time, mfgsolve; print(time.process_time(), len(sys.modules))"
        seconds, modules = self.start("-c", code).communicate()[0].split()
        return float(seconds), int(modules)

    def end(self) -> None:
        self.process.communicate()


def compared(name: str, this: Checkout, other: Checkout, rounds: int) -> tuple[float, list[float]]:
    """CPU seconds of this checkout, and the ratio of every turn."""
    seconds, ratios = [], []
    for checkout in (other, this) if name != "import" else ():
        checkout.measure(name)
    for k in range(rounds):
        order = (this, other) if k % 2 else (other, this)
        took = {checkout.folder: checkout.measure(name) for checkout in order}
        seconds.append(took[this.folder])
        ratios.append(took[other.folder] / took[this.folder])
    return min(seconds), ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("rows", nargs="*", help="rows whose names begin so; all of them if none is named")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each row")
    options = parser.parse_args()
    rows = [name for name in ROWS if not options.rows or name.startswith(tuple(options.rows))]
    this, other = Checkout(HERE), Checkout(options.other.resolve())
    print(f"{'row':<52} {'ms here':>9}  times faster (quartiles)")
    for name in rows:
        seconds, ratios = compared(name, this, other, options.rounds)
        low, _, high = quantiles(ratios, n=4)
        modules = f"; {this.imported()[1]} modules, {other.imported()[1]} there" if name == "import" else ""
        print(f"{name:<52} {1e3 * seconds:9.2f}  {median(ratios):.2f} ({low:.2f} to {high:.2f}){modules}", flush=True)
    this.end()
    other.end()


if __name__ == "__main__":
    worker() if sys.argv[1:] == ["--worker"] else main()
