"""Least costs of all pairs by SciPy's algorithm of Dijkstra, apart from the solver's own: who can get there, and at
what cost at given link costs.

A node that no path may pass is two: one where trips begin, with the links that leave it, and one where they end, with
those that come in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.errors import InputError, cut

__all__ = ["check_reach", "least_costs"]

NAMED = 5  # pairs that a sentence lists


def least_costs(network: Any, cost: np.ndarray) -> np.ndarray:
    """Cost of a cheapest path of every pair, (pairs,), infinite where there is none; ``cost`` is (classes, links)."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    nodes, demand = len(network.nodes), network.demand
    arrival = np.where(network.through, np.arange(nodes), nodes + np.arange(nodes))
    result = np.full(demand.size, np.inf)
    for c in range(len(demand.classes)):
        tail, head, least = _cheapest_of_parallel(network.tail, arrival[network.head], cost[c])
        graph = csr_matrix((least, (tail, head)), shape=(2 * nodes, 2 * nodes))
        own = np.flatnonzero(demand.of_class == c)
        origins, place = np.unique(demand.origin[own], return_inverse=True)
        for first in range(0, origins.size, 64):
            some = origins[first : first + 64]
            distance = dijkstra(graph, indices=some)
            rows = np.flatnonzero((place >= first) & (place < first + 64))
            ends = arrival[demand.destination[own[rows]]]
            result[own[rows]] = distance[place[rows] - first, ends]
    return result


def _cheapest_of_parallel(tail: np.ndarray, head: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of several links between two nodes the cheapest alone: a sparse matrix would add them up."""
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    new = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))
    return tail[new], head[new], cost[new]


def check_reach(network: Any) -> None:
    """Refuse pairs that no path leads to, by their names."""
    demand = network.demand
    cut_off = ~np.isfinite(least_costs(network, np.ones((len(demand.classes), network.tail.size))))
    if not cut_off.any():
        return
    which = np.flatnonzero(cut_off)
    listed = ", ".join(
        f"{network.nodes[demand.origin[k]]} -> {network.nodes[demand.destination[k]]}" for k in which[:NAMED]
    )
    rest = f" and {which.size - NAMED} others" if which.size > NAMED else ""
    shut = "" if network.through.all() else ", where no path goes through centroids"
    raise InputError(
        f"no path leads from origin to destination for {cut(listed)}{rest} (a demand of "
        f"{demand.vehicles[which].sum():.6g}{shut}); add links, or leave these trips out"
    )
