"""What a coupling is: stated by the user, bound to a grid and to times; and the sum of several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import Grid

__all__ = ["Bound", "Coupling", "Sum"]


class Bound(ABC):
    """A coupling on one grid at given times; ``nodes`` is a slice of those times."""

    @abstractmethod
    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray: ...

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        """f'(rho), pointwise; None where the coupling is not local or not differentiable."""
        return None

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Derivative of f at rho in the direction ``change``."""
        slope = self.slope(nodes, rho)
        if slope is None:
            raise InputError(f"{type(self).__name__} has no derivative")
        return slope * change


class Coupling(ABC):
    """What the user states; ``bind`` turns it into arrays."""

    is_potential: bool = True
    is_monotone: bool = True
    is_local: bool = True
    is_differentiable: bool = True

    @abstractmethod
    def bind(self, grid: Grid, times: np.ndarray) -> Bound: ...

    def __add__(self, other: Coupling) -> Sum:
        if not isinstance(other, Coupling):
            raise InputError(
                f"a coupling plus a {type(other).__name__} is no coupling; write RunningCost(...) around it"
            )
        return Sum((self, other))


def levels_at(array: np.ndarray, nodes: slice) -> np.ndarray:
    """Levels of a sampled field; a field that does not move has a single level."""
    return array if array.shape[0] == 1 else array[nodes]


def nonnegative(array: np.ndarray, what: str) -> np.ndarray:
    if array.min() < 0:
        raise InputError(f"{what} is negative ({array.min():g}); it must be zero or positive for a crowd-averse game")
    return array


def total(array: np.ndarray, volume: float) -> np.ndarray:
    return array.reshape(array.shape[0], -1).sum(axis=1) * volume


@dataclass(frozen=True, eq=False)
class Sum(Coupling):
    """Sum of couplings; ``a + b`` writes it."""

    terms: tuple[Coupling, ...]

    def __post_init__(self) -> None:
        flat: list[Coupling] = []
        for term in self.terms:
            flat.extend(term.terms if isinstance(term, Sum) else [term])
        object.__setattr__(self, "terms", tuple(flat))
        for flag in ("is_potential", "is_monotone", "is_local", "is_differentiable"):
            object.__setattr__(self, flag, all(getattr(term, flag) for term in flat))

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        return _BoundSum([term.bind(grid, times) for term in self.terms])


@dataclass(frozen=True, eq=False)
class _BoundSum(Bound):
    terms: list[Bound]

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.cost(nodes, rho) for term in self.terms))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.potential(nodes, rho) for term in self.terms))

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        slopes = [term.slope(nodes, rho) for term in self.terms]
        return None if any(s is None for s in slopes) else np.asarray(sum(slopes))  # type: ignore[arg-type]

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.tangent(nodes, rho, change) for term in self.terms))
