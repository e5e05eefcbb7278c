"""What agents of a battle see: codes of acts, lenses, worlds that stop."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.learners.battles.rules import GATHERING, MULTI_TEAM, PREDATOR_PREY
from mfgsolve.learners.battles.sight import Arena, Lens
from mfgsolve.learners.battles.worlds import Worlds


def placed(places, rules=MULTI_TEAM, max_steps=10):
    arrays = [np.array(each).reshape(-1, 2) for each in places]
    arena = Arena(Worlds(rules, 16, [len(each) for each in arrays][:4], 1 if rules.food else 0), max_steps)
    arena.worlds.begin([arrays], [0], [0])
    arena.playing[:] = True
    return arena


def test_sizes_of_what_is_seen():
    plain = placed([[(5, 5)], [(6, 5)], [(9, 9)], [(12, 12)]])
    assert plain.observed == 151
    assert [plain.inputs(lens) for lens in lenses(plain)] == [151, 176, 251, 201]
    food = placed([[(5, 5)], [(6, 5)], [(9, 9)], [(12, 12)], [(2, 2)]], GATHERING)
    assert food.observed == 184


def lenses(arena):
    shape = arena.worlds.groups, arena.worlds.slots
    found = np.zeros(shape, dtype=np.int64)
    return Lens.blind(shape), Lens.one(shape, 6.5), Lens.relative(shape, 6.5), Lens.found(found, 2, 6.5)


def test_codes_are_the_same_for_the_same_act():
    arena = placed([[(5, 5)], [(6, 5)], [(9, 9)], [(12, 12)]], PREDATOR_PREY)
    worlds = arena.worlds
    assert len(arena.acts) == 21 + 12
    for g in range(4):
        codes = arena.codes[g, : worlds.actions[g]]
        assert len(set(codes)) == worlds.actions[g]
        assert (arena.acts[codes[: len(worlds.moves[g])], :2] * 2 == worlds.moves[g]).all()
        assert (arena.acts[codes[len(worlds.moves[g]) :]] == (0, 0, 1)).all()


def test_groups_are_seen_relatively():
    """A duel looks the same from all four seats, if everybody is turned around the cycle."""
    rows = []
    for g in range(4):
        places = [[]] * 4
        places[g], places[(g + 1) % 4], places[(g + 3) % 4] = [(5, 5)], [(6, 5)], [(5, 8)]
        arena = placed(places)
        actions = np.full((1, 4, 1), arena.worlds.stay[0])
        actions[0, (g + 1) % 4, 0] = 0
        arena.last[0, (g + 1) % 4, 0] = 5
        rows.append(arena.look(lenses(arena)[2])[0, g, 0])
        assert rows[-1][151 + 25 + 5] == 1.0  # the next group did act 5
        assert rows[-1][151:].sum() == 1.0
    for row in rows[1:]:
        assert (row == rows[0]).all()
    assert rows[0][:3] == pytest.approx([1.0, -2.5 / 16, -2.5 / 16])


def test_lenses():
    arena = placed([[(5, 5), (7, 5)], [(6, 6)], [(14, 14)], [(1, 14)]])
    arena.last[0] = [[3, 4], [20, 0], [7, 0], [8, 0]]
    shape = 4, 2
    one = arena.look(Lens.one(shape, 6.5))[0, 0, 0, 151:]
    assert one[[4, 20]].tolist() == [0.5, 0.5]
    everybody = arena.look(Lens.one(shape, np.inf))[0, 0, 0, 151:]
    assert everybody[[4, 20, 7, 8]].tolist() == [0.25] * 4
    typed = arena.look(Lens.relative(shape, 6.5))[0, 1, 0, 151:].reshape(4, 25)
    assert typed[3, [3, 4]].tolist() == [0.5, 0.5]  # a is the third after b
    assert typed[:3].sum() == 0.0
    labels = np.array([[0, 1], [1, 0], [0, 0], [0, 0]])
    found = arena.look(Lens.found(labels, 2, 6.5))[0, 0, 0, 151:].reshape(2, 25)
    assert found[1, [4, 20]].tolist() == [0.5, 0.5]
    assert found[0].sum() == 0.0


def test_a_world_stops_when_one_group_is_left_and_is_looked_at_no_more():
    arena = placed([[(5, 5)], [(6, 5)], [], []])
    for k in range(6):
        assert arena.playing.tolist() == [True]
        assert arena.acting()[0].tolist() == [[True], [True], [False], [False]]
        begun = arena.playing.copy()
        arena.step(np.array([[[19], [6], [6], [6]]]))
        assert arena.last[0, :2, 0].tolist() == [19, 6]
        assert arena.time == k + 1
    lens = lenses(arena)[0]
    assert arena.playing.tolist() == [False]
    assert not arena.acting().any()
    assert (arena.look(lens) == 0).all()
    assert arena.look(lens, looking=begun)[0, 0, 0, 0] == 1.0


def test_time_is_seen():
    arena = placed([[(5, 5)], [(9, 5)], [], []], max_steps=4)
    for k in range(4):
        assert arena.look(lenses(arena)[0])[0, 0, 0, 150] == pytest.approx(k / 4)
        arena.step(np.full((1, 4, 1), 6))
