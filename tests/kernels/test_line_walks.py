"""Sweeps there and back along lines: against the matrices of both."""

import numpy as np
import pytest

from mfgsolve.kernels.line_walks import applied

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("inner", [1, 3])  # one by one, side by side
@pytest.mark.parametrize("ring", [False, True])
def test_both_sweeps_are_the_matrices_they_say(ring, inner):
    rng, n = np.random.default_rng(4), 5
    right, left = rng.random((2, 2, n, inner))
    if not ring:
        right[:, -1], left[:, 0] = 0.0, 0.0
    level = rng.normal(size=(2, n, inner))
    for o, j in np.ndindex(2, inner):
        r, b, next_ = right[o, :, j], left[o, :, j], np.roll(np.eye(n), 1, axis=1)
        there = np.linalg.inv(np.eye(n) - np.diag(r) @ next_) @ np.diag(1 - r)
        back = np.linalg.inv(np.eye(n) - np.diag(b) @ next_.T) @ np.diag(1 - b)
        noise = there @ back
        np.testing.assert_allclose(
            applied(level, right, left, ring, False)[o, :, j], noise @ level[o, :, j], atol=1e-13
        )
        np.testing.assert_allclose(
            applied(level, right, left, ring, True)[o, :, j], noise.T @ level[o, :, j], atol=1e-13
        )
