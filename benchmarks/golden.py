"""Golden numbers: what every named problem gives, bit for bit, to hold one state of the code against another.

    python benchmarks/golden.py write FILE              # in the state that is trusted
    python benchmarks/golden.py compare FILE            # in the new one; exit status 1 where anything differs
    python benchmarks/golden.py compare FILE --only beach-bar --only learn

Every named problem is solved at a small size by the default and by each solver that suits it (few iterations), finite
games also at a temperature; some also for the social optimum, from a start, and with hard bounds.  Plans are then
played by N agents, and every learner learns with a fixed seed.  Kept are numbers as hexadecimal floats (potential,
exploitability, duality gap, scale, cost, sweeps, iterations ...), and of arrays (density, value, speed or policy,
history) the shape, a digest of all bits, and three sums, by which ``compare`` says how far two arrays are apart.

Numbers agree bit for bit only on one machine: BLAS and the processor's vector units round in their own order.  What
depends on the clock is left out.  One process, one thread, a few minutes; only public names of the package are used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve as mfg

ITERATIONS = 8  # of a solver that is named
MOST = 300  # of the default
TEMPERATURE = 0.1
CERTIFICATE = ("potential", "exploitability", "relative_exploitability", "duality_gap", "scale", "cost", "violation")
ARRAYS = ("density", "value", "speed", "policy", "coupling_cost", "multiplier")
HISTORY = ("exploitability", "relative_exploitability", "potential", "duality_gap", "sweeps")

SIZES: dict[str, dict[str, Any]] = {
    "beach-bar": {},
    "bench-mfg-chain": {},
    "bonnans-lavigne-pfeiffer-1": {"shape": (24,), "steps": 23},
    "bonnans-lavigne-pfeiffer-2": {"shape": (24,), "steps": 23},
    "braess": {},
    "cole-hopf": {"shape": (32,), "steps": 40},
    "crowd-aversion": {"shape": (8, 16), "steps": 48},
    "crowd-modelling": {},
    "crowd-modelling-2d": {},
    "crowd-motion": {"shape": (8, 8)},
    "braess-traffic": {},
    "evacuation": {"shape": (22, 32), "steps": 24},
    "four-rooms": {"steps": 12},
    "gaussian-log": {"shape": (32,), "steps": 64},
    "lattice-supply-demand": {"shape": (10, 10), "steps": 20},
    "late-news": {},
    "left-right": {},
    "linear-quadratic": {"shape": (32,), "steps": 48},
    "montreal": {"shape": (12, 12), "steps": 32},
    "planned-room": {"shape": (8, 16), "steps": 16},
    "predator-prey": {"steps": 6},
    "rock-paper-scissors": {},
    "supply-demand": {"shape": (16, 16), "steps": 96},
    "susceptible-infected": {"steps": 16},
}

Record = dict[str, Any]  # by name: a number as text, or what is kept of an array
Case = tuple[str, Callable[[], Record]]


# -- what is kept ----------------------------------------------------------------------------------------------------


def number(value: Any) -> str:
    return float(value).hex()


def array(values: Any) -> Record:
    """Shape, digest of the bits, and three sums of an array: of the values, of their sizes, and under a wave."""
    field = np.ascontiguousarray(values, dtype=float) + 0.0  # -0.0 is 0.0
    flat = np.nan_to_num(field.reshape(-1), posinf=0.0, neginf=0.0)
    wave = np.cos(np.arange(flat.size))
    sums = (math.fsum(flat), math.fsum(np.abs(flat)), math.fsum(flat * wave))
    digest = hashlib.blake2b(field.tobytes(), digest_size=16).hexdigest()
    return {"shape": list(field.shape), "digest": digest, "sums": [value.hex() for value in sums]}


def plan(solution: mfg.Solution) -> Record:
    """Certificate, work, arrays and history of a solution."""
    data = solution.dataset
    kept: Record = {"status": solution.status.value, "solver": str(data.attrs["solver"])}
    kept |= {name: number(getattr(solution.certificate, name)) for name in CERTIFICATE}
    kept |= {"sweeps": number(solution.sweeps), "iterations": number(solution.iterations)}
    kept |= {name: array(data[name].values) for name in ARRAYS if name in data}
    return kept | {f"history of {name}": array(data[name].values) for name in HISTORY if name in data}


def table(data: xr.Dataset) -> Record:
    """All arrays of numbers of a dataset."""
    return {str(name): array(values) for name, values in data.items() if values.dtype.kind in "fiub"}


# -- the cases -------------------------------------------------------------------------------------------------------


def solved(problem: Callable[[], mfg.Problem], method: Any = None, **options: Any) -> Callable[[], Record]:
    limit = MOST if method is None else ITERATIONS
    options = {"max_iterations": limit, "check": "ignore", "threads": 1} | options
    return lambda: plan(mfg.solve(problem(), method=method, **options))


def build(name: str, **parameters: Any) -> Callable[[], mfg.Problem]:
    return lambda: upwind(mfg.problems.get(name).build(**SIZES[name], **parameters))


def upwind(problem: mfg.Problem) -> mfg.Problem:
    """A diffusion by the scheme that the numbers are of."""
    return problem if problem.is_finite else problem.with_scheme("upwind")


def named() -> Iterator[Case]:
    """Every named problem, sharp and at a temperature, by the default and by every solver that suits it."""
    for name in mfg.problems.names("game"):
        forms = {name: build(name)}
        if "temperature" in mfg.problems.get(name).parameters:
            forms[f"{name} at {TEMPERATURE}"] = build(name, temperature=TEMPERATURE)
        for title, problem in forms.items():
            yield f"solve {title}", solved(problem)
            for method in mfg.solvers.suited(problem()):
                yield f"solve {title} by {method}", solved(problem, method)


def bounded(temperature: float = 0.0) -> mfg.Problem:
    """A lattice with a capacity and a price with bounds, all hard."""
    axis = mfg.Axis("x", 8)
    moves = mfg.LatticeMoves([-1, 0, 1], [0.1, 0.0, 0.1], viscosity=0.005, temperature=temperature)
    price = mfg.Price(mfg.QuadraticPotential(0.5), bounds=(-1.0, 1.0), amounts=[-1.0, 0.0, 1.0])
    coupling = mfg.CrowdAversion(0.3) + mfg.Capacity(4.0) + price
    start = np.array([0.4, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0]) * 8
    goal = mfg.RunningCost(lambda t, c: (c["x"] - 0.9) ** 2)
    return mfg.Problem(mfg.Grid((axis,)), mfg.TimeGrid(1.0, 6), moves, coupling + goal, start)


def others() -> Iterator[Case]:
    """What named problems at their defaults do not reach."""
    cubes = {"linear-quadratic": {"shape": (6, 6, 6), "steps": 10}, "cole-hopf": {"shape": (8, 8), "steps": 12}}
    for name, size in cubes.items():
        yield f"solve {name} {size['shape']}", solved(lambda n=name, s=size: upwind(mfg.problems.get(n).build(**s)))
    ring = lambda: mfg.problems.cole_hopf(shape=(24,), steps=30, boundary="periodic", scheme="upwind")
    yield "solve cole-hopf periodic", solved(ring)
    for temperature in (0.0, TEMPERATURE):
        held = lambda t=temperature: bounded(t)
        yield f"solve hard bounds at {temperature}", solved(held)
        for method in mfg.solvers.suited(held()):
            yield f"solve hard bounds at {temperature} by {method}", solved(held, method)
    for name in ("supply-demand", "lattice-supply-demand", "braess"):
        yield f"social {name}", solved(build(name), objective="social")
    yield "anarchy braess", lambda: anarchy(build("braess")())
    yield "start supply-demand", lambda: started(build("supply-demand")())


def anarchy(problem: mfg.Problem) -> Record:
    price = mfg.price_of_anarchy(problem, check="ignore", threads=1)
    return {"ratio": number(price.ratio)} | plan(price.optimum)


def started(problem: mfg.Problem) -> Record:
    """From a coarser solution."""
    coarse = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind"), check="ignore", threads=1)
    return plan(mfg.solve(problem, start=coarse, check="ignore", threads=1))


PLAYED = ("supply-demand", "gaussian-log", "beach-bar", "braess", "predator-prey", "lattice-supply-demand")


def agents() -> Iterator[Case]:
    """Plans played by N agents: exact regret, comparison, simulation by counts and one by one, a deviation."""
    for name in PLAYED:

        def solution(name: str = name) -> mfg.Solution:
            return mfg.solve(build(name)(), check="ignore", max_iterations=MOST, threads=1)

        def deviation(made: Callable[[], mfg.Solution] = solution) -> Record:
            found = made()
            names = found.dataset["population"].values if "population" in found.dataset.dims else [None]
            return table(mfg.simulate_deviation(found, 20, 50, population=names[0], rng=4, threads=1))

        yield f"nash-gap {name}", lambda s=solution: table(mfg.nash_gap(s(), agents=[1, 10, 1000]))
        yield (
            f"compare {name}",
            lambda s=solution: table(mfg.compare(s(), [10, 100], 20, rng=1, transports=3, threads=1)),
        )
        yield f"simulate {name}", lambda s=solution: table(mfg.simulate(s(), 500, 3, rng=2, tagged=2, threads=1))
        yield (
            f"simulate {name} agent by agent",
            lambda s=solution: table(mfg.simulate(s(), 200, 2, rng=3, method="agents", threads=1)),
        )
        yield f"deviation {name}", deviation
    coupled = lambda: mfg.solve(build("susceptible-infected")(), check="ignore", threads=1)
    yield "simulate susceptible-infected", lambda: table(mfg.simulate(coupled(), 300, 3, rng=2, threads=1))
    yield "compare susceptible-infected", lambda: table(mfg.compare(coupled(), [10, 50], 10, rng=1, threads=1))


def learned(problem: mfg.Problem, learner: Any, **options: Any) -> Record:
    found = mfg.learn(problem, learner, reference=False, threads=1, **options)
    return plan(found) | {"agent steps": array(found.dataset["agent_steps"].values)}


def learning() -> Iterator[Case]:
    """Every learner of a game, with a fixed seed."""
    kit = mfg.learners
    for name in ("beach-bar", "predator-prey", "susceptible-infected", "lattice-supply-demand"):
        problem = build(name)
        yield f"learn {name}", lambda p=problem: learned(p(), "mguni", agents=50, episodes=100, rng=1)
        yield f"learn {name} by gmf-q", lambda p=problem: learned(p(), "gmf-q", agents=20, episodes=50, rng=1)
    kinds = {
        "own tables": kit.Mguni(agents=20, episodes=60, shared=False, seed=2),
        "actor": kit.Mguni(agents=50, episodes=60, actor=0.2, seed=3),
    }
    for title, learner in kinds.items():
        yield f"learn beach-bar with {title}", lambda k=learner: learned(build("beach-bar")(), k)
    iteration = kit.BoltzmannIteration(softness=0.5)
    yield "learn beach-bar by boltzmann-iteration", solved(build("beach-bar"), iteration)
    for kind in (kit.SampledFictitiousPlay, kit.SampledMirrorDescent):
        form = build("crowd-modelling", temperature=TEMPERATURE)
        yield f"learn crowd-modelling by {kind.name}", solved(form, kind(agents=20, episodes=10), max_iterations=3)
    yield "environment beach-bar", lambda: environment(build("beach-bar")())
    yield "environment predator-prey", lambda: environment(build("predator-prey")())
    yield "neighbours hunters-and-hares", neighbours


def environment(problem: mfg.Problem) -> Record:
    """A table of values learned in the general environment."""
    kit = mfg.learners
    world = kit.SampledGame(problem, agents=30, rng=5)
    learner = kit.QLearner(world.game, kit.EpsilonGreedy(0.5), kit.Harmonic(0.7))
    reward = kit.train(learner, world, 8)
    return {"reward": number(reward), "q": array(learner.function.entries)}


def neighbours() -> Record:
    kit = mfg.learners
    kept: Record = {}
    for typed in (False, True):
        problem = kit.hunters_and_hares(size=5, steps=4)
        found = kit.learn_from_neighbours(problem, typed=typed, agents=30, episodes=5)
        kept |= {f"q, typed {typed}": array(found.q), f"policy, typed {typed}": array(found.policy)}
        kept |= {f"exploitability, typed {typed}": number(found.certificate.exploitability)}
    return kept


def stages() -> Iterator[Case]:
    """Learners among neighbours, in stage games."""
    kit = mfg.learners
    game = lambda: kit.counterexample([0.9, 0.7, 0.3, 0.2], copies=4)
    known = lambda: kit.KnownTypes(game().types)
    kinds: dict[str, Callable[[], Any]] = {
        "il": lambda: kit.multi_type("il", beta=2.0),
        "mfq": lambda: kit.multi_type("mfq", beta=lambda stage: min(20.0, stage / 50), step=kit.Harmonic(power=0.8)),
        "mfac": lambda: kit.multi_type("mfac"),
        "mtmfq": lambda: kit.multi_type("mtmfq", types=known(), beta=3.0, tables="shared"),
        "mtmfq, all actions": lambda: kit.multi_type("mtmfq", types=known(), beta=3.0, updates="all", tables="type"),
        "discovered": lambda: kit.multi_type("mtmfq", types=kit.DiscoveredTypes(2, 100), beta=2.0),
    }
    for title, kind in kinds.items():
        yield f"stages counterexample by {title}", lambda k=kind: stage(game(), k(), 500)
    camps = lambda: kit.multi_type("mtmfq", types=kit.DiscoveredTypes(2, 100), beta=2.0)
    yield "stages two camps", lambda: stage(kit.two_camps(8), camps(), 300, 0.2)


def stage(game: Any, learner: Any, count: int, activity: float = 1.0) -> Record:
    memory = learner.start(game, 7)
    played = learner.play(game, memory, count, activity)
    kept = {"q": array(memory.q), "preferences": array(memory.preferences), "types": array(memory.types)}
    kept |= {"reward": array(played.reward), "mean reward": array(played.mean_reward), "counts": array(played.counts)}
    return kept | {"agreement": array(played.agreement), "actions": array(memory.actions)}


def cases() -> Iterator[Case]:
    for part in (named, others, agents, learning, stages):
        yield from part()


# -- two states side by side -----------------------------------------------------------------------------------------


def measure(only: list[str]) -> dict[str, Record]:
    """All cases whose name holds one of the words; a case that fails is kept as its error."""
    kept: dict[str, Record] = {}
    begun = time.perf_counter()
    for name, case in cases():
        if only and not any(word in name for word in only):
            continue
        before = time.perf_counter()
        try:
            kept[name] = case()
        except Exception as error:
            kept[name] = {"error": f"{type(error).__name__}: {error}"}
        print(f"{time.perf_counter() - begun:7.1f} s  {time.perf_counter() - before:6.2f} s  {name}", file=sys.stderr)
    return kept


def apart(before: Any, now: Any) -> str | None:
    """How two entries differ; None where they agree bit for bit."""
    if before == now:
        return None
    if isinstance(before, dict) and isinstance(now, dict):
        if before["shape"] != now["shape"]:
            return f"shape {before['shape']} -> {now['shape']}"
        pairs = zip(before["sums"], now["sums"], strict=True)
        size = abs(float.fromhex(before["sums"][1])) or 1.0
        most = max(abs(float.fromhex(a) - float.fromhex(b)) for a, b in pairs)
        return f"bits differ, sums by {most / size:.1e} of its size"
    try:
        old, new = float.fromhex(before), float.fromhex(now)
    except (TypeError, ValueError):
        return f"{before} -> {now}"
    return f"{old!r} -> {new!r} (by {abs(new - old):.1e}, relative {abs(new - old) / (abs(old) or 1.0):.1e})"


def differences(before: dict[str, Record], now: dict[str, Record]) -> list[str]:
    """A line for every entry that differs, is missing or new."""
    lines = []
    for name in [*before, *(name for name in now if name not in before)]:
        one, other = before.get(name), now.get(name)
        if one is None or other is None:
            lines.append(f"{name}: {'new' if one is None else 'missing'}")
            continue
        for key in [*one, *(key for key in other if key not in one)]:
            if key not in other:
                lines.append(f"{name}: {key}: missing")
            elif key not in one:
                lines.append(f"{name}: {key}: new" + (f" ({other[key]})" if key == "error" else ""))
            elif (how := apart(one[key], other[key])) is not None:
                lines.append(f"{name}: {key}: {how}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("write", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="cases whose name holds the word")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    now = measure(options.only)
    if options.task == "write":
        about = {"version": mfg.__version__, "machine": platform.platform(), "processor": platform.machine()}
        options.file.write_text(json.dumps({"about": about, "cases": now}, indent=1))
        failed = [name for name, kept in now.items() if "error" in kept]
        print(f"{len(now)} cases, {sum(map(len, now.values()))} entries" + "".join(f"\nfailed: {f}" for f in failed))
        return 0
    before = json.loads(options.file.read_text())["cases"]
    if options.only:
        before = {name: kept for name, kept in before.items() if any(word in name for word in options.only)}
    lines = differences(before, now)
    print("\n".join(lines))
    found = len({line.split(":")[0] for line in lines})
    print(
        f"{len(now)} cases, {sum(map(len, now.values()))} entries: " + (f"{found} cases differ" if lines else "equal")
    )
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
