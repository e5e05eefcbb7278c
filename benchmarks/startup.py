"""What a user waits for before anything happens: import, --help, the first solve with and without cached kernels.

python benchmarks/startup.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from measure import table

FIRST = """
import time, mfgsolve as mfg
begun = time.perf_counter()
problem = mfg.problems.supply_demand(shape=(16, 16), steps=128, scheme="upwind")
mfg.solve(problem, callback=lambda measure: True, check="ignore")
print(time.perf_counter() - begun)
"""


def seconds(*command: str, **environment: str) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
    return time.perf_counter() - begun


def first_iteration(cache: str) -> float:
    """Seconds from `solve` to the first iteration, in a new process."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    done = subprocess.run([sys.executable, "-c", FIRST], check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


def median(values: list[float]) -> str:
    return f"{sorted(values)[len(values) // 2]:.2f}"


if __name__ == "__main__":
    bare = [seconds(sys.executable, "-c", "pass") for _ in range(5)]
    imports = [seconds(sys.executable, "-c", "import mfgsolve") for _ in range(5)]
    used = [seconds(sys.executable, "-c", "import mfgsolve as m; m.Problem, m.solve, m.problems") for _ in range(5)]
    helps = [seconds(sys.executable, "-m", "mfgsolve", "--help") for _ in range(5)]
    with tempfile.TemporaryDirectory() as cache:
        cold = first_iteration(cache)
        warm = [first_iteration(cache) for _ in range(5)]
    table(
        ["what", "seconds (median of 5)"],
        [
            ["python -c pass", median(bare)],
            ["import mfgsolve", median(imports)],
            ["import and touch Problem, solve, problems", median(used)],
            ["mfgsolve --help", median(helps)],
            ["first solve, cold: compiling", f"{cold:.2f}"],
            ["first solve, warm: before its first iteration", median(warm)],
        ],
    )
