"""Couplings that do not see who has left: at exits nobody is counted, and nothing is paid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mfgsolve.couplings.base import Bound, BoundDerived

__all__ = ["BoundInside", "seen_inside"]


@dataclass(frozen=True, eq=False)
class BoundInside(BoundDerived):
    """A coupling on a grid with exits: the density there is taken for 0, and so are cost, derivatives and bounds.

    A potential is that of the density inside, so that its derivative in the density at an exit is 0, too.

    Parameters
    ----------
    exits : boolean, of the shape of a level, True in the cells of exits
    """

    exits: np.ndarray
    places: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", np.flatnonzero(self.exits))

    @property
    def is_fused(self) -> bool:  # type: ignore[override]
        return self.of.is_fused

    @property
    def parts(self) -> tuple[Bound, ...]:
        return tuple(BoundInside(part, self.exits) for part in self.of.parts)

    def _inside(self, rho: np.ndarray) -> np.ndarray:
        return np.where(self.exits, 0.0, rho)

    def _kept(self, values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.where(self.exits, 0.0, values)

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._inside(self.of.cost(nodes, self._inside(rho)))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.of.potential(nodes, self._inside(rho))

    def fused(
        self, nodes: slice, mass: np.ndarray, cost: np.ndarray | None = None, slope: np.ndarray | None = None,
        factors: np.ndarray | None = None, weights: np.ndarray | None = None,
    ) -> float:  # fmt: skip
        """The kernel of the other one, on the mass inside."""
        inside = mass.copy()
        inside[:, self.places] = 0.0
        total = self.of.fused(nodes, inside, cost, slope, factors, weights)
        for filled in (cost, slope):
            if filled is not None:
                filled[:, self.places] = 0.0
        return total

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        return self._kept(self.of.slope(nodes, self._inside(rho)))

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return self._inside(self.of.tangent(nodes, self._inside(rho), self._inside(change)))

    def adjoint(self, nodes: slice, rho: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
        own = getattr(self.of, "adjoint", None)
        return None if own is None else self._kept(own(nodes, self._inside(rho), self._inside(weight)))

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        return self._kept(self.of.second(nodes, self._inside(rho)))

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray | None:
        return self._kept(self.of.cost_among(nodes, self._inside(rho), agents))

    def bounds(self, nodes: slice) -> tuple[np.ndarray, np.ndarray] | None:
        """Any number of agents may have left."""
        limits = self.of.bounds(nodes)
        if limits is None:
            return None
        lower, upper = limits
        return np.where(self.exits, -math.inf, lower), np.where(self.exits, math.inf, upper)


def seen_inside(bound: Bound, exits: np.ndarray | None) -> Bound:
    """The coupling itself where there are no exits."""
    return bound if exits is None else BoundInside(bound, exits)
