"""Implicit noise as a random walk that a single agent can take.

One step of implicit noise along an axis is the matrix (I - nu dt Lap)^-1: where a walker stops that goes to each
neighbour at rate k = nu dt / (d h), d away from a cell of width h, and stops at rate 1.  Eliminating the cells of a
line from the left gives, with the excess e_0 = 1 and e_i = 1 + k_below,i e_{i-1} / (e_{i-1} + k_above,i-1),

    right_i = k_above / (e_i + k_above)    that the walker reaches i + 1 before it stops, whatever it does on the left
    left_i = 1 - 1 / e_i                   that it stops left of i, given that it never reaches i + 1

so that a sweep to the right with ``right`` and a sweep back with ``left`` sample the stopping place exactly: in two
binomials per cell for any number of agents.  On a ring of equal cells both are theta = 2k / (1 + 2k + sqrt(1 + 4k)):
the displacement is the difference of two geometric numbers.  On a ring of other cells e is the excess that comes back
to itself around the ring, the positive fixed point of a product of maps e -> ((1 + b) e + a) / (e + a).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.grids import Grid
from mfgsolve.kernels.scheme import IMPLICIT
from mfgsolve.steps import Noise

__all__ = ["NoiseWalk", "noise_arrays", "noise_walks"]


@dataclass(frozen=True, eq=False)
class NoiseWalk:
    """Probabilities of going on, per state, along one axis of ``cells`` cells that lie ``stride`` states apart."""

    cells: int
    stride: int
    ring: bool
    right: np.ndarray
    left: np.ndarray

    def neighbours(self) -> tuple[np.ndarray, np.ndarray]:
        """State after and before each state along the axis; around the ring, or the state itself at a wall."""
        state = np.arange(self.right.size)
        place, last = (state // self.stride) % self.cells, self.cells - 1
        wrap = last * self.stride if self.ring else 0
        after = np.where(place < last, state + self.stride, state - wrap)
        before = np.where(place > 0, state - self.stride, state + wrap)
        return after.astype(np.int32), before.astype(np.int32)


def noise_walks(game: Game) -> list[NoiseWalk]:
    """Walks in the order in which the flow applies the axes (x first); none without implicit noise.

    Raises
    ------
    InputError
        where something else than noise follows the choice of an agent, which single agents do not know how to take
    """
    for factor in game.step.factors:
        if not isinstance(factor, Noise):
            raise InputError(
                f"the step of {game.problem.name!r} has a {type(factor).__name__} after its control; agents one by one "
                "know noise alone: compare densities and certificates instead"
            )
    parts = [(part, scheme) for part, _, scheme in game.step.noises]
    if not parts:
        return []
    space = getattr(game.grid, "space", game.grid)
    assert isinstance(space, Grid)
    return _axes(space, game.cells, parts)


def noise_arrays(walks: list[NoiseWalk], states: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """right, left, after, before of all axes, (axes, states), as kernels take them."""
    if not walks:
        none = np.empty((0, states))
        return none, none, none.astype(np.int32), none.astype(np.int32)
    right, left = (np.stack([getattr(walk, side) for walk in walks]) for side in ("right", "left"))
    after, before = (np.stack(sides) for sides in zip(*(walk.neighbours() for walk in walks), strict=True))
    return right, left, after, before


def _axes(grid: Grid, states: int, parts: list) -> list[NoiseWalk]:  # type: ignore[type-arg]
    walks = []
    for axis in range(grid.ndim - 1, -1, -1):
        cells, ring = grid.shape[axis], grid.axes[axis].periodic
        right, left = np.zeros(states), np.zeros(states)
        for part, scheme in parts:
            if scheme.noise == IMPLICIT and cells > 1:
                rate = scheme.rate[3 - grid.ndim + axis]
                right[part], left[part] = (share.reshape(-1) for share in _shares(~grid.mask, axis, rate, ring))
        if right.any() or left.any():
            walks.append(NoiseWalk(cells, math.prod(grid.shape[axis + 1 :]), ring, right, left))
    return walks


def _shares(free: np.ndarray, axis: int, rate: float | np.ndarray, ring: bool) -> tuple[np.ndarray, np.ndarray]:
    """``right`` and ``left`` of all lines along an axis, from the rate of every cell, or those (2, n) to the cell after
    and before each."""
    lines = np.moveaxis(free, axis, -1)
    shape = lines.shape
    lines = lines.reshape(-1, shape[-1])
    right, left = np.zeros(lines.shape), np.zeros(lines.shape)
    whole = lines.all(axis=1) & ring
    if isinstance(rate, np.ndarray):
        onward, backward = rate
        right[whole], left[whole] = _around(onward, backward) if ring else (0.0, 0.0)
    else:
        onward = backward = np.full(shape[-1], rate)
        right[whole] = left[whole] = 2 * rate / (1 + 2 * rate + math.sqrt(1 + 4 * rate))
    cut = np.flatnonzero(~whole)
    first = np.argmin(lines[cut], axis=1) if ring else np.zeros(cut.size, dtype=int)  # a ring is cut at a blocked cell
    order = (first[:, None] + np.arange(shape[-1])) % shape[-1]
    open_ = np.take_along_axis(lines[cut], order, axis=1)
    face = open_[:, :-1] & open_[:, 1:]
    closed = np.zeros((cut.size, 1))
    below = np.hstack([closed, backward[order[:, 1:]] * face])
    above = np.hstack([onward[order[:, :-1]] * face, closed])
    go, back, beyond = np.empty(open_.shape), np.empty(open_.shape), np.zeros(cut.size)  # beyond = e - 1
    for i in range(shape[-1]):
        if i:
            beyond = below[:, i] * (1.0 + beyond) / (1.0 + beyond + above[:, i - 1])
        go[:, i] = above[:, i] / (1.0 + beyond + above[:, i])
        back[:, i] = beyond / (1.0 + beyond)
    for target, share in ((right, go), (left, back)):
        turned = np.empty(share.shape)
        np.put_along_axis(turned, order, share, axis=1)
        target[cut] = turned
    return tuple(np.moveaxis(share.reshape(shape), -1, axis) for share in (right, left))  # type: ignore[return-value]


def _around(onward: np.ndarray, backward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``right`` and ``left`` (n,) of a ring without blocked cells."""
    n, turn = onward.size, np.eye(2)
    for i in range(n):  # e_i from e_{i-1}
        turn = np.array([[1.0 + backward[i], onward[i - 1]], [1.0, onward[i - 1]]]) @ turn
        turn /= turn.max()
    (a, b), (c, d) = turn  # the last excess from itself: c e^2 + (d - a) e - b = 0
    beyond = max((a - d + math.sqrt((a - d) ** 2 + 4 * b * c)) / (2 * c) - 1.0, 0.0)
    right, left = np.empty(n), np.empty(n)
    for k in range(2 * n):  # once more than needed: what round-off the fixed point has dies out
        i = k % n
        beyond = backward[i] * (1.0 + beyond) / (1.0 + beyond + onward[i - 1])
        right[i], left[i] = onward[i] / (1.0 + beyond + onward[i]), beyond / (1.0 + beyond)
    return right, left
