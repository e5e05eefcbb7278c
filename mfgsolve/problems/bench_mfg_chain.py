"""A short chain with a crowd-averse middle, in each of the three senses that "stationary" has."""

from __future__ import annotations

import numpy as np

from mfgsolve.couplings import CrowdAversion, RunningCost
from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError, unknown
from mfgsolve.fields import Still
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.spaces import States
from mfgsolve.stationary import Discounted, Ergodic, Stationary

__all__ = ["bench_mfg_chain"]

GAMES = ("invariant", "renewal", "ergodic")
MOVES = (-1, 0, 1)


@named(group="states")
def bench_mfg_chain(
    *,
    game: str = "invariant",
    states: int = 7,
    factor: float = 0.9,
    noise: float = 0.025,
    move_cost: float = 2.0,
    pull: float = 3.0,
    crowd: float = 40.0,
    temperature: float = 0.0,
) -> Problem:
    """A chain without a final time whose middle is best and crowded.

    An agent steps to the left, stays or steps to the right, no farther than the ends, and is then thrown to each side
    with chance ``noise``.  A step costs move_cost |a| + pull (x - middle)^2 + crowd m(x).

    Parameters
    ----------
    game : "invariant" (discounted, from where the crowd is), "renewal" (discounted, born evenly) or "ergodic" [name]
    states : length of the chain [1]
    factor : discount factor of a step; of an ergodic game none [1]
    noise : chance to be thrown to the left, and to the right [1]
    move_cost : of a step to either side [cost]
    pull : how fast places get worse from the middle on [cost]
    crowd : what a place costs if the whole crowd is there [cost]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Magnino, Shen, Geist, Pietquin and Lauriere, Bench-MFG: a benchmark suite for learning in stationary mean
    field games, arXiv:2602.12517
    """
    if game not in GAMES:
        raise InputError(unknown("game of bench-mfg-chain", game, GAMES))
    if states < 2:
        raise InputError(f"bench-mfg-chain has {states} states; at least 2 are needed")
    if not 0 <= noise <= 0.5:
        raise InputError(f"bench-mfg-chain has noise {noise}; a chance between 0 and 1/2 is needed, for each side")
    place = np.arange(states)
    own = move_cost * np.abs(MOVES)[:, None] + np.zeros((len(MOVES), states))
    time: Stationary = Ergodic() if game == "ergodic" else Discounted(factor=factor, population=game)
    return Problem(
        grid=States(states),
        time=time,
        dynamics=Tabular(
            [_thrown(move, states, noise) for move in MOVES], cost=own, temperature=temperature,
            actions=["left", "stay", "right"],
        ),
        coupling=CrowdAversion(crowd) + RunningCost(Still(pull * (place - 0.5 * (states - 1)) ** 2)),
        initial=np.full(states, 1.0 / states) if game == "renewal" else None,
    )  # fmt: skip


def _thrown(move: int, states: int, noise: float) -> np.ndarray:
    """Transitions (states, states) of a move, clipped at the ends before and after the noise."""
    chances, place = np.zeros((states, states)), np.arange(states)
    there = np.clip(place + move, 0, states - 1)
    for thrown, chance in ((-1, noise), (0, 1.0 - 2.0 * noise), (1, noise)):
        np.add.at(chances, (place, np.clip(there + thrown, 0, states - 1)), chance)
    return chances
