"""Quantiles, Lorenz curves and Gini, beside counting people one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfgsolve.markets.measures import gini, lorenz, propensity, quantiles

people = st.lists(st.integers(0, 40), min_size=2, max_size=30).filter(lambda have: sum(have) > 0)


@given(people)
def test_of_single_people_all_is_counted(have):
    """Each of N people is a state of mass 1 / N: quantiles are order statistics, Gini the mean absolute difference."""
    wealth, count = np.array(have, dtype=float), len(have)
    mass = np.full(count, 1.0 / count)
    pairs = np.abs(wealth[:, None] - wealth).mean() / (2 * wealth.mean())
    assert gini(wealth, mass) == pytest.approx(pairs, abs=1e-12)
    ranked = np.sort(wealth)
    shares = np.arange(1, count + 1) / count
    assert lorenz(wealth, mass, shares) == pytest.approx(np.cumsum(ranked) / ranked.sum(), abs=1e-12)
    assert quantiles(ranked, mass, shares).tolist() == ranked.tolist()


def test_known_inequality():
    assert gini(np.array([1.0, 1.0]), np.array([0.5, 0.5])) == pytest.approx(0.0)
    assert gini(np.array([0.0, 1.0]), np.array([0.75, 0.25])) == pytest.approx(0.75)
    assert gini(np.array([-1.0, 2.0]), np.array([0.5, 0.5])) == pytest.approx(1.5)  # debts: above 1


def test_shares_of_nothing_are_not_told():
    wealth, mass = np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    assert math.isnan(gini(wealth, mass))
    assert np.isnan(lorenz(wealth, mass, np.linspace(0, 1, 3))).all()


def test_an_atom_holds_many_quantiles():
    levels, mass = np.array([0.0, 1.0, 2.0]), np.array([0.6, 0.3, 0.1])
    assert quantiles(levels, mass, np.array([0.01, 0.6, 0.61, 0.9, 0.95, 1.0])).tolist() == [0, 0, 1, 1, 2, 2]


def test_propensities_are_slopes_to_the_next_point():
    assert propensity(np.array([[0.0, 1.0, 5.0]]), np.array([0.0, 2.0, 4.0])).tolist() == [[0.5, 2.0, 2.0]]
