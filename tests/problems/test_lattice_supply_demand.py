"""The flagship on a lattice: what moves cost, and two solvers."""

from __future__ import annotations

import numpy as np
import pytest
from sharp_games import sharp

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.games import Game


def test_the_lattice_flagship_charges_moves_by_their_speed() -> None:
    problem = problems.lattice_supply_demand(shape=(8, 16), steps=10)
    dt, hx, hy = 0.1, 1 / 16, 1 / 8
    x, y = 0.25 * (hx / dt) ** 2 * dt, 0.25 * (hy / dt) ** 2 * dt
    assert problem.dynamics.costs == pytest.approx((0.0, x, x, y, y))
    diffusion = problems.supply_demand(shape=(8, 16), steps=10, scheme="upwind")
    np.testing.assert_array_equal(problem.initial_mass(), diffusion.initial_mass())
    lattice, smooth = Game(problem), mfg.games.Game(diffusion)
    crowd = np.random.default_rng(1).random((11, 128))
    np.testing.assert_array_equal(lattice.price(crowd), smooth.price(crowd.reshape(11, 1, 8, 16)).reshape(11, 128))


def test_the_lattice_flagship_is_solved_alike_by_two_solvers() -> None:
    hot = problems.lattice_supply_demand(shape=(8, 8), steps=16, temperature=0.1)
    newton = mfg.solve(hot, method="newton", tol=1e-10, check="raise")
    search = mfg.solve(hot, method="frank-wolfe", tol=3e-7, max_iterations=3000, check="raise")
    assert search.potential == pytest.approx(newton.potential, abs=1e-6)
    cold = problems.lattice_supply_demand(shape=(8, 8), steps=16)
    point = sharp(cold, tol=1e-9)
    assert point.potential > newton.potential, "entropy is worth something"
    found = mfg.solve(cold, method="frank-wolfe", tol=1e-3, max_iterations=3000, check="ignore")
    assert point.potential - 1e-9 <= found.potential <= point.potential + found.exploitability + 1e-9
