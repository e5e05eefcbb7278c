"""Lattices, cell by cell: walls, jumps and noise against dense matrices, for random lattices of one to three axes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from finite_games import dense_backward, dense_cost, dense_flow, random_policy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.games import Game

properties = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def landing(grid, cell, offset, walls):
    """Where a displacement (x, y, ...) leads, axis by axis, and whether a wall was in the way."""
    target, free = list(cell), True
    for k, step in enumerate(reversed(offset)):
        axis, target[k] = grid.axes[k], cell[k] + step
        if axis.periodic:
            target[k] %= axis.cells
        elif not 0 <= target[k] < axis.cells:
            target[k], free = min(max(target[k], 0), axis.cells - 1), False
    if grid.mask[tuple(target)] or grid.mask[cell]:
        return cell, False
    return tuple(target), free


def dense_noise(grid, rate):
    """prod of (I - rate Lap)^-1 by axis, or I + rate Lap with ``explicit``, from the faces between free cells."""
    size = grid.size
    laplacian = np.zeros((grid.ndim, size, size))
    for cell in np.ndindex(grid.shape):
        for k, side in itertools.product(range(grid.ndim), (1, -1)):
            offset = [0] * grid.ndim
            offset[grid.ndim - 1 - k] = side
            here = np.ravel_multi_index(cell, grid.shape)
            there = np.ravel_multi_index(landing(grid, cell, offset, "stay")[0], grid.shape)
            laplacian[k, here, there] += 1 / grid.axes[k].spacing ** 2
            laplacian[k, here, here] -= 1 / grid.axes[k].spacing ** 2
    implicit = np.eye(size)
    for part in laplacian:
        implicit = np.linalg.inv(np.eye(size) - rate * part) @ implicit
    return implicit, np.eye(size) + rate * laplacian.sum(axis=0)


def dense_lattice(dynamics, grid, dt):
    """P (A, S, S), moves then jumps then noise, and the allowed moves (A, S), cell by cell."""
    actions, size = len(dynamics.moves), grid.size
    chance, allowed = np.zeros((actions, size, size)), np.ones((actions, size), dtype=bool)
    for a, move in enumerate(dynamics.moves):
        for cell in np.ndindex(grid.shape):
            here = np.ravel_multi_index(cell, grid.shape)
            target, free = landing(grid, cell, move, dynamics.walls)
            if dynamics.walls == "forbid" and not free and not grid.mask[cell]:
                allowed[a, here] = False
            for jump, probability in dynamics.jumps:
                end = landing(grid, target, jump, "stay")[0]
                chance[a, here, np.ravel_multi_index(end, grid.shape)] += probability
    implicit, explicit = dense_noise(grid, dynamics.viscosity * dt)
    return chance @ (implicit if dynamics.noise == "implicit" else explicit), allowed


SIZES = {1: (2, 6), 2: (2, 4), 3: (2, 3)}


@st.composite
def lattices(draw):
    """A lattice game with random everything, and a generator."""
    ndim = draw(st.sampled_from([1, 2, 3]))
    sizes = tuple(draw(st.integers(*SIZES[ndim])) for _ in range(ndim))
    boundary = [draw(st.sampled_from(["reflecting", "periodic"])) for _ in range(ndim)]
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    blocked = rng.random(sizes) < draw(st.sampled_from([0.0, 0.3]))
    blocked.flat[0] = False
    grid = mfg.Grid.box(sizes, [(0.0, 1.0 + k) for k in range(ndim)], boundary, blocked=blocked)
    steps, offsets = 3, list(itertools.product([-2, -1, 0, 1, 2], repeat=ndim))
    dt = 0.5 / steps
    noise = draw(st.sampled_from(["implicit", "explicit"]))
    most = 1 / (2 * dt * sum(a.spacing**-2 for a in grid.axes))
    picked = [offsets[k] for k in rng.choice(len(offsets), size=min(4, len(offsets)), replace=False)]
    moves = [(0,) * ndim] + [move for move in picked if any(move)]
    jumps = None
    if draw(st.booleans()):
        jumps = {offsets[k]: 1 / 3 for k in rng.choice(len(offsets), size=3, replace=False)}
    dynamics = mfg.LatticeMoves(
        moves, tuple(rng.normal(size=len(moves))), viscosity=draw(st.sampled_from([0.0, 0.6])) * most, noise=noise,
        jumps=jumps, walls=draw(st.sampled_from(["stay", "forbid"])), temperature=draw(st.sampled_from([0.0, 0.4])),
    )  # fmt: skip
    start = np.where(
        blocked, 0.0, rng.random(sizes) * (rng.random(sizes) < 0.7) + np.eye(1, blocked.size).reshape(sizes)
    )
    problem = mfg.Problem(
        grid=grid, time=mfg.TimeGrid(0.5, steps), dynamics=dynamics, initial=start, normalise=True,
        coupling=mfg.CrowdAversion(0.4) + mfg.CrowdAversion(0.2, on="occupation"), terminal=rng.normal(size=sizes),
        terminal_coupling=mfg.CrowdAversion(0.3) if draw(st.booleans()) else None,
    )  # fmt: skip
    return problem, rng


@properties
@given(lattices())
def test_lattice_sweeps_equal_dense_matrices_and_are_adjoint(case):
    problem, rng = case
    game = Game(problem)
    chance, allowed = dense_lattice(problem.dynamics, problem.grid, game.dt)
    np.testing.assert_array_equal(game.step.allowed, allowed)
    np.testing.assert_allclose(chance.sum(axis=2), 1.0, atol=1e-12)
    price = rng.normal(size=(game.steps + 1, game.width))
    size = game.cells
    choices = price[:-1, size:].reshape(game.steps, game.step.actions, size)
    cost = np.where(allowed, np.array(problem.dynamics.costs)[:, None], 0.0) + game.dt * choices
    crowd = game.weights[:, None] * price[:, :size]
    last = crowd[-1] + problem.terminal_cost().ravel()
    chances = np.broadcast_to(chance, (game.steps, *chance.shape))
    value, policy = dense_backward(chances, cost, crowd, allowed, game.step.entropy_cost[0], last)
    response = game.respond(price)
    np.testing.assert_allclose(response.value, value[0], atol=1e-11)
    np.testing.assert_allclose(game.flat(game.values(price))[:, ~problem.grid.mask.ravel()],
                               value[:, ~problem.grid.mask.ravel()], atol=1e-11)  # fmt: skip
    assert response.mean_value == pytest.approx(float(game.initial_mass @ value[0]), abs=1e-12)
    if game.step.entropy_cost[0]:
        np.testing.assert_allclose(response.policy, policy, atol=1e-10)

    mine = random_policy(rng, allowed, game.steps)
    seen, mass = game.flow(mine), dense_flow(chances, mine, game.initial_mass)
    np.testing.assert_allclose(seen[:, :size], mass, atol=1e-13)
    np.testing.assert_allclose(seen[:-1, size:].reshape(mine.shape), mine * mass[:-1, None], atol=1e-13)
    assert game.mass_error(seen) < 1e-13
    assert np.abs(game.mass(seen)[:, problem.grid.mask]).max(initial=0.0) == 0.0
    backward, q = game.evaluate(mine, price)
    assert game.initial_mass @ backward[0] == pytest.approx(
        dense_cost(mine, mass, cost, crowd, game.step.entropy_cost[0], last), abs=1e-11
    )
    np.testing.assert_allclose(q[-1], cost[-1] + chance @ last, atol=1e-11)


@pytest.mark.parametrize("edges", [None, [0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.2, 0.5, 0.75, 1.0]])
def test_explicit_noise_is_refused_where_a_cell_would_give_away_more_than_it_has(edges):
    """nu dt (sum of 1 / h^2 to both sides) <= 1: at four cells of 1/4, 32 nu dt; uneven ones have their own rates."""
    grid = mfg.Grid.box((4,)) if edges is None else mfg.Grid((mfg.Axis.from_edges("x", edges),))

    def made(viscosity):
        dynamics = mfg.LatticeMoves((0, 1), viscosity=viscosity, noise="explicit")
        return Game(mfg.Problem(grid, mfg.TimeGrid(1.0, 1), dynamics, 0.0, 1.0))

    most = 1 / 32
    if edges is not None and edges[1] == 0.2:  # rates (face / distance of centres) / width, of the cell that gives most
        most = 1 / (1 / 0.25 / 0.25 + 1 / 0.275 / 0.25)
    landing = made(most * (1 - 1e-9)).step.transitions.matrix(0, 4).toarray()
    assert landing.min() >= 0
    np.testing.assert_allclose(landing.sum(axis=1), 1.0, atol=1e-14)
    with pytest.raises(mfg.InputError, match=r"explicit noise needs nu dt sum 2/h\^2 <= 1 and has 1\.0"):
        made(most * 1.01)
