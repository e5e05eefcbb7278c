"""Policies of agents for whom moving costs something else than c |a|^2 / 2: best speeds, and the mean of many policies.

Policies are those of `mfgsolve.steps.speed_policies`; only what follows from a value is another number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.speed_policies import FluxPolicy, MovingPolicy

__all__ = ["BestSpeeds", "NetFlux"]


@dataclass(frozen=True)
class BestSpeeds(MovingPolicy):
    """Best response: the array of a `mfgsolve.steps.movement.MovementStep`, which says what the speeds are."""

    policy: np.ndarray
    step: Any

    def speed(self, mesh: Mesh, nodes: slice) -> np.ndarray:
        steps = range(*nodes.indices(len(self.policy)))
        out = np.empty((len(steps), mesh.moves, *mesh.shape))
        for k, t in enumerate(steps):
            out[k] = self.step.best_speeds(t, self.policy[t]).reshape(mesh.moves, *mesh.shape)
        return out


@dataclass(frozen=True)
class NetFlux(FluxPolicy):
    """Mean of many policies: net flux over mass.

    What moving costs grows with each speed and is convex in all of them, so that the mean costs no more than the
    mixture.
    """

    def newest(self, game: Any, nodes: slice, policy: np.ndarray, mass: np.ndarray, axis: int) -> np.ndarray:
        step = game.step
        mesh = step.mesh
        k = 2 * mesh.axes.index(axis)
        speed = step.policy_of(policy).speed(mesh, nodes)
        distance = mesh.scheme.distance(axis - 1)
        back = np.roll(speed[:, k + 1] * mass, -1, axis)
        return np.asarray(mesh.scheme.dt / distance * (speed[:, k] * mass - back))
