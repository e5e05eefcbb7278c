"""The two examples of Bonnans, Lavigne and Pfeiffer: a hard cap on the density, and a price with a bounded demand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import Capacity, CrowdAversion, Price, QuadraticPotential
from mfgsolve.dynamics import LatticeMoves
from mfgsolve.errors import InputError
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named


def _start(t: float, c: Coordinates) -> np.ndarray:
    """exp(-(i - n/2)^2 / (n/4)^2) of the number i of the cell."""
    n = c.x.size
    return np.asarray(np.exp(-((c.x * n - 0.5 - n / 2) ** 2) / (n / 4) ** 2))


def _moves(cells: int, time: TimeGrid) -> LatticeMoves:
    """One cell to the left or right, or none, at the cost dt |speed|^2 / 4."""
    cost = time.dt * (1 / (cells * time.dt)) ** 2 / 4
    return LatticeMoves((-1, 0, 1), costs=(cost, 0.0, cost), walls="forbid")


@dataclass(frozen=True)
class Bottleneck:
    """cap, and ``narrow`` inside one third of the space during one third of the time, both counted in whole cells."""

    cap: float
    narrow: float
    time: TimeGrid

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        n, nodes, node = c.x.size, self.time.steps + 1, round(t / self.time.dt)
        cell = np.rint(c.x * n - 0.5)
        inside = (n < 3 * cell) & (3 * cell < 2 * n) & (nodes < 3 * node < 2 * nodes)
        return np.where(inside, self.narrow, self.cap)


@named(group="cells")
def bonnans_lavigne_pfeiffer_1(
    *, shape: tuple[int] = (50,), steps: int = 49, cap: float = 3.0, narrow: float = 0.25
) -> Problem:
    """A crowd on a line squeezes through a bottleneck: congestion, and a hard cap on the density.

    Cells i = 0..n-1 of [0, 1], nodes k = 0..N-1 at distance dt = 1/N (N = steps + 1), moves -1, 0, 1 that stay inside,
    running cost speed^2 / 4, congestion cost f = rho below the cap

        rho <= narrow where N/3 < k < 2N/3 and n/3 < i < 2n/3,   rho <= cap elsewhere,

    terminal cost rho with the cap of that time.  The start is proportional to exp(-(i - n/2)^2 / (n/4)^2).

    Parameters
    ----------
    shape : cells (n,) [cells]
    steps : time steps [steps]
    cap : largest density allowed [mass / length]
    narrow : largest density allowed in the bottleneck, while it is there [mass / length]

    Source: Bonnans, Lavigne and Pfeiffer, Discrete potential mean field games, example 1, arXiv:2106.07463
    """
    time = TimeGrid(steps / (steps + 1), steps)
    bottleneck = Bottleneck(cap, narrow, time)
    return Problem(
        grid=Grid.box(shape),
        time=time,
        dynamics=_moves(shape[0], time),
        coupling=CrowdAversion(1.0) + Capacity(bottleneck),
        initial=_start,
        terminal_coupling=CrowdAversion(1.0) + Capacity(bottleneck),
        normalise=True,
    )


@dataclass(frozen=True)
class Season:
    """Demand from outside, -amplitude sin(4 pi t / horizon)."""

    amplitude: float
    horizon: float

    def __call__(self, t: float) -> float:
        return -self.amplitude * math.sin(4 * math.pi * t / self.horizon)


@named(group="cells")
def bonnans_lavigne_pfeiffer_2(
    *, shape: tuple[int] = (50,), steps: int = 49, weight: float = 0.5, season: float = 2.0, lowest: float = -2.0,
    highest: float = 0.0,
) -> Problem:  # fmt: skip
    """Agents sell a stock at a price that all sales set: Cournot competition with bounded demand.

    The line, times, moves and start of bonnans-lavigne-pfeiffer-1.  The demand D_k = sum speed w_k, between lowest and
    highest, sets the price weight (D_k + season sin(4 pi k / (N - 1))), which an agent pays per unit of its speed.

    Parameters
    ----------
    shape : cells (n,) [cells]
    steps : time steps [steps]
    weight : of the price; its quadratic potential is weight (D + season sin)^2 / 2 [cost time / length^2]
    season : amplitude of the demand from outside [length / time]
    lowest : lower bound of the demand D [length / time]
    highest : upper bound of the demand D [length / time]

    Source: Bonnans, Lavigne and Pfeiffer, Discrete potential mean field games, example 2, arXiv:2106.07463
    """
    if not lowest <= highest:
        raise InputError(f"bonnans-lavigne-pfeiffer-2 has lowest {lowest} and highest {highest}; exchange them")
    time = TimeGrid(steps / (steps + 1), steps)

    return Problem(
        grid=Grid.box(shape),
        time=time,
        dynamics=_moves(shape[0], time),
        coupling=Price(QuadraticPotential(weight, Season(season, time.horizon)), bounds=(lowest, highest)),
        initial=_start,
        normalise=True,
    )
