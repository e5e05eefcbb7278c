"""The kernel of cooperative learners: its laws against those of the parts, updates by hand, what is drawn."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mfgsolve.kernels import cooperation as kernel
from mfgsolve.parts.imagination import alone, nearest, scenarios
from mfgsolve.parts.impact import Impact
from mfgsolve.parts.temporal import TemporalBatches

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]

CONTROL = np.array([0, -1, 1, -2, 2])


def stream():
    return np.array([1, 2, 3, 4], dtype=np.uint64)


def test_imagined_steps_are_those_of_the_part():
    for wish in np.linspace(-2.5, 2.5, 11):
        assert kernel.nearest(CONTROL, wish) == nearest(CONTROL, wish)
    out = np.empty(3, dtype=np.int64)
    for joint in product(range(5), repeat=3):
        seen = np.array(joint)
        for i in range(3):
            expected = [alone(seen[None], i)[0], *scenarios(seen[None], i, CONTROL)[:, 0]]
            for kind in range(4):
                kernel.imagine(kind, i, seen, CONTROL, out)
                assert out.tolist() == expected[kind].tolist(), (joint, i, kind)


def test_rates_are_those_of_the_part():
    law = Impact(0.5, 0.3, 0.1, 0.5, 1.5)
    for joint in product(range(5), repeat=3):
        seen = np.array(joint)
        for error in (-1.0, 0.0, 1.0):
            rates = law.rates(CONTROL[seen], np.full(3, error))
            for i in range(3):
                share, sign = kernel.impact(i, seen, CONTROL)
                assert share == Impact.shares(CONTROL[seen])[i]
                assert sign == Impact.signs(CONTROL[seen])[i]
                assert kernel.rate(share, sign, error, (0.5, 0.3, 0.1, 0.5 * (1 / 3), 1.5 * (1 / 3))) == rates[i]


def test_thresholds_themselves_are_low_and_high():
    law = (0.5, 0.3, 0.1, 0.25, 0.75)
    assert [kernel.rate(share, 0.0, 1.0, law) for share in (0.25, 0.26, 0.74, 0.75)] == [0.1, 0.3, 0.3, 0.5]


def test_macro_batches_are_as_large_as_those_of_the_part():
    for epsilon in np.linspace(0, 1, 41):
        assert kernel.macro_size(epsilon, 7, 58) == TemporalBatches(7, 58, 1.0).size(epsilon)


def test_a_minibatch_is_drawn_by_age_and_none_comes_twice():
    """A ring of six places, of which the latest is place 2; two are drawn from all, the first by 1 / aging."""
    fading, capacity, newest, many = 2.0, 6, 2, 4000
    age = (newest - np.arange(capacity)) % capacity
    weight = np.exp(-age / fading)
    expected = np.zeros(capacity)
    for i, j in product(range(capacity), repeat=2):
        if i != j:
            expected[[i, j]] += weight[i] / weight.sum() * weight[j] / (weight.sum() - weight[i])
    order, words, found = np.arange(capacity), stream(), np.zeros(capacity)
    keys, chosen = np.zeros(2), np.zeros(2, dtype=np.int64)
    aging = np.exp(np.arange(capacity) / fading)
    for _ in range(many):
        assert kernel.choose(order, capacity, newest, capacity, 2, aging, keys, chosen, words) == 2
        assert chosen[0] != chosen[1]
        assert keys[0] <= keys[1]
        found[chosen] += 1
    np.testing.assert_allclose(found / many, expected, atol=5 * 0.5 / np.sqrt(many))
    assert sorted(order) == list(range(capacity))
    pairs = np.zeros((capacity, capacity))
    for _ in range(many):  # a macro-batch of the size of the minibatch: evenly, whatever the order was
        order[:] = np.arange(capacity)
        assert kernel.choose(order, capacity, newest, 2, 2, aging, keys, chosen, words) == 2
        pairs[chosen[0], chosen[1]] += 1
    expected = (1 - np.eye(capacity)) / 30
    np.testing.assert_allclose(pairs / many, expected, atol=5 * np.sqrt(1 / 30 / many))


def two_agents(chance=None):
    """Five states on a line that the sum of two controls in (0, -1, 1) shifts; corner 0 alone unless told."""
    control = np.array([0, -1, 1])
    states, sums = np.arange(5), np.arange(-2, 3)
    successor = np.repeat(np.clip(states[:, None] + sums, 0, 4)[:, :, None], 4, axis=2)
    share = np.zeros((5, 5, 4))
    share[..., 0] = 1.0
    reward = -np.stack([np.abs(states - 2.0), 2 * np.abs(states - 2.0)])
    effort = np.array([[0.1, 0.2], [0.0, 0.3]])
    return successor, share if chance is None else chance, control, -2, reward, effort


def rewards(i, y, controls):
    return -(1 + i) * abs(y - 2) - np.array([[0.1, 0.2], [0.0, 0.3]])[i] @ np.square(controls)


LAW = (0.5, 0.3, 0.1, 0.25, 0.75)


def learned(q, u, y, parts, epsilon, imagined=(1.0, 1.0)):
    """Table of agent 0 after one transition from state 1."""
    table, scratch = q.copy(), np.zeros(2, dtype=np.int64)
    count = kernel.learn(
        table, 0, 1, np.array(u), y, epsilon, 0.9, two_agents(), parts, imagined, LAW, stream(), scratch
    )
    return table, count


def moved(q, x, a, y, controls, rate):
    """One update written out."""
    q[x, a] += rate * (rewards(0, y, controls) + 0.9 * q[y].max() - q[x, a])


@pytest.fixture
def q():
    return np.random.default_rng(0).standard_normal((5, 3))


def test_a_plain_update_by_hand(q):
    table, count = learned(q, [2, 1], 1, (False, False), 0.4)
    moved(q, 1, 2, 1, [1, -1], 0.5)
    np.testing.assert_allclose(table, q, rtol=1e-14)
    assert count == 1


def test_others_idle_by_hand(q):
    table, count = learned(q, [2, 1], 1, (True, False), 1.0)
    moved(q, 1, 2, 1, [1, -1], 0.5)
    moved(q, 1, 2, 2, [1, 0], 0.5)
    np.testing.assert_allclose(table, q, rtol=1e-14)
    assert count == 2
    assert learned(q, [2, 1], 1, (True, False), 1.0, (0.0, 1.0))[1] == 1


def test_scenarios_by_hand(q):
    table, count = learned(q, [2, 1], 1, (True, False), 0.0)
    moved(q, 1, 2, 1, [1, -1], 0.5)
    moved(q, 1, 0, 0, [0, -1], 0.5)
    moved(q, 1, 1, 0, [-1, -1], 0.5)
    moved(q, 1, 2, 3, [1, 1], 0.5)
    np.testing.assert_allclose(table, q, rtol=1e-14)
    assert count == 4
    assert learned(q, [2, 1], 1, (True, False), 0.0, (1.0, 0.0))[1] == 1


def test_impact_by_hand(q):
    """Pushing against each other: the scenarios at rate beta, whether or not anything is imagined."""
    bad, good = q.copy(), q.copy()
    bad[1, 2], good[1, 2] = 10.0, -10.0
    for start, rate in ((bad, 0.5), (good, 0.3)):
        for dreams in (False, True):
            table, count = learned(start, [2, 1], 1, (dreams, True), 0.0)
            expected = start.copy()
            moved(expected, 1, 2, 1, [1, -1], rate)
            moved(expected, 1, 0, 0, [0, -1], 0.1)
            moved(expected, 1, 1, 0, [-1, -1], 0.1)
            moved(expected, 1, 2, 3, [1, 1], 0.1)
            np.testing.assert_allclose(table, expected, rtol=1e-14)
            assert count == 4


def test_who_pushes_with_the_others_simulates_no_coordination(q):
    assert learned(q, [2, 2], 3, (True, True), 0.0)[1] == 1
    assert learned(q, [2, 2], 3, (True, False), 0.0)[1] == 4
    assert learned(q, [2, 2], 3, (True, True), 1.0)[1] == 2  # but what it does alone
    assert learned(q, [0, 2], 2, (True, True), 0.0)[1] == 4  # neither with nor against


def test_the_next_state_is_drawn_by_its_chance():
    successor, _, control, least, *_ = two_agents()
    successor = np.broadcast_to(np.arange(4), (5, 5, 4)).copy()
    chance = np.broadcast_to([0.5, 0.0, 0.3, 0.2], (5, 5, 4)).copy()
    words, many = stream(), 4000
    found = np.bincount(
        [kernel.arrive(0, np.array([0, 1]), successor, chance, control, least, words) for _ in range(many)], minlength=4
    )
    assert found[1] == 0
    np.testing.assert_allclose(found / many, [0.5, 0.0, 0.3, 0.2], atol=5 * 0.5 / np.sqrt(many))


def trained(values, parts, macro=10, fading=5.0, seen=None, memory=None, epsilons=(1.0, 0.5)):
    """Two trainings of two agents, 7 steps an episode, minibatches of 4, memories of 20; counts of updates too."""
    seeds, capacity = 2, 20
    memory = memory or (
        np.zeros((seeds, capacity), np.int64), np.zeros((seeds, capacity, 2), np.int64),
        np.zeros((seeds, capacity), np.int64),
    )  # fmt: skip
    seen, updates = np.zeros(seeds, np.int64) if seen is None else seen, np.zeros(seeds, np.int64)
    streams = np.random.default_rng(0).integers(2**64, size=(seeds, 4), dtype=np.uint64)
    kernel.train(
        values, memory, seen, streams, updates, np.array(epsilons), 7, 0.9, two_agents(),
        (4, macro, np.exp(np.arange(capacity) / fading)), parts, (1.0, 1.0), LAW,
    )  # fmt: skip
    return memory, seen, updates


def test_training_remembers_what_happened_and_counts_its_updates():
    values, plant = np.zeros((2, 2, 5, 3)), two_agents()
    memory, seen, updates = trained(values, (False, False, False))
    assert (seen == 14).all()
    assert (updates == 2 * 4 * (14 - 4 + 1)).all()
    _, seen, more = trained(values, (True, True, True), seen=seen, memory=memory)
    assert (seen == 28).all()
    assert (more > 2 * 4 * 14).all()
    after = plant[0][memory[0], plant[2][memory[1]].sum(axis=-1) + 2, 0]
    np.testing.assert_array_equal(memory[2], after)
    assert np.isfinite(values).all()
    assert (values[0] != values[1]).any()


def test_age_counts_in_temporal_replay_alone():
    made = []
    for parts, macro, fading in [(False, 10, 5.0), (False, 20, 1.0), (True, 10, 5.0), (True, 20, 1.0)]:
        values = np.zeros((2, 2, 5, 3))
        trained(values, (parts, False, False), macro, fading)
        made.append(values)
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[2] != made[0]).any()
    assert (made[2] != made[3]).any()
