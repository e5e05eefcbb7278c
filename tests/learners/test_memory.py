"""The memory of battles: the latest steps, what followed them, and how it is seen again."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.learners.battles.memory import Memory, Past, empty_past
from mfgsolve.learners.battles.rules import MULTI_TEAM
from mfgsolve.learners.battles.sight import Arena, Lens
from mfgsolve.learners.battles.worlds import Worlds

ROOM = 7  # entries


def remembered(steps, blocks, seed=0):
    """A memory after random play, and all that it should hold: (seen, action, reward, seen next, ended) in order."""
    arena = Arena(Worlds(MULTI_TEAM, 8, (3, 3, 2, 3), worlds=2), steps)
    lens = Lens.relative((4, 3), 6.5)
    past = Past(**empty_past(arena, ROOM))
    memory, rng = Memory(past, arena.inputs(lens)), np.random.default_rng(seed)
    types, told = np.zeros((4, 3), dtype=np.int64), [[] for _ in range(4)]
    entry = 0
    for block in range(blocks):
        arena.begin(rng, block)
        seen = arena.look(lens, memory.note(arena, types)).copy()
        for _ in range(steps):
            acting = arena.acting()
            actions = rng.integers(25, size=acting.shape)
            arena.step(actions)
            then = arena.look(lens, memory.note(arena, types)).copy()
            ended = ~arena.worlds.alive | ~arena.playing[:, None, None]
            memory.close(actions, arena.worlds.reward, acting, ended)
            for w, g, s in np.argwhere(acting):
                told[g].append((entry, seen[w, g, s], actions[w, g, s], arena.worlds.reward[w, g, s], then[w, g, s],
                                ended[w, g, s]))  # fmt: skip
            seen, entry = then, entry + 1
        entry += 1
    return arena, lens, past, memory, [[each for each in group if each[0] > entry - 1 - ROOM] for group in told]


def all_rows(memory, g):
    return memory._rows[g, (memory._first[g] + np.arange(memory.count[g])) % memory._rows.shape[1]]


@pytest.mark.parametrize(("steps", "blocks"), [(4, 1), (6, 2), (3, 5), (30, 1)])
def test_the_latest_steps_are_remembered_over_episodes_and_nothing_else(steps, blocks):
    _, _, past, memory, told = remembered(steps, blocks)
    for g in range(4):
        rows = all_rows(memory, g)
        assert len(rows) == memory.count[g] == len(told[g]) > 0
        _, seen, actions, rewards, then, ended = (np.array(each) for each in zip(*told[g], strict=True))
        assert (past.did.reshape(-1)[rows] == actions).all()
        assert past.paid.reshape(-1)[rows] == pytest.approx(rewards, abs=1e-6)
        assert (past.ended.reshape(-1)[rows] == ended).all()
        assert (memory.seen_at(rows) == seen).all()
        assert (memory.seen_at(rows, later=1) == then)[~ended].all()


def test_draws_are_of_the_group_and_of_all_that_it_remembers():
    _, _, _, memory, _ = remembered(5, 3)
    for g in range(4):
        drawn = memory.draw(g, 2000, np.random.default_rng(0))
        assert set(drawn) == set(all_rows(memory, g))


@pytest.mark.parametrize(("steps", "blocks"), [(4, 1), (6, 3), (30, 1)])
def test_what_was_seen_is_seen_again(steps, blocks):
    arena, lens, past, memory, _ = remembered(steps, blocks)
    again = Memory(past, memory.seen.shape[-1])
    again.rebuild(arena, lambda types: lens)
    assert (again.seen == memory.seen).all()
    assert (again.count == memory.count).all()
    for g in range(4):
        assert (all_rows(again, g) == all_rows(memory, g)).all()
