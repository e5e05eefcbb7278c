"""Solvers of the game; each stops on the same certificate, and one driver runs them all."""

from __future__ import annotations

from typing import Any

from mfgsolve.errors import InputError, unknown
from mfgsolve.options import typed_options
from mfgsolve.problem import Problem
from mfgsolve.solvers.admm import ADMM
from mfgsolve.solvers.base import Solver
from mfgsolve.solvers.chambolle_pock import ChambollePock
from mfgsolve.solvers.complementarity import Complementarity
from mfgsolve.solvers.frank_wolfe import FictitiousPlay, FrankWolfe
from mfgsolve.solvers.interior_point import InteriorPoint
from mfgsolve.solvers.mirror_descent import MirrorDescent
from mfgsolve.solvers.newton import Newton
from mfgsolve.solvers.prior_descent import PriorDescent

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
    "PriorDescent",
    "make_solver",
    "suited",
]

SOLVERS: dict[str, type[Solver]] = {
    cls.name: cls
    for cls in (
        Newton,
        InteriorPoint,
        Complementarity,
        FrankWolfe,
        PriorDescent,
        FictitiousPlay,
        MirrorDescent,
        ADMM,
        ChambollePock,
    )
}
SHARP = ("interior-point", "complementarity")  # what a game without temperature is best solved by,
PRIORS = ("prior-descent",)  # and what it is where the crowd decides the transitions: Newton may find no way there


def suited(problem: Problem) -> list[str]:
    """Names of the solvers that suit a problem, the one to be preferred first."""
    names = [name for name, kind in SOLVERS.items() if kind().refuses(problem) is None]
    if problem.is_finite and problem.temperature == 0:
        first = PRIORS if problem.is_coupled else SHARP
        names.sort(key=lambda name: first.index(name) if name in first else len(first))
    return names


def _checked(method: str, options: dict[str, Any]) -> dict[str, Any]:
    return typed_options(SOLVERS[method], options, method)


def make_solver(problem: Problem, method: str | Solver | None, options: dict[str, Any]) -> Solver:
    """The solver of that name with those hyper-parameters, if it suits the problem."""
    if method is None:
        found = suited(problem)
        if not found:
            why = "; ".join(f"{name}: {kind().refuses(problem)}" for name, kind in SOLVERS.items())
            raise InputError(f"no solver suits this problem ({why})")
        return SOLVERS[found[0]](**_checked(found[0], options))
    if isinstance(method, Solver):
        if options:
            raise InputError(f"options {sorted(options)} come with a ready solver; set them on the solver itself")
        solver: Solver = method
    else:
        if method not in SOLVERS:
            raise InputError(unknown("solver", method, SOLVERS))
        solver = SOLVERS[method](**_checked(method, options))
    reason = solver.refuses(problem)
    if reason is not None:
        names = ", ".join(suited(problem)) or "none"
        raise InputError(f"solver {solver.name!r} does not suit this problem: {reason}; suited: {names}")
    return solver
