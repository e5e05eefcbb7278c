"""The belief that comes true, and the adjoint of its equation, against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.studies.implicit import adjoint_of, answer, check_smooth, paid, true_belief


@pytest.fixture(scope="module")
def game():
    return make_game(mfg.problems.beach_bar(shape=(6,), steps=4, temperature=0.2))


@pytest.fixture(scope="module")
def crowd(game) -> np.ndarray:
    return true_belief(game, game.resting_crowd(game.empty_crowd()))


def test_the_belief_comes_true(game, crowd: np.ndarray):
    _, came, _ = answer(game, crowd)
    np.testing.assert_allclose(came, crowd, atol=1e-12)
    solution = mfg.solve(mfg.problems.beach_bar(shape=(6,), steps=4, temperature=0.2), tol=1e-13, check="ignore")
    np.testing.assert_allclose(game.flat(crowd)[:, :6], solution.density.values, atol=1e-6)


def test_the_adjoint_solves_the_transposed_equation(game, crowd: np.ndarray):
    policy, came, _ = answer(game, crowd)
    size, shape = crowd.size, crowd.shape
    moved = np.empty((size, size))
    for k, unit in enumerate(np.eye(size)):  # d answer / d belief, a column each
        weighed = game.price_change(crowd, unit.reshape(shape))
        moved[:, k] = -game.curvature(policy, came, weighed, None, None, identity=0.0).reshape(-1)
    for k in (7, 20):  # the columns are those of differences
        unit = np.zeros(size)
        unit[k] = 1e-6
        ends = [answer(game, crowd + sign * unit.reshape(shape))[1].reshape(-1) for sign in (1, -1)]
        np.testing.assert_allclose(moved[:, k], (ends[0] - ends[1]) / 2e-6, atol=1e-8)
    gradient = np.random.default_rng(0).normal(size=shape)
    adjoint, residual, uses = adjoint_of(game, crowd, gradient)
    np.testing.assert_allclose((np.eye(size) - moved).T @ adjoint.reshape(-1), gradient.reshape(-1), atol=1e-10)
    assert residual < 1e-12
    assert uses > 0


def test_what_is_paid_is_weighed(game, crowd: np.ndarray):
    price = game.price(crowd)
    by_hand = sum(game.weights[t] * float((price[t] * crowd[t]).sum()) for t in range(5))
    assert paid(game, price, crowd) == pytest.approx(by_hand)


def test_games_without_derivatives_are_refused():
    for problem, sentence in (
        (mfg.problems.beach_bar(), "best responses jump"),
        (mfg.problems.susceptible_infected(temperature=0.5), "the crowd changes the transitions"),
    ):
        with pytest.raises(InputError, match=sentence):
            check_smooth(make_game(problem))
