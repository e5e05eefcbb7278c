"""The sequence-space Jacobian against columns by brute force: one price moved a little, both passes done again."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.jacobian import wealth_jacobian
from mfgsolve.markets.paths import Conditions, Stepper
from mfgsolve.markets.stationary import stationary
from tests.economies import aiyagari, huggett

STEPS, DT, NUDGE = 24, 0.5, 1e-7


@pytest.mark.parametrize(("economy", "change"), [(huggett(80), (1.0, 0.0)), (aiyagari(80), (-0.3, 0.05))])
def test_columns_are_those_of_prices_that_move_a_little(economy, change):
    response = stationary(economy, estimate=False).response
    chain = ContinuousChain(economy.households)
    stepper, points = Stepper(chain, DT), economy.households.wealth.points
    jacobian = wealth_jacobian(chain, response, DT, STEPS, change)

    def held(s: int, moved: float) -> np.ndarray:
        at = np.arange(STEPS) == s
        r, w = (price + moved * by * at for price, by in zip(response.prices, change, strict=True))
        met = Conditions(r, w, np.full(STEPS, economy.households.impatience))
        plans, _ = stepper.best(met, response.value)
        return (stepper.law(plans, response.mass).sum(axis=1) @ points)[1:]

    for s in (0, 7, STEPS - 1):
        brute = (held(s, NUDGE) - held(s, -NUDGE)) / (2 * NUDGE)
        np.testing.assert_allclose(jacobian[:, s], brute, atol=2e-5 * np.abs(jacobian).max())
        assert np.abs(brute).max() > 0.1 * np.abs(jacobian).max()
