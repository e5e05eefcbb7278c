"""Worlds of battles side by side: places for good, chance by the seed, who is left."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.errors import InputError
from mfgsolve.learners.battles.rules import GATHERING, MULTI_TEAM, PREDATOR_PREY
from mfgsolve.learners.battles.worlds import Worlds, members, placed


def begun(rules=MULTI_TEAM, worlds=2, size=12, agents=(6, 5, 4, 6), food=3, seed=0):
    made = Worlds(rules, size, agents, food, worlds)
    rng = np.random.default_rng(seed)
    made.begin([made.scattered(rng) for _ in range(worlds)], range(worlds), range(worlds))
    return made


def random_play(worlds, steps, seed=0):
    """Random actions; yields after each step."""
    rng = np.random.default_rng(seed)
    many = np.array(worlds.actions)[:, None]
    for _ in range(steps):
        before = worlds.alive.copy(), worlds.position.copy()
        worlds.step(rng.integers(many, size=(worlds.worlds, worlds.groups, worlds.slots)))
        yield before


@pytest.mark.parametrize("rules", [MULTI_TEAM, GATHERING, PREDATOR_PREY])
def test_everybody_keeps_a_place_and_nobody_shares_a_cell(rules):
    worlds = begun(rules)
    assert worlds.counts == ((6, 5, 4, 6, 3) if rules is GATHERING else (6, 5, 4, 6))
    deaths = 0
    for alive, position in random_play(worlds, 150):
        assert not (worlds.alive & ~alive).any()
        assert (worlds.reward[~alive] == 0).all()
        assert ((worlds.power > 0) <= worlds.alive).all()
        moved = np.abs(worlds.position - position)[worlds.alive]
        assert (moved**2).sum(axis=1).max() <= 6.25
        assert ((worlds.position[worlds.alive] > 0) & (worlds.position[worlds.alive] < 11)).all()
        for w in range(2):
            places = worlds.position[w][worlds.alive[w]].tolist()
            assert len({tuple(place) for place in places}) == len(places)
            for g in range(worlds.groups):  # numbers of the living are those that the engine keeps
                numbers = worlds._engines[w].numbers(g) - sum(worlds.counts[:g])
                assert numbers.tolist() == np.flatnonzero(worlds.alive[w, g]).tolist()
        deaths += (alive & ~worlds.alive).sum()
    assert deaths > 5 or rules is PREDATOR_PREY
    if rules is GATHERING:
        assert (worlds.position[:, 4] == position[:, 4]).all()


def test_rewards_of_the_dead_are_kept_in_their_last_step():
    worlds = begun()
    lost = [worlds.reward[alive & ~worlds.alive] for alive, _ in random_play(worlds, 150)]
    lost = np.concatenate(lost)
    assert len(lost) > 5
    assert ((lost < -0.3) | (lost > 50)).all()  # -1, or a hit of theirs on top, or a kill


def test_kills_are_as_many_as_deaths():
    worlds, deaths, kills = begun(GATHERING, food=6), 0, 0
    for alive, _ in random_play(worlds, 150):
        kills += worlds.kills.sum()
        deaths += (alive & ~worlds.alive).sum()
    assert kills == deaths > 5


def test_the_same_seeds_give_the_same_worlds():
    one, other = begun(), begun()
    for _ in zip(random_play(one, 60), random_play(other, 60), strict=True):
        assert (one.position == other.position).all()
        assert (one.reward == other.reward).all()
    worlds = begun(seed=1)
    assert (worlds.position != begun().position).any()


def test_worlds_are_independent_and_stop_where_they_are_told():
    two = begun()
    rng = np.random.default_rng(0)
    places = [two.scattered(rng) for _ in range(2)]
    alone = Worlds(MULTI_TEAM, 12, (6, 5, 4, 6))
    alone.begin([places[1]], [1], [1])
    actions = np.random.default_rng(2).integers(25, size=(40, 2, 4, 6))
    for each in actions:
        two.step(each)
        alone.step(each[1:])
    assert (two.position[1] == alone.position[0]).all()
    assert (two.power[1] == alone.power[0]).all()
    before = two.position.copy()
    two.step(actions[0], playing=[False, True])
    assert (two.position[0] == before[0]).all()
    assert (two.reward[0] == 0).all()


def test_who_moves_first():
    worlds = Worlds(MULTI_TEAM, 12, (1, 1, 0, 0), worlds=2)
    places = [np.array(each).reshape(-1, 2) for each in ([(5, 5)], [(7, 5)], [], [])]
    worlds.begin([places, places], [0, 0], [0, 1])
    worlds.step(np.array([[[7], [5], [6], [6]]] * 2))
    assert worlds.position[:, :2, 0].tolist() == [[[6, 5], [7, 5]], [[5, 5], [6, 5]]]


def test_over_when_one_group_is_left():
    worlds = Worlds(MULTI_TEAM, 12, (1, 1, 0, 0))
    worlds.begin([[np.array([(5, 5)]), np.array([(6, 5)]), *[np.zeros((0, 2), int)] * 2]], [0], [0])
    for k in range(6):
        assert not worlds.over[0]
        assert worlds.standing.tolist() == [[1, 1, 0, 0]]
        worlds.step(np.array([[[19], [6], [6], [6]]]))
        assert worlds.kills.tolist() == [[int(k == 5), 0, 0, 0]]
    assert worlds.over[0]
    assert worlds.standing.tolist() == [[1, 0, 0, 0]]


def test_places_are_scattered_over_all_free_cells():
    worlds = Worlds(MULTI_TEAM, 6, (4, 4, 4, 4))
    places = worlds.scattered(np.random.default_rng(0))
    assert sorted(map(tuple, np.concatenate(places))) == [(x, y) for x in range(1, 5) for y in range(1, 5)]


def test_what_does_not_fit_is_told():
    with pytest.raises(
        InputError, match="groups of 4, 4, 4, 5 agents do not fit on a map of size 6, which has 16 cells"
    ):
        Worlds(MULTI_TEAM, 6, (4, 4, 4, 5))
    names = members(MULTI_TEAM)
    assert members(GATHERING) == (*names, "food")
    for bad, message in (
        ({"a": [(1, 1), (1, 1)]}, r"a_1 is placed at \(1, 1\), where a_0 already is"),
        ({"a": [(1, 1)], "c": [(2, 2), (1, 1)]}, r"c_1 is placed at \(1, 1\), where a_0"),
        ({"b": [(0, 4)]}, r"b_0 is placed at \(0, 4\), in a wall"),
        ({"b": [(4, 11)]}, "in a wall"),
        ({"b": [(1.5, 2)]}, "positions of 'b' came as float64"),
        ({"b": [1, 2]}, "pairs"),
    ):
        with pytest.raises(InputError, match=message):
            placed(bad, 12, names)
