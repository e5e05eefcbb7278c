"""Evacuation: a room with two doors and an obstacle, which agents leave."""

from __future__ import annotations

import numpy as np

from mfgsolve.couplings import CrowdAversion, RunningCost
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named

WALL = 0.05  # width of the walls around the room, in which the doors are
WEST, NORTH = (0.5, 0.1), (1.25, 0.1)  # middle and half width of the doors


def _west(c: Coordinates) -> np.ndarray:
    return np.asarray((c.x < 0) & (abs(c.y - WEST[0]) < WEST[1]))


def _north(c: Coordinates) -> np.ndarray:
    return np.asarray((c.y > 1) & (abs(c.x - NORTH[0]) < NORTH[1]))


def _walls(c: Coordinates) -> np.ndarray:
    """The walls around the room [0, 1.5] x [0, 1] beside the doors, and a pillar in front of the western one."""
    outside = (c.x < 0) | (c.x > 1.5) | (c.y < 0) | (c.y > 1)
    pillar = (abs(c.x - 0.35) < 0.05) & (abs(c.y - 0.5) < 0.15)
    return np.asarray((outside & ~_west(c) & ~_north(c)) | pillar)


@named(group="space")
def evacuation(
    *,
    shape: tuple[int, int] = (44, 64),
    steps: int | None = None,
    scheme: str | None = None,
    horizon: float = 2.5,
    viscosity: float = 0.01,
    control_cost: float = 4.0,
    congestion: float = 0.5,
    staying: float = 8.0,
    toll: float = 0.0,
) -> Problem:
    """A room with two doors and a pillar: agents leave, and share the doors so that waiting and walking balance.

    f = 1 + congestion rho inside, on [0, 1.5] x [0, 1] with walls of width 0.05 around; the west door is at y = 0.5,
    the north door at x = 1.25.  Agents start in a Gaussian at (0.75, 0.4) of standard deviation 0.2.

    Parameters
    ----------
    shape : cells (ny, nx), walls included [cells]
    steps : time steps [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    horizon : when the building is closed [time]
    viscosity : nu, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    control_cost : c; moving at speed a costs c |a|^2 / 2 in a unit of time [cost time / length^2]
    congestion : cost of a unit of density in a unit of time [cost area / time]
    staying : cost of being inside at the end [cost]
    toll : cost of leaving by the west door [cost]

    Source: the evacuation game of Djehiche, Tcheukam and Tembine, IEEE Trans. Automatic Control 62 (2017) 5154, with
    doors that agents leave by.
    """
    if staying < 0:
        raise InputError(f"evacuation has staying {staying}; what it costs to be inside at the end is no gain")
    grid = Grid.box(
        shape,
        [(-WALL, 1 + WALL), (-WALL, 1.5 + WALL)],
        blocked=_walls,
        exits={"west door": _west, "north door": _north},
    )
    return Problem(
        grid=grid,
        time=TimeGrid(horizon, steps),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=RunningCost(1.0) + CrowdAversion(congestion),
        initial=Bump(1.0, 0.2, (0.75, 0.4)),
        terminal=staying,
        exit_cost={"west door": toll},
        normalise=True,
    )
