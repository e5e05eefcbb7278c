"""Predators and prey: three populations that chase each other in a circle."""

from __future__ import annotations

import numpy as np

from mfgsolve.couplings import Interaction, LogCongestion
from mfgsolve.dynamics import LatticeMoves
from mfgsolve.errors import InputError
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.spaces import Populations

MOVES = ((0, 0), (1, 0), (0, 1), (0, -1), (-1, 0))
CHASE = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])  # what q's mass is worth to p


@named(group="cells")
def predator_prey(
    *,
    size: int = 5,
    steps: int = 10,
    chase: float = 1.0,
    aversion: float = 1.0,
    noise: float = 0.8,
    floor: float = 1e-25,
    temperature: float = 0.0,
) -> Problem:
    """Three populations chase each other in a circle, each prey of one and predator of another.

    Cells (x, y) of a square with walls, five moves, then a push to each of the four neighbours with probability
    noise / 4.  At t = 0..steps-1 an agent of population p earns

        chase sum_q R[p, q] m_q(x, y) - aversion log max(m_p(x, y), floor),   R = ((0, -1, 1), (1, 0, -1), (-1, 1, 0)).

    R is antisymmetric: the game has no potential, and is monotone.  The populations start in three corners, (0, 0),
    (size - 1, 0) and (0, size - 1).

    Parameters
    ----------
    size : cells along each axis [cells]
    steps : time steps of length 1 [steps]
    chase : what a step beside the whole of one's prey earns, and beside the predators costs [cost]
    aversion : cost of a step in a crowd e times denser [cost]
    noise : probability of a push in a step [1]
    floor : mass below which a cell counts as empty [1]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Perolat et al., Scaling up mean field games with online mirror descent, section 5.4, arXiv:2103.00623;
    constants of OpenSpiel's python_mfg_predator_prey, arXiv:1908.09453
    """
    if not 0 <= noise <= 1:
        raise InputError(f"predator-prey has noise {noise}; the probability of a push must lie between 0 and 1")
    bounds = [(-0.5, size - 0.5)] * 2
    dynamics = LatticeMoves(
        MOVES, jumps={move: noise / 4 if any(move) else 1 - noise for move in MOVES}, temperature=temperature
    )
    space = Populations(["red", "green", "blue"], Grid.box((size, size), bounds=bounds))
    initial = np.zeros(space.shape)
    initial[0, 0, 0] = initial[1, 0, -1] = initial[2, -1, 0] = 1.0
    return Problem(
        grid=space,
        time=TimeGrid(steps, steps),
        dynamics=(dynamics,) * 3,
        coupling=LogCongestion(aversion, floor) + Interaction(-chase * CHASE, between="populations"),
        initial=initial,
    )
