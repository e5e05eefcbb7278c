"""Solved problems that tests of pictures share, and what they read off a figure."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

import mfgsolve as mfg
from mfgsolve import plots


def cube() -> mfg.Problem:
    """Three axes, in metres and seconds, with a column that is blocked over its whole height and one that is not."""
    column = lambda c: ((c.x > 0.7) & (c.y > 0.65)) | ((c.x < 0.3) & (c.y < 0.25) & (c.z > 0.6))
    return mfg.Problem(
        grid=mfg.Grid.box((4, 5, 6), blocked=column, unit="m"),
        time=mfg.TimeGrid(2.0, 32, unit="s"),
        dynamics=mfg.ControlledDiffusion(0.05, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.1),
        initial=mfg.Bump(1.0, 0.2, (0.5, 0.5, 0.5)),
        terminal=lambda t, c: (c.x - 0.2) ** 2 + c.z**2,
        normalise=True,
    )


def jumps(space: mfg.Grid | mfg.States | mfg.Populations, actions: int = 7) -> mfg.Problem:
    """Actions that are no moves: each leads from anywhere to one cell."""
    below = space.space if isinstance(space, mfg.Populations) else space
    free = np.flatnonzero(~below.mask.ravel())
    to = lambda k: np.eye(below.size)[np.full(below.size, free[(5 * k) % len(free)])]
    one = mfg.Tabular([to(k) for k in range(actions)], actions=[f"to {k}" for k in range(actions)])
    count = space.populations
    density = np.where(space.mask, 0.0, count / (~space.mask).sum() / space.cell_volume)
    return mfg.Problem(
        grid=space, time=mfg.TimeGrid(4, 4), dynamics=[one] * count, coupling=mfg.CrowdAversion(1.0), initial=density,
        name="jumps",
    )  # fmt: skip


def lattice_line() -> mfg.Problem:
    """One axis, seven moves, a blocked cell."""
    return mfg.Problem(
        grid=mfg.Grid.box((16,), blocked=lambda c: np.abs(c.x - 0.53) < 0.02), time=mfg.TimeGrid(1.0, 8),
        dynamics=mfg.LatticeMoves(range(-3, 4), costs=[0.01 * abs(k) for k in range(-3, 4)]),
        coupling=mfg.CrowdAversion(0.1), initial=lambda t, c: np.where(c.x < 0.5, 1.0, 0.0),
        terminal=lambda t, c: (c.x - 0.8) ** 2, normalise=True, name="long-moves",
    )  # fmt: skip


MAKERS = {
    "supply-demand": lambda: mfg.problems.supply_demand(shape=(12, 12), steps=96, scheme="upwind"),
    "crowd-aversion": lambda: mfg.problems.crowd_aversion(shape=(16, 32), steps=192, scheme="upwind"),
    "gaussian-log": lambda: mfg.problems.gaussian_log(shape=(48,), steps=96, scheme="upwind"),
    "linear-quadratic": lambda: mfg.problems.linear_quadratic(shape=(32,), steps=64, scheme="upwind"),
    "cole-hopf": lambda: mfg.problems.cole_hopf(shape=(32,), steps=64, scheme="upwind"),
    "montreal": lambda: mfg.problems.montreal(shape=(12, 12), steps=192, scheme="upwind"),
    "cube": cube,
}


PICTURES = {"plan": plots.plan, "value": plots.value, "speed": plots.speed, "convergence": plots.convergence}


FINITE = {
    "beach-bar": lambda: mfg.problems.beach_bar(shape=(12,), steps=6),
    "four-rooms": lambda: mfg.problems.four_rooms(steps=12),
    "predator-prey": lambda: mfg.problems.predator_prey(),
    "crowd-motion": lambda: mfg.problems.crowd_motion(shape=(8, 8)),
    "left-right": lambda: mfg.problems.left_right(),
    "jumps": lambda: jumps(mfg.Grid.box((6, 8))),
    "many-jumps": lambda: jumps(mfg.Grid.box((5, 5)), actions=23),
    "two-queues": lambda: jumps(mfg.Populations(["vans", "cars"], mfg.States(14))),
    "rooftops": lambda: jumps(mfg.Grid.box((2, 4, 5), blocked=lambda c: (c.z > 0.5) & (c.x < 0.5))),
    "long-moves": lambda: lattice_line(),
}


_solved: dict[str, mfg.Solution] = {}


def solved(name: str) -> mfg.Solution:
    if name not in _solved:
        if name in FINITE:
            _solved[name] = mfg.solve(FINITE[name](), method="fictitious-play", max_iterations=30, check="ignore")
        else:
            _solved[name] = mfg.solve(MAKERS[name](), tol=1e-4, check="ignore")
    return _solved[name]


def panels(figure: Figure) -> list:
    """Axes that are not colour bars."""
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


def texts(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in figure.findobj(Text))
