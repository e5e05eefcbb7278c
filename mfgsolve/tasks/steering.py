"""Two drivers who steer one car back to its lane: lateral offset and heading, the wheel turned by the sum of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.tasks.plant import Axis, Plant

__all__ = ["OpposedSteering", "SharedSteering"]

STEP = 0.2  # s
TURN = 0.05  # rad that a turn of the wheel by 1 changes the heading in a step
OFFSET, HEADING = 2.0, 0.3  # m, rad: where the road ends, and how far the car turns


@dataclass(frozen=True)
class SharedSteering(Plant):
    """A car at constant speed v (m/s); drivers i = 1, 2 turn the wheel by u_i in -2, ..., 2 at once:

        heading' = heading + 0.05 (u_1 + u_2),    offset' = offset + 0.2 v sin(heading')

    on offsets (m) from -2 to 2 and headings (rad) from -0.3 to 0.3, both kept within.  Both earn the same:
    -(offset'^2 + 4 heading'^2) - effort (u_1^2 + u_2^2) / 2 in every step.
    """

    speed: float = 10.0
    effort: float = 0.05
    offsets: int = 17
    headings: int = 13
    discount: float = 0.95
    steps: int = 40
    name = "shared-steering"
    source = "Köpf et al., arXiv:1910.13196 (the idea; plant and numbers are of this package)"
    summary = "Two drivers who steer one car, with a goal in common: to the middle of the lane, at little effort."

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise InputError(f"speed of {self.name} is {self.speed:g} m/s; a positive one is needed")
        if not self.effort >= 0:
            raise InputError(f"effort of {self.name} is {self.effort:g}; 0 or more is needed")
        self.check()

    @property
    def agents(self) -> int:  # type: ignore[override]
        return 2

    @property
    def axes(self) -> tuple[Axis, Axis]:
        return (
            Axis("offset", "m", -OFFSET, OFFSET, self.offsets),
            Axis("heading", "rad", -HEADING, HEADING, self.headings),
        )

    @property
    def controls(self) -> np.ndarray:
        return np.array([0, -1, 1, -2, 2])

    def move(self, first: np.ndarray, second: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heading = np.clip(second + TURN * total, -HEADING, HEADING)
        return np.clip(first + STEP * self.speed * np.sin(heading), -OFFSET, OFFSET), heading

    def costs(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.stack([(first - lane) ** 2 + 4.0 * second**2 for lane in self.lanes])

    @property
    def lanes(self) -> tuple[float, float]:
        """Offsets (m) that the two drivers want."""
        return 0.0, 0.0

    @property
    def efforts(self) -> np.ndarray:
        return np.full((2, 2), self.effort / 2)


@dataclass(frozen=True)
class OpposedSteering(SharedSteering):
    """As `SharedSteering`, but one driver wants the car ``apart`` (m) to the left of the middle, the other as far to
    the right, and each pays for what it turns the wheel itself: -(offset' -+ apart)^2 - 4 heading'^2 - effort u_i^2.

    The sum of both is still best in the middle; selfish drivers pull against each other.
    """

    apart: float = 0.5
    name = "shared-steering-opposed"
    summary = "Two drivers who steer one car and want it on opposite sides of the lane."

    @property
    def lanes(self) -> tuple[float, float]:
        return -self.apart, self.apart

    @property
    def efforts(self) -> np.ndarray:
        return np.diag([self.effort, self.effort])
