"""A certificate in plain NumPy, apart from the package: dense arrays, one loop over time, from the definitions.

Nothing of the package is imported here, so that what it certifies can be compared with what is found below:

    cost J(pi; m) = own + sum_t weight_t <f_t(m), m_t> + <g, m_T>,     exploitability = J(pi; m) - min_pi' J(pi'; m)

with m the flow of pi.  Agents pay multipliers of hard bounds besides, and what is paid for a bound that does not bind
is added.  ``scale`` is what pi pays in own, coupling and terminal costs, each less its least value at that time over
what is allowed in each population (the entropy in absolute value), and no less than the crowd's effect
sum_t weight_t <|f_t(m) - f_t(w m)|, m_t>; ``size`` is the sum of absolute values, to which round-off is relative.

Finite games have arrays (action, population, state); controlled diffusions have the shape of their grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Found:
    """What was found of a policy."""

    flow: np.ndarray  # mass, levels first
    cost: float
    best: float
    slack: float
    scale: float
    size: float
    violation: float

    @property
    def exploitability(self) -> float:
        return self.cost - self.best + self.slack

    @property
    def relative(self) -> float:
        return self.exploitability / self.scale if self.scale > 0 else 0.0 if self.exploitability == 0 else np.nan


@dataclass
class Price:
    """A price f(k, A) of the aggregate A = sum amounts w, with bounds of A at every step."""

    amounts: np.ndarray  # (A, P, S)
    cost: Callable[[int, float], float]
    low: float = -np.inf
    high: float = np.inf


@dataclass
class Finite:
    """States of several populations, actions, any couplings."""

    start: np.ndarray  # (P, S) mass
    move: Any  # (T, A, P, S, S), or a function (k, mass) -> (A, P, S, S)
    own: np.ndarray  # (T, A, P, S)
    allowed: np.ndarray  # (A, P, S)
    terminal: np.ndarray  # (P, S)
    dt: float = 1.0
    temperature: float = 0.0
    volume: float = 1.0
    state: list[Callable[[int, np.ndarray], np.ndarray]] = field(default_factory=list)  # of (k, density (P, S))
    occupation: list[Callable[[int, np.ndarray], np.ndarray]] = field(default_factory=list)  # (k, density (A, P, S))
    prices: list[Price] = field(default_factory=list)
    last: Callable[[np.ndarray], np.ndarray] | None = None  # terminal coupling, of the density
    caps: np.ndarray | None = None  # (T + 1, P, S) densities, inf where nothing is capped
    free: np.ndarray | None = None  # (P, S), where agents may be; None is everywhere

    @property
    def steps(self) -> int:
        return self.own.shape[0]

    def matrices(self, k: int, mass: np.ndarray) -> np.ndarray:
        return self.move(k, mass) if callable(self.move) else self.move[min(k, len(self.move) - 1)]


def _spread(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Values (..., P, S) less their least in each population, over all that is allowed."""
    out = np.zeros_like(values)
    for p in range(values.shape[-2]):
        part = where[..., p, :]
        out[..., p, :] = np.where(part, values[..., p, :] - values[..., p, :][part].min(), 0.0)
    return out


def _summed(functions: list[Any], k: int, density: np.ndarray) -> np.ndarray:
    return sum((np.asarray(f(k, density)) for f in functions), np.zeros(density.shape))


def finite_flow(game: Finite, policy: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Mass (T + 1, P, S) of agents that follow the policy (T, A, P, S), and the transitions that they met."""
    mass, met = [game.start], []
    for k in range(game.steps):
        met.append(game.matrices(k, mass[-1]))
        mass.append(np.einsum("aps,apsy->py", policy[k] * mass[-1], met[-1]))
    return np.array(mass), met


def uneven_crowd(size: int) -> np.ndarray:
    """The pattern between 1/2 and 1 by which a crowd is thinned, to see which of its costs are its own doing."""
    return 0.5 + 0.5 * (np.arange(1, size + 1) * (np.sqrt(5) - 1) / 2 % 1.0)


def finite(
    game: Finite, policy: np.ndarray, multiplier: np.ndarray | None = None, bound_price: np.ndarray | None = None
) -> Found:
    """Certificate of a policy (T, A, P, S); ``multiplier`` (T + 1, P, S) and ``bound_price`` (T, prices) of bounds."""
    steps, dt, tau = game.steps, game.dt, game.temperature * game.dt
    mass, met = finite_flow(game, policy)
    free = np.ones(game.start.shape, dtype=bool) if game.free is None else game.free
    allowed = game.allowed & free
    toll = np.zeros_like(mass) if multiplier is None else multiplier
    cost = scale = size = slack = violation = effect = 0.0
    cells, choices = mass[0].size, policy[0].size if game.occupation else 0
    pattern = uneven_crowd(cells + choices + len(game.prices))
    uneven = pattern[:cells].reshape(mass[0].shape)
    uneven_choice = pattern[cells : cells + choices].reshape(policy[0].shape) if choices else 1.0

    def pay(values: np.ndarray, weight: np.ndarray, where: np.ndarray) -> float:
        nonlocal scale, size
        scale += float((_spread(values, where) * weight).sum())
        size += float(np.abs(values * weight).sum())
        return float((values * weight).sum())

    end = game.terminal
    cost += pay(end, mass[-1], free)
    if game.last is not None:
        crowd = np.asarray(game.last(mass[-1] / game.volume)) + toll[-1]
        effect += float((np.abs(crowd - toll[-1] - game.last(mass[-1] * uneven / game.volume)) * mass[-1]).sum())
        cost += pay(crowd, mass[-1], free)
        end = end + crowd
    value = end
    if game.caps is not None:
        weights = np.append(np.full(steps, dt), 0.0 if game.last is None else 1.0)
        bound = np.where(np.isfinite(game.caps), game.caps, 0.0)
        held = np.isfinite(game.caps) & (weights > 0)[:, None, None]
        over = (mass / game.volume - game.caps)[held] / np.maximum(game.caps[held], 1.0)
        violation = max(0.0, float(over.max(initial=0.0)))
        slack += float((weights[:, None, None] * toll * np.where(held, bound * game.volume - mass, 0.0)).sum())
    for k in reversed(range(steps)):
        w = policy[k] * mass[k]
        crowded, other = (_summed(game.state, k, part * mass[k] / game.volume) for part in (1.0, uneven))
        choice, less = (_summed(game.occupation, k, part * w / game.volume) for part in (1.0, uneven_choice))
        here = crowded + toll[k]
        effect += dt * float((np.abs(crowded - other) * mass[k]).sum() + (np.abs(choice - less) * w).sum())
        cost += pay(dt * here, mass[k], free) + pay(game.own[k], w, allowed) + pay(dt * choice, w, allowed)
        for j, price in enumerate(game.prices):
            amount = float((price.amounts * w).sum())
            extra = 0.0 if bound_price is None else float(bound_price[k, j])
            effect += dt * abs((price.cost(k, amount) - price.cost(k, amount * pattern[cells + choices + j])) * amount)
            priced = (price.cost(k, amount) + extra) * price.amounts
            cost, choice = cost + pay(dt * priced, w, allowed), choice + priced
            if np.isfinite(price.low):
                violation = max(violation, (price.low - amount) / max(abs(price.low), 1.0))
            if np.isfinite(price.high):
                violation = max(violation, (amount - price.high) / max(abs(price.high), 1.0))
            if extra:
                slack += dt * extra * ((price.high if extra > 0 else price.low) - amount)
        q = game.own[k] + dt * choice + np.einsum("apsy,py->aps", met[k], value)
        q = np.where(game.allowed, q, np.inf)
        least = q.min(axis=0)
        if tau > 0:
            logs = np.where(policy[k] > 0, np.log(np.where(policy[k] > 0, policy[k], 1.0)), 0.0)
            entropy = tau * w * logs
            cost += float(entropy.sum())
            scale += float(np.abs(entropy).sum())
            size += float(np.abs(entropy).sum())
            least = least - tau * np.log(np.exp(-(q - least) / tau).sum(axis=0))
        value = dt * here + least
    best = float((game.start * np.where(free, value, 0.0)).sum())
    return Found(mass, cost, best, slack, max(scale, effect), size, violation)


# -- controlled diffusions -------------------------------------------------------------------------------------------


@dataclass
class Diffusion:
    """The upwind scheme on a grid: speeds toward neighbours, then noise."""

    start: np.ndarray  # (*shape) mass
    terminal: np.ndarray
    spacing: tuple[float, ...]  # in the order of the shape
    periodic: tuple[bool, ...]
    blocked: np.ndarray
    dt: float
    steps: int
    viscosity: float
    implicit: bool
    control_cost: float
    running: list[Callable[[int, np.ndarray], np.ndarray]]
    last: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def volume(self) -> float:
        return float(np.prod(self.spacing))


def neighbours(shape: Any, periodic: Any, blocked: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """For x+, x-, y+, y-, ...: axis, number of the cell that way, and whether one can go there."""
    out = []
    for axis in reversed(range(len(shape))):
        for sign in (1, -1):
            index = np.indices(shape)
            moved = index[axis] + sign
            inside = np.ones(shape, dtype=bool) if periodic[axis] else (moved >= 0) & (moved < shape[axis])
            index[axis] = moved % shape[axis]
            target = np.ravel_multi_index(tuple(index), shape)
            able = inside & ~blocked & ~blocked.reshape(-1)[target]
            out.append((axis, target.reshape(-1), able.reshape(-1)))
    return out


def noise_matrix(
    shape: Any, spacing: Any, periodic: Any, blocked: np.ndarray, strength: float, implicit: bool
) -> np.ndarray:
    """N of one step as a dense matrix: N_x N_y N_z of implicit Euler steps, or I + nu dt Lap; strength = nu dt."""
    size = int(np.prod(shape))
    parts = []
    for axis in range(len(shape)):
        laplace = np.zeros((size, size))
        for along, target, able in neighbours(shape, periodic, blocked):
            if along == axis:
                here = np.flatnonzero(able)
                np.add.at(laplace, (here, target[here]), 1 / spacing[axis] ** 2)
                laplace[here, here] -= 1 / spacing[axis] ** 2
        parts.append(laplace)
    if not implicit:
        return np.eye(size) + strength * sum(parts)
    out = np.eye(size)
    for laplace in parts:  # the last axis, x, acts last on a value
        out = np.linalg.inv(np.eye(size) - strength * laplace) @ out
    return out


def diffusion(game: Diffusion, speed: np.ndarray) -> Found:
    """Certificate of speeds (T, move, *shape) toward the neighbours x+, x-, y+, y-, ..."""
    shape, dt, c = game.start.shape, game.dt, game.control_cost
    ways = neighbours(shape, game.periodic, game.blocked)
    noise = noise_matrix(shape, game.spacing, game.periodic, game.blocked, game.viscosity * dt, game.implicit)
    free = ~game.blocked.reshape(-1)
    speed = speed.reshape(game.steps, len(ways), -1)
    mass = [game.start.reshape(-1)]
    cost = scale = size = effect = 0.0
    for k in range(game.steps):
        moved = mass[-1].copy()
        for (axis, target, able), s in zip(ways, speed[k], strict=True):
            assert (s[~able] == 0).all()
            assert (s >= 0).all()
            assert (s <= game.spacing[axis] / (2 * len(shape) * dt) * (1 + 1e-12)).all()
            flux = dt * s / game.spacing[axis] * mass[-1]
            moved -= flux
            np.add.at(moved, target, flux)
            paid = float((dt * c * s**2 / 2 * mass[-1]).sum())
            cost, scale, size = cost + paid, scale + paid, size + paid
        mass.append(noise.T @ moved)
    density = [m.reshape(shape) / game.volume for m in mass]
    uneven = uneven_crowd(game.start.size).reshape(shape)

    def pay(values: np.ndarray, weight: np.ndarray) -> float:
        nonlocal scale, size
        scale += float(((values - values[free].min()) * weight)[free].sum())
        size += float(np.abs(values * weight)[free].sum())
        return float((values * weight)[free].sum())

    end = game.terminal.reshape(-1)
    cost += pay(end, mass[-1])
    if game.last is not None:
        crowd = np.asarray(game.last(density[-1])).reshape(-1)
        effect += float(
            (np.abs(crowd - np.asarray(game.last(density[-1] * uneven)).reshape(-1)) * mass[-1])[free].sum()
        )
        cost += pay(crowd, mass[-1])
        end = end + crowd
    value = end
    for k in reversed(range(game.steps)):
        crowd, other = (dt * _summed(game.running, k, part * density[k]).reshape(-1) for part in (1.0, uneven))
        effect += float((np.abs(crowd - other) * mass[k])[free].sum())
        cost += pay(crowd, mass[k])
        after = noise @ np.where(free, value, 0.0)
        value = crowd + after
        for axis, target, able in ways:
            h = game.spacing[axis]
            drop = np.where(able, after - after[target], 0.0) / h
            s = np.clip(drop / c, 0.0, h / (2 * len(shape) * dt))
            value = value + dt * (c * s**2 / 2 - s * drop)
    best = float((game.start.reshape(-1) * np.where(free, value, 0.0)).sum())
    return Found(np.array(mass).reshape(-1, *shape), cost, best, 0.0, max(scale, effect), size, 0.0)


# -- matrices of lattice moves ---------------------------------------------------------------------------------------


def shift_matrix(shape: Any, periodic: Any, blocked: np.ndarray, offset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Where a displacement (x, y, ...) leads, and whether no wall was in the way.

    A coordinate that would leave the box stops at its last cell; a blocked cell is not entered at all.
    """
    cells = list(itertools.product(*(range(n) for n in shape)))
    matrix, inside = np.zeros((len(cells), len(cells))), np.ones(len(cells), dtype=bool)
    for row, cell in enumerate(cells):
        goal = []
        for axis, (n, ring) in enumerate(zip(shape, periodic, strict=True)):
            wish = cell[axis] + offset[len(shape) - 1 - axis]
            inside[row] &= ring or 0 <= wish < n
            goal.append(wish % n if ring else min(max(wish, 0), n - 1))
        shut = bool(blocked[tuple(goal)] or blocked[cell])
        inside[row] &= not shut
        matrix[row, row if shut else cells.index(tuple(goal))] = 1.0
    return matrix, inside


def lattice_matrices(
    shape: Any, spacing: Any, periodic: Any, blocked: np.ndarray, moves: Any, jumps: Any, strength: float,
    implicit: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Dense P (A, S, S) of moves, then a random jump, then noise; and where no wall is in the way (A, S)."""
    noise = noise_matrix(shape, spacing, periodic, blocked, strength, implicit)
    jump = sum(chance * shift_matrix(shape, periodic, blocked, offset)[0] for offset, chance in jumps.items())
    both = [shift_matrix(shape, periodic, blocked, move) for move in moves]
    return np.stack([m @ jump @ noise for m, _ in both]), np.stack([inside for _, inside in both])
