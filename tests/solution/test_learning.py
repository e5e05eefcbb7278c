"""What learning adds to a solution: episodes at certificates, the reference, and how far from it."""

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.solution.learning import Learning, Played, Reference

PLAYED = Played(agents=10, episodes=25, block=4, before=1)


def test_episodes_are_counted_up_to_the_last():
    np.testing.assert_array_equal(PLAYED.after(np.array([0, 1, 5, 6, 7])), [1, 5, 21, 25, 25])
    learning = Learning.of(PLAYED, np.array([0, 6]), populations=2, steps=8)
    np.testing.assert_array_equal(learning.agent_steps, [1 * 160, 25 * 160])
    assert np.isnan(learning.density_distance)


def test_distance_is_the_share_of_the_crowd_that_is_elsewhere():
    """Two nodes on cells of 1/2: all in another cell, then half of it: 3/4 in the mean."""
    grid = mfg.Grid.box(2)
    one, other = np.array([[2.0, 0.0], [2.0, 0.0]]), np.array([[0.0, 2.0], [1.0, 1.0]])
    learning = Learning.of(PLAYED, np.array([0]), 1, 8).beside(one, 1e-9, other, grid)
    assert learning.density_distance == pytest.approx(0.75)
    assert learning.reference_exploitability == 1e-9
    without = learning.beside(None, 0.5, other, grid)
    assert without.reference_density is None
    assert np.isnan(without.density_distance)


def test_a_population_counts_as_much_as_another():
    space = mfg.Populations(["red", "blue"], mfg.States(2))
    one, other = np.array([[[1.0, 0.0], [1.0, 0.0]]]), np.array([[[0.0, 1.0], [1.0, 0.0]]])
    assert Learning.of(PLAYED, np.array([0]), 2, 8).beside(one, 0.0, other, space).density_distance == 0.5


@pytest.mark.parametrize("reference", [Reference(), Reference("solved"), Reference("given", np.eye(2), 0.25)])
def test_a_checkpoint_keeps_the_reference(reference):
    back = Reference.of(reference.stored())
    assert back.kind == reference.kind
    if reference.density is not None:
        np.testing.assert_array_equal(back.density, reference.density)
        assert back.exploitability == 0.25
    assert Reference.of({"tol": 1.0}) is None


def test_learning_is_read_back_from_the_dataset_it_was_written_to():
    density = xr.DataArray(np.ones((3, 2)), dims=("time", "state"), attrs={"units": "1"})
    data = xr.Dataset({"density": density}, {"iteration": [0, 1]})
    one = Learning.of(PLAYED, np.array([0, 1]), 1, 8).beside(np.zeros((3, 2)), 0.1, np.ones((3, 2)), mfg.States(2))
    back = Learning.read(one.written(data))
    assert (back.agents, back.density_distance, back.reference_exploitability) == (10, 1.0, 0.1)
    np.testing.assert_array_equal(back.episodes, one.episodes)
    np.testing.assert_array_equal(back.agent_steps, one.agent_steps)
    np.testing.assert_array_equal(back.reference_density, 0.0)
    assert Learning.read(data) is None


def test_what_agents_with_tables_of_their_own_differed_by_is_kept_and_read_back():
    density = xr.DataArray(np.ones((3, 2)), dims=("time", "state"), attrs={"units": "1"})
    data = xr.Dataset({"density": density}, {"iteration": [0, 1, 2]})
    played = Played(10, 25, 4, 1, apart=np.array([3.0, 2.0]), regrets=np.array([0.1, 0.2]))
    learning = Learning.of(played, np.array([0, 1, 2]), 1, 8)
    np.testing.assert_array_equal(learning.disagreement, [np.nan, 3, 2])  # an earlier version did not measure it
    written = learning.written(data)
    assert written.agent_regret.dims == ("agent",)
    for one in (written, learning.written(data.assign(density=density.expand_dims(population=["red"], axis=1)))):
        back = Learning.read(one.assign_attrs(agents=10))
        np.testing.assert_array_equal(back.disagreement, learning.disagreement)
        np.testing.assert_array_equal(back.agent_regret, [0.1, 0.2])
    plain = Learning.of(PLAYED, np.array([0, 1, 2]), 1, 8)
    assert plain.disagreement is None
    assert not {"disagreement", "agent_regret", "agent"} & {*plain.written(data).variables}
