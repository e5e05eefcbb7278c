"""The step of a diffusion in which moving is dearer in a crowd: c (c0 + rho)^alpha |a|^2 / 2.

What an agent pays depends on the density where it is, that of the others: a best response takes it as given, and a
policy is the pair (W, c (c0 + rho)^alpha), an array (2, z, y, x) for each step.  Transitions do not depend on the
crowd.  There is no potential; with x a change of the crowd that agents believe in, their answer changes by

    dV = dl + dW + dt sum_e s_e (dW(x + e) - dW(x)) / h + dt (|s|^2 / 2) dc,    dc = c alpha x / (vol (c0 + rho))
    ds_e = (dW(x) - dW(x + e)) / (h c) - s_e dc / c

which is what Newton's linear solves, by GMRES, take besides the change of the price.

Source: Achdou and Porretta, Mean field games with congestion, doi:10.1016/j.anihpc.2017.06.001.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.steps import sweeps
from mfgsolve.steps.control import Movement
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.factors import Factor, expect_all, push_all
from mfgsolve.steps.movement import MovementStep
from mfgsolve.watch import look

__all__ = ["CongestedStep"]


class CongestedStep(MovementStep):
    """Speeds whose cost depends on the density around; see the module.

    Parameters
    ----------
    floor, exponent : c0 > 0 and alpha
    """

    pays_by_crowd = True

    def __init__(
        self, space: Grid, time: TimeGrid, scheme: Scheme, movement: Movement, others: tuple[Factor, ...],
        floor: float, exponent: float, places: np.ndarray | None = None,
    ):  # fmt: skip
        super().__init__(space, time, scheme, movement, others, places)
        self.floor, self.exponent = floor, exponent
        self.policy_shape = (2, *self.shape)

    @property
    def cost_of_moving(self) -> None:  # type: ignore[override]
        """Nobody knows it before the crowd."""

    def new_policy(self, price: np.ndarray | None = None) -> np.ndarray:
        """Two levels for each step: it has no room in a price."""
        return np.empty((self.steps, *self.policy_shape))

    def weight(self, t: int, policy: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(policy[1]).reshape(-1)

    def ahead(self, policy: np.ndarray) -> np.ndarray:
        return policy[..., 0, :, :, :]

    def weights(self, nodes: slice, mass: np.ndarray | None) -> np.ndarray:
        """c (c0 + rho)^alpha (steps, cells); NaN where nobody says which crowd there is."""
        costs = self.costs_of_moving(nodes)
        if mass is None:
            return np.full((len(costs), self.cells), np.nan)
        density = np.maximum(mass, 0.0).reshape(len(costs), -1) / np.asarray(self.space.volumes).reshape(-1)
        return np.asarray(costs * (self.floor + density) ** self.exponent)

    # -- sweeps ------------------------------------------------------------------------------------------------

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at t = 0 of the best response among a crowd of that ``mass``."""
        if mass is None:
            raise InputError(
                "what moving costs depends on the crowd, and no crowd was told; pass it: game.respond(price, "
                "crowd=crowd)"
            )
        for nodes in self.slabs():
            here = self.weights(nodes, mass[nodes].reshape(-1, self.cells))
            policy[nodes, 1] = here.reshape(-1, *self.shape)
        value = sweeps.backward(self, costs, policy, values)
        value.reshape(-1)[self.scheme.blocked] = 0.0
        return value

    def change(self, costs: Costs, policy: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Change of the mass when costs change, and the believed crowd by ``costs.crowd``."""
        if costs.crowd is None:
            return super().change(costs, policy, mass)
        dearer = self._dearer(policy, costs.crowd)
        own = self._own_change(policy, dearer)
        after = np.empty((self.steps, *self.shape))
        value = costs.terminal + costs.weights[-1] * costs.state[-1]
        for t in range(self.steps - 1, -1, -1):
            look()
            after[t] = expect_all(self.factors, t, value)
            value = costs.weights[t] * costs.state[t] + self.expect(t, policy[t], after[t]) + own[t]
        moved = np.zeros((self.steps + 1, *self.shape))
        for t in range(self.steps):
            look()
            given = self.ahead(policy[t]), self.weight(t, policy[t]), mass[t], after[t]
            here = self.push(t, policy[t], moved[t]) + self.control.push_change(*given, dearer[t])
            moved[t + 1] = push_all(self.factors, t, here)
        return moved, None

    def own_change(self, policy: np.ndarray, crowd: np.ndarray) -> np.ndarray:
        """dt (|s|^2 / 2) dc."""
        return self._own_change(policy, self._dearer(policy, crowd))

    def _own_change(self, policy: np.ndarray, dearer: np.ndarray) -> np.ndarray:
        result = np.empty((self.steps, *self.shape))
        for t in range(self.steps):
            toll = self.control.tolls(self.ahead(policy[t]), self.weight(t, policy[t]))
            result[t] = self.dt * policy[t, 1] * dearer[t] * toll
        return result

    def _dearer(self, policy: np.ndarray, change: np.ndarray) -> np.ndarray:
        """dc / c (T, *shape) for a change of the mass that agents believe in."""
        if self.exponent == 0.0:
            return np.zeros((self.steps, *self.shape))
        costs = self.costs_of_moving(slice(0, self.steps))
        cost = costs.reshape(self.steps, *(self.shape if costs.shape[1] > 1 else (1, 1, 1)))
        crowded = (policy[:, 1] / cost) ** (1.0 / self.exponent)  # c0 + rho
        volumes = np.broadcast_to(self.space.volumes, self.space.shape).reshape(self.shape)
        return np.asarray(self.exponent * change[:-1].reshape(-1, *self.shape) / (volumes * crowded))

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """c0 and alpha, and what other movements are told by."""
        yield ("congested", self.floor, self.exponent)
        yield from super().identity(masses)
