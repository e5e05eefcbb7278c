"""What an agent does: one policy, or the mean of many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Average", "Policy"]


class Policy:
    """What an agent does at every time; together with the crowd it makes, it can be certified."""


class Average(Policy, ABC):
    """A mean of policies that keeps its own crowd: what fictitious play and Frank-Wolfe average."""

    crowd: np.ndarray

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that is averaged, by name."""

    @abstractmethod
    def mix(self, game: Any, policy: np.ndarray, crowd: np.ndarray, length: float) -> None:
        """average += length (policy - average), for a policy and its crowd; length 1 replaces whatever was there."""

    def own_slope(
        self, step: Any, policy: np.ndarray, crowd: np.ndarray, difference: float
    ) -> Callable[[float], float]:
        """Derivative of the own cost at average + length (policy - average), or a bound from above.

        ``difference`` is the own cost of the policy minus that of the average: the own cost is convex and lies below.
        """
        return lambda length: difference
