"""What the crowd costs: prices, slopes and curvatures are derivatives, for couplings on states, choices and sums."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from finite_games import random_chances, random_policy, small_game

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.steps.table_policies import TablePolicy


def crowd_games():
    rng = np.random.default_rng(12)
    states, box = mfg.States(3), mfg.Grid.box((2, 3), bounds=[(0, 1), (0, 3)])
    both = mfg.Populations(["a", "b"], states)
    table = mfg.Tabular(random_chances(rng, 2, 3, 3), temperature=0.5)
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (0, 1)], (0.0, 0.3, 0.1), viscosity=0.02, temperature=0.5)
    symmetric = rng.normal(size=(3, 3))
    symmetric = symmetric @ symmetric.T
    cubic = mfg.CustomCoupling(
        cost=lambda t, c, rho: (1 + t + c.action) * rho**3, potential=lambda t, c, rho: (1 + t + c.action) * rho**4 / 4,
        derivative=lambda t, c, rho: 3 * (1 + t + c.action) * rho**2, monotone=True, on="occupation",
    )  # fmt: skip
    whole = mfg.CustomCoupling(
        cost=lambda t, c, rho: (rho**2).sum() * rho, potential=lambda t, c, rho: (rho**2).sum() ** 2 / 4 / rho.size,
        tangent=lambda t, c, rho, d: 2 * (rho * d).sum() * rho + (rho**2).sum() * d, monotone=True,
    )  # fmt: skip
    price = mfg.Price(mfg.QuadraticPotential(0.8, lambda t: t), amounts=[1.0, -2.0])
    prices = price + mfg.Price(mfg.QuadraticPotential(0.3), amounts=lambda t, c: t + c.action - c.state)
    on_box = mfg.Price(mfg.QuadraticPotential(0.8), amounts=lambda t, c: c.action * c.x + c.y)
    return {
        "state": (states, table, mfg.CrowdAversion(0.5) + mfg.RunningCost(lambda t, c: t * c.state), None),
        "interaction": (states, table, mfg.Interaction(symmetric), mfg.LogCongestion(0.2, shift=0.1)),
        "populations": (both, [table, table], mfg.Interaction([[1, 0.5], [0.5, 1]], between="populations"), None),
        "occupation": (states, table, mfg.LogCongestion(0.5, on="occupation"), mfg.CrowdAversion(0.4)),
        "custom": (states, table, cubic, None),
        "custom, not local": (states, table, whole, mfg.CrowdAversion(0.2)),
        "price": (states, table, price, None),
        "prices": (states, table, prices, mfg.CrowdAversion(1.0)),
        "all": (states, table, mfg.CrowdAversion(0.5, power=2) + prices + cubic + mfg.Interaction(symmetric), None),
        "lattice": (box, moves, mfg.CrowdAversion(0.5) + mfg.Congestion(1.0, 0.3, on="occupation") + on_box,
                    mfg.CrowdAversion(0.2)),
    }  # fmt: skip


def crowd_game(name):
    space, dynamics, coupling, last = crowd_games()[name]
    rng = np.random.default_rng(3)
    problem = mfg.Problem(
        grid=space, time=mfg.TimeGrid(0.8, 4), dynamics=dynamics, coupling=coupling, terminal_coupling=last,
        initial=rng.random(space.shape) + 0.1, normalise=True, terminal=rng.normal(size=space.shape))  # fmt: skip
    return make_game(problem), rng


@pytest.mark.parametrize("name", crowd_games())
def test_price_is_the_derivative_of_the_potential(name):
    game, rng = crowd_game(name)
    start, end = (game.flow(random_policy(rng, game.step.allowed, 4)) for _ in range(2))
    change, h = end - start, 1e-5

    def rise(share):
        return (game.potential(start + (share + h) * change) - game.potential(start + (share - h) * change)) / (2 * h)

    price = game.price(start)
    assert game.price_and_potential(start, np.empty_like(price)) == game.potential(start)
    paid = (game.weights[:, None] * price * change).sum()
    assert paid == pytest.approx(rise(0.0), rel=1e-7, abs=1e-9)
    assert game.crowd_totals(price, change)[0] == pytest.approx(paid, abs=1e-14)
    for share in (0.0, 0.4):
        assert game.segment_slope(start, end, share) == pytest.approx(rise(share), rel=1e-7, abs=1e-9)
    bend = game.weights[:, None] * (game.price(start + h * change) - game.price(start - h * change)) / (2 * h)
    np.testing.assert_allclose(game.price_change(start, change), bend, rtol=1e-6, atol=1e-8)
    slope = game.slope(start)
    assert (slope is not None) == game.problem.is_local
    if slope is not None:
        np.testing.assert_allclose(slope * change, bend, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", crowd_games())
def test_curvature_is_the_derivative_of_the_flow_of_the_best_response(name):
    game, rng = crowd_game(name)
    price = rng.normal(size=(5, game.width))
    final = game.problem.terminal_coupling is not None
    shape = np.ones_like(price)
    shape[-1, game.cells :] = 0.0  # nothing is chosen at the end
    shape[-1, : game.cells] = float(final)
    one, two = (rng.normal(size=price.shape) * shape for _ in range(2))
    ahead = game.respond(price).policy
    crowd = game.flow(ahead)
    per_time = np.where(game.weights > 0, 1 / np.where(game.weights > 0, game.weights, 1.0), 0.0)[:, None]

    def seen(length):
        return game.flow(game.respond(price + length * per_time * one).policy)

    image = -game.curvature(ahead, crowd, one, identity=0.0)
    np.testing.assert_allclose(image, (seen(1e-5) - seen(-1e-5)) / 2e-5, atol=1e-8)
    other = -game.curvature(ahead, crowd, two, identity=0.0)
    assert (two * image).sum() == pytest.approx((one * other).sum(), rel=1e-11)
    assert (one * image).sum() < 0
    assert (two * other).sum() < 0
    scale = rng.random(price.shape)
    result = game.curvature(ahead, crowd, two, scale, identity=0.7)
    np.testing.assert_allclose(result, 0.7 * two + game.curvature(ahead, crowd, scale * two, identity=0.0), atol=1e-13)


def test_curvature_needs_a_temperature():
    game = Game(small_game(0, 1, 2)[0])
    policy = game.step.uniform()
    with pytest.raises(mfg.InputError, match="temperature 0"):
        game.curvature(policy, game.flow(policy), game.empty_crowd())


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_mean_plans_cost_no_more_than_their_mixture_and_know_their_slope(tau):
    game = Game(small_game(4, 2, 3, tau)[0])
    rng = np.random.default_rng(0)
    first, second = (random_policy(rng, game.step.allowed, 3) for _ in range(2))
    crowds = [game.flow(first), game.flow(second)]

    def plan(length):
        mean = game.new_average()
        mean.mix(game, first, crowds[0], 1.0)
        mean.mix(game, second, crowds[1], length)
        return mean

    costs = [game.cost(TablePolicy(pi), crowd)[0] for pi, crowd in zip((first, second), crowds, strict=True)]
    mean = plan(0.3)
    np.testing.assert_allclose(mean.crowd, game.flow(mean.policy(game.step.uniform())), atol=1e-15)
    own = game.cost(mean, mean.crowd)[0]
    assert own <= 0.7 * costs[0] + 0.3 * costs[1] + 1e-14
    slope = plan(0.0).own_slope(game.step, second, crowds[1], costs[1] - costs[0])
    above, below = (plan(0.3 + h) for h in (1e-5, -1e-5))
    rise = (game.cost(above, above.crowd)[0] - game.cost(below, below.crowd)[0]) / 2e-5
    assert slope(0.3) == pytest.approx(rise, rel=1e-7)


def test_levels_hold_masses_then_choices_then_aggregates():
    """Two states, two actions, two steps: a crowd and what its agents pay, put together by hand."""
    game = make_game(mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(1.0, 2), dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]]),
        coupling=mfg.CrowdAversion(1.0) + mfg.CrowdAversion(2.0, on="occupation")
        + mfg.Price(mfg.QuadraticPotential(3.0), amounts=[1.0, -2.0]),
        initial=np.array([0.75, 0.25])))  # fmt: skip
    mass = np.array([[0.75, 0.25], [0.5, 0.5], [0.0, 1.0]])
    policy = np.array([[[1.0, 0.5], [0.0, 0.5]], [[0.25, 0.0], [0.75, 1.0]]])
    chosen = policy * mass[:-1, None]
    amount = chosen[:, 0].sum(axis=1) - 2 * chosen[:, 1].sum(axis=1)
    assert (game.width, game.level_shape) == (2 + 4 + 1, (7,))
    for choices, weighed in ((policy, False), (chosen, True)):
        crowd = game.aggregate(mass, choices, game.empty_crowd(), weighed)
        np.testing.assert_allclose(crowd[:, :2], mass)
        np.testing.assert_allclose(crowd[:2, 2:6], chosen.reshape(2, 4))
        np.testing.assert_allclose(crowd[:2, 6], amount)
        assert not crowd[2, 2:].any(), "nothing is chosen at the end"
    price = game.price(crowd)
    np.testing.assert_allclose(price[:2], np.column_stack([mass[:2], 2 * chosen.reshape(2, 4), 3 * amount]))
    assert not price[2].any(), "without a terminal coupling"
    paid = game.action_costs(price, slice(0, 2), np.full((2, 2, 2), 10.0))
    expected = 10 + 0.5 * (2 * chosen + 3 * amount[:, None, None] * np.array([1.0, -2.0])[:, None])
    np.testing.assert_allclose(paid, expected)
    np.testing.assert_array_equal(game.mass(crowd), mass)
    rest = game.resting_crowd(game.empty_crowd())
    np.testing.assert_array_equal(rest, [[0.75, 0.25, 0, 0, 0, 0, 0]] * 3)
    np.testing.assert_array_equal(game.crowd_of(mass)[:, :2], mass)
    below = game.clip(np.full((3, 7), -0.5))
    assert (below[:, :6] == 0).all()
    assert (below[:, 6] == -0.5).all(), "an aggregate may have either sign"


@pytest.mark.parametrize("scheme", ["upwind", "entropic"])
def test_kernels_of_couplings_give_what_their_formulas_do(scheme):
    """Prices bit for bit; sums over the crowd to round-off, for shares that differ from node to node, too."""
    problem = mfg.problems.supply_demand(shape=(6, 9), steps=12, scheme=scheme)
    game = make_game(dataclasses.replace(problem, time=mfg.TimeGrid(1.0, 12, discount=0.3)))
    rng, bound = np.random.default_rng(4), game.blocks[0].bound
    crowd = game.crowd_of(rng.dirichlet(np.ones(54), 13).reshape(13, 6, 9))
    price = game.empty_crowd()
    assert bound.is_fused
    fused = [game.price_and_potential(crowd, price), price, game.price(crowd), game.slope(crowd), game.potential(crowd)]
    slow = make_game(game.problem)
    slow.blocks = [dataclasses.replace(slow.blocks[0], bound=_Slow(bound))]
    np.testing.assert_array_equal(fused[1], slow.price(crowd))
    np.testing.assert_array_equal(fused[2], slow.price(crowd))
    np.testing.assert_allclose(fused[3], slow.slope(crowd), rtol=1e-15)
    np.testing.assert_allclose([fused[0], fused[4]], slow.potential(crowd), rtol=1e-14)


class _Slow:
    """A coupling without its kernel."""

    is_fused = False

    def __init__(self, bound):
        self.cost, self.potential, self.slope = bound.cost, bound.potential, bound.slope
