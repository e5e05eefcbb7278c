"""The Newton system against dense linear algebra, and the memory that a solve needs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.solvers.krylov import Linearisation, Vectors, conjugate_gradient, minimal_residual


def system_at_a_guess(coupling):
    problem = mfg.Problem(
        grid=mfg.Grid.box((7,)),
        time=mfg.TimeGrid(1.0, 6),
        dynamics=mfg.ControlledDiffusion(0.05, 0.3, scheme="upwind"),
        coupling=coupling + mfg.RunningCost(lambda t, c: np.cos(4 * c.x + t)),
        initial=mfg.Bump(1.0, 0.3, (0.4,)),
        normalise=True,
    )
    game = Game(problem)
    believed = game.empty_crowd()
    believed[:] = game.initial_mass
    ahead = game.respond(game.price(believed)).policy
    return Linearisation(game, ahead, game.flow(ahead), believed, game.slope(believed))


def dense(system):
    size = system.crowd.size
    matrix = np.empty((size, size))
    for k in range(size):
        unit = np.zeros(size)
        unit[k] = 1.0
        unit = unit.reshape(system.crowd.shape)
        weighed = system.weigh(unit, np.empty_like(unit))
        matrix[:, k] = system.apply(unit, weighed, np.empty_like(unit)).reshape(-1)
    return matrix


@pytest.mark.parametrize("coupling", [mfg.CrowdAversion(2.0), mfg.Nonlocal(2.0, width=0.2)], ids=["local", "nonlocal"])
def test_conjugate_gradients_and_gmres_solve_the_dense_system(coupling):
    system = system_at_a_guess(coupling)
    matrix = dense(system)
    assert np.linalg.eigvals(matrix).real.min() > 1 - 1e-10
    right = np.random.default_rng(0).normal(size=system.crowd.shape)
    expected = np.linalg.solve(matrix, right.reshape(-1))
    arrays = [np.empty_like(right) for _ in range(5)]
    uses = conjugate_gradient(system, Vectors(arrays[0], right.copy(), *arrays[1:3]), 1e-12, 200, arrays[3:])
    shift = (arrays[0].reshape(-1) - expected).reshape(right.shape)
    weighed = system.weigh(shift, np.empty_like(shift))
    size = system.weigh(right, np.empty_like(right))
    assert abs((shift * weighed).sum()) < 1e-20 * abs((right * size).sum())
    assert 0 < uses < 60
    found, _ = minimal_residual(system, right.copy(), 1e-12, 60)
    np.testing.assert_allclose(found.reshape(-1), expected, atol=1e-9)


@pytest.mark.parametrize(("method", "limit"), [("newton", 14), ("frank-wolfe", 7.05), ("fictitious-play", 7)])
def test_memory_in_arrays_of_all_levels(method, limit):
    """Peak of everything a solve allocates, its problem included."""
    problem = mfg.problems.supply_demand(shape=(32, 32), steps=256, scheme="upwind")
    mfg.solve(problem, method=method, max_iterations=2, check="ignore")
    tracemalloc.start()
    mfg.solve(problem, method=method, max_iterations=20, check="ignore")
    arrays = tracemalloc.get_traced_memory()[1] / (8 * 257 * 32 * 32)
    tracemalloc.stop()
    assert arrays <= limit
