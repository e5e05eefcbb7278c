"""Where agents start and leave: words, points and files become cells by one rule, and mistakes are told."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.agents.starting import exit_cells, start_cells
from mfgsolve.spaces import Space


def starts(start: object, space: Space) -> list[int]:
    return start_cells(start, SimpleNamespace(grid=space))[0].tolist()  # type: ignore[arg-type]


def exits_of(exits: object, space: Space) -> np.ndarray:
    return exit_cells(exits, SimpleNamespace(grid=space)).cells  # type: ignore[arg-type]


PLANE = mfg.Grid.box((3, 4), bounds=[(0, 3), (0, 4)])
LINE = mfg.Grid.box(4, bounds=[(0, 4)])
NAMED = mfg.States(["healthy", "ill"])
TWO = mfg.Populations(["red", "blue"], LINE)


# -- points ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize(("start", "stop"), [(0, 1), (-0.3, 0.7), (1e3, 1003.1), (-7.1, -6.4), (5e5, 500001)])
@pytest.mark.parametrize("cells", [3, 10, 49, 997])
def test_an_edge_belongs_to_the_cell_on_its_right(cells, start, stop, boundary):
    grid = mfg.Grid.box(cells, bounds=[(start, stop)], boundary=boundary)
    low, high = Fraction(start), Fraction(stop)
    exact = [float(low + (high - low) * k / cells) for k in range(cells + 1)]  # edges, rounded once
    last = 0 if boundary == "periodic" else cells - 1
    wanted = [*range(cells), last]
    assert starts(exact, grid) == wanted
    assert starts(np.linspace(start, stop, cells + 1), grid) == wanted
    assert starts(start + np.arange(cells + 1) * grid.axes[0].spacing, grid) == wanted
    assert starts(np.nextafter(exact, -np.inf), grid) == wanted
    assert starts(np.nextafter(exact, np.inf), grid) == wanted
    inside = np.array(exact[:-1])
    for share in (1e-3, 0.5, 1 - 1e-3):
        assert starts(inside + share * grid.axes[0].spacing, grid) == [*range(cells)]


def test_a_point_well_outside_is_outside():
    for place in (-1e-9, 4 + 1e-9, np.nan, np.inf):
        with pytest.raises(mfg.InputError, match=r"agent 1 starts at x = .*; the axis runs from 0 to 4"):
            starts([2.0, place], LINE)


def test_an_edge_of_a_wall_belongs_to_the_free_cell():
    line = mfg.Grid.box(5, bounds=[(0, 5)], blocked=np.array([False, True, False, True, True]))
    assert starts([1.0, 2.0, 3.0, 0.0], line) == [0, 2, 2, 0]
    for place in (1.5, 4.0, 5.0):  # within, between two blocked cells, at the end
        with pytest.raises(mfg.InputError, match="agent 0 starts in a blocked cell"):
            starts([place], line)
    ring = mfg.Grid.box(3, bounds=[(0, 3)], boundary="periodic", blocked=np.array([True, False, False]))
    assert starts([0.0, 3.0, 1.0], ring) == [2, 2, 1]


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize("seed", range(4))
def test_edges_against_all_cells_that_touch_a_point(seed, boundary):
    """Every point of the half-integer lattice, its cell among those whose closed box holds it."""
    rng = np.random.default_rng(seed)
    blocked = rng.random((3, 4)) < 0.5
    blocked[0, 0] = False
    grid = mfg.Grid.box((3, 4), bounds=[(0, 3), (0, 4)], boundary=boundary, blocked=blocked)
    wrap = (0, 3, -3) if boundary == "periodic" else (0,)
    wrap_x = (0, 4, -4) if boundary == "periodic" else (0,)
    for y in np.arange(0, 3.5, 0.5):
        for x in np.arange(0, 4.5, 0.5):
            touched = {
                (j, i) for j in range(3) for i in range(4)
                if any(j <= y + s <= j + 1 for s in wrap) and any(i <= x + s <= i + 1 for s in wrap_x)
            }  # fmt: skip
            free = {cell for cell in touched if not blocked[cell]}
            if not free:
                with pytest.raises(mfg.InputError, match="blocked"):
                    starts([[x, y]], grid)
                continue
            cell = tuple(int(k) for k in np.unravel_index(starts([[x, y]], grid)[0], grid.shape))
            assert cell in free
            j, i = int(y), int(x)
            right = (j % 3, i % 4) if boundary == "periodic" else (min(j, 2), min(i, 3))
            assert cell == right or blocked[right]


def test_of_several_free_cells_at_a_corner_x_comes_first():
    blocked = np.zeros((2, 2), dtype=bool)
    blocked[1, 1] = True
    assert starts([[0.5, 0.5]], mfg.Grid.box((2, 2), blocked=blocked)) == [2]  # y above, x on the left
    blocked[1, 0] = True
    assert starts([[0.5, 0.5]], mfg.Grid.box((2, 2), blocked=blocked)) == [1]
    blocked[0, 1] = True
    assert starts([[0.5, 0.5]], mfg.Grid.box((2, 2), blocked=blocked)) == [0]


BAD_STARTS = {
    "start is empty": ([], PLANE),
    r"start is empty; at least one": (np.empty((0, 2)), PLANE),
    "start is empty; at": ([], NAMED),
    "start of population 'blue' is empty": ({"red": [1], "blue": []}, TWO),
    r"start of population 'red' is the text 'u'; points \(x\) are needed; a file lists all": (
        {"red": "u", "blue": [1]},
        TWO,
    ),
    "start of population 'red' is the text 'ill'; a list of numbers or names of states is needed": (
        {"red": "ill", "blue": [1]},
        mfg.Populations(["red", "blue"], NAMED),
    ),
    "unknown state 'il'; did you mean 'ill'": (["il"], NAMED),
    "unknown population 'rad'; did you mean 'red'": ({"rad": [1], "blue": [1]}, TWO),
    "agent 1 starts in state 2; states are 0 to 1": ([0, 2], NAMED),
    "start holds <U3; a list of numbers of states is needed": (["ill"], mfg.States(2)),
    "start holds object; a list of numbers or names": ({"ill": 3}, NAMED),
}


@pytest.mark.parametrize("message", BAD_STARTS)
def test_bad_starts(message):
    with pytest.raises(mfg.InputError, match=message):
        starts(*BAD_STARTS[message])


def test_names_and_numbers_of_states():
    assert starts(["ill", 0, "healthy"], NAMED) == [1, 0, 0]
    assert starts(np.array(["ill", "healthy"]), NAMED) == [1, 0]
    assert starts(xr.DataArray(["ill", "healthy"]), NAMED) == [1, 0]
    assert starts({"blue": ["ill"], "red": [0, 0]}, mfg.Populations(["red", "blue"], NAMED)) == [0, 0, 3]


# -- files -----------------------------------------------------------------------------------------------------------


GOOD_FILES = {
    "x,y\n0.5,1.5\n": (PLANE, [4]),
    "\n\nx,y\n\n0.5,1.5\n   \n3.5,2.5\n\n": (PLANE, [4, 11]),
    " y , note, x\r\n1.5, a car, 0.5\r\n": (PLANE, [4]),
    'x,y,note\n0.5,1.5,"two\nlines"\n': (PLANE, [4]),
    "x,y,,\n0.5,1.5,,\n": (PLANE, [4]),
    "\ufeffstate\nill\n0\n": (NAMED, [1, 0]),
    "population,x\nblue,1.5\nred,0.5\nblue,3.5\n": (TWO, [0, 5, 7]),
}


@pytest.mark.parametrize("text", GOOD_FILES)
def test_files(text, tmp_path):
    file = tmp_path / "start.csv"
    file.write_bytes(text.encode())
    space, wanted = GOOD_FILES[text]
    assert starts(file, space) == wanted
    assert starts(str(file), space) == wanted


WALLED = mfg.Grid.box((3, 4), bounds=[(0, 3), (0, 4)], blocked=lambda c: (c.x > 3) & (c.y > 2))
BAD_FILES = {
    "start.csv is empty; a header with the columns x, y": ("", PLANE),
    "start.csv is empty; a header": ("\n\n", PLANE),
    r"start \(file .*start.csv\) is empty": ("x,y\n\n", PLANE),
    r"start of population 'blue' \(file .*start.csv\) is empty": ("population,x\nred,1\n", TWO),
    "'north' as y in line 5; a number": ("\nx,y\n0.5,1\n\n0.5,north\n", PLANE),
    "'' as y in line 2": ("x,y\n0.5,\n", PLANE),
    "'north' as y in line 4": ('x,y,note\n0.5,1,"two\nlines"\n0.5,north,\n', PLANE),
    r"agent 1 \(file .*start.csv, line 4\) starts at x = 5; the axis runs": ("x,y\n0.5,1\n\n5,1\n", PLANE),
    r"agent 1 \(file .*start.csv, line 3\) starts in a blocked cell, at \(3.5, 2.5\)": ("x,y\n1,1\n3.5,2.5\n", WALLED),
    r"agent 0 of population 'blue' \(file .*start.csv, line 3\) starts at x = 9": (
        "population,x\nred,1\nblue,9\n",
        TWO,
    ),
    r"agent 0 \(file .*start.csv, line 2\) starts in state 7": ("state\n7\n", NAMED),
    r"the columns \['x', 'z'\]; \['y'\] are missing": ("x,z\n0.1,0.2\n", PLANE),
    r"the columns \['x;y'\]; \['x', 'y'\] are missing \(commas part": ("x;y\n0,5;1\n", PLANE),
    "the column 'x' twice in line 2": ("\nx,y,x\n0.1,0.2,0.3\n", PLANE),
    "4 values in line 2, and the 2 columns .*decimal points": ("x,y\n0,5,1,5\n", PLANE),
    "2 values in line 3, and the 1 columns": ("x\n1\n0,5\n", LINE),
    "1 values in line 2, and the 2 columns": ("x,y\n0.5\n", PLANE),
    "line 3: unknown state 'il'; did you mean 'ill'": ("state\nhealthy\nil\n", NAMED),
    "line 3: unknown population 'rad'; did you mean 'red'": ("population,x\nblue,1\nrad,1\n", TWO),
    "is no CSV file": ('x,y\n0.5,"1\n0.5,1\n', PLANE),
}


@pytest.mark.parametrize("message", BAD_FILES)
def test_spoilt_files(message, tmp_path):
    text, space = BAD_FILES[message]
    file = tmp_path / "start.csv"
    file.write_text(text)
    with pytest.raises(mfg.InputError, match=message):
        starts(file, space)


# -- exits -----------------------------------------------------------------------------------------------------------


def test_exits_go_by_the_names_of_dimensions():
    wanted = np.zeros((3, 4), dtype=bool)
    wanted[2, 1] = wanted[0, 3] = True
    named = xr.DataArray(wanted, dims=("y", "x"))
    assert (exits_of(wanted, PLANE) == wanted).all()
    for given in (named, named.T, lambda c: named.T, lambda c: wanted):
        assert (exits_of(given, PLANE) == wanted).all()
    square = mfg.Grid.box((3, 3))
    corner = xr.DataArray(np.triu(np.ones((3, 3), dtype=bool), 1), dims=("x", "y"))  # a shape alone would not tell
    assert (exits_of(corner, square) == corner.values.T).all()
    both = xr.DataArray(np.arange(8).reshape(4, 2) % 3 == 0, dims=("x", "population"))
    assert (exits_of(both, TWO) == both.values.T).all()


def test_exits_with_coordinates_of_the_game():
    places = {"y": PLANE.axes[0].centres.astype(np.float32), "x": PLANE.axes[1].centres}
    named = xr.DataArray(np.arange(12).reshape(3, 4) > 6, dims=("y", "x"), coords=places)
    assert (exits_of(named.T, PLANE) == named.values).all()
    assert (exits_of(named[:, ::-1], PLANE) == named.values).all()  # the same places in another order
    with pytest.raises(
        mfg.InputError, match=r"coordinate x = \[1.5, 2.5, 3.5, 4.5\], and \[0.5, .*3.5\] is needed; bring"
    ):
        exits_of(named.assign_coords(x=named.x + 1), PLANE)
    who = xr.DataArray(np.zeros((2, 4), dtype=bool), dims=("population", "x"), coords={"population": ["blue", "red"]})
    who[0] = True
    assert (exits_of(who, TWO) == [[False] * 4, [True] * 4]).all() == (
        exits_of(who[::-1], TWO) == [[0] * 4, [1] * 4]
    ).all()
    with pytest.raises(mfg.InputError, match=r"coordinate population = \['blue', 'green'\], and .*'red', 'blue'"):
        exits_of(who.assign_coords(population=["blue", "green"]), TWO)


def broken(c):
    raise RuntimeError("no map")


BAD_EXITS = {
    r"dimensions \('lat', 'lon'\); \('y', 'x'\), in any order, are needed": xr.DataArray(
        np.zeros((3, 4), dtype=bool), dims=("lat", "lon")
    ),
    r"dimensions \('y',\); \('y', 'x'\), in any order": xr.DataArray(np.zeros(3, dtype=bool), dims="y"),
    r"exits have shape \(4, 3\)": xr.DataArray(np.zeros((3, 4), dtype=bool), dims=("x", "y")),
    "exits hold int64": xr.DataArray(np.zeros((3, 4), dtype=int), dims=("y", "x")),
    "exits hold masked": np.ma.masked_array(np.zeros((3, 4), dtype=bool), np.eye(3, 4) > 0),
    "exits is a Dataset": xr.Dataset(),
    "exits is called with the coordinates alone, and cannot be .*missing.*'c'": lambda t, c: c.x > 1,
    "exits is called with the coordinates alone, and cannot be .*too many": lambda: True,
    r"exits is a function, and fails .*AttributeError.*unknown coordinate 'z'": lambda c: c.z > 1,
    r"exits is a function, and fails .*TypeError": lambda c: c.x > "a",
    r"exits is a function, and fails .*RuntimeError\('no map'\)": broken,
    "truth values are needed": lambda c: None,
}


@pytest.mark.parametrize("message", BAD_EXITS)
def test_bad_exits(message):
    with pytest.raises(mfg.InputError, match=message):
        exits_of(BAD_EXITS[message], PLANE)


def test_a_simulation_takes_exits_by_name():
    problem = mfg.Problem(
        grid=mfg.Grid.box((4, 4)), time=mfg.TimeGrid(0.5, 4), dynamics=mfg.ControlledDiffusion(0.02, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.3), initial=1.0, terminal=lambda t, c: c.x, normalise=True,
    )  # fmt: skip
    plan = mfg.solve(problem, check="ignore")
    west = xr.DataArray(np.arange(16).reshape(4, 4) < 4, dims=("x", "y"))
    one = mfg.simulate(plan, agents=100, rng=0, exits=west)
    assert one.identical(mfg.simulate(plan, agents=100, rng=0, exits=lambda c: c.x < 0.25))
    assert not one.density[..., 0].any()
