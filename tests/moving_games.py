"""Small games of diffusions with movement costs of their own, and plain second roads to their best speeds."""

from __future__ import annotations

from typing import Any

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import make_game

JOINT = {
    "p-1.5": mfg.PowerCost(1.5), "p-3": mfg.PowerCost(3.0), "p-3-limit": mfg.PowerCost(3.0, limit=0.8),
    "p-2-limit": mfg.PowerCost(2.0, limit=0.8), "linear": mfg.LinearCost(0.6), "limit": mfg.SpeedLimit(0.6),
    "congestion": mfg.CongestionCost(0.5, 1.5),
}  # fmt: skip
APART = {
    "p-3-apart": mfg.PowerCost(3.0, joint=False), "p-1.5-apart": mfg.PowerCost(1.5, joint=False),
    "l1": mfg.LinearCost(0.6, joint=False), "box": mfg.SpeedLimit(0.6, joint=False),
}  # fmt: skip
MOVEMENTS = JOINT | APART


def goal(t: float, c: Any) -> np.ndarray:
    """Cost of a place, least at a corner."""
    return -np.exp(-((c.x - 0.7) ** 2 + (c.y - 0.6) ** 2 if hasattr(c, "y") else (c.x - 0.7) ** 2) / 0.1)


def start(t: float, c: Any) -> np.ndarray:
    return np.exp(-((c.x - 0.3) ** 2 + (c.y - 0.3) ** 2 if hasattr(c, "y") else (c.x - 0.3) ** 2) / 0.05)


def problem(movement: Any, shape: tuple[int, ...] = (12,), steps: int = 16, **changes: Any) -> mfg.Problem:
    """Agents who go where it is good, and mind the others."""
    cost = 1.0 if isinstance(movement, mfg.SpeedLimit) else 0.4
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box(shape), "time": mfg.TimeGrid(1.0, steps), "coupling": mfg.RunningCost(goal)
        + mfg.CrowdAversion(0.2), "initial": start, "normalise": True,
        "dynamics": mfg.ControlledDiffusion(0.02, cost, scheme="upwind", movement=movement),
    }  # fmt: skip
    return mfg.Problem(**(stated | changes))


def game(movement: Any, shape: tuple[int, ...] = (12,), steps: int = 16, **changes: Any) -> Any:
    return make_game(problem(movement, shape, steps, **changes))
