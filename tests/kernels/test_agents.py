"""Agents that walk, one by one and as counts, against the law of one step."""

import numpy as np
import pytest
from scipy import stats
from walkers import lattice, play

from mfgsolve.kernels import agents

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]


CROWD = 10_000


@pytest.fixture(scope="module")
def chain():
    here = play(lattice())
    return here.game.step.chain(here.policy)


def stream():
    return np.array([1, 2, 3, 4], dtype=np.uint64)


def test_splitting_conserves_agents_and_counts_choices(chain):
    counts = np.arange(chain.states, dtype=np.int64) ** 3
    moved, chosen = np.empty_like(counts), np.zeros((chain.actions, chain.states), dtype=np.int64)
    words = stream()
    agents.split(counts, chain.choices[0], chain.law.certain, *chain.law.transitions(0, counts), words, moved, chosen)
    assert (chosen.sum(axis=0) == counts).all()
    assert moved.sum() == counts.sum()
    for line in chain.law.walks:
        agents.spread(moved, line.cells, line.stride, line.right, line.left, line.ring, words)
        assert moved.sum() == counts.sum()
        assert moved.min() >= 0


def one_step():
    """Two actions, three states, drawn successors: tables as kernels take them and the law (states, states)."""
    choices = np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]])
    chance = np.array([[[0.5, 0.5, 0], [0, 0.6, 0.4], [0.2, 0.3, 0.5]], [[0, 0, 1], [1, 0, 0], [0.1, 0, 0.9]]])
    first = np.arange(0, 21, 3)[:7]
    table = first, np.tile(np.arange(3), 6), chance.reshape(-1)
    return choices, table, np.einsum("xa,axy->xy", choices, chance)


def test_agents_go_where_the_law_says():
    choices, table, law = one_step()
    still = np.empty((0, 3))
    nowhere = still, still, still.astype(np.int32), still.astype(np.int32)
    words = stream()
    for x in range(3):
        cells, chosen = np.full(CROWD, x), np.empty(CROWD, dtype=np.int64)
        agents.walk(cells, choices, False, *table, *nowhere, words, chosen)
        counts, moved = np.zeros(3, dtype=np.int64), np.empty(3, dtype=np.int64)
        counts[x] = CROWD
        agents.split(counts, choices, False, *table, words, moved, np.empty((0, 3), dtype=np.int64))
        for found in (np.bincount(cells, minlength=3), moved):
            possible = law[x] > 0
            assert found[~possible].sum() == 0
            assert stats.chisquare(found[possible], CROWD * law[x][possible]).pvalue > 1e-4
        actions = np.bincount(chosen, minlength=2)
        assert actions[1] == pytest.approx(CROWD * choices[x, 1], abs=5 * np.sqrt(CROWD / 4))


def test_an_agent_that_has_left_stays_away():
    still, cells = np.empty((0, 3)), np.array([-1, 1])
    onward = np.ones((3, 1)), True, np.arange(4), np.array([1, 2, 0]), np.ones(3)
    nowhere = still, still, still.astype(np.int32), still.astype(np.int32)
    agents.walk(cells, *onward, *nowhere, stream(), np.empty(0, dtype=np.int64))
    np.testing.assert_array_equal(cells, [-1, 2])


@pytest.mark.parametrize("ring", [False, True])
def test_the_walk_of_the_noise_is_the_law_of_the_solve(ring):
    """(I - rate Lap)^-1 on five cells, row by row: counts that spread and agents that chain."""
    n, rate = 5, 0.7
    face = np.roll(np.eye(n), 1, axis=1)
    if not ring:
        face[-1] = 0.0
    matrix = np.eye(n) + rate * (np.diag((face + face.T).sum(axis=1)) - face - face.T)
    law = np.linalg.inv(matrix)
    if ring:
        right = left = np.full(n, 2 * rate / (1 + 2 * rate + np.sqrt(1 + 4 * rate)))
    else:  # excess e - 1 of the elimination from the left, then what goes on and what comes back
        right, left, beyond = np.empty(n), np.empty(n), 0.0
        for i in range(n):
            above = rate if i + 1 < n else 0.0
            beyond = rate * (1 + beyond) / (1 + beyond + rate) if i else 0.0
            right[i], left[i] = above / (1 + beyond + above), beyond / (1 + beyond)
    state, words = np.arange(n), stream()
    after, before = ((state + s) % n if ring else np.clip(state + s, 0, n - 1) for s in (1, -1))
    sides = right[None], left[None], after[None].astype(np.int32), before[None].astype(np.int32)
    here = np.ones((n, 1)), True, np.arange(n + 1), np.arange(n), np.ones(n)
    for x in range(n):
        counts, cells = np.zeros(n, dtype=np.int64), np.full(CROWD, x)
        counts[x] = CROWD
        agents.spread(counts, n, 1, right, left, ring, words)
        agents.walk(cells, *here, *sides, words, np.empty(0, dtype=np.int64))
        for found in (counts, np.bincount(cells, minlength=n)):
            assert stats.chisquare(found, CROWD * law[x]).pvalue > 1e-4
