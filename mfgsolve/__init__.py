"""mfgsolve: mean-field games stated on a grid, solved to machine precision, with a certificate.

    import mfgsolve as mfg
    problem = mfg.problems.supply_demand(shape=(64, 64), steps=512)
    solution = mfg.solve(problem, tol=1e-10)
    solution.save("plan.nc")

Words and mathematics: see `Problem`, `solve` and `exploitability`.  Nothing is compiled, written or plotted at import.
"""

from __future__ import annotations

import gc
import importlib
import types
from typing import Any

__version__ = "0.11.0"

_HOMES = {
    "Axis": "grids",
    "Box": "fields",
    "Bump": "fields",
    "CRRA": "markets",
    "Capacity": "couplings",
    "Caution": "cautions",
    "Certificate": "certificates",
    "CobbDouglas": "markets",
    "Congestion": "couplings",
    "CongestionCost": "dynamics",
    "ControlledDiffusion": "dynamics",
    "Coupling": "couplings",
    "CrowdAversion": "couplings",
    "CustomCoupling": "couplings",
    "Discretisation": "discretisation",
    "Doubtful": "errors",
    "Economy": "markets",
    "FileError": "errors",
    "Firm": "markets",
    "Grid": "grids",
    "Households": "markets",
    "Income": "markets",
    "InputError": "errors",
    "Interaction": "couplings",
    "LatticeMoves": "dynamics",
    "LinearCost": "dynamics",
    "LogCongestion": "couplings",
    "Market": "markets",
    "Nonlocal": "couplings",
    "NotConverged": "errors",
    "Populations": "spaces",
    "PowerCost": "dynamics",
    "Price": "couplings",
    "Problem": "problem",
    "Quadratic": "fields",
    "QuadraticCost": "dynamics",
    "QuadraticPotential": "couplings",
    "RoadNetwork": "roads",
    "RunningCost": "couplings",
    "ScenarioTree": "scenarios",
    "Separable": "fields",
    "Shock": "markets",
    "Solution": "solution",
    "SpeedLimit": "dynamics",
    "States": "spaces",
    "Status": "solution",
    "Tabular": "dynamics",
    "Training": "tasks",
    "TimeGrid": "grids",
    "Transition": "markets",
    "Wealth": "markets",
    "Discounted": "stationary",
    "Ergodic": "stationary",
    "FirstExit": "stationary",
    "Anarchy": "studies.anarchy",
    "arrival": "studies.answers",
    "by_start": "studies.answers",
    "convergence": "studies.convergence",
    "check_coupling": "couplings",
    "Design": "studies.design",
    "design": "studies.design",
    "compare": "studies.agents",
    "Refinement": "studies.refine",
    "refine": "studies.refine",
    "exploitability": "certificates",
    "learn": "learners",
    "load": "statements",
    "mass": "studies.answers",
    "nash_gap": "agents.regret",
    "price_of_anarchy": "studies.anarchy",
    "read_density": "problemfile",
    "read_problem": "problemfile",
    "register": "methods",
    "resume": "tasks.resuming",
    "sensitivity": "studies.sensitivity",
    "simulate": "agents.simulation",
    "simulate_deviation": "agents.deviation",
    "solve": "solving",
    "spread": "studies.summary",
    "sweep": "studies.sweep",
}
_MODULES = ("interop", "learners", "markets", "plots", "problems", "resolution", "roads", "solvers", "tasks")

__all__ = ["__version__", *_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(_imported(_HOMES[name]), name)
    elif name in _MODULES:
        value = _imported(name)
    else:
        from mfgsolve.inputs.attributes import missing

        raise missing("module 'mfgsolve'", name, __all__)
    globals()[name] = value
    return value


lasting = False  # whether all that is there once a module is imported stays to the end: in a process of the command


def _imported(name: str) -> types.ModuleType:
    """A module of the package, without a search for garbage among what its import makes, which stays; searches later on
    pass it over where the process is the package's own.  Together that is a tenth of a short command."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(f"mfgsolve.{name}")
    finally:
        if lasting:
            gc.freeze()
        if collects:
            gc.enable()


def __dir__() -> list[str]:
    return sorted(__all__)
