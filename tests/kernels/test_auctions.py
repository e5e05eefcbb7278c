"""Kernels of auctions against the formulas, one auction at a time, and against themselves without the compiler."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfgsolve.kernels import auctions as kernel
from mfgsolve.learners.society import MECHANISMS, hold_auction

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]
LEVELS = 11
GRID = np.linspace(0.0, 1.0, LEVELS)
level = st.integers(0, LEVELS - 1)
seeds = st.integers(0, 2**32)


def stream(seed: int = 0) -> np.ndarray:
    return np.random.SeedSequence(seed).generate_state(4, np.uint64)


@settings(max_examples=60, deadline=None)
@given(st.lists(level, min_size=1, max_size=5), st.integers(1, 2), seeds)
def test_the_highest_bids_are_those_of_one_auction(levels, clones, seed):
    bids = GRID[levels]
    found = np.empty(2)
    winner = kernel.highest(bids[:, None], np.ones((bids.size, 1), bool), 0, clones, stream(seed), found)
    auction = hold_auction(np.repeat(bids, clones), "vickrey")
    assert found.tolist() == [auction.receipt, auction.price]
    assert bids[winner] == auction.receipt


@settings(max_examples=60, deadline=None)
@given(st.lists(level, min_size=1, max_size=4), st.integers(1, 2), seeds)
def test_drawn_bids_of_sure_strategies_make_the_same_auction(levels, clones, seed):
    strategy = np.zeros((len(levels), 1, LEVELS))
    strategy[np.arange(len(levels)), 0, levels] = 1.0
    drawn, found = np.empty((len(levels), clones), np.int64), np.empty(2)
    allowed = np.ones((len(levels), 1), bool)
    winner = kernel.bids_of(strategy, GRID, allowed, 0, clones, 0.0, stream(seed), drawn, found)
    auction = hold_auction(np.repeat(GRID[levels], clones), "vickrey")
    assert found.tolist() == [auction.receipt, auction.price]
    assert GRID[levels[winner // clones]] == auction.receipt
    for a in range(len(levels)):
        others = np.delete(np.repeat(levels, clones), a * clones)
        assert kernel.rival(drawn, allowed, 0, clones, a, 0) == (others.max() if others.size else -1)


def test_ties_fall_by_lot():
    bids, found, numbers = np.full((3, 1), 0.5), np.empty(2), stream()
    allowed = np.ones((3, 1), bool)
    won = np.bincount([kernel.highest(bids, allowed, 0, 1, numbers, found) for _ in range(3000)], minlength=3)
    assert won.min() > 900
    drawn, strategy = np.empty((3, 2), np.int64), np.tile(np.eye(LEVELS)[4], (3, 1, 1))
    won = [kernel.bids_of(strategy, GRID, allowed, 0, 2, 0.0, numbers, drawn, found) for _ in range(6000)]
    assert np.bincount(won, minlength=6).min() > 850


def test_bids_are_drawn_from_the_strategy_and_its_exploration():
    row = np.array([0.1, 0.0, 0.6, 0.3])
    drawn, found, numbers = np.empty((1, 1), np.int64), np.empty(2), stream()
    allowed = np.ones((1, 1), bool)
    for spread in (0.0, 0.2):
        seen = np.zeros(4)
        for _ in range(20000):
            kernel.bids_of(row[None, None], GRID[:4], allowed, 0, 1, spread, numbers, drawn, found)
            seen[drawn[0, 0]] += 1
        wanted = (1 - spread) * row + spread / 4
        np.testing.assert_allclose(seen / 20000, wanted, atol=0.015)
        assert seen[1] == 0 or spread > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(-1, LEVELS - 1), st.floats(0, 1), st.integers(1, 2), st.sampled_from([0.0, 0.5]), seeds)
def test_full_information_multiplies_by_what_each_bid_would_have_earned(against, value, pays, tied, seed):
    row = np.random.default_rng(seed).dirichlet(np.ones(LEVELS))
    dear = GRID[against] if against >= 0 else 0.0
    price = GRID if pays == 1 else np.full(LEVELS, dear)
    won = np.where(np.arange(LEVELS) > against, 1.0, np.where(np.arange(LEVELS) == against, tied, 0.0))
    wanted = row * np.exp(3.0 * won * (value - price))
    kernel.reweigh(row, GRID, against, dear, tied, value, pays, 3.0)
    np.testing.assert_allclose(row, wanted / wanted.sum(), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(level, st.integers(-1, LEVELS - 1))
def test_no_bid_gains_more_weight_than_the_worth_under_second_prices(worth, against):
    row = np.full(LEVELS, 1.0 / LEVELS)
    kernel.reweigh(row, GRID, against, GRID[against] if against >= 0 else 0.0, 0.5, GRID[worth], 2, 3.0)
    assert row[worth] >= row.max() - 1e-12


def test_own_earnings_move_the_bid_that_was_made_by_its_chance():
    row = np.array([0.2, 0.3, 0.5])
    kernel.learn_own(row, 1, 0.4, 0.5, 0.3)
    wanted = np.array([0.2, 0.3 * np.exp(0.5 * 0.4 / (0.7 * 0.3 + 0.1)), 0.5])
    np.testing.assert_allclose(row, wanted / wanted.sum(), rtol=1e-12)


def test_one_bidder_is_admitted_by_lot_among_those_allowed():
    allowed, numbers = np.array([[True], [False], [True]]), stream()
    drawn = np.zeros((3, 2), np.int64)
    came = [kernel.open_to_one(drawn, allowed, 0, 2, LEVELS, numbers) for _ in range(4000)]
    who = np.bincount([2 * a + c for a, c, _ in came], minlength=6)
    assert who[2:4].tolist() == [0, 0]
    assert who[[0, 1, 4, 5]].min() > 850
    assert np.bincount([floor for _, _, floor in came], minlength=LEVELS).min() > 280


def process(seed: int, states: int = 4, actions: int = 3) -> tuple:
    """Rows of a random process that may end anywhere, its rewards and what is allowed."""
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.ones(states + 1), size=(actions, states))[..., :states]
    allowed = rng.random((actions, states)) < 0.8
    allowed[0] = True
    first = np.arange(actions * states + 1) * states
    successor = np.tile(np.arange(states), actions * states)
    return first, successor, chance.reshape(-1), rng.random((actions, states)) / 4, allowed


@pytest.mark.parametrize("mechanism", list(MECHANISMS))
@pytest.mark.parametrize("clones", [1, 2])
@pytest.mark.parametrize("kind", ["truthful", "informed", "own"])
def test_walks_are_the_same_without_the_compiler_and_credit_is_kept(mechanism, clones, kind):
    rule, rows = MECHANISMS[mechanism], process(3)
    actions, states = rows[3].shape
    ladders = np.cumsum(np.eye(states)[0]), np.cumsum(np.ones(states))
    results = []
    for compiled in (True, False):
        numbers = stream(5)
        wins, seen = np.zeros((actions, states), np.int64), np.zeros(states, np.int64)
        wealth, tally = np.zeros(actions + 1), np.zeros(4)
        walk = 0.9, 7, clones, rule.pays, rule.gets, 40, 0.2
        if kind == "truthful":
            bids = np.ones((actions, states))
            call = kernel.truthful if compiled else kernel._truthful
            call(bids, wins, seen, wealth, tally, *rows, *ladders, *walk, 0.1, 0.1, 0.6, numbers)
        else:
            bids = np.full((actions, states, LEVELS), 1 / LEVELS)
            call = kernel.discretised if compiled else kernel._discretised
            spread = 0.0 if kind == "informed" else 0.1
            call(bids, wins, seen, wealth, tally, GRID, *rows, *ladders, *walk, 0.2, kind == "informed", 2.0, spread,
                 numbers)  # fmt: skip
        results.append((bids, wins, seen, wealth, tally, numbers))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    bids, wins, seen, wealth, tally, _ = results[0]
    assert seen.sum() == tally[0] >= wins.sum() > 0
    assert tally[2] == 40
    assert (wins[~rows[4]] == 0).all()
    made = wealth.sum() - tally[1]
    assert abs(made) < 1e-12 if rule.conserves else made >= -1e-12


def test_who_bids_less_than_the_reserve_price_does_not_win():
    """Two primitives that always bid 0.3: alone at a higher reserve there is another auction, and nobody overpays."""
    strategy = np.tile(np.eye(LEVELS)[3], (2, 1, 1))
    wins, seen, wealth, tally = np.zeros((2, 1), np.int64), np.zeros(1, np.int64), np.zeros(3), np.zeros(4)
    rows = np.zeros(3, np.int64), np.zeros(0, np.int64), np.zeros(0), np.full((2, 1), 0.5), np.ones((2, 1), bool)
    ladders, walk = (np.ones(1), np.ones(1)), (0.9, 1, 1, 2, 2, 500, 0.0)
    kernel.discretised(
        strategy, wins, seen, wealth, tally, GRID, *rows, *ladders, *walk, 0.5, False, 0.0, 0.0, stream()
    )
    assert wins.sum() == tally[2] == 500
    assert 700 < tally[0] == seen[0] < 1000  # 7 of 11 levels of every other auction are too high
    assert (wealth[:2] >= (0.5 - 0.3) * wins[:, 0] - 1e-12).all()
    assert wealth[:2].sum() > (0.5 - 0.3) * 500 + 1  # some reserve prices are lower
    assert wealth.sum() == pytest.approx(tally[1])
