"""The choices of an agent of a diffusion: to stay, or to move to a neighbour, in the order of policies."""

from __future__ import annotations

import numpy as np

from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.transitions import Transitions

__all__ = ["STAY", "move_allowed", "move_distances", "move_transitions"]

STAY = "stay"


def move_transitions(mesh: Mesh) -> Transitions:
    """Where each choice leads: one cell."""
    cells = np.arange(np.prod(mesh.shape)).reshape(mesh.shape)
    targets = [cells] + [np.roll(cells, shift, axis - 1) for axis in mesh.axes for shift in (-1, 1)]
    target = np.concatenate([near.reshape(-1) for near in targets])
    return Transitions(np.arange(target.size + 1)[None], target.astype(np.int32), np.ones(target.size))


def move_allowed(mesh: Mesh, blocked: np.ndarray) -> np.ndarray:
    """Which choices an agent has, boolean (choices, cells): it may stay anywhere, and move where no wall is."""
    blocked = blocked.reshape(mesh.shape)
    allowed = np.ones((1 + mesh.moves, *mesh.shape), dtype=bool)
    for k, axis in enumerate(mesh.axes):
        along = axis - 1
        index = np.arange(mesh.shape[along]).reshape([-1 if j == along else 1 for j in range(3)])
        for side, (sign, edge) in enumerate(((-1, mesh.shape[along] - 1), (1, 0))):
            row = allowed[1 + 2 * k + side]
            row &= ~blocked & ~np.roll(blocked, sign, along)
            if not mesh.scheme.periodic[along]:
                row &= index != edge
    return allowed.reshape(1 + mesh.moves, -1)


def move_distances(mesh: Mesh) -> np.ndarray:
    """How far each move leads, (moves, cells)."""
    sides = [mesh.scheme.distance(axis - 1, side) for axis in mesh.axes for side in (0, 1)]
    return np.stack([np.broadcast_to(h, mesh.shape).reshape(-1) for h in sides])
