"""Fields of time and place: bumps, boxes, sums, and how they are sampled."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg


def test_a_bump_wraps_on_a_periodic_axis():
    clock = mfg.Grid.box((24,), bounds=[(0, 24)], boundary="periodic")
    values = mfg.Bump(1.0, 1.5, (0.0,))(0.0, clock.coordinates)
    np.testing.assert_allclose(values, values[::-1])
    assert values[-1] > 0.9
