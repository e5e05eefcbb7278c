"""Sweeps over time: each step is optimal by brute force, and the law is the transpose of the values."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.paths import Conditions, Stepper
from mfgsolve.markets.stationary import stationary
from tests.economies import dense, huggett

STEPS, DT = 12, 0.5


@pytest.fixture(scope="module")
def swept():
    economy = huggett(40)
    response = stationary(economy, estimate=False).response
    stepper = Stepper(ContinuousChain(economy.households), DT)
    t = np.arange(STEPS)
    met = Conditions(response.prices.r - 0.01 * 0.8**t, 1 - 0.1 * 0.7**t, 0.05 + 0.01 * 0.9**t)
    plans, values = stepper.best(met, response.value)
    return economy, response, stepper, met, plans, values, stepper.law(plans, response.mass)


def test_at_rest_nothing_moves(swept):
    economy, response, stepper, *_ = swept
    r, w = response.prices
    met = Conditions(np.full(4, r), np.full(4, w), np.full(4, economy.households.impatience))
    plans, values = stepper.best(met, response.value)
    np.testing.assert_allclose(values[0], response.value, rtol=1e-12)
    np.testing.assert_allclose(stepper.law(plans, response.mass)[-1], response.mass, atol=1e-14)


def test_no_other_savings_are_better_in_any_step(swept):
    economy, _, _, met, _, values, _ = swept
    households = economy.households
    a, rates = households.wealth.points, households.income.matrix
    for k in (0, STEPS - 1):
        earnings = households.earnings(met.prices(k))
        for j, i in ((0, 0), (0, 11), (1, 0), (1, 17), (1, 39)):
            spent = np.r_[1.0, np.geomspace(0.05, 50.0, 8001)] * earnings[j, i]
            s = earnings[j, i] - spent
            ahead = np.where(s > 0, values[k][j, min(i + 1, a.size - 1)], values[k][j, max(i - 1, 0)])
            gap = np.where(s > 0, a[min(i + 1, a.size - 1)] - a[i], a[i] - a[max(i - 1, 0)])
            possible = ((s <= 0) | (i < a.size - 1)) & ((s >= 0) | (i > 0))
            drift = np.where(s == 0, 0.0, np.abs(s) * (ahead - values[k][j, i]) / np.where(gap == 0, 1.0, gap))
            worth = -1 / spent + drift + rates[j] @ values[k][:, i] + values[k + 1][j, i] / DT
            best, known = np.where(possible, worth, -np.inf).max(), (1 / DT + met.impatience[k]) * values[k][j, i]
            assert known - 1e-3 <= best <= known + 1e-10


def test_law_is_that_of_dense_implicit_steps(swept):
    economy, response, _, _, plans, _, masses = swept
    flat = response.mass.ravel()
    for k, plan in enumerate(plans):
        flat = np.linalg.solve(np.eye(flat.size) - DT * dense(economy.households, plan).T, flat)
        np.testing.assert_allclose(masses[k + 1].ravel(), flat, atol=1e-14)
    assert (masses >= -1e-18).all()


def test_values_are_what_the_law_is_paid(swept):
    economy, response, stepper, met, plans, values, masses = swept
    np.testing.assert_allclose(stepper.valued(plans, met, response.value), values, rtol=1e-12)
    constant = Conditions(met.r, met.w, np.full(STEPS, 0.05))
    own = stepper.valued(plans, constant, response.value)
    flat, paid = response.mass, 0.0
    for k, plan in enumerate(plans):
        dt = DT / (1 + 0.05 * DT)  # implicit steps of a discounted chain are those of a shorter step, times a factor
        matrix = np.eye(flat.size) - dt * dense(economy.households, plan).T
        flat = np.linalg.solve(matrix, flat.ravel()).reshape(flat.shape) / (1 + 0.05 * DT)
        paid += DT * float((flat * (-1 / (economy.households.earnings(met.prices(k)) - plan))).sum())
    assert float((response.mass * own[0]).sum()) == pytest.approx(
        paid + float((flat * response.value).sum()), rel=1e-12
    )
    assert masses[-1].sum() == pytest.approx(1, abs=1e-13)
