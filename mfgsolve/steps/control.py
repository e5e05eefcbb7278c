"""The control of a diffusion on a mesh where moving costs c r^p / p, in arrays: what `mfgsolve.kernels.movement` takes.

Speeds are chosen in groups: all moves together (what moving costs depends on the Euclidean size r of all speeds), or
those along each axis apart.  The chances of one step, dt s / h, sum to at most 1 for any speeds of a group of size

    r <= 1 / (dt sqrt(sum 1 / h^2))            h over the moves of the group, and a d-th of it for each of d axes,

by the inequality of Cauchy and Schwarz.  That is the cap of the scheme; the one of the statement may be lower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfgsolve.kernels import movement as kernel
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.moves import move_allowed, move_distances, move_transitions

__all__ = ["Control", "Movement"]

NONE = np.empty(0)
ALMOST = 1 - 1e-12  # of a cap is at the cap


@dataclass(frozen=True)
class Movement:
    """c r^p / p, r <= ``limit``.

    Attributes
    ----------
    power : p >= 1
    joint : whether r is the size of the whole velocity; else every axis has one of its own, and costs add up
    limit : the largest r
    """

    power: float = 2.0
    joint: bool = True
    limit: float = math.inf

    @property
    def is_smooth(self) -> bool:
        """Whether best speeds change smoothly with the slopes."""
        return self.power > 1.0

    @property
    def is_steep(self) -> bool:
        """Whether best speeds jump, or start with an infinite derivative."""
        return self.power == 1.0 or self.power > 2.0

    def cost(self, speed: np.ndarray) -> np.ndarray:
        """r^p / p summed over groups, of speeds (steps, moves, ...)."""
        result = np.zeros((speed.shape[0], *speed.shape[2:]))
        for group in self.groups(speed.shape[1]):
            result += self.sizes(speed, group) ** self.power / self.power
        return result

    def groups(self, moves: int) -> list[slice]:
        """Moves that are chosen together."""
        size = moves if self.joint else 2
        return [slice(k, k + size) for k in range(0, moves, size)]

    @staticmethod
    def sizes(speed: np.ndarray, group: slice) -> np.ndarray:
        """r of a group."""
        return np.sqrt((speed[:, group] ** 2).sum(axis=1))


class Control:
    """Best speeds on a mesh, what they lead to, and how they turn; levels (z, y, x) are flat inside.

    Parameters
    ----------
    mesh : neighbours, faces, time step, and the largest chances of its `Scheme`
    movement : what moving costs
    blocked : boolean (cells,)
    horizon : of the game: speeds that carry nobody over a cell in it are as good as none
    """

    def __init__(self, mesh: Mesh, movement: Movement, blocked: np.ndarray, horizon: float):
        self.mesh, self.movement, self.dt = mesh, movement, mesh.scheme.dt
        cells = int(np.prod(mesh.shape))
        target = move_transitions(mesh).successor.reshape(1 + mesh.moves, cells)
        self.near = np.ascontiguousarray(
            np.where(move_allowed(mesh, blocked)[1:], target[1:], np.arange(cells)), dtype=np.int32
        )
        self.pace = _few(1.0 / move_distances(mesh))
        self.group = mesh.moves if movement.joint else 2
        self.possible = _few(self._possible())
        self.most = np.minimum(self.possible, movement.limit)
        # of the derivative alone, see the kernel: speeds of a hundredth of a cell, and of five cells, in the whole game
        self.floor = float(1e-2 / (horizon * self.pace.max()))
        self.slow = float(5.0 / (horizon * self.pace.max()))

    def _possible(self) -> np.ndarray:
        """Largest r of each group (groups, cells) that keeps chances at most 1; a lower cap of the scheme counts."""
        mesh, moves = self.mesh, self.mesh.moves
        sides = [mesh.scheme.fastest(axis - 1, side) for axis in mesh.axes for side in (0, 1)]
        caps = np.stack([np.broadcast_to(cap, mesh.shape).reshape(-1) for cap in sides])
        groups = self.movement.groups(moves)
        with np.errstate(divide="ignore"):
            squares = (moves * caps) ** -2.0  # a cap is a share 1 / moves of a chance of 1
        return np.stack([1.0 / (len(groups) * np.sqrt(squares[group].sum(axis=0))) for group in groups])

    @cached_property
    def binding(self) -> np.ndarray:
        """Where the cap of the scheme is lower than that of the statement."""
        return np.asarray(self.possible < self.movement.limit)

    @property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, float]:
        return self.near, self.pace, self.most, self.group, self.movement.power

    def best(self, after: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """after + dt min over speeds of their cost and of what they gain."""
        value = np.empty(after.size)
        kernel.best(after.reshape(-1), weight, *self._arrays, self.dt, value)
        return value.reshape(after.shape)

    def speeds(self, after: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Best speeds (moves, cells)."""
        speed = np.empty(self.near.shape)
        kernel.speeds(np.ascontiguousarray(after).reshape(-1), weight, *self._arrays, speed)
        return speed

    def tolls(self, after: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """r^p / p at the best speeds: what the cost per unit time changes by when c does by 1."""
        toll = np.empty(after.size)
        kernel.tolls(np.ascontiguousarray(after).reshape(-1), weight, *self._arrays, toll)
        return toll.reshape(after.shape)

    def expect(self, speed: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Mean of a value one control later."""
        mean = np.empty(level.size)
        kernel.expect(speed, self.near, self.pace, self.dt, np.ascontiguousarray(level).reshape(-1), mean)
        return mean.reshape(level.shape)

    def push(self, speed: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Mass after the moves."""
        moved = np.empty(mass.size)
        kernel.push(speed, self.near, self.pace, self.dt, np.ascontiguousarray(mass).reshape(-1), moved)
        return moved.reshape(mass.shape)

    def push_change(
        self, after: np.ndarray, weight: np.ndarray, mass: np.ndarray, change: np.ndarray, dearer: np.ndarray = NONE
    ) -> np.ndarray:
        """Change of ``push`` at best speeds, when ``after`` changes, and c by the share ``dearer`` (cells,)."""
        moved = np.empty(mass.size)
        rows = (np.ascontiguousarray(level).reshape(-1) for level in (mass, change))
        flat = np.ascontiguousarray(after).reshape(-1)
        kernel.push_change(
            flat, weight, *self._arrays, self.dt, *rows, dearer.reshape(-1), self.floor, self.slow, moved
        )
        return moved.reshape(mass.shape)

    def capped(self, speed: np.ndarray) -> np.ndarray:
        """Whether speeds (steps, moves, cells) are at the cap of the scheme, (steps, cells); a lower limit is none."""
        result = np.zeros((speed.shape[0], speed.shape[2]), dtype=bool)
        for j, group in enumerate(self.movement.groups(speed.shape[1])):
            result |= self.movement.sizes(speed, group) >= self.possible[j] * ALMOST
        return result


def _few(rows: np.ndarray) -> np.ndarray:
    """One number a row where all are alike."""
    alike = (rows == rows[:, :1]).all()
    return np.ascontiguousarray(rows[:, :1] if alike else rows)
