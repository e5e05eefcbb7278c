"""The battle with a hidden sign: its law, what hits pay, what is seen, rules by hand, and that types matter."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.learners.battles.algorithms import IL, MFQ, MTMFQ
from mfgsolve.learners.battles.battle_tasks import HiddenSignBattle
from mfgsolve.learners.battles.hidden_sign import HandMade, SignedWorlds
from mfgsolve.learners.battles.matches import Player, play
from mfgsolve.learners.battles.sight import Arena, Lens
from mfgsolve.tasks import train

APART = ((3, 3), (8, 5), (8, 9), (12, 12))  # a, b, c, d
STAY, HIT = 6, 13  # of hunters; HIT + k attacks the k-th cell of their disc


def started(sign, places=APART, flip=0.0):
    worlds = SignedWorlds(16, 1, flip=flip)
    worlds.begin([[np.array([place]) for place in places]], [0], [0])
    worlds.sign[:] = sign
    return worlds


@pytest.mark.parametrize("sign", [1, -1])
def test_b_goes_by_the_sign_and_c_the_other_way_whatever_they_are_told(sign):
    worlds = started(sign)
    assert worlds.learning.tolist() == [True, False, False, True]
    for told in (0, 2, 4):
        before = worlds.position[0, :, 0].copy()
        taken = worlds.step(np.array([[[STAY], [told], [told], [STAY]]]))
        assert (worlds.position[0, :, 0] - before).tolist() == [[0, 0], [sign, 0], [-sign, 0], [0, 0]]
        assert [worlds.moves[1][k].tolist() for k in taken[0, 1:3, 0]] == [[sign, 0], [-sign, 0]]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("hunter", [0, 3])
@pytest.mark.parametrize("victim", [1, 2])
def test_a_hit_pays_half_the_sign_less_its_price_and_hurts_nobody(sign, hunter, victim):
    places = list(APART)
    places[hunter] = (APART[victim][0], APART[victim][1] + 2)
    worlds = started(sign, places)
    below = worlds.attacks[0].tolist().index([0, -2])
    actions = np.full((1, 4, 1), STAY)
    actions[0, hunter, 0] = HIT + below
    worlds.step(actions)
    wanted = np.full(4, -0.01)
    wanted[hunter] = 0.5 * sign - 0.11
    assert worlds.reward[0, :, 0] == pytest.approx(wanted)
    assert (worlds.power == 1.0).all()
    worlds.step(actions)  # who was hit has gone
    wanted[hunter] = -0.11
    assert worlds.reward[0, :, 0] == pytest.approx(wanted)
    assert not worlds.kills.any()


def test_hunters_who_hit_each_other_get_nothing_for_it():
    worlds = started(1, ((5, 5), (9, 9), (2, 12), (6, 5)))
    right = HIT + worlds.attacks[0].tolist().index([1, 0])
    worlds.step(np.array([[[right], [0], [0], [STAY]]]))
    assert worlds.reward[0, :, 0] == pytest.approx([-0.11, -0.01, -0.01, -0.01])


def test_the_sign_flips_as_often_as_it_is_said_to_and_follows_from_the_seed():
    def signs(flip, seed):
        worlds = SignedWorlds(16, 1, worlds=2, flip=flip)
        places = [np.array([place]) for place in APART]
        worlds.begin([places, places], [seed, seed + 1], [0, 0])
        path = []
        for _ in range(400):
            path.append(worlds.sign.copy())
            worlds.step(np.full((2, 4, 1), STAY), playing=[True, len(path) <= 200])
        return np.array(path)

    path = signs(0.1, 7)
    assert (np.abs(path) == 1).all()
    assert (path == signs(0.1, 7)).all()
    assert (path != signs(0.1, 8)).any()
    flips = (path[1:] != path[:-1]).sum(axis=0)
    assert flips[0] == pytest.approx(40, abs=4 * 6)  # of 400; a standard deviation is 6
    assert (path[201:, 1] == path[200, 1]).all()  # a world that does not play keeps its sign
    assert len(np.unique(signs(0.0, 0), axis=0)) == 1
    alternating = signs(1.0, 0)[:, 0]
    assert (alternating[1:] == -alternating[:-1]).all()
    assert {drawn(seed) for seed in range(8)} == {1.0, -1.0}  # drawn at the start


def drawn(seed):
    worlds = SignedWorlds(16, 1)
    worlds.begin([[np.array([place]) for place in APART]], [seed], [0])
    return float(worlds.sign[0])


def test_b_and_c_look_the_same_and_only_types_tell_them_apart():
    """Exchanging b and c and turning the sign round changes nothing but the mean acts of types."""
    places, swapped = APART, (APART[0], APART[2], APART[1], APART[3])
    seen = []
    for sign, where in ((1, places), (-1, swapped)):
        arena = Arena(started(sign, where), 50)
        arena.playing[:] = True
        arena.step(np.full((1, 4, 1), STAY))
        shape = arena.worlds.groups, arena.worlds.slots
        seen.append([
            arena.look(lens)[0, [0, 3], 0]
            for lens in (Lens.blind(shape), Lens.one(shape, np.inf), Lens.relative(shape, np.inf))
        ])  # fmt: skip
    (blind, one, typed), (blind2, one2, typed2) = seen
    assert (blind == blind2).all()
    assert (one == one2).all()
    assert (typed[:, :151] == typed2[:, :151]).all()
    assert (typed != typed2).any(axis=1).all()
    assert blind[0, -5:-1].tolist() == [1, 1, 0, 1]  # shares alive: own, b and c as one, nobody, d
    assert blind[1, -5:-1].tolist() == [1, 1, 1, 0]


def test_rules_by_hand_are_the_bound():
    task = HiddenSignBattle()
    rewards = []
    for rule in (HandMade(), HandMade(knows=False), None):
        outcome = play(task, [rule, None, None, rule], games=16, rng=0)
        rewards.append(outcome.reward[:, [0, 3]].mean() / task.agents / task.max_steps)
        assert outcome.reward[:, 1:3] == pytest.approx(-0.01 * 12 * 50)
        assert outcome.tied.all()
    best, seeing, chance = rewards
    assert best == pytest.approx(0.17, abs=0.03)
    assert seeing == pytest.approx(0.12, abs=0.03)
    assert chance < -0.03


def test_types_dealt_out_at_random_are_dealt_anew_for_every_block():
    learner = MTMFQ(episodes=4, worlds=2, hidden=8, batch=32, memory=2, shuffled=True)
    task = HiddenSignBattle(agents=4, max_steps=5)
    state = learner.init(task)
    dealt = []
    for block in range(2):
        state.block = block
        dealt.append(state.types.copy())
        assert np.bincount(state.types.reshape(-1)).tolist() == [4] * 4
        lens = learner.lens(task, state.types)
        assert (lens.count, lens.types.tolist()) == (4, [state.types.tolist()] * 4)
        learner.advance(task, state)
    assert (dealt[0] != dealt[1]).any()
    assert state.updates[[1, 2]].tolist() == [0, 0]  # scripts do not learn


@pytest.mark.slow
def test_types_matter_where_groups_look_alike_and_react_in_opposite_ways():
    """A hunter gets more than 0 in a step with the means of types, and less with one mean, none, or types at random."""
    task, paid = HiddenSignBattle(), {}
    for kind, options in ((MTMFQ, {}), (MTMFQ, {"shuffled": True}), (MFQ, {}), (IL, {})):
        training = train(task, kind(episodes=240, cold=0.05, **options))
        hunters = [Player.of(training, g, task) for g in (0, 3)]
        outcome = play(task, [hunters[0], None, None, hunters[1]], games=32, rng=1)
        paid[kind.name, bool(options)] = outcome.reward[:, [0, 3]].mean() / task.agents / task.max_steps
    assert paid.pop(("mtmfq", False)) > 0.05
    assert all(-0.05 < reward < 0.0 for reward in paid.values()), paid
