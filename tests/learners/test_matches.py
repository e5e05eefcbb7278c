"""Matches between trained and random groups."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.errors import InputError
from mfgsolve.learners.battles.algorithms import IL, MFAC, MFQ
from mfgsolve.learners.battles.battle_tasks import MultiTeamBattle
from mfgsolve.learners.battles.matches import Outcome, Player, learner_of, play
from mfgsolve.tasks import Training, train

TINY = MultiTeamBattle(size=10, agents=3, max_steps=25)
SMALL = {"worlds": 2, "hidden": 8, "batch": 32, "memory": 2}


@pytest.fixture(scope="module")
def trainings():
    return {kind.name: train(TINY, kind(episodes=2, **SMALL)) for kind in (IL, MFQ, MFAC)}


def test_games_are_played_by_their_seed(trainings):
    players = [Player.of(trainings[name], g, TINY) for g, name in enumerate(["il", "mfq", "mfac"])] + [None]
    one, same, other = (play(TINY, players, games=10, rng=seed) for seed in (3, 3, 4))
    assert one.alive.shape == one.kills.shape == one.reward.shape == (10, 4)
    assert (one.alive == same.alive).all()
    assert (one.reward == same.reward).all()
    assert (one.reward != other.reward).any()
    assert ((one.steps >= 1) & (one.steps <= 25)).all()
    assert (one.kills.sum(axis=1) == 12 - one.alive.sum(axis=1)).all()


def test_a_player_chooses_as_its_network_says(trainings):
    player = Player.of(trainings["il"], 2, TINY)
    assert (player.weights == trainings["il"].dataset["weights"].values[2]).all()
    assert (player.temperature, player.lens.count, player.blind) == (0.02, 0, False)
    actor = Player.of(trainings["mfac"], 1, TINY)
    assert (actor.temperature, actor.lens.count, actor.blind) == (1.0, 1, True)
    assert (actor.weights == trainings["mfac"].dataset["actor"].values[1]).all()
    sure = np.zeros_like(player.weights)
    sure[-25 + 6] = 100.0  # everybody stays
    still = Player(sure, player.hidden, player.temperature, player.lens, False)
    outcome = play(TINY, [still] * 4, games=3)
    assert (outcome.alive == 3).all()
    assert outcome.reward == pytest.approx(-0.01 * 25 * 3)
    assert outcome.tied.all()
    assert outcome.wins.tolist() == [0, 0, 0, 0]


def test_wins_and_ties():
    alive = np.array([[3, 1, 0, 0], [2, 2, 1, 0], [0, 0, 0, 5], [4, 0, 3, 3]])
    outcome = Outcome(alive, alive, alive, alive[:, 0])
    assert outcome.wins.tolist() == [2, 0, 0, 1]
    assert outcome.tied.tolist() == [False, True, False, False]
    assert outcome.best[1].tolist() == [True, True, False, False]


def test_what_cannot_be_played_is_told(trainings):
    with pytest.raises(InputError, match="games is 0"):
        play(TINY, [None] * 4, games=0)
    with pytest.raises(InputError, match="2 players came; one for each of 4"):
        play(TINY, [None] * 2, games=1)
    bare = Training(trainings["il"].dataset.drop_vars("weights"))
    with pytest.raises(InputError, match="the training of il on multi-team-battle holds no weights"):
        Player.of(bare, 0, TINY)
    with pytest.raises(InputError, match="learner 'diff-dac' does not learn battles"):
        learner_of({"learner": "diff-dac"})
    assert learner_of(trainings["mfq"].dataset.attrs) == MFQ(episodes=2, **SMALL)
