"""Kinks of the data in time: what may be stated, which ones named problems have, and what they change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.identity import fingerprint


def line(**words: object) -> mfg.Problem:
    return mfg.Problem(
        mfg.Grid.box((8,)), mfg.TimeGrid(2.0, 8), mfg.ControlledDiffusion(0.1), mfg.CrowdAversion(1.0), 1.0, **words
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [[1.5, 0.5, 1.5], (0.5, 1.5), np.array([1.5, 0.5]), {0.5, 1.5}, iter([1.5, 0.5])])
def test_times_stand_once_and_in_order(given: object) -> None:
    assert line(kinks=given).kinks == (0.5, 1.5)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([0.0], "hold 0, and its times go from 0 to 2"),
        ([0.5, 2.0], "hold 2, and its times go from 0 to 2"),
        ([-1], "hold -1"),
        ([float("nan")], "hold nan"),
        ([float("inf")], "hold inf"),
        (0.7, "are 0.7; times between 0 and the horizon"),
        ("0.7", "are '0.7'; times"),
        ({"t": 0.7}, "times between"),
        (["a"], "real|times between"),
        ([True], "times between"),
        ([[0.5], [0.7]], r"have shape \(2, 1\)"),
        (None, "are None"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(given: object, told: str) -> None:
    with pytest.raises(mfg.InputError, match=f"^kinks of the problem.*{told}"):
        line(kinks=given)


def test_another_horizon_must_still_hold_them() -> None:
    problem = line(kinks=(1.5,))
    with pytest.raises(mfg.InputError, match=r"hold 1\.5, and its times go from 0 to 1;"):
        replace(problem, time=mfg.TimeGrid(1.0, 8))
    assert replace(problem, time=mfg.TimeGrid(3.0)).kinks == (1.5,)


def test_they_go_along_with_a_problem() -> None:
    problem = mfg.problems.supply_demand(shape=(8, 8))
    assert problem.kinks == (0.7,)
    for other in (problem.with_steps(10), problem.rescaled((16, 16), 10), problem.social(), problem.levelled()):
        assert other is not None
        assert other.kinks == (0.7,)


def test_a_demand_that_never_stops_has_none() -> None:
    assert mfg.problems.supply_demand(shape=(8, 8), hold=0.0).kinks == ()
    assert mfg.problems.lattice_supply_demand(hold=0.4).kinks == (0.6,)
    for name in ("montreal", "crowd-aversion", "gaussian-log", "linear-quadratic", "cole-hopf"):  # smooth in time
        assert mfg.problems.get(name).build().kinks == ()


def test_a_game_in_a_stated_number_of_steps_is_the_same_without() -> None:
    assert fingerprint(line(kinks=(0.5,))) == fingerprint(line())
