"""Decision processes: exact values against closed forms, value iteration and enumeration; what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.tasks.decisions import DecisionProcess


def some(seed: int, discount: float = 0.9, actions: int = 3, states: int = 4) -> DecisionProcess:
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.ones(states + 1), size=(actions, states))[..., :states]
    allowed = rng.random((actions, states)) < 0.7
    allowed[rng.integers(actions, size=states), np.arange(states)] = True
    return DecisionProcess.of(
        list(chance), rng.standard_normal((actions, states)), discount=discount, allowed=allowed,
        start=rng.dirichlet(np.ones(states)),
    )  # fmt: skip


@pytest.mark.parametrize("discount", [0.3, 0.99, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_best_values_are_those_of_the_best_of_all_policies(seed, discount):
    process = some(seed, discount)
    actions, states = process.reward.shape
    best = np.full(states, -np.inf)
    for choice in itertools.product(range(actions), repeat=states):
        if process.allowed[list(choice), range(states)].all():
            best = np.maximum(best, process.values_of(np.array(choice)))
    np.testing.assert_allclose(process.best, best, rtol=1e-12, atol=1e-13)
    again = process.reward + discount * process.expect(process.best)
    np.testing.assert_allclose(process.optimal, np.where(process.allowed, again, np.nan), rtol=1e-12, atol=1e-13)


def test_values_of_choices_are_what_walks_earn_on_average():
    process, rng = some(7, 0.8), np.random.default_rng(0)
    choice = process.allowed.argmax(axis=0)
    rows = process._rows.toarray().reshape(*process.reward.shape, -1)
    total, walks = 0.0, 4000
    for _ in range(walks):
        s, worth = rng.choice(4, p=process.start), 1.0
        while s < 4:
            total += worth * process.reward[choice[s], s]
            chances = rows[choice[s], s]
            worth *= 0.8
            s = rng.choice(5, p=[*chances, 1 - chances.sum()])
    assert total / walks == pytest.approx(process.start @ process.values_of(choice), abs=0.06)


def test_matrices_of_scipy_are_taken_and_states_that_nothing_leads_to_are_known():
    line = sparse.csr_array(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    process = DecisionProcess.of([line], [[0.0, 1.0, 5.0]], discount=0.5)
    assert process.reached.tolist() == [True, True, False]
    assert process.best.tolist() == [0.5, 1.0, 5.25]
    shut = DecisionProcess.of(
        [np.eye(2), np.eye(2)[::-1]], np.zeros((2, 2)), discount=0.5, allowed=[[True, True], [False, True]]
    )
    assert shut.reached.tolist() == [True, False]  # the way out is not allowed


def test_returns_lie_between_the_bounds():
    for discount in (0.5, 1.0):
        process = some(2, discount)
        low, high = process.bounds
        assert low <= process.best.min() <= process.best.max() <= high


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"transitions": [np.eye(3)]}, "needs 1 of"),
        ({"transitions": [np.full((2, 2), 0.6)]}, "action 0 in state 0 sum to 1.2"),
        ({"transitions": [[[1.5, -0.5], [0.0, 1.0]]]}, "each is 0 or more"),
        ({"reward": [1.0, 2.0]}, r"\(actions, states\) is needed"),
        ({"reward": [[1.0, np.inf]]}, "not finite"),
        ({"discount": 1.0}, "must end"),
        ({"discount": 0.0}, "above 0 and at most 1"),
        ({"longest": 0}, "at least 1"),
        ({"start": 2}, "a state from 0 to 1"),
        ({"start": [0.5, 0.6]}, "sum to 1"),
        ({"allowed": [[True, False]]}, "state 1 allows no action"),
        ({"allowed": [[1, 1]]}, "boolean"),
        ({"actions": ["a", "b"]}, "2 and 2 names came"),
    ],
)
def test_what_is_no_decision_process_is_refused(change, sentence):
    good = {"transitions": [np.eye(2)], "reward": [[0.0, 1.0]], "discount": 0.9}
    DecisionProcess.of(**good)
    with pytest.raises(InputError, match=sentence):
        DecisionProcess.of(**(good | change))
