"""Mechanisms: what is paid and got, when truth is dominant, and that its equilibrium is the optimal policy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfgsolve.errors import InputError
from mfgsolve.learners.society import MECHANISMS, hold_auction
from mfgsolve.learners.society.mechanisms import mechanism_of
from mfgsolve.tasks.auctions import AuctionBandit, AuctionChain, AuctionCrowd, AuctionDuality

bid = st.floats(0, 1)
SECOND = ["vickrey", "credit-conserving"]


@pytest.mark.parametrize(
    ("name", "price", "receipt"),
    [("bucket-brigade", 0.8, 0.8), ("vickrey", 0.5, 0.8), ("credit-conserving", 0.5, 0.5)],
)
def test_the_table_of_utilities(name, price, receipt):
    auction = hold_auction([0.2, 0.8, 0.5], name)
    assert (auction.winner, auction.price, auction.receipt) == (1, price, receipt)
    worth = 0.3 + 0.9 * hold_auction([0.6, 0.4], name).receipt
    assert auction.utility(1, worth) == worth - price
    assert auction.utility(0, worth) == 0.0
    assert MECHANISMS[name].conserves == (price == receipt)


@pytest.mark.parametrize("name", SECOND)
@given(others=st.lists(bid, min_size=0, max_size=4), worth=bid, other=bid, place=st.integers(0, 4))
def test_truth_is_a_dominant_strategy_under_second_prices(name, others, worth, other, place):
    place = min(place, len(others))
    honest, liar = (
        hold_auction([*others[:place], mine, *others[place:]], name).utility(place, worth) for mine in (worth, other)
    )
    assert honest >= liar
    assert MECHANISMS[name].is_truthful


@given(others=st.lists(bid, min_size=1, max_size=4), worth=bid)
def test_truth_earns_nothing_under_first_prices_and_less_earns_more(others, worth):
    honest = hold_auction([worth, *others], "bucket-brigade").utility(0, worth)
    assert honest == 0.0
    shaded = (worth + max(others)) / 2
    if max(others) < shaded < worth:
        assert hold_auction([shaded, *others], "bucket-brigade").utility(0, worth) > 0.0
    assert not MECHANISMS["bucket-brigade"].is_truthful


@given(st.lists(bid, min_size=1, max_size=6))
def test_credit_is_kept_by_two_mechanisms_and_made_by_one(bids):
    made = {name: (lambda a: a.receipt - a.price)(hold_auction(bids, name)) for name in MECHANISMS}
    assert made["bucket-brigade"] == made["credit-conserving"] == 0.0
    assert made["vickrey"] >= 0.0
    twins = hold_auction(np.repeat(bids, 2), "vickrey")
    assert twins.receipt == twins.price == max(bids)  # with clones the second bid is the first


@pytest.mark.parametrize("task", [AuctionBandit(), AuctionChain(), AuctionDuality(), AuctionCrowd(shape="5", steps=4)])
@pytest.mark.parametrize("name", SECOND)
def test_the_equilibrium_of_dominant_strategies_is_the_optimal_policy(task, name):
    """Where all clones bid Q*, winning is worth Q*, and no other bid earns more: the best primitive wins everywhere."""
    process = task.process()
    bids = process.optimal
    receipts = np.array([hold_auction(np.repeat(column, 2), name).receipt for column in bids.T])
    worth = process.reward + process.discount * process.expect(receipts)
    np.testing.assert_allclose(worth, bids, rtol=1e-12, atol=1e-13)
    for s, column in enumerate(bids.T):
        twins = np.repeat(column, 2)
        auction = hold_auction(np.clip(twins, 0, 1), name)
        assert column[auction.winner // 2] == column.max()
        for k in range(twins.size):
            honest = auction.utility(k, worth[k // 2, s])
            for lie in np.linspace(0, 1, 11):
                other = np.clip(twins, 0, 1)
                other[k] = lie
                assert hold_auction(other, name).utility(k, worth[k // 2, s]) <= honest + 1e-12


def test_without_clones_second_prices_sell_states_below_their_worth():
    process = AuctionChain().process()
    receipts = np.array([hold_auction(column, "credit-conserving").receipt for column in process.optimal.T])
    assert (receipts < process.best).all()
    kept = np.array([hold_auction(column, "vickrey").receipt for column in process.optimal.T])
    np.testing.assert_allclose(kept, process.best)


def test_what_is_no_auction_is_refused():
    for bids, sentence in (
        ([0.2, 1.2], "bidder 1 bids 1.2; bids lie from 0 to 1"),
        ([-0.1], "bidder 0"),
        ([float("nan")], "bidder 0"),
        ([], "at least one bidder"),
        ([[0.1]], "at least one bidder"),
    ):
        with pytest.raises(InputError, match=sentence):
            hold_auction(bids)
    with pytest.raises(InputError, match="did you mean 'vickrey'"):
        hold_auction([0.5], "vickry")
    with pytest.raises(InputError, match="did you mean 'bucket-brigade'"):
        mechanism_of("bucket")


def test_a_bidder_without_a_rival_pays_nothing_under_second_prices():
    assert hold_auction([0.7], "vickrey").price == 0.0
    assert hold_auction([0.7], "credit-conserving").receipt == 0.0
    assert hold_auction([0.7], "bucket-brigade").price == 0.7
