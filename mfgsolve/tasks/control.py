"""Families of machines to be controlled: cart-poles, pendulums, acrobots whose masses and lengths differ.

A family has a machine for each agent, alike but for factors on its masses and lengths, which are drawn once, from the
family's seed.  The equations of motion and constants are those of Gymnasium's classic control, in NumPy for all
machines at once (`mfgsolve.tasks.mechanics`); Gymnasium itself is needed by nobody but the tests, which compare the
two step for step.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mfgsolve.errors import InputError, unknown, whole
from mfgsolve.tasks import mechanics
from mfgsolve.tasks.task import Task

__all__ = ["AcrobotFamily", "CartPoleFamily", "ControlFamily", "PendulumFamily"]

GYMNASIUM = "Towers et al., Gymnasium, arXiv:2407.17032; families after Macua et al., arXiv:1710.10363"
STANDARD, EXTREME = 0.25, 4.0  # factors reach from 1 - 0.25 to 1 + 0.25, or from 1 / 4 to 4
VARIATIONS = ("standard", "extreme", "none")


@dataclass(frozen=True)
class ControlFamily(Task):
    """Base of families.  States are (..., d), actions whole numbers (...), factors (..., k); all broadcast.

    Parameters
    ----------
    tasks : how many machines, one for each agent
    variation : "standard": every mass and length times a factor of its own, uniform in 0.75 to 1.25; "extreme": factors
        from 1/4 to 4, uniform in their logarithm; "none": all machines are the standard one
    family : seed of the factors

    Attributes
    ----------
    limit : steps after which an episode is cut off
    actions, observations : how many actions, and numbers that an agent sees
    largest : modulus of the reward of a step, about; learners divide by it
    discount : of a step, with which it is learned well
    pace : step size of Adam, likewise
    parts : what the factors are of
    """

    tasks: int = 8
    variation: str = "standard"
    family: int = 0
    limit: ClassVar[int]
    actions: ClassVar[int]
    observations: ClassVar[int]
    largest: ClassVar[float]
    discount: ClassVar[float]
    pace: ClassVar[float]
    parts: ClassVar[tuple[str, ...]]
    source = GYMNASIUM
    learner = "diff-dac"

    def __post_init__(self) -> None:
        for name, least in (("tasks", 1), ("family", 0)):
            if whole(getattr(self, name), f"{name} of {self.name}") < least:
                raise InputError(f"{name} of {self.name} is {getattr(self, name)}; at least {least} is needed")
        if self.variation not in VARIATIONS:
            raise InputError(unknown(f"variation of {self.name}", self.variation, VARIATIONS))

    @property
    def factors(self) -> np.ndarray:
        """Of every machine, (tasks, parts)."""
        point = np.random.default_rng(self.family).uniform(-1.0, 1.0, (self.tasks, len(self.parts)))
        if self.variation == "none":
            return np.ones_like(point)
        return np.asarray(EXTREME**point if self.variation == "extreme" else 1.0 + STANDARD * point)

    @abstractmethod
    def started(self, points: np.ndarray) -> np.ndarray:
        """States at the beginning, (..., d), from numbers (..., d) uniform in [-1, 1)."""

    @abstractmethod
    def step(
        self, state: np.ndarray, action: np.ndarray, factors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """State, reward and whether the episode has ended, a step later."""

    @abstractmethod
    def observed(self, state: np.ndarray) -> np.ndarray:
        """What an agent sees, (..., observations), of a size of about 1."""

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """d, of a state."""


@dataclass(frozen=True)
class CartPoleFamily(ControlFamily):
    """A pole on a cart that is pushed to the left or to the right; 1 for every step that it stands."""

    name = "cart-pole-family"
    summary = "Poles on carts, of differing masses and lengths: learn one policy that balances all."
    limit, actions, observations, largest, discount, pace = 500, 2, 4, 1.0, 0.99, 0.001
    parts = tuple(mechanics.CART_POLE)
    dimensions = 4  # type: ignore[assignment]

    def started(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(0.05 * points)

    def step(
        self, state: np.ndarray, action: np.ndarray, factors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        after = mechanics.cart_pole(state, 20.0 * action - 10.0, factors)
        over = (np.abs(after[..., 0]) > FAR) | (np.abs(after[..., 2]) > TILTED)
        return after, np.ones(over.shape), over

    def observed(self, state: np.ndarray) -> np.ndarray:
        return np.asarray(state * CART_POLE_SCALE)


@dataclass(frozen=True)
class PendulumFamily(ControlFamily):
    """A pendulum that is to be swung up and held, by one of five torques from -2 to 2 N m.

    The cost of a step is angle^2 + 0.1 angle'^2 + 0.001 torque^2; an episode lasts for 200 steps.
    """

    name = "pendulum-family"
    summary = "Pendulums of differing masses and lengths, discretised torque: learn one policy that swings up all."
    limit, actions, observations, largest, discount, pace = 200, 5, 3, 16.2736044, 0.9, 0.003
    parts = tuple(mechanics.PENDULUM)
    dimensions = 2  # type: ignore[assignment]

    def started(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(points * np.array([np.pi, 1.0]))

    def step(
        self, state: np.ndarray, action: np.ndarray, factors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        torque = action - 2.0
        cost = mechanics.wrapped(state[..., 0]) ** 2 + 0.1 * state[..., 1] ** 2 + 0.001 * torque**2
        after = mechanics.pendulum(state, torque, factors)
        return after, -cost, np.zeros(cost.shape, dtype=bool)

    def observed(self, state: np.ndarray) -> np.ndarray:
        angle, turn = state[..., 0], state[..., 1]
        return np.stack([np.cos(angle), np.sin(angle), turn / mechanics.PENDULUM_FASTEST], axis=-1)


@dataclass(frozen=True)
class AcrobotFamily(ControlFamily):
    """Two links that hang; a torque of -1, 0 or 1 N m at the joint between them is to swing the tip up.

    -1 for every step until -cos(upper) - cos(upper + lower) > 1, the height at which standard links are one length
    above the axis.
    """

    name = "acrobot-family"
    summary = "Pairs of links of differing masses and lengths: learn one policy that swings up all."
    limit, actions, observations, largest, discount, pace = 500, 3, 6, 1.0, 0.99, 0.003
    parts = tuple(mechanics.ACROBOT)
    dimensions = 4  # type: ignore[assignment]

    def started(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(0.1 * points)

    def step(
        self, state: np.ndarray, action: np.ndarray, factors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        after = mechanics.acrobot(state, action - 1.0, factors)
        over = -np.cos(after[..., 0]) - np.cos(after[..., 0] + after[..., 1]) > 1.0
        return after, over - 1.0, over

    def observed(self, state: np.ndarray) -> np.ndarray:
        angles, turns = state[..., :2], state[..., 2:]
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(*state.shape[:-1], 4)
        return np.concatenate([directions, turns / ACROBOT_SCALE], axis=-1)


FAR, TILTED = 2.4, np.radians(12.0)  # where a cart-pole is lost, m and rad
CART_POLE_SCALE = 1.0 / np.array([1.0, 1.0, 0.2, 1.0])
ACROBOT_SCALE = np.array([4.0, 9.0])
