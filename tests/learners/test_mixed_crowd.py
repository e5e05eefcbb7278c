"""Crowds whose agents follow policies of their own: against flows one by one, brute force, and the certificate."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.games import make_game
from mfgsolve.learners.mixed_crowd import flows, mean_policy, regrets

GAMES = {
    "bar": mfg.problems.beach_bar(shape=(5,), steps=4),
    "soft": mfg.problems.beach_bar(shape=(5,), steps=4, temperature=0.3),
    "noise": mfg.problems.lattice_supply_demand(shape=(3, 3), steps=4, viscosity=0.02),
    "walks": mfg.Problem(
        grid=mfg.Grid.box((5,)),
        time=mfg.TimeGrid(1.0, 4),
        coupling=mfg.CrowdAversion(1.0),
        dynamics=mfg.LatticeMoves(((0,), (1,), (-1,)), costs=[0.0, 0.1, 0.2], viscosity=0.05),
        initial=1.0,
    ),
    "coupled": mfg.problems.susceptible_infected(steps=5),
    "three": mfg.problems.predator_prey(size=3, steps=3),
}


def some_policies(game, agents=4, seed=0):
    weight = np.random.default_rng(seed).exponential(size=(agents, game.steps, game.step.actions, game.cells))
    weight *= game.step.allowed
    return weight / weight.sum(axis=2, keepdims=True)


@pytest.mark.parametrize("name", [name for name in GAMES if name != "coupled"])
def test_without_a_crowd_in_the_transitions_every_mass_is_a_flow_of_its_own(name):
    game = make_game(GAMES[name])
    policies = some_policies(game)
    for policy, mass in zip(policies, flows(game, policies), strict=True):
        np.testing.assert_allclose(mass, game.follow(game.policy_of(policy))[:, : game.cells], atol=1e-14)


def test_masses_move_in_the_crowd_that_they_make_together():
    """Susceptible, infected: an agent is infected at a rate times the share of all who are."""
    game = make_game(GAMES["coupled"])
    policies = some_policies(game)
    masses, law = flows(game, policies), game.step.law()
    for t in range(game.steps):
        first, successor, chance = law.transitions(t, masses[:, t].mean(axis=0))
        for k in range(4):
            after = np.zeros(game.cells)
            for row in range(first.size - 1):
                a, x = divmod(row, game.cells)
                for j in range(first[row], first[row + 1]):
                    after[successor[j]] += masses[k, t, x] * policies[k, t, a, x] * chance[j]
            np.testing.assert_allclose(masses[k, t + 1], after, atol=1e-14)


@pytest.mark.parametrize("name", list(GAMES))
def test_the_mean_policy_has_the_crowd_of_all(name):
    game = make_game(GAMES[name])
    policies = some_policies(game)
    mean = mean_policy(game, policies)
    np.testing.assert_allclose(mean.sum(axis=1), 1, atol=1e-13)
    assert mean.min() >= 0
    crowd = game.follow(game.policy_of(mean))
    np.testing.assert_allclose(crowd[:, : game.cells], flows(game, policies).mean(axis=0), atol=1e-13)


def test_agents_who_are_alike_have_their_policy_bit_for_bit():
    game = make_game(GAMES["three"])
    one = some_policies(game, agents=1)
    assert mean_policy(game, np.repeat(one, 7, axis=0)).tobytes() == one[0].tobytes()


def test_the_mean_is_even_where_nobody_is():
    game = make_game(mfg.problems.left_right())
    policies = some_policies(game)
    nobody = flows(game, policies)[:, :-1].sum(axis=0) == 0
    assert nobody.any()
    even = policies.mean(axis=0).transpose(0, 2, 1)[nobody]
    np.testing.assert_allclose(mean_policy(game, policies).transpose(0, 2, 1)[nobody], even)


def test_the_mean_of_regrets_is_the_exploitability_of_the_mean_in_a_sharp_game():
    for name in ("bar", "noise", "walks", "soft"):
        game = make_game(GAMES[name])
        policies = some_policies(game)
        mean = game.policy_of(mean_policy(game, policies))
        whole = certify(game, mean, game.follow(mean)).relative_exploitability
        found = regrets(game, policies)
        assert found.shape == (4,)
        assert found.min() > 0
        if name == "soft":  # entropy is convex: a mixture pays less of it than its parts
            assert found.mean() > whole + 1e-3
        else:
            assert found.mean() == pytest.approx(whole, rel=1e-10)


def test_regrets_of_populations_add_up_to_the_gap_of_all():
    game = make_game(GAMES["three"])
    policies = some_policies(game)
    policies[2] = policies[0]
    mean = game.policy_of(mean_policy(game, policies))
    found = regrets(game, policies).reshape(3, 4)
    np.testing.assert_array_equal(found[:, 0], found[:, 2])
    entropy = certify(game, mean, game.follow(mean)).relative_exploitability
    assert found.mean(axis=1).sum() >= entropy - 1e-12


def test_an_agent_at_the_best_response_regrets_nothing():
    game = make_game(GAMES["bar"])
    equilibrium = mfg.solve(GAMES["bar"]).dataset.policy.values.reshape(game.steps, game.step.actions, game.cells)
    np.testing.assert_allclose(regrets(game, np.repeat(equilibrium[None], 3, axis=0)), 0, atol=1e-9)
