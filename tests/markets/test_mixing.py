"""Where no sure plan clears the market: the price by extended precision, the share by the market."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu

import mfgsolve as mfg
from mfgsolve.markets.discrete import DiscreteChain
from mfgsolve.markets.mixing import mixed
from mfgsolve.markets.stationary import stationary

JUMP = 0.0312922948062889  # in extended precision; 0.031292294806236 is told elsewhere, in which a tie is 7e-14 wide


@pytest.fixture(scope="module")
def result():
    return stationary(mfg.problems.aiyagari_lecture())


def test_it_is_certified_to_round_off(result):
    proof = result.certificate
    assert result.status is mfg.Status.CONVERGED
    assert proof.exploitability < 1e-15
    assert abs(proof.excess) < 1e-14
    assert proof.mass_error < 1e-14
    assert result.price == pytest.approx(JUMP, abs=4e-15)
    assert not result.discretisation.is_measured


def test_one_state_mixes_and_sure_plans_do_not_clear(result):
    (state,) = result.mixture.states
    j, i = (int(n) for n in np.argwhere((result.response.plan > 0).sum(axis=2) > 1)[0])
    households = result.economy.households
    assert state == (households.income.levels[j], households.wealth.points[i]) == (1.0, pytest.approx(11.758793970))
    assert 0.93 < result.mixture.share < 0.94
    chain, k = DiscreteChain(households), np.flatnonzero(result.response.plan[j, i])
    held = []
    for choice in k:
        plan = result.response.plan.copy()
        plan[j, i] = np.arange(households.wealth.count) == choice
        held.append(chain.law(plan).sum(axis=0) @ households.wealth.points - result.economy.demand(result.price))
    assert held == pytest.approx([-9.68342e-3, 6.7155e-4], rel=1e-3)
    assert "households in 1 state (wealth 11.758794, income 1) are indifferent, and 93.47" in result.mixture.sentence


def test_the_price_is_that_of_extended_precision(result):
    """Both plans are valued with residuals in long double."""
    households, wide = result.economy.households, np.longdouble
    chain, mixture = DiscreteChain(households), result.response.plan
    j, i = (int(n) for n in np.argwhere((mixture > 0).sum(axis=2) > 1)[0])
    a, z = households.wealth.points.astype(wide), households.income.levels.astype(wide)
    beta, chances = wide(households.discount_factor), households.income.matrix.astype(wide)
    share = wide(result.economy.firm.technology.share)

    def value(choice: int, r: np.longdouble) -> np.longdouble:
        plan = mixture.copy()
        plan[j, i] = np.arange(a.size) == choice
        k = plan.argmax(axis=2)
        capital = (share / (r + wide(0.05))) ** (1 / (1 - share))
        paid = np.log((1 - share) * capital**share * z[:, None] + (1 + r) * a - a[k])
        solve = splu(sparse.csc_array(sparse.eye_array(k.size) - float(beta) * chain._moves(plan))).solve
        found = np.zeros(k.shape, dtype=wide)
        for _ in range(6):
            left = paid + beta * np.take_along_axis(chances @ found, k, axis=1) - found
            found = found + solve(left.astype(float).ravel()).reshape(k.shape)
        return found[j, i]

    low, high = np.flatnonzero(mixture[j, i])
    ends = wide(result.price) - wide(3e-15), wide(result.price) + wide(3e-15)
    gained = [float(value(high, r) - value(low, r)) for r in ends]
    assert gained[0] < 0 < gained[1]


def test_where_wealth_does_not_jump_nobody_mixes(result):
    assert mixed(result.economy, result.price + 1e-5) is None


def test_a_market_that_a_sure_plan_clears():
    # a supply that falls within a flat piece of what households hold
    lecture = mfg.problems.aiyagari_lecture(points=40)
    chain = DiscreteChain(lecture.households)
    plan = chain.respond(lecture.prices(0.02))
    held = plan.wealth(lecture.households)
    market = mfg.Market(supply=lambda r: held - lecture.demand(r) - 50 * (r - 0.02), bracket=(0.015, 0.025))
    result = stationary(mfg.Economy(lecture.households, market, lecture.firm))
    assert result.mixture is None
    assert result.price == pytest.approx(0.02, abs=1e-12)
    assert result.status is mfg.Status.CONVERGED
