"""Probabilities of actions: limits, ties, the formula, and draws by them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mfgsolve.errors import InputError
from mfgsolve.parts.exploration import Boltzmann, EpsilonGreedy, draw

Q = np.array([[1.0, 3.0, 3.0, 2.0], [5.0, -1.0, 0.0, 5.0]])


TIES = np.array([[0.0, 0.5, 0.5, 0.0], [0.5, 0.0, 0.0, 0.5]])


ALLOWED = np.array([[True, False, True, True], [False, True, False, False]])


def test_limits_of_exploration_and_ties():
    for uniform in (Boltzmann(0.0), EpsilonGreedy(1.0)):
        np.testing.assert_array_equal(uniform.probabilities(Q), 0.25)
        np.testing.assert_allclose(uniform.probabilities(Q, ALLOWED), ALLOWED / ALLOWED.sum(axis=1, keepdims=True))
    for greedy in (Boltzmann(np.inf), EpsilonGreedy(0.0), Boltzmann(1e300)):
        np.testing.assert_array_equal(greedy.probabilities(Q), TIES)
        np.testing.assert_array_equal(greedy.probabilities(Q, ALLOWED), [[0, 0, 1, 0], [0, 1, 0, 0]])
    np.testing.assert_allclose(EpsilonGreedy(0.2).probabilities(Q), 0.8 * TIES + 0.05)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), beta=st.floats(0, 50))
def test_boltzmann_by_its_formula(seed, beta):
    rng = np.random.default_rng(seed)
    q, allowed = rng.normal(size=(6, 4)), rng.random((6, 4)) < 0.7
    allowed[:, 0] = True
    found = Boltzmann(beta).probabilities(q, allowed)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-14)
    assert (found[~allowed] == 0).all()
    expected = np.where(allowed, np.exp(beta * q), 0.0)
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-11)
    np.testing.assert_allclose(Boltzmann(beta).probabilities(q + 100.0, allowed), found, rtol=1e-10)
    best = np.where(allowed, q, -np.inf).max(axis=1)
    assert ((found * q).sum(axis=1) <= best + 1e-12).all()


def test_boltzmann_of_huge_values_is_finite():
    found = Boltzmann(1e200).probabilities(np.array([1e300, -1e300, 0.0]))
    np.testing.assert_array_equal(found, [1, 0, 0])


@pytest.mark.parametrize("rule", [Boltzmann(0.7), EpsilonGreedy(0.3)])
def test_samples_follow_the_probabilities(rule):
    rng, n = np.random.default_rng(1), 40_000
    rows, allowed = np.repeat(Q[:1], n, axis=0), np.array([True, True, True, False])
    counts = np.bincount(rule.sample(rows, rng, allowed), minlength=4)
    expected = rule.probabilities(Q[0], allowed)
    assert counts[3] == 0
    assert stats.chisquare(counts[:3], n * expected[:3]).pvalue > 1e-3
    again = rule.sample(rows, np.random.default_rng(1), allowed)
    np.testing.assert_array_equal(np.bincount(again, minlength=4), counts)


def test_draws_never_take_what_has_no_chance():
    chance = np.tile([0.0, 0.3, 0.0, 0.7 - 1e-17, 0.0], (20_000, 1))
    assert set(draw(chance, np.random.default_rng(0)).tolist()) == {1, 3}
    assert draw(np.array([0.0, 1.0]), np.random.default_rng(0)).shape == ()


def test_bad_input_of_exploration():
    for wrong, match in (
        (lambda: Boltzmann(-1.0), "beta is -1"),
        (lambda: Boltzmann(float("nan")), "beta is nan"),
        (lambda: EpsilonGreedy(1.5), "epsilon is 1.5"),
        (lambda: Boltzmann(1.0).probabilities([0.0, np.nan]), "diverges"),
        (lambda: Boltzmann(1.0).probabilities([0.0, 1.0], [False, False]), "no action is allowed"),
        (lambda: Boltzmann(1.0).probabilities([0.0, 1.0], [1, 0]), "truth values"),
        (lambda: Boltzmann(1.0).probabilities([0.0, 1.0], [True] * 3), r"shape \(3,\)"),
        (lambda: Boltzmann(1.0).sample([0.0, 1.0], 0), "numpy.random.Generator"),
    ):
        with pytest.raises(InputError, match=match):
            wrong()
    hidden = Boltzmann(1.0).probabilities([0.0, np.nan], [True, False])  # what is not allowed need not be known
    np.testing.assert_array_equal(hidden, [1.0, 0.0])
