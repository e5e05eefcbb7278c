"""Couplings that look across cells, in every layer of a space by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling, Derived, Sum
from mfgsolve.errors import InputError
from mfgsolve.scenarios import Scenarios
from mfgsolve.spaces import Space, flat_volumes

__all__ = ["Within", "in_scenarios", "within"]


def within(coupling: Coupling) -> Coupling:
    """The coupling of one world in every scenario: terms that act cell by cell as they are, others layer by layer.

    Raises
    ------
    InputError
        for a price, which would add up the choices of all scenarios
    """
    if isinstance(coupling, Sum):
        return Sum(tuple(within(term) for term in coupling.terms))
    if coupling.on == "aggregate":
        raise InputError(
            "a price adds up all choices, and scenarios have a price each: not offered; leave the scenarios out"
        )
    if coupling.is_local or isinstance(coupling, Within):
        return coupling
    if coupling.on != "state":
        raise InputError(
            f"a {type(coupling).__name__} that looks across choices is not offered with scenarios; state one that acts "
            "choice by choice"
        )
    return Within(coupling)


def in_scenarios(coupling: Coupling | None) -> Coupling | None:
    """The same, of one that may be missing."""
    return within(coupling) if isinstance(coupling, Coupling) else coupling


@dataclass(frozen=True, eq=False)
class Within(Derived):
    """A coupling on the space of one world, which sees the density of one scenario at a time."""

    @property
    def is_potential(self) -> bool:  # type: ignore[override]
        return self.of.is_potential

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return self.of.is_monotone

    @property
    def is_constant(self) -> bool:  # type: ignore[override]
        return self.of.is_constant

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        if not isinstance(grid, Scenarios):
            raise InputError(f"a coupling of scenarios is bound to a {type(grid).__name__}; Scenarios are needed")
        volumes = np.asarray(flat_volumes(grid)).reshape(grid.count, -1)
        below = np.broadcast_to(flat_volumes(grid.space), volumes.shape[1])
        return _BoundWithin(self.of.bind(grid.space, times), volumes[:, 0] / below[0])


@dataclass(frozen=True, eq=False)
class _BoundWithin(Bound):
    of: Bound
    shares: np.ndarray  # probability of each scenario

    @property
    def sees_history(self) -> bool:  # type: ignore[override]
        return self.of.sees_history

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._stacked(self.of.cost(nodes, rho[:, n]) for n in range(rho.shape[1]))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(sum(share * self.of.potential(nodes, rho[:, n]) for n, share in enumerate(self.shares)))

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return self._stacked(self.of.tangent(nodes, rho[:, n], change[:, n]) for n in range(rho.shape[1]))

    def adjoint(self, nodes: slice, rho: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
        """Of every scenario by itself, where the coupling says its adjoint."""
        own = getattr(self.of, "adjoint", None)
        if own is None:
            return None
        parts = [own(nodes, rho[:, n], weight[:, n]) for n in range(rho.shape[1])]
        return None if any(part is None for part in parts) else self._stacked(parts)

    @staticmethod
    def _stacked(parts: object) -> np.ndarray:
        return np.stack([np.asarray(part) for part in parts], axis=1)  # type: ignore[attr-defined]
