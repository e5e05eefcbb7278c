"""What all dynamics share: one kind and one temperature in a problem, and a step for several populations."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg

STAY, SWAP = np.eye(2), np.eye(2)[::-1].copy()
HALF = np.full((2, 2), 0.5)


def test_problems_state_dynamics_of_one_kind_and_temperature():
    parts = {"time": mfg.TimeGrid(1, 1), "coupling": 0.0, "initial": 1.0}
    both = mfg.Populations(["a", "b"], mfg.Grid.box((2,)))
    still = mfg.LatticeMoves((0,))
    with pytest.raises(mfg.InputError, match="cannot be mixed"):
        mfg.Problem(grid=both, dynamics=[still, mfg.ControlledDiffusion()], **parts)
    with pytest.raises(mfg.InputError, match=r"temperatures \[0\.0, 0\.5\]; one for all"):
        mfg.Problem(grid=both, dynamics=[still, mfg.LatticeMoves((0,), temperature=0.5)], **parts)
    with pytest.raises(mfg.InputError, match="dynamics of the problem is a str"):
        mfg.Problem(grid=both, dynamics="lattice", **parts)
    with pytest.raises(mfg.InputError, match="dynamics of the problem is a NoneType"):
        mfg.Problem(grid=both, dynamics=[], **parts)
    hot = mfg.Problem(grid=both, dynamics=[still, still], **parts).at_temperature(2.0)
    assert hot.temperature == 2.0
    assert all(one.temperature == 2.0 for one in hot.all_dynamics)


def test_one_population_binds_and_several_are_joined():
    time, start = mfg.TimeGrid(2, 2), np.array([0.5, 0.5])
    one, two = mfg.Tabular([STAY, HALF], cost=[[0, 1], [2, 3]]), mfg.Tabular([HALF], cost=[[7, 8]])
    step = one.bind(mfg.States(2), time, start)
    assert (step.actions, step.states) == (2, 2)
    both = mfg.Tabular.join([one, two], mfg.Populations(["a", "b"], mfg.States(2)), time, np.ones((2, 2)) / 2)
    assert (both.actions, both.states) == (2, 4)
    np.testing.assert_array_equal(both.own_cost[0], [[0, 1, 7, 8], [2, 3, 0, 0]])
    pair = mfg.Populations(["a", "b"], mfg.Grid.box((2,)))
    beside = mfg.ControlledDiffusion.join([mfg.ControlledDiffusion(0.1)] * 2, pair, time, np.ones((2, 2)) / 2)
    assert [part.cells for part in beside.parts] == [2, 2]


def test_what_dynamics_are_unless_they_say_otherwise():
    diffusion, table = mfg.ControlledDiffusion(0.1), mfg.Tabular([STAY])
    assert (diffusion.has_tables, table.has_tables) == (False, True)
    assert not diffusion.is_coupled
    assert (diffusion.temperature, diffusion.on(mfg.States(2), mfg.TimeGrid(1, 1))) == (0.0, diffusion)
    assert diffusion.at_temperature(3.0) is diffusion, "only choices from a list have a temperature"
    assert (table.at_temperature(3.0).temperature, table.temperature) == (3.0, 0.0)
    assert mfg.LatticeMoves((0, 1)).asked(0.0, np.ones(2)) is None
    assert mfg.Tabular(lambda t, m: [STAY]).is_coupled
    with pytest.raises(mfg.InputError, match="a controlled diffusion needs a Grid; the space is States"):
        diffusion.check(mfg.States(2))
