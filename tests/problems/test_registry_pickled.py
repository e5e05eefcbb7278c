"""Named problems and their solutions are pickled: the same game, and the same numbers, come out."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.identity import fingerprint


def small(name):
    entry = mfg.problems.get(name)
    sizes = {"shape": tuple(min(n, 8) for n in entry.shape)} if "shape" in entry.resolution else {}
    if name in ("crowd-aversion", "crowd-modelling", "crowd-modelling-2d", "four-rooms", "crowd-motion"):
        sizes = {}
    if name == "evacuation":
        sizes = {"shape": (22, 32)}
    if name == "planned-room":
        sizes = {"shape": (8, 16)}
    return entry.build(**sizes)


@pytest.mark.parametrize("name", mfg.problems.names("game"))
def test_a_problem_is_the_same_game_after_it_was_pickled(name):
    problem = small(name)
    again = pickle.loads(pickle.dumps(problem))
    if problem.time.settled:
        assert fingerprint(again) == fingerprint(problem)
    assert (again.name, again.parameters) == (problem.name, problem.parameters)
    if problem.track is not None:
        np.testing.assert_array_equal(again.track(0.3), problem.track(0.3))


def test_a_city_of_ones_own_and_multiples_too():
    points = {"x": [0.0, 1.0], "y": [0.0, 1.0], "size": [1, 2], "hour": [3, 15]}
    city = mfg.problems.from_points(points, width=0.5, shape=(6, 6), steps=4)
    assert fingerprint(pickle.loads(pickle.dumps(city))) == fingerprint(city)
    assert pickle.loads(pickle.dumps(2 * mfg.CrowdAversion(1.0))).factor == 2.0


def test_a_solution_keeps_its_numbers_its_problem_and_its_dataset():
    solution = mfg.solve("left-right", temperature=0.2)
    again = pickle.loads(pickle.dumps(solution))
    assert again.dataset.identical(solution.dataset)
    assert str(again.certificate) == str(solution.certificate)  # some are NaN
    assert mfg.exploitability(again.problem, again).exploitability == pytest.approx(solution.exploitability, abs=1e-15)
