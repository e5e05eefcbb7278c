"""Households: which time, and prices at which they can live."""

from __future__ import annotations

import pytest

import mfgsolve as mfg
from tests.economies import huggett

WEALTH = mfg.Wealth.uniform(-0.15, 5, 20)
RATES = mfg.Income([0.1, 0.2], rates=[1.2, 1.2])
CHANCES = mfg.Income([0.1, 0.2], probabilities=[[0.9, 0.1], [0.1, 0.9]])


def test_the_income_says_which_time_and_impatience_is_an_interest_rate():
    assert mfg.Households(WEALTH, RATES, discount_rate=0.05).impatience == 0.05
    discrete = mfg.Households(WEALTH, CHANCES, discount_factor=0.96)
    assert discrete.time == "discrete"
    assert discrete.impatience == pytest.approx(1 / 0.96 - 1)


def test_what_is_to_spend():
    households = huggett(20).households
    earnings = households.earnings(mfg.markets.Prices(r=0.02, w=3.0))
    assert earnings[1, 0] == pytest.approx(3 * 0.2 - 0.02 * 0.15)
    assert earnings.shape == households.shape


@pytest.mark.parametrize(
    ("prices", "sentence"),
    [
        ((0.05, 1.0), r"r = 0.05 is not below the discount rate, 0.05: households would save without end"),
        ((0.08, 1.0), "no stationary law"),
        ((0.04, 0.05), r"borrowing limit -0.15 lies below the natural one, -0.125 = -w z / r at r = 0.04"),
        ((0.04, -1.0), "a positive wage"),
        ((float("nan"), 1.0), "finite numbers are needed"),
    ],
)
def test_prices_without_a_law_are_told(prices, sentence):
    households = mfg.Households(mfg.Wealth.uniform(-0.15, 5, 20), RATES, discount_rate=0.05)
    with pytest.raises(mfg.InputError, match=sentence):
        households.check(mfg.markets.Prices(*prices))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"income": RATES}, "households need discount_rate, how impatient they are"),
        ({"income": RATES, "discount_factor": 0.95}, "income moves in continuous time, by rates; give discount_rate"),
        ({"income": CHANCES, "discount_rate": 0.05}, "in discrete time, by probabilities; give discount_factor"),
        ({"income": CHANCES, "discount_factor": 1.0}, "discount_factor of the households is 1; a number between"),
        ({"income": RATES, "discount_rate": 0.0}, "discount_rate of the households is 0; a positive number"),
        ({"income": [0.1, 0.2]}, "income of the households is .* give mfg.Income"),
        ({"income": RATES, "utility": "log", "discount_rate": 0.05}, "utility of the households is 'log'"),
        ({"income": RATES, "wealth": [0, 1], "discount_rate": 0.05}, "wealth of the households is .* mfg.Wealth"),
    ],
)
def test_bad_households_are_told(given, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.Households(**{"wealth": WEALTH} | given)
