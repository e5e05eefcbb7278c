"""Best responses against dense matrices written from the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dense import dense_respond, free_part, games, make_game, properties, random_price
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.kernel


@properties
@given(games())
def test_backward_forward_movement_equal_dense_reference(case):
    game, rng = case
    price = random_price(game, rng)
    moves, paid, capped, ahead, value, spread = dense_respond(game, price)
    response = game.respond(price)
    size = np.abs(value).max() + np.abs(ahead).max()
    np.testing.assert_allclose(free_part(game, response.policy), free_part(game, np.array(ahead)), atol=1e-12 * size)
    np.testing.assert_allclose(response.value.ravel(), value, atol=1e-12 * size)
    assert response.mean_value == pytest.approx(float((game.initial_mass.ravel() * value).sum()), abs=1e-12 * size)

    mass = [game.initial_mass.ravel()]
    for matrix in moves:
        mass.append(spread.T @ (matrix.T @ mass[-1]))
    flow = game.flow(response.policy)
    np.testing.assert_allclose(flow.reshape(len(flow), -1), mass, atol=1e-13)

    cost, _, _, share = game.cost(game.policy_of(response.policy), flow)
    assert cost == pytest.approx(sum(float(m @ p) for m, p in zip(mass, paid, strict=False)), rel=1e-10, abs=1e-14)
    near = [float(m @ b) for m, b in zip(mass, capped, strict=False)]
    assert share == pytest.approx(sum(near) / game.steps, abs=1e-12)


@properties
@given(games())
def test_respond_may_overwrite_its_price(case):
    game, rng = case
    price = random_price(game, rng)
    apart = game.respond(price)
    within = game.respond(price, out=price[: game.steps])
    np.testing.assert_array_equal(within.policy, apart.policy)
    np.testing.assert_array_equal(within.value, apart.value)


@properties
@given(games())
def test_mean_value_is_what_the_flow_pays(case):
    """<m_0, V_0> = movement + sum_t weight_t <price_t, m_t> + <g, m_T>."""
    game, rng = case
    price = random_price(game, rng)
    response = game.respond(price)
    flow = game.flow(response.policy)
    parts = (
        game.cost(game.policy_of(response.policy), flow).cost,
        game.crowd_totals(price, flow)[0],
        game.terminal_total(flow),
    )
    assert response.mean_value == pytest.approx(math.fsum(parts), abs=1e-12 * sum(map(abs, parts)) + 1e-15)


def test_wider_grids_take_the_same_road():
    """Rows longer than a vector register and more rows than one block, against the dense reference."""
    for sizes, density in (((19, 21), 0.0), ((21, 19), 0.15), ((3, 9, 17), 0.0), ((3, 9, 17), 0.1), ((150,), 0.0)):
        for periodic in (False, True):
            game = make_game(sizes, (periodic,) * len(sizes), density, "implicit", 0.05, 1, seed=9)
            price = random_price(game, np.random.default_rng(10))
            moves, _, _, ahead, value, spread = dense_respond(game, price)
            response = game.respond(price)
            np.testing.assert_allclose(free_part(game, response.policy), free_part(game, np.array(ahead)), atol=1e-12)
            np.testing.assert_allclose(response.value.ravel(), value, atol=1e-12)
            flow = game.flow(response.policy)
            np.testing.assert_allclose(flow[1].ravel(), spread.T @ (moves[0].T @ flow[0].ravel()), atol=1e-14)


@properties
@given(games(blocked=False), st.integers(1, 5))
def test_periodic_axes_do_not_know_their_origin(case, shift):
    game, rng = case
    axes = [3 - game.grid.ndim + k for k, axis in enumerate(game.grid.axes) if axis.periodic]
    price = random_price(game, rng)
    response = game.respond(price)
    flow = game.flow(response.policy)
    u = rng.standard_normal(price.shape)
    answer = game.curvature(response.policy, flow, u)

    def rolled(array):
        return np.roll(array, [shift] * len(axes), [a - 3 for a in axes])

    game.initial_mass, game.terminal_cost = rolled(game.initial_mass), rolled(game.terminal_cost)
    moved = game.respond(rolled(price))
    size = np.abs(response.policy).max() + 1.0
    np.testing.assert_allclose(moved.policy, rolled(response.policy), atol=1e-12 * size)
    np.testing.assert_allclose(game.flow(rolled(response.policy)), rolled(flow), atol=1e-13)
    again = game.curvature(rolled(response.policy), rolled(flow), rolled(u))
    np.testing.assert_allclose(again, rolled(answer), atol=1e-11 * np.abs(answer).max())
