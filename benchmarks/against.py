"""Two states of the code against each other: how many times faster this checkout is than another one, row by row.

    python benchmarks/against.py OTHER                  # every row against the checkout in the folder OTHER
    python benchmarks/against.py OTHER solve kernels    # rows whose names begin so
    python benchmarks/against.py OTHER --rounds 41      # more turns: a narrower spread

Each checkout runs in a process of its own, on one thread, with everything compiled by a first call.  The two take
turns, the first one now this and then the other, and a row is the CPU time of the other over that of this checkout:
of the least of all turns, which says most on a machine that is shared, and the median of the turns with its quartiles.
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
SHORTEST = 0.05  # seconds of one measurement, for which short calls are repeated
ANEW = 3  # turns after which data are made anew: where arrays happen to lie in memory counts for some per cent

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
LATTICES = {
    f"finite {name} {n}x{n}, {kind}, temperature {temperature}": (
        name, {"shape": (n, n), "viscosity": noise / n**2, "temperature": temperature})
    for n in (32, 64) for kind, noise in (("one successor", 0.0), ("five successors", 5.0))
    for temperature in (0.0, 0.1) for name in ("respond", "flow", "curvature") if temperature or name != "curvature"
}  # fmt: skip
ROWS = [*SOLVES, *KERNELS, *LATTICES, "import"]


# -- one checkout ------------------------------------------------------------------------------------------------------


def kernel(name: str, made: dict[Any, Any]) -> Callable[[], object]:
    """One kernel of `kernels.py` of the checkout, on the data that this prepares."""
    import kernels

    kind, *key = KERNELS[name]
    game = getattr(kernels, "Game", None) or kernels.DiffusionGame  # its name up to 0.4.0
    made |= kernels.calls(game(kernels.make_problem(*key), threads=1))
    return made[kind]  # type: ignore[no-any-return]


def lattice(name: str) -> Callable[[], object]:
    """One sweep of a lattice game; by names that versions from 0.5.0 have."""
    import mfgsolve as mfg
    from mfgsolve.games import make_game

    kind, given = LATTICES[name]
    game = make_game(mfg.problems.build("lattice-supply-demand", given), 1)
    price = game.price(game.resting_crowd(game.empty_crowd()))
    policy = game.respond(price).policy
    crowd = game.flow(policy)
    return {
        "respond": lambda: game.respond(price),
        "flow": lambda: game.flow(policy),
        "curvature": lambda: game.curvature(policy, crowd, crowd),
    }[kind]


def solve(name: str) -> Callable[[], object]:
    """A whole solve, the making of the problem left out."""
    import mfgsolve as mfg

    game, settings, options = SOLVES[name]
    problem = mfg.problems.build(game, settings)
    if getattr(problem, "scheme", ""):  # which other versions may not have
        problem = problem.with_scheme("upwind")
    return lambda: mfg.solve(problem, check="ignore", threads=1, **options)


def worker() -> None:
    """Answer each line, the name of a row and whether its data are made anew, with the CPU seconds of a call."""
    sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "benchmarks")]
    call, times, made = None, 1, {}  # type: ignore[var-annotated]
    for line in sys.stdin:
        name, anew = json.loads(line)
        if anew or call is None:
            made.clear()
            call = kernel(name, made) if name in KERNELS else lattice(name) if name in LATTICES else solve(name)
            call()
            times = max(1, round(SHORTEST / max(timed(call, 1), 1e-6)))
        print(json.dumps(timed(call, times)), flush=True)


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
        from measure import ONE_THREAD  # here, and not in the workers, which import what they measure and no more

        self.folder, self.environment = folder, {**os.environ, **ONE_THREAD, "PYTHONPATH": str(folder)}
        self.process = self.start(__file__, "--worker")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def measure(self, name: str, anew: bool) -> float:
        """CPU seconds of a row."""
        if name == "import":
            return self.imported()[0]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, anew]) + "\n")
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


def compared(name: str, this: Checkout, other: Checkout, rounds: int) -> tuple[float, float, list[float]]:
    """Least CPU seconds of this checkout and of the other, and the ratio of every turn."""
    seconds, ratios = dict[Path, list[float]]({this.folder: [], other.folder: []}), []
    for k in range(rounds):
        order = (this, other) if k % 2 else (other, this)
        took = {checkout.folder: checkout.measure(name, k % ANEW == 0) for checkout in order}
        for folder, value in took.items():
            seconds[folder].append(value)
        ratios.append(took[other.folder] / took[this.folder])
    return min(seconds[this.folder]), min(seconds[other.folder]), ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("rows", nargs="*", help="rows whose names begin so; all of them if none is named")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each row")
    options = parser.parse_args()
    rows = [name for name in ROWS if not options.rows or name.startswith(tuple(options.rows))]
    this, other = Checkout(HERE), Checkout(options.other.resolve())
    print(f"{'row':<52} {'ms here':>9} {'of the least':>11}  times faster: median of all turns (quartiles)")
    for name in rows:
        seconds, there, ratios = compared(name, this, other, options.rounds)
        low, _, high = quantiles(ratios, n=4)
        modules = f"; {this.imported()[1]} modules, {other.imported()[1]} there" if name == "import" else ""
        spread = f"{there / seconds:11.2f}  {median(ratios):.2f} ({low:.2f} to {high:.2f})"
        print(f"{name:<52} {1e3 * seconds:9.2f} {spread}{modules}", flush=True)
    this.end()
    other.end()


if __name__ == "__main__":
    worker() if sys.argv[1:] == ["--worker"] else main()
