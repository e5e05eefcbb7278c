"""The entropic step by dense matrices of logarithms, from its formulas alone: walkers that turn round at walls.

a_t = -eps log sum_y exp(log N(x, y) - v_{t+1}(y) / eps)
q(y | x) = exp(log N(x, y) + (a_t(x) - v_{t+1}(y)) / eps)
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from hypothesis import strategies as st
from scipy.special import logsumexp

import mfgsolve as mfg
from mfgsolve.games import Game

CELLS = {1: (2, 12), 2: (2, 6), 3: (2, 4)}


def walked(grid: mfg.Grid, axis: int, strides: int) -> np.ndarray:
    """Flat numbers of the cells where those who go ``strides`` along an axis end; a stride into a wall turns them round
    on the spot."""
    ends = np.empty(grid.size, dtype=int)
    for start in np.ndindex(grid.shape):
        here, way = list(start), 1 if strides > 0 else -1
        for _ in range(abs(strides)):
            there = here.copy()
            there[axis] += way
            if grid.axes[axis].periodic:
                there[axis] %= grid.shape[axis]
            if 0 <= there[axis] < grid.shape[axis] and not grid.mask[tuple(there)] and not grid.mask[start]:
                here = there
            else:
                way = -way
        ends[np.ravel_multi_index(start, grid.shape)] = np.ravel_multi_index(tuple(here), grid.shape)
    return ends


def log_noise(grid: mfg.Grid, axis: int, variance: float, reach: int) -> np.ndarray:
    """log N (cells, cells) along one axis."""
    table, cells = np.full((grid.size, grid.size), -np.inf), np.arange(grid.size)
    exponents = -0.5 * (np.arange(-reach, reach + 1) * grid.axes[axis].spacing) ** 2 / variance
    exponents = exponents - logsumexp(exponents)
    for strides, exponent in zip(range(-reach, reach + 1), exponents, strict=True):
        ends = walked(grid, axis, strides)
        table[cells, ends] = np.logaddexp(table[cells, ends], exponent)
    return table


def after_one_another(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """log (exp first @ exp then)."""
    return np.array([logsumexp(row[:, None] + then, axis=0) for row in first])


class Dense:
    """Sweeps of a game of one controlled diffusion; levels are flat."""

    def __init__(self, game: Game, viscosity: float, control_cost: float, reach: int):
        grid, self.game = game.grid, game
        assert isinstance(grid, mfg.Grid)
        lines = [log_noise(grid, k, 2 * viscosity * game.dt, reach) for k in range(grid.ndim)]
        self.noise = [reduce(after_one_another, lines), reduce(after_one_another, lines[::-1])]  # even, odd steps
        self.eps = (
            2 * viscosity * control_cost * np.exp(-game.time.discount * (game.time.nodes[:-1] + game.time.dt / 2))
        )

    def respond(self, price: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """V (T+1, cells), a (T, cells) and the laws (T, cells, cells)."""
        game, rate = self.game, price.reshape(len(price), -1)
        values, soft = np.empty_like(rate), np.empty((game.steps, game.cells))
        laws = np.empty((game.steps, game.cells, game.cells))
        values[-1] = game.terminal_cost.reshape(-1) + game.weights[-1] * rate[-1]
        for t in range(game.steps - 1, -1, -1):
            exponent = self.noise[t % 2] - values[t + 1] / self.eps[t]
            total = logsumexp(exponent, axis=1)
            soft[t], laws[t] = -self.eps[t] * total, np.exp(exponent - total[:, None])
            values[t] = game.weights[t] * rate[t] + soft[t]
        return values, soft, laws

    def flow(self, laws: np.ndarray) -> np.ndarray:
        """Masses (T+1, cells)."""
        mass = [self.game.initial_mass.reshape(-1)]
        for law in laws:
            mass.append(mass[-1] @ law)
        return np.array(mass)

    def cost(self, laws: np.ndarray, mass: np.ndarray) -> float:
        """sum_t eps <m_t, KL(q || N)>."""
        paid = 0.0
        for t, law in enumerate(laws):
            used = law > 0
            ratio = np.log(np.where(used, law, 1.0)) - np.where(used, self.noise[t % 2], 0.0)
            paid += self.eps[t] * float(mass[t] @ (law * ratio).sum(axis=1))
        return paid

    def change(self, laws: np.ndarray, mass: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Change of the masses when what is paid at each node changes by ``direction``."""
        rate = direction.reshape(len(direction), -1)
        after, value = [], rate[-1]
        for t in range(len(laws) - 1, -1, -1):
            after.insert(0, value)
            value = rate[t] + laws[t] @ value
        moved = [np.zeros_like(rate[0])]
        for t, law in enumerate(laws):
            tilted = law * ((law @ after[t])[:, None] - after[t][None]) / self.eps[t]
            moved.append(moved[-1] @ law + mass[t] @ tilted)
        return np.array(moved)


@st.composite
def games(draw, widths=(0.45, 0.8, 2.0), discounts=(0.0, 0.7)):
    """Random games of one to three axes, with walls; with what `Dense` needs beside, and a generator."""
    ndim = draw(st.sampled_from((1, 2, 3)))
    sizes = tuple(draw(st.lists(st.integers(*CELLS[ndim]), min_size=ndim, max_size=ndim)))
    boundary = draw(st.lists(st.sampled_from(["periodic", "reflecting"]), min_size=ndim, max_size=ndim))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    blocked = random.random(sizes) < draw(st.sampled_from([0.0, 0.2, 0.5]))
    blocked.flat[random.integers(blocked.size)] = False
    initial = np.where(blocked, 0.0, random.random(sizes) * (random.random(sizes) < 0.7))
    initial.flat[np.flatnonzero(~blocked)[0]] += 1.0
    bounds = [(0.0, 0.1 * n * random.uniform(1.0, 1.2)) for n in sizes]
    grid = mfg.Grid.box(sizes, bounds, boundary, blocked=blocked)
    steps, reach = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    widest = max(axis.spacing for axis in grid.axes)
    viscosity = (draw(st.sampled_from(widths)) * widest) ** 2 / (2 * 0.5 / steps)
    problem = mfg.Problem(
        grid=grid,
        time=mfg.TimeGrid(0.5, steps, discount=draw(st.sampled_from(discounts))),
        dynamics=mfg.ControlledDiffusion(viscosity, 0.7, scheme="entropic", reach=reach),
        coupling=mfg.CrowdAversion(0.3),
        initial=initial,
        normalise=True,
    )
    game = Game(problem, threads=1)
    return game, Dense(game, viscosity, 0.7, reach), random


def random_price(game: Game, entropy: float, size: float, random: np.random.Generator) -> np.ndarray:
    """Prices that move the value by ``size`` eps in each step: rough ones, or slopes along the axes."""
    levels = random.standard_normal((game.steps + 1, *game.grid.shape))
    if random.random() < 0.5:
        ramps = np.meshgrid(*(np.linspace(0, random.normal(), n) for n in game.grid.shape), indexing="ij")
        levels = random.standard_normal((game.steps + 1, *(1,) * game.grid.ndim)) * sum(ramps)
    levels[:, game.grid.mask] = 0.0
    rate = levels * size * entropy / game.dt
    return np.ascontiguousarray(rate.reshape(game.steps + 1, *game.step.shape))
