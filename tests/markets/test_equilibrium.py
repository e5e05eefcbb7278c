"""Equilibria: the published prices of chains, and everything that makes an answer less than it looks."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets import solve_economy
from tests.economies import HUGGETT, HUGGETT_CHAINS, aiyagari, huggett


@pytest.mark.parametrize("points", HUGGETT_CHAINS)
def test_the_chains_of_huggett_have_their_published_prices(points):
    answer = solve_economy(huggett(points), estimate=False)
    assert answer.price == pytest.approx(HUGGETT_CHAINS[points], abs=1e-12)
    assert answer.converged and answer.certificate.price_error < 1e-12 and answer.certificate.relative_regret < 1e-12


def test_the_quadratic_grid_once_extrapolated():
    fine, coarse = (solve_economy(huggett(n, 2.0), estimate=False).price for n in (4001, 2001))
    assert 2 * fine - coarse == pytest.approx(0.036099150261, abs=1e-12)


@pytest.mark.parametrize(("points", "price"), [(500, 0.0436962735), (1000, 0.0447983366)])
def test_the_chains_of_aiyagari(points, price):
    answer = solve_economy(aiyagari(points, 1.0), estimate=False)
    assert answer.price == pytest.approx(price, abs=1e-10)
    assert answer.certificate.relative_exploitability < 1e-13
    assert answer.aggregates["capital"] == pytest.approx(answer.economy.demand(answer.price), rel=1e-12)


def test_the_logarithm_is_a_utility_like_its_neighbours():
    prices = []
    for gamma in (1.0, 1.0 + 1e-6):
        economy = huggett(100)
        households = mfg.Households(
            economy.households.wealth, economy.households.income, mfg.CRRA(gamma), discount_rate=0.05
        )
        prices.append(solve_economy(mfg.Economy(households), estimate=False).price)
    assert prices[0] == pytest.approx(prices[1], abs=1e-6) and prices[0] != prices[1]


def test_several_equilibria_are_told_and_a_bracket_chooses():
    fixed = solve_economy(huggett(60), estimate=False)
    slope = fixed.certificate.slope

    def supply(r: float) -> float:  # steeper than what households hold, but for large differences
        x = (r - fixed.price) / 0.004
        return 2 * slope * 0.004 * math.tanh(x)

    answer = solve_economy(huggett(60, supply=supply), estimate=False)
    assert len(answer.prices_found) == 3 and answer.price == answer.prices_found[0]
    assert answer.prices_found[1] == pytest.approx(fixed.price, abs=1e-12)
    assert [caution.code for caution in answer.warnings] == ["several-equilibria"]
    assert "give the market a bracket=(low, high) around another" in answer.sentence
    bracket = (fixed.price - 0.002, fixed.price + 0.002)
    other = solve_economy(huggett(60, supply=supply, bracket=bracket), estimate=False)
    assert other.price == pytest.approx(fixed.price, abs=1e-12) and not other.warnings


def test_points_that_end_too_early_are_told():
    households = huggett().households.on(mfg.Wealth.uniform(-0.15, 0.2, 100))
    answer = solve_economy(mfg.Economy(households))
    assert [caution.code for caution in answer.warnings] == ["wealth-at-the-top"]
    assert "of all households sit at the highest wealth, 0.2" in answer.sentence
    assert answer.aggregates["mass_at_top"] > 0.01
    assert abs(answer.price - HUGGETT) > answer.discretisation.extrapolated_price_error  # which cannot know


def test_a_jump_in_what_there_is_does_not_converge():
    answer = solve_economy(huggett(60, supply=lambda r: 0.2 if r < 0.03 else -0.1), estimate=False)
    assert not answer.converged and answer.status == "stalled" and answer.price == pytest.approx(0.03)
    assert "excess demand jumps there" in answer.sentence and abs(answer.certificate.excess) > 0.05


def test_summary_is_json_and_says_what_was_not_measured():
    answer = solve_economy(huggett(60))
    read = json.loads(json.dumps(answer.summary(), allow_nan=False))
    assert read["price"] == answer.price and read["exploitability"] is None and read["capital"] is None
    assert read["discretisation"]["price"] == answer.discretisation.price and read["warnings"] == []


def test_a_wrong_name_is_told_the_nearest():
    answer = solve_economy(huggett(60), estimate=False)
    with pytest.raises(AttributeError, match="did you mean 'price'"):
        answer.prise
    assert "Equilibrium of huggett: converged, r = 0.0" in repr(answer) and answer.wage == 1.0


@pytest.mark.parametrize("tol", [0, -1e-3, math.nan, math.inf])
def test_bad_tolerances_are_told(tol):
    with pytest.raises(mfg.InputError, match="tol is .* a positive number"):
        solve_economy(huggett(40), tol=tol)


def test_something_else_is_told():
    with pytest.raises(mfg.InputError, match="an mfg.Economy is needed"):
        solve_economy(np.zeros(3))
