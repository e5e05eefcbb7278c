"""Economies and markets as they are stated."""

from __future__ import annotations

import pytest

import mfgsolve as mfg
from tests.economies import aiyagari, huggett


def test_prices_of_an_endowment_economy_have_a_wage_of_one():
    assert huggett().prices(0.03) == (0.03, 1.0)
    assert not huggett().is_explicit


def test_prices_of_a_firm_are_those_of_the_capital_it_rents():
    economy = aiyagari()
    assert economy.firm is not None
    assert economy.is_explicit
    assert economy.labour == pytest.approx(1.5)
    capital = economy.demand(0.04)
    assert economy.firm.prices(capital, 1.5) == pytest.approx(economy.prices(0.04))


def test_supply_is_a_number_or_a_function_and_bonds_add_to_capital():
    assert mfg.Market(supply=0.3).supplied(0.02) == 0.3
    assert mfg.Market(supply=lambda r: 2 * r).supplied(0.02) == 0.04
    assert aiyagari(supply=0.3).demand(0.04) == pytest.approx(aiyagari().demand(0.04) + 0.3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: mfg.Market(price="q"), "unknown price of the market 'q'"),
        (lambda: mfg.Market(clears="goods"), "unknown quantity that the market clears 'goods'"),
        (lambda: mfg.Market(supply=float("nan")), "supply of the market is nan"),
        (lambda: mfg.Market(supply="none"), "supply of the market is 'none'"),
        (lambda: mfg.Market(bracket=(0.04, 0.02)), "low must lie below high"),
        (lambda: mfg.Market(bracket=0.04), "two interest rates"),
        (lambda: mfg.Market(supply=lambda r: "much").supplied(0.1), "supply of the market is 'much'"),
        (lambda: mfg.Market(supply=lambda r: float("inf")).supplied(0.1), "supply of the market is inf at r = 0.1"),
        (lambda: mfg.Economy(0.3), "households of the economy is 0.3; an mfg.Households is needed"),
        (lambda: mfg.Economy(huggett().households, firm="a bank"), "firm of the economy is 'a bank'"),
        (lambda: aiyagari().prices(-0.05), "not above -depreciation, -0.05: the firm would rent capital without end"),
    ],
)
def test_bad_economies_are_told(make, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        make()
