"""ADMM: its fixed points, its weights, and warm starts."""

from __future__ import annotations

import numpy as np
from programmes import meeting, smooth

from mfgsolve.games import make_game
from mfgsolve.solvers.admm import ADMM
from mfgsolve.solvers.base import Budget, run
from mfgsolve.solvers.proximal import Programme


def solved(solver, problem, tol=1e-6, iterations=20000):
    return run(solver, solver.init(make_game(problem), tol), tol, Budget(iterations, 60))


def test_a_belief_is_a_warm_start():
    problem = smooth()
    solver = ADMM(every=5, warm_up=20)
    cold = solved(solver, problem)
    crowd = solver.finish(cold.state).crowd
    warm = run(solver, solver.init(make_game(problem), 1e-6, lambda game: crowd), 1e-6, Budget(20000, 60))
    assert warm.state.iteration < cold.state.iteration


def test_the_solution_is_a_fixed_point():
    """From the first of two places half stays and half goes, each at the cost of a crowd of 1/2."""
    programme = Programme(make_game(meeting(3.0)))
    half = np.array([0.5, 0.5])
    u = programme.unknowns(np.full((1, 2, 2), 0.5), np.array([[1.0, 0.0], half]))
    x, price = programme.observe @ u, programme.marginal(programme.observe @ u)
    np.testing.assert_allclose((x, price), (half, 3.0 * half))
    y = programme.multipliers(programme.price_of(price))
    operator = ADMM().operator(programme)
    for share in (0.5, 1.0, 2.0):
        point, weight = operator.start(u, y, x, price)
        point, weight = operator.reweighted(point, weight, share * weight), share * weight
        image = operator.apply(point, weight, x)
        np.testing.assert_allclose(image.point, point, atol=1e-13)
        np.testing.assert_allclose(image.u, u, atol=1e-13)
        np.testing.assert_allclose(image.price, price, atol=1e-13)
        wrong = operator.apply(point + 0.1, weight, x)
        assert operator.norm(wrong.point - point - 0.1, weight) > 1e-2
