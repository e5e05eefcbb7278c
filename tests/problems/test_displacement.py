"""Moves and pushes at the same time, each by hand."""

from __future__ import annotations

import itertools

import numpy as np

import mfgsolve as mfg
from mfgsolve.problems.displacement import displaced


def test_displaced_against_every_push_by_hand() -> None:
    grid = mfg.Grid.box((3, 4), boundary=("reflecting", "periodic"))
    noise = {(0, 0): 0.5, (1, 0): 0.2, (0, -1): 0.3}
    for (dx, dy), matrix in zip([(1, 0), (0, 1), (-1, -1)], displaced(grid, [(1, 0), (0, 1), (-1, -1)], noise), strict=True):  # fmt: skip  # noqa: E501
        wanted = np.zeros((12, 12))
        for y, x, ((ex, ey), chance) in itertools.product(range(3), range(4), noise.items()):
            to = 4 * min(max(y + dy + ey, 0), 2) + (x + dx + ex) % 4
            wanted[4 * y + x, to] += chance
        np.testing.assert_allclose(matrix.toarray(), wanted, atol=1e-15)
