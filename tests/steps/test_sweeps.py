"""Single steps, one after the other, are the second road to what kernels do in whole sweeps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.steps import Costs, Factor, sweeps
from mfgsolve.steps.factors import expect_all, push_all


def diffusion(shape=(7, 9), noise="implicit", boundary="reflecting", blocked=None) -> mfg.Problem:
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=blocked)
    return mfg.Problem(
        grid=grid,
        time=mfg.TimeGrid(0.5, 30),
        dynamics=mfg.ControlledDiffusion(0.02, 0.7, noise=noise),
        coupling=mfg.CrowdAversion(0.3),
        initial=lambda t, c: np.where(grid.mask, 0.0, 1.0 + sum(c[name] for name in c)),
        terminal=lambda t, c: sum((c[name] - 0.7) ** 2 for name in c),
        normalise=True,
    )


def tables(temperature=0.3, viscosity=0.01) -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.Grid.box((5, 4)),
        time=mfg.TimeGrid(1.0, 6),
        dynamics=mfg.LatticeMoves(
            [(0, 0), (1, 0), (-1, 0), (0, 1)], costs=(0.0, 0.1, 0.1, 0.2), viscosity=viscosity, temperature=temperature
        ),
        coupling=mfg.CrowdAversion(0.5),
        initial=lambda t, c: 1.0 + c.x,
        terminal=lambda t, c: (c.x - c.y) ** 2,
        normalise=True,
    )


GAMES = {
    "plane": diffusion,
    "explicit": lambda: diffusion(noise="explicit"),
    "ring": lambda: diffusion((11,), boundary="periodic"),
    "space": lambda: diffusion((4, 5, 3)),
    "wall": lambda: diffusion(blocked=lambda c: (c.x > 0.3) & (c.x < 0.6) & (c.y > 0.2) & (c.y < 0.7)),
    "lattice": tables,
    "lattice without noise": lambda: tables(viscosity=0.0),
    "sharp lattice": lambda: tables(0.0),
}


@pytest.fixture(params=GAMES)
def game(request) -> Game:
    return make_game(GAMES[request.param]())


def prices(game: Game, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(game.steps + 1, *game.level_shape))


def test_backward_and_forward_from_single_steps(game):
    step, price = game.step, prices(game)
    fused, plain = step.new_policy(), step.new_policy()
    value = step.backward(game.costs(price), fused)
    free = ~game.grid.mask.reshape(step.shape)
    np.testing.assert_allclose(sweeps.backward(step, game.costs(price), plain)[free], value[free], rtol=0, atol=1e-13)
    flows = [np.empty((game.steps + 1, *step.shape)) for _ in range(2)]
    for flow in flows:
        flow[0] = game.initial_mass
    step.forward(fused, flows[0])
    sweeps.forward(step, plain, flows[1])
    np.testing.assert_allclose(flows[1], flows[0], rtol=0, atol=1e-15)


def test_values_of_all_times(game):
    price = prices(game)
    values = np.empty((game.steps + 1, *game.step.shape))
    sweeps.backward(game.step, game.costs(price), game.step.new_policy(), values)
    known, free = game.values(price), ~game.grid.mask
    np.testing.assert_allclose(values.reshape(known.shape)[:, free], known[:, free], rtol=0, atol=1e-13)


def test_tangent_from_single_steps(game):
    if not game.is_smooth:
        with pytest.raises(InputError, match="has no derivative"):
            game.curvature(game.step.new_policy(), game.empty_crowd(), prices(game))
        return
    policy = game.respond(0.2 * prices(game)).policy
    flow, direction = game.flow(policy), prices(game, 1)
    direction.reshape(game.steps + 1, -1)[:, game.grid.mask.reshape(-1)] = 0.0
    ones, nothing = np.ones(game.steps + 1), np.zeros(game.step.shape)
    moved = sweeps.change(game.step, Costs(direction, ones, nothing), policy, flow)
    known = game.curvature(policy, flow, direction, identity=0.0)
    np.testing.assert_allclose(-moved.reshape(known.shape), known, rtol=0, atol=1e-13)


def test_push_is_the_transpose_of_expect(game):
    step, rng = game.step, np.random.default_rng(3)
    policy, open_ = game.respond(prices(game)).policy, ~game.grid.mask.reshape(step.shape)
    for t in (0, game.steps - 1):
        mass, value = rng.uniform(size=step.shape) * open_, rng.normal(size=step.shape) * open_
        pushed = step.push(t, policy[t], mass)
        assert (pushed * value).sum() == pytest.approx((mass * step.expect(t, policy[t], value)).sum(), abs=1e-13)
        assert pushed.sum() == pytest.approx(mass.sum(), abs=1e-13)
        after = push_all(step.factors, t, mass)
        assert (after * value).sum() == pytest.approx((mass * expect_all(step.factors, t, value)).sum(), abs=1e-13)
        assert after.sum() == pytest.approx(mass.sum(), abs=1e-13)


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
