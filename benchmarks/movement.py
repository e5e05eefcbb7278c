"""Costs of moving: the default solver beside every one that can be named, on diffusions with `movement=`.

python benchmarks/movement.py            # 48 cells x 96 steps, and 16x16 cells x 64 steps
python benchmarks/movement.py --quick    # the first alone, and fewer sweeps

What is to be seen: the default ends no higher than the best named solver, and needs about as few sweeps.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from measure import table

import mfgsolve as mfg
from mfgsolve.solvers import suited

MOVEMENTS: dict[str, Any] = {
    "|a|^1.5": mfg.PowerCost(1.5), "|a|^2.5": mfg.PowerCost(2.5), "|a|^3": mfg.PowerCost(3.0),
    "|a|^4": mfg.PowerCost(4.0), "|a| <= 0.8": mfg.SpeedLimit(0.8), "|a|": mfg.LinearCost(0.8),
}  # fmt: skip
SIZES = (((48,), 96), ((16, 16), 64))


def goal(t: float, c: Any) -> np.ndarray:
    """Cost of a place, least near the other corner."""
    return -0.5 * np.exp(-((c.x - 0.75) ** 2 + (c.y - 0.7) ** 2 if hasattr(c, "y") else (c.x - 0.75) ** 2) / 0.05)


def start(t: float, c: Any) -> np.ndarray:
    return np.exp(-((c.x - 0.3) ** 2 + (c.y - 0.3) ** 2 if hasattr(c, "y") else (c.x - 0.3) ** 2) / 0.02)


def game(movement: Any, shape: tuple[int, ...], steps: int) -> mfg.Problem:
    """Agents who go where it is good, and mind the others."""
    dynamics = mfg.ControlledDiffusion(0.02, 1.0 if isinstance(movement, mfg.SpeedLimit) else 0.5, scheme="upwind",
                                       movement=movement)  # fmt: skip
    coupling = mfg.RunningCost(goal) + mfg.CrowdAversion(0.1)
    return mfg.Problem(mfg.Grid.box(shape), mfg.TimeGrid(1.0, steps), dynamics, coupling, start, normalise=True)


def cell(problem: mfg.Problem, method: str | None, tol: float, sweeps: float) -> tuple[str, str]:
    """What a solver reached, after how many sweeps and seconds of the processor; and whose plan it is."""
    begun = time.process_time()
    solution = mfg.solve(
        problem, method=method, tol=tol, callback=lambda now: now.sweeps > sweeps, check="ignore", threads=1
    )
    seconds = time.process_time() - begun
    return f"{solution.relative_exploitability:.0e} {solution.sweeps:.0f} / {seconds:.1f}", solution.dataset.attrs[
        "solver"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tol", type=float, default=1e-10)
    options = parser.parse_args()
    limit = 500.0 if options.quick else 8000.0
    for shape, steps in SIZES[:1] if options.quick else SIZES:
        names: list[str] = []
        for movement in MOVEMENTS.values():
            names += [name for name in suited(game(movement, shape, steps)) if name not in names]
        rows = []
        for label, movement in MOVEMENTS.items():
            problem = game(movement, shape, steps)
            default, whose = cell(problem, None, options.tol, 8 * limit)
            others = [cell(problem, n, options.tol, limit)[0] if n in suited(problem) else "" for n in names]
            rows.append([label, f"{default} ({whose})", *others])
        print(f"\n{' x '.join(map(str, shape))} cells x {steps} steps: relative exploitability, sweeps / seconds")
        table(["cost of moving", "default", *names], rows)


if __name__ == "__main__":
    main()
