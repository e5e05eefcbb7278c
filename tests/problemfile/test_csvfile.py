"""Tables of comma-separated values, classic NetCDF, byte-order marks: data as users have them, read by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import FileError, InputError
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, read_problem

PLANE = """
name = "plane"
[grid]
shape = [3, 4]
bounds = [[0.0, 3.0], [0.0, 2.0]]
[time]
horizon = 1.0
steps = 8
[dynamics]
scheme = "upwind"
viscosity = 0.05
[[coupling]]
kind = "crowd-aversion"
strength = 0.2
[[coupling]]
kind = "running-cost"
cost = {csv = "cost.csv"}
[initial]
density = {csv = "start.csv"}
"""
GRID = mfg.Grid.box((3, 4), [(0, 3), (0, 2)])
START = np.arange(1.0, 13.0).reshape(3, 4) / 78 / GRID.cell_volume
COST = np.random.default_rng(3).random((8, 3, 4))


def table(values: np.ndarray, name: str, order: str = "xy", shuffled: bool = True) -> str:
    """Rows of all cells (and steps), the columns in the given order."""
    c, timed = GRID.coordinates, values.ndim == 3
    rows = []
    for index in np.ndindex(*values.shape):
        place = {"x": c.x[index[-2:]], "y": c.y[index[-2:]], "t": index[0] / 8 if timed else 0.0}
        rows.append(",".join(f"{place[axis]:.17g}" for axis in order) + f",{values[index]:.17g}")
    if shuffled:
        rows = list(np.random.default_rng(0).permutation(rows))
    return "\n".join([",".join([*order, name]), *rows]) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("start.csv").write_text(table(START, "density"))
    Path("cost.csv").write_text(table(COST, "cost", "tyx"))
    Path("plane.toml").write_text(PLANE)
    return tmp_path


def fault(text: str, file: str = "start.csv") -> str:
    Path(file).write_text(text)
    with pytest.raises(InputError) as caught:
        read_problem("plane.toml")
    return str(caught.value)


def test_cells_are_told_by_the_names_of_columns(folder: Path) -> None:
    problem = read_problem("plane.toml")
    assert np.allclose(problem.initial_mass(), START * GRID.cell_volume, rtol=1e-14)
    cost = problem.couplings[0]
    for k in (0, 3, 7):
        assert np.array_equal(cost.terms[1].cost(k / 8, GRID.coordinates), COST[k])  # type: ignore[attr-defined]
    for order in ("xy", "yx"):
        Path("other.csv").write_text(table(START, "density", order))
        assert np.array_equal(mfg.read_density("other.csv", GRID), START)


def test_a_solution_keeps_the_name_and_the_digest_of_a_table(folder: Path) -> None:
    problem = read_problem("plane.toml")
    plan = mfg.solve(problem)
    text = problem_to_toml(problem)
    assert "sha256" in text
    assert "start.csv" in text
    again = problem_from_toml(plan.dataset.attrs["problem"])
    assert np.array_equal(again.initial_mass(), problem.initial_mass())
    Path("start.csv").write_text(table(START[::-1], "density"))
    with pytest.raises(FileError, match=r"start\.csv is not the one that the problem was made of"):
        problem_from_toml(text)


def test_faults_of_tables(folder: Path) -> None:
    good = table(START, "density", shuffled=False)
    lines = good.splitlines()
    assert "has the columns x, z, density; x, y, one of" in fault(good.replace("x,y,density", "x,z,density"))
    assert "has the columns x, y, density, note" in fault("\n".join(f"{line},1" for line in lines).replace(
        "density,1", "density,note"))  # fmt: skip
    assert "two columns named 'x'" in fault(good.replace("x,y,density", "x,x,density"))
    assert "has no row for x = 1.75, y = 2.5, and for 0 other cells" in fault("\n".join(lines[:-1]))
    assert "lines 2 and 14 are of the same cell" in fault(good + lines[1] + "\n")
    assert "line 3: x = 0.8 is no centre of a cell; the nearest is 0.75" in fault(good.replace("\n0.75,", "\n0.8,", 1))
    assert "line 2: density is 'much'" in fault("\n".join([lines[0], "0.25,0.5,much", *lines[2:]]))
    assert "line 2: density is 'nan'" in fault("\n".join([lines[0], "0.25,0.5,nan", *lines[2:]]))
    assert "line 2: 2 entries, and the first line names 3" in fault("\n".join([lines[0], "0.25,0.5", *lines[2:]]))
    assert "has the columns x;y;density; x, y, one of" in fault(good.replace(",", ";"))
    assert "is empty" in fault("")
    assert "no row below the names" in fault("x,y,density\n")
    Path("start.csv").write_bytes(good.encode("utf-16"))
    with pytest.raises(InputError, match=r"it looks like UTF-16\); save it as UTF-8"):
        read_problem("plane.toml")
    Path("start.csv").write_text(good)
    assert "t = 0.3 is no node of time; the nearest is 0.25" in fault(
        table(COST, "cost", "txy", False).replace("\n0.25,", "\n0.3,", 1), "cost.csv")  # fmt: skip
    assert "ends at t = 0.75; all 8 steps" in fault(table(COST[:7], "cost", "txy"), "cost.csv")
    Path("cost.csv").write_text(table(COST, "cost", "tyx"))
    with pytest.raises(FileError, match=r"has the suffix '\.txt'; \.csv is needed"):
        read_problem("plane.toml", settings={"initial.density": {"csv": "start.txt"}})
    with pytest.raises(FileError, match=r"data file gone\.csv, which holds arrays of the problem, is not in"):
        read_problem("plane.toml", settings={"initial.density": {"csv": "gone.csv"}})


def test_a_column_can_be_chosen_and_blocked_cells_left_out(folder: Path) -> None:
    wide = "\n".join(f"{line},7" for line in table(START, "rho").splitlines()).replace("rho,7", "rho,other")
    Path("start.csv").write_text(wide)
    chosen = {"initial.density": {"csv": "start.csv", "column": "rho"}}
    assert np.allclose(read_problem("plane.toml", settings=chosen).initial_mass(), START * GRID.cell_volume)
    walled = mfg.Grid.box((3, 4), [(0, 3), (0, 2)], blocked=lambda c: (c.x > 1.5) & (c.y > 2))
    Path("start.csv").write_text("\n".join(table(START, "density", shuffled=False).splitlines()[:-1]))
    found = mfg.read_density("start.csv", walled)
    assert found[2, 3] == 0
    assert np.array_equal(found.reshape(-1)[:-1], START.reshape(-1)[:-1])


def test_states_are_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("density,state\n0.75,home\n0.25,out\n")
    assert np.array_equal(mfg.read_density(tmp_path / "s.csv", mfg.States(["out", "home"])), [0.25, 0.75])
    with pytest.raises(FileError, match="unknown state 'home'"):
        mfg.read_density(tmp_path / "s.csv", mfg.States(["out", "house"]))


def test_a_demand_that_moves_and_points_that_rest(folder: Path) -> None:
    Path("demand.csv").write_text("x,t,y\n0.5,0,1\n1.5,1,2\n")
    Path("points.csv").write_text("amplitude,x,y\n2,0.5,1\n-1,1.5,2\n")
    moving = {"bump": {"width": 0.3, "path": {"csv": "demand.csv"}}}
    resting = {"bumps": {"width": 0.3, "csv": "points.csv"}}
    c = GRID.coordinates
    for stated, t, wanted in (
        (moving, 0.5, mfg.Bump(1.0, 0.3, (1.0, 1.5))(0, c)),
        (resting, 0.5, mfg.Bump(2.0, 0.3, (0.5, 1.0))(0, c) - mfg.Bump(1.0, 0.3, (1.5, 2.0))(0, c)),
    ):
        problem = read_problem("plane.toml", settings={"coupling.1.cost": stated})
        assert np.allclose(problem.couplings[0].terms[1].cost(t, c), wanted)  # type: ignore[attr-defined]
    Path("demand.csv").write_text("x,time,y\n0.5,0,1\n1.5,1,2\n")
    with pytest.raises(InputError, match="has no column 't'"):
        read_problem("plane.toml", settings={"coupling.1.cost": moving})
    Path("points.csv").write_text("x,y\n0.5,1\n")
    with pytest.raises(InputError, match="amplitude"):
        read_problem("plane.toml", settings={"coupling.1.cost": resting})


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT", "NETCDF4"])
def test_netcdf_of_any_version_is_read_by_the_names_of_its_dimensions(folder: Path, form: str) -> None:
    field = xr.DataArray(START.T, {"x": GRID.axes[1].centres, "y": GRID.axes[0].centres}, ("x", "y"))
    engine = "h5netcdf" if form == "NETCDF4" else "scipy"
    xr.Dataset({"m": field}).to_netcdf("data.nc", engine=engine, format=form)  # type: ignore[call-overload]
    settings = {"data": "data.nc", "initial.density": {"array": "m"}}
    problem = read_problem("plane.toml", settings=settings)
    assert np.allclose(problem.initial_mass(), START * GRID.cell_volume)
    (said,) = problem.cautions
    assert said.code == "data-transposed"
    assert "array 'm' of data.nc is stored over (x, y) and was read over (y, x)" in said.sentence
    field = field.assign_coords(x=GRID.axes[1].centres + 0.25)
    xr.Dataset({"m": field}).to_netcdf("data.nc", engine=engine, format=form)  # type: ignore[call-overload]
    with pytest.raises(InputError, match=r"has the coordinate x = 0\.5, 1, 1\.5, 2, and the problem 0\.25, 0\.75"):
        read_problem("plane.toml", settings=settings)
    xr.Dataset({"m": field.rename(x="lon", y="lat").drop_vars(["lon", "lat"])}).to_netcdf(
        "data.nc", engine=engine, format=form
    )  # type: ignore[call-overload]
    with pytest.raises(InputError, match=r"shape"):  # by position: and it does not fit
        read_problem("plane.toml", settings=settings)


def test_a_classic_file_that_declares_more_than_it_holds(folder: Path) -> None:
    xr.Dataset({"m": (("y", "x"), START)}).to_netcdf("data.nc", engine="scipy")
    content = bytearray(Path("data.nc").read_bytes())
    place = content.index(b"\0\0\0\1x") + 8  # the length of the dimension x
    content[place : place + 4] = (2**31 - 4).to_bytes(4, "big")
    Path("data.nc").write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"data file data\.nc cannot be read .*cannot reshape array of size 12"):
        read_problem("plane.toml", settings={"data": "data.nc", "initial.density": {"array": "m"}})


def test_marks_and_encodings_of_problem_files(folder: Path) -> None:
    plain = read_problem("plane.toml").initial_mass()
    for file in ("plane.toml", "start.csv"):
        Path(file).write_bytes(b"\xef\xbb\xbf" + Path(file).read_bytes().replace(b"\n", b"\r\n"))
    assert np.array_equal(read_problem("plane.toml").initial_mass(), plain)
    Path("plane.toml").write_text(PLANE, encoding="utf-16")
    with pytest.raises(FileError, match=r"problem file plane\.toml is text in UTF-16; save it as UTF-8"):
        read_problem("plane.toml")
