"""The environments of societies: values by hand, parameters that are refused."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.tasks import auctions, make_task
from mfgsolve.tasks.auctions import AuctionBandit, AuctionChain, AuctionCrowd, AuctionDuality


def test_arms_of_the_bandit():
    process = AuctionBandit().process()
    np.testing.assert_allclose(process.optimal[:, 0], [0.2, 0.4, 0.6, 0.8])
    assert process.longest == 1


def test_values_of_the_chain_by_hand():
    process = AuctionChain().process()
    best = 0.8 * 0.99 ** np.arange(4, -1, -1)
    np.testing.assert_allclose(process.best, best, rtol=1e-13)
    np.testing.assert_allclose(process.optimal[1], best, rtol=1e-13)
    np.testing.assert_allclose(process.optimal[0], 0.99 * best[[0, 0, 1, 2, 3]], rtol=1e-13)
    assert AuctionChain(states=3, prize=1.0, discount=0.5).process().best.tolist() == [0.5, 1.0]


def test_values_of_the_duality_by_hand():
    process = AuctionDuality().process()
    np.testing.assert_allclose(process.optimal, [[0.4, 0.1], [0.1, 0.8]], rtol=1e-13)
    assert process.optimal.max() <= 1


def test_a_crowd_is_even_or_that_of_the_equilibrium():
    even, there = (AuctionCrowd(shape="6", steps=4, crowd=crowd).process() for crowd in ("even", "equilibrium"))
    assert even.reward.shape == there.reward.shape == (3, 24)
    game = mfg.problems.beach_bar(shape=(6,), steps=4)
    solution = mfg.solve(game)
    value = float(there.start @ there.best)
    spread = -4 * np.array([even.start @ even.best, value])
    assert np.isfinite(spread).all()
    policy = solution.dataset["policy"].values.reshape(4, 3, 6).transpose(1, 0, 2).reshape(3, 24)
    chosen = np.where(policy > 1e-3, there.optimal, np.inf).min(axis=0)
    np.testing.assert_allclose(chosen, there.best, atol=2e-3)  # nobody in equilibrium chooses what is worse


def test_processes_are_made_once():
    task = AuctionDuality()
    assert auctions.process_of(task) is auctions.process_of(AuctionDuality())


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("auction-bandit", {"arms": 0}, "at least 1"),
        ("auction-chain", {"states": 1}, "at least 2"),
        ("auction-chain", {"prize": 1.2}, "from 0 to 1"),
        ("auction-chain", {"discount": 1.0}, "above 0 and below 1"),
        ("auction-chain", {"longest": 0}, "at least 1"),
        ("auction-duality", {"gain": -0.1}, "from 0 to 1"),
        ("auction-duality", {"exit": 2.0}, "from 0 to 1"),
        ("auction-duality", {"discont": 0.4}, "did you mean 'discount'"),
        ("auction-crowd", {"crowd": "evn"}, "did you mean 'even'"),
        ("auction-crowd", {"shape": "6 by 6"}, "joined by x"),
        ("auction-crowd", {"steps": -1}, "at least 0"),
    ],
)
def test_parameters_that_are_none_are_refused(name, parameters, sentence):
    with pytest.raises(InputError, match=sentence):
        make_task(name, parameters)


def test_games_that_are_unknown_or_do_not_suit_are_refused():
    with pytest.raises(InputError, match="did you mean 'beach-bar'"):
        AuctionCrowd(problem="beach-bra").process()
    with pytest.raises(InputError, match="no finite list of actions"):
        AuctionCrowd(problem="cole-hopf", shape="8", steps=8).process()
