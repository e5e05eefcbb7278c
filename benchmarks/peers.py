"""OpenSpiel, MFGLib and Bench-MFG against mfgsolve on their games: exploitability against wall time, in one run.

python benchmarks/peers.py --folder peers                # makes peers/mfglib, ... (venv, pip), runs all
python benchmarks/peers.py --mfglib-python PYTHON        # uses an environment that has MFGLib and mfgsolve
python benchmarks/peers.py --openspiel-python PYTHON --seconds 20
python benchmarks/peers.py --benchmfg-python PYTHON --peer benchmfg

Both sides run in the same process on the same game, on one thread and in double precision, and the peer scores all
policies.  A peer's clock runs for its iterations alone, not for its scores; ours runs from the problem to the certified
solution, once for each accuracy, kernels compiled before.  MFGLib brings torch, which is large.

Bench-MFG's algorithms run from their start to the end and score every iteration themselves, so that their clock runs
for that, too; each is run for 1, 2, 4, ... iterations, compiled before.  Its score follows the law of a policy for 50
steps and values for 100; here it begins in the law and follows values for 400, which leaves 1e-17 of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
import time
import venv
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = {"mfglib": "mfglib", "openspiel": "open-spiel", "benchmfg": "bench-mfg"}
LEVELS = [10.0**-k for k in (0, 1, 2, 3, 4, 5, 6, 8, 10, 12)]
AIMS = [1e-6, 1e-10]  # levels to be tried whatever the peer reaches
FOUR_ROOMS = "four rooms"

GAMES = {
    "mfglib": ["beach_bar", "building_evacuation", "crowd_motion", "equilibrium_price", "left_right",
               "rock_paper_scissors", "conservative_treasure_hunting", "linear_quadratic", "random_linear",
               "susceptible_infected"],
    "openspiel": ["mfg_crowd_modelling",
                  "mfg_dynamic_routing(setting=dynamic_routing_braess)", "mean_field_lin_quad",
                  "mfg_crowd_modelling_2d(only_distribution_reward=true,initial_distribution=[0|0;2|5],"
                  "initial_distribution_value=[0.5;0.5])", "python_mfg_predator_prey", FOUR_ROOMS],
    "benchmfg": ["lasry_lions_chain", "four_rooms_obstacles", "multiple_equilibria", "no_interaction_game",
                 "rock_paper_scissors", "contraction_game"],
}  # fmt: skip

Curve = list[tuple[float, float]]  # (seconds, exploitability)
Algorithm = Callable[[], Iterator[tuple[float, Any]]]  # yields (seconds of one iteration, policy)


class Sides(NamedTuple):
    """A game of a peer: its name for mfgsolve, the peer's algorithms and first policy, and the peer's scores."""

    name: str
    algorithms: dict[str, Algorithm]
    start: Any
    score: Callable[[Any], float]
    rescore: Callable[[Any], float]  # of our solution
    unit: float = 1.0  # what we call an exploitability that it calls 1


def timed(step: Callable[[], Any]) -> Iterator[tuple[float, Any]]:
    """Iterate for ever, telling how long each iteration took and what policy came of it."""
    while True:
        begun = time.perf_counter()
        policy = step()
        yield time.perf_counter() - begun, policy


def curve(algorithm: Iterator[tuple[float, Any]], score: Callable[[Any], float], seconds: float, start: Any) -> Curve:
    """Scores of the start, then ever more seldom, until the iterations have used the time up."""
    points: Curve = [(0.0, score(start))]
    used, following = 0.0, 1
    for count, (took, policy) in enumerate(algorithm, start=1):
        used += took
        if count >= following or used > seconds:
            points.append((used, score(policy)))
            following = max(count + 1, math.ceil(count * 1.3))
        if used > seconds:
            return points
    return points


# -- the two peers, inside their environments ------------------------------------------------------------------------


def mfglib_game(name: str) -> Sides:
    """A game of MFGLib."""
    import torch

    torch.set_default_dtype(torch.float64)
    from mfglib.alg import FictitiousPlay, OnlineMirrorDescent, PriorDescent
    from mfglib.env import Environment
    from mfglib.scoring import exploitability_score

    from mfgsolve.interop import to_mfglib_policy

    env = getattr(Environment, name)()
    uniform = torch.ones((env.T + 1, *env.S, *env.A)) / env.n_actions

    def run(solver: Any) -> Iterator[tuple[float, Any]]:
        state = solver.init_state(env, uniform)

        def step() -> Any:
            nonlocal state
            state = solver.step_next_state(state, None, None)
            return state.pi

        return timed(step)

    algorithms: dict[str, Algorithm] = {
        "fictitious play": lambda: run(FictitiousPlay()),
        "mirror descent": lambda: run(OnlineMirrorDescent(alpha=1.0)),
        "prior descent": lambda: run(PriorDescent(eta=1.0, n_inner=50)),
    }
    score = lambda policy: exploitability_score(env, policy)
    return Sides(f"mfglib:{name}", algorithms, uniform, score, lambda solution: score(to_mfglib_policy(solution)))


def openspiel_game(name: str) -> Sides:
    """A game of OpenSpiel."""
    from open_spiel.python.mfg import games  # noqa: F401
    from open_spiel.python.mfg.algorithms.fictitious_play import FictitiousPlay
    from open_spiel.python.mfg.algorithms.mirror_descent import MirrorDescent
    from open_spiel.python.mfg.algorithms.nash_conv import NashConv
    from open_spiel.python.mfg.games.crowd_modelling_2d import FOUR_ROOMS_FORBIDDEN_STATES
    from open_spiel.python.policy import UniformRandomPolicy

    from mfgsolve.interop import to_openspiel_policy
    from mfgsolve.interop.catalogue import load_named

    if name == FOUR_ROOMS:
        name = (
            "mfg_crowd_modelling_2d(only_distribution_reward=true,size=13,horizon=40,initial_distribution=[1|1],"
            f"initial_distribution_value=[1.0],forbidden_states={FOUR_ROOMS_FORBIDDEN_STATES})"
        )
    game = load_named(name)

    def run(solver: Any) -> Iterator[tuple[float, Any]]:
        def step() -> Any:
            solver.iteration()
            return solver.get_policy()

        return timed(step)

    algorithms: dict[str, Algorithm] = {
        "fictitious play": lambda: run(FictitiousPlay(game)),
        "mirror descent 0.01": lambda: run(MirrorDescent(game)),
        "mirror descent 1": lambda: run(MirrorDescent(game, lr=1.0)),
    }
    score = lambda policy: float(NashConv(game, policy).nash_conv())
    rescore = lambda solution: score(to_openspiel_policy(solution, game))
    return Sides(f"openspiel:{name}", algorithms, UniformRandomPolicy(game), score, rescore)


BENCH_MFG = {  # algorithm, its section, settings: the package's own, then mirror descent at other rates
    "fictitious play": ("damped_fixed_point", "dampedfp", {}),
    "damped fixed point": ("damped_fixed_point", "dampedfp", {"lambda_schedule": "damped"}),
    "policy iteration": ("pi", "pi", {}),
    "smooth policy iteration": ("pi", "pi", {"variant": "smooth_policy_iteration"}),
    "mirror descent 0.005": ("omd", "omd", {}),
    "mirror descent 0.05": ("omd", "omd", {"learning_rate": 0.05}),
    "particle swarm": ("pso", "pso", {}),
}


def benchmfg_game(name: str) -> Sides:
    """A game of Bench-MFG."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import benchmfg
    import numpy as np
    from benchmfg.envs.mfg_model_class_jit import exploitability_jax, mean_field_by_transition_kernel_multi_jax

    from mfgsolve.interop import to_bench_mfg_policy

    np.random.seed(0)  # noqa: NPY002  (of its first policy)
    place = f"environment={name}"
    env, start = benchmfg.make_environment([place])
    longer, _ = benchmfg.make_environment([place, "environment.horizon=400"])
    law, spec = env.stationary_mean_field.copy(), None

    def solver(label: str, count: int) -> Any:
        algorithm, section, settings = BENCH_MFG[label]
        told = [f"algorithm.{section}.{key}={value}" for key, value in {**settings, "num_iterations": count}.items()]
        env.update_stationary_mean_field(law)
        return benchmfg.make_solver([place, f"algorithm={algorithm}", *told], environment=env, initial_policy=start)

    def run(label: str) -> Iterator[tuple[float, Any]]:
        used, count = 0.0, 1
        solver(label, 2).eval()  # compiles
        while True:
            made = solver(label, count)
            begun = time.perf_counter()
            policy = made.eval()[0]
            took = time.perf_counter() - begun
            yield max(took - used, 0.0), np.asarray(policy)
            used, count = max(used, took), 2 * count

    spec = benchmfg.make_solver([place], environment=longer, initial_policy=start).env_spec

    def score(policy: Any) -> float:
        there = mean_field_by_transition_kernel_multi_jax(policy, spec, num_iterations=20_000, initial_mean_field=law)
        return float(exploitability_jax(policy, spec, initial_mean_field=there))

    algorithms: dict[str, Algorithm] = {label: (lambda label=label: run(label)) for label in BENCH_MFG}
    return Sides(f"bench-mfg:{name}", algorithms, start, score,
                 lambda solution: score(to_bench_mfg_policy(solution)), unit=1.0 - env.gamma)  # fmt: skip


MAKERS = {"mfglib": mfglib_game, "openspiel": openspiel_game, "benchmfg": benchmfg_game}


def ours(game: Sides, levels: list[float], seconds: float) -> dict[str, Any]:
    """Border and solves: for every level of exploitability the seconds of a solve that stops there, and its score."""
    import mfgsolve as mfg
    from mfgsolve import interop

    begun = time.perf_counter()
    problem = interop.build(game.name)
    border = time.perf_counter() - begun
    options: dict[str, Any] = {"max_seconds": seconds, "check": "ignore"}
    scale = mfg.solve(problem, tol=1e-6, **options).certificate.scale  # compiles or loads the kernels, too
    points, solver = [], ""
    for level in levels:
        begun = time.perf_counter()
        solution = mfg.solve(problem, tol=max(0.99 * level * game.unit / scale, 1e-15), **options)
        took = time.perf_counter() - begun
        points.append((took, game.rescore(solution)))
        solver = solution.dataset.attrs.get("solver", "")
        if points[-1][1] > level:
            break
    return {"border": border, "curve": points, "solver": solver, "score": min(gap for _, gap in points)}


def inside(peer: str, seconds: float, only: str) -> None:
    """Run one peer's games in this environment; every result is a line of JSON."""
    warnings.simplefilter("ignore")
    for name in GAMES[peer]:
        if only in name:
            game = MAKERS[peer](name)
            curves, failed = {}, {}
            for label, algorithm in game.algorithms.items():
                try:
                    with contextlib.redirect_stdout(sys.stderr):  # of peers that say how far they are
                        curves[label] = curve(algorithm(), game.score, seconds, game.start)
                except Exception as error:  # theirs: MFGLib's on two-dimensional actions, OpenSpiel's on roads
                    failed[label] = f"{type(error).__name__}: {error}"
            try:
                least = min(gap for points in curves.values() for _, gap in points)
                levels = [level for level in LEVELS if level >= least or level in AIMS]
                mine = ours(game, levels, 10 * seconds)
            except Exception as error:  # one game must not take the others with it
                mine = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps({"game": f"{peer}:{name}", "peer": curves, "failed": failed, "ours": mine}), flush=True)


# -- outside: environments and tables --------------------------------------------------------------------------------


def environment(peer: str, folder: Path) -> Path:
    """Python of a virtual environment with the peer and this mfgsolve; made where it is missing."""
    home = folder / peer
    python = home / "bin" / "python"
    if not python.exists():
        print(f"making {home}", flush=True)
        venv.create(home, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-e", f"{ROOT}[{EXTRAS[peer]}]"], check=True)
    return python


def first(points: Curve, level: float) -> float:
    """Seconds until the exploitability first lies at or below a level; infinite where it never does."""
    return next((seconds for seconds, gap in points if gap <= level), math.inf)


def report(result: dict[str, Any]) -> None:
    from measure import table

    print(f"\n{result['game']}")
    for label, error in result["failed"].items():
        print(f"  {label} of the peer fails: {error}")
    if "error" in result["ours"]:
        print("  mfgsolve:", result["ours"]["error"])
        return
    mine, rows = result["ours"]["curve"], []
    for level in LEVELS:
        times = {label: first(points, level) for label, points in result["peer"].items()}
        label = min(times, key=lambda name: times[name])
        us = first(mine, level)
        if math.isinf(times[label]) and math.isinf(us):
            break
        ratio = times[label] / us if us > 0 else math.inf
        reached = math.isfinite(times[label])
        rows.append([f"{level:.0e}", f"{times[label]:.4f}" if reached else "never", label if reached else "",
                     f"{us:.4f}" if math.isfinite(us) else "never", f"{ratio:.2g}" if reached else "inf"])  # fmt: skip
    table(["exploitability", "peer, s", "by", "mfgsolve, s", "ratio"], rows)
    least = {label: min(gap for _, gap in points) for label, points in result["peer"].items()}
    spent = max(points[-1][0] for points in result["peer"].values())
    label = min(least, key=lambda name: least[name])
    us = result["ours"]
    print(
        f"  best of the peer in {spent:.1f} s each: {least[label]:.1e} ({label}); ours, scored by the peer: "
        f"{us['score']:.1e} in {first(mine, us['score']):.4f} s ({us['solver']}); border {us['border']:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("peers"), help="where environments are made or found")
    parser.add_argument("--mfglib-python", type=Path, help="Python with MFGLib and mfgsolve")
    parser.add_argument("--openspiel-python", type=Path, help="Python with OpenSpiel and mfgsolve")
    parser.add_argument("--benchmfg-python", type=Path, help="Python with Bench-MFG and mfgsolve")
    parser.add_argument("--peer", choices=sorted(GAMES), help="one peer only")
    parser.add_argument("--only", default="", help="games whose name contains this")
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        help="for each algorithm of a peer on each game; mfgsolve has ten times as much",
    )
    parser.add_argument("--output", type=Path, help="write the curves here, one line of JSON for each game")
    parser.add_argument("--inside", choices=sorted(GAMES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given.inside, given.seconds, given.only)
        return
    from measure import ONE_THREAD

    lines = []
    for peer in [given.peer] if given.peer else sorted(GAMES):
        python = getattr(given, f"{peer}_python") or environment(peer, given.folder)
        command = [str(python), __file__, "--inside", peer, "--seconds", str(given.seconds), "--only", given.only]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | ONE_THREAD | {"TQDM_DISABLE": "1"}
        ) as process:
            for line in process.stdout or ():
                lines.append(line)
                report(json.loads(line))
        if process.returncode:
            sys.exit(f"{peer}: its run ended with code {process.returncode}")
    if given.output:
        given.output.write_text("".join(lines))


if __name__ == "__main__":
    main()
