"""Odd arguments of constructors, solvers and learners are told in a sentence."""

from __future__ import annotations

import pytest
from plain_games import room

import mfgsolve as mfg
from mfgsolve.errors import InputError

ODD = {
    r"axes of the grid are \(16, 16\); .*Grid\.box\(shape, bounds\)": lambda: mfg.Grid((16, 16)),
    "axes of the grid are 16": lambda: mfg.Grid(16),
    r"bounds is \(0, 1\); a pair .* say \[\(0, 1\)\]": lambda: mfg.Grid.box((4,), bounds=(0, 1)),
    r"bounds is \(0, 1\); a pair .* say \[\(0, 1\), \(0, 1\)\]": lambda: mfg.Grid.box((4, 4), bounds=(0, 1)),
    "bounds is 5": lambda: mfg.Grid.box((4,), bounds=5),
    "bounds is 'ab'": lambda: mfg.Grid.box((4, 4), bounds="ab"),
    r"stop of axis x is 'a' \(str\)": lambda: mfg.Grid.box((4,), bounds=[(0, "a")]),
    "boundary is 3": lambda: mfg.Grid.box((4,), boundary=3),
    "blocked is a list, and no array of truth values|blocked cells came as": lambda: mfg.Grid.box(4, blocked=[[1], []]),
    r"sites of the problem have shape \(3,\)": lambda: room(sites=[1, 2, 3]),
    "too large for a number of 64 bits": lambda: mfg.Grid.box(10**400),
    "option agents of the learner is 'ten'": lambda: mfg.learn(mfg.problems.beach_bar(), learner="gmf-q", agents="ten"),
    "option softness of the learner is '1'": lambda: mfg.learn(mfg.problems.beach_bar(), learner="gmf-q", softness="1"),
    "option weight of gmf-q is None": lambda: mfg.learners.GMFQ(weight=None),
    "option empirical of gmf-q is 1 .*True or False": lambda: mfg.learners.GMFQ(empirical=1),
    "option rate of mirror-descent is 'a'": lambda: mfg.solve(
        mfg.problems.beach_bar(), method="mirror-descent", rate="a"),
    "unknown option of newton": lambda: mfg.solve(mfg.problems.beach_bar(), method="newton", rate=1.0),
}  # fmt: skip


@pytest.mark.parametrize("message", ODD)
def test_odd_arguments_are_told_in_a_sentence(message):
    with pytest.raises(InputError, match=message):
        ODD[message]()
