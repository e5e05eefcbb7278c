"""How a game is written down for learners: its actions by name, what is allowed, labelled arrays, the space of a file.

Controlled diffusions choose among "stay" and the moves to their neighbours; see `mfgsolve.steps.chain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.grids import Axis, Grid
from mfgsolve.inputs.masses import check_unit_masses
from mfgsolve.problem import Problem
from mfgsolve.scenarios import check_one_world
from mfgsolve.spaces import Populations, Space, States
from mfgsolve.stationary import check_final_time

__all__ = ["actions_of", "check_mass", "counted", "even_shares", "game_of", "joint", "labelled", "space_of"]

ROUND = 1e-9  # mass that may be made by round-off


def game_of(problem: Problem | Game) -> Game:
    if isinstance(problem, Game):
        return problem
    if not isinstance(problem, Problem):
        raise InputError(f"problem is a {type(problem).__name__}; a Problem or its game is needed")
    check_final_time(problem.time, "learning by playing", "episodes end")
    check_one_world(problem.grid, "learning")
    check_unit_masses(problem.grid, "learning by playing", "a learner's crowd counts each population alike")
    return make_game(problem)


def actions_of(game: Game) -> tuple[list[str], np.ndarray]:
    """Names of the actions, and which are allowed, (actions, *shape).

    Raises
    ------
    InputError
        where agents choose from no finite list
    """
    names = list(game.step.action_names)
    if not names:
        raise InputError(
            f"{game.problem.name!r} has no finite list of actions that an occupation could count: agents choose any "
            "law of their next cell; state it with ControlledDiffusion(scheme='upwind'), LatticeMoves or Tabular"
        )
    allowed = game.step.allowed
    return names, allowed.reshape(len(allowed), *game.grid.shape)


def even_shares(allowed: np.ndarray) -> np.ndarray:
    """Uniform over what is allowed, (actions, ...); over all actions in cells where nothing is."""
    count = allowed.sum(axis=0)
    return np.asarray(np.where(count > 0, allowed / np.maximum(count, 1), 1.0 / len(allowed)))


def joint(game: Game, mass: np.ndarray, choices: np.ndarray) -> np.ndarray:
    """Mass (T+1, states) times choices (T, states, actions); at the end, where nobody chooses, divided evenly."""
    _, allowed = actions_of(game)
    levels = np.empty((game.steps + 1, game.cells, choices.shape[2]))
    np.multiply(mass[:-1, :, None], choices, out=levels[:-1])
    levels[-1] = mass[-1, :, None] * even_shares(allowed).reshape(len(allowed), -1).T
    return levels


def counted(game: Game, cells: Any, actions: Any) -> np.ndarray:
    """Mass (T+1, states, actions) of agents by their cells (T+1, N) and actions (T, N)."""
    names, allowed = actions_of(game)
    path, choice = np.asarray(cells), np.asarray(actions)
    for what, array, rows in (("cells", path, game.steps + 1), ("actions", choice, game.steps)):
        if array.ndim != 2 or array.shape[0] != rows or array.shape[1] == 0 or array.dtype.kind not in "iu":
            raise InputError(
                f"{what} came as {array.dtype} of shape {array.shape}; whole numbers ({rows}, agents) are needed"
            )
    if path.shape[1] != choice.shape[1]:
        raise InputError(f"cells are of {path.shape[1]} agents and actions of {choice.shape[1]}")
    here = path >= 0
    if path.max() >= game.cells or path.min() < -1 or not here[0].all():
        raise InputError(f"cells hold numbers from {path.min()} to {path.max()}; 0..{game.cells - 1} are cells, "
                         "and -1 an agent that has left after the start")  # fmt: skip
    acting = choice[here[:-1]]
    if acting.size and (acting.min() < 0 or acting.max() >= len(names)):
        raise InputError(f"actions hold numbers from {acting.min()} to {acting.max()}; 0..{len(names) - 1} are some")
    populations = game.grid.populations
    owner = path[0] // (game.cells // populations)
    count = np.bincount(owner, minlength=populations)
    if (count == 0).any():
        raise InputError(f"population {int(np.argmin(count))} has no agent; every population needs one")
    if (here & (path // (game.cells // populations) != owner)).any():
        raise InputError("an agent goes from one population to another; number cells over all populations")
    weight, size = 1.0 / count[owner], game.cells * len(names)
    mass = np.zeros((game.steps + 1, game.cells, len(names)))
    for t in range(game.steps):
        place = path[t, here[t]].astype(np.int64) * len(names) + choice[t, here[t]]
        mass[t] = np.bincount(place, weight[here[t]], size).reshape(mass[t].shape)
    last = np.bincount(path[-1, here[-1]], weight[here[-1]], game.cells)
    mass[-1] = last[:, None] * even_shares(allowed).reshape(len(names), -1).T
    return mass


def check_mass(mass: xr.DataArray, space: Space, allowed: np.ndarray) -> None:
    """Finite, not negative, at most 1 in every population, and nowhere where it cannot be."""
    actions, cells = mass.shape[-1], space.size // space.populations
    levels = mass.values.reshape(-1, space.populations, cells, actions)
    if not np.isfinite(levels).all():
        raise InputError("mass has entries that are not finite")
    if (levels < 0).any():
        raise InputError(f"mass is negative somewhere ({levels.min():g}); it counts agents")
    total = levels.sum(axis=(2, 3))
    if total.size and total.max() > 1 + ROUND:
        raise InputError(
            f"mass of a population sums to {total.max():.10g}; it is a share of the agents, at most 1: divide "
            "counts by the number of agents, and multiply densities by the cell volume"
        )
    barred = np.moveaxis((~allowed | space.mask).reshape(actions, space.populations, cells), 0, -1)
    if (levels.max(axis=0, initial=0.0) * barred).any():
        p, s, a = (int(i) for i in np.argwhere(levels.max(axis=0) * barred)[0])
        cell = tuple(int(i) for i in np.unravel_index(p * cells + s, space.shape))
        raise InputError(
            f"mass chooses action {str(mass['action'].values[a])!r} in cell {cell}, which is blocked or where that "
            "action is not allowed"
        )


def labelled(array: np.ndarray, space: Space, names: Sequence[str], time: np.ndarray | None, unit: str) -> xr.DataArray:
    coordinates: dict[str, Any] = {
        name: (name, values, attrs) for name, (values, attrs) in space.dimension_coordinates.items()
    }
    coordinates["action"] = ("action", np.array(names), {"units": "1", "long_name": "action"})
    lead: tuple[str, ...] = ()
    if time is not None:
        lead, coordinates["time"] = ("time",), ("time", time, {"units": unit, "long_name": "time"})
    return xr.DataArray(
        array, coordinates, (*lead, *space.dims, "action"), "mass", {"units": "1", "long_name": "mass of agents"}
    )


def space_of(dataset: xr.Dataset) -> Space:
    """The space that the coordinates of a file tell."""
    dims = [str(dim) for dim in dataset["blocked"].dims if dim != "population"]
    blocked = dataset["blocked"].values.astype(bool)
    if "population" in dataset["blocked"].dims:
        blocked = blocked[0]
    ground: Space
    if dims == ["state"]:
        labels = dataset["state"].values
        ground = States(len(labels) if labels.dtype.kind in "iu" else [str(name) for name in labels])
    else:
        axes = [(name, dataset[name].size, dataset[name].attrs) for name in dims]
        built = [
            Axis.from_edges(name, a["edges"], str(a["boundary"]), str(a["units"]))
            if "edges" in a
            else Axis(name, size, float(a["start"]), float(a["stop"]), str(a["boundary"]), str(a["units"]))
            for name, size, a in axes
        ]
        ground = Grid(tuple(built), blocked if blocked.any() else None)
    if "population" not in dataset["blocked"].dims:
        return ground
    return Populations([str(name) for name in dataset["population"].values], ground)
