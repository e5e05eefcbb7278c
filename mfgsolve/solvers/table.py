"""Which solver suits which class of game: the table of the README, made by asking the solvers themselves.

``python -m mfgsolve.solvers.table`` prints it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mfgsolve.couplings import Capacity, CrowdAversion, CustomCoupling, Interaction, Price, QuadraticPotential
from mfgsolve.dynamics import ControlledDiffusion, Tabular
from mfgsolve.dynamics.movement import CongestionCost, SpeedLimit
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.scenarios import ScenarioTree
from mfgsolve.solvers import SOLVERS, suited
from mfgsolve.spaces import States
from mfgsolve.stationary import Discounted, Ergodic, FirstExit, Stationary

__all__ = ["CLASSES", "markdown"]

STAY, SWAP = np.eye(2), np.eye(2)[::-1]
CYCLE = Interaction(np.array([[0.0, 1.0], [-1.0, 0.0]]))  # crowd-averse, no potential
NO_DERIVATIVE = CustomCoupling(lambda t, c, rho: rho, potential=lambda t, c, rho: rho**2 / 2, monotone=True)


def _diffusion(coupling: Any, movement: Any = None) -> Problem:
    scheme = None if movement is None else "upwind"
    dynamics = ControlledDiffusion(0.01, scheme=scheme, movement=movement)
    return Problem(Grid.box((4,)), TimeGrid(1.0, 4), dynamics, coupling, 1.0)


def _finite(coupling: Any, temperature: float = 0.0, transitions: Any = (STAY, SWAP)) -> Problem:
    dynamics = Tabular(transitions, temperature=temperature)
    return Problem(States(2), TimeGrid(2.0, 2), dynamics, coupling, np.array([0.5, 0.5]))


def _lasting(time: Stationary, temperature: float = 0.0) -> Problem:
    return Problem(States(2), time, Tabular((STAY, SWAP), temperature=temperature), CrowdAversion())


def _leaving(temperature: float = 0.0) -> Problem:
    out = Tabular((STAY, SWAP), cost=np.ones((2, 2)), temperature=temperature)
    return Problem(States(2, exits={"out": [1]}), FirstExit(), out, CrowdAversion(), np.array([1.0, 0.0]))


def _led(problem: Problem) -> Problem:
    return replace(problem, final=problem.initial)


def _told(problem: Problem) -> Problem:
    return replace(problem, scenarios=ScenarioTree([1.0], [0.5, 0.5]))


PRICE = Price(QuadraticPotential(), bounds=(0.0, 1.0), amounts=[0.0, 1.0])

CLASSES: dict[str, Callable[[], Problem]] = {
    "controlled diffusion": lambda: _diffusion(CrowdAversion()),
    "... coupling without derivative": lambda: _diffusion(NO_DERIVATIVE),
    "... best speeds that jump": lambda: _diffusion(CrowdAversion(), SpeedLimit(1.0)),
    "... moving dearer in a crowd": lambda: _diffusion(CrowdAversion(), CongestionCost()),
    "finite, temperature > 0, potential": lambda: _finite(CrowdAversion(), 0.1),
    "finite, temperature > 0, no potential": lambda: _finite(CYCLE, 0.1),
    "finite, sharp, potential": lambda: _finite(CrowdAversion()),
    "finite, sharp, coupling without derivative": lambda: _finite(NO_DERIVATIVE),
    "finite, sharp, no potential": lambda: _finite(CYCLE),
    "finite, sharp, capacity or bounded price": lambda: _finite(CrowdAversion() + Capacity(0.9) + PRICE),
    "finite, temperature > 0, capacity or bounded price": lambda: _finite(CrowdAversion() + Capacity(0.9) + PRICE, 0.1),
    "controlled diffusion, final density given or capped": lambda: _led(_diffusion(CrowdAversion())),
    "finite, temperature > 0, final density given": lambda: _led(_finite(CrowdAversion(), 0.1)),
    "finite, sharp, final density given": lambda: _led(_finite(CrowdAversion())),
    "common noise (scenarios), finite, sharp": lambda: _told(_finite(CrowdAversion())),
    "transitions that depend on the crowd": lambda: _finite(CrowdAversion(), 0.1, lambda t, mass: (STAY, SWAP)),
    "... sharp": lambda: _finite(CrowdAversion(), 0.0, lambda t, mass: (STAY, SWAP)),
    "no final time, temperature > 0": lambda: _lasting(Ergodic(), 0.1),
    "no final time, temperature > 0, no potential (invariant population)": lambda: _lasting(
        Discounted(factor=0.9), 0.1
    ),
    "until agents leave (first exit), temperature > 0": lambda: _leaving(0.1),
    "until agents leave, sharp": lambda: _leaving(),
    "no final time, sharp": lambda: _lasting(Ergodic()),
    "no final time, sharp, no potential (invariant population)": lambda: _lasting(Discounted(factor=0.9)),
}


def markdown() -> str:
    """The table: a row for each class, a column for each solver; the default of a class is in bold."""
    rows = [["class of game", *(f"`{name}`" for name in SOLVERS.own)], ["---", *([":-:"] * len(SOLVERS.own))]]
    for title, build in CLASSES.items():
        names = suited(build())
        marks = ["**yes**" if [name] == names[:1] else "yes" if name in names else "" for name in SOLVERS.own]
        rows.append([title, *marks])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    print(markdown())
