"""Two places, to stay and to swap: tables as they are stated, and the transitions of the game."""

from __future__ import annotations

from typing import Any

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import make_game

STAY, SWAP = np.eye(2), np.eye(2)[::-1].copy()


HALF = np.full((2, 2), 0.5)


def tabular(transitions: Any = None, states: Any = 2, steps: int = 3, **options: Any) -> Any:
    """The game of agents who start in the first state."""
    dynamics = mfg.Tabular([STAY, SWAP] if transitions is None else transitions, **options)
    count = states if isinstance(states, int) else 2
    return make_game(mfg.Problem(
        grid=mfg.States(count), time=mfg.TimeGrid(steps, steps), dynamics=dynamics, coupling=mfg.CrowdAversion(1.0),
        initial=np.eye(count)[0]))  # fmt: skip


def matrices(game: Any) -> np.ndarray:
    """Transitions of all steps, (T, A, S, S)."""
    each = [game.step.transitions.matrix(t, game.cells).toarray() for t in range(game.steps)]
    return np.array(each).reshape(game.steps, game.step.actions, game.cells, game.cells)
