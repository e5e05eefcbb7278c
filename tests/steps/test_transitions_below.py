"""Transitions that a function gives as one sparse matrix (action * state, next state), beside lists of matrices."""

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.steps.transitions import dense_transitions, tall_transitions

STATES, ACTIONS = 5, 3


def _chances(seed=0):
    rng = np.random.default_rng(seed)
    chances = rng.random((ACTIONS, STATES, STATES)) * (rng.random((ACTIONS, STATES, STATES)) < 0.5)
    chances[..., 0] += 0.1
    return chances / chances.sum(axis=2, keepdims=True)


def _tall(chances):
    return sparse.csr_array(chances.reshape(-1, chances.shape[2]))


def _problem(form):
    base = _chances()

    def transitions(t, mass):
        chances = 0.9 * base + 0.1 * mass.reshape(1, 1, -1)
        return form(chances)

    crowd = mfg.CrowdAversion(1.0)
    return mfg.Problem(
        mfg.States(STATES), mfg.TimeGrid(4, 4), mfg.Tabular(transitions, cost=[[0.0], [0.1], [0.2]] * np.ones(STATES)),
        crowd, np.full(STATES, 1 / STATES),
    )  # fmt: skip


def test_one_matrix_below_the_other_is_the_same_game():
    lists = [sparse.csr_array(each) for each in _chances()]
    assert len(lists) == ACTIONS
    games = [_problem(form) for form in (_tall, lambda c: [sparse.csr_array(each) for each in c], lambda c: c)]
    plans = [mfg.solve(game, method="prior-descent", max_iterations=5, check="ignore") for game in games]
    for plan in plans[1:]:
        np.testing.assert_allclose(plan.dataset["policy"], plans[0].dataset["policy"], atol=1e-13)
        assert plan.exploitability == pytest.approx(plans[0].exploitability, abs=1e-13)


def test_rows_without_entries_are_those_of_choices_that_are_not_allowed():
    chances, allowed = _chances(), np.ones((ACTIONS, STATES), bool)
    for a, s in ((0, 2), (ACTIONS - 1, STATES - 1)):  # within, and at the end
        chances[a, s], allowed[a, s] = 0.0, False
    made = tall_transitions(_tall(chances), allowed)
    assert made is not None
    np.testing.assert_array_equal(made.matrix(0, STATES).toarray(), chances.reshape(-1, STATES))
    assert tall_transitions(_tall(chances), np.ones_like(allowed)) is None


@pytest.mark.parametrize("spoil", ["sum", "negative", "nan", "shape", "integers"])
def test_what_is_not_plainly_that_goes_the_long_way(spoil):
    chances, allowed = _chances(), np.ones((ACTIONS, STATES), bool)
    assert tall_transitions(_tall(chances), allowed) is not None
    assert dense_transitions(chances, allowed) is not None
    if spoil == "sum":
        chances[1, 2] *= 1.01
    elif spoil == "negative":
        chances[0, 0, :2] = [-0.1, 1.1]
    elif spoil == "nan":
        chances[2, 1, 0] = np.nan
    given = _tall(chances[:2] if spoil == "shape" else chances)
    assert tall_transitions(given.astype(int) if spoil == "integers" else given, allowed) is None


def test_what_is_wrong_in_it_is_told_with_action_and_state():
    def spoilt(chances):
        chances = chances.copy()
        chances[1, 2] *= 1.01
        return _tall(chances)

    with pytest.raises(InputError, match=r"transitions of action 1 at step 0 from state 2 sum to 1.01"):
        mfg.solve(_problem(spoilt))
