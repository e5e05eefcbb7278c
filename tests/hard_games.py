"""Random games on which one solver or another stalls: crowds that attract, totals that alone count, cold temperatures,
caps next to nothing, narrow prices.  ``hard_game(kind, seed)`` is the same game every time; MFGSOLVE_SEED shifts
all seeds."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

import mfgsolve as mfg

SHIFT = int(os.environ.get("MFGSOLVE_SEED", "0")) * 1_000_003
HARD_KINDS = (
    "herd", "cold herd", "totals", "types", "garnet", "move", "small caps", "narrow price", "coupled herd",
    "kink", "attractive diffusion",
)  # fmt: skip


def hard_game(kind: str, seed: int) -> mfg.Problem:
    """The game of that kind and seed."""
    rng = np.random.default_rng([seed + SHIFT, HARD_KINDS.index(kind), 77])
    made: mfg.Problem = MAKERS[kind](rng)
    return made


def _tabular(rng: np.random.Generator, temperature: float = 0.0, largest: int = 8) -> tuple[int, Any, Any, Any]:
    """States, times, dynamics and start of a random table."""
    states, actions, steps = int(rng.integers(3, largest)), int(rng.integers(2, 4)), int(rng.integers(3, 8))
    chance = rng.gamma(0.3, size=(actions, states, states)) * (rng.random((actions, states, states)) < 0.5)
    chance[..., 0] += 0.02
    chance /= chance.sum(axis=-1, keepdims=True)
    cost = rng.uniform(-0.3, 0.3, (actions, states))
    dynamics = mfg.Tabular(chance, cost=cost, temperature=temperature)
    return states, mfg.TimeGrid(float(steps), steps), dynamics, rng.dirichlet(np.full(states, 0.7))


def herd(rng: np.random.Generator, temperature: float = 0.0) -> mfg.Problem:
    """Agents want to be where the others are: many equilibria, no convex potential."""
    states, time, dynamics, start = _tabular(rng, temperature)
    root = rng.normal(size=(states, 2))
    matrix = -root @ root.T * rng.uniform(0.2, 2.0)
    return mfg.Problem(mfg.States(states), time, dynamics, mfg.Interaction(matrix), start)


def cold_herd(rng: np.random.Generator) -> mfg.Problem:
    return herd(rng, float(10 ** rng.uniform(-3, -1)))


def _moves(rng: np.random.Generator) -> mfg.LatticeMoves:
    cost = float(rng.uniform(0.0, 0.05))
    return mfg.LatticeMoves((-1, 0, 1), (cost, 0.0, cost), walls="forbid")


def _bumps(rng: np.random.Generator, count: int, cells: int) -> np.ndarray:
    x = (np.arange(cells) + 0.5) / cells
    start = np.exp(-((x - rng.uniform(0.1, 0.9, (count, 1))) ** 2) / (2 * rng.uniform(0.03, 0.3) ** 2))
    return np.asarray(start / start.mean(axis=1, keepdims=True))


def totals(rng: np.random.Generator) -> mfg.Problem:
    """Populations that feel the total density alone: a continuum of equilibria."""
    cells, count, steps = int(rng.integers(4, 14)), int(rng.integers(2, 4)), int(rng.integers(3, 11))
    grid = mfg.Populations([f"p{k}" for k in range(count)], mfg.Grid.box((cells,)))
    coupling = mfg.Interaction(np.full((count, count), float(rng.uniform(0.2, 2.0))), between="populations")
    target, weight = rng.uniform(0.2, 0.8), rng.uniform(0.0, 2.0)
    return mfg.Problem(
        grid, mfg.TimeGrid(1.0, steps), [_moves(rng) for _ in range(count)], coupling, _bumps(rng, count, cells),
        terminal=lambda t, c: weight * (c.x - target) ** 2,
    )  # fmt: skip


def types(rng: np.random.Generator) -> mfg.Problem:
    """Many types, W = 1 - max(a, b) between them: a convex potential of low rank."""
    cells, count, steps = int(rng.integers(3, 7)), int(rng.integers(3, 13)), int(rng.integers(2, 8))
    kind = np.linspace(0, 1, count)
    matrix = (1 - np.maximum.outer(kind, kind)) / count
    grid = mfg.Populations([f"p{k}" for k in range(count)], mfg.Grid.box((cells,)))
    target = rng.uniform(0.2, 0.8)
    return mfg.Problem(
        grid, mfg.TimeGrid(1.0, steps), [_moves(rng) for _ in range(count)],
        mfg.Interaction(matrix, between="populations"), _bumps(rng, count, cells),
        terminal=lambda t, c: 0.1 * (c.x - target) ** 2,
    )  # fmt: skip


def garnet(rng: np.random.Generator) -> mfg.Problem:
    """A sparse table with a logarithm that attracts, as in the garnets of OpenSpiel with eta < 0."""
    states, time, dynamics, start = _tabular(rng, 0.0, 20)
    eta = float(rng.uniform(0.1, 1.0))
    coupling = mfg.CustomCoupling(
        lambda t, c, rho: -eta * np.log(np.maximum(rho, 1e-10)),
        derivative=lambda t, c, rho: np.where(rho > 1e-10, -eta / np.maximum(rho, 1e-10), 0.0),
        potential=lambda t, c, rho: -eta * rho * (np.log(np.maximum(rho, 1e-10)) - 1),
    )
    return mfg.Problem(mfg.States(states), time, dynamics, coupling, start)


def move(rng: np.random.Generator) -> mfg.Problem:
    """The cost of a move grows with the mass of the cell that is left: no potential."""
    cells, steps = int(rng.integers(3, 8)), int(rng.integers(3, 8))
    matrix, strength = np.zeros((3, cells, 3, cells)), rng.uniform(0.2, 2.0) / cells
    for action in (0, 2):
        for cell in range(cells):
            matrix[action, cell, :, cell] = strength
    target = rng.uniform(0.2, 0.9)
    return mfg.Problem(
        mfg.Grid.box((cells,)), mfg.TimeGrid(1.0, steps), mfg.LatticeMoves((-1, 0, 1), (0.02, 0.0, 0.02)),
        mfg.Interaction(matrix.reshape(3 * cells, -1), on="occupation"), _bumps(rng, 1, cells)[0],
        terminal=lambda t, c: (c.x - target) ** 2,
    )  # fmt: skip


def small_caps(rng: np.random.Generator) -> mfg.Problem:
    """Cells that are next to closed from the first step on."""
    cells, steps = int(rng.integers(4, 12)), int(rng.integers(3, 10))
    start = rng.random(cells) * (rng.random(cells) < 0.7)
    start[0] += 0.1
    start /= start.mean()
    closed = rng.random(cells) < 0.5
    closed[int(rng.integers(cells))] = False
    cap = np.where(closed, 10.0 ** rng.uniform(-12, -3), start.max() + cells)
    reach = range(1 - cells, cells)
    dynamics = mfg.LatticeMoves(tuple(reach), tuple(0.01 * abs(k) for k in reach), walls="forbid")
    limit = mfg.Capacity(lambda t, c: np.where(t > 0.5 / steps, cap, 1e3))
    crowd = mfg.CrowdAversion(1.0) if rng.random() < 0.5 else mfg.RunningCost(lambda t, c: (c.x - 0.5) ** 2)
    return mfg.Problem(
        mfg.Grid.box((cells,)), mfg.TimeGrid(1.0, steps), dynamics, crowd + limit, start,
        terminal=lambda t, c: (c.x - 0.8) ** 2,
    )  # fmt: skip


def narrow_price(rng: np.random.Generator) -> mfg.Problem:
    """A price whose aggregate has next to no room."""
    cells, steps, low = int(rng.integers(4, 10)), int(rng.integers(3, 9)), -float(rng.uniform(0.0, 0.3))
    room, end = float(rng.choice([0.0, 10 ** rng.uniform(-9, -1)])), rng.random(cells)
    price = mfg.Price(mfg.QuadraticPotential(1.0, 0.3), bounds=(low, low + room), amounts=[-1.0, 0.0, 1.0])
    return mfg.Problem(
        mfg.Grid.box((cells,)), mfg.TimeGrid(1.0, steps), mfg.LatticeMoves((-1, 0, 1), (0.02, 0.0, 0.02)),
        mfg.CrowdAversion(1.0) + price, _bumps(rng, 1, cells)[0], terminal=end,
    )  # fmt: skip


def coupled_herd(rng: np.random.Generator) -> mfg.Problem:
    """Transitions that lead where the crowd is, and costs that attract or repel."""
    states, time, dynamics, start = _tabular(rng, float(rng.choice([0.0, 0.05])), 6)
    calm, share = np.asarray(dynamics.transitions), float(rng.uniform(0.1, 0.9))

    def transitions(t: float, mass: np.ndarray) -> np.ndarray:
        return (1 - share) * calm + share * np.broadcast_to(mass.reshape(-1) / mass.sum(), calm.shape)

    coupled = mfg.Tabular(transitions, cost=dynamics.cost, temperature=dynamics.temperature)
    coupling = mfg.Interaction(rng.normal(size=(states, states)))
    return mfg.Problem(mfg.States(states), time, coupled, coupling, start)


def kink(rng: np.random.Generator) -> mfg.Problem:
    """A cost with a kink and no derivative."""
    states, time, dynamics, start = _tabular(rng)
    level = rng.uniform(0.0, 0.5, states)
    coupling = mfg.CustomCoupling(
        lambda t, c, rho: np.maximum(rho - level, 0.0),
        potential=lambda t, c, rho: np.maximum(rho - level, 0.0) ** 2 / 2,
        monotone=True,
    )
    return mfg.Problem(mfg.States(states), time, dynamics, coupling, start)


def attractive_diffusion(rng: np.random.Generator) -> mfg.Problem:
    """A controlled diffusion in which the crowd attracts or repels at a distance."""
    cells, strength = int(rng.integers(6, 16)), float(rng.uniform(-1.0, 1.0))
    target = rng.uniform(0.2, 0.8)
    coupling = mfg.Nonlocal(abs(strength), width=0.2) if strength > 0 else mfg.CustomCoupling(
        lambda t, c, rho: strength * rho, derivative=lambda t, c, rho: np.full_like(rho, strength),
        potential=lambda t, c, rho: strength * rho**2 / 2,
    )  # fmt: skip
    return mfg.Problem(
        mfg.Grid.box((cells,)), mfg.TimeGrid(1.0, 24), mfg.ControlledDiffusion(0.03, scheme="upwind"), coupling,
        _bumps(rng, 1, cells)[0], terminal=lambda t, c: (c.x - target) ** 2,
    )  # fmt: skip


MAKERS = {
    "herd": herd, "cold herd": cold_herd, "totals": totals, "types": types, "garnet": garnet, "move": move,
    "small caps": small_caps, "narrow price": narrow_price, "coupled herd": coupled_herd, "kink": kink,
    "attractive diffusion": attractive_diffusion,
}  # fmt: skip
