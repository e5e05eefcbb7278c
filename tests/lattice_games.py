"""Finite potential games on lattices: published ones, a reward that moves, random chances, caps."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.certificates import Certificate, certify
from mfgsolve.couplings.hard import QuadraticPotential
from mfgsolve.games import make_game
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import Budget, Run, run
from mfgsolve.solvers.interior_point import InteriorPoint, PathState


def published(example: int, cells: int = 50, times: int = 50) -> Problem:
    """Examples 1 and 2 of Bonnans, Lavigne and Pfeiffer, arXiv:2106.07463."""
    step = 1 / times
    start = np.exp(-((np.arange(cells) - cells / 2) ** 2) / (cells / 4) ** 2)
    costs = tuple((k / cells / step) ** 2 / 4 * step for k in (-1, 0, 1))
    common = {
        "grid": mfg.Grid.box((cells,)),
        "dynamics": mfg.LatticeMoves((-1, 0, 1), costs, walls="forbid"),
        "initial": start / start.mean(),
    }
    if example == 2:
        price = QuadraticPotential(0.5, lambda t: -2 * np.sin(4 * np.pi * t * times / (times - 1)))
        return Problem(time=mfg.TimeGrid(1.0, times), coupling=mfg.Price(price, bounds=(-2.0, 0.0)), **common)

    def cap(t: float, c: object) -> np.ndarray:
        k, i = round(t / step), np.round(c.x * cells - 0.5)  # type: ignore[attr-defined]
        return np.where((times / 3 < k < 2 * times / 3) & (i > cells / 3) & (i < 2 * cells / 3), 0.25, 3.0)

    crowd = mfg.CrowdAversion(1.0) + mfg.Capacity(cap)
    return Problem(time=mfg.TimeGrid((times - 1) * step, times - 1), coupling=crowd, terminal_coupling=crowd, **common)


def moving(shape: tuple[int, ...], steps: int, viscosity: float = 0.0, **options: object) -> Problem:
    """A reward that moves over a lattice."""
    moves = [(0,) * len(shape)]
    for k in range(len(shape)):
        moves += [tuple(s if k == j else 0 for j in range(len(shape))) for s in (1, -1)]
    given = {
        "coupling": mfg.Congestion(lambda t, c: 2 * np.exp(-((c.x - 0.2 - 0.6 * t) ** 2) / 0.02), 1.0),
        "initial": lambda t, c: np.exp(-((c.x - 0.15) ** 2) / 0.005),
        "normalise": True,
    }
    return Problem(
        grid=mfg.Grid.box(shape), time=mfg.TimeGrid(1.0, steps),
        dynamics=mfg.LatticeMoves(moves, [0.01 * sum(map(abs, m)) for m in moves], viscosity=viscosity),
        **(given | options),  # type: ignore[arg-type]
    )  # fmt: skip


def random_game(states: int = 6, steps: int = 4, actions: int = 3) -> Problem:
    rng = np.random.default_rng(5)
    chances = rng.random((steps, actions, states, states)) * (rng.random((steps, actions, states, states)) < 0.5)
    chances[..., 0] += 0.1
    chances /= chances.sum(axis=3, keepdims=True)
    dynamics = mfg.Tabular(chances, rng.random((steps, actions, states)))
    return Problem(
        grid=mfg.States(states), time=mfg.TimeGrid(2.0, steps), dynamics=dynamics, coupling=mfg.CrowdAversion(6.0),
        initial=np.full(states, 1 / states), terminal=rng.random(states),
    )  # fmt: skip


def capped(cap: object) -> Problem:
    coupling = mfg.CrowdAversion(1.0) + mfg.Capacity(cap)  # type: ignore[arg-type]
    return moving((10,), 6, coupling=coupling, initial=1.0, normalise=False)


def solved(problem: Problem, tol: float = 1e-9, **options: object) -> tuple[Run, Certificate, PathState]:
    """The interior point's run, the certificate of what it hands over, and its last state."""
    solver = InteriorPoint(**options)  # type: ignore[arg-type]
    ended = run(solver, solver.init(make_game(problem), tol), tol, Budget(60, None))
    outcome = solver.finish(ended.state)
    found = certify(outcome.game, outcome.policy, outcome.crowd, multiplier=outcome.multiplier)
    return ended, found, ended.state  # type: ignore[return-value]
