"""Slippery chains: exact values against iteration, and what the best common policy is worth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfgsolve.errors import InputError
from mfgsolve.tasks.chains import LEFT, RIGHT, SlipperyChains


def by_iteration(chain: SlipperyChains, policy: np.ndarray, slip: float) -> np.ndarray:
    """Values of a policy (cells, 2) on one chain, from the words of its description alone."""
    last, value = chain.cells - 1, np.zeros(chain.cells)
    for _ in range(250):
        ahead = np.empty(chain.cells)
        for x in range(chain.cells):
            left, right = value[max(x - 1, 0)], value[min(x + 1, last)]
            go_left = policy[x, LEFT] * (1 - slip) + policy[x, RIGHT] * slip
            ahead[x] = 1.0 if x == last else chain.discount * (go_left * left + (1 - go_left) * right)
        value = ahead
    return value


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 7), st.floats(0, 1), st.floats(0, 0.9))
def test_values_are_those_of_iteration(seed, cells, slip, discount):
    chain = SlipperyChains(tasks=3, cells=cells, slip=slip, discount=discount)
    policy = np.random.default_rng(seed).dirichlet([1, 1], cells)
    found = chain.values(policy)
    assert found.shape == (3, cells)
    for k, one in enumerate(chain.slips):
        np.testing.assert_allclose(found[k], by_iteration(chain, policy, one), atol=1e-9)


def test_returns_of_many_policies_at_once():
    chain = SlipperyChains()
    policies = np.random.default_rng(1).dirichlet([1, 1], (4, 2, 9))
    found = chain.returns(policies)
    assert found.shape == (4, 2, 9)
    np.testing.assert_allclose(found[3, 1], chain.values(policies[3, 1])[:, 0], rtol=1e-14)


def test_nobody_gets_lost_but_where_episodes_end():
    chain = SlipperyChains(tasks=4, cells=5)
    total = chain.transitions.sum(axis=-1)
    assert (total[..., :-1] == 1).all()
    assert (total[..., -1] == 0).all()


def test_the_best_common_policy_is_to_go_right_and_two_chains_want_the_other():
    chain = SlipperyChains()
    assert chain.slips.tolist() == pytest.approx([0, 0.075, 0.15, 0.225, 0.3, 0.375, 0.45, 0.525, 0.6])
    plans = np.eye(2)[np.array([[*plan, RIGHT] for plan in product((LEFT, RIGHT), repeat=8)])]
    returns = chain.returns(plans)
    best = returns.mean(axis=-1).argmax()
    assert (plans[best][:, RIGHT] == 1).all()
    assert returns[best].mean() == pytest.approx(0.38298, abs=1e-5)
    assert returns[best, 0] == pytest.approx(0.95**8)
    own = returns.max(axis=0)
    assert (own > returns[best] + 1e-9).tolist() == [False] * 7 + [True] * 2
    alone = np.concatenate([np.full(7, returns[best].mean()), np.full(2, returns[0].mean())])
    assert (alone.mean(), alone.std()) == (pytest.approx(0.3112, abs=1e-4), pytest.approx(0.1342, abs=1e-4))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tasks": 0}, "tasks of slippery chains is 0; at least 1"),
        ({"cells": 1}, "cells of slippery chains is 1; at least 2"),
        ({"slip": 1.5}, "slip of slippery chains is 1.5"),
        ({"discount": 1.0}, "discount of slippery chains is 1.0"),
    ],
)
def test_what_is_no_chain_is_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        SlipperyChains(**parameters)
