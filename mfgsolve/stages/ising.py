"""The Ising model as a stage game on a torus, its order parameters, and Monte Carlo to measure learners against.

Agent i has the spin a_i = +-1 (action 1 or 0) and is paid

    r_i = (1/2) a_i sum over its four neighbours j of a_j,

as in Yang et al., ICML 2018, arXiv 1802.05438.  At exact values a softmax with beta = 1/T is the heat bath of the Ising
model with weights exp(sum over pairs of a a' / (2 T)), whose order vanishes at T_c = 1 / ln(1 + sqrt 2) = 1.1346
(Onsager, doi:10.1103/PhysRev.65.117).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfgsolve.agents.simulation import seed_sequence
from mfgsolve.errors import InputError, real, unknown, whole
from mfgsolve.grids import Grid
from mfgsolve.kernels import multitype as kernel
from mfgsolve.solution import Status
from mfgsolve.stages.multitype import MultiType
from mfgsolve.stages.neighbourhoods import grid_neighbours
from mfgsolve.stages.stage_games import StageGame
from mfgsolve.stages.types import OneType

__all__ = ["CRITICAL_TEMPERATURE", "Order", "exact_order", "ising", "learned_order", "monte_carlo", "order_of"]

CRITICAL_TEMPERATURE = float(1.0 / np.log1p(np.sqrt(2.0)))
METHODS = ("heat bath", "metropolis")


@dataclass(frozen=True)
class Order:
    """Order parameters, means over time.

    order : |mean spin|, 1 where all are equal
    sublattice : mean over the two sublattices of a chessboard of |mean spin on it|
    staggered : |mean spin on one sublattice minus mean spin on the other| / 2, 1 where neighbours are opposite
    """

    order: float
    sublattice: float
    staggered: float


def ising(size: int = 20) -> StageGame:
    """The game on a torus of size x size agents; its groups are the two sublattices (chessboard colours)."""
    length = whole(size, "size")
    if length < 4 or length % 2:
        raise InputError(f"size is {size}; an even number from 4 on is needed, so that the torus has two sublattices")
    torus = grid_neighbours(Grid.box((length, length), boundary="periodic"))
    colour = (np.add.outer(np.arange(length), np.arange(length)) % 2).reshape(-1)
    return StageGame(_reward, actions=2, types=np.zeros(length**2, dtype=np.int64), neighbours=torus, groups=colour)


def _reward(kind: int, action: int, counts: np.ndarray) -> np.ndarray:
    return 0.5 * (2 * action - 1) * (counts[:, 0, 1] - counts[:, 0, 0])


def order_of(counts: np.ndarray) -> Order:
    """Order parameters from the counts of a record of `ising`: (times, sublattices, actions)."""
    spin = (counts[:, :, 1] - counts[:, :, 0]) / counts.sum(axis=2)
    return Order(
        float(np.abs(spin.mean(axis=1)).mean()),
        float(np.abs(spin).mean()),
        float(np.abs(spin[:, 0] - spin[:, 1]).mean() / 2.0),
    )


def exact_order(temperature: float) -> float:
    """Order of the infinite lattice, (1 - sinh(1/T)^-4)^(1/8) below T_c, else 0 (Yang, doi:10.1103/PhysRev.85.808)."""
    inverse = np.sinh(1.0 / _temperature(temperature)) ** -4.0
    return float((1.0 - inverse) ** 0.125) if inverse < 1.0 else 0.0


def _temperature(value: Any) -> float:
    temperature = real(value, "temperature")
    if not 0.0 < temperature < np.inf:
        raise InputError(f"temperature is {temperature}; a positive number is needed")
    return temperature


def learned_order(
    temperature: float,
    size: int = 20,
    stages: int = 40_000,
    activity: float = 0.1,
    rng: Any = None,
    learner: MultiType | None = None,
    warm: int = 0,
) -> Order:
    """Order of the learners' play over the last half of the stages.

    Parameters
    ----------
    temperature : T = 1/beta, in units of the reward
    size : of the torus
    stages : played, from random spins and empty tables
    activity : chance that an agent acts in a stage; 1 plays synchronously, and the sublattices do not meet
    learner : None takes MFQ (one mean action, own tables, gamma = 0, alpha = 0.1); beta is set to 1/T
    warm : stages played before at T = 3, so that all values are known; then the spins are drawn anew.  (Synchronous
        play from empty tables seldom splits below T_c: the sublattice that orders first teaches its sign to the agents
        of both.  With known values the two choose their signs alone.)
    """
    game = ising(size)
    parts = replace(MultiType(OneType()) if learner is None else learner, beta=1.0 / _temperature(temperature))
    seeds = seed_sequence(rng).spawn(2)
    memory = parts.start(game, seeds[0])
    if warm:
        replace(parts, beta=1.0 / 3.0).play(game, memory, warm, activity)
        memory.actions[:] = np.random.default_rng(seeds[1]).integers(2, size=game.agents)
    record = parts.play(game, memory, stages, activity)
    if record.status is Status.NON_FINITE:
        return Order(np.nan, np.nan, np.nan)
    return order_of(record.counts[stages // 2 :])


def monte_carlo(
    temperature: float, size: int = 20, sweeps: int = 4000, method: str = "heat bath", rng: Any = None
) -> Order:
    """Order of the Ising model by Monte Carlo at single sites, over the last half of the sweeps, from aligned spins.

    Parameters
    ----------
    method : "heat bath" or "metropolis"; both have the same law
    """
    if method not in METHODS:
        raise InputError(unknown("method", method, METHODS))
    game, sweeps = ising(size), whole(sweeps, "sweeps")
    if sweeps < 2:
        raise InputError(f"sweeps is {sweeps}; at least 2 are needed")
    spins = np.ones(game.agents, dtype=np.int64)
    counts = np.zeros((sweeps, 2, 2), dtype=np.int64)
    stream = seed_sequence(rng).generate_state(4, np.uint64)
    kernel.ising(
        game.graph.indptr.astype(np.int64), game.graph.indices.astype(np.int64), _temperature(temperature),
        method == "metropolis", sweeps, game.groups, spins, counts, stream,
    )  # fmt: skip
    return order_of(counts[sweeps // 2 :])
