"""Prices that clear a market: all of them, and what is told where there is none."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets.clearing import Excess, Scan, _enclosed, _with_law, roots, scan
from mfgsolve.markets.response import Reducible
from tests.economies import aiyagari, huggett


def test_a_zero_is_enclosed_to_round_off():
    economy = huggett(60)
    excess = Excess(economy)
    ((low, high),) = roots(excess, scan(economy))
    assert 0 <= high - low < 1e-14
    assert excess(low) <= 1e-12
    assert excess(high) >= -1e-12


def test_the_excess_does_not_depend_on_where_it_begins():
    economy = huggett(60)
    fresh, used = Excess(economy), Excess(economy)
    for r in (0.01, 0.045, -0.03):
        used(r)
    assert used(0.03) == pytest.approx(fresh(0.03), abs=1e-12)


def test_every_price_that_clears_is_found():
    """A supply that waves around what households hold crosses it as often as it waves."""
    plain = Excess(huggett(60))
    economy = huggett(60, supply=lambda r: plain(r) + 0.01 * np.sin((r - 0.0123) / 0.004), bracket=(0.0, 0.04))
    known = [0.0123 + 0.004 * np.pi * k for k in (0, 1, 2) if 0 < 0.0123 + 0.004 * np.pi * k < 0.04]
    assert [low for low, _ in roots(Excess(economy), scan(economy))] == pytest.approx(known, abs=2e-9)


@pytest.mark.parametrize(
    ("economy", "sentence"),
    [
        (
            lambda: huggett(60, bracket=(0.04, 0.049)),
            "between r = 0.04 and 0.049: .* always less; give .* wider bracket",
        ),
        (lambda: huggett(60, bracket=(0.0, 0.01)), "always more; give the market a wider bracket"),
        (lambda: huggett(60, bracket=(0.04, 0.06)), "r = 0.0504.* is not below the discount rate"),
        (lambda: huggett(60, supply=8.0), r"8 of wealth at least, and the highest wealth is 5: nobody can hold"),
        (lambda: huggett(60, supply=4.5), r"always more; .* % sit at the highest wealth \(5\): raise it"),
        (lambda: huggett(60, supply=-0.2), "nobody can lend to anybody"),
        (lambda: huggett(60, supply=lambda r: -0.149 if r > 0 else -0.16), "always less; lower the borrowing limit"),
        (lambda: aiyagari(60, bracket=(-0.06, 0.04)), "not above -depreciation"),
    ],
)
def test_a_market_that_cannot_clear_is_told(economy, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        scan(economy())


def test_prices_at_which_debts_cannot_be_served_are_not_looked_at():
    """With a limit of -3 the poorest pay their interest below r = 0.1 / 3 alone."""
    income = mfg.Income([0.1, 0.2], rates=[1.2, 1.2])
    households = mfg.Households(mfg.Wealth.uniform(-3, 5, 60), income, discount_rate=0.05)
    assert scan(mfg.Economy(households, mfg.Market(supply=-2.0))).prices.max() < 0.1 / 3
    with pytest.raises(mfg.InputError, match=r"lies below the natural one, -2\.8"):
        scan(mfg.Economy(households, mfg.Market(bracket=(0.0, 0.04))))


def test_prices_at_which_few_points_have_several_laws_are_left_out_unless_stated():
    """Of 51 points to 20, near the rate of impatience, the rich rest wherever they are."""
    assert scan(aiyagari(51)).prices.max() < 0.0498
    with pytest.raises(Reducible, match="several laws"):
        scan(aiyagari(51, bracket=(0.04, 0.0499)))


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["rising", "falling"])
@pytest.mark.parametrize("zero", [0.031, -0.02, 0.0495])
def test_a_bracket_of_few_points_is_moved_to_where_the_own_ones_have_their_zero(sign, zero):
    prices = np.linspace(-0.05, 0.04, 10)
    seen = Scan(prices, sign * (prices - 0.005), np.zeros(10), 0.0, -5.0, 0.05)
    ((low, high),) = seen.brackets
    low, high = _enclosed(lambda r: sign * (r - zero), low, high, seen)
    assert low <= zero <= high < 0.05


def test_a_price_without_a_single_law_is_moved_towards_one_that_has_it():
    def excess(r: float) -> float:
        if r > 0.03:
            raise Reducible("several laws")
        return r

    assert 0.025 <= _with_law(excess, 0.04, 0.02) <= 0.03
    with pytest.raises(Reducible):
        _with_law(excess, 0.04, 0.05)


def test_prices_far_below_zero_are_looked_at_where_too_much_is_held():
    seen = scan(huggett(60, supply=-0.1495))
    ((_, high),) = seen.brackets
    assert high <= -0.05
    assert (np.diff(seen.prices) > 0).all()
