"""Road networks: rounds, seconds and digits beside published values; and, where it is installed, AequilibraE.

    python benchmarks/roads.py                                  # networks of our own
    python benchmarks/roads.py --tntp FOLDER                    # and the cities whose files are there (MFGSOLVE_TNTP)
    python benchmarks/roads.py --tntp FOLDER --aequilibrae-python PYTHON

Seconds are those of the processor, on one thread, kernels compiled before, from arrays to the certified answer.
AequilibraE (doi:10.21105/joss.03284) runs its bi-conjugate Frank-Wolfe on one thread in a process of its own, on the
same network in the same run, for 10, 100, ... iterations; its gap is the one that it reports, ours the time to that gap.
The files are of https://github.com/bstabler/TransportationNetworks and not part of this project.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from measure import ONE_THREAD, best, table

os.environ.update(ONE_THREAD)

import numpy as np  # noqa: E402

import mfgsolve as mfg  # noqa: E402

PUBLISHED = {  # potential of the user equilibrium, by its collection or (Braess) by hand
    "braess-roads": "386", "SiouxFalls": "4231335.287107440", "Anaheim": "1286032.171096 (to gap 1e-14)", "EMA": "",
}  # fmt: skip
CITIES = ("SiouxFalls", "Anaheim", "EMA")
ITERATIONS = (10, 100, 1000)

AEQUILIBRAE = '''
import json, sys, time, logging
import numpy as np, pandas as pd
from aequilibrae.matrix import AequilibraeMatrix
from aequilibrae.paths import Graph, TrafficAssignment, TrafficClass
logging.disable(logging.CRITICAL)
net = np.load(sys.argv[1])
columns = ["a_node", "b_node", "capacity", "free_flow_time", "b", "power"]
frame = pd.DataFrame({name: net[name] for name in columns})
frame.insert(0, "link_id", np.arange(1, len(frame) + 1))
frame["direction"] = 1
zones = net["demand"].shape[0]
results = []
for iterations in json.loads(sys.argv[2]):
    graph = Graph()
    graph.network = frame.copy()
    graph.prepare_graph(np.arange(1, zones + 1))
    graph.set_graph("free_flow_time")
    graph.set_skimming(["free_flow_time"])
    graph.set_blocked_centroid_flows(bool(net["blocked"]))
    matrix = AequilibraeMatrix()
    matrix.create_empty(zones=zones, matrix_names=["car"], memory_only=True)
    matrix.index[:] = np.arange(1, zones + 1)
    matrix.matrix["car"][:, :] = net["demand"]
    matrix.computational_view(["car"])
    work = TrafficAssignment()
    work.set_classes([TrafficClass("car", graph, matrix)])
    work.set_vdf("BPR")
    work.set_vdf_parameters({"alpha": "b", "beta": "power"})
    work.set_capacity_field("capacity")
    work.set_time_field("free_flow_time")
    work.set_algorithm("bfw")
    work.set_cores(1)
    work.max_iter, work.rgap_target = iterations, 1e-14
    begun = time.process_time()
    work.execute()
    seconds = time.process_time() - begun
    results.append([work.assignment.iter, float(work.assignment.rgap), seconds])
print(json.dumps(results))
'''


def networks(folder: Path | None) -> dict[str, mfg.RoadNetwork]:
    """Our own, and the cities that there are."""
    found = {
        "braess-roads": mfg.problems.braess_roads(),
        "ring-city": mfg.problems.ring_city(),
        "ring-city 12 x 24": mfg.problems.ring_city(rings=12, radials=24, commuters=200000.0),
    }
    for name in CITIES if folder else ():
        files = [folder / f"{name}_{part}.tntp" for part in ("net", "trips")]
        if all(file.is_file() for file in files):
            found[name] = mfg.RoadNetwork.from_tntp(*files)
        else:
            print(f"{name} is not in {folder}: left out")
    return found


def ours(found: dict[str, mfg.RoadNetwork], tol: float) -> None:
    rows = []
    for name, network in found.items():
        answers = {}
        for objective in ("equilibrium", "social"):
            answers[objective] = mfg.solve(network, objective=objective, tol=tol, check="ignore")
        selfish, social = answers.values()
        times = 1 if network.tail.size > 1000 else 3
        seconds = best(lambda network=network: mfg.solve(network, tol=tol, check="ignore"), times, _clock)
        rows.append([
            name, f"{network.tail.size}, {len(set(network.demand.origin.tolist()))}", selfish.dataset.attrs["iterations"],
            f"{seconds:.3f}", f"{selfish.relative_exploitability:.0e}", f"{selfish.numbers['confirmed_gap']:.0e}",
            f"{selfish.potential:.15g}", PUBLISHED.get(name, ""), f"{selfish.cost / social.cost:.12f}",
        ])  # fmt: skip
    head = ["network", "links, origins", "rounds", "seconds", "gap", "by SciPy", "potential", "published", "anarchy"]
    table(head, rows)


def _clock() -> float:
    import time

    return time.process_time()


def beside(found: dict[str, mfg.RoadNetwork], python: str, folder: Path) -> None:
    """AequilibraE for so many iterations, and our seconds to its gap."""
    rows = []
    for name in CITIES:
        if name not in found:
            continue
        network, file = found[name], folder / f"{name}.npz"
        np.savez(file, **_arrays(network))
        words = [python, "-c", AEQUILIBRAE, str(file), json.dumps(ITERATIONS)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | ONE_THREAD)
        if done.returncode:
            print(f"AequilibraE on {name}: {done.stderr.strip().splitlines()[-1]}")
            continue
        for iterations, gap, seconds in json.loads(done.stdout.strip().splitlines()[-1]):
            mine = best(lambda network=network, gap=gap: mfg.solve(network, tol=gap, check="ignore"), 3, _clock)
            rows.append([name, iterations, f"{gap:.1e}", f"{seconds:.2f}", f"{mine:.4f}", f"{seconds / mine:.0f}"])
    table(["network", "iterations of AequilibraE", "its gap", "its seconds", "ours to that gap", "ratio"], rows)


def _arrays(network: mfg.RoadNetwork) -> dict[str, np.ndarray]:
    demand, labels, costs = network.demand, np.array(network.nodes), network.costs
    zones = int(max(labels[demand.origin].max(), labels[demand.destination].max()))
    matrix = np.zeros((zones, zones))
    matrix[labels[demand.origin] - 1, labels[demand.destination] - 1] = demand.vehicles
    ends = {"a_node": labels[network.tail], "b_node": labels[network.head]}
    times = {"capacity": costs.capacity, "free_flow_time": costs.constant, "b": costs.b, "power": costs.power}
    return {**ends, **times, "demand": matrix, "blocked": np.array(not network.through.all())}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tntp", type=Path, default=os.environ.get("MFGSOLVE_TNTP"), help="folder of the cities' files")
    parser.add_argument("--aequilibrae-python", metavar="PYTHON", help="of an environment that has AequilibraE")
    parser.add_argument("--tol", type=float, default=1e-13)
    given = parser.parse_args(words)
    folder = None if given.tntp is None else Path(given.tntp)
    found = networks(folder)
    ours(found, given.tol)
    if given.aequilibrae_python:
        import tempfile

        with tempfile.TemporaryDirectory() as scratch:
            beside(found, given.aequilibrae_python, Path(scratch))
    else:
        print("AequilibraE: not asked for (--aequilibrae-python PYTHON)")


if __name__ == "__main__":
    sys.exit(main())
