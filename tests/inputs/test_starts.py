"""The mass of the cells at t = 0; what is refused is told by tests/inputs/test_problem_refused.py."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.starts import starting_mass


def test_a_density_becomes_mass_of_sum_one() -> None:
    grid = mfg.Grid.box((4,), bounds=[(0.0, 2.0)])
    np.testing.assert_array_equal(starting_mass(0.5, grid, False), 0.25)
    np.testing.assert_allclose(starting_mass(lambda t, c: c.x, grid, True), np.array([1, 3, 5, 7]) / 16)
    assert starting_mass(None, grid, False).sum() == pytest.approx(1.0)
    with pytest.raises(mfg.InputError, match="initial density sums to 2"):
        starting_mass(1.0, grid, False)
