"""What a path of capital, or of interest rates, means for households and for the market."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets.price_paths import PricePath
from mfgsolve.markets.stationary import stationary
from tests.economies import aiyagari, huggett

TIME = mfg.TimeGrid(8.0, 4)
SHOCK = mfg.Shock(productivity=np.array([-0.1, 0.0, 0.0, 0.0]), impatience=np.array([0.0, 0.5, 0.0, 0.0]))


def of(economy: mfg.Economy) -> PricePath:
    return PricePath.after(SHOCK, economy, stationary(economy, estimate=False).response, TIME)


def test_with_a_firm_prices_are_those_of_capital():
    prices = of(aiyagari(60, supply=0.1))
    met = prices.conditions(prices.rest)
    r, w = prices.response.prices
    assert met.r + 0.05 == pytest.approx((r + 0.05) * np.array([0.9, 1, 1, 1]), rel=1e-9)
    assert met.w == pytest.approx(w * np.array([0.9, 1, 1, 1]), rel=1e-9)
    np.testing.assert_allclose(met.impatience, [0.05, 0.075, 0.05, 0.05])
    assert prices.capital(prices.rest) + 0.1 == pytest.approx(prices.held)
    assert prices.excess(prices.rest, np.full(5, prices.held + 0.2)) == pytest.approx([0.2, 0.2, 0.2])
    assert not prices.is_possible(-prices.rest)
    above, below = (prices.economy.firm.prices(prices.first + sign * 1e-4, 1.5) for sign in (1, -1))
    assert prices.change == pytest.approx([(a - b) / 2e-4 for a, b in zip(above, below, strict=True)], rel=1e-5)


def test_without_one_the_path_is_the_interest_rate():
    prices = of(huggett(60, supply=lambda r: 0.5 * r))
    path = prices.rest + 0.01
    np.testing.assert_array_equal(prices.conditions(path).r, path)
    np.testing.assert_array_equal(prices.conditions(path).w, [0.9, 1, 1, 1])
    assert prices.excess(path, np.zeros(5)) == pytest.approx(-0.5 * path)
    assert not prices.is_possible(prices.rest + 10.0)
    plain = of(huggett(60))
    own = prices.jacobian - PricePath.after(SHOCK, plain.economy, prices.response, TIME).jacobian
    assert own == pytest.approx(-0.5 * np.eye(4), abs=1e-8)


def test_longer_steps_have_the_shock_of_their_beginning():
    longer = of(huggett(60)).longer()
    assert longer.time.steps == 2
    np.testing.assert_allclose(longer.productivity, [0.9, 1.0])


def test_a_single_step_is_refused():
    economy = aiyagari(60)
    response = stationary(economy, estimate=False).response
    with pytest.raises(mfg.InputError, match="no price left to find"):
        PricePath.after(mfg.Shock(), economy, response, mfg.TimeGrid(1.0, 1))
