"""Whether two problems are the same game, and the example of the problem files' documentation stated in Python."""

from __future__ import annotations

import textwrap

import numpy as np

import mfgsolve.problemfile as problemfile
from mfgsolve.couplings import Congestion, CrowdAversion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.fields import Bump
from mfgsolve.games import make_game, sampled
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem

EXAMPLE = textwrap.dedent(problemfile.__doc__.split("their sum::\n")[1].split("\n*Lattice")[0])
SMALL = dict(shape=(8, 16), steps=8)


def same_game(a: Problem, b: Problem) -> bool:
    """Whether two problems give the same arrays, bit for bit."""
    one, two = make_game(a), make_game(b)
    if one.has_tables != two.has_tables or not np.array_equal(one.final_mass, two.final_mass):
        return False
    if one.has_tables:
        if one.step.own_cost.shape != two.step.own_cost.shape:
            return False
        crowd = one.flow(one.step.uniform())
        arrays = [
            [*sampled(g), g.price(crowd), *g.step.transitions, g.step.own_cost, g.step.allowed, *g.amounts, g.weights]
            for g in (one, two)
        ]
        bounds = [[array for block in g.bounds() for array in block[2:]] for g in (one, two)]
        pairs = zip(arrays[0] + bounds[0], arrays[1] + bounds[1], strict=True)
        return (one.temperature, one.dt) == (two.temperature, two.dt) and all(np.array_equal(x, y) for x, y in pairs)
    if (a.scheme, b.scheme) != ("upwind", "upwind"):
        mass = np.random.default_rng(0).random((one.steps + 1, *one.step.shape))
        arrays = [(g.initial_mass, g.terminal_cost, g.price(mass), g.weights) for g in (one, two)]
        told = ([x.tobytes() if isinstance(x, np.ndarray) else x for x in g.step.identity([])] for g in (one, two))
        numbers = [(p.scheme, g.dt, *own) for p, g, own in zip((a, b), (one, two), told, strict=True)]
        return numbers[0] == numbers[1] and all(np.array_equal(x, y) for x, y in zip(*arrays, strict=True))
    mass = np.random.default_rng(0).random((one.steps + 1, *one.step.shape))
    arrays = [
        (
            g.initial_mass,
            g.terminal_cost,
            g.price(mass),
            *map(g.step.scheme.distance, range(3)),
            *map(g.step.scheme.fastest, range(3)),
        )
        for g in (one, two)
    ]
    arrays = [(*own, g.step.diffuse(mass[0].copy(), True)) for own, g in zip(arrays, (one, two), strict=True)]
    numbers = [(g.dt, tuple(g.step.scheme.control_cost)) for g in (one, two)]
    return numbers[0] == numbers[1] and all(np.array_equal(x, y) for x, y in zip(*arrays, strict=True))


def in_python(shape=(32, 64), steps=256) -> Problem:
    """The example of the documentation, stated in Python."""

    def wall(c):
        return (c.x >= 0.9) & (c.x <= 1.1) & (c.y >= 0.3)

    path = ((0.0, 0.2, 0.2), (1.0, 1.8, 0.8))
    return Problem(
        grid=Grid.box(shape, bounds=[(0, 1), (0, 2)], unit="km", blocked=wall),
        time=TimeGrid(1.0, steps, "h"),
        dynamics=ControlledDiffusion(0.01, 1.0, scheme="entropic"),
        coupling=Congestion(Bump(2.0, 0.1, path=path), 0.1),
        initial=Bump(1.0, 0.1, (0.2, 0.2)),
        terminal=lambda t, c: 1.0 - 1.0 * (c.x >= 1.5) + 0.5 * ((c.x - 2.0) ** 2 + (c.y - 0.5) ** 2),
        terminal_coupling=CrowdAversion(0.1),
        normalise=True,
    )
