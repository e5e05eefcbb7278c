"""Temporal replay: sizes at both ends, probabilities that fall, frequencies of what is drawn."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfgsolve.errors import InputError
from mfgsolve.parts.temporal import TemporalBatches, TemporalReplay


def test_the_macrobatch_grows_from_t_to_all():
    law = TemporalBatches(10, 110, 5.0)
    assert [law.size(e) for e in (1.0, 0.75, 0.5, 0.0)] == [10, 35, 60, 110]
    assert TemporalBatches(1, 2, 1.0).size(0.5) == 2  # halves are rounded up


@given(st.integers(1, 50), st.integers(0, 500), st.floats(0, 1), st.floats(0, 1))
def test_less_exploration_never_shrinks_it(mini, more, one, two):
    law = TemporalBatches(mini, mini + more, 3.0)
    low, high = sorted((one, two))
    assert mini <= law.size(high) <= law.size(low) <= mini + more


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.floats(0.1, 1e4))
def test_probabilities_sum_to_one_and_fall_with_age(ages, fading):
    chance = TemporalBatches(1, 1, fading).probabilities(ages)
    assert chance.sum() == pytest.approx(1.0)
    order = np.argsort(ages, kind="stable")
    assert (np.diff(chance[order]) <= 0).all()


def test_probabilities_fall_by_e_in_fading():
    chance = TemporalBatches(1, 1, 7.0).probabilities([3, 10])
    assert chance[0] / chance[1] == pytest.approx(np.e)


def test_draws_without_exploration_are_those_of_the_probabilities():
    """Two of four, none twice: the first by the probabilities, the second by those of the rest."""
    ages, law, rng = np.array([0, 2, 5, 1]), TemporalBatches(2, 4, 2.0), np.random.default_rng(0)
    weight = np.exp(-ages / 2.0)
    expected = np.zeros(4)
    for i, j in permutations(range(4), 2):
        expected[[i, j]] += weight[i] / weight.sum() * weight[j] / (weight.sum() - weight[i])
    count, many = np.zeros(4), 6000
    for _ in range(many):
        rows = law.draw(ages, 0.0, rng)
        assert rows[0] != rows[1]
        count[rows] += 1
    np.testing.assert_allclose(count / many, expected, atol=5 * 0.5 / np.sqrt(many))


def test_full_exploration_draws_evenly():
    law, rng, count = TemporalBatches(2, 5, 0.1), np.random.default_rng(0), np.zeros(6)
    for _ in range(6000):
        count[law.draw(np.arange(6), 1.0, rng)] += 1
    np.testing.assert_allclose(count / 6000, 1 / 3, atol=5 * 0.5 / np.sqrt(6000))


def test_a_replay_draws_the_latest_more_often():
    replay, rng = TemporalReplay(50, 50, 5.0, epsilon=0.0), np.random.default_rng(0)
    replay.add(value=np.arange(40))
    replay.add(value=np.arange(40, 70))
    latest = np.concatenate([replay.sample(5, rng)["value"] for _ in range(200)])
    assert latest.min() >= 20
    assert latest.mean() > 60
    replay.epsilon = 1.0
    even = np.concatenate([replay.sample(5, rng)["value"] for _ in range(200)])
    assert even.mean() == pytest.approx(44.5, abs=5 * 14.4 / np.sqrt(1000))
    few = TemporalReplay(50, 50, 5.0)
    few.add(value=np.arange(3))
    assert sorted(few.sample(8, rng)["value"]) == [0, 1, 2]


def test_a_q_learner_takes_it_for_its_replay():
    import mfgsolve as mfg
    from mfgsolve.learners import EpsilonGreedy, QLearner, SampledGame, train

    world = SampledGame(mfg.problems.beach_bar(shape=(5,), steps=3), agents=4, rng=0)
    replay = TemporalReplay(200, 100, 50.0, epsilon=0.3)
    learner = QLearner(world.game, EpsilonGreedy(0.3), 0.1, replay=replay, batch=8, batches=2)
    train(learner, world, 3)
    assert learner.updates == 6
    assert len(replay) == 4 * 3 * 3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TemporalBatches(0, 5, 1.0), "minibatch is 0"),
        (lambda: TemporalBatches(8, 5, 1.0), "macrobatch is 5, less than the minibatch of 8"),
        (lambda: TemporalBatches(2, 5, 0.0), "fading is 0"),
        (lambda: TemporalBatches(2, 5, 1.0).size(1.5), "epsilon is 1.5"),
        (lambda: TemporalBatches(2, 5, 1.0).probabilities([-1.0]), "each 0 or more"),
        (lambda: TemporalReplay(10, 20, 1.0), "capacity of the replay is 10, less than the macrobatch of 20"),
        (lambda: TemporalReplay(10, 5, 1.0).sample(2, np.random.default_rng(0)), "empty"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
