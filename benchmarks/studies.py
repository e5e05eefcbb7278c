"""Studies: how many points a second, on how many workers, and how large one solve may be.

    python benchmarks/studies.py              # everything but the largest solves, some minutes
    python benchmarks/studies.py --quick      # less of everything, two minutes
    python benchmarks/studies.py paths scale  # sections by name
    python benchmarks/studies.py --worker ... # one solve in a process of its own, as `scale` starts it

Seconds of `paths` are of the CPU, of one thread, both ways of solving in turns; those of `workers` are of the clock.

Sections: paths, workers, store, scale, design, cluster.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import ONE_THREAD, table

import mfgsolve as mfg
from mfgsolve.studies.points import Point

REWARDS = [1 + 0.25 * k for k in range(13)]
CONGESTIONS = [0.05, 0.1, 0.2]
SECTIONS: dict[str, Callable[[bool], None]] = {}
FREE = 0.8  # share of the memory that is free, which a solve may be expected to take
MEASURED: dict[str, float] = {}  # seconds and bytes of a point, for the section on paper


def section(run: Callable[[bool], None]) -> Callable[[bool], None]:
    """A part that is asked for by its name; it takes whether to be quick."""
    SECTIONS[run.__name__.strip("_")] = run
    return run


def study(n: int, scheme: str, steps: int | None = None, **more: Any) -> Any:
    """The flagship over reward and congestion."""
    over = {"reward": REWARDS, "congestion": more.pop("congestions", CONGESTIONS)}
    return mfg.sweep("supply-demand", over, shape=(n, n), scheme=scheme, steps=steps, **more)


# -- small games -------------------------------------------------------------------------------------------------------


@section
def paths(quick: bool) -> None:
    """Small games along paths against the same points one by one, in process."""
    cases = [(16, "entropic", 20), (16, "entropic", None), (32, "entropic", 20), (32, "entropic", None),
             (16, "upwind", 256), (16, "upwind", None), (32, "upwind", 512), (32, "upwind", None)]  # fmt: skip
    rows = []
    for n, scheme, steps in cases[:4] if quick else cases:
        some = CONGESTIONS if scheme == "entropic" else CONGESTIONS[1:2]
        taken: dict[str, list[float]] = {"path": [], "single": [], "plain": []}
        results = {}
        study(n, scheme, steps, congestions=[0.15])
        for _ in range(1 if quick else 2):
            for way in taken:
                begun = time.process_time()
                if way == "plain":
                    for congestion in some:
                        for reward in REWARDS:
                            parameters = {"reward": reward, "congestion": congestion}
                            game = mfg.problems.build(
                                "supply-demand", parameters, shape=(n, n), steps=steps, scheme=scheme
                            )
                            mfg.solve(game, check="ignore", threads=1)
                else:
                    results[way] = study(n, scheme, steps, congestions=some, warm=way == "path")
                taken[way].append(time.process_time() - begun)
        path, single = results["path"], results["single"]
        each = {way: 1e3 * min(times) / path.done.size for way, times in taken.items()}
        MEASURED.setdefault(f"seconds {n} {scheme}", each["path"] / 1e3)
        apart = float(abs(path.potential / single.potential - 1).max())
        rows.append([
            f"{n}^2 {scheme}", steps or "chosen", *(f"{each[way]:.0f}" for way in ("plain", "single", "path")),
            f"{each['plain'] / each['path']:.1f}", *(f"{float(one.sweeps.mean()):.0f}" for one in (single, path)),
            int((path.steps != single.steps).sum()), f"{float(path.relative_exploitability.max()):.0e}",
            f"{apart:.0e}",
        ])  # fmt: skip
    table(["game", "steps", "solve ms", "one by one", "paths", "times", "sweeps", "along paths", "other steps",
           "relative", "potential off by"], rows)  # fmt: skip
    print(
        f"CPU milliseconds of a point, least of the rounds; {len(REWARDS)} rewards on each path.  'solve' is that\n"
        "of mfgsolve, point by point, with the estimate of its distance to the continuum, which a study makes if asked."
    )


@section
def workers(quick: bool) -> None:
    """Throughput against workers, and what Dask takes for each point."""
    import distributed

    size = {"congestions": [0.05, 0.1] if quick else [0.05, 0.075, 0.1, 0.15, 0.2, 0.3]}
    rows = []
    cases: list[tuple[str, Callable[..., Any]]] = [
        ("supply-demand 32^2x20, paths", lambda **way: study(32, "entropic", 20, **size, **way)),
        ("supply-demand 64^2x48, one by one",
         lambda **way: study(64, "entropic", 48, congestions=[0.1] if quick else [0.1, 0.2], **way)),
        ("left-right, which takes nothing",
         lambda **way: mfg.sweep("left-right", {"temperature": np.linspace(0.1, 1, 100 if quick else 400)}, **way)),
    ]  # fmt: skip
    for name, run in cases:
        took, results = {}, []
        for count in (None, 1, 2):
            if count is None:
                run()
                begun = time.perf_counter()
                results.append(run())
                took[count] = time.perf_counter() - begun
                continue
            with (
                distributed.LocalCluster(
                    n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
                ) as cluster,
                distributed.Client(cluster) as client,
            ):
                run(client=client)  # loads kernels
                begun, own = time.perf_counter(), time.process_time()
                results.append(run(client=client))
                took[count] = time.perf_counter() - begun
                over = 1e3 * (time.process_time() - own) / results[0].done.size  # the scheduler is in this process
        points = results[0].done.size
        same = all(one.drop_vars("seconds").equals(results[0].drop_vars("seconds")) for one in results)
        if name.startswith("left"):
            MEASURED["overhead"] = over / 1e3
        rows.append([name, points, *(f"{points / took[count]:.1f}" for count in (None, 1, 2)),
                     f"{took[1] / took[2]:.2f}", f"{over:.1f}", "yes" if same else "NO"])  # fmt: skip
    table(["points", "count", "a second, in process", "1 worker", "2 workers", "2 over 1", "Dask ms a point",
           "same bits"], rows)  # fmt: skip
    print("Dask: CPU time of driver and scheduler; 1 worker beside the process that drives it.")


@section
def store(quick: bool) -> None:
    """What keeping a point takes: seconds, files and bytes."""
    rows = []
    for name, more in (("numbers", {}), ("and a region", {"regions": {"shortcut": "y<0.4"}}),
                       ("and densities", {"regions": {"shortcut": "y<0.4"}, "keep": ["density"]})):  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s.zarr"
            took = []
            for output in (None, path):
                begun = time.process_time()
                made = study(32, "entropic", 20, congestions=[0.1], output=output, **more)
                took.append(time.process_time() - begun)
            files = [file for file in path.rglob("*") if file.is_file() and file.name != "zarr.json"]
            points, size = made.done.size, sum(file.stat().st_size for file in files)
            answer = 8 * sum(one.size // points for one in made.data_vars.values() if one.dtype.kind == "f")
            MEASURED.setdefault("files", len(files) / points)
            MEASURED.setdefault("bytes", size / points)
            MEASURED.setdefault("writing", max(took[1] - took[0], 0.0) / points)
            rows.append([name, f"{len(files) / points:.0f}", f"{size / points:.0f}", f"{answer}",
                         f"{1e3 * (took[1] - took[0]) / points:.1f}"])  # fmt: skip
    table(["kept", "files a point", "bytes a point", "bytes of an answer", "ms a point"], rows)


# -- one solve ---------------------------------------------------------------------------------------------------------

PLANE = {"entropic": [(32, 16), (64, 48), (128, 96), (256, 192), (512, 384)],
         "upwind": [(32, 256), (64, 512), (128, 1024), (256, 2048), (512, 4096)]}  # fmt: skip
CUBE = {"entropic": [(32, 16), (48, 24), (64, 32), (96, 48)], "upwind": [(32, 128), (48, 192), (64, 256), (96, 256)]}


@section
def scale(quick: bool) -> None:
    """Time and memory of one solve against its grid, each in a process of its own, as far as the memory holds."""
    rows = []
    for name, sizes in (("supply-demand", PLANE), ("gaussian-log", CUBE)):
        for scheme, meshes in sizes.items():
            before = 0.0
            for n, steps in meshes[:2] if quick else meshes:
                shape = [n] * (2 if name == "supply-demand" else 3)
                arrays = 8.0 * n ** len(shape) * (steps + 1)
                wanted = (before or 16.0) * arrays
                label = [f"{name} {'x'.join(map(str, shape))}", scheme, steps]
                if wanted > FREE * _free():
                    rows.append([*label, f"left out: about {wanted / 2**30:.0f} GB", "", "", "", ""])
                    continue
                told = _apart(name, shape, steps, scheme)
                if told is None:
                    rows.append([*label, "did not end", "", "", "", ""])
                    break
                before = max(told["peak"] / arrays, 1.0)
                rate = told["sweeps"] * n ** len(shape) * steps / told["seconds"] / 1e6
                rows.append([*label, f"{told['seconds']:.2f}", f"{told['sweeps']:.0f}", f"{told['peak'] / 2**20:.0f}",
                             f"{told['peak'] / arrays:.1f}", f"{rate:.0f}"])  # fmt: skip
                print("  ".join(map(str, rows[-1])), file=sys.stderr, flush=True)
    table(["game", "scheme", "steps", "CPU seconds", "sweeps", "MB", "arrays of (T+1) x cells", "M cell-steps/s"], rows)
    print("To relative exploitability 1e-10 (1e-6 of cubes), on one thread; MB beyond those of a solve of 8 cells.")


def _free() -> float:
    """Bytes of memory that are free."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return 1024.0 * float(next(line for line in lines if line.startswith("MemAvailable")).split()[1])


def _apart(name: str, shape: list[int], steps: int, scheme: str) -> dict[str, float] | None:
    """Seconds, sweeps and bytes of one solve in a process of its own; None where that did not end well."""
    asked = json.dumps([name, shape, steps, scheme])
    done = subprocess.run([sys.executable, __file__, "--worker", asked], capture_output=True, text=True, check=False,
                          env={**os.environ, **ONE_THREAD})  # fmt: skip
    return json.loads(done.stdout) if done.returncode == 0 else None


def _one(name: str, shape: list[int], steps: int, scheme: str) -> None:
    """Solve one game, after a tiny one that loads the kernels, and print what it took."""

    def solved(shape: list[int], steps: int) -> mfg.Solution:
        game = mfg.problems.build(name, {}, shape=tuple(shape), steps=steps, scheme=scheme)
        return mfg.solve(game, tol=1e-10 if len(shape) == 2 else 1e-6, check="ignore", threads=1, max_seconds=900)

    solved([8] * len(shape), 8)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    solution = solved(shape, steps)
    seconds = time.process_time() - begun
    peak = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    print(json.dumps({"seconds": seconds, "sweeps": solution.sweeps, "peak": peak}))


# -- incentives --------------------------------------------------------------------------------------------------------


@section
def design(quick: bool) -> None:
    """Price of anarchy before and after incentives, and what they cost."""
    rows = []
    side, cells = (12, 3) if quick else (16, 4)
    game = mfg.resolution.settle(mfg.problems.supply_demand(shape=(side, side), viscosity=0.02, steps=20))
    controls = {f"{i}{j}": _patch(i, j, cells) for i in range(cells) for j in range(cells)}
    rows.append(_designed("supply-demand, tolls and subsidies", game, controls, (-1.0, 1.0), 60))
    roads = mfg.problems.braess(temperature=0.1)
    rows.append(
        _designed("braess, a toll on every road", roads, {f"{k}": _state(k) for k in range(6)}, (-3.0, 3.0), 100)
    )
    rows.append(_designed("braess, capacity of the bridge", roads, ["bridge"], (0.05, 3.0), 100))
    table(["game and controls", "count", "cost before", "after", "optimum", "price before", "after", "paid to planner",
           "equilibria", "seconds"], rows)  # fmt: skip
    print(
        "Price of anarchy: cost at the equilibrium over that at the social optimum; of rewards (costs below zero) it\n"
        "is at most 1.  Tolls are moved, not lost: costs are without them, and what is below zero under 'paid to\n"
        "planner' is what the subsidies cost.  The optimum of the bridge is that of its best capacity."
    )


def _patch(i: int, j: int, cells: int) -> Callable[[float, Any], Any]:
    return lambda t, c: ((np.floor(cells * c.x) == i) & (np.floor(cells * c.y) == j)) * 1.0


def _state(k: int) -> Callable[[float, Any], Any]:
    return lambda t, c: (c.state == k) * 1.0


def _designed(name: str, game: mfg.Problem, controls: Any, bounds: tuple[float, float], most: int) -> list[object]:
    begun = time.process_time()
    found = mfg.design(game, controls, bounds, tol=1e-10, max_iterations=most)
    seconds = time.process_time() - begun
    apart = mfg.price_of_anarchy(game)
    if isinstance(controls, list):
        game = mfg.problems.build("braess", {"temperature": 0.1, **found.values})
    optimum = mfg.price_of_anarchy(game).optimal_cost if isinstance(controls, list) else apart.optimal_cost
    before, after = found.before / apart.optimal_cost, found.after / optimum
    return [name, len(controls), f"{found.before:.5f}", f"{found.after:.5f}", f"{optimum:.5f}", f"{before:.4f}",
            f"{after:.4f}", f"{found.transfer:+.4f}", found.history.sizes["iteration"], f"{seconds:.1f}"]  # fmt: skip


# -- on paper ----------------------------------------------------------------------------------------------------------


@section
def cluster(quick: bool) -> None:
    """On paper: a study of a million points on 100 nodes of 32 cores, from what was measured above."""
    for needed in ("workers", "store", "paths"):
        if {"workers": "overhead", "store": "files", "paths": "seconds 32 entropic"}[needed] not in MEASURED:
            print(f"(needs the section {needed})")
            return
    points, cores, path = 10**6, 3200, 13
    solving, overhead = MEASURED["seconds 32 entropic"], MEASURED["overhead"]
    point = len(pickle.dumps(Point("supply-demand", settings={"reward": 1.0, "congestion": 0.1})))
    message, answer = 0.2e3 + point, 0.3e3
    ideal = points * solving / cores
    writing, files, block = MEASURED["writing"], MEASURED["files"], 4096
    rows: list[list[object]] = [
        ["solving, 3200 cores", f"{solving * 1e3:.0f} ms a point", f"{ideal:.0f} s"],
        ["messages of the scheduler", f"4 a path of {path}", f"{4 * points / path:.1e}"],
        ["Dask, driver and scheduler", f"{overhead * 1e3:.1f} ms a point", f"{points * overhead:.0f} s of one core"],
        ["through driver and scheduler", f"{message + answer:.0f} B a point",
         f"{points * (message + answer) / 1e9:.1f} GB"],
        ["written by the driver", f"{writing * 1e3:.1f} ms a point", f"{points * writing:.0f} s of one core"],
        ["files", f"{files:.0f} a point", f"{points * files:.1e}"],
        ["bytes in them", f"{MEASURED['bytes']:.0f} B a point", f"{points * MEASURED['bytes'] / 1e9:.2f} GB"],
        ["in blocks of 4 kB", f"{files * block / 1e3:.0f} kB a point", f"{points * files * block / 1e9:.0f} GB"],
        ["paths in flight", "4 a core", f"{4 * cores * path * point / 1e6:.0f} MB at the scheduler"],
    ]  # fmt: skip
    table(["what", "each", "in all"], rows)
    rate = 1 / (overhead + writing)
    told = (
        f"It breaks at the driver first, which hands out and writes about {rate:.0f} points a second: as many as",
        f"{rate * solving:.0f} cores solve of these small games, {rate:.0f} cores of games of a second, all 3200",
        f"only of games of {cores / rate:.0f} s and more.  Next is the file system, with {points * files:.0e} files.",
        "Hence a study of that size is parted by one of its parameters into a driver and a store for each node, which",
        f"share nothing (100 drivers hand out {100 * rate:.0f} points a second), and read together by xarray.concat of",
        "what open_sweep returns.",
    )
    print("\n".join(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help="sections by name; all of them if none is named")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    warnings.simplefilter("ignore")
    for name in options.sections or SECTIONS:
        print(f"\n{name}: {(SECTIONS[name].__doc__ or '').splitlines()[0]}\n", flush=True)
        SECTIONS[name](options.quick)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        warnings.simplefilter("ignore")
        _one(*json.loads(sys.argv[2]))
    else:
        main()
