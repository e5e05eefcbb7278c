"""Kernels against dense matrices written from the formulas, over dimensions, boundaries, blocked cells and noises."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfgsolve.couplings import CrowdAversion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.games import Game
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels import bellman, kolmogorov, noise, tangent
from mfgsolve.problem import Problem
from mfgsolve.steps.scheme import noise_factors

pytestmark = pytest.mark.kernel

CELLS = {1: (2, 12), 2: (2, 7), 3: (2, 4)}
EPSILON = np.finfo(float).eps


def make_game(sizes, periodic, density, kind, viscosity, steps, seed, speed=3.0, final=False):
    """A game with random initial density and terminal cost; ``speed`` is the typical best speed over the cap."""
    rng = np.random.default_rng(seed)
    blocked = rng.random(sizes) < density
    blocked.flat[rng.integers(blocked.size)] = False
    initial = np.where(blocked, 0.0, rng.random(sizes) * (rng.random(sizes) < 0.7))
    initial.flat[np.flatnonzero(~blocked)[0]] += 1.0
    grid = Grid.box(
        sizes,
        bounds=[(0.0, 1.0 + 0.3 * k) for k in range(len(sizes))],
        boundary=["periodic" if p else "reflecting" for p in periodic],
        blocked=blocked,
    )
    dt = 0.5 / steps
    if kind == "explicit":
        viscosity = min(viscosity, 0.9 / (2 * dt * sum(a.spacing**-2 for a in grid.axes)))
    cost = 0.7
    drop = speed * cost * min(a.spacing for a in grid.axes) ** 2 / (2 * grid.ndim * dt)  # reaches ``speed`` caps
    problem = Problem(
        grid=grid,
        time=TimeGrid(0.5, steps),
        dynamics=ControlledDiffusion(viscosity, cost, "implicit" if kind == "none" else kind),
        coupling=CrowdAversion(1.0),
        initial=initial,
        terminal=drop * rng.random(sizes),
        terminal_coupling=CrowdAversion(0.1) if final else None,
        normalise=True,
    )
    return Game(problem, threads=1)


@st.composite
def games(draw, blocked=True, speeds=(0.1, 0.4, 3.0)):
    """Random games, with a generator for whatever else the test needs."""
    ndim = draw(st.sampled_from((1, 2, 3)))
    sizes = tuple(draw(st.lists(st.integers(*CELLS[ndim]), min_size=ndim, max_size=ndim)))
    periodic = draw(st.lists(st.booleans(), min_size=ndim, max_size=ndim))
    density = draw(st.sampled_from([0.0, 0.2, 0.5])) if blocked else 0.0
    kind = draw(st.sampled_from(["none", "implicit", "explicit"]))
    viscosity = 0.0 if kind == "none" else draw(st.sampled_from([1e-3, 0.02, 1.0]))
    seed = draw(st.integers(0, 2**32 - 1))
    game = make_game(
        sizes,
        periodic,
        density,
        kind,
        viscosity,
        draw(st.integers(1, 4)),
        seed,
        draw(st.sampled_from(speeds)),
        draw(st.booleans()),
    )
    return game, np.random.default_rng(seed + 1)


def random_price(game, rng, size=1.0):
    """A price whose steps move the value by about as much as the terminal cost does."""
    free = (~game.grid.mask).astype(float).reshape(game.shape)
    return size * max(game.terminal_cost.max(), 1e-3) / 0.5 * rng.standard_normal((game.steps + 1, *game.shape)) * free


properties = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# -- an independent reference: dense matrices, one loop over cells ---------------------------------------------------


def faces(grid):
    """Every open face, once per direction: (cell, neighbour, axis) as flat indices."""
    found = []
    for here in np.ndindex(grid.shape):
        for axis, of in enumerate(grid.axes):
            for side in (1, -1):
                there = list(here)
                there[axis] += side
                if of.periodic:
                    there[axis] %= of.cells
                if 0 <= there[axis] < of.cells and not grid.mask[here] and not grid.mask[tuple(there)]:
                    flat = np.ravel_multi_index(np.array([here, there]).T, grid.shape)
                    found.append((int(flat[0]), int(flat[1]), axis))
    return found


def dense_noise(game):
    """N = N_x N_y N_z of inverses, or I + nu dt Lap."""
    dynamics, grid = game.problem.dynamics, game.grid
    size, one = grid.size, np.eye(grid.size)
    laplacian = np.zeros((grid.ndim, size, size))
    for here, there, axis in faces(grid):
        rate = dynamics.viscosity * game.dt / grid.axes[axis].spacing ** 2
        laplacian[axis, here, there] += rate
        laplacian[axis, here, here] -= rate
    if dynamics.noise == "explicit":
        return one + laplacian.sum(0)
    result = one
    for axis in range(grid.ndim):  # array order z, y, x: z acts first
        result = np.linalg.inv(one - laplacian[axis]) @ result
    return result


def dense_respond(game, price):
    """Transition matrices, running costs of moving, capped cells, W and V_0, written from the formulas."""
    grid, dt, c = game.grid, game.dt, game.problem.dynamics.hamiltonian.weight
    spread, links = dense_noise(game), faces(grid)
    free = ~grid.mask.ravel()
    value = game.terminal_cost.ravel() + game.weights[-1] * price[-1].ravel()
    moves, paid, capped, ahead = [], [], [], []
    for t in range(game.steps - 1, -1, -1):
        w = spread @ value
        matrix, cost, bound = np.eye(grid.size), np.zeros(grid.size), np.zeros(grid.size, dtype=bool)
        for here, there, axis in links:
            h = grid.axes[axis].spacing
            cap = h / (2 * grid.ndim * dt)
            s = np.clip((w[here] - w[there]) / (h * c), 0.0, cap)
            matrix[here, there] += dt * s / h
            matrix[here, here] -= dt * s / h
            cost[here] += dt * c * s**2 / 2
            bound[here] |= s == cap
        value = np.where(free, game.weights[t] * price[t].ravel() + cost + matrix @ w, 0.0)
        for kept, new in zip((moves, paid, capped, ahead), (matrix, cost, bound, w), strict=True):
            kept.insert(0, new)
    return moves, paid, capped, ahead, value, spread


def free_part(game, levels):
    return np.where(game.grid.mask.ravel(), 0.0, levels.reshape(len(levels), -1))


# -- tests -----------------------------------------------------------------------------------------------------------


@properties
@given(games())
def test_backward_forward_movement_equal_dense_reference(case):
    game, rng = case
    price = random_price(game, rng)
    moves, paid, capped, ahead, value, spread = dense_respond(game, price)
    response = game.respond(price)
    size = np.abs(value).max() + np.abs(ahead).max()
    np.testing.assert_allclose(free_part(game, response.policy), free_part(game, np.array(ahead)), atol=1e-12 * size)
    np.testing.assert_allclose(response.value.ravel(), value, atol=1e-12 * size)
    assert response.mean_value == pytest.approx(float((game.initial_mass.ravel() * value).sum()), abs=1e-12 * size)

    mass = [game.initial_mass.ravel()]
    for matrix in moves:
        mass.append(spread.T @ (matrix.T @ mass[-1]))
    flow = game.flow(response.policy)
    np.testing.assert_allclose(flow.reshape(len(flow), -1), mass, atol=1e-13)

    cost, _, _, share = game.cost(game.policy_of(response.policy), flow)
    assert cost == pytest.approx(sum(float(m @ p) for m, p in zip(mass, paid, strict=False)), rel=1e-10, abs=1e-14)
    near = [float(m @ b) for m, b in zip(mass, capped, strict=False)]
    assert share == pytest.approx(sum(near) / game.steps, abs=1e-12)


def test_cap_binds_and_is_reported():
    game = make_game((5, 6), (False, True), 0.0, "implicit", 0.01, 3, seed=3, speed=50.0)
    response = game.respond(np.zeros((4, *game.shape)))
    flow = game.flow(response.policy)
    share = game.cost(game.policy_of(response.policy), flow).capped
    assert 0.1 < share <= 1.0
    slow = make_game((5, 6), (False, True), 0.0, "implicit", 0.01, 3, seed=3, speed=0.9)
    response = slow.respond(np.zeros((4, *game.shape)))
    assert slow.cost(slow.policy_of(response.policy), slow.flow(response.policy)).capped == 0.0


@properties
@given(games())
def test_respond_may_overwrite_its_price(case):
    game, rng = case
    price = random_price(game, rng)
    apart = game.respond(price)
    within = game.respond(price, out=price[: game.steps])
    np.testing.assert_array_equal(within.policy, apart.policy)
    np.testing.assert_array_equal(within.value, apart.value)


@properties
@given(games())
def test_push_is_transpose_of_expect(case):
    """<push(m), v> = <m, expect(v)> at any policy, any m and v, to round-off."""
    game, rng = case
    free = ~game.grid.mask.reshape(game.shape)
    ahead = game.respond(random_price(game, rng)).policy[:1]
    mass = np.zeros((2, *game.shape))
    mass[0] = rng.standard_normal(game.shape) * free
    kolmogorov.forward(ahead, mass, game.scheme)
    v = rng.standard_normal(game.shape)
    spread, expected = np.empty(game.shape), np.empty(game.shape)
    noise.noise(v.copy(), spread, game.scheme, False)
    none = (np.empty((0, 1, 1)), np.empty((0, 1, 1)), 0.0, 0.0)
    tangent.bellman_change(ahead[0], spread, np.zeros(game.shape), np.ones(game.shape), expected, none, 0, game.scheme)
    size = np.abs(mass[0]).sum() * np.abs(v).max()
    assert float((mass[1] * v).sum()) == pytest.approx(float((mass[0] * expected).sum()), abs=20 * EPSILON * size)


@properties
@given(games())
def test_curvature_is_symmetric_and_negative(case):
    game, rng = case
    response = game.respond(random_price(game, rng))
    mass = game.flow(response.policy)
    u, v = rng.standard_normal((2, game.steps + 1, *game.shape))
    ku = -game.curvature(response.policy, mass, u, identity=0.0)
    kv = -game.curvature(response.policy, mass, v, identity=0.0)
    size = np.abs(ku).sum() + np.abs(kv).sum() + EPSILON
    assert float((v * ku).sum()) == pytest.approx(float((u * kv).sum()), abs=1e-12 * size)
    assert float((u * ku).sum()) <= 1e-13 * size
    assert np.abs(ku.reshape(len(ku), -1).sum(axis=1)).max() <= 1e-13 * size  # mass is moved, never made

    scale, identity = rng.random(u.shape), 0.3
    whole = game.curvature(response.policy, mass, u, scale, identity=identity)
    parts = identity * u + game.curvature(response.policy, mass, scale * u, identity=0.0)
    np.testing.assert_allclose(whole, parts, atol=1e-12 * (size + 1))


@settings(properties, derandomize=True)  # a step across a kink (a speed at 0 or at its cap) is rare, not impossible
@given(games())
def test_curvature_is_derivative_of_the_flow(case):
    """K d = d/de flow(respond(price + e d / weight)), by central differences."""
    game, rng = case
    price, direction = random_price(game, rng, 0.3), random_price(game, rng)
    small = 1e-7
    if not game.weights[-1]:
        direction[-1] = 0.0
    ends = [game.flow(game.respond(price + sign * small * direction).policy) for sign in (1.0, -1.0)]
    response = game.respond(price)
    weighted = direction * game.weights[:, None, None, None]
    change = -game.curvature(response.policy, game.flow(response.policy), weighted, identity=0.0)
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * small), change, atol=1e-6 * (1 + np.abs(change).max()))


@properties
@given(games())
def test_mass_is_kept_positive_and_out_of_blocked_cells(case):
    game, rng = case
    flow = game.flow(game.respond(random_price(game, rng)).policy)
    assert np.abs(flow.reshape(len(flow), -1).sum(axis=1) - 1.0).max() <= 1e-12
    assert flow.min() >= -1e-15
    assert not flow.reshape(len(flow), -1)[:, game.grid.mask.ravel()].any()


@properties
@given(games())
def test_noise_is_product_of_inverses(case):
    game, rng = case
    matrix, field = dense_noise(game), rng.standard_normal(game.shape)
    out, back, kept = np.empty(game.shape), np.empty(game.shape), field.copy()
    exact, transposed = matrix @ field.ravel(), matrix.T @ field.ravel()
    noise.noise(field, out, game.scheme, False)
    noise.noise(kept, back, game.scheme, True)
    np.testing.assert_allclose(out.ravel(), exact, atol=1e-12)
    np.testing.assert_allclose(back.ravel(), transposed, atol=1e-12)
    noise.noise(np.ones(game.shape), out, game.scheme, False)
    np.testing.assert_allclose(out, 1.0, atol=1e-13)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_noise_factors_invert_the_tridiagonal(periodic, masked):
    """The documented recurrences with the stored factors solve (I - nu dt Lap) u = v."""
    mask = np.zeros((1, 1, 9), dtype=bool)
    mask[0, 0, 4] = masked
    pivot, lower, upper, wrap = noise_factors(mask, 2, 0.8, periodic)[:, 0, 0]
    one = np.eye(9)
    for i in range(9):
        one[i] = pivot[i] * one[i] + (lower[i] * one[i - 1] if i else 0.0)
    for i in range(7, -1, -1):
        one[i] += upper[i] * one[i + 1]
    one = one - wrap[:, None] * (one[0] - one[-1])[None] if periodic else one
    matrix = np.eye(9)
    for i, j in [*pairwise(range(9))] + ([(8, 0)] if periodic else []):
        if not (mask[0, 0, i] or mask[0, 0, j]):
            matrix[[i, j], [i, j]] += 0.8
            matrix[[i, j], [j, i]] -= 0.8
    np.testing.assert_allclose(one @ matrix, np.eye(9), atol=1e-14)


@properties
@given(games(blocked=False), st.integers(1, 5))
def test_periodic_axes_do_not_know_their_origin(case, shift):
    game, rng = case
    axes = [3 - game.grid.ndim + k for k, axis in enumerate(game.grid.axes) if axis.periodic]
    price = random_price(game, rng)
    response = game.respond(price)
    flow = game.flow(response.policy)
    u = rng.standard_normal(price.shape)
    answer = game.curvature(response.policy, flow, u)

    def rolled(array):
        return np.roll(array, [shift] * len(axes), [a - 3 for a in axes])

    game.initial_mass, game.terminal_cost = rolled(game.initial_mass), rolled(game.terminal_cost)
    moved = game.respond(rolled(price))
    size = np.abs(response.policy).max() + 1.0
    np.testing.assert_allclose(moved.policy, rolled(response.policy), atol=1e-12 * size)
    np.testing.assert_allclose(game.flow(rolled(response.policy)), rolled(flow), atol=1e-13)
    again = game.curvature(rolled(response.policy), rolled(flow), rolled(u))
    np.testing.assert_allclose(again, rolled(answer), atol=1e-11 * np.abs(answer).max())


@pytest.mark.slow
@properties
@given(games(), st.integers(2, 5))
def test_threads_change_no_bit(case, parts):
    game, rng = case
    split = game.scheme._replace(parts=parts)
    price = random_price(game, rng)
    response = game.respond(price)
    value, ahead = game.terminal_cost + game.weights[-1] * price[-1], np.empty_like(response.policy)
    bellman.backward_parallel(price, game.weights, value, ahead, split)
    np.testing.assert_array_equal(ahead, response.policy)

    flow = game.flow(response.policy)
    mass = np.empty_like(flow)
    mass[0] = flow[0]
    kolmogorov.forward_parallel(ahead, mass, split)
    np.testing.assert_array_equal(mass, flow)

    u, scale = rng.standard_normal(flow.shape), rng.random(flow.shape)
    answer = np.empty_like(flow)
    none = np.empty((0, 1, 1, 1))
    tangent.curvature_parallel(ahead, mass, u, scale, answer, 1.0, none, none, 0.0, 0.0, split)
    np.testing.assert_array_equal(answer, game.curvature(ahead, mass, u, scale))


def test_two_threads_give_the_same_game():
    serial = make_game((23, 37), (False, True), 0.1, "implicit", 0.02, 4, seed=5)
    shared = Game(serial.problem, threads=2)
    price = random_price(serial, np.random.default_rng(6))
    one, two = serial.respond(price), shared.respond(price)
    np.testing.assert_array_equal(one.policy, two.policy)
    flow = serial.flow(one.policy)
    np.testing.assert_array_equal(flow, shared.flow(one.policy))
    np.testing.assert_array_equal(serial.curvature(one.policy, flow, price), shared.curvature(one.policy, flow, price))


@properties
@given(games())
def test_mean_value_is_what_the_flow_pays(case):
    """<m_0, V_0> = movement + sum_t weight_t <price_t, m_t> + <g, m_T>."""
    game, rng = case
    price = random_price(game, rng)
    response = game.respond(price)
    flow = game.flow(response.policy)
    parts = (
        game.cost(game.policy_of(response.policy), flow).cost,
        game.crowd_totals(price, flow)[0],
        game.terminal_total(flow),
    )
    assert response.mean_value == pytest.approx(math.fsum(parts), abs=1e-12 * sum(map(abs, parts)) + 1e-15)


def test_wider_grids_take_the_same_road():
    """Rows longer than a vector register and more rows than one block, against the dense reference."""
    for sizes, density in (((19, 21), 0.0), ((21, 19), 0.15), ((3, 9, 17), 0.0), ((3, 9, 17), 0.1), ((150,), 0.0)):
        for periodic in (False, True):
            game = make_game(sizes, (periodic,) * len(sizes), density, "implicit", 0.05, 1, seed=9)
            price = random_price(game, np.random.default_rng(10))
            moves, _, _, ahead, value, spread = dense_respond(game, price)
            response = game.respond(price)
            np.testing.assert_allclose(free_part(game, response.policy), free_part(game, np.array(ahead)), atol=1e-12)
            np.testing.assert_allclose(response.value.ravel(), value, atol=1e-12)
            flow = game.flow(response.policy)
            np.testing.assert_allclose(flow[1].ravel(), spread.T @ (moves[0].T @ flow[0].ravel()), atol=1e-14)
