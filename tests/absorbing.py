"""Games with exits stated the long way round: with absorbing states of their own, in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import mfgsolve as mfg


def long_way(
    transitions: np.ndarray, cost: np.ndarray, temperature: float, initial: np.ndarray, terminal: np.ndarray,
    gone: np.ndarray, paid: np.ndarray, strength: float, horizon: float,
) -> mfg.Problem:  # fmt: skip
    """The same game without exits: states of exits absorb, and who enters one pays at that time, on average.

    Parameters
    ----------
    transitions, cost : (actions, states, states), (actions, states)
    gone : (states,) boolean
    paid : (T+1, states), what leaving costs at each node
    strength : of the aversion to the crowd, inside
    """
    actions, states = cost.shape
    steps = len(paid) - 1
    absorbing = np.where(gone[:, None], np.eye(states), transitions)
    own = np.stack([cost + absorbing @ np.where(gone, paid[t + 1], 0.0) for t in range(steps)])
    own[:, :, gone] = 0.0
    allowed = np.ones((actions, states), dtype=bool)
    allowed[1:, gone] = False
    return mfg.Problem(
        grid=mfg.States(states), time=mfg.TimeGrid(horizon, steps),
        dynamics=mfg.Tabular(absorbing, cost=own, allowed=allowed, temperature=temperature),
        coupling=mfg.CrowdAversion(np.where(gone, 0.0, strength)), initial=initial,
        terminal=np.where(gone, 0.0, terminal),
    )  # fmt: skip


def enumerated(
    choices: int, states: int, steps: int, value: Callable[[np.ndarray], float]
) -> float:  # fmt: skip
    """The least value of all deterministic policies (steps, states), tried one by one."""
    best = np.inf
    for number in range(choices ** (states * steps)):
        digits = np.array(np.unravel_index(number, (choices,) * (states * steps)))
        best = min(best, value(digits.reshape(steps, states)))
    return best
