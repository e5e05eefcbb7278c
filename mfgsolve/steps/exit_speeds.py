"""The step of a controlled diffusion, upwind, on a grid with exits: speeds to the neighbours, and into exits.

The face of an exit lies half a cell from the last centre inside, d = h / 2: agents cross it at chance dt s / d and pay
dt c s^2 / 2 for that, and noise takes them there at the rate 2 nu / h^2 (`mfgsolve.steps.exits`).  Nobody comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.steps import sweeps
from mfgsolve.steps.chain import Chain
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.exits import Absorbed, AbsorbedNoise, left_costs, noise_matrices, with_left
from mfgsolve.steps.factors import Factor
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.policies import Policy
from mfgsolve.steps.speeds import SpeedStep

__all__ = ["ExitSpeedStep", "Faces", "faces_of"]


@dataclass(frozen=True)
class Faces:
    """What a `Scheme` tells of the control, face by face: arrays (z, y, x) of the faces after each cell.

    Attributes
    ----------
    distances, caps : of each axis z, y, x, between the centres (of an exit: its face) and the largest speed
    forth, back : of each axis, boolean, whether agents may cross the face from the cell before it, and from that after
    """

    dt: float
    control_cost: np.ndarray
    periodic: np.ndarray
    distances: tuple[np.ndarray, ...]
    caps: tuple[np.ndarray, ...]
    forth: tuple[np.ndarray, ...]
    back: tuple[np.ndarray, ...]

    def distance(self, axis: int, side: int = 0) -> np.ndarray:
        """Distance to the cell after (side 0) or before (side 1) each cell along an axis."""
        return self.distances[axis] if side == 0 else np.roll(self.distances[axis], 1, axis)

    def fastest(self, axis: int, side: int = 0) -> np.ndarray:
        """Largest speed to that cell."""
        return self.caps[axis] if side == 0 else np.roll(self.caps[axis], 1, axis)

    def _replace(self, **changes: Any) -> Faces:
        changes.pop("parts", None)
        return replace(self, **changes)


class ExitMesh(Mesh):
    """A mesh of `Faces`."""

    def close(self, axis: int, face: np.ndarray) -> np.ndarray:
        """Set to zero what would cross a wall, or come out of an exit; positive is from the cell before; in place."""
        faces: Any = self.scheme
        face *= np.where(face > 0, faces.forth[axis - 1], faces.back[axis - 1])
        return face


def faces_of(grid: Grid, scheme: Scheme) -> Faces:
    """The faces of a grid with exits, from the coefficients of a scheme."""
    missing, shape = 3 - grid.ndim, (1,) * (3 - grid.ndim) + grid.shape
    gone, free = grid.exits.cells.reshape(shape), ~grid.mask.reshape(shape)
    distances, caps, forth, back = [], [], [], []
    for axis in range(3):
        if axis < missing:
            distances.append(np.ones(shape))
            caps.append(np.zeros(shape))
            forth.append(np.zeros(shape, dtype=bool))
            back.append(forth[-1])
            continue
        own, across = grid.axes[axis - missing], [-1 if j == axis else 1 for j in range(3)]
        width = np.broadcast_to(own.widths.reshape(across), shape)
        leaves, comes = np.roll(gone, -1, axis), np.roll(width, -1, axis)
        there = free & np.roll(free, -1, axis)
        if not own.periodic:
            there &= np.arange(shape[axis]).reshape(across) < shape[axis] - 1
        centres = np.broadcast_to(scheme.distance(axis), shape)
        distance = np.where(leaves & ~gone, 0.5 * width, np.where(gone & ~leaves, 0.5 * comes, centres))
        distances.append(distance)
        caps.append(np.broadcast_to(scheme.fastest(axis), shape) * distance / centres)
        forth.append(there & ~gone)
        back.append(there & ~leaves)
    return Faces(scheme.dt, scheme.control_cost, scheme.periodic, *map(tuple, (distances, caps, forth, back)))


class ExitSpeedStep(SpeedStep):
    """See the module.

    Parameters
    ----------
    scheme : coefficients of the control, as of a grid without exits
    others : factors besides the noise
    viscosity : nu
    """

    scheme: Faces  # type: ignore[assignment]

    def __init__(
        self, space: Grid, time: TimeGrid, scheme: Scheme, others: tuple[Factor, ...] = (), viscosity: float = 0.0
    ):
        gone = space.exits.cells
        super().__init__(space, time, faces_of(space, scheme), tuple(Absorbed(each, gone) for each in others))  # type: ignore[arg-type]
        self.gone, self.pay = gone.reshape(self.shape), np.zeros((time.steps, *self.shape))
        noise = noise_matrices(space, gone, viscosity * time.dt, at_faces=True) if viscosity else []
        self._noise: tuple[Factor, ...] = (AbsorbedNoise(noise, space),) if viscosity else ()

    def with_exits(self, paid: np.ndarray) -> ExitSpeedStep:
        """The same step with these costs of leaving."""
        levels = paid.reshape(len(paid), *self.shape)
        return self.with_changes(pay=levels[:-1] - levels[1:])

    @property
    def factors(self) -> tuple[Factor, ...]:  # type: ignore[override]
        """Those besides the noise, and the noise."""
        return (*self.others, *self._noise)

    @property
    def mesh(self) -> Mesh:
        return ExitMesh(self.scheme, self.space.dims, self.space.shape, self.steps)  # type: ignore[arg-type]

    @property
    def is_fused(self) -> bool:
        return False

    # -- one step ----------------------------------------------------------------------------------------------

    def _axes(self) -> Iterator[tuple[int, np.ndarray]]:
        """Axes of (z, y, x) that the grid has, and the distances of their faces."""
        for axis in self.mesh.axes:
            yield axis - 1, self.scheme.distances[axis - 1]

    def _signed(self, t: int, after: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """At the faces after each cell: the drop of a value, the best speed, positive onward, and that without cap."""
        faces = self.scheme
        drop = after - np.roll(after, -1, axis)
        wish = drop / (faces.distances[axis] * faces.control_cost[t])
        speed = np.clip(wish, -faces.caps[axis], faces.caps[axis])
        return drop, self.mesh.close(axis + 1, speed[None])[0], wish

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """after + min over speeds of their cost and of what they gain; at exits, what is paid there."""
        policy[...] = after
        value, c = after + self.pay[t], self.scheme.control_cost[t]
        for axis, distance in self._axes():
            drop, speed, _ = self._signed(t, after, axis)
            gain = self.dt * speed * (0.5 * c * speed - drop / distance)
            value += np.where(speed > 0, gain, 0.0) + np.roll(np.where(speed < 0, gain, 0.0), 1, axis)
        return value

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        """after + dt sum_e s_e (after(x + e) - after(x)) / d."""
        value = after.copy()
        for axis, distance in self._axes():
            speed = self._signed(t, policy, axis)[1]
            change = (self.dt / distance) * speed * (after - np.roll(after, -1, axis))
            value -= np.where(speed > 0, change, 0.0) + np.roll(np.where(speed < 0, change, 0.0), 1, axis)
        return value

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Mass after the moves."""
        moved = mass.copy()
        for axis, distance in self._axes():
            speed = self._signed(t, policy, axis)[1]
            flux = (self.dt / distance) * speed * np.where(speed > 0, mass, np.roll(mass, -1, axis))
            moved += np.roll(flux, 1, axis) - flux
        return moved

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Change of the mass after the moves, when speeds follow a change of the value."""
        moved, c = np.zeros(self.shape), self.scheme.control_cost[t]
        for axis, distance in self._axes():
            drop, _, wish = self._signed(t, policy, axis)
            open_ = np.where(drop > 0, self.scheme.forth[axis], self.scheme.back[axis])
            open_ = open_ & (np.abs(wish) <= self.scheme.caps[axis])
            rate = (change - np.roll(change, -1, axis)) / (distance * c)
            flux = np.where(open_, (self.dt / distance) * rate, 0.0) * np.where(drop > 0, mass, np.roll(mass, -1, axis))
            moved += np.roll(flux, 1, axis) - flux
        return moved

    # -- sweeps ------------------------------------------------------------------------------------------------

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at t = 0 of the best response; ``policy`` may be the first T levels of ``costs.state`` itself."""
        value = sweeps.backward(self, costs, policy, values)
        value[self.space.mask.reshape(self.shape)] = 0.0
        return value

    def forward(self, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, z, y, x) with the flow of its first level."""
        return sweeps.forward(self, policy, mass)

    def curvature(self, *arguments: Any) -> np.ndarray:
        raise NotImplementedError

    def conjugate_step(self, *arguments: Any) -> float:
        raise NotImplementedError

    # -- policies ----------------------------------------------------------------------------------------------

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """Cost of moving, and what is paid for leaving."""
        return with_left(self.cost_of_speeds(policy, mass), left_costs(self.pay, mass, self.gone))

    def own_viscosity(self, policy: Policy, mass: np.ndarray, stated: float) -> float:
        """Jumps into exits have none that could be told."""
        return float("nan")

    # -- agents one by one -------------------------------------------------------------------------------------

    @property
    def allowed(self) -> np.ndarray:  # type: ignore[override]
        """Who has left stays."""
        allowed = super().allowed.copy()
        allowed[1:, self.gone.reshape(-1)] = False
        return allowed

    def chain(self, policy: Policy) -> Chain:
        chain, gone = super().chain(policy), self.gone.reshape(-1)
        chain.own_cost[:, gone, 0] = self.pay.reshape(self.steps, -1)[:, gone]
        return chain

    # -- what tells steps apart --------------------------------------------------------------------------------

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """Where the factors besides the noise lead, and what leaving costs."""
        yield from super().identity(masses)
        yield self.pay[:, self.gone]
