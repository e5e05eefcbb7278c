"""Problem -> Game: arrays only, every validity check once, and the verbs that all solvers use."""

from mfgsolve.errors import InputError
from mfgsolve.games.base import Average, Game, OwnCost, Policy, Totals, sampled
from mfgsolve.games.diffusion import DiffusionGame
from mfgsolve.games.finite import FiniteGame
from mfgsolve.grids import UNSETTLED
from mfgsolve.problem import Problem

__all__ = ["DiffusionGame", "FiniteGame", "Game", "OwnCost", "Average", "Policy", "Totals", "make_game", "sampled"]


def make_game(problem: Problem, threads: int | None = None) -> DiffusionGame | FiniteGame:
    """The game of a problem; ``threads`` of its kernels, None decides by its size.

    Raises
    ------
    InputError
        for what cannot be solved as it stands, a number of time steps that is not settled among them
    """
    if not problem.time.settled:
        raise InputError(f"problem {problem.name!r}: {UNSETTLED}")
    return FiniteGame(problem, threads) if problem.is_finite else DiffusionGame(problem, threads)
