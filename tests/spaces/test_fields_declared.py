"""Fields that a problem file names beside bumps: arcs and linear ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.fields import Arc, Bump, Linear, sample_nodes
from mfgsolve.problemfile import problem_from_toml

GRID = mfg.Grid.box((6, 8), bounds=[(0, 3), (0, 2)])
C = GRID.coordinates
ARC = {"amplitude": 2.0, "width": 0.2, "centre": (1.0, 0.5), "radii": (0.6, 0.8), "arrival": 0.5}


@pytest.mark.parametrize(
    ("t", "place"),
    [
        (0.0, (0.4, 0.5)),
        (0.25, (1.0, 1.3)),
        (0.125, (1.0 - 0.6 * math.sqrt(0.5), 0.5 + 0.8 * math.sqrt(0.5))),
        (0.5, (1.6, 0.5)),
        (9.0, (1.6, 0.5)),
    ],
)
def test_an_arc_rides_half_an_ellipse_and_waits(t: float, place: tuple[float, float]) -> None:
    arc = Arc(**ARC)
    assert arc.position(t) == pytest.approx(place)
    assert np.array_equal(arc(t, C), Bump(2.0, 0.2, tuple(arc.position(t)))(t, C))


def test_a_linear_field_is_its_slope_times_the_way() -> None:
    field = Linear((2.0, -1.0), (1.0, 3.0))
    assert np.allclose(field(0.7, C), 2 * (C.x - 1) - (C.y - 3))
    assert sample_nodes(field, np.array([0.0, 0.5]), GRID, "f").shape == (1, 6, 8), "it rests"
    assert sample_nodes(Arc(**ARC), np.array([0.0, 0.5]), GRID, "f").shape == (2, 6, 8)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"width": 0.0}, "width of an arc is 0.0; it must be positive"),
        ({"arrival": -1.0}, "arrival of an arc is -1.0; it must be positive"),
        ({"radii": (1.0,)}, "radii of an arc is .*; two numbers, \\(x, y\\), are needed"),
        ({"centre": (1.0, 2.0, 3.0)}, "centre of an arc is .*; two numbers"),
        ({"amplitude": "x"}, "amplitude of an arc is 'x'"),
    ],
)
def test_arcs_that_are_none_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(mfg.InputError, match=sentence):
        Arc(**ARC | change)


def test_a_linear_field_of_other_axes_is_refused() -> None:
    with pytest.raises(mfg.InputError, match=r"slope \(1.0,\) from \(0.0,\) does not fit the coordinates \('x', 'y'\)"):
        Linear((1.0,), (0.0,))(0.0, C)


def test_a_file_states_them_and_knows_when_an_arc_ends() -> None:
    text = """
[grid]
shape = [6, 6]
[time]
horizon = 1.0
steps = 8
[dynamics]
viscosity = 0.1
[[coupling]]
kind = "congestion"
congestion = 0.1
reward = {arc = {amplitude = 2.0, width = 0.2, centre = [0.5, 0.2], radii = [0.3, 0.6], arrival = 0.6}}
[initial]
density = 1.0
[terminal]
cost = {linear = {slope = [1.0, 0.0], origin = [0.5, 0.0]}}
"""
    problem = problem_from_toml(text)
    assert problem.kinks == (0.6,)
    assert problem.track(0.3) == pytest.approx([0.5, 0.8])
    assert problem.terminal_cost() == pytest.approx(problem.grid.coordinates.x - 0.5)
