"""Hard bounds: what they are in masses and aggregates, and contradictions that are told."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_games import capped, solved

import mfgsolve as mfg
from mfgsolve.couplings.hard import QuadraticPotential
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.problem import Problem
from mfgsolve.solvers.interior_point import InteriorPoint


def test_contradictions_are_told():
    solver = InteriorPoint()
    with pytest.raises(InputError, match=r"capacity 0.5 at node 0 in cell \(0,\).*by 0.5"):
        solver.init(make_game(capped(0.5)), 1e-9)
    with pytest.raises(InputError, match=r"node 2 has room for a mass of 0.5.*0.5 too little"):
        solver.init(make_game(capped(lambda t, c: np.full(10, 2.0 if t < 0.3 else 0.5))), 1e-9)
    far = Problem(
        grid=mfg.Grid.box((10,)), time=mfg.TimeGrid(1.0, 5), dynamics=mfg.LatticeMoves((-1, 0, 1)),
        coupling=mfg.Price(QuadraticPotential(1.0), bounds=(7.0, None)), initial=1.0,
    )  # fmt: skip
    with pytest.raises(InputError, match=r"lowest aggregate 7 .* step 0 .*largest one of any flow"):
        solver.init(make_game(far), 1e-9)


def test_contradiction_that_only_flows_know_is_told():
    # half of the cells are emptied at once, and an agent in the middle of them cannot leave in one step
    problem = capped(lambda t, c: np.where((c.x < 0.55) & (t > 0.1), 0.1, 9.0))
    with pytest.raises(InputError, match=r"no flow meets all hard bounds.*node 1 "):
        solved(problem)
