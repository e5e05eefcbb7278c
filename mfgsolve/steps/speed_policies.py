"""What an agent of a diffusion does, in the three forms a policy comes in; all answer with speeds to each neighbour.

``speed(mesh, nodes)`` gives (steps, move, z, y, x) in the order x+, x-, y+, y-, z+, z- (of the grid's own axes only).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.policies import Average, Policy

__all__ = ["FluxPolicy", "MovingPolicy", "SpeedPolicy", "ValuePolicy", "face_flux"]


class MovingPolicy(Policy, ABC):
    """A policy that is a speed toward each neighbour."""

    @abstractmethod
    def speed(self, mesh: Mesh, nodes: slice) -> np.ndarray:
        """Speeds (steps, move, z, y, x) at those steps."""


@dataclass(frozen=True)
class ValuePolicy(MovingPolicy):
    """Best response: speeds are clipped differences of the value after the noise."""

    after: np.ndarray

    def speed(self, mesh: Mesh, nodes: slice) -> np.ndarray:
        w, scheme = self.after[nodes], mesh.scheme
        out = np.empty((w.shape[0], mesh.moves, *mesh.shape))
        price = scheme.control_cost[nodes].reshape(-1, 1, 1, 1)
        for k, axis in enumerate(mesh.axes):
            reach, cap = 1.0 / (scheme.distance(axis - 1) * price), scheme.fastest(axis - 1)
            signed = mesh.close(axis, np.clip(reach * (w - np.roll(w, -1, axis)), -cap, cap))
            out[:, 2 * k] = np.maximum(signed, 0.0)
            out[:, 2 * k + 1] = np.roll(np.maximum(-signed, 0.0), 1, axis)
        return out


def face_flux(mesh: Mesh, nodes: slice, policy: np.ndarray, mass: np.ndarray, axis: int) -> np.ndarray:
    """Mass that crosses the face after each cell in one step, under the best response ``policy`` of some steps."""
    scheme, each = mesh.scheme, mesh.scheme.control_cost[nodes]
    one = (each == each[0]).all()  # then there is no array to go through
    price = float(each[0]) if one else each.reshape(-1, 1, 1, 1)
    distance, cap = scheme.distance(axis - 1), scheme.fastest(axis - 1)
    reach = 1.0 / (distance * price)
    signed = np.clip(reach * (policy - np.roll(policy, -1, axis)), -cap, cap)
    upwind = np.where(signed > 0, mass, np.roll(mass, -1, axis))
    return mesh.close(axis, scheme.dt / distance * signed * upwind)


@dataclass(frozen=True)
class FluxPolicy(MovingPolicy, Average):
    """Mean of many policies: net flux over mass.  ``fluxes[k]`` (T, z, y, x) belongs to the k-th axis, x first.

    The flux of a mean over its mass is again a policy, with the same flow and, movement being convex, at no more cost
    than the mixture.
    """

    crowd: np.ndarray
    fluxes: list[np.ndarray]

    def arrays(self) -> dict[str, np.ndarray]:
        return {"crowd": self.crowd} | {f"flux_{k}": flux for k, flux in enumerate(self.fluxes)}

    def mix(self, game: Any, policy: np.ndarray, crowd: np.ndarray, length: float) -> None:
        for nodes in game.slabs():
            for flux, newest in zip(self.fluxes, self.newest(game, nodes, policy, crowd[nodes]), strict=True):
                if length == 1.0:
                    flux[nodes] = newest
                else:
                    newest -= flux[nodes]
                    newest *= length
                    flux[nodes] += newest
        for k in range(game.steps + 1):
            if length == 1.0:
                self.crowd[k] = crowd[k]
            else:
                self.crowd[k] += length * (crowd[k] - self.crowd[k])

    def newest(self, game: Any, nodes: slice, policy: np.ndarray, mass: np.ndarray) -> Iterator[np.ndarray]:
        """What crosses the faces along each axis in some steps under a best response ``policy`` (T, ...)."""
        mesh = game.step.mesh
        for axis in mesh.axes:
            yield face_flux(mesh, nodes, policy[nodes], mass, axis)

    def speed(self, mesh: Mesh, nodes: slice) -> np.ndarray:
        mass = self.crowd[:-1][nodes]
        out = np.zeros((mass.shape[0], mesh.moves, *mesh.shape))
        for k, axis in enumerate(mesh.axes):
            per_mass = mesh.scheme.distance(axis - 1) / mesh.scheme.dt
            flux, there = self.fluxes[k][nodes] * per_mass, np.roll(mass, -1, axis)
            forth = np.divide(np.maximum(flux, 0.0), mass, out=np.zeros_like(flux), where=mass > 0)
            back = np.divide(np.maximum(-flux, 0.0), there, out=np.zeros_like(flux), where=there > 0)
            out[:, 2 * k], out[:, 2 * k + 1] = forth, np.roll(back, 1, axis)
        return out


@dataclass(frozen=True)
class SpeedPolicy(MovingPolicy):
    """Speeds that a user brings: (T, move, ..., y, x), checked against the walls and the cap."""

    speeds: np.ndarray

    @classmethod
    def checked(cls, speeds: np.ndarray, mesh: Mesh) -> SpeedPolicy:
        wanted = (mesh.steps, mesh.moves, *mesh.grid_shape)
        array = numbers(speeds, "policy", "speeds are needed")
        if array.shape != wanted:
            raise InputError(f"policy has shape {array.shape}; (step, move, ...) = {wanted} is needed")
        policy = cls(array.reshape(mesh.steps, mesh.moves, *mesh.shape))
        for k, name in enumerate(mesh.move_names):
            view, axis = policy.speeds[:, k], 3 - k // 2
            cap = np.broadcast_to(mesh.scheme.fastest(axis - 1, k % 2), mesh.shape)
            if not np.isfinite(view).all():
                raise InputError(f"policy has a speed toward {name} that is not finite")
            if (view < 0).any():
                raise InputError(f"policy has a negative speed toward {name} ({view.min():g}); use the opposite move")
            if (view > cap * (1 + 1e-12)).any():
                worst = np.unravel_index((view / cap).argmax(), view.shape)
                raise InputError(
                    f"policy has speed {view[worst]:g} toward {name}; the scheme's cap is {cap[worst[1:]]:g}: "
                    "take more time steps"
                )
            face = view if k % 2 == 0 else -np.roll(view, -1, axis)
            if (mesh.close(axis, face.copy()) != face).any():
                raise InputError(f"policy moves toward {name} through a wall or a blocked cell; set that speed to 0")
        return policy

    def speed(self, mesh: Mesh, nodes: slice) -> np.ndarray:
        return self.speeds[nodes]
