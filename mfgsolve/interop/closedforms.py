"""Couplings that other libraries' games turn out to have, in closed form: a logarithm or a multiple of one's own mass.

Their strengths differ from state to state and from node to node in time; nodes lie at t = 0, 1, 2, ...
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import Coupling
from mfgsolve.couplings.base import Bound, total
from mfgsolve.spaces import Space, Volumes

__all__ = ["CrowdLogarithm", "Linear"]


def _rows(strength: np.ndarray, times: np.ndarray, grid: Space) -> np.ndarray:
    """The strength at these nodes, (nodes, *shape)."""
    nodes = np.zeros(len(times), dtype=int) if len(strength) == 1 else np.rint(times).astype(int)
    return np.asarray(strength[nodes].reshape(len(times), *grid.shape))


@dataclass(frozen=True, eq=False)
class CrowdLogarithm(Coupling):
    """f_t(x) = c_t(x) log(m(x) + floor), F = c [(m + floor) log(m + floor) - m - floor log floor]; levels have dt = 1.

    Parameters
    ----------
    strength : c (levels, S), one row for each node in time; or a single one, the same at all
    floor : eps > 0, mass; keeps empty cells finite and is part of the game
    """

    strength: np.ndarray
    floor: float

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return bool((self.strength >= 0).all())

    @property
    def total_is_convex(self) -> bool:
        return self.is_monotone

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        rows = _rows(self.strength, times, grid)
        return _BoundLogarithm(rows, self.floor, grid.volumes)


@dataclass(frozen=True, eq=False)
class _BoundLogarithm(Bound):
    strength: np.ndarray
    floor: float
    volumes: Volumes

    def _mass(self, rho: np.ndarray) -> np.ndarray:
        return rho * self.volumes + self.floor

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(self.strength[nodes] * np.log(self._mass(rho)))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        mass = self._mass(rho)
        gain = mass * np.log(mass) - rho * self.volumes - self.floor * np.log(self.floor)
        return total(self.strength[nodes] * gain, 1.0)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(self.strength[nodes] * self.volumes / self._mass(rho))

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(-self.strength[nodes] * (self.volumes / self._mass(rho)) ** 2)


@dataclass(frozen=True, eq=False)
class Linear(Coupling):
    """f_t(x) = b_t(x) m(x), F = b m^2 / 2, with b (levels, S); levels have dt = 1."""

    strength: np.ndarray

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return bool((self.strength >= 0).all())

    @property
    def total_is_convex(self) -> bool:
        return self.is_monotone

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        rows = _rows(self.strength, times, grid)
        return _BoundLinear(rows * grid.volumes, grid.volumes)


@dataclass(frozen=True, eq=False)
class _BoundLinear(Bound):
    strength: np.ndarray
    volumes: Volumes

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(self.strength[nodes] * rho)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return total(0.5 * self.strength[nodes] * rho**2, self.volumes)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.strength[nodes], rho.shape)

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros_like(rho)
