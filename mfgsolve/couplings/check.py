"""A numerical test of what a coupling claims: symmetry (it has a potential) and monotonicity (it is crowd-averse)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Coupling
from mfgsolve.couplings.claims import direction, random_crowd
from mfgsolve.spaces import Space

__all__ = ["CouplingReport", "check_coupling"]

ROUND = 4 * np.finfo(float).eps
STEP = 1e-4  # of central differences, relative to the densities


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

    For random crowds rho, mu of mass 1 and changes u, v that keep it: symmetry |<u, f' v> - <v, f' u>|, monotonicity
    <f(rho) - f(mu), rho - mu> >= 0 divided by |rho - mu|^2, and F against the integral of f (central differences).
    Steps and tolerances are relative to the densities and costs, so that the size of the box does not matter.  A sample
    can refute, not prove.

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.check_coupling(mfg.Nonlocal(width=0.1), mfg.Grid.box((8, 8))).is_monotone
    True
    """
    bound = coupling.bind(grid, np.array([t]))
    generator = np.random.default_rng(rng)
    level, volume = slice(0, 1), grid.cell_volume

    def draw() -> np.ndarray:
        return random_crowd(grid, generator, 0.5)[None]

    def change(rho: np.ndarray, wish: np.ndarray) -> np.ndarray:
        return 0.5 * direction(grid, rho[0], wish[0])[None]

    def derivative(function: Callable[[slice, np.ndarray], np.ndarray], rho: np.ndarray, along: np.ndarray) -> Any:
        return (function(level, rho + STEP * along) - function(level, rho - STEP * along)) / (2 * STEP)

    asymmetry, smallest, error, monotone = 0.0, math.inf, 0.0, True
    for _ in range(samples):
        rho, mu = draw(), draw()
        u, v = (change(rho, generator.uniform(-1, 1, rho.shape)) for _ in range(2))
        bend, other = derivative(bound.cost, rho, u), derivative(bound.cost, rho, v)
        size = math.sqrt(float((bend**2).sum() * (v**2).sum())) + math.sqrt(float((other**2).sum() * (u**2).sum()))
        cost, far = bound.cost(level, rho), bound.cost(level, mu)
        blur = ROUND * float(max(np.abs(cost).max(), np.abs(far).max()))  # round-off of a difference of costs
        apart = abs(float((u * other).sum() - (v * bend).sum())) - blur / STEP * float((np.abs(u) + np.abs(v)).sum())
        asymmetry = max(asymmetry, apart / (size + 1e-300))
        for gap, rise, noise in ((rho - mu, cost - far, blur), (u, bend, blur / STEP)):
            slope = float((rise * gap).sum() / (gap**2).sum())
            smallest = min(smallest, slope)
            least = tol * float((np.abs(rise) * np.abs(gap)).sum()) + noise * float(np.abs(gap).sum())
            monotone = bool(monotone and slope >= -least / float((gap**2).sum()))
        dear = change(rho, np.sign(cost - (cost * rho).sum() / rho.sum()))  # where <f, change> does not cancel
        exact = float((cost * dear).sum()) * volume
        crowd = float(np.abs(cost * dear).sum()) * volume + 1e-300
        error = float(
            np.maximum(error, abs(float(derivative(bound.potential, rho, dear)[0]) - exact) / crowd)
        )  # NaN stays
    return CouplingReport(float(asymmetry), float(smallest), float(error), bool(asymmetry <= tol), monotone)
