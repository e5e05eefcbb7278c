"""Step sizes by impact: shares and signs by hand, rates case by case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfgsolve.errors import InputError
from mfgsolve.parts.impact import Impact

LAW = Impact(alpha=0.5, sigma=0.3, beta=0.1, low=0.4, high=1.6)  # of two agents: low up to 0.2, high from 0.8 on


def test_shares_and_signs_by_hand():
    controls = np.array([[2, 1], [0, 0], [-2, 0], [1, -3]])
    np.testing.assert_allclose(Impact.shares(controls), [[2 / 3, 1 / 3], [0.5, 0.5], [1, 0], [0.25, 0.75]])
    assert Impact.signs(controls).tolist() == [[1, 1], [0, 0], [0, 0], [-1, -1]]
    assert Impact.signs(np.array([2, -1, -1])).tolist() == [-1, -1, -1]
    assert Impact.signs(np.array([2, 1, -1])).tolist() == [0, 1, -1]  # the others of the first rest, in sum


@pytest.mark.parametrize(
    ("controls", "error", "rate"),
    [
        ((4, 1), 1.0, 0.5),  # high, good news
        ((4, 1), -1.0, 0.5),  # high, bad news
        ((1, 4), 1.0, 0.1),  # low
        ((1, 4), -1.0, 0.1),
        ((-1, 4), 1.0, 0.1),
        ((2, -1), 1.0, 0.3),  # between, good news, against the other
        ((-1, 2), 1.0, 0.3),
        ((2, -1), -1.0, 0.5),  # between, bad news
        ((2, 1), 1.0, 0.5),  # between, with the other: alpha in place of sigma
        ((2, 1), -1.0, 0.5),
        ((2, 1), 0.0, 0.5),
        ((0, 0), 0.0, 0.3),  # nobody does anything: even shares; no error is good news
        ((0, 0), -1.0, 0.5),
    ],
)
def test_rates_case_by_case(controls, error, rate):
    """Of the first of two agents."""
    assert LAW.rates(np.array(controls), np.array([error, error]))[0] == rate


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=6), st.floats(-5, 5))
def test_shares_sum_to_one_and_rates_are_one_of_three(controls, error):
    u = np.array(controls)
    assert Impact.shares(u).sum() == pytest.approx(1.0)
    rates = LAW.rates(u, np.full(u.shape, error))
    assert set(rates) <= {0.5, 0.3, 0.1}
    np.testing.assert_array_equal(LAW.rates(-u, np.full(u.shape, error)), rates)  # left is as good as right


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": 0.1, "sigma": 0.2}, "alpha, sigma, beta are 0.1, 0.2, 0.05; 1 >= alpha > sigma > beta > 0"),
        ({"beta": 0.1}, "alpha > sigma > beta"),
        ({"beta": 0.0}, "beta > 0"),
        ({"alpha": 1.5}, "1 >= alpha"),
        ({"low": 2.0}, "low is 2 and high 1.5"),
    ],
)
def test_rates_out_of_order_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        Impact(**options)


def test_one_agent_has_no_share():
    with pytest.raises(InputError, match="at least 2 agents"):
        LAW.rates(np.array([1]), np.array([1.0]))
