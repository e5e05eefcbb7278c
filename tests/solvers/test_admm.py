"""ADMM: its fixed points, its weights, and warm starts."""

from __future__ import annotations

from programmes import smooth, stands_still_at_the_solution

from mfgsolve.games import make_game
from mfgsolve.solvers.admm import ADMM
from mfgsolve.solvers.base import Budget, run


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
    stands_still_at_the_solution(ADMM())
