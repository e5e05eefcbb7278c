"""The room whose places are planned: as many as planned in each, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg


def test_as_many_as_planned_are_in_each_place() -> None:
    solution = mfg.solve(mfg.problems.planned_room(shape=(8, 16), steps=16, upper_share=0.8), check="ignore")
    assert solution.converged
    last = solution.density.isel(time=-1)
    upper = float(last.where(last["y"] > 0.5).sum() / last.sum())
    assert upper == pytest.approx(0.8, abs=0.03)
    price = solution.dataset["final_price"]
    assert float((price * last).sum()) == pytest.approx(0.0, abs=1e-6 * float(np.abs(price).max() * last.sum()))
    assert solution.certificate.final_distance < 1e-10


def test_the_plan_costs_more_the_less_it_is_what_the_crowd_would_do() -> None:
    costs = [mfg.solve(mfg.problems.planned_room(shape=(8, 16), steps=16, upper_share=share), check="ignore").potential
             for share in (0.6, 0.95)]  # fmt: skip
    assert costs[1] > costs[0]


def test_shares_and_doors_that_make_no_sense_are_refused() -> None:
    with pytest.raises(mfg.InputError, match=r"upper_share 1\.5"):
        mfg.problems.planned_room(upper_share=1.5)
    with pytest.raises(mfg.InputError, match="planned-room has doors"):
        mfg.problems.planned_room(wide_door=0.7)
