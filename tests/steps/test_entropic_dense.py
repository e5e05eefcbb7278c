"""The entropic step against dense matrices of logarithms: one to three axes, walls, any range of values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dense import properties
from tests.dense_entropic import games, random_price

SIZES = (0.1, 10.0, 300.0, 1e3, 1e5)  # of the values of one step, in units of eps


def close(found, wanted, size, scale=1.0):
    """To round-off of numbers that are ``size`` times as large as what is exponentiated."""
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=scale * (1e-13 + 2e-15 * size))


@properties
@given(drawn=games(), size=st.sampled_from(SIZES))
def test_responses_flows_and_costs(drawn, size):
    game, dense, random = drawn
    price = random_price(game, dense.eps[0], size, random)
    values, _, laws = dense.respond(price)
    answer = game.respond(price)
    free, top = ~game.grid.mask.reshape(-1), np.abs(values).max() + dense.eps[0]
    close(answer.value.reshape(-1)[free], values[0][free], 0.0, top)
    found = game.values(price).reshape(values.shape)
    close(found[:, free], values[:, free], 0.0, top)

    mass, crowd = dense.flow(laws), game.flow(answer.policy)
    spread = top / dense.eps[-1]
    close(crowd.reshape(mass.shape), mass, spread)
    assert (crowd >= 0).all()
    assert np.isfinite(crowd).all()
    assert abs(crowd.reshape(len(crowd), -1).sum(axis=1) - 1).max() <= 1e-14 + 1e-15 * spread
    assert not crowd.reshape(mass.shape)[:, ~free].any()
    own = game.cost(game.policy_of(answer.policy), crowd).cost
    slack = (1e-13 + 1e-15 * spread) * top
    assert own == pytest.approx(dense.cost(laws, mass), abs=slack)
    assert own >= -slack


@properties
@given(drawn=games(), size=st.sampled_from(SIZES))
def test_the_tangent_and_its_symmetry(drawn, size):
    game, dense, random = drawn
    price = random_price(game, dense.eps[0], size, random)
    values, _, laws = dense.respond(price)
    policy, mass = game.respond(price).policy, dense.flow(laws)
    crowd, spread = game.flow(policy), (np.abs(values).max() + dense.eps[0]) / dense.eps[-1]
    one, other = random.standard_normal((2, *price.shape)) * ~game.grid.mask.reshape(game.step.shape)
    image = game.curvature(policy, crowd, one, identity=0.0)
    wanted = -dense.change(laws, mass, one)
    close(image.reshape(wanted.shape), wanted, spread, 1 / dense.eps[-1])
    assert np.isfinite(image).all()

    back = game.curvature(policy, crowd, other, identity=0.0)
    norm = np.sqrt((image**2).sum() * (other**2).sum()) + 1 / dense.eps[-1]
    assert abs((image * other).sum() - (back * one).sum()) <= (1e-13 + 1e-15 * spread) * norm
    assert (image * one).sum() >= -(1e-13 + 1e-15 * spread) * norm  # what costs more is done less


@properties
@given(drawn=games(), size=st.sampled_from(SIZES))
def test_single_steps_are_adjoint_laws(drawn, size):
    game, dense, random = drawn
    price = random_price(game, dense.eps[0], size, random)
    values, _, laws = dense.respond(price)
    policy, free = game.respond(price).policy, ~game.grid.mask.reshape(-1)
    spread = (np.abs(values).max() + dense.eps[0]) / dense.eps[-1]
    for t in range(game.steps):
        mass = random.random(game.step.shape) * free.reshape(game.step.shape)
        value = random.standard_normal(game.step.shape)
        moved, mean = game.step.push(t, policy[t], mass), game.step.expect(t, policy[t], value)
        close(moved.reshape(-1)[free], (mass.reshape(-1) @ laws[t])[free], spread, mass.sum())
        close(mean.reshape(-1)[free], (laws[t] @ value.reshape(-1))[free], spread)
        assert (moved >= 0).all()
        assert moved.sum() == pytest.approx(mass.sum(), rel=1e-14 + 1e-15 * spread)
        assert (moved * value).sum() == pytest.approx((mass * mean).sum(), abs=(1e-13 + 1e-15 * spread) * mass.sum())


@properties
@given(drawn=games(), size=st.sampled_from(SIZES))
def test_draws_in_turn_make_the_law(drawn, size):
    game, dense, random = drawn
    price = random_price(game, dense.eps[0], size, random)
    values, _, laws = dense.respond(price)
    policy, free = game.respond(price).policy, ~game.grid.mask.reshape(-1)
    spread = (np.abs(values).max() + dense.eps[0]) / dense.eps[-1]
    for t in range(game.steps):
        law = np.eye(game.cells)
        for near, chance in game.step.chances(t, policy[t]):
            close(chance[free].sum(axis=1), 1.0, spread)
            draw = np.zeros((game.cells, game.cells))
            np.add.at(draw, (np.arange(game.cells)[:, None], near), chance)
            law = law @ draw
        close(law[free], laws[t][free], spread)
