"""Solvers of the game; each stops on the same certificate, and one driver runs them all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from mfgsolve.errors import InputError, unknown
from mfgsolve.inputs.options import typed_options
from mfgsolve.methods import SOLVERS
from mfgsolve.problem import Problem
from mfgsolve.solvers.admm import ADMM
from mfgsolve.solvers.base import Solver
from mfgsolve.solvers.chambolle_pock import ChambollePock
from mfgsolve.solvers.complementarity import Complementarity
from mfgsolve.solvers.frank_wolfe import FictitiousPlay, FrankWolfe
from mfgsolve.solvers.interior_point import InteriorPoint
from mfgsolve.solvers.mirror_descent import MirrorDescent
from mfgsolve.solvers.needs import Need
from mfgsolve.solvers.newton import Newton
from mfgsolve.solvers.path_following import PathFollowing
from mfgsolve.solvers.planning import Planning
from mfgsolve.solvers.portfolio import Portfolio
from mfgsolve.solvers.prior_descent import PriorDescent
from mfgsolve.solvers.proximal_point import ProximalPoint

__all__ = [
    "ADMM",
    "SOLVERS",
    "ChambollePock",
    "Complementarity",
    "FictitiousPlay",
    "FrankWolfe",
    "InteriorPoint",
    "MirrorDescent",
    "Newton",
    "PathFollowing",
    "Planning",
    "Portfolio",
    "PriorDescent",
    "ProximalPoint",
    "make_solver",
    "own_options",
    "suited",
]

# which solver comes first where several suit, and in which order the others follow
SMOOTH = (
    "proximal-point", "newton", "planning", "interior-point", "path-following", "prior-descent", "frank-wolfe",
    "fictitious-play", "mirror-descent", "admm", "chambolle-pock",
)  # fmt: skip
SHARP = (
    "interior-point", "complementarity", "path-following", "newton", "frank-wolfe", "prior-descent", "admm",
    "chambolle-pock", "fictitious-play", "mirror-descent",
)  # fmt: skip
COUPLED = ("prior-descent", "mirror-descent", "newton", "fictitious-play")  # Newton may find no way to a sharp one


def suited(problem: Problem) -> list[str]:
    """Names of the package's own solvers that suit a problem, the one to be preferred first."""
    order: tuple[str, ...] = SMOOTH
    if problem.is_finite and problem.temperature == 0:
        order = COUPLED if problem.is_coupled else SHARP
    names = [name for name in SOLVERS.own if SOLVERS[name]().refuses(problem) is None]
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def own_options(problem: Problem, method: str | Solver | None) -> list[str]:
    """Names of the hyper-parameters that `make_solver` takes for a problem."""
    if isinstance(method, Solver):
        return []
    listed = [method] if method is not None and method in SOLVERS else suited(problem)[:1]
    return [part.name for name in listed for part in fields(SOLVERS[name])]


def make_solver(
    problem: Problem, method: str | Solver | None, options: dict[str, Any], also: Iterable[str] = ()
) -> Solver:
    """The solver of that name with those hyper-parameters, if it suits the problem; without a name the portfolio of all
    that suit, whose first has those hyper-parameters.  ``also`` may stand beside them; see `typed_options`."""
    if method is None:
        result = suited(problem)
        if not result:
            why = "; ".join(f"{name}: {SOLVERS[name]().refuses(problem)}" for name in SOLVERS.own)
            raise InputError(f"no solver suits this problem ({why})")
        first = SOLVERS[result[0]](**typed_options(SOLVERS[result[0]], options, result[0], also=also))
        return first if len(result) == 1 else Portfolio(",".join(result), json.dumps(options))
    if isinstance(method, Solver):
        if options:
            raise InputError(f"options {sorted(options)} come with a ready solver; set them on the solver itself")
        solver: Solver = method
        kind = type(solver).__name__
        if not isinstance(getattr(solver, "name", None), str):
            raise InputError(f"the solver {kind} has no name; write name = 'my-solver' in the class")
        if not (isinstance(solver.needs, tuple) and all(isinstance(need, Need) for need in solver.needs)):
            raise InputError(f"needs of the solver {kind} are {solver.needs!r}; a tuple of Need is needed")
    else:
        if method not in SOLVERS:
            raise InputError(unknown("solver", method, SOLVERS))
        solver = SOLVERS[method](**typed_options(SOLVERS[method], options, method, also=also))
    reason = solver.refuses(problem)
    if reason is not None:
        names = ", ".join(suited(problem)) or "none"
        raise InputError(f"solver {solver.name!r} does not suit this problem: {reason}; suited: {names}")
    return solver
