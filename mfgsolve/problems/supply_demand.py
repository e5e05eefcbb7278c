"""Supply against moving demand: the flagship."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import Congestion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named


@dataclass(frozen=True)
class Demand:
    """reward exp(-|X - centre(t)|^2 / (2 width^2)), riding half an ellipse until t = 1 - hold, then waiting."""

    reward: float
    width: float
    hold: float

    def position(self, t: float) -> np.ndarray:
        s = min(t / (1 - self.hold), 1.0)
        return np.array([0.5 - 0.35 * math.cos(math.pi * s), 0.2 + 0.6 * math.sin(math.pi * s)])

    @property
    def kinks(self) -> tuple[float, ...]:
        """When it stops, if it does."""
        return (1 - self.hold,) if self.hold > 0 else ()

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return Bump(self.reward, self.width, tuple(self.position(t)))(t, c)

    def at(self, times: np.ndarray, c: Coordinates) -> np.ndarray:
        """Values at all times, (K, *shape)."""
        points = np.array([self.position(float(t)) for t in times])
        return Bump(self.reward, self.width, tuple(points[0])).along(points, c)


@named()
def supply_demand(
    *,
    shape: tuple[int, int] = (64, 64),
    steps: int | None = None,
    scheme: str | None = None,
    reward: float = 2.0,
    viscosity: float = 0.002,
    control_cost: float = 0.5,
    congestion: float = 0.1,
    width: float = 0.1,
    hold: float = 0.3,
) -> Problem:
    """Supply goes where demand will be: demand takes a detour and waits at its end, the crowd takes the shortcut.

    f = -r / (1 + congestion rho) with r(t, X) = reward exp(-|X - centre(t)|^2 / (2 width^2)) on [0, 1]^2, reflecting
    walls, horizon 1; agents start in a Gaussian at (0.15, 0.2) of standard deviation 0.05.

    Parameters
    ----------
    shape, steps : cells (ny, nx) and time steps; None chooses them from the speeds of the game
    scheme : "entropic" or "upwind"; None takes what suits, see `ControlledDiffusion`
    reward : at the centre of demand, per unit time
    viscosity, control_cost : nu (length^2 / time) and c
    congestion : area; at the density 1 / congestion the reward is halved
    width : standard deviation of demand
    hold : share of the time at the end during which demand waits at (0.85, 0.2)

    Source: the spatial supply game of Mguni, Jennings and Munoz de Cote, arXiv:1803.05028, with congestion made convex.
    """
    if not 0 <= hold < 1:
        raise InputError(f"supply-demand has hold {hold}; the share of time that demand waits must lie in [0, 1)")
    demand = Demand(reward, width, hold)
    return Problem(
        grid=Grid.box(shape),
        time=TimeGrid(1.0, steps),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=Congestion(demand, congestion),
        initial=Bump(1.0, 0.05, (0.15, 0.2)),
        normalise=True,
        track=demand.position,
        kinks=demand.kinks,
    )
