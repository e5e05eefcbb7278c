"""What an agent does, in the three forms a policy comes in; all answer with speeds toward each neighbour.

``speed(nodes)`` gives (steps, move, z, y, x) in the order x+, x-, y+, y-, z+, z- (of the grid's own axes only).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mfgsolve.errors import InputError, numbers
from mfgsolve.games.base import Average, OwnCost, Policy
from mfgsolve.watch import look

if TYPE_CHECKING:
    from mfgsolve.games.diffusion import DiffusionGame

__all__ = ["FluxPolicy", "MovingPolicy", "SpeedPolicy", "ValuePolicy", "axes", "face_flux", "move_names"]


def move_names(game: DiffusionGame) -> list[str]:
    return [name + sign for name in game.grid.dims[::-1] for sign in "+-"]


class MovingPolicy(Policy):
    """A policy that is a speed toward each neighbour."""

    @abstractmethod
    def speed(self, game: DiffusionGame, nodes: slice) -> np.ndarray: ...

    def own_cost(self, game: DiffusionGame, crowd: np.ndarray) -> OwnCost:
        cost, capped = 0.0, 0.0
        sides = [game.scheme.fastest(axis - 1, side) for axis in axes(game) for side in (0, 1)]
        caps = np.stack([np.broadcast_to(cap, game.shape) for cap in sides])
        price = game.scheme.control_cost
        dearer = (price / price[0]).reshape(-1, 1, 1, 1)
        for nodes in game.slabs():
            look()
            speed = self.speed(game, nodes)
            cost += float((crowd[nodes] * (speed**2).sum(axis=1) * dearer[nodes]).sum())
            capped += float((crowd[nodes] * (speed >= caps * (1 - 1e-12)).any(axis=1)).sum())
        cost *= 0.5 * float(price[0]) * game.dt
        return OwnCost(cost, cost, cost, capped / game.steps)


def _last(game: DiffusionGame, axis: int) -> tuple[slice | int, ...]:
    """Index of the last cells along an axis (1 = z, 2 = y, 3 = x) of (levels, z, y, x)."""
    index: list[slice | int] = [slice(None)] * 4
    index[axis] = -1
    return tuple(index)


def axes(game: DiffusionGame) -> list[int]:
    """Array axes of (levels, z, y, x) that the grid has, x first."""
    return [3 - k for k in range(game.grid.ndim)]


def _close(game: DiffusionGame, axis: int, face: np.ndarray) -> np.ndarray:
    """Nothing crosses the wall after the last cell, nor a face of a blocked cell."""
    if not game.scheme.periodic[axis - 1]:
        face[_last(game, axis)] = 0.0
    if game.scheme.masked:
        free = game.scheme.open[None]
        face *= free * np.roll(free, -1, axis)
    return face


@dataclass(frozen=True)
class ValuePolicy(MovingPolicy):
    """Best response: speeds are clipped differences of the value after the noise."""

    ahead: np.ndarray

    def own_cost(self, game: DiffusionGame, crowd: np.ndarray) -> OwnCost:
        cost, capped = game.movement(self.ahead, crowd)  # to stay costs nothing, which is the least
        return OwnCost(cost, cost, cost, capped)

    def speed(self, game: DiffusionGame, nodes: slice) -> np.ndarray:
        w, scheme = self.ahead[nodes], game.scheme
        out = np.empty((w.shape[0], 2 * game.grid.ndim, *game.shape))
        price = scheme.control_cost[nodes].reshape(-1, 1, 1, 1)
        for k, axis in enumerate(axes(game)):
            reach, cap = 1.0 / (scheme.distance(axis - 1) * price), scheme.fastest(axis - 1)
            signed = _close(game, axis, np.clip(reach * (w - np.roll(w, -1, axis)), -cap, cap))
            out[:, 2 * k] = np.maximum(signed, 0.0)
            out[:, 2 * k + 1] = np.roll(np.maximum(-signed, 0.0), 1, axis)
        return out


def face_flux(game: DiffusionGame, nodes: slice, ahead: np.ndarray, mass: np.ndarray, axis: int) -> np.ndarray:
    """Mass that crosses the face after each cell in one step, under the best response ``ahead`` of some steps."""
    scheme, price = game.scheme, game.scheme.control_cost[nodes].reshape(-1, 1, 1, 1)
    distance, cap = scheme.distance(axis - 1), scheme.fastest(axis - 1)
    reach = 1.0 / (distance * price)
    signed = np.clip(reach * (ahead - np.roll(ahead, -1, axis)), -cap, cap)
    upwind = np.where(signed > 0, mass, np.roll(mass, -1, axis))
    return _close(game, axis, game.dt / distance * signed * upwind)


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

    def mix(self, game: DiffusionGame, ahead: np.ndarray, crowd: np.ndarray, length: float) -> None:
        for nodes in game.slabs():
            for flux, axis in zip(self.fluxes, axes(game), strict=True):
                newest = face_flux(game, nodes, ahead[nodes], crowd[nodes], axis)
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

    def speed(self, game: DiffusionGame, nodes: slice) -> np.ndarray:
        mass = self.crowd[:-1][nodes]
        out = np.zeros((mass.shape[0], 2 * game.grid.ndim, *game.shape))
        for k, axis in enumerate(axes(game)):
            per_mass = game.scheme.distance(axis - 1) / game.dt
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
    def checked(cls, speeds: np.ndarray, game: DiffusionGame) -> SpeedPolicy:
        wanted = (game.steps, 2 * game.grid.ndim, *game.grid.shape)
        array = numbers(speeds, "policy", "speeds are needed")
        if array.shape != wanted:
            raise InputError(f"policy has shape {array.shape}; (step, move, ...) = {wanted} is needed")
        policy = cls(array.reshape(game.steps, 2 * game.grid.ndim, *game.shape))
        names = move_names(game)
        for k, name in enumerate(names):
            view, axis = policy.speeds[:, k], 3 - k // 2
            cap = np.broadcast_to(game.scheme.fastest(axis - 1, k % 2), game.shape)
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
            face = view if k % 2 == 0 else np.roll(view, -1, axis)
            if (_close(game, axis, face.copy()) != face).any():
                raise InputError(f"policy moves toward {name} through a wall or a blocked cell; set that speed to 0")
        return policy

    def speed(self, game: DiffusionGame, nodes: slice) -> np.ndarray:
        return self.speeds[nodes]

    def flow(self, game: DiffusionGame) -> np.ndarray:
        """Mass (T+1, z, y, x) under these speeds."""
        mass = game.empty_crowd()
        mass[0] = game.initial_mass
        for t in range(game.steps):
            moved = mass[t].copy()
            for k in range(2 * game.grid.ndim):
                axis = 2 - k // 2
                flux = game.dt / game.scheme.distance(axis, k % 2) * self.speeds[t, k] * mass[t]
                moved += np.roll(flux, 1 if k % 2 == 0 else -1, axis) - flux
            mass[t + 1] = game.diffuse(moved)
        return mass
