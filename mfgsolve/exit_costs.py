"""What it costs to leave by the exits of a space, and who may not start there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mfgsolve.errors import InputError, unknown
from mfgsolve.fields import own_field, sample_nodes
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.labels import Labelled
from mfgsolve.spaces import Space

__all__ = ["at_exits", "exit_costs", "nobody_gone", "own_exit_cost", "with_exits"]

Steps = TypeVar("Steps", bound=Any)
WHAT = "exit cost of the problem"


def own_exit_cost(problem: Any) -> Any:
    """What a problem keeps of its exit cost: a field, or one for each exit by name.

    Raises
    ------
    InputError
        for a cost without exits, unknown exits, and what is no field; for exits in a game without a final time, or one
        whose final density is given
    """
    stated, space = problem.exit_cost, problem.grid
    free = not isinstance(stated, Mapping) and not callable(stated) and np.ndim(stated) == 0 and stated == 0
    if space.exits is None:
        if not free:
            raise InputError(
                "the problem has an exit cost and its space has no exits; state these, "
                "Grid(..., exits={'door': cells}), or leave the cost out"
            )
        return 0.0
    if problem.final is not None:
        raise InputError(
            "final of the problem is given, and its space has exits: how many will be there is for agents to choose; "
            "leave one out"
        )
    if isinstance(stated, Mapping):
        for name in stated:
            if name not in space.exits.names:
                raise InputError(unknown("exit of the exit cost", name, space.exits.names))
        return {name: _timed(own_field(cost, f"{WHAT} at {name!r}"), problem.time) for name, cost in stated.items()}
    return _timed(own_field(stated, WHAT), problem.time)


def _timed(field: Any, time: TimeGrid) -> Any:
    """Levels that are named, and have no times, with those of the nodes: the last is asked for alone, too."""
    axis = field.along("time") if isinstance(field, Labelled) else None
    if axis is None or not time.settled or field.coordinates[axis] is not None or field.shape[axis] != time.steps + 1:
        return field
    return replace(field, coordinates=(*field.coordinates[:axis], time.nodes, *field.coordinates[axis + 1 :]))


def exit_costs(stated: Any, times: np.ndarray, space: Space) -> np.ndarray:
    """Cost of leaving (times, *shape) at these times, as it is then; 0 in cells that are no exit.

    Raises
    ------
    InputError
        for costs that do not fit the space, or are not finite
    """
    exits, fields = space.exits, stated if isinstance(stated, Mapping) else {None: stated}
    result = np.zeros((len(times), *space.shape))
    for name, field in fields.items():
        cells = exits.cells if name is None else exits.number == exits.names.index(name)
        what = WHAT if name is None else f"{WHAT} at {name!r}"
        result += np.where(cells, sample_nodes(field, times, space, what), 0.0)
    return result


def at_exits(cost: np.ndarray, stated: Any, space: Space, horizon: float) -> np.ndarray:
    """The terminal cost (*shape), with what it costs to leave at the end in the place of it at exits."""
    if space.exits is None:
        return cost
    return np.where(space.exits.cells, exit_costs(stated, np.array([horizon]), space)[0], cost)


def with_exits(step: Steps, stated: Any, space: Space, time: TimeGrid) -> Steps:
    """The step of agents who pay the exit cost, worth what it is at t = 0; itself where there are no exits."""
    if space.exits is None:
        return step
    worth = time.discounts.reshape(-1, *(1,) * space.ndim)
    return step.with_exits(exit_costs(stated, time.nodes, space) * worth)  # type: ignore[no-any-return]


def nobody_gone(mass: np.ndarray, space: Space, is_array: bool) -> np.ndarray:
    """The initial mass without what a function says of exits.

    Raises
    ------
    InputError
        where an array puts mass into an exit: it would have left before the game begins
    """
    if space.exits is None:
        return mass
    gone = np.where(space.exits.cells, mass, 0.0)
    if is_array and gone.any():
        index = tuple(int(i) for i in np.argwhere(gone)[0])
        name = space.exits.names[int(space.exits.number[index])]
        raise InputError(
            f"initial density is not zero in cell {index} of the exit {name!r}; who starts there has left already: "
            "take it away"
        )
    return mass - gone
