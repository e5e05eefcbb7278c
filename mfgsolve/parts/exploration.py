"""How a learner tries actions: from what it believes each is worth to the probability of taking it.

Values are rewards, to be made large.  Ties are shared evenly; actions that are not allowed are never taken.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, real

__all__ = ["Boltzmann", "EpsilonGreedy", "Exploration", "draw"]


class Exploration(ABC):
    """A rule that turns values (..., actions) into probabilities."""

    @abstractmethod
    def _probabilities(self, q: np.ndarray, allowed: np.ndarray) -> np.ndarray: ...

    def probabilities(self, q: Any, allowed: Any = None) -> np.ndarray:
        """Probability of each action, (..., actions).

        Parameters
        ----------
        q : values (..., actions), finite where allowed
        allowed : truth values that broadcast to the shape of ``q``; all without
        """
        values = numbers(q, "values of actions")
        if values.ndim == 0 or values.shape[-1] == 0:
            raise InputError(f"values of actions have shape {values.shape}; (..., actions) are needed")
        may = _allowed(allowed, values.shape)
        if not np.isfinite(values[may]).all():
            raise InputError("a value of an action is not finite: the learner diverges; take a smaller step size")
        return self._probabilities(np.where(may, values, -np.inf), may)

    def sample(self, q: Any, rng: np.random.Generator, allowed: Any = None) -> np.ndarray:
        """An action for each row of values, (...), drawn from `probabilities`."""
        return draw(self.probabilities(q, allowed), rng)


@dataclass(frozen=True)
class Boltzmann(Exploration):
    """pi(a) proportional to exp(beta q(a)): uniform at beta = 0, greedy at beta = inf.

    beta has the unit 1/reward; it is the inverse of the temperature of a game.
    """

    beta: float

    def __post_init__(self) -> None:
        beta = real(self.beta, "beta")
        if not beta >= 0:
            raise InputError(f"beta is {beta:g}; 0 (uniform) to inf (greedy) is possible")

    def _probabilities(self, q: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        if math.isinf(self.beta):
            return _greedy(q)
        gap = q - q.max(axis=-1, keepdims=True)  # -inf where not allowed, 0 at the best
        with np.errstate(over="ignore"):  # beta gap below the range of floats is a probability of 0
            weight = np.exp(self.beta * np.where(allowed, gap, 0.0)) * allowed
        return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class EpsilonGreedy(Exploration):
    """With probability epsilon any allowed action alike, else the best: greedy at 0, uniform at 1."""

    epsilon: float

    def __post_init__(self) -> None:
        epsilon = real(self.epsilon, "epsilon")
        if not 0 <= epsilon <= 1:
            raise InputError(f"epsilon is {epsilon:g}; a probability from 0 to 1 is needed")

    def _probabilities(self, q: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        even = allowed / allowed.sum(axis=-1, keepdims=True)
        return np.asarray((1 - self.epsilon) * _greedy(q) + self.epsilon * even)


def draw(probabilities: Any, rng: np.random.Generator) -> np.ndarray:
    """An index for each row of probabilities (..., n), never one of probability 0."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng is {rng!r}; a numpy.random.Generator is needed, say numpy.random.default_rng(0)")
    chance = np.asarray(probabilities, dtype=float)
    cumulative = np.cumsum(chance, axis=-1)
    point = rng.random(chance.shape[:-1]) * cumulative[..., -1]
    return np.asarray((cumulative > point[..., None]).argmax(axis=-1))


def _greedy(q: np.ndarray) -> np.ndarray:
    best = q == q.max(axis=-1, keepdims=True)
    return np.asarray(best / best.sum(axis=-1, keepdims=True))


def _allowed(given: Any, shape: tuple[int, ...]) -> np.ndarray:
    if given is None:
        return np.ones(shape, dtype=bool)
    may = np.asarray(given)
    if may.dtype != bool:
        raise InputError(f"allowed actions came as {may.dtype}; truth values are needed")
    try:
        may = np.broadcast_to(may, shape)
    except ValueError:
        raise InputError(f"allowed actions have shape {may.shape}; the values have {shape}") from None
    if not may.any(axis=-1).all():
        raise InputError("no action is allowed somewhere; at least one is needed everywhere")
    return may
