"""Small games in the entropic scheme that several files of tests share."""

from dataclasses import replace
from functools import cache

import numpy as np

import mfgsolve as mfg


def wall(c):
    return (np.abs(c.x - 0.5) < 0.13) & (c.y > 0.5)


def line(cells=24, steps=8, **stated):
    """Agents of a line who go to the right, and shun each other."""
    problem = mfg.Problem(
        grid=mfg.Grid.box((cells,), boundary=stated.pop("boundary", "reflecting")),
        time=mfg.TimeGrid(1.0, steps, discount=stated.pop("discount", 0.0)),
        dynamics=mfg.ControlledDiffusion(stated.pop("viscosity", 0.05), 0.7, scheme="entropic"),
        coupling=mfg.CrowdAversion(stated.pop("averse", 0.5)),
        initial=lambda t, c: np.exp(-(((c.x - 0.3) / 0.1) ** 2)),
        terminal=lambda t, c: 2 * (c.x - 0.8) ** 2,
        normalise=True,
    )
    return replace(problem, **stated)


def plane(shape=(7, 8), steps=3, blocked=wall, boundary="reflecting", discount=0.0):
    """The same on a plane with a wall."""
    return mfg.Problem(
        grid=mfg.Grid.box(shape, boundary=boundary, blocked=blocked),
        time=mfg.TimeGrid(0.5, steps, discount=discount),
        dynamics=mfg.ControlledDiffusion(0.04, 0.7, scheme="entropic", reach=4),
        coupling=mfg.CrowdAversion(0.5),
        initial=lambda t, c: np.exp(-(((c.x - 0.3) / 0.2) ** 2)),
        terminal=lambda t, c: 2 * (c.x - 0.8) ** 2 + c.y**2,
        normalise=True,
    )


@cache
def solved(name):
    """Solutions that several tests look at."""
    problem = {"line": line, "plane": plane, "cube": cube}[name]()
    return mfg.solve(problem, method="fictitious-play", tol=1e-6, check="ignore")


def cube():
    """Three axes, in metres and seconds."""
    return mfg.Problem(
        grid=mfg.Grid.box((4, 5, 6), unit="m"),
        time=mfg.TimeGrid(2.0, 4, unit="s"),
        dynamics=mfg.ControlledDiffusion(0.05, scheme="entropic"),
        coupling=mfg.CrowdAversion(0.1),
        initial=mfg.Bump(1.0, 0.2, (0.5, 0.5, 0.5)),
        terminal=lambda t, c: (c.x - 0.2) ** 2 + c.z**2,
        normalise=True,
    )
