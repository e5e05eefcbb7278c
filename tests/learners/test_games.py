"""The three battles as environments of PettingZoo: scripted duels pay what the rules say; PettingZoo's own tests."""

from __future__ import annotations

import warnings

import pytest

REASON = "MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'"
pytest.importorskip("magent2", reason=REASON)
pytest.importorskip("pettingzoo", reason=REASON)

from mfgsolve.errors import InputError  # noqa: E402
from mfgsolve.learners import battles  # noqa: E402

MAKERS = {
    "multi-team": battles.multi_team_battle,
    "gathering": battles.battle_gathering,
    "predator-prey": battles.predator_prey_battle,
}
ORDER = {"a": "bcd", "b": "cda", "c": "dab", "d": "abc"}
PAIRS = [(a, b) for a, others in ORDER.items() for b in others]


def duel(make, one, other, blows, **rest):
    """``one`` at (5, 5) hits ``other`` at (6, 5); rewards of each blow."""
    env = make(size=16, agents=1, positions={one: [(5, 5)], other: [(6, 5)]} | rest)
    env.reset()
    paid = []
    for _ in range(blows):
        action = {f"{one}_0": battles.attack(env, f"{one}_0", 1, 0)}
        _, rewards, terminations, *_ = env.step(action)
        paid.append((rewards[f"{one}_0"], rewards.get(f"{other}_0"), terminations.get(f"{other}_0")))
    return paid


@pytest.mark.parametrize("make", [battles.multi_team_battle, battles.battle_gathering])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_hits_and_kills_of_all_twelve_pairs(make, one, other):
    k = ORDER[one].index(other)
    paid = duel(make, one, other, 6)
    for got, lost, dead in paid[:5]:
        assert (got, lost) == (pytest.approx((0.2, 0.3, 0.4)[k] - 0.11), pytest.approx(-0.01))
        assert not dead
    assert paid[5] == (pytest.approx((80, 90, 100)[k] - 0.11, rel=1e-6), pytest.approx(-1.0), True)


@pytest.mark.parametrize(
    ("one", "other", "pay"),
    [("a", "b", 0.5), ("a", "c", 1.0), ("a", "d", 3.0), ("b", "a", 0.5), ("b", "d", 1.0), ("b", "c", 3.0)],
)
def test_predators_take_what_who_is_hit_loses(one, other, pay):
    paid = duel(battles.predator_prey_battle, one, other, 6)
    for got, lost, _ in paid[:5]:
        assert (got, lost) == (pytest.approx(pay - 0.2), pytest.approx(-pay))
    assert paid[5] == (pytest.approx(4.8), pytest.approx(-0.1), True)


def test_a_group_does_not_hurt_its_own():
    env = battles.multi_team_battle(size=16, positions={"a": [(5, 5), (6, 5)], "b": [(12, 12)]})
    env.reset()
    _, rewards, *_ = env.step({"a_0": battles.attack(env, "a_0", 1, 0)})
    assert rewards == {"a_0": pytest.approx(-0.11), "a_1": pytest.approx(-0.01), "b_0": pytest.approx(-0.01)}
    assert env.worlds.power[0, 0, 1] == 1.0


@pytest.mark.parametrize("one", "abcd")
def test_food(one):
    other = ORDER[one][0]
    far = {other: [(12, 12)]}
    env = battles.battle_gathering(size=16, positions={one: [(5, 5)], "food": [(5, 7)]} | far)
    env.reset()
    paid = []
    for _ in range(7):
        name = f"{one}_0"
        _, rewards, terminations, *_ = env.step({name: battles.attack(env, name, 0, 2)})
        paid.append(rewards[name])
        assert not any(terminations.values())  # the last food is gone, and the battle goes on
    assert paid == pytest.approx([0.39] * 5 + [79.89, -0.11])


def test_prey_cannot_attack_and_is_faster():
    env = battles.predator_prey_battle(size=16, agents=1, positions={"a": [(5, 5)], "c": [(9, 9)]})
    env.reset()
    with pytest.raises(InputError, match=r"c_0 cannot attack.*nothing, it cannot attack"):
        battles.attack(env, "c_0", 1, 0)
    assert (env.action_space("a_0").n, env.action_space("c_0").n) == (25, 21)
    move = env.worlds.moves[2].tolist().index([1, 2])
    env.step({"c_0": move, "a_0": battles.stay(env, "a_0")})
    assert env.worlds.position[0, 2, 0].tolist() == [10, 11]
    assert env.worlds.position[0, 0, 0].tolist() == [5, 5]


@pytest.mark.parametrize("max_steps", [500, 6])  # at the latest moment, too, it is the end and not a cut
def test_an_episode_ends_when_one_group_is_left(max_steps):
    env = battles.multi_team_battle(size=16, max_steps=max_steps, positions={"a": [(5, 5)], "b": [(6, 5)]})
    env.reset()
    for k in range(6):
        _, _, terminations, truncations, _ = env.step({"a_0": battles.attack(env, "a_0", 1, 0)})
        assert set(terminations.values()) == {k == 5}
        assert not any(truncations.values())
    assert env.agents == []
    assert env.standing == {"a": 1, "b": 0, "c": 0, "d": 0}
    assert env.winners == ["a"]
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_an_episode_ends_when_time_is_up_and_ties_are_ties():
    env = battles.multi_team_battle(size=16, agents=2, max_steps=3)
    env.reset()
    for k in range(3):
        assert len(env.agents) == 8
        _, _, terminations, truncations, _ = env.step({})
        assert (set(terminations.values()), set(truncations.values())) == ({False}, {k == 2})
    assert env.agents == []
    assert env.winners == ["a", "b", "c", "d"]


def test_who_goes_first_takes_turns_and_a_seed_starts_anew():
    env = battles.multi_team_battle(size=16, positions={"a": [(5, 5)], "b": [(7, 5)]})
    moved = []
    for seed in (None, None, None, 7):
        env.reset(seed=seed)
        env.step({"a_0": 7, "b_0": 5})  # both to (6, 5)
        moved.append(env.worlds.position[0, :2, 0].tolist())
    a, b = [[6, 5], [7, 5]], [[5, 5], [6, 5]]
    assert moved == [a, b, a, a]  # third: c moves first, then d, a, b


def test_the_sizes_of_the_paper():
    env = battles.multi_team_battle()
    assert (len(env.possible_agents), env.worlds.size, env.max_steps) == (288, 60, 500)
    assert (env.possible_agents[0], env.possible_agents[-1]) == ("a_0", "d_71")
    assert battles.predator_prey_battle().worlds.counts == (45, 45, 90, 90)
    assert battles.battle_gathering(agents=4, size=20).worlds.counts == (4, 4, 4, 4, 4)
    assert battles.battle_gathering(agents=4, size=20, food=2).worlds.counts[4] == 2


def test_observations_and_state():
    env = battles.battle_gathering(size=16, positions={"a": [(5, 5)], "b": [(6, 7)], "food": [(4, 5)]})
    seen, _ = env.reset()
    assert seen["a_0"].shape == env.observation_space("a_0").shape == (13, 13, 11)
    assert seen["a_0"][8, 7, 3:5].tolist() == [1, 1]  # b, the next in the cycle, two below and one to the right
    assert seen["a_0"][6, 5, 9:].tolist() == [1, 1]
    assert seen["a_0"][6, 1, 0] == 1.0  # the wall at x = 0
    assert seen["b_0"][4, 5, 7:9].tolist() == [1, 1]  # a is the third after b
    kept = seen["a_0"].copy()
    env.step({"a_0": 7})
    assert (kept == seen["a_0"]).all()
    state = env.state()
    assert state.shape == (5, 16, 16)
    assert state[0, 5, 6] == state[1, 7, 6] == state[4, 5, 4] == 1.0
    assert state.sum() == 3.0


@pytest.mark.parametrize("name", MAKERS)
def test_pettingzoo_agrees(name):
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    def make():
        return MAKERS[name](size=14, agents=3, max_steps=40)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(make(), num_cycles=60)
    parallel_seed_test(make, num_cycles=30)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 6}, "groups of 72, 72, 72, 72 agents do not fit on a map of size 6"),
        ({"size": 2.5}, "size is 2.5"),
        ({"size": 2}, "size is 2; a whole number of at least 3"),
        ({"agents": 0}, "agents is 0"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"positions": {"a": [(1, 1)], "e": [(2, 2)]}}, "unknown group in positions 'e'"),
        ({"positions": {"a": [(1, 1)], "food": [(2, 2)]}}, "unknown group in positions 'food'"),
        ({"positions": {"a": [(1, 1)], "b": [(1, 1)]}}, "b_0 is placed at .1, 1., where a_0 already is"),
        ({"positions": {"a": [(1, 1)], "b": [(59, 1)]}}, "in a wall"),
        ({"positions": {"a": [(1, 1)]}}, "fewer than two groups"),
        ({"positions": [(1, 1)]}, "positions is a list"),
    ],
)
def test_bad_input_is_a_sentence(settings, message):
    with pytest.raises(InputError, match=message):
        battles.multi_team_battle(**settings)


def test_bad_actions_are_sentences():
    env = battles.multi_team_battle(size=16, agents=1)
    env.reset()
    with pytest.raises(InputError, match="unknown agent 'a_7'"):
        env.step({"a_7": 0})
    for action in (25, -1, 0.5, "x"):
        with pytest.raises(InputError, match=r"action of a_0 is .*; a number from 0 to 24"):
            env.step({"a_0": action})
    with pytest.raises(InputError, match=r"a_0 cannot attack \(3, 0\)"):
        battles.attack(env, "a_0", 3, 0)
    with pytest.raises(InputError, match="unknown agent"):
        battles.stay(env, "e_0")
    with pytest.raises(InputError, match="food is -1"):
        battles.battle_gathering(size=16, agents=1, food=-1)
