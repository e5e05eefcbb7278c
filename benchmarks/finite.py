"""Finite games: published optima, sharp and warm games to their certificates, and one of 10^5 states.

python benchmarks/finite.py           # everything but the two large games
python benchmarks/finite.py --large   # 32x32 cells and 60 steps without temperature, and 10^5 states (minutes)
python benchmarks/finite.py --sweeps  # nanoseconds of each sweep for a state, action and step, one thread

Rows of `--sweeps` against another version in turns: `python benchmarks/against.py OTHER finite`.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
from measure import table
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import make_game

PUBLISHED = {  # optimum (solved independently), and the seconds of the authors' own runs (arXiv:2106.07463)
    "bonnans-lavigne-pfeiffer-1": (1.128195654578, "4547 / 5304"),
    "bonnans-lavigne-pfeiffer-2": (0.379828257692, "4572 / 4798"),
}
SWEEPS = ("respond", "flow", "curvature")
SHARP = {
    "beach-bar": {}, "crowd-modelling": {}, "crowd-modelling-2d": {}, "four-rooms": {}, "crowd-motion": {},
    "braess": {}, "left-right": {}, "rock-paper-scissors": {}, "predator-prey": {},
    "lattice-supply-demand": {"shape": (16, 16)},
}  # fmt: skip


def solved(problem: mfg.Problem, **options: object) -> tuple[mfg.Solution, float]:
    """The solution and its seconds; the kernels are compiled by a first, short solve."""
    mfg.solve(problem, max_iterations=1, check="ignore", **options)
    begun = time.perf_counter()
    return mfg.solve(problem, check="ignore", **options), time.perf_counter() - begun


def published() -> None:
    rows = []
    for name, (optimum, theirs) in PUBLISHED.items():
        for method, tol in (("interior-point", 1e-10), ("admm", 1e-9), ("chambolle-pock", 1e-5)):
            found, seconds = solved(mfg.problems.build(name), method=method, tol=tol)
            rows.append([
                name, method, f"{found.iterations}", f"{found.relative_exploitability:.0e}",
                f"{abs(found.potential - optimum) / optimum:.0e}", f"{found.certificate.violation:.0e}",
                f"{seconds:.1f}", theirs,
            ])  # fmt: skip
    head = ["game", "solver", "steps", "rel. exploitability", "error of the optimum", "violation", "s", "published, s"]
    table(head, rows)


def games(settings: dict[str, dict[str, object]], extra: dict[str, object], tol: float) -> None:
    rows = []
    for name, given in settings.items():
        problem = mfg.problems.build(name, given | extra)
        found, seconds = solved(problem, tol=tol)
        size = "x".join(str(n) for n in (*problem.grid.shape, problem.time.steps))
        solver = found.dataset.attrs["solver"]
        work = f"{found.iterations} / {found.sweeps:.0f}"
        rows.append([name, size, solver, work, f"{found.relative_exploitability:.0e}", f"{seconds:.3f}"])
    table(["game", "states x steps", "solver", "steps / sweeps", "rel. exploitability", "s"], rows)


def large() -> None:
    problem = mfg.problems.lattice_supply_demand(shape=(32, 32), steps=60)
    begun = time.perf_counter()
    found = mfg.solve(problem, tol=1e-9, check="ignore")
    rows = [["lattice-supply-demand 32x32x60, sharp", str(found.iterations), f"{found.relative_exploitability:.0e}",
             f"{time.perf_counter() - begun:.0f}", f"{_peak():.1f}"]]  # fmt: skip
    begun = time.perf_counter()
    found = mfg.solve(_random(100_000), check="ignore")
    rows.append(["10^5 states, 5 actions, 10 successors, 50 steps, temperature 0.1",
                 str(found.iterations),
                 f"{found.relative_exploitability:.0e}", f"{time.perf_counter() - begun:.0f}",
                 f"{_peak():.1f}"])  # fmt: skip
    table(["game", "steps", "rel. exploitability", "s", "peak GiB so far"], rows)


def sweeps() -> None:
    """Sweeps of lattice games, by shifts and row by row, and of a random table."""
    rows = []
    for n in (32, 64, 128):
        for noise, temperature in ((0.0, 0.0), (0.0, 0.1), (5.0 / n**2, 0.0), (5.0 / n**2, 0.1)):
            given = {"shape": (n, n), "viscosity": noise, "temperature": temperature}
            name = f"lattice {n}x{n}, {'five successors' if noise else 'one successor'}, {_warmth(temperature)}"
            rows.append([name, *_timed(mfg.problems.lattice_supply_demand(**given))])
    rows.append(["10^5 states, 5 actions, 10 successors, soft", *_timed(_random(100_000))])
    table(["game", "respond, ns", "flow, ns", "curvature, ns"], rows)


def _warmth(temperature: float) -> str:
    return "soft" if temperature else "sharp"


def _timed(problem: mfg.Problem) -> list[str]:
    cells = []
    for name in SWEEPS:
        call = sweep(problem, name)
        cells.append("" if call is None else f"{least(call) / units(problem) * 1e9:.2f}")
    return cells


def units(problem: mfg.Problem) -> int:
    """States times actions times steps."""
    return int(problem.grid.size * problem.time.steps * problem.dynamics.action_count)  # type: ignore[union-attr]


def sweep(problem: mfg.Problem, name: str) -> Callable[[], object] | None:
    """One sweep of a game on one thread; None where the game has none of that name."""
    game = make_game(problem, 1)
    price = game.price(game.resting_crowd(game.empty_crowd()))
    policy = game.respond(price).policy
    crowd = game.flow(policy)
    direction = np.random.default_rng(0).normal(size=crowd.shape)
    if name == "curvature" and not game.step.is_smooth:
        return None
    return {
        "respond": lambda: game.respond(price),
        "flow": lambda: game.flow(policy),
        "curvature": lambda: game.curvature(policy, crowd, direction),
    }[name]


def least(call: Callable[[], object], times: int = 7) -> float:
    """CPU seconds of a call, the least of several."""
    call()
    seconds = []
    for _ in range(times):
        begun = time.process_time()
        call()
        seconds.append(time.process_time() - begun)
    return min(seconds)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _random(states: int, actions: int = 5, successors: int = 10, steps: int = 50) -> mfg.Problem:
    rng = np.random.default_rng(0)
    tables = []
    for _ in range(actions):
        where, chance = rng.integers(0, states, (states, successors)), rng.dirichlet(np.ones(successors), states)
        first = np.arange(0, states * successors + 1, successors)
        tables.append(sparse.csr_array((chance.ravel(), where.ravel(), first), shape=(states, states)))
    dynamics = mfg.Tabular(tables, cost=rng.uniform(0, 1, (actions, states)), temperature=0.1)
    return mfg.Problem(
        mfg.States(states), mfg.TimeGrid(steps, steps), dynamics, mfg.CrowdAversion(0.5 * states), 1.0 / states
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--large", action="store_true", help="the two large games only")
    parser.add_argument("--sweeps", action="store_true", help="nanoseconds of single sweeps only")
    options = parser.parse_args()
    if options.large or options.sweeps:
        (large if options.large else sweeps)()
        return
    published()
    print()
    games(SHARP, {}, 1e-9)
    print()
    warm = {name: given for name, given in SHARP.items() if name != "lattice-supply-demand"}
    games(warm | {"lattice-supply-demand": {"shape": (32, 32)}}, {"temperature": 0.1}, 1e-10)


if __name__ == "__main__":
    main()
