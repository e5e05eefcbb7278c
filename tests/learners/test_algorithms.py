"""The four learners of battles: how they look, what the actor climbs, which types are found, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.learners.battles.algorithms import IL, MFAC, MFQ, MTMFQ
from mfgsolve.learners.battles.battle_tasks import MultiTeamBattle, PredatorPreyBattle
from mfgsolve.learners.battles.matches import Player, play
from mfgsolve.tasks import train

TINY = MultiTeamBattle(size=10, agents=3, max_steps=25)
SMALL = {"worlds": 2, "hidden": 8, "batch": 32, "memory": 2}


def test_how_they_look_at_neighbours():
    types = np.zeros((4, 3), dtype=np.int64)
    assert IL().lens(TINY, types).count == 0
    assert MFQ().lens(TINY, types).count == MFAC().lens(TINY, types).count == 1
    assert MFQ(radius=0.0).lens(TINY, types).radius == np.inf
    known = MTMFQ().lens(TINY, types)
    assert (known.count, known.radius, known.types[1, :, 0].tolist()) == (4, 6.5, [3, 0, 1, 2])
    found = MTMFQ(found=3).lens(PredatorPreyBattle(), types + 2)
    assert (found.count, set(found.types.reshape(-1))) == (3, {2})


def test_predators_and_prey_are_told_apart_by_what_they_do():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed; it comes with mfgsolve[learners]")
    training = train(PredatorPreyBattle(size=12, agents=3, prey=5, max_steps=40), MTMFQ(episodes=4, **SMALL))
    types = training.dataset["types"].values
    predators, prey = set(types[:2, :3].reshape(-1)), set(types[2:].reshape(-1))
    assert len(predators) == len(prey) == 1
    assert predators != prey


def test_the_actor_climbs_towards_better_actions_and_keeps_its_temperature():
    learner = MFAC(**{**SMALL, "step": 0.01})
    state = learner.init(TINY)
    seen = np.random.default_rng(0).random((32, state.arena.inputs(learner.lens(TINY, state.types)))).astype(np.float32)
    values = np.zeros((32, 25), dtype=np.float32)
    values[:, 7] = 0.5
    for k in range(400):
        state.updates[2] = k + 1
        learner.improve(state, 2, seen, values, 0.25)
    logits, sharpness = learner.preferences(state, 2, seen, 0.25)
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wanted = np.exp(2.0) / (np.exp(2.0) + 24)  # the Boltzmann policy of the values at that temperature
    assert sharpness == 1.0
    assert chance[:, 7].mean() == pytest.approx(wanted, abs=0.02)


def shares_of_wins(kind, seed=0):
    """Wins of each trained group against three random ones, in 32 games of 200 steps."""
    training = train(MultiTeamBattle(size=16, agents=6), kind(episodes=64, seed=seed))
    assert training.dataset["kills"].values[-1].sum() > 4 * training.dataset["kills"].values[0].sum()
    long, shares = MultiTeamBattle(size=16, agents=6, max_steps=200), []
    for g in range(4):
        players = [Player.of(training, g, long) if k == g else None for k in range(4)]
        shares.append(play(long, players, games=32, rng=1).wins[g] / 32)
    return shares


@pytest.mark.slow
@pytest.mark.parametrize("kind", [IL, MFQ, MTMFQ])
def test_every_trained_group_beats_three_random_ones(kind):
    assert min(shares_of_wins(kind)) >= 0.8


@pytest.mark.slow
def test_the_actor_and_critic_learn_too():
    assert np.mean(shares_of_wins(MFAC)) >= 0.5
