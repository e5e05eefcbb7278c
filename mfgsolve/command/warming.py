"""The subcommand that compiles kernels before anybody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from mfgsolve.command.arguments import Json, Threads
from mfgsolve.errors import InputError, unknown

COMMON = ("entropic", "upwind", "finite", "roads")


def warm_up(
    games: Annotated[
        str, typer.Option(metavar="A,B,C", help="Of entropic, upwind, finite, lattice, agents, roads; or all.")
    ] = ",".join(COMMON),
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Compile the kernels of these kinds of games ahead, once per installation; what is there is left as it is.

    With --threads 2 also the versions that several threads share, which large grids use.

    Example:  mfgsolve warm-up --games entropic,upwind
    """
    wanted = list(GAMES) if games == "all" else [name.strip() for name in games.split(",")]
    for name in wanted:
        if name not in GAMES:
            raise InputError(unknown("kind of game", name, [*GAMES, "all"]))
    import time

    from mfgsolve.command.report import say, to_json
    from mfgsolve.kernels import compiled_count

    rows = []
    for name in wanted:
        begun, before = time.perf_counter(), compiled_count()
        for count in {1, 1 if threads is None else threads}:
            GAMES[name](count)
        rows.append((name, compiled_count() - before, time.perf_counter() - begun))
    if json:
        to_json({name: {"compiled": compiled, "seconds": seconds} for name, compiled, seconds in rows})
    else:
        say(rows=[(name, f"{n} functions compiled, {s:.1f} s" if n else "ready") for name, n, s in rows])


def _diffusion(scheme: str) -> Callable[[int], None]:
    """The flagship on a small mesh, through to the dataset and back."""

    def solve(threads: int) -> None:
        import mfgsolve as mfg

        steps = {"steps": 16} if scheme == "upwind" else {}
        problem = mfg.problems.supply_demand(shape=(8, 8), scheme=scheme, **steps)
        solution = mfg.solve(problem, check="ignore", threads=threads)
        mfg.exploitability(problem, solution.dataset)

    return solve


def _finite(*names: str, **settings: Any) -> Callable[[int], None]:
    """Small games of actions and states, without and with a temperature."""

    def solve(threads: int) -> None:
        import mfgsolve as mfg

        for name in names:
            for temperature in (0.0, 0.1):
                problem = mfg.problems.build(name, settings | {"temperature": temperature})
                _ = mfg.solve(problem, tol=1e-3, max_iterations=20, check="ignore", threads=threads).dataset

    return solve


def _agents(threads: int) -> None:
    """Few agents that follow a plan."""
    import mfgsolve as mfg

    for scheme in ("entropic", "upwind"):
        steps = {"steps": 16} if scheme == "upwind" else {}
        problem = mfg.problems.supply_demand(shape=(8, 8), scheme=scheme, **steps)
        mfg.simulate(mfg.solve(problem, check="ignore", threads=threads), agents=4, rng=0)


def _roads(threads: int) -> None:
    """A small city, at the equilibrium and at the social optimum; its kernels run on one thread."""
    import mfgsolve as mfg

    city = mfg.problems.build("ring-city", {"rings": 2, "radials": 4})
    for objective in ("equilibrium", "social"):
        mfg.solve(city, objective=objective, check="ignore")


GAMES: dict[str, Callable[[int], None]] = {
    "entropic": _diffusion("entropic"),
    "upwind": _diffusion("upwind"),
    "finite": _finite("left-right", "beach-bar"),
    "lattice": _finite("lattice-supply-demand", shape=(8, 8)),
    "agents": _agents,
    "roads": _roads,
}
