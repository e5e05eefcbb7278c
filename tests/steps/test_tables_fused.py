"""One kernel for the linearised game with tables: against sweeps of single steps, and against differences."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.kernels import vectors
from mfgsolve.steps import sweeps

pytestmark = pytest.mark.kernel

GAMES = {
    "beach-bar": lambda: mfg.problems.beach_bar(temperature=0.3),
    "four rooms": lambda: mfg.problems.build("four-rooms", {"temperature": 0.2}),  # actions that are not allowed, walls
}


@pytest.fixture(scope="module", params=list(GAMES))
def at_a_response(request):
    """A game, its best response to the crowd that rests, the flow of that, and vectors of the size of a crowd."""
    game = make_game(GAMES[request.param]())
    response = game.respond(game.price(game.resting_crowd(game.empty_crowd())))
    rng = np.random.default_rng(5)
    flow = game.flow(response.policy)
    return game, response.policy, flow, lambda: rng.standard_normal(flow.shape)


def by_single_steps(game, policy, flow, direction, scale, identity):
    """identity direction - K scale direction, step by step."""
    costs = game._changes(scale * direction)
    return identity * direction - sweeps.change(game.step, costs, policy, flow).reshape(direction.shape)


def test_the_step_is_fused_and_only_where_it_may_be(at_a_response):
    assert at_a_response[0].step.is_fused
    assert not make_game(mfg.problems.beach_bar(temperature=0.0)).step.is_fused  # best responses jump


def test_curvature_is_that_of_single_steps(at_a_response):
    game, policy, flow, vector = at_a_response
    direction, scale = vector(), np.abs(vector())
    for identity in (0.0, 1.0, 0.7):
        found = game.curvature(policy, flow, direction, scale, identity=identity)
        known = by_single_steps(game, policy, flow, direction, scale, identity)
        np.testing.assert_allclose(found, known, rtol=1e-11, atol=1e-13 * np.abs(known).max())


def test_curvature_is_the_derivative_of_the_flow(at_a_response):
    game, policy, flow, vector = at_a_response
    price, change, small = game.price(game.resting_crowd(game.empty_crowd())), vector(), 1e-6
    ahead, back = (game.flow(game.respond(price + sign * small * change).policy) for sign in (1, -1))
    weighted = change * game.weights.reshape(-1, *[1] * (change.ndim - 1))
    found = -game.curvature(policy, flow, weighted, identity=0.0)
    np.testing.assert_allclose(found, (ahead - back) / (2 * small), atol=1e-6 * np.abs(found).max())


def test_a_pass_of_conjugate_gradients_is_its_four_lines(at_a_response):
    game, policy, flow, vector = at_a_response
    scale, length, share = np.abs(vector()), 0.3, -0.6
    solution, residual, direction, image = work = vector(), vector(), vector(), vector()
    later = solution + length * direction, residual.copy(), residual + share * direction
    product = game.conjugate_step(policy, flow, scale, work, length, share)
    for found, known in zip((solution, residual, direction), later, strict=True):
        np.testing.assert_array_equal(found, known)
    known = by_single_steps(game, policy, flow, direction, scale, 1.0)
    np.testing.assert_allclose(image, known, rtol=1e-11, atol=1e-13 * np.abs(known).max())
    assert product == float(vectors.inner(scale, direction, image))


def test_the_mass_at_the_start_does_not_move(at_a_response):
    game, policy, flow, vector = at_a_response
    result = np.full(flow.shape, np.nan)  # whatever the array held
    game.curvature(policy, flow, vector(), out=result, identity=0.0)
    assert (result[0] == 0).all()
    assert np.isfinite(result).all()
