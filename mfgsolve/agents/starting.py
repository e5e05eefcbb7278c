"""Where agents start and where they leave, in the words of a user, as cells."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.errors import FileError, InputError, numbers, unknown
from mfgsolve.games import Game
from mfgsolve.grids import Grid
from mfgsolve.spaces import Populations, Space, States

__all__ = ["exit_cells", "start_cells"]


def start_cells(start: Any, game: Game) -> tuple[np.ndarray, np.ndarray]:
    """Flat state of every agent at t = 0, population by population, and how many agents each population has.

    Parameters
    ----------
    start : points (agents, axes) in the order (x, y, z) on a grid, numbers on one axis; numbers or names of listed
        states; for several populations a mapping from their names.  Or the path of a CSV file with the columns x, y, z
        (or state, or population and these); further columns are not read
    """
    if isinstance(start, str | Path):
        start = _read(Path(start), game.grid)
    names = game.grid.names if isinstance(game.grid, Populations) else None
    space = _below(game.grid)
    if names is None:
        cells = _cells(start, space, "")
        return cells, np.array([cells.size])
    if not isinstance(start, Mapping):
        raise InputError(f"start is a {type(start).__name__}; with several populations a mapping {names} is needed")
    for name in start:
        if name not in names:
            raise InputError(unknown("population", name, names))
    if set(start) != set(names):
        raise InputError(f"start misses the populations {sorted(set(names) - set(start))}")
    parts = [_cells(start[name], space, f" of population {name!r}") for name in names]
    offset = [p * space.size + part for p, part in enumerate(parts)]
    return np.concatenate(offset), np.array([part.size for part in parts])


def exit_cells(exits: Any, game: Game) -> np.ndarray:
    """Where agents leave, boolean (states,); ``exits`` has the space's shape, or is a function of coordinates."""
    given = exits(game.grid.coordinates) if callable(exits) else exits
    array = np.asarray(given)
    if array.dtype.kind != "b":
        raise InputError(f"exits hold {array.dtype}; truth values are needed, True where agents leave")
    if array.shape != game.grid.shape:
        raise InputError(f"exits have shape {array.shape}; the space has {game.grid.shape}")
    return np.array(array.reshape(-1) & ~game.grid.mask.reshape(-1))


def _below(space: Space) -> Space:
    return space.space if isinstance(space, Populations) else space


def _cells(start: Any, space: Space, whose: str) -> np.ndarray:
    if isinstance(space, Grid):
        cells = _grid_cells(start, space, whose)
    else:
        assert isinstance(space, States)
        cells = _listed_cells(start, space, whose)
    if cells.size == 0:
        raise InputError(f"start{whose} is empty; at least one agent is needed")
    return cells


def _grid_cells(start: Any, grid: Grid, whose: str) -> np.ndarray:
    axes = grid.axes[::-1]  # x first
    points = numbers(start, f"start{whose}", "points are needed")
    if points.ndim == 1 and grid.ndim == 1:
        points = points[:, None]
    if points.ndim != 2 or points.shape[1] != grid.ndim:
        order = ", ".join(axis.name for axis in axes)
        raise InputError(f"start{whose} has shape {points.shape}; (agents, {grid.ndim}) points ({order}) are needed")
    index = []
    for k, axis in enumerate(axes):
        place = points[:, k]
        outside = ~((place >= axis.start) & (place <= axis.stop))  # NaN is outside, too
        if outside.any():
            row = int(np.argmax(outside))
            raise InputError(
                f"agent {row}{whose} starts at {axis.name} = {place[row]:g}; the axis runs from {axis.start:g} to "
                f"{axis.stop:g}"
            )
        index.append(np.minimum(((place - axis.start) / axis.spacing).astype(int), axis.cells - 1))
    cells = np.ravel_multi_index(tuple(index[::-1]), grid.shape)
    blocked = grid.mask.reshape(-1)[cells]
    if blocked.any():
        row = int(np.argmax(blocked))
        raise InputError(f"agent {row}{whose} starts in a blocked cell, at {tuple(points[row].tolist())}")
    return cells


def _listed_cells(start: Any, space: States, whose: str) -> np.ndarray:
    listed: Sequence[Any] = list(start) if np.iterable(start) and not isinstance(start, str) else []
    if space.names is not None and all(isinstance(name, str) for name in listed):
        for name in listed:
            if name not in space.names:
                raise InputError(unknown("state", name, space.names))
        return np.array([space.names.index(name) for name in listed], dtype=int)
    given = numbers(start, f"start{whose}", "numbers of states are needed")
    if given.ndim != 1:
        raise InputError(f"start{whose} has shape {given.shape}; a list of states is needed")
    wrong = ~((given >= 0) & (given < space.size) & (given == np.floor(given)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"agent {row}{whose} starts in state {given[row]:g}; states are 0 to {space.size - 1}")
    return given.astype(int)


def _read(path: Path, space: Space) -> Any:
    """Start positions of a CSV file, as a user would have given them."""
    below = _below(space)
    columns = [axis.name for axis in below.axes[::-1]] if isinstance(below, Grid) else ["state"]
    wanted = ["population", *columns] if isinstance(space, Populations) else columns
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            header = [name.strip() for name in reader.fieldnames or []]
            missing = [name for name in wanted if name not in header]
            if missing:
                raise InputError(f"file {path} has the columns {header}; {missing} are missing")
            reader.fieldnames = header
            rows = list(reader)
    except OSError as error:
        raise FileError(f"file {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"file {path} is no CSV file: {error}") from None
    values = [[_value(row[name], path, k, name, below) for name in columns] for k, row in enumerate(rows)]
    flat = values if isinstance(below, Grid) else [row[0] for row in values]
    if not isinstance(space, Populations):
        return flat
    owners = [str(row["population"]).strip() for row in rows]
    return {name: [v for v, owner in zip(flat, owners, strict=True) if owner == name]
            for name in dict.fromkeys([*space.names, *owners])}  # fmt: skip


def _value(text: Any, path: Path, row: int, column: str, space: Space) -> Any:
    if isinstance(space, States) and space.names is not None and str(text).strip() in space.names:
        return str(text).strip()
    try:
        return float(text)
    except (TypeError, ValueError):
        raise InputError(f"file {path} has {text!r} as {column} in line {row + 2}; a number is needed") from None
