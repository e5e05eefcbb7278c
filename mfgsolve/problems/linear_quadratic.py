"""Linear-quadratic herding: every agent wants to be near the mean.  Closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import Bound, Coupling
from mfgsolve.couplings.base import total
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.spaces import Space, Volumes, relative

HALF_WIDTH = 3.0


@dataclass(frozen=True, eq=False)
class MeanAttraction(Coupling):
    """f = strength |x - mean(m)|^2 / 2, with mean(m) = <x, m> / <1, m>.

    It is the derivative of F = strength / 2 (<|x|^2, m> - |<x, m>|^2 / <1, m>), strength / 2 times the variance where
    the total mass is 1: dividing by the mass makes F homogeneous, and f exactly its derivative instead of up to a
    constant.  The second derivative, -strength (x - mean).(y - mean) / <1, m>, is symmetric and *negative*: F is
    concave, the game has a potential and is not monotone (agents herd).
    """

    strength: float = 1.0
    is_local = False
    is_monotone = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise InputError(f"attraction to the mean has strength {self.strength}; it must be zero or positive")

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        points = np.stack([grid.coordinates[name] for name in grid.dims])
        return _BoundAttraction(self.strength, points, ~grid.mask, grid.volumes)


@dataclass(frozen=True, eq=False)
class _BoundAttraction(Bound):
    strength: float
    points: np.ndarray  # (axes, *shape)
    free: np.ndarray
    volumes: Volumes

    def _offsets(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x - mean, (levels, axes, *shape), and the mass of each level; over the volume where all are alike."""
        levels, axes = rho.shape[0], self.points.shape[0]
        rho = rho * relative(self.volumes)
        mass = rho.reshape(levels, -1).sum(axis=1)
        mean = rho.reshape(levels, -1) @ self.points.reshape(axes, -1).T / mass[:, None]
        return self.points[None] - mean.reshape(levels, axes, *(1,) * (rho.ndim - 1)), mass

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        offsets, _ = self._offsets(rho)
        return np.asarray(0.5 * self.strength * (offsets**2).sum(axis=1) * self.free)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return total(self.cost(nodes, rho) * rho, self.volumes)

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        offsets, mass = self._offsets(rho)
        change = change * relative(self.volumes)
        moved = (offsets * change[:, None]).reshape(*offsets.shape[:2], -1).sum(axis=2) / mass[:, None]
        pulled = (offsets * moved.reshape(*moved.shape, *(1,) * (rho.ndim - 1))).sum(axis=1)
        return np.asarray(-self.strength * pulled * self.free)

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray:
        """strength / 2 [(1 - 1/N)^2 |x - mean|^2 + (N - 1)/N^2 variance]: the mean of N agents moves with each."""
        others = (agents - 1) / agents
        square = self.cost(nodes, rho)
        spread = self.potential(nodes, rho).reshape(-1, *(1,) * (rho.ndim - 1))
        return np.asarray(others**2 * square + others / agents * spread * self.free)


@dataclass(frozen=True)
class LinearQuadratic:
    """Closed form: a* = eta (mean - x), eta' = eta^2 - kappa, eta(T) = terminal; the mean rests.

    With s = sqrt(kappa), tau = T - t and phi = cosh(s tau) + (terminal / s) sinh(s tau):
    eta = phi'(tau) / phi, and the variance per axis v' = -2 eta v + 2 nu is
    v = phi(tau)^2 [v_0 / phi(T)^2 + 2 nu (G(T) - G(tau))], G = sinh(s tau) / (s phi).
    The value is eta |x - mean|^2 / 2 + axes nu log phi.
    """

    viscosity: float
    kappa: float
    terminal: float
    horizon: float
    centre: float
    spread: float
    axes: int = 1

    def _phi(self, tau: float) -> float:
        s = math.sqrt(self.kappa)
        return math.cosh(s * tau) + self.terminal / s * math.sinh(s * tau)

    def _fraction(self, tau: float) -> float:
        s = math.sqrt(self.kappa)
        return math.sinh(s * tau) / (s * self._phi(tau))

    def eta(self, t: float) -> float:
        """Gain of the control toward the mean, per unit time."""
        s, tau = math.sqrt(self.kappa), self.horizon - t
        return (s * math.sinh(s * tau) + self.terminal * math.cosh(s * tau)) / self._phi(tau)

    def mean(self, t: float) -> float:
        """Mean of every coordinate."""
        return self.centre

    def variance(self, t: float) -> float:
        """Variance of every coordinate."""
        tau = self.horizon - t
        noise = 2 * self.viscosity * (self._fraction(self.horizon) - self._fraction(tau))
        return self._phi(tau) ** 2 * (self.spread**2 / self._phi(self.horizon) ** 2 + noise)

    def density(self, t: float, c: Coordinates) -> np.ndarray:
        """Gaussian of that mean and variance, mass per unit volume."""
        v = self.variance(t)
        square = sum((x - self.centre) ** 2 for x in c.values())
        return np.asarray(np.exp(-square / (2 * v)) / (2 * math.pi * v) ** (len(c) / 2))

    def value(self, t: float, c: Coordinates) -> np.ndarray:
        """Expected cost from (t, x) on."""
        square = sum((x - self.centre) ** 2 for x in c.values())
        constant = self.axes * self.viscosity * math.log(self._phi(self.horizon - t))
        return np.asarray(0.5 * self.eta(t) * square + constant)

    def among(self, agents: int) -> LinearQuadraticAgents:
        """The Nash equilibrium of so many agents, each of whom sees all others."""
        if agents < 1:
            raise InputError(f"agents is {agents}; a whole number of at least 1 is needed")
        return LinearQuadraticAgents(self, agents)


@dataclass(frozen=True)
class LinearQuadraticAgents:
    """Closed form among N agents, in feedback of the positions of all: a_i = gain (mean of all N - x_i).

    eta' = (1 - 1/N^2) eta^2 - kappa, eta(T) = terminal, gain = (1 - 1/N) eta, value eta |x_i - mean|^2 / 2 + axes nu
    (1 - 1/N) times the integral of eta from t on.  With b = 1 - 1/N^2, s = sqrt(b kappa) and phi = cosh(s tau) +
    (b terminal / s) sinh(s tau): eta = phi'(tau) / (b phi).

    Source: Carmona, Fouque and Sun, arXiv:1308.2172, section 3.1
    """

    limit: LinearQuadratic
    agents: int

    def _waves(self, t: float) -> tuple[float, float, float]:
        """1 - 1/N^2, cosh(s tau), and sinh(s tau) / s."""
        b, tau = 1.0 - 1.0 / self.agents**2, self.limit.horizon - t
        s = math.sqrt(b * self.limit.kappa)
        return b, math.cosh(s * tau), math.sinh(s * tau) / s if s > 0 else tau

    def eta(self, t: float) -> float:
        """Curvature of the value, per unit time."""
        b, even, odd = self._waves(t)
        return (self.limit.kappa * odd + self.limit.terminal * even) / (even + b * self.limit.terminal * odd)

    def gain(self, t: float) -> float:
        """Gain of the control toward the mean of all, per unit time."""
        return (1.0 - 1.0 / self.agents) * self.eta(t)

    @property
    def cost(self) -> float:
        """Expected cost of an agent where all start independently."""
        n, exact = self.agents, self.limit
        b, even, odd = self._waves(0.0)
        noise = math.log(even + b * exact.terminal * odd) * n / (n + 1) if n > 1 else 0.0
        return exact.axes * (0.5 * (1.0 - 1.0 / n) * exact.spread**2 * self.eta(0.0) + exact.viscosity * noise)


def _closed_form(problem: Problem) -> LinearQuadratic:
    return LinearQuadratic(**(problem.parameters or {}), axes=problem.grid.ndim)


@named(_closed_form, group="space")
def linear_quadratic(
    *,
    shape: tuple[int, ...] = (192,),
    steps: int | None = None,
    scheme: str | None = None,
    viscosity: float = 0.05,
    kappa: float = 0.5,
    terminal: float = 1.0,
    horizon: float = 2.0,
    centre: float = 0.0,
    spread: float = 0.5,
) -> Problem:
    """Everybody wants to be near the mean: quadratic costs, Gaussian crowd, closed form (potential, not monotone).

    dX = a dt + sqrt(2 nu) dW on [-3, 3] per axis, running cost |a|^2 / 2 + kappa / 2 |X - mean|^2, terminal cost
    terminal / 2 |X - mean|^2; the crowd starts as a Gaussian at ``centre`` of standard deviation ``spread``.  This is
    the systemic-risk game without its linear drift and cross term, whose equilibrium control is eta (mean - X) with
    eta' = eta^2 - kappa, eta(T) = terminal.  The walls are far: they change the closed form by the tail beyond them.

    Parameters
    ----------
    shape : cells (..., ny, nx) [cells]
    steps : time steps; by default as many as the speeds of the game ask for [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    viscosity : nu, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    kappa : attraction to the mean on the way, positive; at distance d a unit of time costs kappa d^2 / 2 [1 / time^2]
    terminal : attraction to the mean at the end; at distance d it costs terminal d^2 / 2 [1 / time]
    horizon : T, when the game ends [time]
    centre : mean of the crowd at the start, on every axis [length]
    spread : standard deviation of the crowd at the start, on every axis [length]

    Source: Carmona, Fouque and Sun, Mean field games and systemic risk, arXiv:1308.2172
    """
    if not (kappa > 0 and terminal >= 0):
        raise InputError(f"linear-quadratic has kappa {kappa} and terminal {terminal}; kappa > 0, terminal >= 0 needed")
    if not (spread > 0 and abs(centre) + 4 * spread <= HALF_WIDTH):
        raise InputError(
            f"linear-quadratic starts at {centre} with spread {spread}; the spread must be positive and "
            f"|centre| + 4 spread at most {HALF_WIDTH:g}, the distance of the walls"
        )
    return Problem(
        grid=Grid.box(shape, bounds=[(-HALF_WIDTH, HALF_WIDTH)] * len(shape)),
        time=TimeGrid(horizon, steps),
        dynamics=ControlledDiffusion(viscosity, scheme=scheme),
        coupling=MeanAttraction(kappa),
        terminal_coupling=MeanAttraction(terminal),
        initial=Bump(1.0, spread, (centre,) * len(shape)),
        normalise=True,
    )
