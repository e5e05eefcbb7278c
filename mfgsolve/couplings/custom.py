"""A coupling that the user writes in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling, target, total
from mfgsolve.errors import InputError, numbers
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.labels import aligned
from mfgsolve.spaces import Coordinates, Space

__all__ = ["CustomCoupling"]


@dataclass(frozen=True, eq=False)
class CustomCoupling(Coupling):
    """A coupling written in NumPy: functions of (t, coordinates, rho), each on one time level.

    Parameters
    ----------
    cost : f(t, c, rho), per unit time
    potential : F(t, c, rho) per unit volume (an array), or None where there is none
    derivative : f'(t, c, rho) where f is local: f(x) depends on the density in x alone, of its own population
    tangent : derivative of f at rho in the direction change, (t, c, rho, change) -> array, where f is not local.  With
        neither, the solvers that need a derivative refuse
    second : f''(t, c, rho) where f is local; the social optimum uses it, or differences of ``derivative``
    on : "state" (rho of the space's shape) or "occupation" (rho (action, *shape), the density of choices)
    monotone : whether the game is crowd-averse, <f(rho) - f(mu), rho - mu> >= 0
    adjoint : transpose of ``tangent``, (t, c, rho, weight) -> array, in the product sum a b volume; the social
        optimum of a large game needs it
    total_is_convex : whether sum rho f(rho) is convex, so that the social optimum is certified to be one

    All of these are claims: `solve` compares them with difference quotients of the cost, and withdraws with a warning
    what does not hold; `check_coupling` measures them.

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
    tangent: Callable[[float, Coordinates, np.ndarray, np.ndarray], Any] | None = None
    second: Callable[[float, Coordinates, np.ndarray], Any] | None = None
    on: str = "state"
    adjoint: Callable[[float, Coordinates, np.ndarray, np.ndarray], Any] | None = None
    total_is_convex: bool = False

    def __post_init__(self) -> None:
        target(self.on, "custom coupling")
        for name in ("cost", "potential", "derivative", "tangent", "second", "adjoint"):
            function = getattr(self, name)
            if not (callable(function) or (function is None and name != "cost")):
                raise InputError(f"{name} of the custom coupling is a {type(function).__name__}; a function is needed")

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
        return self.derivative is not None or self.tangent is not None

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundCustom(self, grid, np.asarray(times, dtype=float))


@dataclass(frozen=True, eq=False)
class _BoundCustom(Bound):
    coupling: CustomCoupling
    grid: Space
    times: np.ndarray

    def _levels(self, function: Any, nodes: slice, what: str, *arrays: np.ndarray) -> np.ndarray:
        out = np.empty_like(arrays[0])
        for k, t in enumerate(self.times[nodes]):
            levels = [array[k].view() for array in arrays]
            for level in levels:
                level.setflags(write=False)
            told, call = f"{what} of a custom coupling", "(t, coordinates, rho)"
            if len(levels) > 1:
                call = "(t, coordinates, rho, change)"
            given = ask(function, (float(t), self.grid.coordinates, *levels), told, call, f" at t = {t:g}")
            values = numbers(aligned(given, self.grid.dims, self.grid.labels, told), told)
            if values.shape not in ((), self.grid.shape):
                raise InputError(
                    f"{what} of a custom coupling has shape {values.shape}; the grid has {self.grid.shape}"
                )
            out[k] = values
        out[:, self.grid.mask] = 0.0
        return out

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._levels(self.coupling.cost, nodes, "cost", rho)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        if self.coupling.potential is None:
            return np.full(rho.shape[0], np.nan)
        return total(self._levels(self.coupling.potential, nodes, "potential", rho), self.grid.volumes)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        if self.coupling.derivative is None:
            return None
        return self._levels(self.coupling.derivative, nodes, "derivative", rho)

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        if self.coupling.tangent is None:
            return super().tangent(nodes, rho, change)
        return self._levels(self.coupling.tangent, nodes, "tangent", rho, change)

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        if self.coupling.second is None:
            return None
        return self._levels(self.coupling.second, nodes, "second derivative", rho)

    def adjoint(self, nodes: slice, rho: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
        """Transpose of ``tangent``; None where it was not given."""
        if self.coupling.adjoint is None:
            return None
        return self._levels(self.coupling.adjoint, nodes, "adjoint", rho, weight)
