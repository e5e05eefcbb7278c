"""How fine an entropic step must be for its grid, and how far it must reach: what is known before anything is solved.

    sigma = sqrt(2 nu dt)                                standard deviation of the noise of one step, in each axis
    e_s = 2 exp(-2 pi^2 sigma^2 / h^2)                   relative error in space: first term of a Poisson sum
    lost = (2 pi sigma / h)^2 e_s                        share of its variance that a Gaussian loses, sampled at centres
    reach = ceil(1.25 b dt / h + 5.5 sigma / h)          cells that agents of speed b go in one step

e_s is how far a sum over cell centres is from the integral of a Gaussian.  With sigma >= 0.6 h it is below 2e-3; with
more steps sigma falls, and *too many steps harm*, the more so since every step costs its own soft minimum: about
2 eps T e_s of the potential, eps = 2 nu c, in T steps.  Where the noise is too small for any sensible number of
steps, the scheme takes a viscosity of its own, nu_h = 0.18 h^2 / dt (sigma = 0.6 h), in kernel and entropy alike.
"""

from __future__ import annotations

import math

from mfgsolve.grids import Grid

__all__ = [
    "NARROW", "NARROWEST", "TAIL", "lost_variance", "own_viscosity", "reach_for", "space_error", "steps_for_noise",
]  # fmt: skip

NARROW = 0.6  # sigma / h from which the error in space is small
NARROWEST = 0.4  # below which it is not to be had: the scheme's own viscosity begins
TAIL = 5.5  # standard deviations of the noise that a step reaches,
HASTE = 1.25  # beside so many times the way of the fastest agents


def deviation(viscosity: float, dt: float, spacing: float) -> float:
    """sigma / h."""
    return math.sqrt(2.0 * viscosity * dt) / spacing


def coarsest(grid: Grid) -> float:
    """The largest spacing of the axes."""
    return max(axis.spacing for axis in grid.axes)


def own_viscosity(viscosity: float, grid: Grid, dt: float) -> float:
    """nu_h of kernel and entropy: nu itself where it is wide enough for the grid, else one that is."""
    spacing = coarsest(grid)
    if deviation(viscosity, dt, spacing) >= NARROWEST:
        return viscosity
    return (NARROW * spacing) ** 2 / (2.0 * dt)


def space_error(viscosity: float, grid: Grid, dt: float) -> float:
    """e_s of the axis that has the largest one."""
    return 2.0 * math.exp(-2.0 * math.pi**2 * deviation(viscosity, dt, coarsest(grid)) ** 2)


def lost_variance(space_error: float) -> float:
    """(2 pi sigma / h)^2 e_s, which e_s alone tells: 2 e_s log(2 / e_s); how much too little noise a crowd feels."""
    return 2.0 * space_error * math.log(2.0 / space_error) if space_error > 0.0 else 0.0


def steps_for_noise(viscosity: float, grid: Grid, horizon: float) -> float:
    """The most steps with sigma >= 0.6 h, T = 2 nu horizon / (0.6 h)^2."""
    return 2.0 * viscosity * horizon / (NARROW * coarsest(grid)) ** 2


def reach_for(speed: float, viscosity: float, grid: Grid, dt: float) -> tuple[int, ...]:
    """Cells along each axis that agents of that speed need: nobody needs to go farther than from end to end."""
    sigma = math.sqrt(2.0 * viscosity * dt)
    ways = (min(HASTE * speed * dt, axis.length) + TAIL * sigma for axis in grid.axes)
    return tuple(max(1, math.ceil(way / axis.spacing)) for way, axis in zip(ways, grid.axes, strict=True))
