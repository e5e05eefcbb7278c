"""Kernels in several threads do what they do in one."""

from __future__ import annotations

import numpy as np
import pytest
from dense import games, make_game, properties, random_price
from hypothesis import given
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.kernels import bellman, kolmogorov, noise, tangent, threads_possible
from mfgsolve.steps.scheme import make_scheme

pytestmark = pytest.mark.kernel


@pytest.mark.slow
@properties
@given(games(), st.integers(2, 5))
def test_threads_change_no_bit(case, parts):
    game, rng = case
    split = game.step.scheme._replace(parts=parts)
    price = random_price(game, rng)
    response = game.respond(price)
    value, ahead = game.terminal_cost + game.weights[-1] * price[-1], np.empty_like(response.policy)
    bellman.backward_parallel(price, game.weights, value, ahead, split)
    np.testing.assert_array_equal(ahead, response.policy)

    flow = game.flow(response.policy)
    mass = np.empty_like(flow)
    mass[0] = flow[0]
    kolmogorov.forward_parallel(ahead, mass, split)
    np.testing.assert_array_equal(mass, flow)

    u, scale = rng.standard_normal(flow.shape), rng.random(flow.shape)
    answer = np.empty_like(flow)
    none = np.empty((0, 1, 1, 1))
    tangent.curvature_parallel(ahead, mass, u, scale, answer, 1.0, none, none, 0.0, 0.0, split)
    np.testing.assert_array_equal(answer, game.curvature(ahead, mass, u, scale))


@pytest.mark.skipif(threads_possible() < 2, reason="one thread alone is allowed here")
def test_two_threads_give_the_same_game():
    serial = make_game((23, 37), (False, True), 0.1, "implicit", 0.02, 4, seed=5)
    shared = Game(serial.problem, threads=2)
    price = random_price(serial, np.random.default_rng(6))
    one, two = serial.respond(price), shared.respond(price)
    np.testing.assert_array_equal(one.policy, two.policy)
    flow = serial.flow(one.policy)
    np.testing.assert_array_equal(flow, shared.flow(one.policy))
    np.testing.assert_array_equal(serial.curvature(one.policy, flow, price), shared.curvature(one.policy, flow, price))


def test_an_explicit_step_on_uneven_cells_in_parts():
    """The parallel version takes the scheme of uneven cells, too: every level of the noise, to the bit."""
    axis = mfg.Axis.from_edges("x", np.array([0.0, 0.2, 0.5, 0.6, 1.0]), "periodic")
    scheme = make_scheme(mfg.Grid((mfg.Axis("y", 3), axis)), mfg.TimeGrid(1.0, 100), 0.01, "explicit", 1.0, 1)
    value = np.random.default_rng(0).standard_normal((1, 3, 4))
    for transpose in (False, True):
        one, other = np.empty_like(value), np.empty_like(value)
        noise.noise(value.copy(), one, scheme, transpose)
        noise.noise_parallel(value.copy(), other, scheme._replace(parts=2), transpose)
        np.testing.assert_array_equal(one, other)
