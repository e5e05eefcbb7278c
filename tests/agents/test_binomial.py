"""Expectations over binomial crowds, against textbook sums."""

from __future__ import annotations

import numpy as np
import pytest
from enumerated import brute
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.agents.binomial import expectation

CHANCES = np.array([0, 1e-300, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.005, 0.01, 0.03, 0.1, 0.3, 0.5, 0.6, 0.9, 0.99, 0.999,
                    1 - 1e-6, 1 - 1e-12, 1])  # fmt: skip


TRIALS = (0, 1, 2, 7, 30, 100, 1000, 10**4, 10**5, 10**6)


FUNCTIONS = {
    "shared reward": lambda k, n: -2 / (1 + 1e3 * (k + 1) / (n + 1)),
    "logarithm": lambda k, n: np.log((k + 1) / (n + 1)),
    "cube": lambda k, n: ((k + 1) / (n + 1)) ** 3,
    "root": lambda k, n: np.sqrt((k + 1) / (n + 1)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_expectations_of_smooth_functions(name):
    for trials in TRIALS:
        wanted = np.array([brute(lambda k, n=trials: FUNCTIONS[name](k, n), trials, p) for p in CHANCES])
        mean, error = expectation(lambda k, n=trials: FUNCTIONS[name](k, n), CHANCES, trials)
        np.testing.assert_allclose(mean, wanted, rtol=2e-12, atol=1e-15)
        assert (error <= 3e-12 * np.abs(wanted).max()).all()


@pytest.mark.parametrize("where", [0.0, 0.25, 0.5, -1.0, 7.3])
@pytest.mark.parametrize("shape", ["kink", "step"])
def test_expectations_of_functions_with_a_kink_or_a_step_at_the_crowd(where, shape):
    """Nodes and strided sums do not see them right, notice it, and end in a whole sum."""
    for trials in TRIALS[2:]:
        for chance in CHANCES[4:-1]:
            level = np.floor(trials * chance) + where
            f = {"kink": lambda k, at=level: np.maximum(k - at, 0.0), "step": lambda k, at=level: 1.0 * (k > at)}[shape]
            mean, error = expectation(f, np.array([chance]), trials)
            assert mean[0] == pytest.approx(brute(f, trials, chance), rel=1e-11, abs=2 * error[0] + 1e-15)


def test_round_off_around_0_and_1_is_round_off():
    chance = np.array([-1e-18, 0.0, 1.0, 1 + 1e-15])
    np.testing.assert_array_equal(expectation(lambda k: k, chance, 10**12)[0], [0, 0, 1e12, 1e12])
    for wrong in (1.1, -0.1, np.nan):
        with pytest.raises(mfg.InputError, match="from 0 to 1"):
            expectation(lambda k: k, np.array([wrong]), 3)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**12), st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_mean_and_variance(trials, chances):
    p = np.array(chances)
    scale = max(1.0, trials)
    mean, _ = expectation(lambda k: (3 + k) / scale, p, trials)
    np.testing.assert_allclose(mean, (3 + trials * p) / scale, rtol=1e-11)
    centre, spread = trials * p, np.maximum(np.sqrt(trials * p * (1 - p)), 1e-3)
    variance, _ = expectation(lambda k: ((k - centre) / spread) ** 2, p, trials)
    rounding = (np.finfo(float).eps * trials / spread) ** 2  # of the centre
    np.testing.assert_allclose(variance, trials * p * (1 - p) / spread**2, rtol=1e-6, atol=1e-9 + rounding.max())


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.floats(1e-3, 0.999), st.integers(0, 3000), st.floats(-3, 3))
def test_any_cell_for_itself(trials, chance, at, height):
    """Arbitrary values at arbitrary places: an item does not disturb its neighbours."""
    at = min(at, trials)
    f = lambda k: np.exp(-k / (trials + 1)) + height * (k >= at)
    both = np.array([chance, 0.5 * chance])
    mean, _ = expectation(f, both, trials)
    np.testing.assert_allclose(mean, [brute(f, trials, p) for p in both], rtol=1e-11, atol=1e-11)
