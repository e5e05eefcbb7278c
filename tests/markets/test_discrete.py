"""Households in discrete time against value iteration, powers of their chain, and sums over all next states."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets import Prices
from mfgsolve.markets.discrete import DiscreteChain
from mfgsolve.markets.response import Reducible

PRICES = Prices(0.03, 1.2)


def households(points: int = 30, gamma: float = 1.0) -> mfg.Households:
    income = mfg.Income([0.2, 0.7, 1.0], probabilities=[[0.8, 0.2, 0.0], [0.1, 0.6, 0.3], [0.0, 0.3, 0.7]])
    wealth = mfg.Wealth(-0.5 + 6 * np.linspace(0, 1, points) ** 1.5)
    return mfg.Households(wealth, income, mfg.CRRA(gamma), discount_factor=0.93)


@pytest.fixture(scope="module", params=[1.0, 2.5])
def solved(request):
    chain = DiscreteChain(households(gamma=request.param))
    return chain, chain.respond(PRICES)


def stepwise(chain: DiscreteChain, value: np.ndarray) -> np.ndarray:
    """What each choice is worth, state by state."""
    own = chain.households
    a, z, chances = own.wealth.points, own.income.levels, own.income.matrix
    worth = np.full((*value.shape, a.size), -np.inf)
    for j in range(z.size):
        for i in range(a.size):
            for k in range(a.size):
                spent = PRICES.w * z[j] + (1 + PRICES.r) * a[i] - a[k]
                if spent > 0:
                    worth[j, i, k] = own.utility.of(np.array(spent)) + 0.93 * chances[j] @ value[:, k]
    return worth


def test_no_choice_is_better_in_any_state(solved):
    chain, response = solved
    worth = stepwise(chain, response.value)
    np.testing.assert_allclose(worth.max(axis=2), response.value, rtol=1e-13)
    np.testing.assert_array_equal(worth.argmax(axis=2), response.plan.argmax(axis=2))
    np.testing.assert_array_equal(np.sort(response.plan, axis=2)[:, :, -1], 1.0)


def test_value_iteration_ends_there(solved):
    chain, response = solved
    value = np.zeros_like(response.value)
    for _ in range(500):
        value = chain.choices(value, PRICES).max(axis=2)
    np.testing.assert_allclose(value, response.value, rtol=1e-12)
    np.testing.assert_allclose(chain.best(PRICES, value + 1.0)[1], response.value, rtol=1e-13)


def moves(chain: DiscreteChain, plan: np.ndarray) -> np.ndarray:
    """Chances from (income, wealth) to (income, wealth), as a dense matrix."""
    size = plan.shape[0] * plan.shape[1]
    return np.einsum("jik,jl->jilk", plan, chain.households.income.matrix).reshape(size, size)


def test_the_law_of_mixed_plans_stays_as_it_is(solved):
    chain, response = solved
    rng = np.random.default_rng(0)
    other = rng.random(response.plan.shape) * (chain._spending(PRICES) > 0)
    for plan in (response.plan, 0.5 * response.plan + 0.5 * other / other.sum(axis=2, keepdims=True)):
        mass = chain.law(plan)
        power = np.linalg.matrix_power(moves(chain, plan), 4096)[0]
        np.testing.assert_allclose(mass.ravel(), power, atol=1e-12)
        assert chain.law_error(plan, mass) < 1e-13
        assert chain.law_error(plan, np.roll(mass, 1)) > 1e-3
        np.testing.assert_allclose(mass.sum(axis=1), chain.households.income.law, atol=1e-13)


def test_what_a_mixed_plan_is_worth_is_the_mean_of_utilities(solved):
    chain, response = solved
    plan = 0.5 * response.plan + 0.5 * np.roll(response.plan, -1, axis=2)
    plan[:, -1] = response.plan[:, -1]
    plan[:, :3] = response.plan[:, :3]
    value = chain.valued(plan, PRICES)
    felt = np.where(plan > 0, stepwise(chain, value), 0.0)
    np.testing.assert_allclose((plan * felt).sum(axis=2), value, rtol=1e-12)
    assert (value <= response.value + 1e-12).all()


def test_what_is_spent_within_periods(solved):
    chain, response = solved
    chances, paid = moves(chain, response.plan), response.consumption.ravel()
    expected = (paid + chances @ paid + chances @ chances @ paid).reshape(response.consumption.shape)
    np.testing.assert_allclose(chain.spent(response, 3.0), expected, rtol=1e-13)
    with pytest.raises(mfg.InputError, match=r"period is 0\.5; in discrete time a whole number"):
        chain.spent(response, 0.5)


def test_plans_that_are_none_are_sentences(solved):
    chain, response = solved
    with pytest.raises(mfg.InputError, match=r"shape \(3, 30\)"):
        chain.law(response.saving)
    with pytest.raises(mfg.InputError, match="sum to 1"):
        chain.law(0.9 * response.plan)
    rich = np.zeros_like(response.plan)
    rich[:, :, -1] = 1.0
    with pytest.raises(mfg.InputError, match=r"the plan consumes -.* consumption must be positive"):
        chain.consumption(rich, PRICES)
    still = np.broadcast_to(np.eye(30), response.plan.shape)
    with pytest.raises(Reducible, match="never leave any of 30 ranges of wealth"):
        chain.law(still)
    with pytest.raises(mfg.InputError, match="is not below 1 / discount_factor - 1"):
        chain.respond(Prices(0.08))
