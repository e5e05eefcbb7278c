"""The game of a controlled diffusion, in arrays: respond, flow, curvature, movement, and the crowd's cost.

Inside a game every array of levels is ``(T+1, z, y, x)`` (missing axes have one cell), holds mass per cell, and a
policy is the array ``ahead (T, z, y, x)``: the value after the noise, whose differences are the speeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import Bound
from mfgsolve.errors import InputError
from mfgsolve.games.factors import noise_factors
from mfgsolve.grids import Grid
from mfgsolve.kernels import bellman, kolmogorov, noise, tangent, threads_available, threads_possible, vectors
from mfgsolve.kernels.scheme import EXPLICIT, IMPLICIT, NO_NOISE, Scheme
from mfgsolve.problem import Problem

__all__ = ["DiffusionGame"]

CELLS_FOR_THREADS = 256 * 256  # below this a time level is too short to share
CHUNK = 16384  # cells of a slab that couplings work on, so that temporaries stay in cache


def _threads(cells: int, wanted: int | None) -> int:
    if wanted is not None and wanted < 1:
        raise InputError(f"threads is {wanted}; at least 1 is needed")
    if wanted is not None:
        return min(wanted, threads_possible())
    return threads_available() if cells >= CELLS_FOR_THREADS else 1


@dataclass(frozen=True)
class Response:
    """Best response to a price: the policy it is (``ahead``), V at t = 0, and its mean over the initial mass."""

    ahead: np.ndarray
    value: np.ndarray
    mean_value: float


class DiffusionGame:
    """Arrays and verbs of a `Problem`; see the module."""

    def __init__(self, problem: Problem, threads: int | None = None):
        grid, time, dynamics = problem.grid, problem.time, problem.dynamics
        self.problem, self.grid, self.time = problem, grid, time
        self.shape: tuple[int, int, int] = (1,) * (3 - grid.ndim) + grid.shape  # type: ignore[assignment]
        self.steps, self.dt, self.volume = time.steps, time.dt, grid.cell_volume
        self.initial_mass = problem.initial_mass().reshape(self.shape)
        self.terminal_cost = problem.terminal_cost().reshape(self.shape)
        self.coupling: Bound = problem.couplings[0].bind(grid, time.nodes)
        last = np.array([time.horizon])
        self.terminal_coupling = None if len(problem.couplings) == 1 else problem.couplings[1].bind(grid, last)
        self.weights = np.full(self.steps + 1, self.dt)
        self.weights[-1] = 0.0 if self.terminal_coupling is None else 1.0
        self.threads = _threads(grid.size, threads)
        self.scheme = _scheme(grid, self.dt, dynamics.viscosity, dynamics.noise, dynamics.hamiltonian.weight,
                              self.threads)  # fmt: skip
        side = "_parallel" if self.threads > 1 else ""
        self._backward = getattr(bellman, "backward" + side)
        self._forward = getattr(kolmogorov, "forward" + side)
        self._curvature = getattr(tangent, "curvature" + side)

    # -- arrays ------------------------------------------------------------------------------------------------

    @property
    def cells(self) -> int:
        return math.prod(self.shape)

    @property
    def cell_steps(self) -> int:
        return self.cells * self.steps

    def levels(self) -> np.ndarray:
        """An uninitialised array of all T+1 levels."""
        return np.empty((self.steps + 1, *self.shape))

    def gridded(self, levels: np.ndarray) -> np.ndarray:
        """The same array with the grid's own axes only."""
        return levels.reshape((levels.shape[0], *self.grid.shape))

    # -- dynamics ----------------------------------------------------------------------------------------------

    def respond(self, price: np.ndarray, out: np.ndarray | None = None) -> Response:
        """Backward: the best response to the crowd cost ``price`` (per unit time).

        ``out`` may be ``price[:T]``: the policy then overwrites the price.
        """
        value = self.terminal_cost.copy()
        if self.weights[-1]:
            value += self.weights[-1] * price[-1]
        ahead = np.empty((self.steps, *self.shape)) if out is None else out
        self._backward(price, self.weights, value, ahead, self.scheme)
        value.reshape(-1)[self.scheme.blocked] = 0.0
        return Response(ahead, value, float((self.initial_mass * value).sum()))

    def flow(self, ahead: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Forward: mass (T+1, z, y, x) of agents that follow the policy."""
        mass = self.levels() if out is None else out
        mass[0] = self.initial_mass
        self._forward(ahead, mass, self.scheme)
        return mass

    def curvature(
        self,
        ahead: np.ndarray,
        mass: np.ndarray,
        direction: np.ndarray,
        scale: np.ndarray | None = None,
        out: np.ndarray | None = None,
        identity: float = 1.0,
    ) -> np.ndarray:
        """identity * direction - K (scale * direction), K = d mass / d (weighted price) at the policy ``ahead``."""
        result, none = self.levels() if out is None else out, np.empty((0, 1, 1, 1))
        slopes = none if scale is None else scale
        self._curvature(ahead, mass, direction, slopes, result, identity, none, none, 0.0, 0.0, self.scheme)
        return result

    def conjugate_step(
        self, ahead: np.ndarray, mass: np.ndarray, scale: np.ndarray, vectors: tuple[np.ndarray, ...], length: float,
        share: float,
    ) -> float:  # fmt: skip
        """One pass of conjugate gradients on I - K scale; vectors are solution, residual, direction, image.

        solution += length direction; direction = residual + share direction; image = (I - K scale) direction.  Returns
        <direction, image> in the inner product with ``scale``.
        """
        solution, residual, direction, image = vectors
        return float(
            self._curvature(ahead, mass, direction, scale, image, 1.0, residual, solution, length, share, self.scheme)
        )

    def diffuse(self, mass: np.ndarray) -> np.ndarray:
        """One level after the noise: N^T mass."""
        out = np.empty_like(mass)
        noise.noise(mass.copy(), out, self.scheme, True)
        return out

    def values(self, price: np.ndarray) -> np.ndarray:
        """V (T+1, z, y, x) of the best response to the price; NaN in blocked cells."""
        value, ahead = self.levels(), np.empty((1, *self.shape))
        value[-1] = self.terminal_cost + self.weights[-1] * price[-1]
        for t in range(self.steps - 1, -1, -1):
            value[t] = value[t + 1]
            self._backward(price[t : t + 1], self.weights[t : t + 1], value[t], ahead, self.scheme)
        value.reshape(value.shape[0], -1)[:, self.scheme.blocked] = np.nan
        return value

    def movement(self, ahead: np.ndarray, mass: np.ndarray) -> tuple[float, float]:
        """Cost of moving, and the share of mass-time at the speed cap."""
        cost, capped = kolmogorov.movement(ahead, mass, self.scheme)
        return float(cost), float(capped)

    # -- crowd -------------------------------------------------------------------------------------------------

    def slabs(self) -> list[slice]:
        """Slices of time steps short enough for temporaries to stay in cache."""
        size = max(1, CHUNK // self.cells)
        return [slice(k, min(k + size, self.steps)) for k in range(0, self.steps, size)]

    def _density(self, mass: np.ndarray) -> np.ndarray:
        return self.gridded(mass) / self.volume

    def price(self, mass: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """f(m) at every node, per unit time; zero at T unless there is a terminal coupling."""
        price = self.levels() if out is None else out
        self._crowd(mass, price, False)
        return price

    def potential(self, mass: np.ndarray) -> float:
        """sum_t weight_t F_t(m_t): the crowd's part of the potential; NaN where there is none."""
        return self._crowd(mass, None, True)

    def price_and_potential(self, mass: np.ndarray, out: np.ndarray) -> float:
        """Both in one pass: fills ``out`` with the price and returns the potential."""
        return self._crowd(mass, out, True)

    def _crowd(self, mass: np.ndarray, price: np.ndarray | None, potential: bool) -> float:
        view, total = None if price is None else self.gridded(price), 0.0
        for nodes in self.slabs():
            rho = self._density(mass[nodes])
            if potential:
                total += float(self.coupling.potential(nodes, rho).sum()) * self.dt
            if view is not None:
                view[nodes] = self.coupling.cost(nodes, rho)
        if view is not None:
            view[-1] = 0.0
        if self.terminal_coupling is not None:
            rho = self._density(mass[-1:])
            if potential:
                total += float(self.terminal_coupling.potential(slice(0, 1), rho)[0])
            if view is not None:
                view[-1:] = self.terminal_coupling.cost(slice(0, 1), rho)
        return total

    def slope(self, mass: np.ndarray, out: np.ndarray | None = None) -> np.ndarray | None:
        """weight_t f'(m_t) per unit of mass, for local couplings; None otherwise."""
        if not all(c.is_local for c in self.problem.couplings):
            return None
        scale = self.levels() if out is None else out
        view = self.gridded(scale)
        for nodes in self.slabs():
            slope = self.coupling.slope(nodes, self._density(mass[nodes]))
            assert slope is not None  # every coupling said that it is local
            np.multiply(slope, self.dt / self.volume, out=view[nodes])
        view[-1] = 0.0
        if self.terminal_coupling is not None:
            slope = self.terminal_coupling.slope(slice(0, 1), self._density(mass[-1:]))
            assert slope is not None
            view[-1:] = slope / self.volume
        return scale

    def price_change(self, mass: np.ndarray, change: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """weight_t f'(m_t) applied to a change of mass, for any differentiable coupling."""
        result = self.levels() if out is None else out
        view, factor = self.gridded(result), self.dt / self.volume
        for nodes in self.slabs():
            moved = self.coupling.tangent(nodes, self._density(mass[nodes]), self.gridded(change[nodes]))
            np.multiply(moved, factor, out=view[nodes])
        view[-1] = 0.0
        if self.terminal_coupling is not None:
            rho, moved = self._density(mass[-1:]), self.gridded(change[-1:])
            view[-1:] = self.terminal_coupling.tangent(slice(0, 1), rho, moved) / self.volume
        return result

    def segment_slope(self, start: np.ndarray, end: np.ndarray, share: float) -> float:
        """sum_t weight_t <f_t(m), end - start> at m = start + share (end - start)."""
        total = 0.0
        for nodes in self.slabs():
            gap = end[nodes] - start[nodes]
            price = self.coupling.cost(nodes, self._density(start[nodes] + share * gap))
            total += float((price * self.gridded(gap)).sum()) * self.dt
        if self.terminal_coupling is not None:
            gap = end[-1:] - start[-1:]
            price = self.terminal_coupling.cost(slice(0, 1), self._density(start[-1:] + share * gap))
            total += float((price * self.gridded(gap)).sum())
        return total

    def crowd_totals(self, price: np.ndarray, mass: np.ndarray) -> tuple[float, float]:
        """sum_t weight_t <price_t, m_t>, and the same of |price|: what a relative tolerance refers to."""
        levels = price.shape[0]
        cost, size = vectors.crowd_totals(self.weights, price.reshape(levels, -1), mass.reshape(levels, -1))
        return float(cost), float(size)

    def crowd_cost(self, price: np.ndarray, mass: np.ndarray) -> float:
        """sum_t weight_t <price_t, m_t>."""
        return self.crowd_totals(price, mass)[0]

    def terminal_total(self, mass: np.ndarray) -> float:
        """<g, m_T>."""
        return float((self.terminal_cost * mass[-1]).sum())


def _scheme(grid: Grid, dt: float, viscosity: float, noise: str, control_cost: float, parts: int) -> Scheme:
    missing = 3 - grid.ndim
    spacing = np.array([1.0] * missing + [a.spacing for a in grid.axes])
    active = np.array([0.0] * missing + [1.0] * grid.ndim)
    rate = active * viscosity * dt / spacing**2
    if noise == "explicit" and 2 * rate.sum() > 1:
        steps = math.ceil(2 * rate.sum() / dt)
        raise InputError(
            f"explicit noise needs nu dt sum 2/h^2 <= 1 and has {2 * rate.sum():.4g}; "
            f"take a time step at most {dt / (2 * rate.sum()):.4g} (about {steps} steps per unit of time) "
            "or noise='implicit'"
        )
    kind = NO_NOISE if viscosity == 0 else EXPLICIT if noise == "explicit" else IMPLICIT
    mask = grid.mask.reshape((1,) * missing + grid.shape)
    periodic = np.array([0] * missing + [int(a.periodic) for a in grid.axes], dtype=np.int64)
    factors = [noise_factors(mask, axis, rate[axis], bool(periodic[axis])) for axis in range(3)]
    masked = bool(mask.any())
    return Scheme(
        dt=float(dt),
        control_cost=float(control_cost),
        spacing=spacing,
        cap=active * spacing / (2 * grid.ndim * dt),
        periodic=periodic,
        noise=kind,
        rate=rate,
        factors_z=factors[0],
        factors_y=factors[1],
        factors_x=factors[2],
        masked=int(masked),
        open=(~mask).astype(float) if masked else np.ones((1, 1, 1)),
        blocked=np.flatnonzero(mask).astype(np.int64),
        parts=parts,
    )
