"""Hunters and hares who see the agents around them, kind by kind or all alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.learners.neighbours_game import (
    MeanOffset,
    NeighbourLearner,
    hunters_and_hares,
    learn_from_neighbours,
    policy_along,
)

GAME = hunters_and_hares()


# -- the game --------------------------------------------------------------------------------------------------------


def test_all_together_are_spread_evenly_and_the_interests_are_opposed():
    mass = GAME.initial_mass()
    assert np.allclose(mass.sum(axis=0), 2 / 64, atol=1e-15)
    assert np.ptp(mass[0]) > 0.5 / 64
    still = np.zeros((6, 5, 2, 8, 8))
    still[:, 0] = 1.0
    game = make_game(GAME)
    price = game.mass(game.price(game.flow(still.reshape(6, 5, -1))))
    rho = game.mass(game.flow(still.reshape(6, 5, -1))) / game.grid.cell_volume
    assert np.allclose(price[:-1, 0], 0.5 * rho[:-1, 0] - rho[:-1, 1])
    assert np.allclose(price[:-1, 1], 0.5 * rho[:-1, 1] + rho[:-1, 0])
    assert GAME.is_monotone
    assert not GAME.is_potential


# -- what is seen ----------------------------------------------------------------------------------------------------


def offset_by_hand(mass, cell, radius, size):
    """Mean offset (y, x) of the mass within taxicab distance on a torus."""
    y, x = divmod(cell, size)
    total, sums = 0.0, np.zeros(2)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius + abs(dy), radius - abs(dy) + 1):
            here = mass[(y + dy) % size, (x + dx) % size]
            total, sums = total + here, sums + here * np.array([dy, dx])
    return sums / total


def test_means_are_those_of_a_loop_over_neighbours():
    mass = np.random.default_rng(0).random((2, 7, 7))
    look = MeanOffset(hunters_and_hares(size=7).grid, typed=True)
    means = look.means(mass.reshape(2, -1))
    for cell in (0, 6, 24, 48):
        for q in range(2):
            assert np.allclose(means[q, :, cell], offset_by_hand(mass[q], cell, 2, 7))


def test_typed_means_recombine_to_the_untyped_one():
    mass = np.random.default_rng(1).random((2, 64))
    typed, untyped = (MeanOffset(GAME.grid, typed) for typed in (True, False))
    weight = mass @ typed.near.T
    mixed = (typed.means(mass) * weight[:, None]).sum(axis=0) / weight.sum(axis=0)
    assert np.allclose(mixed, untyped.means(mass)[0])
    assert (typed.count, untyped.count) == (81, 9)
    assert np.allclose(untyped.means(np.zeros((2, 64))), 0.0)  # nobody around


def test_untyped_agents_cannot_tell_where_they_start():
    mass = GAME.initial_mass().reshape(2, -1)
    untyped, typed = (MeanOffset(GAME.grid, typed)(mass) for typed in (False, True))
    assert np.unique(untyped).tolist() == [4]  # no offset at all, everywhere
    assert len(np.unique(typed)) > 4


# -- learning --------------------------------------------------------------------------------------------------------


def test_an_update_is_the_equation():
    learner = NeighbourLearner(3, 2, 2, beta=2.0, discount=0.5, power=1.0)
    learner.q[:] = np.arange(12.0).reshape(2, 3, 2) / 10
    learner.visits[:] = 3.0
    before = learner.q.copy()
    pi = np.exp(2 * before[1, 2]) / np.exp(2 * before[1, 2]).sum()
    target = -1.0 + 0.5 * (pi * before[1, 2]).sum()
    one = np.array([1])
    learner.update(one, 0 * one, one, -1.0 * one, 2 * one)
    assert learner.q[1, 0, 1] == pytest.approx(0.75 * before[1, 0, 1] + 0.25 * target, abs=1e-15)
    rest = np.ones_like(before, dtype=bool)
    rest[1, 0, 1] = False
    assert np.array_equal(learner.q[rest], before[rest])
    assert learner.visits.sum() == 3.0 * 12 + 1


def test_the_policy_follows_its_own_masses():
    """The same tables, step by step by hand: looked up at the masses that the policy so far has led to."""
    game, look = make_game(GAME), MeanOffset(GAME.grid, True)
    tables = np.random.default_rng(2).dirichlet(np.ones(5), (2, look.count))
    policy = policy_along(game, look, tables).reshape(6, 5, 2, 64)
    density = game.flow(np.ascontiguousarray(policy.reshape(6, 5, 128)))
    for t in range(6):
        seen = look(density[t].reshape(2, 64))
        for q in range(2):
            assert np.allclose(policy[t, :, q].T, tables[q, seen])


@pytest.mark.slow
def test_telling_kinds_apart_lowers_the_exploitability(capsys):
    """Equal samples, five seeds, two inverse temperatures; the certificate is that of the exact game."""
    even = mfg.exploitability(GAME, np.full((6, 5, 2, 8, 8), 0.2))
    with capsys.disabled():
        print(f"\nHunters and hares, exact exploitability (scale {even.scale:.1f}), 5 seeds, 360 000 agent-steps each;")
        print(f"agents who choose evenly: {float(even):.3f}")
        for beta in (1.0, 3.0):
            gaps = np.array([
                [float(learn_from_neighbours(GAME, typed=typed, beta=beta, rng=seed).certificate) for seed in range(5)]
                for typed in (True, False)
            ])  # fmt: skip
            margin = gaps[1] - gaps[0]
            rows = zip(("MTMFQ", "MFQ", "margin"), (*gaps, margin), strict=True)
            print(f"beta {beta:g}: " + ", ".join(f"{name} {row.mean():.3f} +- {row.std():.3f}" for name, row in rows))
            assert (margin > 0).sum() >= 4
            assert margin.mean() > max(0.5, 4 * margin.std())
            assert gaps[0].mean() < float(even) < gaps[1].mean() + 0.1  # MFQ learns nothing that helps
    samples = {learn_from_neighbours(GAME, typed=k, episodes=2).agent_steps for k in (True, False)}
    assert samples == {2 * 500 * 6 * 2}


def test_without_contrast_between_kinds_there_is_nothing_to_tell():
    """Both spread evenly: whatever is seen, there is no place to go, and both learners do nearly nothing wrong."""
    even = hunters_and_hares(contrast=0.0, move_cost=0.0)
    for typed in (True, False):
        learned = learn_from_neighbours(even, typed=typed, episodes=5, rng=0)
        assert learned.certificate.relative_exploitability < 1e-12


def test_seeds_decide_everything():
    runs = [learn_from_neighbours(GAME, typed=True, agents=50, episodes=3, rng=seed) for seed in (1, 1, 2)]
    assert np.array_equal(runs[0].q, runs[1].q)
    assert not np.array_equal(runs[0].q, runs[2].q)
    assert runs[0].policy.shape == (6, 5, 2, 8, 8)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"agents": 0}, "at least 1"),
        ({"episodes": 0}, "at least 1"),
        ({"beta": -1.0}, "beta"),
        ({"discount": 1.0}, "discount"),
        ({"power": 0.0}, "power"),
        ({"threshold": 3.0}, "threshold"),
    ],
)
def test_bad_settings(settings, text):
    with pytest.raises(InputError, match=text):
        learn_from_neighbours(GAME, typed=True, **settings)


def test_games_without_neighbours_or_with_prices_of_choices():
    with pytest.raises(InputError, match="several populations"):
        learn_from_neighbours(mfg.problems.beach_bar(shape=(5,), steps=4), typed=True)
    with pytest.raises(InputError, match="choices are priced"):
        learn_from_neighbours(replace(GAME, coupling=mfg.CrowdAversion(1.0, on="occupation")), typed=True)
    with pytest.raises(InputError, match="a Grid, or Populations on one, is needed"):
        MeanOffset(mfg.Populations(["a", "b"], mfg.States(4)), typed=True)
    with pytest.raises(InputError, match="contrast 2"):
        hunters_and_hares(contrast=2)
