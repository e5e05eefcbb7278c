"""What agents pay in the crowd that they are: by state, by choice, and in all, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sparse_factors import blown, diffusion, leaking

import mfgsolve as mfg
from mfgsolve.agents.play import Play
from mfgsolve.agents.price import mean_field_price
from mfgsolve.agents.walk import Walk
from mfgsolve.games import make_game


def roads() -> mfg.Problem:
    """Two states, two actions that lead to them; a choice costs the share of agents who choose it, and 1 a step besides
    in state 0; to be somewhere costs the share of agents there, at the end three times."""
    go = [np.array([[1.0, 0], [1, 0]]), np.array([[0.0, 1], [0, 1]])]
    return mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(1.0, 2), dynamics=mfg.Tabular(go, cost=np.array([[1.0, 0], [1, 0]])),
        coupling=mfg.CrowdAversion(1.0) + mfg.CrowdAversion(1.0, on="occupation"),
        terminal_coupling=mfg.CrowdAversion(3.0), terminal=np.array([0.0, 7.0]), initial=np.array([0.75, 0.25]),
    )  # fmt: skip


def test_costs_of_a_crowd_by_hand():
    game = make_game(roads())
    policy = game.policy_of(np.full((2, 2, 2), 0.5))
    walk = Walk(Play(game, policy, game.follow(policy), None))
    mass = np.array([[0.75, 0.25], [0.5, 0.5], [0.5, 0.5]])
    costs = walk.mean_costs(mass)
    np.testing.assert_allclose(costs.state, [[0.375, 0.125], [0.25, 0.25], [1.5, 8.5]])  # dt = 1/2, 1 at the end
    half = 0.5 * np.array([[[0.375, 0.125]] * 2, [[0.25, 0.25]] * 2])
    np.testing.assert_allclose(costs.action, half)
    being = (costs.state * mass).sum(axis=0)
    choosing = np.array([0.75 * (0.1875 + 1.0) + 0.5 * (0.125 + 1.0), 0.25 * 0.0625 + 0.5 * 0.125])
    np.testing.assert_allclose(costs.total, being + choosing)
    assert costs.total.sum() == pytest.approx(mfg.exploitability(roads(), np.full((2, 2, 2), 0.5)).cost)


def test_choices_as_they_were_count_not_as_the_policy_says():
    game = make_game(roads())
    policy = game.policy_of(np.full((2, 2, 2), 0.5))
    walk, mass = Walk(Play(game, policy, game.follow(policy), None)), np.array([[1.0, 0], [1, 0], [1, 0]])
    chosen = np.zeros((2, 2, 2))
    chosen[:, 0, 0] = 1.0  # everybody takes the first action
    costs = walk.costs(mass, chosen)
    np.testing.assert_allclose(costs.action[0], [[0.5, 0], [0, 0]])
    assert costs.total[0] == pytest.approx(2 * 0.5 + 3 + 2 * (0.5 + 1.0))


def test_multipliers_are_paid_like_prices():
    game = make_game(diffusion())
    policy = game.policy_of(game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy)
    crowd, multiplier = game.follow(policy), np.full((9, *game.level_shape), 2.0)
    mass = game.flat(crowd)
    plain, dearer = (Walk(Play(game, policy, crowd, extra)).mean_costs(mass) for extra in (None, multiplier))
    np.testing.assert_allclose(dearer.state - plain.state, 2.0 * game.weights[:, None] * np.ones((1, 42)), atol=1e-14)
    assert plain.action is None


def test_a_factor_changes_paths_and_regret_adds_up():
    """Cost of the plan against its own price: what the walk pays is what the regret's road says."""
    game = blown(diffusion(), leaking(42, np.random.default_rng(1)))
    policy = game.policy_of(game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy)
    play = Play(game, policy, game.follow(policy), None)
    paid = Walk(play).mean_costs(game.flat(play.crowd)).total.sum()
    mass = game.mass(play.crowd).reshape(-1, *game.step.shape)
    excess, value = game.step.excess(policy, mass, game.costs(mean_field_price(play).price))
    assert excess[0] > 0
    assert paid == pytest.approx(excess[0] + (game.initial_mass * value).sum(), abs=1e-12)
