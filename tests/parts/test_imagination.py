"""What others might have done: scenarios by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfgsolve.errors import InputError
from mfgsolve.parts.imagination import SCENARIOS, Imagination, alone, nearest, scenarios

CONTROL = np.array([0, -1, 1, -2, 2])


def test_scenarios_by_hand():
    seen = np.array([[4, 2, 0], [3, 4, 2], [1, 1, 2]])  # controls 2, 1, 0; -2, 2, 1; -1, -1, 1
    assert len(SCENARIOS) == 3
    idle, mean, alike = CONTROL[scenarios(seen, 0, CONTROL)]
    assert idle.tolist() == [[0, 1, 0], [0, 2, 1], [0, -1, 1]]
    assert mean.tolist() == [[0, 1, 0], [1, 2, 1], [0, -1, 1]]  # of 0.5 and 1.5 the first listed, nearer to rest
    assert alike.tolist() == [[2, 2, 2], [-2, -2, -2], [-1, -1, -1]]
    assert CONTROL[alone(seen, 1)].tolist() == [[0, 1, 0], [0, 2, 0], [0, -1, 0]]
    assert seen.tolist() == [[4, 2, 0], [3, 4, 2], [1, 1, 2]]


@given(st.floats(-4, 4))
def test_nothing_is_nearer_than_the_nearest(wish):
    assert abs(CONTROL[nearest(CONTROL, wish)] - wish) == np.abs(CONTROL - wish).min()


@given(st.lists(st.integers(0, 4), min_size=2, max_size=5), st.data())
def test_only_those_named_change(joint, data):
    own = data.draw(st.integers(0, len(joint) - 1))
    seen, others = np.array([joint]), [j for j in range(len(joint)) if j != own]
    idle, mean, alike = scenarios(seen, own, CONTROL)
    assert (idle[:, others] == seen[:, others]).all()
    assert (mean[:, others] == seen[:, others]).all()
    assert alike[0, own] == joint[own]
    assert alone(seen, own)[0, own] == joint[own]


def test_chances_follow_the_exploration():
    assert Imagination().chances(0.3) == pytest.approx((0.3, 0.7))
    assert Imagination(0.5, 0.1).chances(0.2) == pytest.approx((0.1, 0.08))
    assert Imagination().chances(1.0) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Imagination(idle=1.2), "idle of the imagined replay is 1.2"),
        (lambda: Imagination(coordination=-0.1), "coordination of the imagined replay is -0.1"),
        (lambda: alone(np.zeros((3, 1), dtype=int), 0), "1 agent acts; at least 2"),
        (lambda: alone(np.zeros((3, 2)), 0), "whole numbers"),
        (lambda: alone(np.zeros((3, 2), dtype=int), 2), "agent 2 imagines"),
        (lambda: scenarios(np.zeros((3, 2), dtype=int), 0, [1, 0]), "first of the controls"),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(InputError, match=words):
        make()
