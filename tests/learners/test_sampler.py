"""Agents of a finite game one by one: the law of their steps, and their costs step by step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sparse_factors import any_price, blown, diffusion, lattice, leaking, ring_shift

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.learners.mguni import Mguni
from mfgsolve.learners.sampler import Sampler, finite_game

MATRICES = [leaking(20, np.random.default_rng(k)) for k in range(6)]


@pytest.mark.parametrize("matrices", [[], MATRICES[:1], MATRICES], ids=["plain", "one", "each"])
def test_steps_have_the_law_of_the_flow(matrices):
    """Agents of one cell and one action, step 2: chi-square with what the law says; a sparse factor, the noise."""
    game = blown(lattice(), *matrices) if matrices else make_game(lattice())
    sampler, rng, number = Sampler(game), np.random.default_rng(4), 4000
    cell, action = 7, 1
    moved = sampler.move(2, np.full(number, cell), np.full(number, action), None, rng)
    unit, policy = np.eye(20)[cell], np.zeros((4, 20))
    policy[action] = 1.0
    expected = number * game.step.law().push(2, policy, unit)
    counts = np.bincount(moved, minlength=20)
    usual = expected >= 5
    pooled = [np.append(a[usual], a[~usual].sum()) for a in (counts, expected)]
    assert stats.chisquare(pooled[0], pooled[1] * (number / pooled[1].sum())).pvalue > 1e-4


def test_costs_of_steps_are_those_of_the_sweep():
    game = make_game(lattice())
    sampler, price = Sampler(game), any_price(game)
    flat = game.flat(price)
    for t in range(game.steps):
        np.testing.assert_allclose(sampler.state_cost(t, flat[t]), game.weights[t] * flat[t])
        np.testing.assert_allclose(sampler.action_cost(t, flat[t]), game.step.own_cost[0])
    np.testing.assert_allclose(sampler.state_cost(game.steps, flat[-1]), game.terminal_cost)


def carried_round() -> mfg.Problem:
    """Nobody can do anything but stay, on a ring of five."""
    return mfg.Problem(grid=mfg.States(5), time=mfg.TimeGrid(3.0, 3), dynamics=mfg.Tabular([np.eye(5)]),
                       coupling=mfg.CrowdAversion(1.0), initial=np.array([0.5, 0.5, 0, 0, 0]))  # fmt: skip


def test_learners_are_carried_by_the_factor_too():
    """Two steps on in every step, for certain: the episode of the learner and sampled agents both know it."""
    game = blown(carried_round(), ring_shift(5, 1.0) @ ring_shift(5, 1.0))
    moved = Sampler(game).move(0, np.arange(5), np.zeros(5, dtype=int), None, np.random.default_rng(0))
    assert moved.tolist() == [2, 3, 4, 0, 1]
    learner = Mguni(agents=50, episodes=3)
    state = learner.init(game, 0.0)
    believed = game.flat(state.belief)
    for t in range(3):
        np.testing.assert_array_equal(believed[t + 1], np.roll(believed[t], 2))
    outcome = learner.finish(state)
    np.testing.assert_allclose(game.flat(outcome.crowd)[1], np.roll(game.flat(outcome.crowd)[0], 2))


def test_a_diffusion_is_refused_by_its_need():
    with pytest.raises(InputError, match=r"episodes does not suit .* no finite list of actions, .* with LatticeMoves"):
        finite_game(diffusion(), "episodes")
    with pytest.raises(InputError, match="episodes got a str; a Problem is needed"):
        finite_game("beach-bar", "episodes")  # type: ignore[arg-type]
