"""Supply against moving demand: the flagship."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import Congestion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.fields import Bump
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem


@dataclass(frozen=True)
class Demand:
    """reward exp(-|X - centre(t)|^2 / (2 width^2)), riding half an ellipse until t = 1 - hold, then waiting."""

    reward: float
    width: float
    hold: float

    def position(self, t: float) -> np.ndarray:
        s = min(t / (1 - self.hold), 1.0) if self.hold < 1 else 1.0
        return np.array([0.5 - 0.35 * math.cos(math.pi * s), 0.2 + 0.6 * math.sin(math.pi * s)])

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return Bump(self.reward, self.width, tuple(self.position(t)))(t, c)


def supply_demand(
    *,
    shape: tuple[int, int] = (64, 64),
    steps: int = 512,
    reward: float = 2.0,
    viscosity: float = 0.002,
    control_cost: float = 0.5,
    congestion: float = 0.1,
    width: float = 0.1,
    hold: float = 0.3,
) -> Problem:
    """Firms place supply where demand will be: demand takes a detour and waits at its end, the crowd takes the shortcut.

    f = -r / (1 + congestion rho) with r(t, X) = reward exp(-|X - centre(t)|^2 / (2 width^2)) on [0, 1]^2, reflecting
    walls, horizon 1; agents start in a Gaussian at (0.15, 0.2) of standard deviation 0.05.

    Source: the spatial supply game of Mguni, Jennings and Munoz de Cote, arXiv:1803.05028, with congestion made convex.
    """
    demand = Demand(reward, width, hold)
    return Problem(
        grid=Grid.box(shape),
        time=TimeGrid(1.0, steps),
        dynamics=ControlledDiffusion(viscosity, control_cost),
        coupling=Congestion(demand, congestion),
        initial=Bump(1.0, 0.05, (0.15, 0.2)),
        normalise=True,
        track=demand.position,
    )
