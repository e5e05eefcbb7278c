"""Where agents start and where they leave, in the words of a user, as cells."""

from __future__ import annotations

import csv
import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.errors import FileError, InputError, has_labels, numbers, shown, unknown
from mfgsolve.exits import ONLY, Exits, is_face
from mfgsolve.games import Game
from mfgsolve.grids import Axis, Grid
from mfgsolve.inputs.labels import Labelled, aligned, labelled
from mfgsolve.spaces import Populations, Space, States

__all__ = ["exit_cells", "start_cells"]

ROUND = 4 * np.finfo(float).eps  # relative error of a coordinate that was computed


def start_cells(start: Any, game: Game) -> tuple[np.ndarray, np.ndarray]:
    """Flat state of every agent at t = 0, population by population, and how many agents each population has.

    A point on an edge of two cells (but for round-off) belongs to the one on its right, on the last edge before a wall
    to the last cell; on a periodic axis ``stop`` is ``start``.  If that cell is blocked, the point belongs to the free
    cell it touches; of several (at a corner) to the first, with x looked at before y and z.

    Parameters
    ----------
    start : points (agents, axes) in the order (x, y, z) on a grid, numbers on one axis; numbers or names of listed
        states; for several populations a mapping from their names.  Labelled points tell their axes by the labels x, y,
        z of a dimension.  Or a table, a DataFrame or the path of a CSV file, with the columns x, y, z (or state, or
        population and these), in any order; further columns are not read, nor blank lines

    Raises
    ------
    InputError
        for points outside the box or in blocked cells, unknown names, and no agent at all; what came from a file is
        told with its line
    """
    names = tuple(game.grid.names) if isinstance(game.grid, Populations) else None
    space = _below(game.grid)
    if isinstance(start, str | Path):
        listed = _read(Path(start), space, names)
    elif hasattr(start, "columns") and names is not None:
        listed = _table_of_populations(start, names)
    elif names is None:
        listed = [_Listed(start)]
    else:
        listed = _of_each(start, names)
    parts = [_cells(points, space) for points in listed]
    offset = [p * space.size + part for p, part in enumerate(parts)]
    return np.concatenate(offset), np.array([part.size for part in parts])


def exit_cells(exits: Any, game: Game) -> Exits:
    """Where agents leave.

    Parameters
    ----------
    exits : whatever a space takes for its exits (`mfgsolve.Grid`), names and sides included; of several populations
        also truth values, or a function of the coordinates, that differ from one to the other

    Raises
    ------
    InputError
        for what is none of these, and for a game that has exits of its own
    """
    if game.grid.exits is not None:
        raise InputError("the game has exits of its own, by which its agents leave; leave exits out")
    if isinstance(exits, Exits) or is_face(exits) or (isinstance(exits, Mapping) and not hasattr(exits, "data_vars")):
        return game.grid.exits_of(exits)
    values = _asked(exits, game.grid) if callable(exits) else exits
    if has_labels(values) and not hasattr(values, "data_vars"):
        values = aligned(values, game.grid.dims, game.grid.labels, "array of exits")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(f"exits is a {type(values).__name__}, and no array of truth values ({error})") from None
    if array.dtype.kind != "b" or np.ma.is_masked(values):
        kind = "masked entries" if np.ma.is_masked(values) else array.dtype
        raise InputError(f"exits hold {kind}; truth values are needed, True where agents leave")
    if array.shape != game.grid.shape:
        raise InputError(f"exits have shape {array.shape}; the space has {game.grid.shape}")
    return Exits((ONLY,), np.where(array & ~game.grid.mask, 0, -1), {ONLY: exits})


# -- exits -----------------------------------------------------------------------------------------------------------


def _asked(exits: Callable[..., Any], space: Space) -> Any:
    """exits(coordinates), where what is wrong with the call is said in a sentence."""
    try:
        inspect.signature(exits).bind(space.coordinates)
    except TypeError as error:
        raise InputError(
            f"exits is called with the coordinates alone, and cannot be ({error}); exits do not move with time"
        ) from None
    except ValueError:  # a function of C has no signature to look at
        pass
    try:
        with np.errstate(all="ignore"):
            return exits(space.coordinates)
    except Exception as error:  # whatever the user's function raises; the cause stays in the traceback
        raise InputError(f"exits is a function, and fails at the coordinates: {error!r}") from error


# -- starts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Listed:
    """Where the agents of one population start, as it was given, and how a message names them."""

    places: Any
    whose: str = ""
    path: Path | None = None
    lines: Sequence[int] = ()

    @property
    def name(self) -> str:
        return f"start{self.whose}" + (f" (file {self.path})" if self.path else "")

    def agent(self, row: int) -> str:
        return f"agent {row}{self.whose}" + (f" (file {self.path}, line {self.lines[row]})" if self.path else "")

    def numbers(self, needed: str) -> np.ndarray:
        if isinstance(self.places, str | Path):
            remedy = f"; a file lists all populations: start={str(self.places)!r}" if self.whose else ""
            raise InputError(f"{self.name} is the text {str(self.places)!r}; {needed}{remedy}")
        places = numbers(self.places, self.name, needed)
        if places.size == 0:
            raise InputError(f"{self.name} is empty; at least one agent is needed")
        return places


def _below(space: Space) -> Space:
    return space.space if isinstance(space, Populations) else space


def _whose(name: str) -> str:
    return f" of population {name!r}"


def _of_each(start: Any, names: Sequence[str]) -> list[_Listed]:
    if not isinstance(start, Mapping):
        raise InputError(f"start is a {type(start).__name__}; with several populations a mapping {names} is needed")
    for name in start:
        if name not in names:
            raise InputError(unknown("population", name, names))
    if set(start) != set(names):
        raise InputError(f"start misses the populations {sorted(set(names) - set(start))}")
    return [_Listed(start[name], _whose(name)) for name in names]


def _cells(listed: _Listed, space: Space) -> np.ndarray:
    if isinstance(space, Grid):
        return _grid_cells(listed, space)
    assert isinstance(space, States)
    return _listed_cells(listed, space)


def _table_of_populations(table: Any, names: Sequence[str]) -> list[_Listed]:
    """Rows of a DataFrame by the population that its column tells."""
    if "population" not in table.columns:
        raise InputError(f"start is a table with the columns {list(table.columns)}; population is missing")
    owners = table["population"].tolist()
    for name in owners:
        if name not in names:
            raise InputError(f"start: {unknown('population', name, names)}")
    return [_Listed(table[[owner == name for owner in owners]], _whose(name)) for name in names]


def _by_axis(listed: _Listed, wanted: Sequence[str]) -> _Listed:
    """Labelled points as plain ones in the order x, y, z; a table by its columns."""
    places = listed.places
    if hasattr(places, "columns") and any(isinstance(name, str) for name in places.columns):
        missing = [name for name in wanted if name not in places.columns]
        if missing:
            raise InputError(f"{listed.name} is a table with the columns {list(places.columns)}; {missing} are missing")
        columns = places[list(wanted)].to_numpy()
        return replace(listed, places=columns[:, 0] if tuple(wanted) == ("state",) else columns)
    points = labelled(places, listed.name)
    if points is None:
        return replace(listed, places=places.values) if hasattr(places, "iloc") else listed
    if points.ndim < 2:
        return replace(listed, places=points.values)
    axes = [k for k, labels in enumerate(points.coordinates) if labels is not None and set(labels) == set(wanted)]
    if axes:
        return replace(listed, places=_in_order(points, axes[0], wanted))
    if "axis" in points.dims:
        return replace(listed, places=np.moveaxis(points.values, points.dims.index("axis"), -1))
    if all(name is None or name.startswith("dim_") for name in points.dims):  # xarray's own names say nothing
        return replace(listed, places=points.values)
    raise InputError(
        f"{listed.name} has the dimensions {points.dims}, and none of them has the labels {list(wanted)}; give one "
        "these, or pass a plain array (agents, axes)"
    )


def _in_order(points: Labelled, axis: int, wanted: Sequence[str]) -> np.ndarray:
    """Points with the coordinates last, x first."""
    labels = [str(label) for label in points.coordinates[axis]]  # type: ignore[union-attr]
    order = [labels.index(name) for name in wanted]
    return np.moveaxis(np.take(points.values, order, axis), axis, -1)


def _grid_cells(listed: _Listed, grid: Grid) -> np.ndarray:
    axes = grid.axes[::-1]  # x first
    order = ", ".join(axis.name for axis in axes)
    listed = _by_axis(listed, [axis.name for axis in axes])
    points = listed.numbers(f"points ({order}) are needed")
    if points.ndim == 1 and grid.ndim == 1:
        points = points[:, None]
    if points.ndim != 2 or points.shape[1] != grid.ndim:
        raise InputError(f"{listed.name} has shape {points.shape}; (agents, {grid.ndim}) points ({order}) are needed")
    sides = [_sides(points[:, k], axis, listed) for k, axis in enumerate(axes)]
    blocked = grid.mask.reshape(-1)
    choices = sorted(itertools.product((0, 1), repeat=grid.ndim), key=lambda left: (sum(left), [-k for k in left]))
    cells, *others = (
        np.ravel_multi_index(tuple(side[k] for side, k in zip(sides, left, strict=True))[::-1], grid.shape)
        for left in choices
    )
    for other in others:
        cells = np.where(blocked[cells] & ~blocked[other], other, cells)
    if blocked[cells].any():
        row = int(np.argmax(blocked[cells]))
        raise InputError(f"{listed.agent(row)} starts in a blocked cell, at {tuple(points[row].tolist())}")
    return np.asarray(cells)


def _sides(place: np.ndarray, axis: Axis, listed: _Listed) -> tuple[np.ndarray, np.ndarray]:
    """Number of the cell along an axis, and of the cell on the left where the place is an edge of the two."""
    near = ROUND * (axis.cells + max(abs(axis.start), abs(axis.stop)) / axis.smallest)  # in cells
    from_start = axis.places(place)
    outside = ~((from_start >= -near) & (from_start <= axis.cells + near))  # NaN is outside, too
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"{listed.agent(row)} starts at {axis.name} = {place[row]:g}; the axis runs from {axis.start:g} to "
            f"{axis.stop:g}"
        )
    edge = np.round(from_start)
    on_edge = np.abs(from_start - edge) <= near
    right = np.where(on_edge, edge, np.floor(from_start)).astype(int)
    left = right - on_edge
    if axis.periodic:
        return right % axis.cells, left % axis.cells
    last = axis.cells - 1
    return np.minimum(right, last), np.maximum(left, 0)


def _listed_cells(listed: _Listed, space: States) -> np.ndarray:
    named = space.names is not None
    listed = _by_axis(listed, ["state"])
    places = listed.places
    if named and isinstance(places, list | tuple | np.ndarray) and any(isinstance(state, str) for state in places):
        numbered = {name: k for k, name in enumerate(space.names or ())}
        listed = _Listed([_number(state, numbered) for state in places], listed.whose)
    states = listed.numbers(f"a list of numbers {'or names ' if named else ''}of states is needed")
    if states.ndim != 1:
        raise InputError(f"{listed.name} has shape {states.shape}; a list of states is needed")
    wrong = ~((states >= 0) & (states < space.size) & (states == np.floor(states)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"{listed.agent(row)} starts in state {states[row]:g}; states are 0 to {space.size - 1}")
    return states.astype(int)


def _number(state: Any, numbered: Mapping[str, int]) -> Any:
    """The number of a state that is told by its name."""
    if not isinstance(state, str):
        return state
    if state not in numbered:
        raise InputError(unknown("state", state, numbered))
    return numbered[state]


# -- files -----------------------------------------------------------------------------------------------------------


def _read(path: Path, space: Space, names: Sequence[str] | None) -> list[_Listed]:
    """Start positions of a CSV file, by population."""
    columns = [axis.name for axis in space.axes[::-1]] if isinstance(space, Grid) else ["state"]
    rows = _rows(path, columns if names is None else ["population", *columns])
    names_of_states = (space.names if isinstance(space, States) else None) or ()
    numbered = {name: k for k, name in enumerate(names_of_states)}
    values = [[_value(row[name], numbered, name, path, n) for name in columns] for n, row in rows]
    places = values if isinstance(space, Grid) else [row[0] for row in values]
    lines = [n for n, _ in rows]
    if names is None:
        return [_Listed(places, "", path, lines)]
    for n, row in rows:
        if row["population"] not in names:
            raise InputError(f"file {path}, line {n}: {unknown('population', row['population'], names)}")
    which = [[k for k, (_, row) in enumerate(rows) if row["population"] == name] for name in names]
    return [
        _Listed([places[k] for k in some], _whose(name), path, [lines[k] for k in some])
        for name, some in zip(names, which, strict=True)
    ]


def _rows(path: Path, wanted: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Line number and texts by column of every row below the header; a table that is not one is an error."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            lines = [(reader.line_num, [text.strip() for text in row]) for row in reader]
    except OSError as error:
        raise FileError(f"file {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"file {path} is no CSV file: {error}") from None
    lines = [(n, row) for n, row in lines if row not in ([], [""])]
    if not lines:
        raise InputError(f"file {path} is empty; a header with the columns {', '.join(wanted)} and rows are needed")
    (head, header), *rows = lines
    missing = [name for name in wanted if name not in header]
    if missing:
        raise InputError(f"file {path} has the columns {header}; {missing} are missing (commas part the columns)")
    for name in header:
        if name and header.count(name) > 1:
            raise InputError(f"file {path} has the column {name!r} twice in line {head}; every column is needed once")
    for n, row in rows:
        if len(row) != len(header):
            raise InputError(
                f"file {path} has {len(row)} values in line {n}, and the {len(header)} columns {header}; one value for "
                "each is needed, with decimal points (0.5), for commas part the columns"
            )
    return [(n, dict(zip(header, row, strict=True))) for n, row in rows]


def _value(text: str, names: Mapping[str, int], column: str, path: Path, line: int) -> float:
    if text in names:
        return float(names[text])
    try:
        return float(text)
    except ValueError:
        if names:
            raise InputError(f"file {path}, line {line}: {unknown('state', text, names)}") from None
        raise InputError(f"file {path} has {shown(text)} as {column} in line {line}; a number is needed") from None
