"""Bids as numbers and as a density."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.learners import Occupation
from mfgsolve.learners.society import bid_occupation
from mfgsolve.learners.society.bidding import mean_bids, spread_bids, winners

GRID = np.linspace(0, 1, 6)


def test_bids_between_levels_are_divided_with_the_same_mean():
    bids = np.array([[0.0, 0.13, 0.4], [1.0, 0.99, 0.5]])
    chances = spread_bids(bids, GRID)
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=-1), 1.0)
    assert ((chances > 0).sum(axis=-1) <= 2).all()
    np.testing.assert_allclose(mean_bids(chances, GRID), bids, atol=1e-15)
    assert mean_bids(bids, GRID) is bids


def test_winners_bid_most_of_those_allowed():
    bids = np.array([[0.2, 0.9], [0.6, 0.1]])
    assert winners(bids, np.ones((2, 2), bool)).tolist() == [1, 0]
    assert winners(bids, np.array([[True, False], [False, True]])).tolist() == [0, 1]


@pytest.mark.parametrize("options", [{}, {"bids": "multiplicative-weights"}])
def test_bids_of_a_population_of_clones_are_a_density(options, tmp_path):
    training = mfg.learn("auction-chain", episodes=40, levels=11, rng=0, **options)
    crowd = bid_occupation(training)
    assert isinstance(crowd, Occupation)
    assert crowd.mass.dims == ("population", "state", "action")
    assert crowd.space.shape == (2, 5)
    np.testing.assert_allclose(crowd.marginal("population"), 1.0)
    auctions = training.dataset["auctions"].values
    for population in range(2):
        np.testing.assert_allclose(crowd.density.values[population], auctions / auctions.sum())
    levels = crowd.mass["action"].values.astype(float)
    mean = (crowd.policy().transpose("population", "state", "action").values * levels).sum(axis=-1)
    seen = auctions > 0
    np.testing.assert_allclose(mean[:, seen], training.dataset["bids"].values[:, seen], atol=1e-12)
    crowd.save(tmp_path / "bids.nc")
    assert float(crowd.distance(Occupation.load(tmp_path / "bids.nc"), actions=True)) == 0.0


def test_clones_that_learn_more_come_nearer_in_the_distance_of_densities():
    """Total variation between the bids and those of a society that bids what acting is worth."""
    far = []
    for episodes in (30, 8000):
        training = mfg.learn("auction-chain", episodes=episodes, lots=0.3, rng=0)
        crowd = bid_occupation(training)
        dataset = training.dataset
        worth = spread_bids(dataset["worth"].values, dataset["bid"].values)
        ideal = bid_occupation(dataset.assign(strategy=(("primitive", "state", "bid"), worth)))
        far.append(float(crowd.distance(ideal, actions=True).max()))
    assert far[0] > far[1]
    assert far[1] < 0.05


def test_what_is_no_training_of_a_society_is_refused():
    with pytest.raises(InputError, match="learner 'society' is needed"):
        bid_occupation(3)
    with pytest.raises(InputError, match="train it first"):
        bid_occupation(mfg.learn("auction-chain", max_seconds=0))
