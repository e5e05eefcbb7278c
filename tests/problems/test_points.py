"""A city of one's own: montreal once more from its table, the same from TOML, and every kind of bad input."""

from __future__ import annotations

import math
import os
from importlib import resources

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, read_problem
from mfgsolve.problems.point_table import Points, read_points
from mfgsolve.problems.points import PointDemand

CARS = str(resources.files("mfgsolve.problems") / "data" / "montreal-carshare.csv")
NAMES = {"x": "centroid_lon", "y": "centroid_lat", "size": "car_hours", "hour": "peak_hour"}
STOPS = "name,x,y,size,hour\nMain,0.0,0.0,10,8\nHill,4.0,3.0,30,17.5\nQuay,5.0,1.0,20,18\n"
SMALL = {"width": 1.0, "shape": (8, 8), "viscosity": 0.4}


@pytest.fixture
def stops(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stops.csv").write_text(STOPS)
    return "stops.csv"


def test_montreal_comes_from_its_table_to_the_last_bit():
    named = mfg.problems.montreal(shape=(9, 7), steps=5)
    made = mfg.problems.from_points(
        CARS, width=1.0, columns=NAMES, degrees=True, shape=(9, 7), bounds=[(-11, 12), (-14, 9)], congestion=150.0,
        control_cost=0.1, viscosity=0.1, steps=5,
    )  # fmt: skip
    assert fingerprint(made) == fingerprint(named)
    np.testing.assert_array_equal(made.sites, named.sites)
    np.testing.assert_allclose(made.track(7.0), named.track(7.0), rtol=1e-14)


def test_demand_is_the_sum_over_all_points(stops):
    demand, c = PointDemand(read_points(stops), 0.7, 1.5, 2.0, 24.0, 6.0), mfg.Grid.box((3, 4)).coordinates
    rows = [(0.0, 0.0, 10, 8), (4.0, 3.0, 30, 17.5), (5.0, 1.0, 20, 18)]
    bumps = [(s / 60, np.exp(-((c.x - x) ** 2 + (c.y - y) ** 2) / 0.98) / (0.98 * math.pi), h) for x, y, s, h in rows]
    clock = [math.exp(2 * math.cos(2 * math.pi * (6 + 3 - hour) / 24)) / np.i0(2.0) for *_, hour in bumps]
    fine = mfg.Grid.box((300, 300), bounds=[(-6, 9), (-6, 11)])
    start = demand.density(fine.coordinates).sum(axis=0)
    overlap = (start**2).sum() * fine.cell_volume
    wanted = sum(share * bump * each for (share, bump, _), each in zip(bumps, clock, strict=True)) * 1.5 / overlap
    np.testing.assert_allclose(demand.field(3.0, c), wanted, rtol=1e-6)
    hours = np.arange(0, 24, 0.5)
    earned = (demand.field.at(hours, fine.coordinates) * start).sum(axis=(1, 2)) * fine.cell_volume
    assert earned.mean() == pytest.approx(1.5, rel=1e-6)  # reward: the mean of one alone, over day and points


@pytest.mark.slow
def test_scales_follow_the_points(stops):
    problem = mfg.problems.from_points(stops, width=1.0)
    points = read_points(stops)
    assert problem.coupling.congestion == pytest.approx(1 / points.overlap(1.0))
    spread = math.sqrt(
        sum(points.share * ((points.x - points.share @ points.x) ** 2 + (points.y - points.share @ points.y) ** 2))
    )
    assert problem.dynamics.control_cost * (spread / 2.0) ** 2 / 2 == pytest.approx(1.0)  # two hours of a day
    assert problem.dynamics.viscosity == pytest.approx(0.1)
    larger = {"x": 10 * points.x, "y": 10 * points.y, "size": points.size, "hour": points.hour}
    one, ten = mfg.solve(problem), mfg.solve(mfg.problems.from_points(larger, width=10.0))
    assert ten.potential == pytest.approx(one.potential, rel=1e-9)  # whatever the unit of the map
    assert (one.name, ten.name) == ("stops", "points")


def test_a_file_holds_the_game_and_toml_states_it(stops):
    problem = mfg.problems.from_points(stops, **SMALL, steps=6)
    solution = mfg.solve(problem, check="ignore")
    again = problem_from_toml(problem_to_toml(solution.problem))
    assert fingerprint(again) == fingerprint(problem)
    stored = mfg.load(solution.save("plan.nc"))
    assert fingerprint(problem_from_toml(stored.dataset.attrs["problem"])) == fingerprint(problem)
    bounds = [[axis.start, axis.stop] for axis in problem.grid.axes]
    text = f"""
        name = "mine"
        grid = {{ shape = [8, 8], bounds = {bounds}, unit = "km" }}
        time = {{ horizon = 24.0, steps = 6, unit = "h" }}
        dynamics = {{ viscosity = 0.4, control_cost = {problem.dynamics.control_cost!r} }}
        demand = {{ points = "stops.csv", width = 1.0 }}
    """
    with open("mine.toml", "w") as file:
        file.write(text)
    stated = read_problem("mine.toml")
    assert fingerprint(stated) == fingerprint(problem)
    np.testing.assert_array_equal(stated.sites, problem.sites)
    assert (
        read_problem("mine.toml", settings={"demand.rhythm": 0.0}).coupling.reward(0.0, stated.coordinates) is not None
    )


def test_another_file_of_the_same_name_is_refused(stops):
    text = problem_to_toml(mfg.problems.from_points(stops, **SMALL, steps=2))
    with open(stops, "a") as file:
        file.write("New,1,1,1,1\n")
    with pytest.raises(mfg.InputError, match="is not the one that the problem was made of"):
        problem_from_toml(text)


def test_walls_and_a_start_of_ones_own_stay_in_python(stops):
    problem = mfg.problems.from_points(
        stops, **SMALL, steps=2, blocked=lambda c: c.x > 6.5, initial=mfg.Bump(1.0, 1.0, (0.0, 0.0)), name="x"
    )
    assert problem.text is None
    assert problem.grid.mask.any()
    assert problem.initial_mass().sum() == pytest.approx(1.0)


def test_without_hours_demand_rests_and_without_sizes_all_count_alike():
    table = {"lon": [0.0, 1.0], "lat": [0.0, 1.0]}
    points = read_points(table, {"x": "lon", "y": "lat", "size": None, "hour": ""})
    np.testing.assert_array_equal(points.share, [0.5, 0.5])
    field, c = PointDemand(points, 0.5).field, mfg.Grid.box((3, 3)).coordinates
    np.testing.assert_array_equal(field(0.0, c), field(5.0, c))
    assert (
        mfg.problems.from_points({"x": [1.0], "y": [1.0], "size": [2], "hour": [3]}, width=0.5).dynamics.control_cost
        > 0
    )


def test_whole_numbers_are_the_same_demand():
    points = read_points({"x": [0, 1], "y": [0, 2], "size": [1, 3], "hour": [1, 2]})
    whole = PointDemand(points, 1, 2, np.int64(3), 24, 0)
    assert whole == PointDemand(points, 1.0, 2.0, 3.0)
    assert {type(getattr(whole, name)) for name in ("width", "reward", "rhythm", "day", "begin")} == {float}


def test_pairs_of_points_are_looked_at_once(monkeypatch):
    asked, overlap = [], Points.overlap
    monkeypatch.setattr(Points, "overlap", lambda points, width: asked.append(width) or overlap(points, width))
    demand = PointDemand(read_points({"x": [0, 1], "y": [0, 2], "size": [1, 3], "hour": [1, 2]}), 0.5)
    c = mfg.Grid.box((4, 4), bounds=[(-1, 3), (-1, 2)]).coordinates
    np.testing.assert_allclose(demand.maps(c) * demand.overlap, demand.density(c), rtol=1e-14)
    assert demand.coupling().congestion == demand.coupling().congestion == 1 / overlap(demand.points, 0.5)
    assert asked == [0.5]


def edited(tmp_path, text):
    (tmp_path / "bad.csv").write_text(text)
    return str(tmp_path / "bad.csv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x,y,Size,hour\n1,1,1,1\n", "no column 'size'; it has x, y, Size, hour .*columns = "),
        ("lon,lat\n1,1\n", "no column 'x'; it has lon, lat"),
        ("x,y,size,hour\n1,1,-2,1\n", "line 2: size is -2; zero or more"),
        ("x,y,size,hour\n1,1,0,1\n2,2,0,1\n", "sizes that are all zero"),
        ("x,y,size,hour\n1,1,1,1\n1,nan,1,1\n", "line 3: y is 'nan'; a finite number"),
        ("x,y,size,hour\n1,1,1,noon\n", "line 2: hour is 'noon'"),
        ("x,y,size,hour\n1,1,1,24\n", "line 2: hour is 24; from 0 to below 24, the day, is needed"),
        ("x,y,size,hour\n1,1,1,-0.5\n", "hour is -0.5"),
        ("x,y,size,hour\n", "has no row below"),
        ("", "is empty"),
        ("x,y,size,hour\n1,1,1,1\n9,1,1,1\n", r"1 of 2 .* outside the box.* \(line 3\) at x = 9, .*0 to 4; widen"),
    ],
)  # fmt: skip
def test_bad_tables_are_told_in_a_sentence(tmp_path, text, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.problems.from_points(edited(tmp_path, text), **SMALL, bounds=[(0, 4), (0, 4)])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"width": 0.0}, "width of the points is 0.0; a positive number"),
        ({"rhythm": -1.0}, "rhythm of the points is -1.0; zero or more"),
        ({"begin": 24.0}, "begin of the points is 24"),
        ({"columns": {"z": "x"}}, "columns name 'z'; the columns of points stand for x, y, size, hour"),
        ({"columns": {"x": None}}, "columns leave x out"),
        (
            {"degrees": True, "columns": {"x": "size", "size": None}},
            "x, the longitude, is 200; degrees from",
        ),
        ({"degrees": True, "unit": "m"}, "unit is 'm', and degrees become km"),
        ({"degrees": 1}, r"degrees is 1 \(int\); True or False is needed"),
        ({"columns": {"x": "size"}}, "columns call both x and size 'size'; name the column of each"),
        ({"columns": ["x", "y"]}, r"columns is \['x', 'y'\] \(list\); names by what they stand for are needed"),
        ({"width": math.inf}, "width of the points is inf; a positive number"),
        ({"reward": True}, r"reward of the points is True \(bool\)"),
    ],
)
def test_bad_options_are_told_in_a_sentence(tmp_path, options, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.problems.from_points(edited(tmp_path, "x,y,size,hour\n1,1,200,1\n"), **SMALL | options)


@pytest.mark.parametrize(("unit", "fault"), [("km", False), ("1", False), ("m", True)])
def test_a_file_has_its_degrees_in_km(tmp_path, unit, fault):
    text = f"""
        grid = {{ shape = [6, 6], bounds = [[-60.0, 60.0], [-60.0, 60.0]], unit = "{unit}" }}
        time = {{ horizon = 24.0, steps = 6 }}
        dynamics = {{ viscosity = 4.0 }}
        demand = {{ points = "bad.csv", width = 9.0, degrees = true, hour = "" }}
    """
    edited(tmp_path, "x,y,size\n0.0,0.0,1\n0.1,0.2,2\n")
    if not fault:
        assert problem_from_toml(text, folder=tmp_path).sites[:, 1].max() == pytest.approx(11.1195, abs=1e-3)
        return
    with pytest.raises(mfg.InputError, match="become km, and y has the unit 'm'; state unit 'km'"):
        problem_from_toml(text, folder=tmp_path)


def test_a_demand_needs_a_grid(stops):
    text = """
        states = { count = 2 }
        time = { horizon = 1.0, steps = 2 }
        dynamics = { kind = "tabular", transitions = [[[1.0, 0.0], [0.0, 1.0]]] }
        demand = { points = "stops.csv", width = 1.0 }
    """
    with pytest.raises(mfg.InputError, match=r"points are places of a \[grid\]"):
        problem_from_toml(text)
    line = "grid = { shape = [4] }\ntime = { horizon = 1.0 }\ndynamics = { viscosity = 1.0 }\n"
    with pytest.raises(mfg.InputError, match="a grid of x and y is needed"):
        problem_from_toml(f'{line}demand = {{ points = "stops.csv", width = 1.0 }}')
    assert os.path.exists("stops.csv")
