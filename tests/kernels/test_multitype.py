"""Learners on a graph, stage by stage by hand; spins against the law of Boltzmann."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax

from mfgsolve.kernels import multitype

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]

NONE = np.empty(0)


def stream():
    return np.array([1, 2, 3, 4], dtype=np.uint64)


def test_actions_are_chosen_with_the_chances_of_boltzmann():
    policy, rows = np.array([[0.0, 9.0], [1e4, 1e4 + 0.4]]), np.ones(8000, dtype=np.int64)
    actions = np.empty(8000, dtype=np.int64)
    multitype.choose(policy, rows, 2.0, stream(), actions)
    assert stats.chisquare(np.bincount(actions), 8000 * softmax([0.0, 0.8])).pvalue > 1e-4


@pytest.mark.parametrize(("u", "action"), [(0.0, 1), (0.29, 1), (0.31, 2), (0.999999, 2)])
def test_no_action_without_a_chance_is_picked(u, action):
    assert multitype.pick(np.array([0.0, 0.3, 0.7, 0.0]), u) == action


@pytest.mark.parametrize("greedy", [False, True])
def test_learning_from_one_transition(greedy):
    """Step size 1/2 at the second visit; then preferences climb by the advantage; a game that ended pays no more."""
    q, policy = np.array([[0.2, -0.1], [0.5, 1.0]]), np.array([[0.3, 0.0], [0.0, 0.7]])
    visits, beta, sizes = np.array([[0, 1], [0, 0]]), 1.5, np.array([1.0, 0.5])
    chances = softmax(beta * policy[1])
    ahead = 0.9 * (1.0 if greedy else chances @ q[1])
    learned = 0.5 * -0.1 + 0.5 * (2.0 + ahead)
    here = softmax(policy[0])
    step = 0.3 * (learned - here @ [0.2, learned])
    wanted = policy[0] + step * (np.array([0.0, 1.0]) - here)
    one = np.array([1])
    multitype.learn(q, policy, visits, one - 1, one, np.array([2.0]), one, beta, 0.9, greedy, sizes, 0.3)
    assert q[0, 1] == pytest.approx(learned)
    np.testing.assert_allclose(policy[0], wanted, atol=1e-15)
    np.testing.assert_array_equal(visits, [[0, 2], [0, 0]])
    multitype.learn(q, policy, visits, one - 1, one - 1, np.array([5.0]), one - 2, beta, 0.9, greedy, sizes, 0.0)
    assert q[0, 0] == 5.0


def test_a_stage_on_a_path_of_three():
    """A scripted agent between two learners: each sees its neighbour, is paid for it, and learns that with size 1."""
    first, neighbour, kinds = np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1]), np.zeros(3, dtype=np.int64)
    strides = np.array([[0, 1]])  # a cell counts the neighbours that took action 1
    rewards = np.array([[[1.0, 2.0], [3.0, 4.0]]])  # kind, action, cell
    learners, tables = np.array([0, 2]), np.array([0, 1])
    q = np.zeros((4, 2))  # (tables, cells) rows
    policy, visits = np.full((4, 2), [-1e3, 0.0]), np.zeros((4, 2), dtype=np.int64)
    policy[0] = [0.0, -1e3]
    actions, chosen, counts = np.zeros(3, dtype=np.int64), *np.zeros((2, 1, 3, 2), dtype=np.int64)
    chosen = chosen[0]
    earned, acted = np.zeros(1), np.zeros(1, dtype=np.int64)
    total, acts, proposed = np.zeros(2), np.zeros(2, dtype=np.int64), np.empty(2, dtype=np.int64)
    multitype.play(
        first, neighbour, kinds, strides, kinds, strides, rewards, np.array([1]), np.array([[0.0, 1.0]]), learners,
        tables, 2, q, policy, visits, np.ones(1), 0.0, False, np.ones(1), 0.0, False, 1.0,
        np.arange(3), actions, proposed, chosen, counts, earned, acted, total, acts, stream(),
    )  # fmt: skip
    np.testing.assert_array_equal(actions, [1, 1, 1])  # both saw the script's action: cell 1
    np.testing.assert_array_equal(q, [[0, 0], [0, 4], [0, 0], [0, 4]])
    np.testing.assert_array_equal(chosen, [[0, 1]] * 3)
    np.testing.assert_array_equal(counts[0], chosen)
    assert (earned[0], acted[0], *total, *acts) == (8.0, 2, 4.0, 4.0, 1, 1)


@pytest.mark.parametrize("metropolis", [False, True])
def test_two_spins_agree_as_often_as_boltzmann_says(metropolis):
    """P(equal) = 1 / (1 + exp(-2 J / T)) with weight exp(s s' / T): each pair is in two neighbour lists."""
    temperature, sweeps = 1.3, 6000
    spins, counts = np.array([0, 1]), np.zeros((sweeps, 2, 2), dtype=np.int64)
    multitype.ising(
        np.array([0, 1, 2]), np.array([1, 0]), temperature, metropolis, sweeps, np.arange(2), spins, counts, stream()
    )
    equal = (counts[:, 0, 1] == counts[:, 1, 1]).mean()
    rise = np.exp(-1 / temperature)  # P(s s' = 1) = e^(1/2T) / (e^(1/2T) + e^(-1/2T))
    assert equal == pytest.approx(1 / (1 + rise), abs=0.03)
