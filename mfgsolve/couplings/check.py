"""A numerical test of what a coupling claims: symmetry (it has a potential) and monotonicity (it is crowd-averse)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Coupling
from mfgsolve.couplings.claims import direction, random_crowd
from mfgsolve.spaces import Space, integral, relative

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
    level, volumes = slice(0, 1), grid.volumes
    weight = relative(volumes)  # in the sums of a ratio

    def draw() -> np.ndarray:
        return random_crowd(grid, generator, 0.5)[None]

    def norm(values: np.ndarray) -> float:
        return float((values**2 * weight).sum())

    def change(rho: np.ndarray, wish: np.ndarray) -> np.ndarray:
        return 0.5 * direction(grid, rho[0], wish[0])[None]

    def derivative(function: Callable[[slice, np.ndarray], np.ndarray], rho: np.ndarray, along: np.ndarray) -> Any:
        return (function(level, rho + STEP * along) - function(level, rho - STEP * along)) / (2 * STEP)

    asymmetry, smallest, error, monotone = 0.0, math.inf, 0.0, True
    for _ in range(samples):
        rho, mu = draw(), draw()
        u, v = (change(rho, generator.uniform(-1, 1, rho.shape)) for _ in range(2))
        bend, other = derivative(bound.cost, rho, u), derivative(bound.cost, rho, v)
        size = math.sqrt(norm(bend) * norm(v)) + math.sqrt(norm(other) * norm(u))
        cost, far = bound.cost(level, rho), bound.cost(level, mu)
        blur = ROUND * float(max(np.abs(cost).max(), np.abs(far).max()))  # round-off of a difference of costs
        apart = abs(float((u * other * weight).sum() - (v * bend * weight).sum()))
        apart -= blur / STEP * float(((np.abs(u) + np.abs(v)) * weight).sum())
        asymmetry = max(asymmetry, apart / (size + 1e-300))
        for gap, rise, noise in ((rho - mu, cost - far, blur), (u, bend, blur / STEP)):
            slope = float((rise * gap * weight).sum() / (gap**2 * weight).sum())
            smallest = min(smallest, slope)
            least = tol * float((np.abs(rise) * np.abs(gap) * weight).sum())
            least += noise * float((np.abs(gap) * weight).sum())
            monotone = bool(monotone and slope >= -least / float((gap**2 * weight).sum()))
        dear = change(
            rho, np.sign(cost - (cost * rho * weight).sum() / (rho * weight).sum())
        )  # where <f, change> does not cancel
        exact = float(integral(cost * dear, volumes, None))
        crowd = float(integral(np.abs(cost * dear), volumes, None)) + 1e-300
        error = float(
            np.maximum(error, abs(float(derivative(bound.potential, rho, dear)[0]) - exact) / crowd)
        )  # NaN stays
    return CouplingReport(float(asymmetry), float(smallest), float(error), bool(asymmetry <= tol), monotone)
