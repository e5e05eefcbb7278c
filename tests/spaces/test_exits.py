"""Exits of grids and listed states: how they are stated, where they are, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.exits import Exits


def test_cells_are_masks_functions_sides_and_states():
    mask = np.zeros((3, 4), dtype=bool)
    mask[0, 1] = True
    grid = mfg.Grid.box((3, 4), exits={"hole": mask, "top": lambda c: c.y > 0.7})
    assert grid.exits.names == ("hole", "top")
    assert grid.exits.number.tolist() == [[-1, 0, -1, -1], [-1] * 4, [1] * 4]
    assert (grid.inside == (grid.exits.number < 0)).all()
    assert not grid.mask.any()
    states = mfg.States(["home", "gate", "away"], exits={"out": ["gate", 2]})
    assert states.exits.number.tolist() == [-1, 0, 0]
    assert mfg.States(3, exits=1).exits.names == ("exit",)
    one = mfg.Populations(["a", "b"], states)
    assert one.exits.cells.tolist() == [[False, True, True]] * 2


def test_labelled_masks_go_by_their_names():
    mask = xr.DataArray([[True, False, False], [False, False, False]], dims=("x", "y"))
    assert mfg.Grid.box((3, 2), exits={"corner": mask}).exits.cells.tolist() == [
        [True, False],
        [False] * 2,
        [False] * 2,
    ]


def test_a_side_of_a_box_is_a_layer_beyond_it():
    grid = mfg.Grid.box((4,), [(1, 3)], exits={"left": "x-low", "right": "x-high"})
    axis = grid.axes[0]
    assert (axis.cells, axis.start, axis.stop) == (6, 0.5, 3.5)
    assert grid.exits.number.tolist() == [0, -1, -1, -1, -1, 1]
    assert grid.box_shape == (4,)
    finer = grid.refined((10,))
    assert finer.axes[0].centres[[1, -2]] == pytest.approx([1.125, 2.875])  # the box inside stays
    plain = mfg.Grid(mfg.Grid.box((4,)).axes, exits="x-low")  # of given axes it is the outermost layer
    assert plain.exits.number.tolist() == [0, -1, -1, -1]
    both = mfg.Grid.box(
        (2, 2), exits={"sides": ["x-low", "x-high"], "top": "y-high"}, blocked=lambda c: (c.y > 1) & (c.x < 0)
    )
    assert both.exits.number.tolist() == [[0, -1, -1, 0], [0, -1, -1, 0], [-1, 1, 1, 0]]
    corner = mfg.Grid.box((2, 2), exits={"left": "x-low", "below": "y-low"})
    assert corner.exits.number.tolist() == [[0, 1, 1], [0, -1, -1], [0, -1, -1]]  # of two sides it is of the first


@pytest.mark.parametrize("second", ["x-low", ["y-low", "x-low"]])
def test_a_side_is_of_one_exit(second):
    with pytest.raises(InputError, match=r"exits 'a' and 'b' share the cell \(0, 0\)"):
        mfg.Grid.box((2, 2), exits={"a": ["x-high", "x-low"], "b": second})
    with pytest.raises(InputError, match=r"exits 'a' and 'b' share the cell \(0, 0\)"):
        mfg.Grid.box((2, 2), exits={"a": lambda c: c.x < 0, "b": "x-low"})


def test_exits_are_part_of_what_a_space_is():
    plain, one = mfg.Grid.box((4,)), mfg.Grid.box((4,), exits=lambda c: c.x > 0.7)
    other = mfg.Grid.box((4,), exits={"door": lambda c: c.x > 0.7})
    assert len({repr(space.identity) for space in (plain, one, other)}) == 3
    again = mfg.Grid(one.axes, None, one.exits)
    assert again.identity == one.identity
    assert isinstance(again.exits, Exits)
    assert mfg.States(3, exits=2).identity != mfg.States(3).identity


def test_arrays_of_exits_belong_to_one_shape():
    drawn = mfg.Grid.box((4,), exits={"door": np.array([True, False, False, False])})
    assert drawn.is_drawn
    with pytest.raises(InputError, match="exits given as an array belong to one shape"):
        drawn.refined((8,))
    with pytest.raises(ValueError, match="read-only"):
        drawn.exits.stated["door"][0] = False
    assert mfg.Grid.box((4,), exits=lambda c: c.x < 0.3).refined((8,)).exits.cells.sum() == 2


WALL = np.array([True, False, False, False])
BAD = {
    r"exit 'door' lies in 1 blocked cells, \(0,\) the first": {"exits": {"door": WALL}, "blocked": WALL},
    "exit 'door' lies in 1 blocked cells": {"exits": {"door": lambda c: c.x < 0.2}, "blocked": WALL},
    "every free cell is an exit": {"exits": np.ones(4, dtype=bool)},
    "exit 'door' has no cell": {"exits": {"door": np.zeros(4, dtype=bool)}},
    r"exits 'a' and 'b' share the cell \(0,\)": {"exits": {"a": WALL, "b": WALL}},
    "came as int64; truth values": {"exits": np.arange(4)},
    r"has shape \(3,\); the space has \(4,\)": {"exits": np.zeros(3, dtype=bool)},
    "masked entries": {"exits": np.ma.masked_array(WALL, WALL)},
    "unknown face of exit 'exit' 'x-lo'.*x-low": {"exits": "x-lo"},
    "unknown face .*'y-low'": {"exits": {"door": "y-low"}},
    "axis x, which is periodic": {"exits": "x-low", "boundary": "periodic"},
    "an exit is named 3; a text": {"exits": {3: WALL}},
    "exits are an empty mapping": {"exits": {}},
    "exits do not move with time": {"exits": lambda t, c: c.x > t},
    "and no array of truth values|came as": {"exits": {"door": object()}},
    "sides that are exits add cells": {"exits": "x-low", "blocked": WALL},
}


@pytest.mark.parametrize("message", BAD)
def test_what_is_no_exit_is_refused(message: str):
    with pytest.raises(InputError, match=message):
        mfg.Grid.box((4,), **BAD[message])


def test_states_that_there_are_none_of():
    with pytest.raises(InputError, match=r"unknown state of exit 'exit' 'gat'.*gate"):
        mfg.States(["home", "gate"], exits="gat")
    with pytest.raises(InputError, match="exit 'out' has the state 5; states are 0 to 1"):
        mfg.States(2, exits={"out": 5})
    with pytest.raises(InputError, match=r"exits 'north' and 'south' share the cell \(1,\)"):
        mfg.States(["a", "b", "c"], exits={"north": ["a", "b"], "south": ["b"]})


def test_masks_of_part_of_a_wall():
    side = mfg.Grid.box((2, 2), exits={"left": "x-low"}, blocked=lambda c: c.y > 0.5)  # a side ends at walls
    assert side.exits.cells.tolist() == [[True, False, False], [False] * 3]
    with pytest.raises(InputError, match="lies in 1 blocked cells"):
        mfg.Grid.box((4,), exits=np.array([True, True, False, False]), blocked=WALL)


def test_totals_count_each_population():
    space = mfg.Populations(["a", "b"], mfg.States(3, exits={"x": 1, "y": 2}))
    mass = np.array([[[0.5, 0.2, 0.3], [0.1, 0.9, 0.0]]])
    assert space.exits.totals(mass, 2).tolist() == [[[0.2, 0.3], [0.9, 0.0]]]
