"""What learners of tasks have in common: streams of random numbers, states that come back."""

from __future__ import annotations

import numpy as np
import pytest
from toy_tasks import Coin, Mean

from mfgsolve.solvers.stored import Stored, pack
from mfgsolve.tasks.learner import number, series, stored_names


def test_a_stream_follows_from_seed_block_and_use():
    one = Mean(seed=3).stream(4).random(3)
    assert (one == Mean(seed=3).stream(4).random(3)).all()
    for other in (Mean(seed=2).stream(4), Mean(seed=3).stream(5), Mean(seed=3).stream(4, use=1)):
        assert (one != other.random(3)).all()


def test_a_state_comes_back():
    learner = Mean(agents=2)
    state = learner.init(Coin())
    learner.advance(Coin(), state)
    state.block = 1
    arrays, numbers = pack(state)
    again = learner.revive(Coin(), Stored(arrays, numbers, 1))
    assert (again.total == state.total).all()
    assert (again.block, again.agent_steps) == (1, 10)
    assert sorted(stored_names(again)) == ["agent_steps", "block", "total"]
    with pytest.raises(ValueError, match="total as int64"):
        learner.revive(Coin(), Stored({"total": np.zeros(2, dtype=int)}, numbers, 1))
    with pytest.raises(KeyError):
        learner.revive(Coin(), Stored({}, numbers, 1))


def test_variables_have_units():
    one = series("a rate", "1/time", [1.0, 2.0], ("agent",), note="x")
    assert one.attrs == {"long_name": "a rate", "units": "1/time", "note": "x"}
    assert number("a", "1", 2.0).item() == 2.0
