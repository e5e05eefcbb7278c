"""A coupling that the user writes in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling, total
from mfgsolve.errors import InputError
from mfgsolve.grids import Coordinates, Grid

__all__ = ["CustomCoupling"]


@dataclass(frozen=True, eq=False)
class CustomCoupling(Coupling):
    """A coupling written in NumPy: functions of (t, coordinates, rho), each on one time level.

    Parameters
    ----------
    cost : f(t, c, rho), per unit time
    potential : F(t, c, rho) per unit volume (an array), or None where there is none
    derivative : f'(t, c, rho) where f is local; None leaves only fictitious play and Frank-Wolfe
    monotone : what the author claims; `check_coupling` tests it

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> cubic = mfg.CustomCoupling(
    ...     cost=lambda t, c, rho: rho**3, potential=lambda t, c, rho: rho**4 / 4,
    ...     derivative=lambda t, c, rho: 3 * rho**2, monotone=True)
    >>> mfg.check_coupling(cubic, mfg.Grid.box((16,))).is_monotone
    True
    """

    cost: Callable[[float, Coordinates, np.ndarray], Any]
    potential: Callable[[float, Coordinates, np.ndarray], Any] | None = None
    derivative: Callable[[float, Coordinates, np.ndarray], Any] | None = None
    monotone: bool = False

    @property
    def is_potential(self) -> bool:  # type: ignore[override]
        return self.potential is not None

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return self.monotone

    @property
    def is_local(self) -> bool:  # type: ignore[override]
        return self.derivative is not None

    @property
    def is_differentiable(self) -> bool:  # type: ignore[override]
        return self.derivative is not None

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        return _BoundCustom(self, grid, np.asarray(times, dtype=float))


@dataclass(frozen=True, eq=False)
class _BoundCustom(Bound):
    coupling: CustomCoupling
    grid: Grid
    times: np.ndarray

    def _levels(self, function: Any, nodes: slice, rho: np.ndarray, what: str) -> np.ndarray:
        out = np.empty_like(rho)
        for k, t in enumerate(self.times[nodes]):
            level = rho[k].view()
            level.setflags(write=False)
            values = np.asarray(function(float(t), self.grid.coordinates, level), dtype=float)
            if values.shape not in ((), self.grid.shape):
                raise InputError(
                    f"{what} of a custom coupling has shape {values.shape}; the grid has {self.grid.shape}"
                )
            out[k] = values
        out[:, self.grid.mask] = 0.0
        return out

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._levels(self.coupling.cost, nodes, rho, "cost")

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        if self.coupling.potential is None:
            return np.full(rho.shape[0], np.nan)
        return total(self._levels(self.coupling.potential, nodes, rho, "potential"), self.grid.cell_volume)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        if self.coupling.derivative is None:
            return None
        return self._levels(self.coupling.derivative, nodes, rho, "derivative")
