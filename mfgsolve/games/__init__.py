"""Problem -> Game: arrays only, every validity check once, and the verbs that all solvers use."""

from mfgsolve.games.game import Game, Response, sampled
from mfgsolve.problem import Problem
from mfgsolve.steps import Average, OwnCost, Policy, Totals

__all__ = ["Average", "Game", "OwnCost", "Policy", "Response", "Totals", "make_game", "sampled"]


def make_game(problem: Problem, threads: int | None = None) -> Game:
    """The game of a problem; ``threads`` of its kernels, None decides by its size."""
    return Game(problem, threads)
