"""Online mirror descent: scores by hand, the temperature they settle at, what is refused."""

import numpy as np
import pytest
from scipy.special import softmax

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers import MirrorDescent

STAY, SWAP = np.eye(2), np.eye(2)[::-1]


def game(temperature=0.0, coupling=None):
    """One step from the first place: staying is free, going costs 0.6 there."""
    return make_game(
        mfg.Problem(
            mfg.States(2),
            mfg.TimeGrid(1.0, 1),
            mfg.Tabular((STAY, SWAP), temperature=temperature),
            0.0,
            np.array([1.0, 0.0]),
            terminal=np.array([0.0, 0.6]),
            terminal_coupling=coupling,
        )
    )


def test_scores_fall_by_what_actions_cost():
    solver = MirrorDescent()
    state = solver.init(game(), 1e-9)
    assert state.rate == pytest.approx(1 / 0.6)  # one over the largest difference
    for k in range(1, 4):
        state = solver.step(state)
        np.testing.assert_allclose(state.policy[0, :, 0], softmax([0.0, -k]), rtol=1e-13)
        np.testing.assert_allclose(state.policy[0, :, 1], softmax([-k, 0.0]), rtol=1e-13)
        assert state.measure.exploitability == pytest.approx(0.6 * softmax([0.0, -k])[1], rel=1e-12)


def test_scores_are_forgotten_at_the_rate_of_the_temperature():
    solver, tau = MirrorDescent(rate=0.5), 0.2
    state, score = solver.init(game(tau), 1e-9), 0.0
    for _ in range(5):
        state, score = solver.step(state), (1 - 0.5 * tau) * score - 0.5 * 0.6
        np.testing.assert_allclose(state.policy[0, :, 0], softmax([0.0, score]), rtol=1e-13)
    for _ in range(400):
        state = solver.step(state)
    np.testing.assert_allclose(state.policy[0, :, 0], softmax([0.0, -0.6 / tau]), rtol=1e-12)


def test_a_crowd_to_start_from_is_answered():
    """With K m as the cost of a crowd: all at the first place make going cost 0.6 - 2 against staying."""
    state = MirrorDescent(rate=0.1).init(
        game(coupling=mfg.CrowdAversion(2.0)), 1e-9, lambda g: np.array([[1.0, 0]] * 2)
    )
    assert state.policy[0, 1, 0] == pytest.approx(softmax([-1.0, 0.0])[1])  # scores: -q over its largest difference


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf])
def test_rates_that_are_none(rate):
    with pytest.raises(mfg.InputError, match="rate of mirror descent"):
        MirrorDescent(rate=rate)
