"""Games whose distance to the continuum is told, and what that distance is: for the error bars of `continuum.py`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import mfgsolve as mfg
from mfgsolve.resolution.overlay import Flow, apart, interpolated

FLAGSHIPS: list[dict[str, float]] = [
    {"reward": 4.0}, {"congestion": 0.02}, {"width": 0.07}, {"viscosity": 0.01}, {"viscosity": 0.001},
]  # fmt: skip
OTHERS: list[dict[str, float]] = [{}, {"hold": 0.0}, {"viscosity": 0.004, "width": 0.12}]  # nothing was tuned on these
NUMBERS = "potential", "cost"

Build = Callable[[tuple[int, ...], int], mfg.Problem]


def by(problem: mfg.Problem, scheme: str, reach: int | None = None) -> mfg.Problem:
    """The same game by that scheme."""
    return replace(problem, dynamics=replace(problem.dynamics, scheme=scheme, reach=reach))


def solve(problem: mfg.Problem, **options: Any) -> mfg.Solution:
    return mfg.solve(problem, threads=1, check="ignore", **options)


def error_cases(quick: bool, room: Build) -> Iterator[tuple[str, Build, tuple[int, ...], int]]:
    """Name, the game on any mesh, cells and steps: sigma / h is near 0.75, and kinks of the data have a node.

    ``room`` is the game beside walls.
    """

    def named(name: str, parameters: dict[str, float]) -> Build:
        return lambda shape, steps: by(mfg.problems.build(name, parameters, shape=shape, steps=steps), "entropic")

    def flagships(all_of_them: list[dict[str, float]], other: str) -> Iterator[tuple[str, Build, tuple[int, ...], int]]:
        for parameters in all_of_them[:1] if quick else all_of_them:
            steps = 20 if quick else 40
            n = 2 * round(0.75 * math.sqrt(steps / (2 * parameters.get("viscosity", 0.002))) / 2)
            words = "".join(f", {key} {value:g}" for key, value in parameters.items())
            yield f"{other}flagship{words}", named("supply-demand", parameters), (n, n), steps

    yield "gaussian-log", named("gaussian-log", {}), (48,), 32
    yield "linear-quadratic", named("linear-quadratic", {}), (56,), 32
    yield "cole-hopf", named("cole-hopf", {}), (27,), 128
    yield from flagships(FLAGSHIPS, "")
    if not quick:
        yield "crowd-aversion, walls", lambda shape, steps: by(room(shape, steps), "entropic"), (32, 64), 96
        yield "montreal", named("montreal", {}), (64, 64), 64
        yield "flagship", named("supply-demand", {}), (64, 64), 40
        yield "no viscosity", named("linear-quadratic", {"viscosity": 0.0}), (128,), 25
        yield from flagships(OTHERS, "other: ")
        yield "other: gaussian-log", named("gaussian-log", {}), (64, 64), 32
        yield "other: linear-quadratic", named("linear-quadratic", {}), (128,), 64


@dataclass
class Truth:
    """What is known of the continuum: numbers, how well, and the density on some grid at a share of the horizon."""

    potential: float
    cost: float
    doubt: float
    grid: mfg.Grid
    density: Callable[[float], np.ndarray]


def truth(build: Build, shape: tuple[int, ...], steps: int) -> Truth:
    """From a closed form, or from meshes with sigma / h = 0.9 and 1.5 and 3 times as many steps, extrapolated; beside
    walls, where cells decide, from more of these."""
    problem = build(shape, steps)
    grid, c = problem.grid, problem.coordinates
    if grid.mask.any():
        return _beside_walls(build, shape, steps)
    try:
        form = mfg.problems.closed_form(problem)
        cost = float((form.density(0.0, c) * form.value(0.0, c)).sum() * grid.cell_volume)
        horizon = problem.time.horizon
        return Truth(math.nan, cost, 0.0, grid, lambda share: form.density(share * horizon, c))
    except mfg.InputError:
        pass
    solutions, viscosity = [], problem.dynamics.viscosity
    for count in (3 * steps // 2, 3 * steps):
        width = math.sqrt(2 * viscosity * problem.time.horizon / count)
        solutions.append(solve(build(tuple(2 * round(0.45 * axis.length / width) for axis in grid.axes), count)))
    first, second = solutions
    flows = [flow_of(each) for each in solutions]

    def density(share: float) -> np.ndarray:
        return (4 * flows[1].density(share) - interpolated(flows[0], flows[1].grid, share)) / 3

    found = [(4 * getattr(second.certificate, name) - getattr(first.certificate, name)) / 3 for name in NUMBERS]
    return Truth(found[0], found[1], abs(second.potential - first.potential) / 15, flows[1].grid, density)


def _beside_walls(build: Build, shape: tuple[int, ...], steps: int) -> Truth:
    """h = 2/3, 1/2 and 1/3 of the mesh, steps as many as cells: P + a h + b h^2 through all three."""
    shares = np.array([2 / 3, 1 / 2, 1 / 3])
    solutions = [solve(build(tuple(round(n / s) for n in shape), round(steps / s))) for s in shares]
    powers = np.stack([shares**0, shares, shares**2], axis=1)
    found = [np.linalg.solve(powers, [getattr(each.certificate, name) for each in solutions])[0] for name in NUMBERS]
    linear = solutions[2].potential - (solutions[1].potential - solutions[2].potential) * 2
    best = flow_of(solutions[2])
    return Truth(float(found[0]), float(found[1]), abs(float(found[0]) - linear), best.grid, best.density)


def flow_of(solution: mfg.Solution) -> Flow:
    problem = solution.problem
    assert problem is not None
    return Flow(problem.grid, solution.dataset["density"].values * problem.grid.cell_volume)


def density_error(solution: mfg.Solution, limit: Truth) -> float:
    """L1 distance, mean over every other node."""
    flow, same = flow_of(solution), limit.grid.shape == solution.problem.grid.shape
    shares = np.linspace(0, 1, flow.steps // 2 + 1 if flow.steps % 2 == 0 else flow.steps + 1)  # all have these nodes
    if limit.grid.mask.any():
        exact = Flow(limit.grid, np.stack([limit.density(share) for share in shares]) * limit.grid.cell_volume)
        return apart(exact, flow)
    gaps = [
        (flow.density(share) if same else interpolated(flow, limit.grid, share)) - limit.density(share)
        for share in shares
    ]
    return float(np.mean([np.abs(gap).sum() for gap in gaps])) * limit.grid.cell_volume
