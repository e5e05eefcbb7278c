"""The chain of continuous time, beside dense matrices and a search through all savings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm, null_space
from scipy.optimize import minimize_scalar

import mfgsolve as mfg
from mfgsolve.cautions import collect
from mfgsolve.markets import Prices
from mfgsolve.markets.continuous import ContinuousChain, transposed
from tests.economies import dense, huggett, three_incomes

PRICES = Prices(0.03, 1.0)


@pytest.fixture(scope="module", params=[2.0, 1.0, 0.5])
def solved(request):
    chain = ContinuousChain(three_incomes(gamma=request.param))
    return chain, chain.respond(PRICES)


def test_value_and_law_are_those_of_the_dense_generator(solved):
    chain, response = solved
    matrix = dense(chain.households, response.saving)
    paid = chain.households.utility.of(response.consumption).ravel()
    value = np.linalg.solve(0.08 * np.eye(len(matrix)) - matrix, paid)
    assert response.value.ravel() == pytest.approx(value, rel=1e-11)
    law = null_space(matrix.T, rcond=1e-12)
    assert law.shape[1] == 1
    assert response.mass.ravel() == pytest.approx(law[:, 0] / law.sum(), abs=1e-12)
    assert chain.law_error(response.plan, response.mass) < 1e-14
    assert response.mass.sum(axis=1) == pytest.approx(chain.households.income.law, abs=1e-13)


def test_no_other_saving_is_better_anywhere(solved):
    """One state at a time: u(y - s) + s+ slope up - s- slope down, by bounded minimisation on either side."""
    chain, response = solved
    households, value = chain.households, response.value
    a, earnings = households.wealth.points, households.earnings(PRICES)

    def worth(s: float, j: int, i: int) -> float:
        step = 0.0 if s == 0 else (value[j, i + 1] - value[j, i]) / (a[i + 1] - a[i]) if s > 0 else (
            value[j, i] - value[j, i - 1]) / (a[i] - a[i - 1])  # fmt: skip
        return float(households.utility.of(earnings[j, i] - s)) + s * step

    for j in range(households.income.count):
        for i in range(0, a.size, 7):
            own = worth(float(response.saving[j, i]), j, i)
            sides = ([(-2.0, 0.0)] if i else []) + ([(0.0, 0.999 * earnings[j, i])] if i < a.size - 1 else [])
            for side in sides:
                best = minimize_scalar(lambda s, j=j, i=i: -worth(s, j, i), bounds=side, options={"xatol": 1e-12})
                assert -best.fun <= own + 1e-9, (j, i)


def test_another_start_ends_with_the_same_plan(solved):
    chain, response = solved
    other = chain.respond(PRICES, chain.respond(Prices(-0.02)).value)
    assert other.saving == pytest.approx(response.saving, abs=1e-9)


def test_mean_saving_of_all_is_zero_and_budgets_add_up(solved):
    chain, response = solved
    earned = chain.households.earnings(PRICES)
    assert response.consumption + response.saving == pytest.approx(earned, abs=1e-14)
    assert float((response.mass * response.saving).sum()) == pytest.approx(0.0, abs=1e-13)


def test_what_is_spent_within_a_while_is_that_of_the_matrix_exponential(solved):
    chain, response = solved
    matrix, c = dense(chain.households, response.saving), response.consumption.ravel()
    size = c.size
    whole = np.zeros((size + 1, size + 1))
    whole[:size, :size], whole[:size, size] = matrix, c
    exact = expm(0.7 * whole)[:size, size]
    assert chain.spent(response, 0.7).ravel() == pytest.approx(exact, rel=2e-4)
    invariant = float(response.mass.ravel() @ chain.spent(response, 0.7).ravel())
    assert invariant == pytest.approx(0.7 * float(response.mass.ravel() @ c), rel=1e-12)


def test_a_single_income_runs_its_wealth_down_to_the_limit():
    households = mfg.Households(mfg.Wealth.uniform(0, 1, 30), mfg.Income([0.3], rates=[[0.0]]), discount_rate=0.1)
    response = ContinuousChain(households).respond(Prices(0.02))
    assert response.mass[0, 0] == pytest.approx(1.0)
    assert response.saving[0, 0] == 0
    assert response.value[0, 0] == pytest.approx(float(mfg.CRRA(2).of(np.array(0.3))) / 0.1)


def test_a_plan_that_rests_everywhere_has_many_laws():
    chain = ContinuousChain(huggett(20).households)
    with pytest.raises(mfg.InputError, match=r"never leave any of 20 ranges of wealth, -0.15..-0.15, .* several laws"):
        chain.law(np.zeros((2, 20)))
    saving = np.zeros((2, 20))
    saving[0, 1:10], saving[1, :9] = -0.1, 0.1
    saving[0, 11:], saving[1, 10:19] = -0.1, 0.1
    with pytest.raises(mfg.InputError, match="2 ranges"):
        chain.law(saving)
    saving[1, 9] = 0.1  # now everybody ends in the upper one
    assert chain.law(saving)[:, :10].max() < 1e-10


def test_plans_that_leave_the_points_or_eat_nothing_are_told():
    chain = ContinuousChain(huggett(20).households)
    with pytest.raises(mfg.InputError, match="savings at the lowest wealth must not be negative"):
        chain.law(np.full((2, 20), -0.1))
    saving = np.zeros((2, 20))
    saving[1, 3] = 0.5
    with pytest.raises(mfg.InputError, match=r"the plan consumes -0\.28.* at wealth 0\.66.* and income 0\.2,"):
        chain.valued(saving, PRICES)


def test_prices_without_a_law_are_refused_before_anything_is_solved():
    with pytest.raises(mfg.InputError, match="no stationary law"):
        ContinuousChain(huggett(20).households).respond(Prices(0.05))


def test_a_very_impatient_household_is_let_consume_what_it_likes():
    income = mfg.Income([0.1, 0.2], rates=[1.2, 1.2])
    households = mfg.Households(mfg.Wealth.uniform(0, 5, 60), income, mfg.CRRA(0.5), discount_rate=20.0)
    with collect() as said:
        response = ContinuousChain(households).respond(Prices(0.01))
    assert not said
    assert response.consumption.max() > 20
    assert response.mass[:, 0].sum() > 0.99


def test_a_band_transposed_is_the_matrix_transposed():
    rng = np.random.default_rng(0)
    band = rng.normal(size=(5, 9))
    rows = np.zeros((9, 9))
    other = np.zeros((9, 9))
    for matrix, source in ((rows, band), (other, transposed(band, 2))):
        for i in range(9):
            for j in range(max(0, i - 2), min(9, i + 3)):
                matrix[i, j] = source[2 + i - j, j]
    assert (other == rows.T).all()


@pytest.mark.parametrize(("gamma", "price"), [(4.0, 0.1 / 3 * (1 - 1e-6)), (6.6, 0.1 / 3 * (1 - 1e-3))])
def test_near_the_natural_limit_a_cold_start_ends_where_a_warm_one_does(gamma, price):
    """There values of the poorest are 10^10 times those of others, and must not tell when a plan has settled."""
    income = mfg.Income([0.1, 0.2], rates=[1.2, 1.2])
    households = mfg.Households(mfg.Wealth.uniform(-3, 9, 32), income, mfg.CRRA(gamma), discount_rate=0.15)
    chain = ContinuousChain(households)
    warm = chain.respond(Prices(price), chain.respond(Prices(0.98 * price)).value)
    assert chain.respond(Prices(price)).wealth(households) == pytest.approx(warm.wealth(households), abs=1e-11)


def test_mean_wealth_is_known_to_round_off_whatever_it_begins_with():
    """Slopes are differences of values of the size 1 / discount_rate: without refinement this is 1e-9 to 1e-10."""
    income = mfg.Income([0.3, 0.9], rates=[0.3, 0.3])
    households = mfg.Households(mfg.Wealth.uniform(0, 9.4, 399), income, mfg.CRRA(0.7), discount_rate=0.053)
    chain = ContinuousChain(households)
    starts = [chain.respond(Prices(-0.13 + 0.01 * k)).value for k in range(6)]
    held = [chain.respond(Prices(-0.13 + 1e-13 * k), start).wealth(households) for k, start in enumerate(starts)]
    assert np.ptp(held) < 2e-11
