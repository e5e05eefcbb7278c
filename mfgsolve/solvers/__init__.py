"""Solvers of the game; each stops on the same certificate, and one driver runs them all."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from mfgsolve.errors import InputError, unknown
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import Solver
from mfgsolve.solvers.frank_wolfe import FictitiousPlay, FrankWolfe
from mfgsolve.solvers.newton import Newton

__all__ = ["SOLVERS", "FictitiousPlay", "FrankWolfe", "Newton", "make_solver"]

SOLVERS: dict[str, type[Solver]] = {cls.name: cls for cls in (Newton, FrankWolfe, FictitiousPlay)}


def make_solver(problem: Problem, method: str | Solver, options: dict[str, Any]) -> Solver:
    """The solver of that name with those hyper-parameters, if it suits the problem."""
    if isinstance(method, Solver):
        if options:
            raise InputError(f"options {sorted(options)} come with a ready solver; set them on the solver itself")
        solver = method
    else:
        if method not in SOLVERS:
            raise InputError(unknown("solver", method, SOLVERS))
        kind = SOLVERS[method]
        allowed = [f.name for f in fields(kind)]  # type: ignore[arg-type]
        for name in options:
            if name not in allowed:
                raise InputError(unknown(f"option of {method}", name, allowed or ["(none)"]))
        solver = kind(**options)
    why = solver.refuses(problem)
    if why is not None:
        suited = [name for name, kind in SOLVERS.items() if kind().refuses(problem) is None]
        raise InputError(f"solver {solver.name!r} does not suit this problem: {why}; suited: {', '.join(suited)}")
    return solver
