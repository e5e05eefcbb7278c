"""Transitions of agents that move on a grid and are pushed at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from mfgsolve.grids import Grid

__all__ = ["displaced"]

Offset = tuple[int, ...]


def displaced(grid: Grid, moves: Sequence[Offset], noise: Mapping[Offset, float]) -> list[sparse.csr_array]:
    """One matrix per move: x -> clamp(x + move + e), e with the probabilities of ``noise``; offsets are (x, y, ...).

    The sum is clamped at walls (wrapped on periodic axes) coordinate by coordinate, so that noise against a move
    undoes it even in the last cell.  The ``jumps`` of `LatticeMoves` act after the agent has stopped at the wall.
    """
    matrices = []
    for move in moves:
        matrix = sparse.csr_array((grid.size, grid.size))
        for push, chance in noise.items():
            index = list(np.indices(grid.shape))
            for k, axis in enumerate(grid.axes):  # array order is the reverse of that of a point
                moved = index[k] + move[-1 - k] + push[-1 - k]
                index[k] = moved % axis.cells if axis.periodic else np.clip(moved, 0, axis.cells - 1)
            target = np.ravel_multi_index(tuple(index), grid.shape).reshape(-1)
            parts = (np.full(grid.size, chance), target, np.arange(grid.size + 1))
            matrix = matrix + sparse.csr_array(parts, shape=matrix.shape)
        matrices.append(sparse.csr_array(matrix))
    return matrices
