"""Societies find Q* with clones, not without; what mechanisms do to credit; files, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import toy_tasks

import mfgsolve as mfg
from mfgsolve.errors import FileError, InputError
from mfgsolve.learners.society import MECHANISMS, Society
from mfgsolve.tasks.auctions import AuctionBandit, AuctionChain, AuctionTask
from mfgsolve.tasks.decisions import DecisionProcess
from mfgsolve.tasks.training import resume_training

TASKS = ["auction-bandit", "auction-chain", "auction-duality"]
WEIGHTS = {"bids": "multiplicative-weights"}


@dataclass(frozen=True)
class Dear(AuctionTask):
    """A reward that no bid from 0 to 1 can tell."""

    gain: float = 3.0
    name = "dear"
    summary = "One state and a large reward."

    def process(self) -> DecisionProcess:
        return DecisionProcess.of([np.zeros((1, 1))] * 2, [[self.gain], [self.gain / 2]], longest=1)


@pytest.mark.parametrize("task", TASKS)
def test_clones_with_truthful_bids_find_what_states_are_worth(task):
    training = mfg.learn(task, episodes=5000, rng=3)
    found = training.numbers
    assert list(found)[:4] == ["bid_error", "optimal_states", "credit_error", "return"]
    assert found["bid_error"] < 1e-3
    assert found["optimal_states"] == 1.0
    assert found["credit_error"] < 1e-10
    assert found["return"] == pytest.approx(found["optimal_return"], rel=1e-12)
    assert training.warnings == ()


@pytest.mark.parametrize("task", TASKS)
def test_clones_with_multiplicative_weights_come_near(task):
    found = mfg.learn(task, episodes=8000, rng=1, **WEIGHTS).numbers
    assert found["mean_bid_error"] <= 0.01
    assert found["optimal_states"] == 1.0
    assert found["credit_error"] < 1e-10


def test_clones_with_exp3_come_near_where_there_is_one_state():
    found = mfg.learn("auction-bandit", episodes=20000, rng=1, bids="exp3").numbers
    assert found["bid_error"] < 0.02
    assert mfg.learn("auction-duality", episodes=20000, rng=1, bids="exp3").numbers["optimal_states"] == 1.0


@pytest.mark.parametrize("options", [{}, WEIGHTS])
@pytest.mark.parametrize(("task", "error"), [("auction-chain", 0.3), ("auction-duality", 0.2)])
def test_solitary_societies_fail_which_is_why_there_are_clones(task, error, options):
    training = mfg.learn(task, solitary=True, episodes=20000, rng=3, **options)
    assert training.numbers["bid_error"] > error
    assert [each.code for each in training.warnings] == ["sold-below-worth"]


def test_solitary_truth_is_enough_where_the_owner_gets_the_first_bid():
    for mechanism in ("bucket-brigade", "vickrey"):
        assert mfg.learn("auction-chain", mechanism=mechanism, solitary=True, episodes=3000).numbers["bid_error"] < 1e-3


def test_vickrey_blows_a_bubble_that_credit_conservation_does_not():
    options = WEIGHTS | {"levels": 21, "episodes": 5000, "rng": 0}
    bubble = mfg.learn("auction-chain", mechanism="vickrey", **options)
    kept = mfg.learn("auction-chain", mechanism="credit-conserving", **options)
    worth = bubble.dataset["worth"].max("primitive")
    assert (bubble.dataset["bids"].max("primitive") > worth + 0.1).all()
    assert bubble.numbers["optimal_states"] < 1
    assert bubble.numbers["credit_error"] > 0.01
    assert [each.code for each in bubble.warnings] == ["credit-is-made"]
    assert "a bubble" in bubble.warnings[0].sentence
    assert kept.numbers["mean_bid_error"] < 0.02
    assert kept.numbers["optimal_states"] == 1
    calm = mfg.learn("auction-chain", mechanism="vickrey", **(options | {"levels": 101, "episodes": 20000}))
    assert calm.numbers["bid_error"] < 0.02  # bids that lie closer than the discount takes away bring it down


@pytest.mark.parametrize("mechanism", list(MECHANISMS))
@pytest.mark.parametrize(
    "options", [{"lots": 0.3}, WEIGHTS, WEIGHTS | {"reserve": 0.4}, {"bids": "exp3", "reserve": 0.4}]
)
@pytest.mark.parametrize("solitary", [False, True])
def test_credit_is_kept_to_round_off_by_mechanisms_that_conserve_it(mechanism, options, solitary):
    training = mfg.learn("auction-duality", mechanism=mechanism, solitary=solitary, episodes=20, rng=2, **options)
    made = training.numbers["credit_error"]
    if MECHANISMS[mechanism].conserves:
        assert made < 1e-12
        assert np.abs(training.dataset["credit_made"].values).max() < 1e-12
    elif options != {"lots": 0.3} or solitary:
        assert made > 1e-3


def test_first_prices_are_learned_to_be_shaded():
    found = mfg.learn("auction-bandit", mechanism="bucket-brigade", episodes=5000, levels=21, rng=0, **WEIGHTS).dataset
    alone = mfg.learn("auction-bandit", mechanism="bucket-brigade", solitary=True, episodes=5000, levels=21, rng=0,
                      **WEIGHTS).dataset  # fmt: skip
    assert float(alone["bids"].max()) < 0.72  # of 0.8: just above the second, 0.6
    assert float(found["bids"].max()) <= 0.8


def test_losers_learn_their_worth_where_reserve_prices_are_drawn():
    far = {}
    for reserve in (0.0, 0.3):
        found = mfg.learn("auction-bandit", reserve=reserve, episodes=8000, rng=0, **WEIGHTS).dataset
        far[reserve] = float(np.abs(found["bids"] - found["worth"]).mean())
    assert far[0.0] > 0.05
    assert far[0.3] < 0.02


def test_lots_make_losers_learn_in_truthful_societies():
    found = mfg.learn("auction-chain", episodes=8000, lots=0.3, rng=0).dataset
    np.testing.assert_allclose(found["bids"], found["worth"], atol=1e-3)
    stale = mfg.learn("auction-chain", episodes=8000, lots=0.0, anywhere=0.0, initial=0.9, rng=0)
    assert float(np.abs(stale.dataset["bids"] - stale.dataset["worth"]).max()) > 1e-2
    assert stale.numbers["bid_error"] < 1e-3


def test_a_society_plays_a_best_response_to_a_crowd():
    training = mfg.learn("auction-crowd", episodes=6000, rng=0)
    found = training.numbers
    assert found["return"] == pytest.approx(found["optimal_return"], abs=1e-3)
    assert found["mean_bid_error"] < 0.02


@pytest.mark.parametrize("options", [{}, WEIGHTS, {"bids": "exp3", "reserve": 0.1}])
def test_training_is_reproducible_and_goes_on_bit_for_bit(tmp_path: Path, options):
    options = options | {"episodes": 85, "rng": 5, "levels": 11}
    path = tmp_path / "c.nc"
    whole = mfg.learn("auction-chain", **options)
    assert whole.dataset.sizes["iteration"] == 85
    assert not whole.dataset["bids"].equals(mfg.learn("auction-chain", **(options | {"rng": 6})).dataset["bids"])
    mfg.learn("auction-chain", checkpoint=path, callback=lambda done: done.block == 3, **options)
    again = resume_training(path)
    assert again.dataset.drop_vars("seconds").equals(whole.dataset.drop_vars("seconds"))


def test_checkpoints_that_no_society_wrote_are_refused(tmp_path: Path):
    from mfgsolve.files import read_dataset, write_dataset

    path = tmp_path / "c.nc"
    mfg.learn("auction-chain", episodes=9, checkpoint=path, callback=lambda done: True, **WEIGHTS)
    held = read_dataset(path, "training-checkpoint")
    for name, value in (("bids", -1.0), ("wins", -1), ("wealth", np.inf)):
        spoilt = held.copy(deep=True)
        spoilt[f"array_{name}"].values.reshape(-1)[0] = value
        write_dataset(spoilt, path)
        with pytest.raises(FileError, match="no society wrote"):
            resume_training(path)


def test_nothing_is_told_before_anything_was_learned():
    training = mfg.learn("auction-chain", max_seconds=0)
    assert all(np.isnan(training.numbers[name]) for name in ("bid_error", "optimal_states", "credit_error", "return"))


def test_a_primitive_without_a_rival_is_told():
    training = mfg.learn(AuctionBandit(arms=1), Society(solitary=True, mechanism="vickrey", episodes=30))
    assert [each.code for each in training.warnings] == ["no-rival"]
    assert "the price is 0" in training.warnings[0].sentence
    assert training.numbers["bid_error"] < 1e-3
    assert mfg.learn(AuctionBandit(arms=1), Society(episodes=30)).warnings == ()
    assert (
        mfg.learn(AuctionBandit(arms=1), Society(solitary=True, mechanism="bucket-brigade", episodes=9)).warnings == ()
    )


def test_values_that_no_bid_can_tell_are_refused_of_levels_alone():
    with pytest.raises(InputError, match=r"values from 1.5 to 3, and discretised bids lie from 0 to 1; scale"):
        mfg.learn(Dear(), Society(bids="exp3"))
    assert mfg.learn(Dear(), Society(episodes=2000)).numbers["bid_error"] < 1e-3
    with pytest.raises(InputError, match="from -3 to"):
        mfg.learn(Dear(gain=-3.0), Society(bids="multiplicative-weights"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mechanism": "vickry"}, "did you mean 'vickrey'"),
        ({"bids": "truthfull"}, "did you mean 'truthful'"),
        ({"initial": 1.5}, "bids lie from 0 to 1"),
        ({"levels": 1}, "at least 2"),
        ({"episodes": 0}, "at least 1"),
        ({"lots": -0.1}, "from 0 to 1"),
        ({"rate": -1.0}, "positive number"),
        ({"reserve": 0.1}, "need no reserve price"),
        ({"reserve": 1.0, "bids": "exp3"}, "below 1"),
    ],
)
def test_options_that_are_none_are_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        mfg.learn(AuctionChain(), "society", **options)


def test_tasks_that_are_no_decision_processes_are_refused():
    with pytest.raises(InputError, match="it is no decision process"):
        mfg.learn(toy_tasks.Coin(), Society())
