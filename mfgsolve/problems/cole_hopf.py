"""No crowd, only control: the Cole-Hopf transform turns Bellman's equation into the heat equation.  Closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.axes import BOUNDARIES
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError, unknown
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named


@dataclass(frozen=True)
class ColeHopf:
    """Closed form: u = -2 nu c log phi, m = phi psi / (their integral), with phi and psi solutions of heat equations.

        phi_t = -nu Lap phi,   phi = 1 + goal cos(k x) cos(k y) ... exp(-nu axes k^2 (T - t))
        psi_t =  nu Lap psi,   psi = 1 - start cos(k x) cos(k y) ... exp(-nu axes k^2 t)

    with k = pi between walls, 2 pi on a periodic box.
    """

    viscosity: float
    control_cost: float
    goal: float
    start: float
    horizon: float
    boundary: str
    axes: int = 1

    def _wave(self, c: Coordinates, time: float) -> np.ndarray:
        k = math.pi * (2 if self.boundary == "periodic" else 1)
        fading = math.exp(-self.viscosity * self.axes * k * k * time)
        return np.asarray(math.prod(np.cos(k * x) for x in c.values()) * fading)

    def phi(self, t: float, c: Coordinates) -> np.ndarray:
        """exp(-u / (2 nu c))."""
        return 1 + self.goal * self._wave(c, self.horizon - t)

    def density(self, t: float, c: Coordinates) -> np.ndarray:
        """Mass per unit volume."""
        k = math.pi * (2 if self.boundary == "periodic" else 1)
        fading = math.exp(-self.viscosity * self.axes * k * k * self.horizon)
        total = 1 - self.goal * self.start * fading / 2**self.axes
        return np.asarray(self.phi(t, c) * (1 - self.start * self._wave(c, t)) / total)

    def value(self, t: float, c: Coordinates) -> np.ndarray:
        """Expected cost from (t, x) on."""
        return np.asarray(-2 * self.viscosity * self.control_cost * np.log(self.phi(t, c)))


def _closed_form(problem: Problem) -> ColeHopf:
    return ColeHopf(**(problem.parameters or {}), axes=problem.grid.ndim)


@named(_closed_form, group="space")
def cole_hopf(
    *,
    shape: tuple[int, ...] = (128,),
    steps: int | None = None,
    scheme: str | None = None,
    viscosity: float = 0.05,
    control_cost: float = 1.0,
    goal: float = 0.9,
    start: float = 0.9,
    horizon: float = 1.0,
    boundary: str = "reflecting",
) -> Problem:
    """Control without a crowd: the value is the logarithm of a heat solution, the density a product of two.

    -u_t - nu Lap u + |grad u|^2 / (2 c) = 0 on the unit box, u(T) = -2 nu c log(1 + goal cos(k x) ...), k = pi between
    walls and 2 pi on a periodic box; agents start where the cosine is low and are paid to be where it is high.

    Parameters
    ----------
    shape : cells (..., ny, nx) [cells]
    steps : time steps; by default as many as the speeds of the game ask for [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    viscosity : nu > 0, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    control_cost : c; moving at speed a costs c |a|^2 / 2 in a unit of time [cost time / length^2]
    goal : depth of the terminal reward, between -1 and 1 [1]
    start : depth of the wave in the density of the start, between -1 and 1 [1]
    horizon : T, when the game ends [time]
    boundary : "reflecting" walls, or a "periodic" box [name]

    Source: Fleming, Exit probabilities and optimal stochastic control, doi:10.1007/BF01442148 (Cole-Hopf transform)
    """
    if boundary not in BOUNDARIES:
        raise InputError(unknown("boundary of cole-hopf", boundary, BOUNDARIES))
    if not (abs(goal) < 1 and abs(start) < 1):
        raise InputError(f"cole-hopf has goal {goal} and start {start}; both must lie between -1 and 1")
    if not viscosity > 0:
        raise InputError(f"cole-hopf has viscosity {viscosity}; it must be positive (the transform divides by it)")
    form = ColeHopf(viscosity, control_cost, goal, start, horizon, boundary, len(shape))
    return Problem(
        grid=Grid.box(shape, boundary=boundary),
        time=TimeGrid(horizon, steps),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=0.0,
        initial=form.density,
        terminal=form.value,
        normalise=True,
    )
