"""Points of wealth and their cells."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mfgsolve as mfg


def test_cells_fill_the_range_and_reach_half_way():
    wealth = mfg.Wealth([-1.0, 0.0, 2.0, 3.0, 7.0])
    assert wealth.edges.tolist() == [-1.0, -0.5, 1.0, 2.5, 5.0, 7.0]
    assert wealth.widths.sum() == 8.0
    assert (wealth.limit, wealth.highest, wealth.count) == (-1.0, 7.0, 5)


def test_powers_are_denser_at_the_limit_and_uniform_ones_are_even():
    assert np.ptp(mfg.Wealth.uniform(-0.15, 5, 500).distances) < 1e-14
    power = mfg.Wealth.power(1.0, 5.0, 5, 2)
    assert power.points.tolist() == [1.0, 1.25, 2.0, 3.25, 5.0]


def test_twice_as_many_intervals_keep_every_point():
    own = mfg.Wealth([0.0, 0.1, 0.3, 0.9, 1.0, 2.0])
    assert own.refined(11).points[::2] == pytest.approx(own.points, abs=1e-15)
    power = mfg.Wealth.power(-0.15, 5, 51)
    assert power.refined(101).points[::2] == pytest.approx(power.points, abs=1e-15)
    assert power.refined(101).exponent == 2.0
    assert math.isnan(own.refined(11).exponent)


def test_what_is_stated_makes_it_again():
    power = mfg.Wealth.power(-0.15, 5, 51, 1.5)
    assert (mfg.Wealth.power(**power.stated).points == power.points).all()
    own = mfg.Wealth([0.0, 0.1, 0.3, 0.9])
    assert (mfg.Wealth(**own.stated).points == own.points).all()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: mfg.Wealth([0, 1, 2]), r"shape \(3,\); a list of at least 4 increasing numbers"),
        (lambda: mfg.Wealth([0, 1, 1, 2]), r"point 2 \(1\) does not lie above point 1 \(1\)"),
        (lambda: mfg.Wealth([0, 1, math.nan, 2]), "hold nan; each must be a finite number"),
        (lambda: mfg.Wealth("rich"), "points of wealth holds"),
        (lambda: mfg.Wealth.uniform(1, 0, 10), "from 1 to 0; the borrowing limit must lie below the highest"),
        (lambda: mfg.Wealth.uniform(0, 1, 3), "3 points; at least 4"),
        (lambda: mfg.Wealth.power(0, 1, 10, 0), "exponent of the points of wealth is 0; a positive number"),
        (lambda: mfg.Wealth.power(0, 1, 10**13), "memory"),
    ],
)
def test_bad_points_are_told(make, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        make()
