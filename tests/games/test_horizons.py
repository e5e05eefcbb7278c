"""How steps are chained: weights of nodes, and sweeps by hand."""

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.games.horizons import Finite, horizon_of


def test_weights_are_the_rule_of_the_left_end_and_the_end_itself():
    time = mfg.TimeGrid(2.0, 4)
    np.testing.assert_array_equal(horizon_of(time).weights(False), [0.5, 0.5, 0.5, 0.5, 0.0])
    np.testing.assert_array_equal(horizon_of(time).weights(True), [0.5, 0.5, 0.5, 0.5, 1.0])


def test_weights_of_a_discounted_horizon():
    weights = Finite(mfg.TimeGrid(2.0, 2, discount=np.log(2.0))).weights(True)
    np.testing.assert_allclose(weights, [1.0, 0.5, 0.25], rtol=1e-15)


def test_unknown_times_are_refused_with_what_is_allowed():
    with pytest.raises(mfg.InputError, match="times are a float; a TimeGrid is needed"):
        horizon_of(1.0)


def test_sweeps_are_the_steps_one_by_one():
    """Values backward and masses forward by dense matrices of each step, on the beach."""
    game = make_game(mfg.problems.beach_bar(temperature=0.3))
    crowd = game.resting_crowd(game.empty_crowd())
    price = game.price(crowd)
    response = game.respond(price)
    tau, value = game.step.entropy_cost, game.terminal_cost.reshape(-1) + game.weights[-1] * price[-1]
    policy, states = np.empty_like(response.policy), game.cells
    matrix = game.step.transitions.matrix(0, states).toarray().reshape(-1, states, states)
    own = game.step.own_cost
    for t in range(game.steps - 1, -1, -1):
        q = own[min(t, len(own) - 1)] + matrix @ value
        q = np.where(game.step.allowed, q, np.inf)
        policy[t] = np.exp(-(q - q.min(axis=0)) / tau[t])
        policy[t] /= policy[t].sum(axis=0)
        value = q.min(axis=0) - tau[t] * np.log(np.exp(-(q - q.min(axis=0)) / tau[t]).sum(axis=0))
        value = value + game.weights[t] * price[t]
    np.testing.assert_allclose(response.value, value, atol=1e-12)
    np.testing.assert_allclose(response.policy, policy, atol=1e-12)
    mass = game.initial_mass
    for t in range(game.steps):
        mass = np.einsum("ax,axy->y", policy[t] * mass, matrix)
    np.testing.assert_allclose(game.flow(response.policy)[-1], mass, atol=1e-13)
