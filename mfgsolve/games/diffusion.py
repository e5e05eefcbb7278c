"""The game of a controlled diffusion, in arrays: respond, flow, curvature, movement, and the crowd's cost.

Inside a game every array of levels is ``(T+1, z, y, x)`` (missing axes have one cell), holds mass per cell, and a
policy is the array ``ahead (T, z, y, x)``: the value after the noise, whose differences are the speeds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.games.base import Game, Response
from mfgsolve.games.policies import FluxPolicy, ValuePolicy
from mfgsolve.games.scheme import make_scheme
from mfgsolve.games.transfer import prolong
from mfgsolve.grids import Grid
from mfgsolve.kernels import bellman, kolmogorov, launch, noise, tangent, threads_available, threads_possible
from mfgsolve.problem import Problem
from mfgsolve.watch import look

__all__ = ["DiffusionGame"]

CELLS_FOR_THREADS = 256 * 256  # below this a time level is too short to share


def _threads(cells: int, wanted: int | None) -> int:
    if wanted is not None and wanted < 1:
        raise InputError(f"threads is {wanted}; at least 1 is needed")
    if wanted is not None:
        return min(wanted, threads_possible())
    return threads_available() if cells >= CELLS_FOR_THREADS else 1


class DiffusionGame(Game):
    """Arrays and verbs of a `Problem`; see the module."""

    def __init__(self, problem: Problem, threads: int | None = None):
        dynamics, grid = problem.all_dynamics[0], problem.grid
        assert isinstance(dynamics, ControlledDiffusion)
        assert isinstance(grid, Grid)
        self._state(problem, threads)
        self.grid: Grid = grid
        self.shape: tuple[int, int, int] = (1,) * (3 - grid.ndim) + grid.shape  # type: ignore[assignment]
        self.level_shape = self.shape
        self.initial_mass = problem.initial_mass().reshape(self.shape)
        self.terminal_cost = problem.terminal_cost().reshape(self.shape)
        if {c.on for c in problem.couplings} != {"state"}:
            raise InputError(
                "a coupling on choices or on an aggregate needs a finite list of actions; use LatticeMoves or Tabular"
            )
        self._bind()
        self.threads = _threads(grid.size, threads)
        self.scheme = make_scheme(grid, self.time, dynamics.viscosity, dynamics.noise, dynamics.hamiltonian.weight,
                                  self.threads)  # fmt: skip
        self.scheme = self.scheme._replace(cap=dynamics.speed_cap(self.scheme.cap))

    def _backward(self, *arguments: Any) -> None:
        launch(bellman.backward, bellman.backward_parallel, self.threads, *arguments)

    def _forward(self, *arguments: Any) -> None:
        launch(kolmogorov.forward, kolmogorov.forward_parallel, self.threads, *arguments)

    def _curvature(self, *arguments: Any) -> float:
        return float(launch(tangent.curvature, tangent.curvature_parallel, self.threads, *arguments))

    def policy_buffer(self, price: np.ndarray) -> np.ndarray:
        """An array for the policy of a best response: the price itself, which is overwritten."""
        return price

    def gridded(self, levels: np.ndarray) -> np.ndarray:
        """The same array with the grid's own axes only."""
        return levels.reshape((levels.shape[0], *self.grid.shape))

    # -- dynamics ----------------------------------------------------------------------------------------------

    def respond(self, price: np.ndarray, out: np.ndarray | None = None, crowd: np.ndarray | None = None) -> Response:
        """Backward: the best response to the crowd cost ``price`` (per unit time).

        ``out`` may be ``price``: the policy then overwrites its first T levels.
        """
        look()
        value = self.terminal_cost.copy()
        if self.weights[-1]:
            value += self.weights[-1] * price[-1]
        ahead = np.empty((self.steps, *self.shape)) if out is None else out[: self.steps]
        self._backward(price, self.weights, value, ahead, self.scheme)
        value.reshape(-1)[self.scheme.blocked] = 0.0
        return Response(ahead, value, float((self.initial_mass * value).sum()))

    def flow(self, ahead: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Forward: mass (T+1, z, y, x) of agents that follow the policy."""
        look()
        mass = self.empty_crowd() if out is None else out
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
        look()
        result, none = self.empty_crowd() if out is None else out, np.empty((0, 1, 1, 1))
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
        look()
        solution, residual, direction, image = vectors
        return self._curvature(
            ahead, mass, direction, scale, image, 1.0, residual, solution, length, share, self.scheme
        )

    def diffuse(self, mass: np.ndarray) -> np.ndarray:
        """One level after the noise: N^T mass."""
        out = np.empty_like(mass)
        noise.noise(mass.copy(), out, self.scheme, True)
        return out

    def values(self, price: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        """V (T+1, *shape) of the best response to the price; NaN in blocked cells."""
        value, ahead = self.empty_crowd(), np.empty((1, *self.shape))
        value[-1] = self.terminal_cost + self.weights[-1] * price[-1]
        for t in range(self.steps - 1, -1, -1):
            look()
            value[t] = value[t + 1]
            now = slice(t, t + 1)
            self._backward(price[now], self.weights[now], value[t], ahead, self.scheme.during(now))
        value.reshape(value.shape[0], -1)[:, self.scheme.blocked] = np.nan
        return self.gridded(value)

    def movement(self, ahead: np.ndarray, mass: np.ndarray) -> tuple[float, float]:
        """Cost of moving, and the share of mass-time at the speed cap."""
        look()
        cost, capped = kolmogorov.movement(ahead, mass, self.scheme)
        return float(cost), float(capped)

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, ahead: np.ndarray) -> ValuePolicy:
        """Speeds are clipped differences of the value ahead."""
        return ValuePolicy(ahead)

    def new_average(self, arrays: dict[str, np.ndarray] | None = None) -> FluxPolicy:
        """Mass and net fluxes."""
        if arrays is not None:
            return FluxPolicy(arrays["crowd"], [arrays[f"flux_{k}"] for k in range(self.grid.ndim)])
        return FluxPolicy(self.empty_crowd(), [np.empty((self.steps, *self.shape)) for _ in range(self.grid.ndim)])

    def prolong(self, crowd: np.ndarray, finer: Any) -> np.ndarray:
        """Linear in space and time; see `mfgsolve.games.transfer`."""
        return prolong(crowd, self, finer)
