"""Which game is this?  A digest of all that a game is made of: no file is continued in, or compared with, another."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from mfgsolve.games import FiniteGame, make_game, sampled
from mfgsolve.problem import Problem

__all__ = ["fingerprint"]


def fingerprint(problem: Problem) -> str:
    """Digest of what a game is made of, so that a checkpoint is never continued in another one."""
    game = make_game(problem)
    stated: tuple[Any, ...] = (problem.grid.identity, problem.time)
    arrays = sampled(game)
    if isinstance(game, FiniteGame):
        arrays += [*game.transitions, game.own_cost, game.allowed]
        stated += (game.temperature,)
    else:
        stated += (problem.dynamics,)
    digest = hashlib.sha256(repr(stated).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
