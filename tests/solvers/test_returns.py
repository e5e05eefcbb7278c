"""A solver of one's own that returns something else than what its verbs are for is told so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.solvers import FictitiousPlay


def make(**verbs: Any) -> Any:
    return type("Odd", (FictitiousPlay,), {"name": "odd", "__module__": __name__} | verbs)()


def solve(solver: Any) -> mfg.Solution:
    problem = mfg.problems.beach_bar(shape=(6,), steps=3, temperature=1.0)
    return mfg.solve(problem, method=solver, max_iterations=3, check="ignore")


def finish_with(change: Any) -> Any:
    return lambda self, state: change(FictitiousPlay.finish(self, state))


def test_a_sound_one_runs():
    assert solve(make()).iterations == 3


@pytest.mark.parametrize(
    ("verbs", "says"),
    [
        ({"init": lambda *_: None}, "init of solver 'odd' gave NoneType; State"),
        ({"step": lambda *_: None}, "step of solver 'odd' gave NoneType; State"),
        ({"finish": lambda *_: (1, 2)}, "finish of solver 'odd' gave tuple; Outcome"),
        (
            {"finish": finish_with(lambda out: replace(out, policy=np.ones(3)))},
            "gave a ndarray as the policy; a Policy",
        ),
        ({"finish": finish_with(lambda out: replace(out, crowd=0.9 * out.crowd))}, "away from that of its policy"),
        ({"name": None}, "the solver Odd has no name; write name = "),
        ({"needs": (3,)}, r"needs of the solver Odd are \(3,\); a tuple of Need"),
    ],
)
def test_what_is_wrong_is_told(verbs, says):
    with pytest.raises(mfg.InputError, match=says):
        solve(make(**verbs))
