"""A numerical test of what a coupling claims: symmetry (it has a potential) and monotonicity (it is crowd-averse)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Coupling
from mfgsolve.spaces import Space

__all__ = ["CouplingReport", "check_coupling"]


@dataclass(frozen=True)
class CouplingReport:
    """Result of `check_coupling`; asymmetry is relative, NaN where a derivative is missing."""

    asymmetry: float
    smallest_slope: float
    potential_error: float
    is_potential: bool
    is_monotone: bool


def check_coupling(
    coupling: Coupling, grid: Space, t: float = 0.0, *, samples: int = 16, rng: Any = 0, tol: float = 1e-6
) -> CouplingReport:
    """Test numerically whether a coupling has a potential and is monotone.

    For random densities rho and changes u, v: symmetry |<u, f' v> - <v, f' u>|, monotonicity <f(rho) - f(mu), rho - mu>
    >= 0 divided by |rho - mu|^2, and F against the integral of f (central difference).  A sample can refute, not prove.

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.check_coupling(mfg.Nonlocal(width=0.1), mfg.Grid.box((8, 8))).is_monotone
    True
    """
    bound = coupling.bind(grid, np.array([t]))
    generator = np.random.default_rng(rng)
    free, level, volume = ~grid.mask, slice(0, 1), grid.cell_volume

    def draw() -> np.ndarray:
        rho = np.where(free, generator.gamma(0.5, size=grid.shape), 0.0)
        return np.asarray(rho / (rho.sum() * volume))[None]

    def derivative(rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        step = 1e-5
        return (bound.cost(level, rho + step * change) - bound.cost(level, rho - step * change)) / (2 * step)

    asymmetry, smallest, error = 0.0, math.inf, 0.0
    for _ in range(samples):
        rho, mu = draw() + 1e-3 * free, draw() + 1e-3 * free
        u, v = (rho - mu) * 0.1, (draw() - draw()) * 0.1
        u, v = np.minimum(np.abs(u), rho) * np.sign(u), np.minimum(np.abs(v), rho) * np.sign(v)
        a, b = (u * derivative(rho, v)).sum(), (v * derivative(rho, u)).sum()
        size = math.sqrt((derivative(rho, u) ** 2).sum() * (v**2).sum()) + 1e-300
        asymmetry = max(asymmetry, abs(a - b) / size)
        gap = rho - mu
        smallest = min(smallest, ((bound.cost(level, rho) - bound.cost(level, mu)) * gap).sum() / (gap**2).sum())
        step = 1e-5
        rise = (bound.potential(level, rho + step * u) - bound.potential(level, rho - step * u))[0] / (2 * step)
        exact = (bound.cost(level, rho) * u).sum() * volume
        crowd = np.abs(bound.cost(level, rho) * u).sum() * volume + 1e-300
        error = float(np.maximum(error, abs(rise - exact) / crowd))  # NaN stays NaN
    return CouplingReport(
        float(asymmetry), float(smallest), float(error), bool(asymmetry <= tol), bool(smallest >= -tol)
    )
