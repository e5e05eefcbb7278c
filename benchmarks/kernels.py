"""Speed of the kernels beside a STREAM triad, on the supply-demand game with a half-solved plan.

    python benchmarks/kernels.py            # about a minute and a half
    python benchmarks/kernels.py --quick    # small grids, a few seconds

Every cell holds 10^6 cell-steps per second and, after the bar, the share of the bandwidth of the triad  a = b + 3 c  of
the same process (one thread, measured again next to each kernel).  The unit is that of the triad, bytes that must move
between memory and processor in one pass, each array of levels as often as the pass goes over it, what a level needs
besides being in cache: (bytes x cell-steps / s) / (triad bytes / s).  Below a half (marked *) it is instructions that
bind, not memory.  A tangent is one backward and one forward pass, counted once.  The last table is the time of one
thread over two.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from measure import Stream, best
from rich.console import Console
from rich.table import Table

from mfgsolve.couplings import Congestion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.fields import Bump
from mfgsolve.games import Game
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.supply_demand import supply_demand

KERNELS = ("backward", "forward", "tangent", "movement")
COUPLINGS = ("price", "potential", "slope")
BYTES = {  # of a cell-step in one pass, arrays of doubles read and written
    "backward": 8 * (1 + 1),  # price, policy
    "forward": 8 * (1 + 1),  # policy, mass
    "tangent": 8 * (2 + 2 + 1 + 3),  # policy and direction twice, mass, result written, read and written
    "movement": 8 * (1 + 1),  # policy, mass
    "price": 8 * (1 + 1 + 1),  # mass, reward, price
    "potential": 8 * (1 + 1 + 1),  # beside the price
    "slope": 8 * (1 + 1 + 1),
}
BINDS = 0.5  # share of the triad below which memory is not what binds
FULL = [((64, 64), 512), ((128, 128), 1024), ((256, 256), 256), ((65536,), 256), ((48, 48, 48), 64)]
QUICK = [((64, 64), 128), ((4096,), 128), ((24, 24, 24), 32)]


def make_problem(shape: tuple[int, ...], steps: int, noise: str) -> Problem:
    """Supply-demand, or a game like it in another dimension; viscosity as large as explicit noise allows, at most."""
    viscosity = min(0.002, 0.45 * steps / (len(shape) * max(shape) ** 2))
    if len(shape) == 2:
        problem = supply_demand(shape=shape, steps=steps, viscosity=viscosity, scheme="upwind")  # type: ignore[arg-type]
        return replace(problem, dynamics=ControlledDiffusion(viscosity, 0.5, noise, scheme="upwind"))
    there, here = (0.8,) * len(shape), (0.2,) * len(shape)
    return Problem(
        grid=Grid.box(shape),
        time=TimeGrid(1.0, steps),
        dynamics=ControlledDiffusion(viscosity, 0.5, noise, scheme="upwind"),
        coupling=Congestion(Bump(2.0, 0.1, there), 0.1),
        initial=Bump(1.0, 0.1, here),
        normalise=True,
    )


def calls(game: Game, sweeps: int = 4) -> dict[str, Callable[[], object]]:
    """The kernels on the data of a few sweeps of fictitious play."""
    ahead = np.zeros((game.steps, *game.step.shape))
    mass = game.flow(ahead)
    for k in range(sweeps):
        ahead = game.respond(game.price(mass), out=ahead).policy
        mass += 2 / (k + 2) * (game.flow(ahead) - mass)
    price, result = game.price(mass), game.empty_crowd()
    direction = np.random.default_rng(0).standard_normal(mass.shape)
    policy, flow = game.respond(price).policy, game.empty_crowd()
    return {
        "backward": lambda: game.respond(price, out=ahead),
        "forward": lambda: game.flow(policy, out=flow),
        "tangent": lambda: game.curvature(policy, mass, direction, out=result, identity=0.0),
        "movement": lambda: game.cost(game.policy_of(policy), mass),
        "price": lambda: game.price(mass, out=result),
        "potential": lambda: game.price_and_potential(mass, result),
        "slope": lambda: game.slope(mass, out=result),
    }


def title(shape: tuple[int, ...], steps: int) -> str:
    return "x".join(map(str, shape)) + f" x {steps}"


def measure_ratios(grids: list[tuple[tuple[int, ...], int]], stream: Stream, repeats: int) -> Table:
    table = Table(
        "cells x steps", "noise", "triad GB/s", *KERNELS, *COUPLINGS,
        title="one thread: 10^6 cell-steps/s | share of the triad's bytes/s (* instructions bind)",
    )  # fmt: skip
    for shape, steps in grids:
        for noise in ("explicit", "implicit"):
            game = Game(make_problem(shape, steps, noise), threads=1)
            row, element = [], 0.0
            for name, call in calls(game).items():
                call()
                before = 1 / stream.rate(repeats)
                seconds = best(call, repeats, time.process_time) / game.cell_steps
                element = min(before, 1 / stream.rate(repeats))
                share = BYTES[name] / 24 * element / seconds
                row.append(f"{1e-6 / seconds:4.0f}|{share:.2f}{'*' if share < BINDS else ' '}")
            table.add_row(title(shape, steps), noise, f"{24e-9 / element:.1f}", *row)
    return table


def measure_threads(grids: list[tuple[tuple[int, ...], int]], repeats: int) -> Table:
    table = Table(
        "cells x steps", "noise", *KERNELS[:3], title="two threads: seconds of one thread over seconds of two"
    )
    for shape, steps in grids:
        for noise in ("explicit", "implicit"):
            problem = make_problem(shape, steps, noise)
            one, two = (calls(Game(problem, threads=n), 2) for n in (1, 2))
            row = []
            for name in KERNELS[:3]:
                two[name]()
                row.append(f"{best(one[name], repeats) / best(two[name], repeats):.2f}")
            table.add_row(title(shape, steps), noise, *row)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small grids only")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each kernel, of which the fastest counts")
    parser.add_argument("--no-threads", action="store_true", help="leave out the table of two threads")
    options = parser.parse_args()
    console = Console(width=160)
    start = time.perf_counter()
    console.print(measure_ratios(QUICK if options.quick else FULL, Stream(10_000_000), options.repeats))
    if not options.no_threads:
        grids = [((256, 256), 16)] if options.quick else [((256, 256), 64), ((512, 512), 32)]
        console.print(measure_threads(grids, options.repeats))
    console.print(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
