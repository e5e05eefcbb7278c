"""The continuum by collocation: what the chain comes to in its limit, by quite another road."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

import mfgsolve as mfg
from mfgsolve.markets.collocation import continuum
from tests.economies import HUGGETT, aiyagari, huggett


@pytest.fixture(scope="module")
def of_huggett():
    return continuum(huggett())


def test_huggett_is_the_published_continuum(of_huggett):
    assert of_huggett.price == pytest.approx(HUGGETT, abs=2e-14)
    assert of_huggett.atom == pytest.approx(0.010539493909212, abs=1e-13)
    assert of_huggett.highest == pytest.approx(3.116470079230, abs=2e-11)
    assert of_huggett.shares == pytest.approx((0.5, 0.5), abs=1e-11)
    assert of_huggett.mean_wealth == pytest.approx(0.0, abs=1e-12)


def limit(economy, counts):
    """Richardson's table of the prices of chains, in whole powers of their width."""
    row = [mfg.markets.stationary(economy(count, 2.0), estimate=False).price for count in counts]
    for k in range(1, len(counts)):
        row = [(2**k * fine - coarse) / (2**k - 1) for coarse, fine in pairwise(row)]
    return row[0]


def test_chains_of_huggett_come_to_it(of_huggett):
    assert limit(huggett, (251, 501, 1001, 2001)) == pytest.approx(of_huggett.price, abs=1e-9)


def test_chains_of_aiyagari_come_to_it():
    found = continuum(aiyagari())
    assert limit(aiyagari, (501, 1001, 2001, 4001)) == pytest.approx(found.price, abs=1e-9)
    assert found.price == pytest.approx(0.04624377371, abs=2e-11)
    assert found.mean_wealth == pytest.approx(aiyagari().demand(found.price), abs=1e-11)


def test_the_logarithm_and_uneven_rates_too():
    households = mfg.Households(
        mfg.Wealth.power(-0.1, 5, 801), mfg.Income([0.1, 0.25], rates=[0.8, 0.3]), mfg.CRRA(1), discount_rate=0.06
    )
    found = continuum(mfg.Economy(households))
    chain = mfg.markets.stationary(mfg.Economy(households)).discretisation
    assert found.price == pytest.approx(chain.extrapolated_price, abs=chain.extrapolated_price_error)
    assert found.shares == pytest.approx(households.income.law, abs=1e-9)


def test_other_economies_are_told():
    one = replace(huggett().households, income=mfg.Income([0.1, 0.2, 0.3], rates=[[0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    with pytest.raises(mfg.InputError, match="two incomes in continuous time"):
        continuum(mfg.Economy(one))
