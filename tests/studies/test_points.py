"""One point of a sweep: its settings, its identity, its failures."""

from __future__ import annotations

import pickle

import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.studies.points import Point, fingerprint_of, shape_of, solve_point


def test_points_travel_and_answer():
    point = pickle.loads(pickle.dumps(Point("left-right", settings={"temperature": 0.2}, options={"tol": 1e-9})))
    answer = solve_point(point)
    assert answer.status == "converged"
    assert answer.numbers["relative_exploitability"] <= 1e-9
    assert answer.numbers["steps"] == mfg.problems.left_right().time.steps


def test_settings_of_games_and_learners_are_told_apart():
    point = Point("left-right").with_settings({"temperature": 0.2, "agents": 5})
    assert (point.settings, point.agents) == ({"temperature": 0.2}, 5)
    learner = Point("left-right", learner="mguni").with_settings({"agents": 5, "rng": 3, "episodes": 7})
    assert (learner.options, learner.agents) == ({"agents": 5, "rng": 3, "episodes": 7}, 0)


def test_fingerprints_tell_studies_apart():
    first = fingerprint_of(Point("left-right"), {"temperature": [0.1]})
    assert first == fingerprint_of(Point("left-right"), {"temperature": [0.1]})
    others = [
        fingerprint_of(Point("left-right"), {"temperature": [0.1, 0.2]}),
        fingerprint_of(Point("left-right", options={"tol": 1e-9}), {"temperature": [0.1]}),
        fingerprint_of(Point("left-right", regions={"a": "x<1"}), {"temperature": [0.1]}),
        fingerprint_of(Point("beach-bar"), {"temperature": [0.1]}),
        fingerprint_of(Point(text="x"), {"temperature": [0.1]}),
    ]
    assert len({first, *others}) == 6


def test_failures_are_answers():
    other = solve_point(Point("left-right", version="0.0.1"))
    assert other.status == "failed"
    assert "the study is of 0.0.1" in other.message

    def broken() -> mfg.Problem:
        raise RuntimeError("no")

    assert "RuntimeError: no (broken" in solve_point(Point(build=broken)).message
    assert "temperature" in solve_point(Point("left-right", settings={"temperature": -1.0})).message


def test_shapes_are_read_from_labels():
    assert shape_of("32x64") == (32, 64)
    with pytest.raises(InputError, match="shape is '3y'"):
        shape_of("3y")
