"""A memory of the latest transitions, drawn from uniformly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mfgsolve.errors import InputError
from mfgsolve.parts.replay import Replay


def test_replay_keeps_the_latest_and_draws_uniformly():
    replay, rng = Replay(50), np.random.default_rng(3)
    for start in range(0, 84, 7):
        numbers = np.arange(start, start + 7)
        replay.add(state=numbers, action=np.eye(2)[numbers % 2], reward=numbers * 0.5)
    assert len(replay) == 50
    kept = replay.arrays()
    np.testing.assert_array_equal(kept["state"], np.arange(34, 84))
    drawn = replay.sample(50_000, rng)
    np.testing.assert_array_equal(drawn["reward"], drawn["state"] * 0.5)  # rows stay together
    np.testing.assert_array_equal(drawn["action"], np.eye(2)[drawn["state"] % 2])
    assert stats.chisquare(np.bincount(drawn["state"] - 34, minlength=50)).pvalue > 1e-3
    again = Replay(50)
    again.add(**kept)
    for name, values in again.sample(20, np.random.default_rng(4)).items():
        assert values.dtype == kept[name].dtype
        assert len(values) == 20


def test_a_replay_that_is_not_full_draws_only_what_is_there():
    replay = Replay(1000)
    replay.add(state=np.array([5, 6]))
    assert set(replay.sample(200, np.random.default_rng(0))["state"].tolist()) == {5, 6}


def test_bad_input_of_replay():
    replay = Replay(4)
    with pytest.raises(InputError, match="empty"):
        replay.sample(1, np.random.default_rng(0))
    replay.add(state=np.arange(3), reward=np.zeros(3))
    for wrong, match in (
        (lambda: Replay(0), "capacity"),
        (lambda: replay.add(state=np.arange(2), rewrd=np.zeros(2)), "did you mean 'reward'"),
        (lambda: replay.add(state=np.arange(2)), "missing"),
        (lambda: replay.add(state=np.arange(2), reward=np.zeros(3)), "one row for each"),
        (lambda: replay.add(state=np.arange(2), reward=np.array([0.0, np.nan])), "not finite"),
        (lambda: replay.add(state=np.array([0.5]), reward=np.zeros(1)), "holds int64"),
        (lambda: replay.add(state=np.arange(5), reward=np.zeros(5)), "make it larger"),
        (lambda: replay.sample(0, np.random.default_rng(0)), "minibatch"),
    ):
        with pytest.raises(InputError, match=match):
            wrong()
    assert len(replay) == 3
