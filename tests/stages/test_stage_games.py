"""Stage games: the best rewards of the literature."""

from __future__ import annotations

import numpy as np
import pytest
from typed import A_UP, B_UP, FAIR, TYPES

from mfgsolve.solution import Status
from mfgsolve.stages.multitype import MultiType
from mfgsolve.stages.stage_games import best_reward, counterexample
from mfgsolve.stages.types import (
    KnownTypes,
    NoMeanAction,
    OneType,
)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # meant; told without compiler


def spin_values(model, alpha):
    """Q(down), Q(up) at what the learner sees, after each of the stages A, A, B; the last policy."""
    learner = MultiType(model, step=alpha, updates="all")
    memory, values = learner.start(counterexample(A_UP), rng=0), []
    for up in (A_UP, A_UP, B_UP):
        game = counterexample(up)
        assert learner.play(game, memory, 1).status is Status.ITERATION_LIMIT
        cell = memory.coding.cells(game.graph, memory.types, memory.actions)[0]
        values.append(memory.q[0, 0, cell].copy())
    return np.array(values), learner.policy(memory)[0, 0, cell]


@pytest.mark.kernel
def test_counterexample_of_appendix_a():
    one, one_policy = spin_values(OneType(), 0.1)
    np.testing.assert_allclose(one[:, 1], [0.2, 0.38, 0.142], rtol=1e-14)
    np.testing.assert_allclose(one[:, 0], [-0.2, -0.38, -0.142], rtol=1e-14)
    typed, typed_policy = spin_values(TYPES, 0.1)
    np.testing.assert_allclose(typed[:, 1], [0.2, 0.38, -0.2], rtol=1e-14)
    assert one_policy[1] > 0.5  # spins up, for -2
    assert typed_policy[0] > 0.5  # spins down, for +2


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.381, 0.383, 0.5, 1.0])
def test_one_mean_action_errs_below_the_golden_step(alpha):
    one, _ = spin_values(OneType(), alpha)
    assert (one[-1, 1] > 0.0) == (alpha < (3.0 - np.sqrt(5.0)) / 2.0)
    assert spin_values(TYPES, alpha)[0][-1, 1] == pytest.approx(-2.0 * alpha)


def test_best_rewards_of_fair_neighbours_are_those_of_the_paper():
    game = counterexample(FAIR)
    full = KnownTypes(np.array([0, 0, 1, 2, 3]))  # every neighbour a type of its own: everything is seen
    best = [best_reward(game, model) for model in (NoMeanAction(), OneType(), TYPES, full)]
    assert best == pytest.approx([-0.125, 0.0, 0.75, 0.75])
