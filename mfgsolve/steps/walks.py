"""Dense factors that a single agent can take all the same, as walks along lines: implicit noise.

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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mfgsolve.kernels.scheme import Scheme

__all__ = ["LineWalk", "line_shares", "noise_walks", "walk_arrays"]

Part = tuple[slice, tuple[int, ...], Scheme]  # cells (of the flattened level), their shape (z, y, x), coefficients


@dataclass(frozen=True, eq=False)
class LineWalk:
    """A walk along the lines of one axis of ``cells`` cells that lie ``stride`` states apart, around them if ``ring``.

    Attributes
    ----------
    right, left : (states,) from its cell an agent goes on to the next one with probability ``right`` as often as it
        likes, then back with probability ``left``, and stays
    """

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

    def push(self, mass: np.ndarray) -> np.ndarray:
        """Where a mass (states,) lands: the mean of what agents do one by one."""
        return self._onward(self._onward(mass, self.right, False), self.left, True)

    def _onward(self, mass: np.ndarray, share: np.ndarray, backward: bool) -> np.ndarray:
        """Mean of what the kernel ``drift`` samples, in one direction."""
        lines, p = (np.moveaxis(a.reshape(-1, self.cells, self.stride), 1, 0) for a in (mass, share))
        if backward:
            lines, p = lines[::-1], p[::-1]
        out, carry = np.zeros_like(lines), np.zeros(lines.shape[1:])
        for turn in range(2):  # a ring once more, from what the first turn carries over; the rest in closed form
            for i in range(self.cells):
                here = lines[i] * (turn == 0) + carry
                carry = p[i] * here
                out[i] += here - carry
            if not self.ring:
                break
            if turn == 0:
                carry = carry / (1.0 - np.prod(p, axis=0))
        out = out[::-1] if backward else out
        return np.ascontiguousarray(np.moveaxis(out, 0, 1)).reshape(-1)


def noise_walks(parts: Sequence[Part], states: int) -> list[LineWalk] | None:
    """Implicit noise as walks, in the order in which the flow applies the axes (x first).

    None where the parts are not layers of one shape, one above the other, that end alike: their lines would differ.
    """
    if not parts:
        return []
    shape, periodic = parts[0][1], parts[0][2].periodic
    size = math.prod(shape)
    for part, other, scheme in parts:
        if other != shape or (scheme.periodic != periodic).any() or part.start % size or part.stop - part.start != size:
            return None
    walks = []
    for axis in (2, 1, 0):
        cells, ring = shape[axis], bool(periodic[axis])
        if cells == 1:
            continue
        right, left = np.zeros(states), np.zeros(states)
        for part, _, scheme in parts:
            free = np.broadcast_to(scheme.open > 0, shape)
            right[part], left[part] = (share.reshape(-1) for share in _shares(free, axis, scheme.rate[axis], ring))
        if right.any() or left.any():
            walks.append(LineWalk(cells, math.prod(shape[axis + 1 :]), ring, right, left))
    return walks


def walk_arrays(walks: Sequence[LineWalk], states: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """right, left, after, before of all walks, (walks, states), as kernels take them."""
    if not walks:
        none = np.empty((0, states))
        return none, none, none.astype(np.int32), none.astype(np.int32)
    right, left = (np.stack([getattr(walk, side) for walk in walks]) for side in ("right", "left"))
    after, before = (np.stack(sides) for sides in zip(*(walk.neighbours() for walk in walks), strict=True))
    return right, left, after, before


def _shares(free: np.ndarray, axis: int, rate: float | np.ndarray, ring: bool) -> tuple[np.ndarray, np.ndarray]:
    """``right`` and ``left`` of all lines along an axis, from the rate of every cell, or those (2, n) to the cell after
    and before each."""
    lines = np.moveaxis(free, axis, -1)
    face = lines & np.roll(lines, -1, -1)
    if not ring:
        face[..., -1] = False
    onward, backward = rate if isinstance(rate, np.ndarray) else (rate, rate)
    right, left = line_shares(onward * face, backward * np.roll(face, 1, -1), ring)
    if ring and not isinstance(rate, np.ndarray):
        whole = lines.all(axis=-1)
        right[whole] = left[whole] = 2 * rate / (1 + 2 * rate + math.sqrt(1 + 4 * rate))
    return np.moveaxis(right, -1, axis), np.moveaxis(left, -1, axis)


def line_shares(onward: np.ndarray, backward: np.ndarray, ring: bool) -> tuple[np.ndarray, np.ndarray]:
    """``right`` and ``left`` (..., n) of lines of cells that go to the next one at the rates ``onward``, back at
    ``backward``; see `mfgsolve.steps.walks`."""
    n = onward.shape[-1]
    beyond = np.zeros(onward.shape[:-1])  # e - 1; what goes through a wall is 0, and then so is it behind the wall
    right, left = np.empty(onward.shape), np.empty(onward.shape)
    if ring:
        beyond = _around(onward, backward)
    for k in range(2 * n if ring else n):  # a ring once more: what round-off the fixed point has dies out
        i = k % n
        beyond = backward[..., i] * (1.0 + beyond) / (1.0 + beyond + onward[..., i - 1])
        right[..., i] = onward[..., i] / (1.0 + beyond + onward[..., i])
        left[..., i] = beyond / (1.0 + beyond)
    return right, left


def _around(onward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """e - 1 at the last cell of rings: the fixed point of the maps e -> ((1 + b) e + a) / (e + a), in turn."""
    turn = np.broadcast_to(np.eye(2), (*onward.shape[:-1], 2, 2)).copy()
    for i in range(onward.shape[-1]):
        a, b = onward[..., i - 1], backward[..., i]
        turn = np.stack([np.stack([1.0 + b, a], -1), np.stack([np.ones_like(a), a], -1)], -2) @ turn
        turn /= turn.max(axis=(-2, -1), keepdims=True)
    (a, b), (c, d) = np.moveaxis(turn, (-2, -1), (0, 1))
    return np.asarray(np.maximum((a - d + np.sqrt((a - d) ** 2 + 4.0 * b * c)) / (2.0 * c) - 1.0, 0.0))
