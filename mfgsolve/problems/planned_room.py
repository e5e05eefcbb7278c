"""A crowd that is to be in two places at the end, and the price that leads it there: a planning problem."""

from __future__ import annotations

from mfgsolve.couplings import CrowdAversion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump, Total
from mfgsolve.grids import TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.crowd_aversion import NARROW_AT, Wall, room
from mfgsolve.problems.registry import named

__all__ = ["planned_room"]


@named(group="space")
def planned_room(
    *,
    shape: tuple[int, int] = (32, 64),
    steps: int | None = None,
    scheme: str | None = None,
    viscosity: float = 0.01,
    control_cost: float = 1.0,
    aversion: float = 0.1,
    upper_share: float = 0.7,
    wide_door: float = 0.25,
    narrow_door: float = 0.125,
    spread: float = 0.15,
    horizon: float = 3.0,
) -> Problem:
    """A crowd goes through two doors and takes its places in the next room, as many in each as planned.

    The room of crowd-aversion, [0, 2] x [0, 1] with a wall at x = 1 that has a narrow door at y = 0.6875 and a wide one
    at y = 0.25.  Agents dislike the crowd, f = aversion rho, and start as a Gaussian at (0.4, 0.6875).  At the horizon
    the density is given: Gaussians at (1.6, 0.75), of mass upper_share, and at (1.6, 0.25).  The terminal price that
    leads there is part of the solution.

    Parameters
    ----------
    shape : cells (ny, nx), at least about (8, 16) [cells]
    steps : time steps; by default as many as the speeds of the game ask for [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    viscosity : nu, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    control_cost : c; moving at speed a costs c |a|^2 / 2 in a unit of time [cost time / length^2]
    aversion : cost of a unit of time at density 1 [cost area / time]
    upper_share : share of the crowd that is to be in the upper place [1]
    wide_door : width of the wide door [length]
    narrow_door : width of the narrow door [length]
    spread : standard deviation of the crowd at the start, and in each of the two places [length]
    horizon : T, when all are to be there [time]

    Source: Achdou, Camilli and Capuzzo-Dolcetta, Mean field games: numerical methods for the planning problem,
    doi:10.1137/100790069
    """
    if not 0 <= upper_share <= 1:
        raise InputError(f"planned-room has upper_share {upper_share}; a share between 0 and 1 is needed")
    return Problem(
        grid=room("planned-room", shape, Wall(wide_door, narrow_door)),
        time=TimeGrid(horizon, steps),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=CrowdAversion(aversion),
        initial=Bump(1.0, spread, (0.4, NARROW_AT)),
        final=Total((Bump(upper_share, spread, (1.6, 0.75)), Bump(1.0 - upper_share, spread, (1.6, 0.25)))),
        normalise=True,
    )
