"""Problem -> Game: arrays only, every validity check once, and the verbs that all solvers use."""

from mfgsolve.games.base import Game, OwnCost, Plan, Policy, Totals, sampled
from mfgsolve.games.diffusion import DiffusionGame
from mfgsolve.games.finite import FiniteGame
from mfgsolve.problem import Problem

__all__ = ["DiffusionGame", "FiniteGame", "Game", "OwnCost", "Plan", "Policy", "Totals", "make_game", "sampled"]


def make_game(problem: Problem, threads: int | None = None) -> DiffusionGame | FiniteGame:
    """The game of a problem; ``threads`` of its kernels, None decides by its size."""
    return FiniteGame(problem, threads) if problem.is_finite else DiffusionGame(problem, threads)
