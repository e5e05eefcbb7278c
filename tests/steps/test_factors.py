"""Factors that act after the control: transposes, chances, and one that no kernel knows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from small_steps import diffusion, prices

from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.steps import Factor
from mfgsolve.steps.factors import expect_all, push_all


class Shift(Factor):
    """A share of everybody is carried one cell along x, around the ring: a factor that no kernel knows."""

    def __init__(self, cells: int, share: float):
        stay, move = sparse.eye_array(cells), sparse.csr_array(np.roll(np.eye(cells), 1, axis=1))
        self.shares = ((1 - share) * stay + share * move).tocsr()

    def expect(self, t, value):
        return (self.shares @ value.reshape(-1)).reshape(value.shape)

    def push(self, t, mass):
        return (self.shares.T @ mass.reshape(-1)).reshape(mass.shape)


def windy(share: float) -> Game:
    """The ring with a wind that carries a share of all cells onward before the noise."""
    game = make_game(diffusion((12,), boundary="periodic"))
    return game.with_step(others=(Shift(12, share),))


def test_another_factor_is_solved_and_certified_like_the_noise():
    """The price of the answer's own crowd, by Newton's operator and by differences of the flow."""
    game, small = windy(0.3), 1e-6
    price, direction = 0.2 * prices(game), prices(game, 1)
    weighted = direction * game.weights.reshape(-1, 1, 1, 1)
    flows = [game.flow(game.respond(price + sign * small * direction).policy) for sign in (1.0, -1.0)]
    response = game.respond(price.copy())
    flow = game.flow(response.policy)
    change = -game.curvature(response.policy, flow, weighted, identity=0.0)
    np.testing.assert_allclose(change, (flows[0] - flows[1]) / (2 * small), rtol=0, atol=1e-6 * abs(change).max())
    paid = game.cost(game.policy_of(response.policy), flow).cost
    total = paid + float((weighted / direction * price * flow).sum()) + game.terminal_total(flow)
    assert response.mean_value == pytest.approx(total, abs=1e-13)  # what the value says is what the flow pays


def test_a_factor_moves_the_crowd_by_its_share():
    """Nobody moves by himself where nothing is to be gained: the mean goes round with the wind alone."""
    game = windy(0.25)
    policy = np.zeros((game.steps, *game.step.shape))
    mass = game.flow(policy)
    around = np.exp(2j * np.pi * game.grid.axes[0].centres)  # the first Fourier mode, an eigenvector of all factors
    modes = (mass.reshape(game.steps + 1, -1) * around).sum(axis=1)
    still = make_game(diffusion((12,), boundary="periodic"))
    rest = (still.flow(policy).reshape(game.steps + 1, -1) * around).sum(axis=1)
    once = 0.75 + 0.25 * np.exp(2j * np.pi / 12)
    np.testing.assert_allclose(modes, rest * once ** np.arange(game.steps + 1), rtol=0, atol=1e-14)


def test_single_agents_do_not_take_a_factor_that_says_no_chances():
    with pytest.raises(InputError, match=r"a Shift acts after the control, and says neither its chances nor walks"):
        windy(0.25).step.law()


def matrix_of(factor, cells, shape):
    """F column by column, from ``expect``."""
    return np.stack([factor.expect(0, unit.reshape(shape)).reshape(-1) for unit in np.eye(cells)], axis=1)


@pytest.mark.parametrize("noise", ["implicit", "explicit"])
def test_noise_is_a_markov_operator_and_push_its_transpose(noise):
    step = make_game(diffusion((4, 5), noise, blocked=lambda c: (c.x > 0.6) & (c.y > 0.4))).step
    (factor,) = step.factors
    dense = matrix_of(factor, 20, step.shape)
    np.testing.assert_allclose(dense.sum(axis=1), 1.0, atol=1e-14)
    assert dense.min() >= -1e-16
    mass = np.random.default_rng(0).uniform(size=step.shape)
    np.testing.assert_allclose(factor.push(0, mass).reshape(-1), dense.T @ mass.reshape(-1), atol=1e-15)
    chances = factor.matrix(0)
    assert (chances is None) == (noise == "implicit")
    assert (factor.walks(20) is None) == (noise == "explicit")
    if chances is not None:
        np.testing.assert_allclose(chances.toarray(), dense, atol=1e-15)


def test_factors_act_one_after_the_other_and_values_go_back():
    one, other = Shift(3, 0.5), Shift(3, 0.25)
    mass = np.array([1.0, 0, 0])
    np.testing.assert_allclose(push_all([one, other], 0, mass), [0.375, 0.5, 0.125])
    value = np.array([1.0, 2.0, 4.0])
    assert expect_all([one, other], 0, value) @ mass == pytest.approx([0.375, 0.5, 0.125] @ value)
    assert one.is_steady
