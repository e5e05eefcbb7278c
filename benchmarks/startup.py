"""What a user waits for, in CPU seconds on one thread: import, --help, show, the command beside its solve, compiling.

    python benchmarks/startup.py                        # some minutes
    python benchmarks/startup.py command compile        # sections: import, command, compile
    python benchmarks/startup.py command --other FOLDER # beside another checkout (its own options may differ)

`compile` solves the flagship to 1e-10 in an empty cache, the tangent and the dataset included, and takes off the same
once more in the same process; it counts the functions that Numba compiles, too.  `command` has the whole command with a
warm cache, the solve in a process that has imported everything (the first one of that process, whose kernels are read
from the cache), their ratio, and the sizes of the files.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from measure import ONE_THREAD, table

HERE = Path(__file__).resolve().parent.parent
MESHES = {
    "entropic 64x64x40": ["--shape", "64x64"],
    "upwind 64x64x512": ["--scheme", "upwind", "--shape", "64x64", "--steps", "512"],
}
SETTINGS = {"entropic 64x64x40": {}, "upwind 64x64x512": {"scheme": "upwind", "shape": (64, 64), "steps": 512}}
SOLVE = """
import time, mfgsolve as mfg
from mfgsolve import problems
problem = problems.supply_demand(**{settings})
begun = time.process_time()
mfg.solve(problem, check="ignore", threads=1).dataset
print(time.process_time() - begun)
"""
COMPILE = """
import time, mfgsolve as mfg
from numba.core import event
class Count(event.Listener):
    count = 0
    def on_start(self, event): self.count += 1
    def on_end(self, event): pass
counted = Count()
event.register("numba:compile", counted)
from mfgsolve import problems
problem = problems.supply_demand(**{settings})
times = []
for _ in range(2):
    begun = time.process_time()
    mfg.solve(problem, check="ignore", threads=1).dataset
    times.append(time.process_time() - begun)
print(times[0] - times[1], counted.count)
"""


def run(words: list[str], folder: Path, **environment: str) -> tuple[float, str]:
    """CPU seconds of a process, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words], check=True, capture_output=True, text=True, cwd=folder,
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(folder), **environment},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def imports(folder: Path, rounds: int) -> None:
    words = {
        "python -c pass": ["-c", "pass"],
        "import mfgsolve": ["-c", "import mfgsolve"],
        "import and touch Problem, solve, problems": ["-c", "import mfgsolve as m; m.Problem, m.solve, m.problems"],
        "mfgsolve --help": ["-m", "mfgsolve", "--help"],
    }
    rows = [[name, f"{median(run(one, folder)[0] for _ in range(rounds)):.2f}"] for name, one in words.items()]
    table(["what", "CPU s"], rows)


def command(folder: Path, rounds: int) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for name, options in MESHES.items():
            plan, picture = f"{place}/plan.nc", f"{place}/plan.png"
            words = ["-m", "mfgsolve", "solve", "supply-demand", *options, "-o", plan, "--plot", picture]
            run(words, folder)
            whole, alone, shown = [], [], []
            for _ in range(rounds):
                whole.append(run(words, folder)[0])
                alone.append(float(run(["-c", SOLVE.replace("{settings}", repr(SETTINGS[name]))], folder)[1]))
                shown.append(run(["-m", "mfgsolve", "show", plan], folder)[0])
            ratio = median(a / b for a, b in zip(whole, alone, strict=True))
            size = f"{os.path.getsize(plan) / 1e6:.1f}"
            rows.append([name, *(f"{median(v):.2f}" for v in (whole, alone)), f"{ratio:.2f}", size])
            rows[-1].append(f"{median(shown):.2f}")
    table(["mesh", "command, CPU s", "solve, CPU s", "ratio", "file, MB", "show, CPU s"], rows)


def compiling(folder: Path, rounds: int) -> None:
    rows = []
    for name, settings in SETTINGS.items():
        with tempfile.TemporaryDirectory() as cache:
            code = COMPILE.replace("{settings}", repr(settings))
            seconds, count = run(["-c", code], folder, NUMBA_CACHE_DIR=cache)[1].split()
        rows.append([name, f"{float(seconds):.1f}", count])
    table(["first solve ever", "compiling, CPU s", "functions"], rows)


SECTIONS = {"import": imports, "command": command, "compile": compiling}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="all, unless named")
    parser.add_argument("--other", type=Path, help="another checkout, measured in turn")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    for section in asked.sections or SECTIONS:
        for checkout in [HERE] + ([asked.other.resolve()] if asked.other else []):
            print(f"\n{section}, {checkout.name}", flush=True)
            SECTIONS[section](checkout, asked.rounds)
