"""Step sizes of learning: how far the k-th update, k = 1, 2, ..., moves toward its target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, real

__all__ = ["Constant", "Harmonic", "StepSize", "Visits"]


class StepSize(ABC):
    """A function of the number of the update."""

    @abstractmethod
    def _size(self, count: np.ndarray) -> np.ndarray: ...

    def __call__(self, count: Any) -> Any:
        """Step size of the update ``count``, a number or an array of them, from 1 on."""
        numbers = np.asarray(count, dtype=float)
        if not (numbers >= 1).all():
            raise InputError(f"count is {count}; updates are numbered from 1 on")
        size = self._size(numbers)
        return float(size) if numbers.ndim == 0 else size


@dataclass(frozen=True)
class Constant(StepSize):
    """The same step size always, in (0, 1]: forgets the past, follows a moving target."""

    size: float

    def __post_init__(self) -> None:
        size = real(self.size, "step size")
        if not 0 < size <= 1:
            raise InputError(f"step size is {size:g}; more than 0 and at most 1 is needed")

    def _size(self, count: np.ndarray) -> np.ndarray:
        return np.full(count.shape, float(self.size))


@dataclass(frozen=True)
class Harmonic(StepSize):
    """((1 + delay) / (k + delay))^power: 1 at first; with power 1 and no delay the running mean.

    Powers in (1/2, 1] meet the conditions of Robbins and Monro: the sum of step sizes diverges, that of their squares
    does not (Ann. Math. Statist. 22, 1951, doi:10.1214/aoms/1177729586).  A smaller power forgets faster.
    """

    power: float = 1.0
    delay: float = 0.0

    def __post_init__(self) -> None:
        power, delay = real(self.power, "power"), real(self.delay, "delay")
        if not 0 < power <= 1:
            raise InputError(f"power is {power:g}; more than 0 and at most 1 is needed, or learning stops too soon")
        if not 0 <= delay < float("inf"):
            raise InputError(f"delay is {delay:g}; a finite number of updates, 0 or more, is needed")

    def _size(self, count: np.ndarray) -> np.ndarray:
        return np.asarray(((1 + self.delay) / (count + self.delay)) ** self.power)


@dataclass(eq=False)
class Visits:
    """A step size for every entry of a table, by how often that entry was updated.

    Attributes
    ----------
    counts : how often, int64, of the table's shape
    """

    schedule: StepSize
    shape: int | tuple[int, ...]
    counts: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, StepSize):
            raise InputError(f"schedule is a {type(self.schedule).__name__}; a StepSize is needed")
        self.counts = np.zeros(self.shape, dtype=np.int64)

    def visit(self, entries: Any) -> np.ndarray:
        """Count a visit to each of these entries (an index of NumPy) and return the step sizes that they now have."""
        np.add.at(self.counts, entries, 1)
        return np.asarray(self.schedule(self.counts[entries]))
