"""The beach bar: near the bar, but not in the crowd."""

from __future__ import annotations

import numpy as np

from mfgsolve.axes import BOUNDARIES
from mfgsolve.couplings import LogCongestion
from mfgsolve.dynamics import Tabular
from mfgsolve.dynamics.lattice import move_name
from mfgsolve.errors import InputError, unknown
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.displacement import displaced
from mfgsolve.problems.registry import named

MOVES = ((-1,), (0,), (1,))


@named(group="cells")
def beach_bar(
    *,
    shape: tuple[int] = (20,),
    steps: int = 20,
    noise: float = 0.5,
    distance_cost: float = 1.0,
    move_cost: float = 1.0,
    aversion: float = 1.0,
    boundary: str = "periodic",
    floor: float = 1e-20,
    temperature: float = 0.0,
) -> Problem:
    """The beach bar: everybody wants to lie near the bar and away from the crowd, and the wind pushes.

    Cells 0..n-1 of a beach, the bar in cell n // 2, moves a = -1, 0, 1 and x' = x + a + e with e = -1, 0, 1 of
    probabilities noise/2, 1 - noise, noise/2.  At t = 0..steps-1 an agent pays

        distance_cost |x - n // 2| + move_cost |a| / n + aversion log max(m_t(x), floor).

    The crowd starts evenly spread.  The beach is a ring, or ends at rocks (boundary "reflecting": x' is clamped to
    0..n-1).  MFGLib's version is ``beach_bar(shape=(4,), steps=3, boundary="reflecting")``.

    Parameters
    ----------
    shape : cells (n,) [cells]
    steps : time steps of length 1 [steps]
    noise : probability of a push in a step [1]
    distance_cost : cost of a step, for each cell of distance to the bar [cost]
    move_cost : cost of moving once across the whole beach [cost]
    aversion : cost of a step in a crowd e times denser [cost]
    boundary : "periodic", a ring, or "reflecting", a beach between rocks [name]
    floor : mass below which a cell counts as empty [1]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Perrin, Perolat, Lauriere, Geist, Elie and Pietquin, Fictitious play for mean field games, section 4.2,
    arXiv:2007.03458
    """
    if boundary not in BOUNDARIES:
        raise InputError(unknown("boundary of beach-bar", boundary, BOUNDARIES))
    if not 0 <= noise <= 1:
        raise InputError(f"beach-bar has noise {noise}; the probability of a push must lie between 0 and 1")
    n = shape[0]
    grid = Grid.box(shape, bounds=[(-0.5, n - 0.5)], boundary=boundary)
    push: dict[tuple[int, ...], float] = {(-1,): noise / 2, (0,): 1 - noise, (1,): noise / 2}
    distance = distance_cost * np.abs(np.arange(n) - n // 2)
    return Problem(
        grid=grid,
        time=TimeGrid(steps, steps),
        dynamics=Tabular(
            displaced(grid, MOVES, push),
            cost=np.stack([distance + move_cost * abs(move) / n for (move,) in MOVES]),
            temperature=temperature,
            actions=[move_name(move) for move in MOVES],
        ),
        coupling=LogCongestion(aversion, floor),
        initial=1 / n,
    )
