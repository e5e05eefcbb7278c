"""Grids of all kinds: one to three axes, with walls, rings, blocked and uneven cells."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import mfgsolve as mfg


def uneven(rng: np.random.Generator, name: str, cells: int, boundary: str) -> mfg.Axis:
    """An axis of cells of widths that differ by up to ten times."""
    return mfg.Axis.from_edges(
        name, rng.uniform(-1, 1) + np.append(0.0, rng.uniform(0.3, 3.0, cells).cumsum()), boundary
    )


@st.composite
def grids(draw, most=6):
    """Any grid of up to ``most`` cells along an axis, and a generator of random numbers."""
    rng, ndim = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 3))
    axes = []
    for name in "zyx"[3 - ndim :]:
        cells, kind = int(rng.integers(2, most + 1)), str(rng.choice(["reflecting", "periodic"]))
        axes.append(mfg.Axis(name, cells, 0.0, 4.0, kind) if draw(st.booleans()) else uneven(rng, name, cells, kind))
    grid = mfg.Grid(tuple(axes))
    if draw(st.booleans()):
        mask = rng.random(grid.shape) < 0.3
        mask.reshape(-1)[rng.integers(grid.size)] = False
        grid = mfg.Grid(grid.axes, mask)
    return grid, rng
