"""Slopes on logarithmic axes and bands of means, against SciPy and often repeated draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mfgsolve.agents.slopes import mean_and_band, slope


def test_slope_is_that_of_scipy():
    rng = np.random.default_rng(0)
    agents = np.array([10, 30, 100, 300, 1000])
    values = 3.0 * agents**-0.5 * np.exp(0.05 * rng.standard_normal(5))
    ours, theirs = slope(agents, values), stats.linregress(np.log(agents), np.log(values))
    assert ours.value == pytest.approx(theirs.slope, rel=1e-12)
    assert math.log(ours.level) == pytest.approx(theirs.intercept, rel=1e-10)
    assert ours.high - ours.value == pytest.approx(stats.t.ppf(0.975, 3) * theirs.stderr, rel=1e-10)
    assert ours.low < -0.5 < ours.high
    shuffled = [3, 0, 4, 2, 1]
    assert slope(agents[shuffled], values[shuffled]).value == pytest.approx(ours.value)
    assert slope(agents[shuffled], values[shuffled]).last == pytest.approx(slope(agents[3:], values[3:]).value)


def test_slope_leaves_out_what_is_no_measurement():
    agents, law = np.array([1, 10, 100, 1000, 10_000]), lambda n: 2.0 * n**-2.0
    values = law(agents.astype(float))
    values[0] = math.nan
    values[4] = -1e-17  # round-off
    found = slope(agents, values)
    assert found.value == pytest.approx(-2.0)
    assert found.used.tolist() == [False, True, True, True, False]
    above = slope(agents, law(agents.astype(float)), floor=1e-3)
    assert above.used.tolist() == [True, True, False, False, False]
    assert above.value == pytest.approx(-2.0)
    assert math.isnan(above.low)  # two points lie on a line anyhow
    assert math.isnan(slope(agents, np.full(5, math.nan)).value)


def test_band_is_that_of_student():
    values = np.random.default_rng(1).standard_normal((3, 12)) + 5
    mean, band = mean_and_band(values, 1)
    for row, m, b in zip(values, mean, band, strict=True):
        expected = stats.t.interval(0.95, 11, loc=row.mean(), scale=row.std(ddof=1) / math.sqrt(12))
        assert (m, *b) == pytest.approx((row.mean(), *expected), rel=1e-12)
    holes = np.concatenate([values, np.full((3, 4), math.nan)], axis=1)
    assert np.allclose(mean_and_band(holes, 1)[1], band)
    assert np.isnan(mean_and_band(values[:, :1], 1)[1]).all()
    assert np.isnan(mean_and_band(np.full((2, 3), math.nan), 1)[0]).all()


def test_bands_hold_the_truth_as_often_as_they_say():
    draws = np.random.default_rng(2).exponential(size=(2000, 50))
    _, band = mean_and_band(draws, 1)
    held = ((band[:, 0] <= 1) & (band[:, 1] >= 1)).mean()
    assert 0.91 < held < 0.97
