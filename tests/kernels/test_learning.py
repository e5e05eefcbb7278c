"""Agents that sample: where they start, how they walk, what an episode teaches, by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from mfgsolve.kernels import learning

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]


def stream():
    return np.array([1, 2, 3, 4], dtype=np.uint64)


def test_agents_start_as_the_mass_says_and_wanderers_are_not_counted():
    share = np.array([[0.2, 0.2, 1.0], [0.0, 0.5, 0.5]])  # of two populations of three states, cumulated
    each = 4000
    cells, wander = np.zeros((2 * each, 2), dtype=np.int64), np.zeros(2 * each)
    wander[each:] = 0.1
    counts = np.zeros((2, 6), dtype=np.int64)
    learning.begin(cells, share, wander, stream(), counts)
    found = np.bincount(cells[:, 0], minlength=6)
    np.testing.assert_array_equal(found[[1, 3, 5]], 0)
    assert found[4] == each
    assert found[0] == pytest.approx(0.2 * each, abs=5 * np.sqrt(0.16 * each))
    np.testing.assert_array_equal(counts[0], [*found[:3], 0, 0, 0])


def test_agents_walk_by_the_softmax_of_what_they_prefer():
    """Two states, the action says where to go; a wanderer takes either action every second time."""
    many, states, agents = 2, 2, 6000
    preference = np.zeros((1, 1, states, many))
    preference[0, 0, 0] = [0.0, 1.5]
    cells, actions = np.zeros((agents, 2), dtype=np.int64), np.empty((agents, 1), dtype=np.int64)
    wander = np.where(np.arange(agents) < agents // 2, 0.0, 1.0)
    first, successor = np.arange(5)[None], np.array([0, 0, 1, 1], dtype=np.int32)
    none = np.empty((0, states))
    noise = none, none, none.astype(np.int32), none.astype(np.int32)
    counts, chosen = np.zeros((2, states), dtype=np.int64), np.zeros((1, many, states), dtype=np.int64)
    allowed = np.ones((many, states), dtype=bool)
    learning.play(
        cells, actions, preference, allowed, wander, first, successor, np.ones(4), noise, stream(), 0, counts, chosen
    )
    np.testing.assert_array_equal(cells[:, 1], actions[:, 0])
    half, share = agents // 2, softmax([0.0, 1.5])[1]
    assert actions[:half].sum() == pytest.approx(half * share, abs=5 * np.sqrt(half * share * (1 - share)))
    assert actions[half:].sum() == pytest.approx(half / 2, abs=5 * np.sqrt(half / 4))
    np.testing.assert_array_equal(counts[1], np.bincount(actions[:half, 0], minlength=2))
    np.testing.assert_array_equal(chosen[0, :, 0], counts[1])


def test_an_episode_of_two_steps_teaches_what_its_formula_says():
    power, slowest, bound = 0.5, 0.1, 50.0
    tau, actor = np.array([0.5, 0.3]), np.array([0.2, 0.4])  # of each step
    rng = np.random.default_rng(0)
    preference, critic = rng.standard_normal((2, 1, 2, 2, 2))
    visits = np.array([[[[0, 3], [0, 0]], [[0, 0], [8, 0]]]])
    being, choosing = rng.standard_normal((3, 2)), rng.standard_normal((1, 2, 2))
    cells, actions = np.array([[0, 1, 0]]), np.array([[1, 0]])
    h, q, ahead, total = preference.copy(), critic.copy(), -being[2, 0], 0.0
    for t, x, a, n in ((1, 1, 0, 9), (0, 0, 1, 4)):
        error = ahead - being[t, x] - choosing[0, a, x] - q[0, t, x, a]
        q[0, t, x, a] += n**-power * error
        policy = softmax(h[0, t, x])
        ahead = (policy * (q[0, t, x] - tau[t] * np.log(policy))).sum()
        h[0, t, x] += actor[t] * (q[0, t, x] - ahead - tau[t] * h[0, t, x])
        h[0, t, x] -= h[0, t, x].max()
        total += abs(error)
    found = learning.actor_critic(
        cells, actions, np.array([0, 1]), np.array([0]), being, choosing, tau, np.ones((2, 2), dtype=bool), preference,
        critic, visits, slowest, power, actor, bound,
    )  # fmt: skip
    assert found == pytest.approx(total, rel=1e-13)
    np.testing.assert_allclose(preference, h, atol=1e-14)
    np.testing.assert_allclose(critic, q, atol=1e-14)
    np.testing.assert_array_equal(visits[0], [[[0, 4], [0, 0]], [[0, 0], [9, 0]]])


def learned_from(first, heard, owners, agents=4, steps=3, states=2, many=2, rounds=2, start=None):
    """Tables (owners, ...) after an episode whose owners hear these, learned from several times."""
    rng = np.random.default_rng(1)
    cells, actions = rng.integers(states, size=(agents, steps + 1)), rng.integers(many, size=(agents, steps))
    being, choosing = rng.standard_normal((steps + 1, states)), rng.standard_normal((1, many, states))
    shape = (owners, steps, states, many)
    preference, critic, visits = start or (np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64))
    for _ in range(rounds):  # the order of updates matters from the second visit on
        learning.actor_critic(
            cells, actions, np.array(first), np.array(heard), being, choosing, np.full(steps, 0.3),
            np.ones((many, states), dtype=bool), preference, critic, visits, 0.1, 0.6, np.full(steps, 0.5), 9.0,
        )  # fmt: skip
    return preference, critic, visits


def test_each_table_learns_from_the_walks_that_its_owner_hears():
    alone = learned_from([0, 1, 2, 3, 4], [0, 1, 2, 3], 4)
    shared = learned_from([0, 4], [0, 1, 2, 3], 1)
    some = learned_from([0, 1, 3, 7, 8], [0, 1, 3, 0, 1, 2, 3, 3], 4)
    pair = learned_from([0, 2], [1, 3], 1)
    for one, all_, heard, two in zip(alone, shared, some, pair, strict=True):
        np.testing.assert_array_equal(heard[0], one[0])
        np.testing.assert_array_equal(heard[3], one[3])
        np.testing.assert_array_equal(heard[2], all_[0])
        np.testing.assert_array_equal(heard[1], two[0])
    assert some[2].sum(axis=(1, 2, 3)).tolist() == [6, 12, 24, 6]
    for one, other in zip(shared[:2], learned_from([0, 4], [3, 2, 1, 0], 1), strict=False):
        assert not np.array_equal(one, other)


def test_walks_are_learned_from_in_the_order_of_the_list():
    one_by_one = learned_from([0, 1], [0], 1, agents=1)
    twice = learned_from([0, 2], [0, 0], 1, agents=1, rounds=1)
    for one, other in zip(one_by_one, twice, strict=True):
        np.testing.assert_array_equal(one, other)
    first = learned_from([0, 2], [0, 1], 1, rounds=1)
    again = learned_from([0, 1], [1], 1, rounds=1, start=learned_from([0, 1], [0], 1, rounds=1))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_scatter_is_the_mean_square_distance_from_the_mean_where_it_counts():
    tables = np.random.default_rng(2).standard_normal((5, 3, 4, 2))
    counts = np.array([[True, True], [True, False], [False, False], [True, True]])
    apart = (tables - tables.mean(axis=0)) * counts
    assert learning.scatter(tables, counts) == pytest.approx((apart**2).sum() / 5, rel=1e-13)
    assert learning.scatter(np.ones((3, 1, 4, 2)), counts) == pytest.approx(0, abs=1e-30)
