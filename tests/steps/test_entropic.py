"""The entropic step from single steps: mass, transposes, tangents, the law that costs least."""

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game


def game(shape=(6, 7), steps=4, boundary="reflecting", wall=False, **stated):
    blocked = (lambda c: (c.x > 0.4) & (c.x < 0.6) & (c.y > 0.5)) if wall else None
    problem = mfg.Problem(
        grid=mfg.Grid.box(shape, boundary=boundary, blocked=blocked),
        time=mfg.TimeGrid(0.5, steps, discount=stated.pop("discount", 0.0)),
        dynamics=mfg.ControlledDiffusion(0.02, 0.7, scheme="entropic", reach=4),
        coupling=mfg.CrowdAversion(0.3),
        initial=lambda t, c: 1.0 + 0.5 * np.sin(5 * c.x),
        terminal=lambda t, c: 2 * (c.x - 0.8) ** 2,
        normalise=True,
    )
    return make_game(replace(problem, **stated))


@pytest.mark.parametrize("wall", [False, True])
@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_push_is_the_transpose_of_expect_and_keeps_mass(boundary, wall):
    g = game(boundary=boundary, wall=wall)
    random = np.random.default_rng(3)
    policy = g.respond(g.price(g.resting_crowd(g.empty_crowd()))).policy
    mass, value = random.random((2, *g.step.shape)) * ~g.grid.mask
    for t in range(g.steps):
        moved = g.step.push(t, policy[t], mass)
        assert moved.sum() == pytest.approx(mass.sum(), rel=1e-14)
        assert (moved * value).sum() == pytest.approx((mass * g.step.expect(t, policy[t], value)).sum(), rel=1e-14)
        assert (moved >= 0).all()
        assert not moved[g.grid.mask].any()


@pytest.mark.parametrize("discount", [0.0, 1.5])
def test_the_value_is_what_its_policy_costs(discount):
    g = game(discount=discount)
    price = g.price(g.resting_crowd(g.empty_crowd()))
    answer = g.respond(price)
    crowd = g.flow(answer.policy)
    own = g.cost(g.policy_of(answer.policy), crowd).cost
    paid = own + g.crowd_totals(price, crowd).cost + g.terminal_total(crowd)
    assert own > 0
    assert paid == pytest.approx(answer.mean_value, rel=1e-13)


def test_the_curvature_is_the_derivative_of_the_flow():
    g = game(wall=True)
    price = g.price(g.resting_crowd(g.empty_crowd()))
    direction = np.random.default_rng(5).normal(size=price.shape)
    rate, h = direction / g.weights[:, None, None], 1e-6
    there, here = (g.flow(g.respond(price + sign * h * rate).policy) for sign in (1, -1))
    policy = g.respond(price).policy
    crowd = g.flow(policy)
    change = g.curvature(policy, crowd, direction, identity=0.0)
    np.testing.assert_allclose(-change, (there - here) / (2 * h), atol=1e-8)
    other = np.random.default_rng(6).normal(size=price.shape)
    back = g.curvature(policy, crowd, other, identity=0.0)
    assert (change * other).sum() == pytest.approx((back * direction).sum(), rel=1e-12)


def test_costs_count_by_the_trapezoid_rule():
    g = game(steps=5)
    np.testing.assert_allclose(g.weights, [0.05, 0.1, 0.1, 0.1, 0.1, 0.05])
    crowd = g.crowd_of(np.repeat(g.initial_mass[None], 6, axis=0))
    density = g.initial_mass * g.cells
    assert g.potential(crowd) == pytest.approx(0.5 * 0.5 * 0.3 * (density**2).mean(), rel=1e-14)
