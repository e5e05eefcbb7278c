"""Leave a room with two doors and a wall between: a crowd that dislikes itself uses both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import CrowdAversion, RunningCost
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump, Linear
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named

LENGTH, WALL = 2.0, 1.0
THICKNESS = 0.125  # fits meshes of 8, 16, 32, ... cells, so that all have the same wall
EDGE = 1e-9  # coarser meshes have a cell on either side
WIDE_AT, NARROW_AT = 0.25, 0.6875


@dataclass(frozen=True)
class Wall:
    """Cells of the wall at x = 1, 1/8 thick, without its doors around y = 0.25 (wide) and y = 0.6875 (narrow)."""

    wide: float
    narrow: float

    def doors(self, c: Coordinates) -> tuple[np.ndarray, np.ndarray]:
        """Cells in the way of the wide door and of the narrow one."""
        inside = abs(c.x - WALL) < THICKNESS / 2 + EDGE
        return inside & (abs(c.y - WIDE_AT) < self.wide / 2), inside & (abs(c.y - NARROW_AT) < self.narrow / 2)

    def __call__(self, c: Coordinates) -> np.ndarray:
        wide, narrow = self.doors(c)
        return np.asarray((abs(c.x - WALL) < THICKNESS / 2 + EDGE) & ~wide & ~narrow)


def distance(slope: float) -> Linear:
    """slope (2 - x): cost of being away from the far end of the room."""
    return Linear((-slope, 0.0), (LENGTH, 0.0))


def room(name: str, shape: tuple[int, int], wall: Wall) -> Grid:
    """The room with its wall, of the problem of that name.

    Raises
    ------
    InputError
        for doors that would meet, and shapes that do not show wall and doors
    """
    grid = Grid.box(shape, bounds=[(0, 1), (0, LENGTH)], blocked=wall)
    if not (0 < wall.wide < 0.5 and 0 < wall.narrow < 0.375):
        raise InputError(
            f"{name} has doors of width {wall.wide} and {wall.narrow}; "
            "the wide one must be positive and below 0.5, the narrow one below 0.375, or they would meet"
        )
    rows = {"wide": wall.doors(grid.coordinates)[0], "narrow": wall.doors(grid.coordinates)[1]}
    for door, cells in rows.items():
        if not cells.any():
            raise InputError(
                f"no cell of shape {grid.shape} lies in the {door} door (width {getattr(wall, door)}); "
                "take more cells or a wider door"
            )
    if not grid.mask.any():
        raise InputError(
            f"no cell of shape {grid.shape} lies in the wall (thickness {THICKNESS}); take more cells along x"
        )
    return grid


@named(group="space")
def crowd_aversion(
    *,
    shape: tuple[int, int] = (32, 64),
    steps: int | None = None,
    scheme: str | None = None,
    viscosity: float = 0.01,
    control_cost: float = 1.0,
    aversion: float = 0.1,
    hurry: float = 0.5,
    wide_door: float = 0.25,
    narrow_door: float = 0.125,
    spread: float = 0.15,
    horizon: float = 3.0,
) -> Problem:
    """Leave a room with two doors and a wall between: the narrow door is straight ahead, the wide one a detour.

    f = hurry (2 - x) + aversion rho on [0, 2] x [0, 1] with reflecting walls and a wall at x = 1 that has a narrow door
    at y = 0.6875 and a wide one at y = 0.25; terminal cost hurry (2 - x).  The crowd starts as a Gaussian at
    (0.4, 0.6875).  A single agent takes the narrow door; a crowd that dislikes itself splits over both.

    Parameters
    ----------
    shape : cells (ny, nx), at least about (8, 16) [cells]
    steps : time steps; by default as many as the speeds of the game ask for [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    viscosity : nu, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    control_cost : c; moving at speed a costs c |a|^2 / 2 in a unit of time [cost time / length^2]
    aversion : cost of a unit of time at density 1 [cost area / time]
    hurry : cost of a unit of time, for each unit of distance to the far end [cost / (length time)]
    wide_door : width of the wide door [length]
    narrow_door : width of the narrow door [length]
    spread : standard deviation of the crowd at the start [length]
    horizon : T, when the game ends [time]

    Source: room with obstacles after Lachapelle and Wolfram, doi:10.1016/j.trb.2011.07.011
    """
    return Problem(
        grid=room("crowd-aversion", shape, Wall(wide_door, narrow_door)),
        time=TimeGrid(horizon, steps),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=CrowdAversion(aversion) + RunningCost(distance(hurry)),
        initial=Bump(1.0, spread, (0.4, NARROW_AT)),
        terminal=distance(hurry),
        normalise=True,
    )
