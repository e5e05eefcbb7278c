"""Coefficients of the scheme."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mfgsolve.steps.scheme import noise_factors

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_noise_factors_invert_the_tridiagonal(periodic, masked):
    """The documented recurrences with the stored factors solve (I - nu dt Lap) u = v."""
    mask = np.zeros((1, 1, 9), dtype=bool)
    mask[0, 0, 4] = masked
    pivot, lower, upper, wrap = noise_factors(mask, 2, 0.8, periodic)[:, 0, 0]
    one = np.eye(9)
    for i in range(9):
        one[i] = pivot[i] * one[i] + (lower[i] * one[i - 1] if i else 0.0)
    for i in range(7, -1, -1):
        one[i] += upper[i] * one[i + 1]
    one = one - wrap[:, None] * (one[0] - one[-1])[None] if periodic else one
    matrix = np.eye(9)
    for i, j in [*pairwise(range(9))] + ([(8, 0)] if periodic else []):
        if not (mask[0, 0, i] or mask[0, 0, j]):
            matrix[[i, j], [i, j]] += 0.8
            matrix[[i, j], [j, i]] -= 0.8
    np.testing.assert_allclose(one @ matrix, np.eye(9), atol=1e-14)
