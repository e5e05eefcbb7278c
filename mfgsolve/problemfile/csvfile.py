"""Tables of comma-separated values: densities and costs by cell, points by row.  Columns are told by name alone."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from mfgsolve.errors import FileError, InputError, unknown
from mfgsolve.files.columns import Columns
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.spaces import Space

__all__ = ["CsvTable", "read_density"]

MEANT = ("cost", "density", "reward", "value")  # names that the column of the numbers may have
NEAR = 0.01  # of a cell, or of a step: as far as a written place may be from the centre, or a time from its node


def read_density(path: str | os.PathLike[str], grid: Space) -> np.ndarray:
    """Density of agents from a CSV file, as `Problem` takes it for ``initial``.

    The first line names the columns: the grid's axes (``x``; ``x,y``; ``x,y,z``; or ``state``) in any order, and
    ``density``.  Every free cell has one row, its place within a hundredth of a cell of the centre; rows of blocked
    cells may be missing.

    Parameters
    ----------
    path : of the file
    grid : a `Grid` or `States`

    Returns
    -------
    numpy.ndarray
        (*shape), mass per unit volume; neither scaled nor clipped

    Raises
    ------
    FileError
        for unknown, missing and double columns, what is no number, missing and double cells, naming the line

    Examples
    --------
    >>> import pathlib, tempfile, mfgsolve as mfg
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "start.csv"
    >>> _ = file.write_text(chr(10).join(["x,density", "0.25,2", "0.75,0"]))
    >>> mfg.read_density(file, mfg.Grid.box((2,)))
    array([2., 0.])
    """
    return CsvTable(path).on_grid(grid, None, "density")


class CsvTable(Columns):
    """A table read by cells of a space, or as points."""

    def points(self, names: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """Rows (t, x, y, ...) in the order of ``names``, of which those of the axes y and z may be missing."""
        result = [name for name in names if name in self.names]
        self._check_names(result if set(result) >= set(names[:2]) else names[:2], names)
        return tuple(tuple(row) for row in np.stack([self.numbers(name) for name in result], axis=1).tolist())

    def on_grid(self, space: Space, time: TimeGrid | None, column: str | None) -> np.ndarray:
        """Numbers of every cell, (*shape); or, with a column ``t``, of every node or step, (times, *shape)."""
        if space.populations > 1:
            raise InputError(f"{self.what} tells of one population; give every population its own density")
        timed = time is not None and "t" in self.names
        places = [*sorted(space.dims), *(["t"] if timed else [])]
        value = self._value(places, column)
        self._check_names([*places, value], [*places, value] if column is None else None)
        index = [self._cells(space, name) for name in space.dims]
        shape = space.shape
        if timed:
            assert time is not None
            moments = self._moments(time)
            index, shape = [moments, *index], (int(moments.max()) + 1, *shape)
            if shape[0] < time.steps:
                raise FileError(
                    f"{self.what} ends at t = {(shape[0] - 1) * time.dt:g}; all {time.steps} steps are needed"
                )
        flat = np.ravel_multi_index(index, shape)
        out = np.full(shape, np.nan)
        self._check_once(flat, shape, space, timed)
        out.reshape(-1)[flat] = self.numbers(value)
        blocked = np.broadcast_to(space.mask, shape)
        return np.where(blocked & np.isnan(out), 0.0, out)

    # -- checks ------------------------------------------------------------------------------------------------

    def _value(self, places: Sequence[str], column: str | None) -> str:
        """The column of the numbers."""
        if column is not None:
            if column not in self.names:
                raise FileError(f"{self.what}: {unknown('column', visible(column), map(visible, self.names))}")
            return column
        rest = [name for name in self.names if name not in places]
        if len(rest) == 1 and rest[0] in MEANT:
            return rest[0]
        came, wanted = cut(visible(", ".join(self.names))), ", ".join([*places, f"one of {' or '.join(MEANT)}"])
        raise FileError(f"{self.what} has the columns {came}; {wanted} are needed")

    def _check_names(self, needed: Sequence[str], allowed: Sequence[str] | None) -> None:
        self.need(needed)
        for name in self.names:
            if allowed is not None and name not in allowed:
                raise FileError(f"{self.what}: {unknown('column', visible(name), allowed)}")

    def _cells(self, space: Space, name: str) -> np.ndarray:
        """Number of the cell along one dimension, of each row."""
        if not isinstance(space, Grid):
            return self._states(space)
        axis = next(axis for axis in space.axes if axis.name == name)
        values = self.numbers(name)
        exact = axis.places(values) - 0.5
        cells = np.clip(np.round(exact), 0, axis.cells - 1)
        bad = np.flatnonzero(np.abs(exact - cells) > NEAR)
        if bad.size:
            k = int(bad[0])
            near = axis.centres[int(cells[k])]
            raise FileError(
                f"{self.what}, line {self.lines[k]}: {name} = {values[k]:.9g} is no centre of a cell; the nearest is "
                f"{near:.9g} ({axis.cells} cells from {axis.start:g} to {axis.stop:g})"
            )
        return np.asarray(cells.astype(np.int64))

    def _states(self, space: Space) -> np.ndarray:
        names = getattr(space, "names", None) or [str(k) for k in range(space.size)]
        number = {name: k for k, name in enumerate(names)}
        entries = [entry.strip() for entry in self.columns["state"]]
        for line, entry in zip(self.lines, entries, strict=True):
            if entry not in number:
                raise FileError(f"{self.what}, line {line}: {unknown('state', visible(entry), names)}")
        return np.array([number[entry] for entry in entries])

    def _moments(self, time: TimeGrid) -> np.ndarray:
        """Number of the node of each row."""
        values = self.numbers("t")
        nodes = np.clip(np.round(values / time.dt), 0, time.steps)
        bad = np.flatnonzero(np.abs(values / time.dt - nodes) > NEAR)
        if bad.size:
            k = int(bad[0])
            raise FileError(
                f"{self.what}, line {self.lines[k]}: t = {values[k]:.9g} is no node of time; the nearest is "
                f"{nodes[k] * time.dt:.9g} ({time.steps} steps of {time.dt:g})"
            )
        return np.asarray(nodes.astype(np.int64))

    def _check_once(self, flat: np.ndarray, shape: tuple[int, ...], space: Space, timed: bool) -> None:
        """Every free cell has one row."""
        order = np.argsort(flat, kind="stable")
        twice = np.flatnonzero(np.diff(flat[order]) == 0)
        if twice.size:
            one, two = (self.lines[int(order[twice[0] + k])] for k in (0, 1))
            raise FileError(f"{self.what}: lines {one} and {two} are of the same cell; give every cell one row")
        free = ~np.broadcast_to(space.mask, shape).reshape(-1)
        free[flat] = False
        if free.any():
            first = np.unravel_index(int(np.flatnonzero(free)[0]), shape)
            when = f"step {first[0]}, " if timed else ""
            place = _told_cell(space, tuple(int(k) for k in first[1:] if timed) or tuple(int(k) for k in first))
            raise FileError(
                f"{self.what} has no row for {when}{place}, and for {int(free.sum()) - 1} other cells; "
                "give every cell one row"
            )


def _told_cell(space: Space, cell: tuple[int, ...]) -> str:
    if isinstance(space, Grid):
        places = [f"{axis.name} = {axis.centres[k]:.6g}" for axis, k in zip(space.axes, cell, strict=True)]
        return ", ".join(reversed(places))
    names = getattr(space, "names", None)
    return f"state {names[cell[0]] if names else cell[0]}"
