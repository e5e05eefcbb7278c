"""Stationary equilibria: published prices of chains, and everything that makes an answer less than it looks."""

from __future__ import annotations

import math

import pytest

import mfgsolve as mfg
from mfgsolve.markets import stationary
from tests.economies import HUGGETT, HUGGETT_CHAINS, aiyagari, huggett


@pytest.mark.parametrize("points", HUGGETT_CHAINS)
def test_the_chains_of_huggett_have_their_published_prices(points):
    answer = stationary(huggett(points), estimate=False)
    assert answer.price == pytest.approx(HUGGETT_CHAINS[points], abs=1e-12)
    assert answer.status is mfg.Status.CONVERGED
    assert answer.certificate.price_error < 1e-12
    assert answer.certificate.relative_regret < 1e-12


def test_the_quadratic_grid_once_extrapolated():
    fine, coarse = (stationary(huggett(n, 2.0), estimate=False).price for n in (4001, 2001))
    assert 2 * fine - coarse == pytest.approx(0.036099150261, abs=1e-12)


@pytest.mark.parametrize(("points", "price"), [(500, 0.043911179499811), (1000, 0.044992030474372)])
def test_the_chains_of_aiyagari(points, price):
    answer = stationary(aiyagari(points, 1.0), estimate=False)
    assert answer.price == pytest.approx(price, abs=1e-13)
    assert answer.certificate.relative_exploitability < 1e-13
    assert answer.response.wealth(answer.economy.households) == pytest.approx(
        answer.economy.demand(answer.price), rel=1e-12
    )


def test_the_logarithm_is_a_utility_like_its_neighbours():
    prices = []
    for gamma in (1.0, 1.0 + 1e-6):
        economy = huggett(100)
        households = mfg.Households(
            economy.households.wealth, economy.households.income, mfg.CRRA(gamma), discount_rate=0.05
        )
        prices.append(stationary(mfg.Economy(households), estimate=False).price)
    assert prices[0] == pytest.approx(prices[1], abs=1e-6)
    assert prices[0] != prices[1]


def test_several_equilibria_are_told_and_a_bracket_chooses():
    fixed = stationary(huggett(60), estimate=False)
    slope = fixed.certificate.slope

    def supply(r: float) -> float:  # steeper than what households hold, but for large differences
        x = (r - fixed.price) / 0.004
        return 2 * slope * 0.004 * math.tanh(x)

    answer = stationary(huggett(60, supply=supply), estimate=False)
    assert len(answer.found) == 3
    assert answer.price == answer.found[0]
    assert answer.found[1] == pytest.approx(fixed.price, abs=1e-12)
    assert [caution.code for caution in answer.warnings] == ["several-equilibria"]
    assert "give the market a bracket=(low, high) around another" in answer.warnings[0].sentence
    bracket = (fixed.price - 0.002, fixed.price + 0.002)
    other = stationary(huggett(60, supply=supply, bracket=bracket), estimate=False)
    assert other.price == pytest.approx(fixed.price, abs=1e-12)
    assert not other.warnings


def test_points_that_end_too_early_are_told():
    households = huggett().households.on(mfg.Wealth.uniform(-0.15, 0.2, 100))
    answer = stationary(mfg.Economy(households))
    assert [caution.code for caution in answer.warnings] == ["wealth-at-the-top"]
    assert "of all households sit at the highest wealth, 0.2" in answer.warnings[0].sentence
    assert answer.response.mass[:, -1].sum() > 0.005
    assert abs(answer.price - HUGGETT) > answer.discretisation.extrapolated_price_error  # which cannot know


def test_a_jump_in_what_there_is_does_not_converge():
    answer = stationary(huggett(60, supply=lambda r: 0.2 if r < 0.03 else -0.1), estimate=False)
    assert answer.status is not mfg.Status.CONVERGED
    assert answer.status is mfg.Status.STALLED
    assert answer.price == pytest.approx(0.03)
    assert abs(answer.certificate.excess) > 0.05


def test_a_callback_and_the_clock_stop_it_with_the_best_price_so_far():
    answer = stationary(huggett(60), callback=lambda trial: trial.number == 5)
    assert answer.status is mfg.Status.STOPPED
    assert answer.price in {trial.price for trial in answer.trials}
    assert not answer.discretisation.is_measured
    late = stationary(huggett(60), max_seconds=1e-9)
    assert late.status is mfg.Status.TIME_LIMIT
    assert len(late.trials) == 2


@pytest.mark.parametrize("tol", [0, -1e-3, math.nan, math.inf])
def test_bad_tolerances_are_told(tol):
    with pytest.raises(mfg.InputError, match=r"tol is .* a positive number"):
        stationary(huggett(40), tol=tol)


def test_bad_budgets_are_told():
    with pytest.raises(mfg.InputError, match="max_seconds is 0; a positive number"):
        stationary(huggett(40), max_seconds=0)
