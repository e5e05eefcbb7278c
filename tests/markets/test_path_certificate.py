"""The certificate of a plan over time: what is spoilt on purpose shows."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.path_certificate import PathCertificate, certify_path
from mfgsolve.markets.paths import Stepper
from mfgsolve.markets.price_paths import PricePath
from mfgsolve.markets.stationary import stationary
from tests.economies import aiyagari

TIME = mfg.TimeGrid(20.0, 20)


@pytest.fixture(scope="module")
def made():
    economy = aiyagari(60)
    response = stationary(economy, estimate=False).response
    shock = mfg.Shock(productivity=-0.03, recovery=0.2)
    prices = PricePath.after(shock, economy, response, TIME)
    stepper = Stepper(ContinuousChain(economy.households), 1.0)
    plans, _ = stepper.best(prices.conditions(prices.rest), response.value)
    return prices, stepper, plans


def certified(made, plans) -> PathCertificate:
    prices, stepper, _ = made
    masses = stepper.law(plans, prices.response.mass)
    held = masses.sum(axis=1) @ prices.economy.households.wealth.points
    return certify_path(prices, stepper, prices.rest, plans, masses, prices.excess(prices.rest, held), np.nan)


def test_the_best_plan_at_wrong_prices_has_no_regret_and_is_exploitable(made):
    proof = certified(made, made[2])
    assert 0 < proof.relative_regret < 1e-14
    assert proof.excess > 1e-3
    assert proof.relative_exploitability > 1e-6
    assert proof.mass_error < 1e-13


def test_other_savings_are_worse_by_the_square(made):
    small, large = (certified(made, (1 - cut) * made[2]).relative_regret for cut in (0.01, 0.02))
    assert 1e-8 < small < large
    assert large == pytest.approx(4 * small, rel=0.1)


def test_it_is_read_from_attributes():
    proof = PathCertificate(1.0, 2.0, 3.0, 4.0, 0.5, 6.0, 0.25, 8.0)
    attrs = {"exploitability": 1.0, "own_exploitability": 6.0, "own_relative_exploitability": 0.25, "regret": 1.0}
    read = PathCertificate.read(attrs | {"relative_regret": 2.0, "excess": 3.0, "relative_excess": 4.0}
                                | {"price_error": 0.5, "mass_error": 8.0})  # fmt: skip
    assert read == proof
    assert proof.worst(0.05) == 10.0
    assert np.isnan(PathCertificate().regret)
