"""Crowd modelling: a beach bar with OpenSpiel's constants, the torus that a crowd fills, and four rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mfgsolve.couplings import LogCongestion, RunningCost
from mfgsolve.dynamics import LatticeMoves, Tabular
from mfgsolve.dynamics.lattice import move_name
from mfgsolve.errors import InputError
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.displacement import displaced
from mfgsolve.problems.registry import named

MOVES = ((0, -1), (-1, 0), (0, 0), (1, 0), (0, 1))
ROOM = 13  # cells of four rooms along each axis, walls included


@dataclass(frozen=True, eq=False)
class _Loss:
    """|x - n // 2| / (n // 2) - 1, and what moves are charged late."""

    cells: int
    charge: np.ndarray  # (steps + 1, cells)

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        middle = self.cells // 2
        return np.asarray(np.abs(np.rint(c.x) - middle) / middle - 1 + self.charge[round(t)])


@named(group="cells")
def crowd_modelling(
    *,
    shape: tuple[int] = (10,),
    steps: int = 10,
    aversion: float = 1.0,
    late: bool = False,
    floor: float = 1e-25,
    temperature: float = 0.0,
) -> Problem:
    """A crowd on a ring is drawn to its middle and pushes itself away: the beach bar with OpenSpiel's constants.

    Cells 0..n-1 of a ring, moves a = -1, 0, 1, then a push -1, 0, 1 with 1/3 each.  At t = 0..steps-1 an agent earns

        1 - |x - n // 2| / (n // 2) - |a| / n - aversion log max(m_t(x), floor).

    The crowd starts evenly spread.  OpenSpiel's ``mfg_crowd_modelling`` charges |a| one step later, at a node that does
    not show the last move, and its NashConv takes for every node the move by which it first came there.  That game, in
    which moves are free and nodes cost, is this one with ``late=True``.

    Parameters
    ----------
    shape : cells (n,) [cells]
    steps : time steps of length 1 [steps]
    aversion : cost of a step in a crowd e times denser [cost]
    late : whether moves are charged one step later, as OpenSpiel's NashConv does [true or false]
    floor : mass below which a cell counts as empty [1]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: OpenSpiel, game mfg_crowd_modelling, arXiv:1908.09453; after Perrin et al., arXiv:2007.03458
    """
    n = shape[0]
    charge = _late_charge(n, steps) if late else np.zeros((steps + 1, n))
    step = 0.0 if late else 1 / n

    return Problem(
        grid=Grid.box(shape, bounds=[(-0.5, n - 0.5)], boundary="periodic"),
        time=TimeGrid(steps, steps),
        dynamics=LatticeMoves(
            (-1, 0, 1), costs=(step, 0.0, step), jumps={-1: 1 / 3, 0: 1 / 3, 1: 1 / 3}, temperature=temperature
        ),
        coupling=RunningCost(_Loss(n, charge)) + LogCongestion(aversion, floor),
        initial=1 / n,
    )


def _late_charge(cells: int, steps: int) -> np.ndarray:
    """|a| / n of the move by which a walk in depth, moves and pushes to the left first, comes to each (t, x) first."""
    charge, seen = np.zeros((steps + 1, cells)), set()
    stack = [(x, 0, 0, True) for x in reversed(range(cells))]  # cell, step, last move, whether the agent moves next
    while stack:
        x, t, move, moves = stack.pop()
        if t == steps or (x, t, moves) in seen:
            continue
        seen.add((x, t, moves))
        if moves:
            charge[t, x] = abs(move) / cells
        for e in (1, 0, -1):
            y = (x + e) % cells
            stack.append((y, t, e, False) if moves else (y, t + 1, move, True))
    return charge


def _torus(
    size: tuple[int, int], steps: int, start: Sequence[tuple[int, int]], aversion: float, floor: float, noise: float,
    temperature: float, walls: np.ndarray | None = None,
) -> Problem:  # fmt: skip
    """Cost aversion log m on a torus of unit cells, with five moves and a push to one of the same places.

    Nobody can move or be pushed into a wall: the pushes from a cell are equally likely among its open places.
    """
    if not 0 <= noise <= 1:
        raise InputError(f"crowd modelling has noise {noise}; the probability of a push must lie between 0 and 1")
    ny, nx = size
    grid = Grid.box(size, bounds=[(-0.5, ny - 0.5), (-0.5, nx - 0.5)], boundary="periodic", blocked=walls)
    initial = np.zeros(size)
    for x, y in start:
        if not (0 <= x < nx and 0 <= y < ny):
            raise InputError(f"crowd modelling starts at ({x}, {y}); cells go from (0, 0) to ({nx - 1}, {ny - 1})")
        initial[y, x] += 1 / len(start)
    shifts = displaced(grid, MOVES, {(0, 0): 1.0})
    shut, free = grid.mask.reshape(-1), ~grid.mask.reshape(-1)
    allowed = np.array([shut | (shift @ free > 0) for shift in shifts])
    reach = allowed / allowed.sum(axis=0)  # of each open place
    push = sum(sparse.diags_array(share) @ shift for share, shift in zip(reach, shifts, strict=True))
    moved = sparse.eye_array(grid.size) * (1 - noise) + noise * push
    return Problem(
        grid=grid,
        time=TimeGrid(steps, steps),
        dynamics=Tabular(
            [sparse.csr_array(shift @ moved) for shift in shifts],
            temperature=temperature,
            actions=[move_name(move) for move in MOVES],
            allowed=allowed.reshape(len(MOVES), *size),
        ),
        coupling=LogCongestion(aversion, floor),
        initial=initial,
    )


@named(group="cells")
def crowd_modelling_2d(
    *,
    shape: tuple[int, int] = (10, 10),
    steps: int = 10,
    aversion: float = 1.0,
    noise: float = 1.0,
    floor: float = 1e-25,
    temperature: float = 0.0,
) -> Problem:
    """Two crowds on a torus spread as evenly as their time allows: OpenSpiel's game in two dimensions.

    A torus of nx by ny cells, moves to the four neighbours or none, then with probability ``noise`` a push to one of
    the same five places.  At t = 0..steps-1 an agent pays aversion log max(m_t(x, y), floor).  Half the crowd starts
    at (x, y) = (0, 0), half at (2, 5).

    Parameters
    ----------
    shape : cells (ny, nx), at least (6, 3) [cells]
    steps : time steps of length 1 [steps]
    aversion : cost of a step in a crowd e times denser [cost]
    noise : probability of a push in a step, one fifth of which goes nowhere [1]
    floor : mass below which a cell counts as empty [1]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: OpenSpiel, game mfg_crowd_modelling_2d with only_distribution_reward=true, arXiv:1908.09453
    """
    return _torus(shape, steps, ((0, 0), (2, 5)), aversion, floor, noise, temperature)


@named(group="cells")
def four_rooms(
    *,
    steps: int = 40,
    aversion: float = 1.0,
    noise: float = 1.0,
    floor: float = 1e-25,
    temperature: float = 0.0,
) -> Problem:
    """Exploration of four rooms: a crowd leaves one corner and fills them all through four doors.

    The game of crowd-modelling-2d on 13 by 13 cells with walls around and between the rooms, doors at (x, y) = (6, 3),
    (6, 9), (3, 6) and (9, 6), and everybody at (1, 1) at t = 0.  Moves into a wall are not available, and an agent is
    pushed to each of its open places (its own included) with the same probability.

    Parameters
    ----------
    steps : time steps of length 1 [steps]
    aversion : cost of a step in a crowd e times denser [cost]
    noise : probability of a push in a step, one fifth of which goes nowhere [1]
    floor : mass below which a cell counts as empty [1]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Geist et al., Concave utility reinforcement learning: the mean-field game viewpoint, arXiv:2106.03787;
    layout and constants of OpenSpiel's FOUR_ROOMS, arXiv:1908.09453
    """
    return _torus((ROOM, ROOM), steps, ((1, 1),), aversion, floor, noise, temperature, _rooms())


def _rooms() -> np.ndarray:
    """Walls (y, x) of four rooms: True where blocked."""
    walls = np.zeros((ROOM, ROOM), dtype=bool)
    middle, doors = ROOM // 2, (ROOM // 4, ROOM - 1 - ROOM // 4)
    walls[[0, middle, -1], :] = True
    walls[:, [0, middle, -1]] = True
    for door in doors:
        walls[middle, door] = walls[door, middle] = False
    return walls
