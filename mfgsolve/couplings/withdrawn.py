"""What is left of a coupling when some of its claims are not believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings.base import Bound, BoundDerived, Derived
from mfgsolve.spaces import Space

__all__ = ["Withdrawn"]


@dataclass(frozen=True, eq=False)
class Withdrawn(Derived):
    """A coupling of which some claims are not believed: the same cost, and less said of it."""

    claims: frozenset[str]

    @property
    def is_potential(self) -> bool:  # type: ignore[override]
        return self.of.is_potential and "potential" not in self.claims

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return self.of.is_monotone and "monotone" not in self.claims

    @property
    def is_differentiable(self) -> bool:  # type: ignore[override]
        return self.of.is_differentiable and "derivative" not in self.claims

    @property
    def is_local(self) -> bool:  # type: ignore[override]
        return self.of.is_local and not {"derivative", "local"} & self.claims

    @property
    def total_is_convex(self) -> bool:
        """What it says of its total cost; see `mfgsolve.couplings.social`."""
        return getattr(self.of, "total_is_convex", False) is True

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundWithdrawn(self.of.bind(grid, times), self.claims)


@dataclass(frozen=True, eq=False)
class _BoundWithdrawn(BoundDerived):
    claims: frozenset[str]

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.of.cost(nodes, rho)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.full(rho.shape[0], np.nan) if "potential" in self.claims else self.of.potential(nodes, rho)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        return None if "derivative" in self.claims else self.of.slope(nodes, rho)

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        if "derivative" in self.claims:
            return super().tangent(nodes, rho, change)
        return self.of.tangent(nodes, rho, change)

    def adjoint(self, nodes: slice, rho: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
        own = None if {"derivative", "adjoint"} & self.claims else getattr(self.of, "adjoint", None)
        return None if own is None else own(nodes, rho, weight)

    def lowered(self, lower: Callable[[np.ndarray], np.ndarray]) -> Bound:
        return _BoundWithdrawn(self.of.lowered(lower), self.claims)

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        return None if {"derivative", "second"} & self.claims else self.of.second(nodes, rho)

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray | None:
        return self.of.cost_among(nodes, rho, agents)
