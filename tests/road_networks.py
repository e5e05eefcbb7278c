"""Small road networks, all their paths, and where the files of the test cities are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg

VARIABLE = "MFGSOLVE_TNTP"


def city(name: str, **options: Any) -> mfg.RoadNetwork:
    """A city of the collection of test networks, which is not part of this project."""
    folder = Path(os.environ.get(VARIABLE, "nowhere"))
    files = [folder / f"{name}_{part}.tntp" for part in ("net", "trips")]
    if not all(file.is_file() for file in files):
        pytest.skip(
            f"needs {name}_net.tntp and {name}_trips.tntp of github.com/bstabler/TransportationNetworks in ${VARIABLE}"
        )
    return mfg.RoadNetwork.from_tntp(*files, **options)


def random_network(seed: int, nodes: int = 6, pairs: int = 5, **options: Any) -> mfg.RoadNetwork:
    """A ring, so that all can get everywhere, with chords and parallel links, and times of BPR or straight lines."""
    rng = np.random.default_rng(seed)
    ends = [(k, (k + 1) % nodes) for k in range(nodes)] + [tuple(rng.choice(nodes, 2, False)) for _ in range(2 * nodes)]
    numbers = {
        "free_time": rng.uniform(1, 5, len(ends)), "capacity": rng.uniform(2, 10, len(ends)),
        "b": rng.choice([0.0, 0.15, 1.0], len(ends), p=[0.1, 0.5, 0.4]),
        "power": rng.choice([0.0, 1.0, 2.5, 4.0], len(ends)),
        "length": rng.uniform(1, 3, len(ends)), "toll": rng.uniform(0, 2, len(ends)),
    }  # fmt: skip
    demand = {
        (int(o), int(d)): float(rng.uniform(1, 8)) for o, d in (rng.choice(nodes, 2, False) for _ in range(pairs))
    }
    table = {"from": [int(a) for a, _ in ends], "to": [int(b) for _, b in ends], **numbers}
    return mfg.RoadNetwork.from_edges(table, demand, **options)


def all_paths(network: mfg.RoadNetwork, origin: int, destination: int) -> list[list[int]]:
    """Links of every path without a circle, nodes being their numbers."""
    found: list[list[int]] = []

    def go(node: int, seen: tuple[int, ...], links: list[int]) -> None:
        if node == destination:
            found.append(links)
            return
        if links and not network.through[node]:
            return
        for link in np.flatnonzero(network.tail == node):
            other = int(network.head[link])
            if other not in seen:
                go(other, (*seen, other), [*links, int(link)])

    go(origin, (origin,), [])
    return found
