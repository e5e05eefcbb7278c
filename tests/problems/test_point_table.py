"""Points of a table: names of columns, data frames, degrees as km, the overlap of all pairs, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.problems import point_table
from mfgsolve.problems.point_table import EARTH_RADIUS, Points, read_points

TABLE = {"x": [0.0, 1.0, 3.0], "y": [0.0, 2.0, 1.0], "size": [1, 3, 4], "hour": [1, 2, 2]}


def test_a_data_frame_will_do():
    frame = pytest.importorskip("pandas").DataFrame({"x": [0, 1], "y": [0, 2], "size": [1, 3], "hour": [1, 2]})
    np.testing.assert_array_equal(read_points(frame).share, [0.25, 0.75])


def test_what_is_no_table_is_told():
    with pytest.raises(mfg.InputError, match="no column 'x'; they have a"):
        read_points({"a": [1]})
    with pytest.raises(mfg.InputError, match="no column 'x'; they have none"):
        read_points(3)
    with pytest.raises(mfg.InputError, match="hold no point"):
        read_points({"x": [], "y": [], "size": [], "hour": []})
    with pytest.raises(mfg.InputError, match="size has shape"):
        Points(np.zeros(2), np.zeros(2), np.zeros(3), None)


def test_names_of_columns_are_all_different_texts():
    assert read_points({**TABLE, "lon": [5.0, 6.0, 7.0]}, {"x": "lon"}).x.tolist() == [5.0, 6.0, 7.0]
    swapped = read_points(TABLE, {"x": "y", "y": "x"})
    assert (swapped.x.tolist(), swapped.y.tolist()) == (TABLE["y"], TABLE["x"])
    for columns, sentence in (
        ({"y": "x"}, "columns call both x and y 'x'; name the column of each"),
        ({"hour": "size"}, "both size and hour 'size'"),
        ({"x": 3}, "columns call x 3; the name of a column, or None"),
        ("xy", r"columns is 'xy' \(str\); names by what they stand for"),
        ([("x", "y")], "names by what they stand for"),
    ):
        with pytest.raises(mfg.InputError, match=sentence):
            read_points(TABLE, columns)
    assert read_points(TABLE, {"size": "", "hour": None}).hour is None  # both are absent, and nothing is doubled


@pytest.mark.parametrize("degrees", ["yes", 1, None, np.True_])
def test_degrees_are_a_truth_value(degrees):
    with pytest.raises(mfg.InputError, match=r"degrees is .*True or False is needed"):
        read_points(TABLE, degrees=degrees)


def test_degrees_become_km_and_say_so():
    points = read_points(TABLE, degrees=True)
    step = EARTH_RADIUS * math.pi / 180
    np.testing.assert_allclose(points.y, np.array([-1.0, 1.0, 0.0]) * step, atol=1e-9)
    np.testing.assert_allclose(np.diff(points.x), np.diff(TABLE["x"]) * step * math.cos(math.pi / 180))
    assert (points.unit, read_points(TABLE).unit) == ("km", "")
    box = [(-300.0, 300.0)] * 2
    points.check(mfg.Grid.box((4, 4), bounds=box, unit="km"), 24.0)
    with pytest.raises(mfg.InputError, match="degrees of the points become km, and y has the unit 'm'"):
        points.check(mfg.Grid.box((4, 4), bounds=box, unit="m"), 24.0)
    read_points({**TABLE, "size": [1, 1, 1]}).check(mfg.Grid.box((4, 4), bounds=box, unit="m"), 24.0)


def test_overlap_is_that_of_all_pairs(monkeypatch):
    points, width = read_points(TABLE), 0.7
    pairs = [(a, b) for a in range(3) for b in range(3)]
    wanted = sum(
        points.share[a] * points.share[b] / (4 * math.pi * width**2)
        * math.exp(-((points.x[a] - points.x[b]) ** 2 + (points.y[a] - points.y[b]) ** 2) / (4 * width**2))
        for a, b in pairs
    )  # fmt: skip
    assert points.overlap(width) == pytest.approx(wanted, rel=1e-13)
    monkeypatch.setattr(point_table, "ROWS", 2)  # some points at a time
    assert points.overlap(width) == pytest.approx(wanted, rel=1e-13)
