"""Policies of agents for whom moving costs something else than c |a|^2 / 2: best speeds, and the mean of many policies.

Policies are those of `mfgsolve.steps.speed_policies`; only what follows from a value is another number.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    def newest(self, game: Any, nodes: slice, policy: np.ndarray, mass: np.ndarray) -> Iterator[np.ndarray]:
        mesh = game.step.mesh
        speed = game.step.policy_of(policy).speed(mesh, nodes)
        for k, axis in enumerate(mesh.axes):
            back = np.roll(speed[:, 2 * k + 1] * mass, -1, axis)
            yield mesh.scheme.dt / mesh.scheme.distance(axis - 1) * (speed[:, 2 * k] * mass - back)
