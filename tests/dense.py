"""Random games on grids, and their sweeps by dense matrices, one loop over cells."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mfgsolve.couplings import CrowdAversion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.games import Game
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels import noise, tangent
from mfgsolve.problem import Problem

CELLS = {1: (2, 12), 2: (2, 7), 3: (2, 4)}


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
        dynamics=ControlledDiffusion(viscosity, cost, "implicit" if kind == "none" else kind, scheme="upwind"),
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
    free = (~game.grid.mask).astype(float).reshape(game.step.shape)
    return (
        size
        * max(game.terminal_cost.max(), 1e-3)
        / 0.5
        * rng.standard_normal((game.steps + 1, *game.step.shape))
        * free
    )


properties = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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


def expect(game, ahead, value):
    """By the kernels: the mean of a value one step on, noise included, under the policy of the first step."""
    spread, expected = np.empty(game.step.shape), np.empty(game.step.shape)
    noise.noise(value.copy(), spread, game.step.scheme, False)
    none = (np.empty((0, 1, 1)), np.empty((0, 1, 1)), 0.0, 0.0)
    nothing, all_ = np.zeros(game.step.shape), np.ones(game.step.shape)
    tangent.bellman_change(ahead, spread, nothing, all_, expected, none, 0, game.step.scheme)
    return expected
