"""What a learner is to the loop that trains it: four verbs, and what it gets to see.

A learner whose *field* (the crowd that agents pay for) is frozen is a sampled best response; with the live crowd it
learns concurrently with all others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.games import Game

__all__ = ["Learner", "Observation", "Transition"]


@dataclass(frozen=True, eq=False)
class Observation:
    """What agents see before they choose: the number of the step, and each its own state, (agents,)."""

    step: int
    state: np.ndarray


@dataclass(frozen=True, eq=False)
class Transition:
    """What happened to all agents in one step; arrays (agents,).  ``reward`` is minus what the step cost; in the last
    step (``done``) what the end costs is part of it."""

    step: int
    state: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    next_state: np.ndarray
    done: bool


class Learner(ABC):
    """Base of learners; bring your own.  ``field`` is whatever the environment shows of the crowd, or None."""

    @abstractmethod
    def act(self, observation: Observation, field: Any, rng: np.random.Generator) -> np.ndarray:
        """An action for each agent, whole numbers (agents,)."""

    @abstractmethod
    def observe(self, transition: Transition) -> None:
        """Take note of what happened."""

    @abstractmethod
    def update(self, rng: np.random.Generator) -> None:
        """Learn from what was observed; called at the end of every episode."""

    @abstractmethod
    def policy(self, game: Game, field: Any = None) -> np.ndarray:
        """What it would do now, probabilities (steps, actions, states), to be judged by the exact certificate."""
