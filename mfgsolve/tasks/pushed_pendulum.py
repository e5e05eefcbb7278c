"""A pendulum pushed by N agents, who are to swing it up and to hold it there together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.tasks.plant import Axis, Plant

__all__ = ["PushedPendulum"]

STEP = 0.1  # s
GRAVITY = 9.81  # 1/s^2, of a pendulum one metre long
FASTEST = 6.0  # rad/s


@dataclass(frozen=True)
class PushedPendulum(Plant):
    """A rod of length 1 m; the agents push by u_i in -1, 0, 1, all together by at most ``strength`` (rad/s^2):

        speed' = speed + 0.1 (9.81 sin(angle) + strength (u_1 + ... + u_N) / N),    angle' = angle + 0.1 speed'

    where the angle (rad) is 0 above and lies on a circle, and the speed (rad/s) is kept within -6 and 6.  All earn the
    same in every step, -(1 - cos(angle')) - 0.01 speed'^2 - effort mean_j u_j^2.
    """

    agents: int = 3
    strength: float = 6.0
    effort: float = 0.05
    angles: int = 31
    speeds: int = 25
    discount: float = 0.97
    steps: int = 60
    name = "pushed-pendulum"
    source = "Köpf et al., arXiv:1910.13196 (the idea; plant and numbers are of this package)"
    summary = "N agents who swing up one pendulum and hold it, each with a push of its own."

    def __post_init__(self) -> None:
        if not self.strength > 0:
            raise InputError(f"strength of {self.name} is {self.strength:g} rad/s^2; a positive one is needed")
        if not self.effort >= 0:
            raise InputError(f"effort of {self.name} is {self.effort:g}; 0 or more is needed")
        self.check()

    @property
    def axes(self) -> tuple[Axis, Axis]:
        return (
            Axis("angle", "rad", 0.0, 2 * np.pi, self.angles, circle=True),
            Axis("speed", "rad/s", -FASTEST, FASTEST, self.speeds),
        )

    @property
    def controls(self) -> np.ndarray:
        return np.array([0, -1, 1])

    def move(self, first: np.ndarray, second: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        push = self.strength * total / self.agents
        speed = np.clip(second + STEP * (GRAVITY * np.sin(first) + push), -FASTEST, FASTEST)
        return first + STEP * speed, speed

    def costs(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        cost = 1.0 - np.cos(first) + 0.01 * second**2
        return np.broadcast_to(cost, (self.agents, *cost.shape))

    @property
    def efforts(self) -> np.ndarray:
        return np.full((self.agents, self.agents), self.effort / self.agents)
