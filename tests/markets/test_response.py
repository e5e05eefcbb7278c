"""What a response says of all households."""

from __future__ import annotations

import pytest

from mfgsolve.markets.chains import chain_of
from mfgsolve.markets.firm import Prices
from tests.economies import huggett


def test_mean_wealth_is_that_of_the_law():
    households = huggett(30).households
    response = chain_of(households).respond(Prices(0.03))
    total = sum(response.mass[j, i] * households.wealth.points[i] for j in range(2) for i in range(30))
    assert response.wealth(households) == pytest.approx(total)
