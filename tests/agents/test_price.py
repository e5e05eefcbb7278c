"""Prices among N agents: tolls, bounds, caps, and what has no exact law."""

from __future__ import annotations

import numpy as np
import pytest
from enumerated import AMOUNTS, any_policy, brute, flagship, roads, tabular

import mfgsolve as mfg


@pytest.fixture(scope="module")
def plan():
    return flagship()


# -- hard bounds, and what is refused --------------------------------------------------------------------------


def test_tolls_are_paid_as_prices_that_stay():
    """0.6 fit left, where 2/3 would be: they pay 0.2; one more on the left counts 0.4 / N there, and 1.2 / N right."""
    problem = roads(mfg.Capacity(lambda t, c: np.where((t > 0) & (c.state == 1), 0.6, np.inf)), 2.0)
    plan = mfg.solve(problem, tol=1e-10)
    found = mfg.nash_gap(plan, [10, 1000, 10**9])
    assert float(plan.dataset.density.sel(state="left")[1]) == pytest.approx(0.6, abs=1e-8)
    toll = float(plan.dataset.capacity_multiplier.sel(state="left")[1])
    assert toll == pytest.approx(0.2, abs=1e-6)
    np.testing.assert_allclose(found.regret, 0.4 * (2 * 0.6 - 0.4) / np.array([10, 1000, 10**9]), rtol=1e-5, atol=1e-8)
    assert found.attrs["mean_field_cost"] == pytest.approx(0.8, abs=1e-6)


def test_bounds_of_a_price_too():
    price = mfg.Price(mfg.QuadraticPotential(1.0), bounds=(None, 0.5), amounts=np.array([[1.0, 0, 0], [0.0, 0, 0]]))
    plan = mfg.solve(roads(price, 3.0), tol=1e-8)
    found = mfg.nash_gap(plan, [10**9])
    assert float(found.regret[0]) == pytest.approx(0, abs=1e-7)
    assert found.attrs["mean_field_cost"] == pytest.approx(plan.certificate.cost, rel=1e-9)


@pytest.mark.parametrize("agents", [[], 0, [0], [-3], [1.5], "many", ["many"], [True], [10, None], [10**13], {3: 4}])
def test_numbers_that_are_none(plan, agents):
    with pytest.raises(mfg.InputError, match="agents"):
        mfg.nash_gap(plan, agents)


def test_games_without_an_exact_law_name_the_simulation():
    follow = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(2, 2), coupling=mfg.CrowdAversion(1.0), initial=0.5,
        dynamics=mfg.Tabular(lambda t, mass: [np.eye(2), np.tile(mass, (2, 1))]),
    )  # fmt: skip
    distant = tabular(mfg.CustomCoupling(lambda t, c, rho: np.roll(rho, 1)))
    bent = tabular(mfg.Price(Quartic(), amounts=AMOUNTS))
    for problem, word in ((follow, "independent"), (distant, "CustomCoupling"), (bent, "Quartic")):
        with pytest.raises(mfg.InputError, match=rf"(?s){word}.*mfg\.simulate"):
            mfg.nash_gap(problem, [10], policy=any_policy(problem))


class Quartic:
    """phi = A^4 / 4."""

    def value(self, t, amount):
        return amount**4 / 4

    def derivative(self, t, amount):
        return amount**3

    def second(self, t, amount):
        return 3 * amount**2


def test_a_cap_far_beyond_the_crowd_is_not_overlooked():
    """A cost that bends five standard deviations away: the full binomial sum, and an honest bound."""
    cap = mfg.CustomCoupling(
        cost=lambda t, c, rho: 1e6 * np.maximum(rho - 1.15, 0),
        derivative=lambda t, c, rho: 1e6 * (rho > 1.15), monotone=True,
    )  # fmt: skip
    problem = mfg.Problem(
        mfg.Grid.box((8,)), mfg.TimeGrid(1.0, 16), mfg.ControlledDiffusion(viscosity=0.5, scheme="upwind"), cap, 1.0
    )
    found = mfg.nash_gap(problem, [5000, 6500, 8000], policy=np.zeros((16, 2, 8)))
    for n, cost in zip(found.agents.values, found.cost.values, strict=True):
        wanted = brute(lambda k, n=n: 1e6 * np.maximum(8 * (k + 1) / n - 1.15, 0), n - 1, 1 / 8)
        assert cost == pytest.approx(wanted, rel=1e-9)


def test_a_coupling_that_wrongly_says_it_is_local_is_found_out():
    space = mfg.Populations(["a", "b"], mfg.Grid.box((4,)))
    both = mfg.CustomCoupling(
        cost=lambda t, c, rho: np.broadcast_to(rho.sum(0) ** 2, rho.shape),
        derivative=lambda t, c, rho: np.broadcast_to(2 * rho.sum(0), rho.shape),
    )
    moves = [mfg.LatticeMoves((-1, 0, 1), costs=0.01, temperature=0.1)] * 2
    problem = mfg.Problem(space, mfg.TimeGrid(1.0, 4), moves, both, 1.0)
    with pytest.raises(mfg.InputError, match="its cost changes with the density elsewhere"):
        mfg.nash_gap(problem, 10, policy=np.full((4, 3, 2, 4), 1 / 3))
