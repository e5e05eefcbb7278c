"""A Gaussian crowd follows a moving well: quadratic Hamiltonian, log coupling.  Closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import LogCongestion, RunningCost
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump, Quadratic
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named

HALF_WIDTH = 2.5


@dataclass(frozen=True)
class GaussianLog:
    """Closed form.  Well d = reach (-cos w t, sin w t) on two axes, w = pi / T, and along the diagonal, -reach cos w t
    on each of them, on one axis or three; every axis is a game of its own.

    u = sum over axes of a x^2 / 2 + l x, plus b;  m Gaussian of mean p and constant variance v per axis, with

        v = (g + sqrt(g^2 + 4 beta nu^2)) / (2 beta),  a = nu / v   (so a^2 = beta - g / v)
        p' = -a p - l,   l' = a l + beta d - g p / v   =>   p'' = beta (p - d)

    whatever g and nu are: the mean is a smoothed, that is shortened, copy of the well's path.  From p(0) = d(0) and the
    terminal cost a |x - d(T)|^2 / 2, that is p'(T) = a (d(T) - p(T)),

        p = k d + A exp(-r t) + B exp(-r (T - t)),   r = sqrt(beta),   k = beta / (beta + w^2).
    """

    viscosity: float
    strength: float
    stiffness: float
    reach: float
    horizon: float
    axes: int = 1

    @property
    def variance(self) -> float:
        """v, constant in time, per axis."""
        g, beta = self.strength, self.stiffness
        return (g + math.sqrt(g * g + 4 * beta * self.viscosity**2)) / (2 * beta)

    @property
    def curvature(self) -> float:
        """a, second derivative of the value."""
        return self.viscosity / self.variance

    def well(self, t: float, order: int = 0) -> np.ndarray:
        """Position of the well (x, y, ...) or its ``order``-th derivative in time."""
        w = math.pi / self.horizon
        turn = w * t + order * math.pi / 2
        along, across = -self.reach * math.cos(turn), self.reach * math.sin(turn)
        return np.array([along, across] if self.axes == 2 else [along] * self.axes) * w**order

    def _shares(self) -> tuple[float, float, np.ndarray, np.ndarray]:
        """r, k, A and B, from the conditions at both ends."""
        r, w, a, end = math.sqrt(self.stiffness), math.pi / self.horizon, self.curvature, self.horizon
        k, decay = self.stiffness / (self.stiffness + w * w), math.exp(-r * end)
        ends = np.array([[1.0, decay], [(a - r) * decay, a + r]])
        right = np.array([(1 - k) * self.well(0.0), a * (1 - k) * self.well(end) - k * self.well(end, 1)])
        first, last = np.linalg.solve(ends, right)
        return r, k, first, last

    def mean(self, t: float, order: int = 0) -> np.ndarray:
        """p, (x, y, ...), or its first derivative."""
        r, k, first, last = self._shares()
        early, late = first * math.exp(-r * t), last * math.exp(-r * (self.horizon - t))
        return np.asarray(k * self.well(t, order) + (-r) ** order * early + r**order * late)

    def tilt(self, t: float) -> np.ndarray:
        """l, (x, y, ...)."""
        return np.asarray(-self.mean(t, 1) - self.curvature * self.mean(t))

    def constant(self, t: float) -> float:
        """b, from b' = l^2 / 2 - nu a - beta d^2 / 2 + g p^2 / (2 v) + g log(2 pi v) / 2, summed over axes."""
        g, v, a = self.strength, self.variance, self.curvature

        def rate(s: float) -> float:
            p, tilt, d = self.mean(s), self.tilt(s), self.well(s)
            per_axis = tilt**2 / 2 - self.stiffness * d**2 / 2 + g * p**2 / (2 * v)
            return float((per_axis - self.viscosity * a + g * math.log(2 * math.pi * v) / 2).sum())

        points, weights = np.polynomial.legendre.leggauss(64)  # the rate is smooth: exact to round-off
        half = (self.horizon - t) / 2
        total = half * sum(weight * rate(t + half * (1 + point)) for point, weight in zip(points, weights, strict=True))
        return a * float((self.well(self.horizon) ** 2).sum()) / 2 - float(total)

    def density(self, t: float, c: Coordinates) -> np.ndarray:
        """Mass per unit volume."""
        v = self.variance
        square = sum((c[name] - p) ** 2 for name, p in zip(sorted(c), self.mean(t), strict=True))
        return np.asarray(np.exp(-square / (2 * v)) / (2 * math.pi * v) ** (self.axes / 2))

    def value(self, t: float, c: Coordinates) -> np.ndarray:
        """Expected cost from (t, x) on."""
        names, tilt, a = sorted(c), self.tilt(t), self.curvature
        terms = (a * c[name] ** 2 / 2 + slope * c[name] for name, slope in zip(names, tilt, strict=True))
        return np.asarray(sum(terms) + self.constant(t))


@dataclass(frozen=True)
class Well:
    """stiffness |X - d(t)|^2 / 2."""

    form: GaussianLog

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return Quadratic(self.form.stiffness, tuple(self.form.well(t)))(t, c)


def _closed_form(problem: Problem) -> GaussianLog:
    return GaussianLog(**(problem.parameters or {}), axes=problem.grid.ndim)


@named(_closed_form, group="space")
def gaussian_log(
    *,
    shape: tuple[int, ...] = (256,),
    steps: int | None = None,
    scheme: str | None = None,
    viscosity: float = 0.05,
    strength: float = 0.2,
    stiffness: float = 2.0,
    reach: float = 0.5,
    horizon: float = 2.0,
) -> Problem:
    """A crowd that dislikes itself follows a moving well and cuts its corner: log coupling, closed form.

    -u_t - nu Lap u + |grad u|^2 / 2 = stiffness |x - d(t)|^2 / 2 + strength log m on [-2.5, 2.5] per axis, with the
    well at d = reach (-cos(pi t / T), sin(pi t / T)); on one axis or three it goes straight, -reach cos(pi t / T) on
    each.  The crowd starts as the stationary Gaussian around d(0); the terminal cost is the stationary value around
    d(T).  The mean of the crowd obeys p'' = stiffness (p - d).  The walls are far: they change the closed form by the
    tail beyond them.

    Parameters
    ----------
    shape : cells (..., ny, nx) [cells]
    steps : time steps; by default as many as the speeds of the game ask for [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    viscosity : nu, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    strength : g, cost of a unit of time in a crowd e times denser [cost / time]
    stiffness : beta of the well; at distance d a unit of time costs beta d^2 / 2 [cost / (length^2 time)]
    reach : the well moves from -reach to reach; at 0 it rests [length]
    horizon : T, when the game ends [time]

    Source: the Gaussian solutions of quadratic games, Gueant, Lasry and Lions, doi:10.1007/978-3-642-14660-2_3, and
    Swiecicki, Gobron and Ullmo, Schroedinger approach to mean field games, arXiv:1511.00602
    """
    if not (strength >= 0 and stiffness > 0 and reach >= 0 and viscosity > 0 and horizon > 0):
        raise InputError(
            f"gaussian-log has viscosity {viscosity}, strength {strength}, stiffness {stiffness}, reach {reach}, "
            f"horizon {horizon}; viscosity, stiffness and horizon must be positive, strength and reach at least zero"
        )
    form = GaussianLog(viscosity, strength, stiffness, reach, horizon, len(shape))
    spread, room = math.sqrt(form.variance), HALF_WIDTH - reach
    if room < 4 * spread:
        raise InputError(
            f"gaussian-log has a crowd of spread {spread:.3g} around a well that comes within {room:.3g} of "
            "a wall; at least 4 times the spread is needed: take a smaller reach, a stiffer well or less strength"
        )
    return Problem(
        grid=Grid.box(shape, bounds=[(-HALF_WIDTH, HALF_WIDTH)] * len(shape)),
        time=TimeGrid(horizon, steps),
        dynamics=ControlledDiffusion(viscosity, scheme=scheme),
        coupling=LogCongestion(strength) + RunningCost(Well(form)),
        initial=Bump(1.0, spread, tuple(form.mean(0.0))),
        terminal=Quadratic(form.curvature, tuple(form.well(horizon))),
        normalise=True,
        track=form.well,
    )
