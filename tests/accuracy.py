"""How far solved games are from their closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from mfgsolve import problems
from mfgsolve.games import Game, make_game
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import Budget, Status, run
from mfgsolve.solvers.newton import Newton


class Errors(NamedTuple):
    """Largest L1 distance of the density over all nodes, of the mean cost, and of the value where agents start."""

    density: float
    cost: float
    value: float


def entropic(name: str, shape: tuple[int, ...], steps: int, reach: int | None = None, **parameters: Any) -> Problem:
    """A named problem by entropic steps."""
    problem = problems.build(name, parameters, shape=shape, steps=steps)
    return replace(problem, dynamics=replace(problem.dynamics, scheme="entropic", reach=reach))


def deviation(problem: Problem) -> float:
    """sigma / h on the coarsest axis."""
    noise = math.sqrt(2 * problem.dynamics.viscosity * problem.time.dt)
    return noise / max(axis.spacing for axis in problem.grid.axes)


def solved(problem: Problem, tol: float = 1e-10) -> tuple[Game, np.ndarray]:
    """By Newton's method, to a relative exploitability: the game and its crowd."""
    ended = run(Newton(), Newton().init(make_game(problem), tol), tol, Budget(200, None))
    assert ended.status is Status.CONVERGED
    outcome = Newton().finish(ended.state)
    return outcome.game, outcome.crowd


def errors(problem: Problem, game: Game, crowd: np.ndarray) -> Errors:
    """Against the closed form of the problem."""
    form, c, volume = problems.closed_form(problem), problem.coordinates, problem.grid.cell_volume
    mass = game.mass(crowd)
    exact = np.stack([form.density(t, c) for t in problem.time.nodes]) * volume
    distance = np.abs(mass - exact).reshape(len(mass), -1).sum(axis=1).max()
    value, meant = game.values(game.price(crowd))[0], form.value(0.0, c)
    off = np.where(mass[0] > 1e-6 * mass[0].max(), value - meant, 0.0)
    return Errors(float(distance), abs(float((mass[0] * value - exact[0] * meant).sum())), float(np.abs(off).max()))
