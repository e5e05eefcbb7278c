"""Time steps of finite games that state none: the game itself has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mfgsolve.dynamics import LatticeMoves, Tabular
from mfgsolve.errors import InputError
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.spaces import Populations, Space

__all__ = ["finite_steps"]


def finite_steps(problem: Problem) -> int:
    """Steps of a finite game; the largest number that one of its populations asks for.

    Raises
    ------
    InputError
        where nothing says how many there are
    """
    space: Space = problem.grid.space if isinstance(problem.grid, Populations) else problem.grid
    listed = {len(steps) for one in problem.all_dynamics if isinstance(one, Tabular) for steps in _listed(one, space)}
    if len(listed) > 1:
        raise InputError(
            f"problem {problem.name!r} states no number of time steps, and its transitions and costs are given for "
            f"{' and '.join(str(n) for n in sorted(listed))} steps; all need the same number"
        )
    if listed:
        return listed.pop()
    horizon = problem.time.horizon
    if all(isinstance(one, Tabular) for one in problem.all_dynamics):
        if horizon != int(horizon):
            raise InputError(
                f"problem {problem.name!r} states no number of time steps, and its horizon {horizon:g} is no whole "
                "number of steps of 1; state it: TimeGrid(horizon, steps), or steps under [time]"
            )
        return int(horizon)
    if not isinstance(space, Grid):
        raise InputError(f"problem {problem.name!r} has lattice moves on {type(space).__name__}; they need a Grid")
    return max(_crossing(one, space, horizon) for one in problem.all_dynamics if isinstance(one, LatticeMoves))


def _listed(dynamics: Tabular, space: Space) -> list[Any]:
    """What is given step by step: transitions, costs."""
    found: list[Any] = []
    given, cost = dynamics.transitions, dynamics.cost
    if not callable(given) and (np.ndim(given) == 4 if hasattr(given, "ndim") else _nested(given)):
        found.append(given)
    if not callable(cost) and np.ndim(cost) == 2 + len(space.shape):  # (step, action, *shape)
        found.append(cost)
    return found


def _nested(given: Any) -> bool:
    """Whether it is a list over steps of lists over actions."""
    return bool(len(given)) and isinstance(given[0], list | tuple) and np.ndim(given[0][0]) == 2


def _crossing(dynamics: LatticeMoves, grid: Grid, horizon: float) -> int:
    """Steps in which an agent can cross the space by its own moves, and with which explicit noise is stable."""
    wanted = 1
    for k, axis in enumerate(reversed(grid.axes)):
        reach = max((abs(move[k]) for move in dynamics.moves if k < len(move)), default=0)
        far = axis.cells // 2 if axis.periodic else axis.cells - 1
        wanted = max(wanted, math.ceil(far / reach) if reach else 1)
    if dynamics.noise == "explicit":
        stable = 2 * dynamics.viscosity * horizon * sum(axis.smallest**-2 for axis in grid.axes)
        wanted = max(wanted, math.ceil(stable))
    return wanted
