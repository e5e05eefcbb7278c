"""Tiles of rows: as wide as values allow, and never across walls."""

import numpy as np
import pytest
from scaled_games import GAMES, entropic_game, some_price, wall

from mfgsolve.kernels import tiles

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("name", ["steep line", "steep plane", "cells"])
def test_steep_games_are_cut_into_tiles(name):
    g = entropic_game(**GAMES[name])
    partitions = g.respond(some_price(g)).policy[:, 0]
    last = len(g.step.arrays.tiles) - 1
    assert partitions.max() == last if name == "cells" else 0 < partitions.max() < last


def test_tiles_end_at_walls():
    g = entropic_game((10, 12), blocked=wall)
    arrays = g.step.arrays
    edges = np.flatnonzero(np.diff(g.grid.mask.any(axis=0).astype(int))) + 1
    assert list(arrays.cuts[0, : arrays.tiles[0] + 1]) == [0, *edges, 12]
    assert arrays.tiles[-1] == 12


def test_scales_bound_the_weights_of_every_pass():
    g = entropic_game((6, 40), steep=30.0, reach=3)
    arrays, eps = g.step.arrays, g.step.entropy[0]
    v = np.random.default_rng(2).random((6, 40)) + 30.0 * np.linspace(0, 1, 40)
    scales = np.zeros((3, 6, 40))
    p = tiles.partition(v, eps, scales, arrays)
    lows = np.stack([v[:, a:b].min(axis=1) for a, b in zip(arrays.cuts[p], arrays.cuts[p, 1:], strict=False) if b > a])
    np.testing.assert_array_equal(scales[0, :, : arrays.tiles[p]], lows.T)
    for axis, stencil, k in ((2, g.step.stencils[1], 1), (1, g.step.stencils[0], 2)):
        tiles.scale(scales[k], scales[k - 1], axis, eps, p, arrays)
        before, after = (scales[j][:, arrays.tile[p]].reshape(-1) for j in (k - 1, k))
        weights = np.log(stencil.taps) + (after[:, None] - before[stencil.near]) / eps
        assert weights.max() <= 1e-12


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("steep", [0, 3, 5])
def test_one_steep_row_is_enough(steep, threads):
    g = entropic_game((6, 40), reach=3, threads=threads)
    arrays, eps, scales = g.step.arrays, g.step.entropy[0], np.zeros((3, 6, 40))
    v = np.zeros((6, 40))
    assert tiles.partition(v, eps, scales, arrays) == 0
    v[steep] = 1.5 * tiles.SPAN * eps * np.linspace(0, 1, 40)
    p = tiles.partition(v, eps, scales, arrays)
    assert p > 0
    starts = arrays.cuts[p, : arrays.tiles[p]]
    np.testing.assert_array_equal(scales[0, :, : arrays.tiles[p]], v[:, starts])  # the least of a row that climbs
