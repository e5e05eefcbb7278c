"""Crowd motion: a crowd goes to a bar that moves away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import LogCongestion
from mfgsolve.dynamics import Tabular
from mfgsolve.dynamics.lattice import move_name
from mfgsolve.errors import InputError
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.displacement import displaced
from mfgsolve.problems.registry import named

MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0), (0, 0))


@dataclass(frozen=True)
class Bar:
    """A bar that walks away diagonally, and what it is to be far from it."""

    shape: tuple[int, int]
    pause: int
    attraction: float

    def place(self, t: float) -> np.ndarray:
        """(x, y) at t."""
        (ny, nx), gone = self.shape, round(t) // self.pause
        return np.array([nx // 2 + gone, ny // 2 - gone], dtype=float)

    def loss(self, t: float, c: Coordinates) -> np.ndarray:
        """Own cost of all actions (5, ny, nx)."""
        x, y = self.place(t)
        far = (np.abs(c.x - x) + np.abs(c.y - y)) / sum(self.shape)
        return np.broadcast_to(self.attraction * (far - 1), (len(MOVES), *self.shape))


@named(group="cells")
def crowd_motion(
    *,
    shape: tuple[int, int] = (20, 20),
    steps: int = 4,
    attraction: float = 10.0,
    aversion: float = 1.0,
    noise: float = 0.5,
    pause: int = 2,
    shift: float = 1e-10,
    temperature: float = 0.0,
) -> Problem:
    """A crowd goes to a bar that walks away diagonally, and keeps out of its own way.

    Cells (x, y) of a square with walls, five moves, and a push to each of the four neighbours with probability
    noise / 4; the place after both is clamped, coordinate by coordinate.  At t = 0..steps-1 an agent earns

        attraction (1 - (|x - bx| + |y - by|) / (nx + ny)) - aversion log(m_t(x, y) + shift)

    with the bar at (nx // 2 + k, ny // 2 - k), k = t // pause.  The crowd starts evenly spread.

    Parameters
    ----------
    shape : cells (ny, nx) [cells]
    steps : time steps of length 1 [steps]
    attraction : what an agent alone earns in a step at the bar [cost]
    aversion : cost of a step in a crowd e times denser [cost]
    noise : probability of a push in a step [1]
    pause : how long the bar waits in each place [steps]
    shift : mass added in the logarithm [1]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Perolat et al., Scaling up mean field games with online mirror descent, arXiv:2103.00623; constants and the
    path of the bar of MFGLib's crowd_motion (its seed 0), arXiv:2304.08630
    """
    if not 0 <= noise <= 1:
        raise InputError(f"crowd-motion has noise {noise}; the probability of a push must lie between 0 and 1")
    if pause < 1:
        raise InputError(f"crowd-motion has pause {pause}; the bar must wait at least 1 step")
    ny, nx = shape
    grid = Grid.box(shape, bounds=[(-0.5, ny - 0.5), (-0.5, nx - 0.5)])
    push: dict[tuple[int, ...], float] = {move: noise / 4 if any(move) else 1 - noise for move in MOVES}
    bar = Bar(shape, pause, attraction)
    return Problem(
        grid=grid,
        time=TimeGrid(steps, steps),
        dynamics=Tabular(
            displaced(grid, MOVES, push), cost=bar.loss, temperature=temperature, actions=[move_name(m) for m in MOVES]
        ),
        coupling=LogCongestion(aversion, floor=1e-290, shift=shift),
        initial=1 / grid.size,
        track=bar.place,
    )
