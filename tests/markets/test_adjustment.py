"""The path of prices after a shock: how fast it is found, and that a slow road ends at the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets.adjustment import adjust, relaxation
from tests.economies import aiyagari, huggett

FALL = mfg.Shock(productivity=-0.03, recovery=0.2)
YEARS = mfg.TimeGrid(60.0, 60)


@pytest.fixture(scope="module")
def result():
    return adjust(aiyagari(60), FALL, YEARS)


def test_each_sweep_takes_two_digits_or_more(result):
    sizes = [sweep.excess for sweep in result.sweeps]
    assert len(sizes) <= 9
    assert sizes[-1] < 1e-13 < 5e-3 < sizes[0]
    assert all(after < before / 20 for before, after in pairwise(sizes[:5]))
    assert result.status is mfg.Status.CONVERGED
    assert result.certificate.worst(0.05) < 1e-12


@pytest.mark.slow
def test_residuals_of_the_reference_economy_in_order():
    # an independent implementation: 9.9e-3, 9.0e-5, 5.8e-7, 1.4e-9, 1.1e-11, 7e-14, 1e-15
    economy = aiyagari(500, exponent=1.0)
    sweeps = adjust(economy, FALL, mfg.TimeGrid(200.0, 400), estimate=False).sweeps
    known = [9.9e-3, 9.0e-5, 5.8e-7, 1.4e-9, 1.1e-11, 7e-14]
    np.testing.assert_allclose(np.log10([sweep.excess for sweep in sweeps[:6]]), np.log10(known), atol=0.15)
    assert sweeps[-1].excess < 1e-14


def test_relaxation_ends_at_the_same_path_far_later(result):
    path, sizes = relaxation(result.economy, FALL, YEARS, tol=1e-6)
    assert sizes[-1] <= 1e-6
    assert len(sizes) > 2 * len(result.sweeps)
    np.testing.assert_allclose(path, result.path, atol=2e-5)
    with pytest.raises(mfg.InputError, match="relaxation needs a firm"):
        relaxation(huggett(40), FALL, YEARS)


def test_wealth_is_what_was_saved_of_wages_and_interest(result):
    points, inside, met = result.economy.households.wealth.points, result.masses[1:], result.met
    held = result.masses.sum(axis=1) @ points
    earned = np.array([result.economy.households.earnings(met.prices(k)) for k in range(60)])
    spent = (inside * (earned - result.plans)).sum(axis=(1, 2))
    np.testing.assert_allclose(np.diff(held), met.r * held[1:] + met.w * 1.5 - spent, atol=1e-13)
    np.testing.assert_allclose(held[1:-1], result.capital[1:], atol=1e-13)
    made = result.productivity * 0.1 * result.capital ** (1 / 3) * 1.5 ** (2 / 3)
    np.testing.assert_allclose((met.r + 0.05) * result.capital + met.w * 1.5, made, rtol=1e-12)


def test_no_shock_leaves_all_at_rest():
    still = adjust(aiyagari(60), mfg.Shock(), mfg.TimeGrid(20.0, 20))
    assert len(still.sweeps) <= 2
    assert still.certificate.excess < 1e-12
    np.testing.assert_allclose(still.met.r, still.steady.price, atol=1e-12)
    assert still.warnings == ()


def test_prices_without_a_firm_clear_in_every_step():
    for shock in (FALL, mfg.Shock(impatience=0.2, recovery=0.3)):
        result = adjust(huggett(60), shock, YEARS, estimate=False)
        points = result.economy.households.wealth.points
        assert result.status is mfg.Status.CONVERGED
        assert np.isnan(result.certificate.exploitability)
        np.testing.assert_allclose((result.masses.sum(axis=1) @ points)[1:], 0.0, atol=1e-13)
        assert result.met.r[0] > result.steady.price + 1e-3  # income will grow, or all want to spend: nobody lends
    assert np.isnan(result.capital).all()


def test_large_shocks_are_solved_too():
    for fall in (-0.5, 0.5):
        result = adjust(
            aiyagari(40), mfg.Shock(productivity=fall, recovery=0.3), mfg.TimeGrid(40.0, 40), estimate=False
        )
        assert result.status is mfg.Status.CONVERGED


def test_errors_of_steps_and_of_the_horizon_are_what_better_ones_move(result):
    shorter = adjust(result.economy, FALL, mfg.TimeGrid(60.0, 120), estimate=False)
    moved = np.abs(shorter.met.r[::2] - result.met.r).max()  # half the error
    assert 0.3 * result.step_error < moved < 0.7 * result.step_error
    longer = adjust(result.economy, FALL, mfg.TimeGrid(120.0, 120), estimate=False)
    moved = np.abs(longer.met.r[:60] - result.met.r).max()
    assert 0.1 * result.horizon_error < moved < result.horizon_error


def test_a_short_horizon_is_told():
    short = adjust(aiyagari(60), FALL, mfg.TimeGrid(20.0, 20), estimate=False)
    assert [caution.code for caution in short.warnings] == ["not-returned"]
    assert "At the horizon 20 capital is still at" in short.warnings[0].sentence


def test_budgets_and_wishes_end_it():
    short = mfg.TimeGrid(20.0, 20)
    few = adjust(aiyagari(60), FALL, short, estimate=False, max_sweeps=2)
    assert (few.status, len(few.sweeps)) == (mfg.Status.ITERATION_LIMIT, 2)
    assert adjust(aiyagari(60), FALL, short, max_seconds=1e-9).status is mfg.Status.TIME_LIMIT
    stopped = adjust(aiyagari(60), FALL, short, callback=lambda sweep: sweep.number == 1)
    assert (stopped.status, len(stopped.sweeps)) == (mfg.Status.STOPPED, 2)
    assert np.isnan(stopped.step_error)


def test_who_cannot_pay_is_told():
    with pytest.raises(mfg.InputError, match="unable to pay the interest"):
        adjust(huggett(60), mfg.Shock(productivity=-0.99, recovery=0.2), mfg.TimeGrid(20.0, 20))
