"""Couplings that look across cells see one scenario at a time."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings.within import Within, in_scenarios, within
from mfgsolve.scenarios import Scenarios

TREE = mfg.ScenarioTree([1.0], [0.3, 0.7])
GRID = mfg.Grid.box((7,))
SPACE, NODES = Scenarios(TREE, GRID), slice(0, 2)
RNG = np.random.default_rng(1)
RHO, CHANGE = RNG.uniform(size=(2, 3, 7)), RNG.normal(size=(2, 3, 7))


def test_each_scenario_by_itself() -> None:
    kernel = mfg.Nonlocal(1.0, 0.3)
    bound, one = within(kernel).bind(SPACE, np.array([0.0, 1.0])), kernel.bind(GRID, np.array([0.0, 1.0]))
    for n in range(3):
        np.testing.assert_array_equal(bound.cost(NODES, RHO)[:, n], one.cost(NODES, RHO[:, n]))
        np.testing.assert_array_equal(
            bound.tangent(NODES, RHO, CHANGE)[:, n], one.tangent(NODES, RHO[:, n], CHANGE[:, n])
        )


def test_the_potential_has_that_cost_as_its_gradient() -> None:
    bound = within(mfg.Nonlocal(1.0, 0.3)).bind(SPACE, np.array([0.0, 1.0]))
    step = 1e-6
    slope = (bound.potential(NODES, RHO + step * CHANGE) - bound.potential(NODES, RHO - step * CHANGE)) / (2 * step)
    expected = (bound.cost(NODES, RHO) * CHANGE * SPACE.volumes).sum(axis=(1, 2))
    np.testing.assert_allclose(slope, expected, rtol=1e-7)


def test_terms_cell_by_cell_stay_as_they_are() -> None:
    both = within(mfg.CrowdAversion(1.0) + mfg.Nonlocal(1.0, 0.3))
    assert [type(term) for term in both.terms] == [mfg.CrowdAversion, Within]  # type: ignore[attr-defined]
    assert within(both.terms[1]) is both.terms[1]  # type: ignore[attr-defined]
    assert in_scenarios(None) is None
    with pytest.raises(mfg.InputError, match="Scenarios are needed"):
        within(mfg.Nonlocal(1.0, 0.3)).bind(GRID, np.array([0.0]))
