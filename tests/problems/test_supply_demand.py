"""The flagship by hand: where demand is, what a crowd earns there, and where it starts."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve import problems
from mfgsolve.games import make_game


def test_demand_rides_half_an_ellipse_and_waits() -> None:
    demand = problems.supply_demand(shape=(8, 8), steps=4, hold=0.2, scheme="upwind").track
    for t, place in ((0.0, (0.15, 0.2)), (0.4, (0.5, 0.8)), (0.8, (0.85, 0.2)), (0.9, (0.85, 0.2)), (1.0, (0.85, 0.2))):
        np.testing.assert_allclose(demand(t), place, atol=1e-15)
    x, y = demand(0.2)
    assert ((x - 0.5) / 0.35) ** 2 + ((y - 0.2) / 0.6) ** 2 == pytest.approx(1.0)


def test_a_crowd_shares_the_reward() -> None:
    """At the density 1 / congestion half is left; a width from the centre, exp(-1/2) of it."""
    problem = problems.supply_demand(shape=(20, 20), steps=4, reward=3.0, congestion=0.5, width=0.1, scheme="upwind")
    game, crowd = make_game(problem), np.full((5, 1, 20, 20), 2.0 / 400)
    price = game.price(crowd)[0, 0]
    c = problem.coordinates
    away = (c.x - 0.15) ** 2 + (c.y - 0.2) ** 2
    np.testing.assert_allclose(price, -0.5 * 3.0 * np.exp(-away / 0.02), rtol=1e-12)
    np.testing.assert_allclose(game.price(0 * crowd)[0, 0], 2 * price, rtol=1e-12)


def test_agents_start_in_a_spot() -> None:
    problem = problems.supply_demand(shape=(64, 64), steps=4, scheme="upwind")
    mass, c = problem.initial_mass(), problem.coordinates
    assert mass.sum() == pytest.approx(1.0, abs=1e-14)
    assert (mass * c.y).sum() == pytest.approx(0.2, abs=1e-3)
    assert (mass * (c.y - 0.2) ** 2).sum() == pytest.approx(0.05**2, rel=0.02)
