"""What chains the steps of one agent: the sweeps of every horizon (`mfgsolve.games.horizons` says which there are)."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from mfgsolve.steps import Costs, Policy, Step

__all__ = ["Horizon"]


class Horizon(ABC):
    """How the steps of one agent follow each other.  Levels are arrays of the shape of the step.

    Attributes
    ----------
    is_swept : whether each step is taken once, so that kernels of the step may run through all of them
    """

    is_swept = True

    def start(self, initial: np.ndarray, mass: np.ndarray | None) -> np.ndarray:
        """Where an agent begins, of whom the value is told: m_0; ``mass`` are the levels of the crowd."""
        return initial

    def lasting(self, value: np.ndarray, free: np.ndarray) -> np.ndarray:
        """What an agent pays from each cell on in all, of a value of that horizon (populations, cells)."""
        return value

    def accounted(self, mass: np.ndarray, gone: np.ndarray | None) -> np.ndarray:
        """The agents that a mass (levels, populations, cells) accounts for, (levels, populations); ``gone`` are the
        cells of exits."""
        return np.asarray(mass.sum(axis=2))

    @abstractmethod
    def weights(self, terminal: bool, trapezoidal: bool = False) -> np.ndarray:
        """What a price counts at each node (T+1,).

        ``terminal`` says whether a coupling acts at the end; ``trapezoidal``, which rule a cost per unit time follows
        (`Step.is_trapezoidal`).
        """

    @abstractmethod
    def backward(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at the first node of the best response, which fills ``policy``; ``values`` get those of all nodes."""

    @abstractmethod
    def evaluate(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a policy of tables costs: V (T+1, states) and q (T, actions, states)."""

    @abstractmethod
    def forward(self, step: Step, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, *level) with the flow of its first level under the array of a best response."""

    @abstractmethod
    def follow(self, step: Step, policy: Policy, mass: np.ndarray) -> np.ndarray:
        """The same under any policy."""

    @abstractmethod
    def change(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Change of the mass, and of what is chosen, when costs change by ``costs`` at a best response."""
