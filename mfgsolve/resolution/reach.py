"""How far a step must reach, judged by a plan: a stencil grows by itself; one that was stated is told of."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mfgsolve.cautions import Caution
from mfgsolve.games import Game, Policy, make_game
from mfgsolve.problem import Problem
from mfgsolve.steps.reach import edge_mass

__all__ = ["EDGE", "reach_cautions", "wider"]

EDGE = 1e-6  # share of the mass-time at the edge of a stencil that is too much
GROWTH = 1.5  # of a stencil that is too narrow


def wider(problem: Problem, game: Game, policy: Policy, crowd: np.ndarray) -> Problem | None:
    """The problem with steps that reach farther, where those of a plan do not; None where they do, or were stated."""
    if _is_stated(problem) or _share(game, policy, crowd) <= EDGE:
        return None
    return _with_reach(problem, _grown(game))


def reach_cautions(problem: Problem, game: Game, policy: Policy, crowd: np.ndarray) -> tuple[Caution, ...]:
    """What is to be said of the reach of a plan."""
    share = _share(game, policy, crowd)
    if share <= EDGE:
        return ()
    asked = _grown(game)
    if _is_stated(problem):
        asked = max(asked, *make_game(_with_reach(problem, None), 1).step.reach)
    sentence = (
        f"steps that reach {max(game.step.reach)} cells are too short for the speeds of this game: {share:.1e} of the "
        f"mass-time goes that far, and might go farther (up to {EDGE:.0e} is harmless); take reach = {asked}, or leave "
        "it out"
    )
    return (Caution("reach-too-small", sentence),)


def _share(game: Game, policy: Policy, crowd: np.ndarray) -> float:
    if not game.step.reach:
        return 0.0
    array = getattr(policy, "array", None)  # an average has none: what answers it goes as far
    return edge_mass(game.step, game.respond(game.price(crowd), crowd=crowd).policy if array is None else array, crowd)


def _grown(game: Game) -> int:
    return math.ceil(GROWTH * max(game.step.reach))


def _is_stated(problem: Problem) -> bool:
    return any(getattr(one, "reach", None) is not None for one in problem.all_dynamics)


def _with_reach(problem: Problem, reach: int | None) -> Problem:
    return replace(problem, dynamics=[one.on_chain(one.scheme, reach) for one in problem.stated_dynamics])
