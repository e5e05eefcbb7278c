"""Certificates: zero at equilibria alone, positive of plans that are worse, and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets.certificate import certify
from mfgsolve.markets.chains import chain_of
from tests.economies import aiyagari, dense, huggett


@pytest.fixture(scope="module")
def of_huggett():
    return mfg.markets.stationary(huggett(80), estimate=False)


def test_a_worse_plan_has_the_regret_of_dense_matrices(of_huggett):
    """rho <m, V* - V> with m, V from dense solves and V* the value of the equilibrium's plan."""
    economy, best = of_huggett.economy, of_huggett.response
    plan = 0.9 * best.plan
    proof = certify(economy, plan, of_huggett.price)
    matrix = dense(economy.households, plan)
    stacked = np.vstack([matrix.T, np.ones(len(matrix))])
    mass = np.linalg.lstsq(stacked, np.r_[np.zeros(len(matrix)), 1.0], rcond=None)[0]
    consumption = (economy.households.earnings(best.prices) - plan).ravel()
    value = np.linalg.solve(0.05 * np.eye(len(matrix)) - matrix, economy.households.utility.of(consumption))
    regret = 0.05 * float(mass @ (best.value.ravel() - value))
    assert proof.regret == pytest.approx(regret, rel=1e-6)
    assert proof.regret > 1e-4
    weight = float(mass @ (economy.households.utility.marginal(consumption) * consumption))
    assert proof.relative_regret == pytest.approx(regret / weight, rel=1e-6)
    held = float(mass.reshape(2, -1).sum(axis=0) @ economy.households.wealth.points)
    assert proof.excess == pytest.approx(held, abs=1e-12)
    assert abs(proof.excess) > 1e-6


def test_another_price_has_regret_and_excess_of_its_size(of_huggett):
    proof, off = of_huggett.certificate, 1e-4
    assert proof.relative_regret < 1e-14
    assert proof.price_error < 1e-13
    response = chain_of(of_huggett.economy.households).respond(of_huggett.economy.prices(of_huggett.price + off))
    other = certify(of_huggett.economy, response.plan, of_huggett.price + off, proof.slope)
    assert other.relative_regret < 1e-13  # best at that price,
    assert other.price_error == pytest.approx(off, rel=0.01)  # which is off by so much
    stale = certify(of_huggett.economy, of_huggett.response.plan, of_huggett.price + off, proof.slope)
    assert stale.regret > 1e-9  # the old plan is not best there, and holds what it held
    assert stale.excess == pytest.approx(proof.excess, abs=1e-12)


def test_prices_that_a_plan_makes_itself_give_one_number():
    answer = mfg.markets.stationary(aiyagari(80), estimate=False)
    proof = answer.certificate
    assert proof.relative_exploitability < 1e-13
    assert math.isnan(of(huggett(40)).exploitability)
    less = certify(answer.economy, answer.response.plan * np.where(answer.response.plan > 0, 0.9, 1.0), answer.price)
    assert less.relative_exploitability > 1e-5
    assert less.exploitability != pytest.approx(less.regret, rel=1e-3)  # at prices of less capital


def of(economy):
    return mfg.markets.stationary(economy, estimate=False).certificate


def test_a_plan_without_capital_has_no_prices():
    economy = aiyagari(40, supply=1.0)
    saving = np.zeros((2, 40))
    saving[:, 1:] = -0.1
    with pytest.raises(mfg.InputError, match="of which others owe 1: the firm has no capital"):
        certify(economy, saving, 0.03)
