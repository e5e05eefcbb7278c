"""Files of earlier versions, and the games that they are of.

    python tests/earlier_files.py ARCHIVE.zip      # with that version on the path: writes its files into the archive

``tests/files/data/0.4.0.zip`` and ``0.5.0.zip`` were written so, and ``0.6.0.zip``, of which only the diffusions are
kept.  Only names that all these versions have are used.
Every checkpoint is of a solve that was broken off on its way; ``expected.json`` beside them holds what that version
reached in the end (status, potential, exploitability, sums of the density), and on its way.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import mfgsolve as mfg

DATA = Path(__file__).parent / "files" / "data"

crowd = mfg.problems.crowd_modelling
TOLERANCE = 1e-9
KEPT = 40  # entries of a history


def upwind(problem: mfg.Problem) -> mfg.Problem:
    """A diffusion by the only scheme that all these versions have."""
    return problem.with_scheme("upwind") if hasattr(problem, "with_scheme") else problem


def linear(c: float = 3.0, temperature: float = 0.0) -> mfg.Problem:
    """A game of Python functions, with noise, in which everybody pays much whatever all do."""
    moves = mfg.LatticeMoves([-1, 0, 1], [c, c + 0.3, c + 0.1], viscosity=0.01, temperature=temperature)

    def cost(t: float, c: Any) -> np.ndarray:
        return np.asarray(50.0 + np.sin(3 * t) + (c.x - 0.8) ** 2)

    goal = mfg.RunningCost(cost) + mfg.CrowdAversion(0.4)
    start = lambda t, c: np.where(c.x < 0.5, 1.8, 0.2)
    return mfg.Problem(
        mfg.Grid.box((6,)), mfg.TimeGrid(1.0, 5), moves, goal, start, terminal=lambda t, c: 20.0 + c.x**2
    )


def moving(c: float = 30.0) -> mfg.Problem:
    """A controlled diffusion of Python functions, with a wall, and a terminal coupling."""
    goal = mfg.RunningCost(lambda t, z: c + np.cos(t) * z.x) + mfg.CrowdAversion(0.4)
    grid = mfg.Grid.box((16,), blocked=lambda z: z.x > 0.95)
    return mfg.Problem(
        grid, mfg.TimeGrid(0.7, 20), mfg.ControlledDiffusion(0.05, 0.7), goal, lambda t, z: np.exp(-z.x),
        terminal=lambda t, z: -7.0 + z.x, terminal_coupling=mfg.CrowdAversion(0.1), normalise=True,
    )  # fmt: skip


def two_kinds() -> mfg.Problem:
    """Two populations of a lattice, each with constants of its own."""
    space = mfg.Populations(("hunters", "hares"), mfg.Grid.box((4,)))
    kinds = [mfg.LatticeMoves([-1, 0, 1], cost) for cost in ([2.0, 2.1, 2.2], [-1.0, -1.2, -1.1])]
    goal = mfg.RunningCost(lambda t, c: 5.0 * c.population + c.x) + mfg.CrowdAversion(0.5)
    start = lambda t, c: 1.0 + 0.2 * c.population * (c.x - 0.5)
    return mfg.Problem(space, mfg.TimeGrid(1.0, 4), kinds, goal, start)


GAMES: dict[str, Callable[[], mfg.Problem]] = {
    "gaussian-log": lambda: upwind(mfg.problems.gaussian_log(shape=(16,), steps=24)),
    "supply-demand": lambda: upwind(mfg.problems.supply_demand(shape=(8, 8), steps=24)),
    "crowd": lambda: crowd(shape=(6,), steps=5),
    "crowd-warm": lambda: crowd(shape=(6,), steps=5, temperature=0.1),
    "late": lambda: crowd(shape=(6,), steps=5, late=True),
    "infected": lambda: mfg.problems.susceptible_infected(steps=6),
    "infected-warm": lambda: mfg.problems.susceptible_infected(steps=6, temperature=0.1),
    "capacity": lambda: mfg.problems.bonnans_lavigne_pfeiffer_1(shape=(8,), steps=7),
    "bounds": lambda: mfg.problems.bonnans_lavigne_pfeiffer_2(shape=(8,), steps=7),
    "braess": mfg.problems.braess,
    "chase": lambda: mfg.problems.predator_prey(size=2, steps=3),
    "beach": lambda: mfg.problems.beach_bar(shape=(6,), steps=4),
    "python": linear,
    "python-warm": lambda: linear(temperature=0.2),
    "python-moving": lambda: upwind(moving()),
    "python-two": two_kinds,
}

# name of the file: game, method, iterations until it is broken off, options of the solve
CHECKPOINTS: dict[str, tuple[str, Any, int, dict[str, Any]]] = {
    "newton-coarse": ("gaussian-log", "newton", 1, {}),
    "newton-fine": ("gaussian-log", "newton", 4, {}),
    "newton-python": ("python-moving", "newton", 1, {}),
    "newton-sharp": ("crowd", "newton", 6, {}),
    "newton-warm": ("crowd-warm", "newton", 4, {}),
    "newton-constants": ("python-warm", "newton", 5, {}),
    "newton-coupled": ("infected-warm", "newton", 3, {}),
    "frank-wolfe": ("gaussian-log", "frank-wolfe", 6, {}),
    "frank-wolfe-finite": ("python", "frank-wolfe", 6, {}),
    "fictitious-play": ("supply-demand", "fictitious-play", 3, {}),
    "fictitious-play-finite": ("chase", "fictitious-play", 5, {}),
    "mirror-descent": ("python-warm", "mirror-descent", 6, {}),
    "mirror-descent-sharp": ("chase", "mirror-descent", 6, {}),
    "prior-descent": ("infected", "prior-descent", 3, {}),
    "prior-descent-python": ("python-two", "prior-descent", 3, {}),
    "complementarity": ("crowd", "complementarity", 3, {}),
    "complementarity-python": ("python", "complementarity", 2, {}),
    "complementarity-two": ("python-two", "complementarity", 2, {}),
    "interior-point": ("late", "interior-point", 3, {}),
    "interior-point-capacity": ("capacity", "interior-point", 4, {}),
    "interior-point-bounds": ("bounds", "interior-point", 4, {}),
    "interior-point-python": ("python", "interior-point", 3, {}),
    "interior-point-two": ("python-two", "interior-point", 3, {}),
    "social": ("braess", "interior-point", 3, {"objective": "social"}),
    "social-diffusion": ("supply-demand", "newton", 0, {"objective": "social"}),
    "admm": ("crowd", "admm", 40, {}),
    "admm-bounds": ("bounds", "admm", 60, {}),
    "admm-python": ("python", "admm", 40, {}),
    "chambolle-pock": ("crowd", "chambolle-pock", 60, {}),
    "chambolle-pock-capacity": ("capacity", "chambolle-pock", 60, {}),
    "chambolle-pock-two": ("python-two", "chambolle-pock", 60, {}),
}

DIFFUSIONS = ("gaussian-log", "supply-demand", "python-moving")

# the same, of versions that let several solvers run in turn
TURNS: dict[str, tuple[str, Any, int, dict[str, Any]]] = {
    "portfolio": ("gaussian-log", None, 4, {}),
    "portfolio-sharp": ("crowd", None, 3, {}),
    "portfolio-turned": ("infected", None, 60, {"inner": 1, "returns": 0, "patience": 1}),
}

# name of the file: game, learner, its parameters, certificates until it is broken off
LEARNED: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "mguni": ("beach", "Mguni", {"agents": 10, "episodes": 60, "seed": 3}, 2),
    "mguni-own": ("crowd", "Mguni", {"agents": 4, "episodes": 60, "shared": False, "seed": 4}, 2),
    "mguni-two": ("python-two", "Mguni", {"agents": 10, "episodes": 60, "seed": 5}, 2),
    "gmf-q": ("beach", "GMFQ", {"agents": 10, "episodes": 60, "block": 10, "seed": 3}, 2),
    "gmf-q-two": ("python-two", "GMFQ", {"agents": 10, "episodes": 60, "block": 10, "seed": 4}, 2),
    "boltzmann": ("python", "BoltzmannIteration", {"softness": 0.5, "weight": 0.5}, 3),
}

# name of the file: game, options of the solve
SOLUTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "diffusion": ("gaussian-log", {}),
    "plane": ("supply-demand", {}),
    "walls": ("python-moving", {}),
    "lattice": ("python", {}),
    "tabular": ("beach", {}),
    "warm": ("crowd-warm", {}),
    "coupled": ("infected", {}),
    "capacity": ("capacity", {}),
    "bounds": ("bounds", {}),
    "choices": ("braess", {}),
    "populations": ("python-two", {}),
    "social": ("braess", {"objective": "social"}),
}


def learner(name: str) -> Any:
    _, kind, parameters, _ = LEARNED[name]
    module = importlib.import_module(f"mfgsolve.learners.{'mguni' if kind == 'Mguni' else 'policy_iteration'}")
    return getattr(module, kind)(**parameters)


def run(name: str, **limits: Any) -> mfg.Solution:
    """The solve of a checkpoint, within some limits."""
    if name in CHECKPOINTS | TURNS:
        game, method, _, options = (CHECKPOINTS | TURNS)[name]
        return mfg.solve(GAMES[game](), method=method, check="ignore", **({"tol": TOLERANCE} | options | limits))
    problem = GAMES[LEARNED[name][0]]()
    if name == "boltzmann":  # which no 0.4.0 went on with
        return mfg.solve(problem, method=learner(name), tol=TOLERANCE, check="ignore", **limits)
    limits.pop("max_iterations", None)
    return mfg.learn(problem, learner(name), reference=name == "mguni", **limits)


def broken_off(name: str, path: Path) -> None:
    """Write the checkpoint of a solve that ends early."""
    if name in LEARNED:
        run(name, checkpoint=path, callback=lambda measure: measure.iteration >= LEARNED[name][3])
    else:
        run(name, checkpoint=path, max_iterations=(CHECKPOINTS | TURNS)[name][2])


def most(name: str) -> int:
    """Limit of iterations of a solve that is not broken off."""
    slow = ("frank-wolfe", "fictitious-play", "mirror-descent", "boltzmann")
    return 60 if name.startswith(slow) else 2000


def summary(solution: mfg.Solution) -> dict[str, Any]:
    density = solution.dataset["density"].values
    wave = np.cos(np.arange(density.size)).reshape(density.shape)
    return {
        "status": solution.status.value, "iterations": solution.iterations, "potential": solution.potential,
        "exploitability": solution.exploitability, "cost": solution.certificate.cost,
        "density": [float(density.sum()), float((density * wave).sum()), float((density**2).sum())],
        "exploitabilities": solution.dataset["exploitability"].values[:KEPT].tolist(),
    }  # fmt: skip


def unpacked(version: str, name: str, folder: Path) -> Path:
    """A stored file, ``checkpoints/...`` or ``solutions/...``, in a folder of one's own."""
    path = folder / f"{Path(name).name}.nc"
    with zipfile.ZipFile(DATA / f"{version}.zip") as packed:
        path.write_bytes(packed.read(f"{name}.nc"))
    return path


def expected(version: str) -> dict[str, Any]:
    """What that version reached, by name."""
    with zipfile.ZipFile(DATA / f"{version}.zip") as packed:
        found: dict[str, Any] = json.loads(packed.read("expected.json"))
    return found


def game_of(name: str) -> mfg.Problem:
    """The game that a checkpoint is of."""
    return GAMES[(CHECKPOINTS | TURNS | LEARNED)[name][0]]()


def resumed(name: str, path: Path, **limits: Any) -> mfg.Solution:
    """Go on from a checkpoint, as far as `write` did."""
    problem = game_of(name)
    limit = {} if name in LEARNED and name != "boltzmann" else {"max_iterations": most(name)}
    given = problem if problem.name == "custom" else None
    return mfg.resume(path, problem=given, check="ignore", **(limit | limits))


def files() -> list[str]:
    """Names of the checkpoints that this version can write."""
    return [*CHECKPOINTS, *LEARNED, *([] if mfg.__version__ == "0.4.0" else TURNS)]


def write(archive: Path) -> None:
    expected: dict[str, Any] = {"version": mfg.__version__, "checkpoints": {}, "solutions": {}}
    with TemporaryDirectory() as place, zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:

        def pack(name: str, data: bytes) -> None:
            packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)

        path = Path(place) / "file.nc"
        for name in files():
            broken_off(name, path)
            pack(f"checkpoints/{name}.nc", path.read_bytes())
            expected["checkpoints"][name] = summary(run(name, max_iterations=most(name)))
            print(name, expected["checkpoints"][name]["status"], expected["checkpoints"][name]["exploitability"])
        for name, (game, options) in SOLUTIONS.items():
            solution = mfg.solve(GAMES[game](), tol=TOLERANCE, check="ignore", **options)
            pack(f"solutions/{name}.nc", solution.save(path).read_bytes())
            expected["solutions"][name] = summary(solution)
            print(name, solution)
        pack("expected.json", json.dumps(expected, indent=1).encode())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write(Path(sys.argv[1]))
