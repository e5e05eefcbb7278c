"""Traffic kernels beside NumPy and SciPy: prices, trees, loads, shifts."""

from __future__ import annotations

import numpy as np
import pytest
from road_networks import random_network
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from mfgsolve.kernels import roads as kernel


@pytest.mark.kernel
@pytest.mark.parametrize("power", [1.0, 2.0, 2.5, 4.0])
def test_prices_are_times_and_their_slopes(power):
    x = np.array([0.0, 1.0, 7.5, -1e-18])
    ones = np.ones(4)
    time, slope = np.empty(4), np.empty(4)
    kernel.prices(x, 2 * ones, np.array([3.0, 3.0, 0.0, 3.0]), 4 * ones, power * ones, time, slope)
    y = np.maximum(x, 0) / 4
    c = np.array([3.0, 3.0, 0.0, 3.0])
    np.testing.assert_allclose(time, 2 + c * y**power, rtol=1e-15)
    np.testing.assert_allclose(slope, c * power / 4 * y ** (power - 1), rtol=1e-14)


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(5))
def test_trees_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    n, m = 40, 200
    tail, head, cost = rng.integers(0, n, m), rng.integers(0, n, m), rng.choice([0.5, 1.0, 2.0, 7.0], m)
    order = np.argsort(tail, kind="stable")
    first = np.searchsorted(tail[order], np.arange(n + 1))
    distance, last, heap, place = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    kernel.tree(3, first, order, head, np.ones(n, dtype=bool), cost, distance, last, heap, place)
    dense = np.full((n, n), np.inf)
    np.minimum.at(dense, (tail, head), cost)
    np.testing.assert_array_equal(distance, dijkstra(csr_matrix(np.where(np.isfinite(dense), dense, 0)), indices=3))
    for v in np.flatnonzero(np.isfinite(distance)):
        if v != 3:
            assert distance[tail[last[v]]] + cost[last[v]] == distance[v]


@pytest.mark.kernel
def test_the_same_path_is_never_kept_twice():
    from mfgsolve.roads.assignment import _Costs, _Search

    network = random_network(4)
    search = _Search(network, _Costs(network, network.costs))
    for _ in range(12):
        search._price()
        search._grow()
        paths = search.paths
        for k in range(network.demand.size):
            own = [tuple(paths.links[paths.begin[p] : paths.begin[p + 1]]) for p in range(*paths.of_pair[k : k + 2])]
            assert len(set(own)) == len(own)
            assert paths.flow[slice(*paths.of_pair[k : k + 2])].sum() == pytest.approx(
                network.demand.cars[k], rel=1e-14
            )
        assert (paths.flow >= 0).all()
        search._price()
        search._shift(0.0)
