"""Least costs by SciPy: parallel links, links that cost nothing, centroids."""

from __future__ import annotations

import numpy as np
import pytest
from road_networks import all_paths, random_network

import mfgsolve as mfg
from mfgsolve.roads.cheapest import least_costs


@pytest.mark.parametrize("seed", range(6))
def test_they_are_those_of_all_paths(seed):
    network = random_network(seed)
    cost = np.random.default_rng(seed).choice([0.0, 0.5, 1.0, 3.0], (1, network.tail.size))
    wanted = [min(cost[0, path].sum() for path in all_paths(network, o, d))
              for o, d in zip(network.demand.origin, network.demand.destination, strict=True)]  # fmt: skip
    np.testing.assert_allclose(least_costs(network, cost), wanted)


def test_a_way_through_a_centroid_is_none():
    edges = {"from": [1, 2, 1, 4], "to": [2, 3, 4, 3], "constant": [1.0, 1.0, 5.0, 5.0], "slope": [0.0] * 4}
    for closed, cost in (((), 2.0), ((2,), 10.0), ((1, 3), 2.0)):
        network = mfg.RoadNetwork.from_edges(edges, {(1, 3): 1.0}, closed=closed)
        assert least_costs(network, network.costs.time(np.zeros(4))[None])[0] == cost
        assert mfg.solve(network, check="ignore").numbers["total_time"] == cost


def test_pairs_without_a_way_are_counted():
    edges = {"from": [1, 3], "to": [2, 4], "constant": [1.0, 1.0], "slope": [0.0, 0.0]}
    trips = {(1, k): 1.0 for k in (3, 4)} | {(2, k): 1.0 for k in (1, 3, 4)} | {(3, 1): 1.0}
    with pytest.raises(mfg.InputError, match=r"1 -> 3, 1 -> 4, 2 -> 1, 2 -> 3, 2 -> 4 and 1 others .a demand of 6"):
        mfg.RoadNetwork.from_edges(edges, trips)
