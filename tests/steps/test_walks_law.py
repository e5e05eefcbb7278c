"""Noise as single agents take it, walks or a sparse matrix: the whole law of the solve, row by row."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.kernels import agents as kernel
from mfgsolve.steps import Noise
from mfgsolve.steps.scheme import make_scheme
from mfgsolve.steps.walks import noise_walks

HOLE = np.zeros((4, 5), dtype=bool)
HOLE[1, 2:4] = HOLE[0, 0] = True
EDGES = np.array([0.0, 0.1, 0.3, 0.35, 0.7, 1.0])


def uneven(boundary: str) -> mfg.Grid:
    axes = mfg.Axis("y", 4, boundary="periodic"), mfg.Axis.from_edges("x", EDGES, boundary)
    return mfg.Grid(axes, HOLE)


GRIDS = {
    "line": lambda: mfg.Grid.box((6,)),
    "ring": lambda: mfg.Grid.box((6,), boundary="periodic"),
    "two cells round": lambda: mfg.Grid.box((2,), boundary="periodic"),
    "plane": lambda: mfg.Grid.box((4, 5), boundary=("periodic", "reflecting")),
    "hole": lambda: mfg.Grid.box((4, 5), boundary="periodic", blocked=HOLE),
    "space": lambda: mfg.Grid.box((2, 3, 4)),
    "uneven": lambda: uneven("reflecting"),
    "uneven round": lambda: uneven("periodic"),
}


def noise_on(grid: mfg.Grid, kind: str = "implicit", viscosity: float = 0.7) -> Noise:
    scheme = make_scheme(grid, mfg.TimeGrid(1.0, 20), viscosity, kind, 1.0, 1)
    return Noise([(slice(0, grid.size), (1,) * (3 - grid.ndim) + grid.shape, scheme)])


def dense(noise: Noise, grid: mfg.Grid) -> np.ndarray:
    """Where a unit of mass of each cell lands, row by row."""
    shape = noise.parts[0][1]
    return np.stack([noise.push(0, unit.reshape(shape)).reshape(-1) for unit in np.eye(grid.size)])


@pytest.mark.parametrize("name", GRIDS)
def test_walks_land_where_the_solve_does(name):
    grid = GRIDS[name]()
    noise, free = noise_on(grid), ~grid.mask.reshape(-1)
    assert noise.matrix(0) is None
    landed = np.eye(grid.size)
    for walk in noise.walks(grid.size):
        landed = np.stack([walk.push(mass) for mass in landed])
    np.testing.assert_allclose(landed[free], dense(noise, grid)[free], rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", GRIDS)
def test_explicit_noise_is_a_sparse_matrix(name):
    grid = GRIDS[name]()
    noise, free = noise_on(grid, "explicit", 0.002), ~grid.mask.reshape(-1)
    assert noise.walks(grid.size) is None
    matrix = noise.matrix(0)
    np.testing.assert_allclose(matrix.toarray()[free], dense(noise, grid)[free], rtol=0, atol=4e-16)
    assert (matrix.indices[matrix.indptr[:-1]] == np.arange(grid.size)).all()  # to stay comes first


def test_the_mean_of_the_kernel_is_the_push():
    """A billion agents along one axis, with and without a ring."""
    for name in ("line", "ring"):
        grid = GRIDS[name]()
        (walk,) = noise_on(grid).walks(6)
        counts = np.zeros(6, dtype=np.int64)
        counts[1] = 10**12
        mass = counts / 1e12
        stream = np.random.SeedSequence(1).generate_state(4, np.uint64)
        kernel.spread(counts, walk.cells, walk.stride, walk.right, walk.left, walk.ring, stream)
        assert counts.sum() == 10**12
        np.testing.assert_allclose(counts / 1e12, walk.push(mass), rtol=0, atol=5e-6)


def test_parts_of_unlike_shapes_are_no_walks():
    line, ring, plane = GRIDS["line"](), GRIDS["ring"](), GRIDS["plane"]()
    (_, shape, scheme), (_, _, other) = (noise_on(grid).parts[0] for grid in (line, ring))
    layers = [(slice(0, 6), shape, scheme), (slice(6, 12), shape, scheme)]
    assert len(noise_walks(layers, 12)) == 1
    assert noise_walks([layers[0], (slice(6, 12), shape, other)], 12) is None
    assert noise_walks([layers[0], (slice(7, 13), shape, scheme)], 13) is None
    assert noise_walks([layers[0], noise_on(plane).parts[0]], 26) is None
    assert noise_walks([], 5) == []
