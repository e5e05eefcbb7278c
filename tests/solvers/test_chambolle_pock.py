"""Chambolle-Pock: its fixed points, and the optimum under a cap."""

from __future__ import annotations

import pytest
from programmes import stands_still_at_the_solution, transport

from mfgsolve.games import make_game
from mfgsolve.solvers.base import Budget, run
from mfgsolve.solvers.chambolle_pock import ChambollePock

OPTIMA = {1: 1.128195654578, 2: 0.379828257692}  # of a sparse interior point on the same programmes, gap <= 1e-12


def solved(solver, problem, tol=1e-6, iterations=20000):
    return run(solver, solver.init(make_game(problem), tol), tol, Budget(iterations, 60))


@pytest.mark.slow
def test_chambolle_pock_nears_the_optimum_under_a_cap():
    last = solved(ChambollePock(), transport(1), 1e-3, 6000).history[-1]
    assert last.relative_exploitability <= 1e-3
    assert last.violation <= 1e-3
    assert last.potential == pytest.approx(OPTIMA[1], abs=2e-3)


def test_the_solution_is_a_fixed_point():
    stands_still_at_the_solution(ChambollePock())
