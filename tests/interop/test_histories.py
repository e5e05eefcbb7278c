"""Rewards that depend on crowds told before, by a stand-in."""

from __future__ import annotations

import numpy as np
import pytest
from openspiel_standins import GAMES, taken

import mfgsolve as mfg

pytestmark = pytest.mark.usefixtures("openspiel")


def test_costs_that_depend_on_earlier_crowds_say_so():
    problem = taken(GAMES["drift"])
    assert {caution.code for caution in problem.cautions} == {"hidden-last-action", "history-rewards"}
    bound = problem.coupling.bind(problem.grid, problem.time.nodes)
    with pytest.raises(mfg.InputError, match="for all nodes in time together"):
        bound.cost(slice(2, 3), np.full((1, 5), 0.2))
    rng = np.random.default_rng(1)
    rho, change = rng.dirichlet(np.ones(5), 4), rng.normal(size=(4, 5))
    change -= change.mean(axis=1, keepdims=True)  # of a distribution
    # -0.4 a - m(x) at the nodes 1..3: the derivative is that of the mass
    tangent = bound.tangent(slice(0, 4), rho, change)
    np.testing.assert_allclose(tangent[1:][tangent[1:] != 0], change[1:][tangent[1:] != 0], rtol=1e-7)
    assert (tangent[0] == 0).all()
