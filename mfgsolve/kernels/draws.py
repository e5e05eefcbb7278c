"""Agents that draw where they go from tilted noise: one by one, as counts, and how two such laws differ.

    p_k(x) = K_k exp((before(x) - after(y)) / eps),   y = near(x, k),   sum_k p_k = 1
           = K_k weight(y) norm(x)                    weight = exp((middle - after) / eps)

A step is one such `Draw` for each axis in turn.  K is that of all cells, or differs from cell to cell: kernels are
compiled for either, and read both through `of_move`.  The second form needs no exponential for a move; where values lie
too far apart for it, ``norm`` is 0 and the first one counts.  Chances are made where somebody is, and nowhere else.
Sums from the last move on, of positive terms, stand for what is left: a difference would cancel.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import binomial, uniform

FEW = 4  # agents in a cell that are moved one by one: no dearer than a binomial for each move
WIDE = 600.0  # largest exponent of a weight: where to stay is likely, no norm comes near the ends of doubles
LEAST, MOST = 1e-300, 1e300  # sums of weights that a norm is made of
A2, A3, A4, A5, A6, A7, A8, A9, A10 = (1.0 / math.factorial(n) for n in range(2, 11))


class Draw(NamedTuple):
    """One draw of all cells.

    Attributes
    ----------
    near : (cells, moves), where each move leads
    noise, logs : K and log K (moves,), or (cells, moves)
    before, after : values (cells,) before and after the draw
    entropy : eps
    weight, norm : (cells,), see the module
    """

    near: np.ndarray
    noise: np.ndarray
    logs: np.ndarray
    before: np.ndarray
    after: np.ndarray
    entropy: float
    weight: np.ndarray
    norm: np.ndarray


def of_move(noise: Any, x: int, k: int) -> Any:
    """K, or its logarithm, of a move from the cell x."""
    return noise[x, k] if noise.ndim == 2 else noise[k]


@overload(of_move, inline="always")
def _of_move(noise, x, k):
    if noise.ndim == 2:
        return lambda noise, x, k: noise[x, k]
    return lambda noise, x, k: noise[k]


def _soften(after, near, noise, logs, entropy):
    """``before`` (cells,), the soft minima -eps log sum_k K_k exp(-after / eps), ``weight`` and ``norm``."""
    moves, low, high = near.shape[1], np.inf, -np.inf
    for y in range(after.size):
        low, high = min(low, after[y]), max(high, after[y])
    middle = 0.5 * (low + high)
    before, weight, norm = np.empty(after.size), np.empty(after.size), np.empty(after.size)
    for y in range(after.size):
        power = (middle - after[y]) / entropy
        weight[y] = np.exp(power) if abs(power) <= WIDE else np.nan
    for x in range(after.size):
        total = 0.0
        for k in range(moves):
            total += of_move(noise, x, k) * weight[near[x, k]]
        if total > LEAST and total < MOST:  # so a weight that is no number says no
            before[x], norm[x] = middle - entropy * np.log(total), 1.0 / total
            continue
        top, total, norm[x] = -np.inf, 0.0, 0.0
        for k in range(moves):
            top = max(top, of_move(logs, x, k) - after[near[x, k]] / entropy)
        for k in range(moves):
            total += np.exp(of_move(logs, x, k) - after[near[x, k]] / entropy - top)
        before[x] = -entropy * (top + np.log(total))
    return before, weight, norm


def _chances(x, draw, chance):
    """Chances (moves,) from the cell x."""
    scale = draw.norm[x]
    if scale > 0.0:
        for k in range(chance.size):
            chance[k] = of_move(draw.noise, x, k) * draw.weight[draw.near[x, k]] * scale
        return
    for k in range(chance.size):
        chance[k] = np.exp(of_move(draw.logs, x, k) + (draw.before[x] - draw.after[draw.near[x, k]]) / draw.entropy)


chances = jit(_chances)


def _sum_left(chance, left):
    """Sums (moves + 1,) from each move on."""
    total = 0.0
    left[chance.size] = 0.0
    for k in range(chance.size - 1, -1, -1):
        total += chance[k]
        left[k] = total


def _pick(u, left):
    """The move that a uniform number in [0, 1) falls on: its chance is above 0."""
    mark, k = (1.0 - u) * left[0], 0
    while k + 2 < left.size and left[k + 1] >= mark:
        k += 1
    return k


sum_left, pick = jit(_sum_left), jit(_pick)


def _walk_draw(cells, draw, table, known, stream):
    """Move every agent by one draw; a cell of -1 is an agent that has left.

    ``table`` (cells, moves + 1) keeps sums of chances of cells that are ``known`` already.
    """
    chance = np.empty(draw.near.shape[1])
    for i in range(cells.size):
        x = cells[i]
        if x < 0:
            continue
        if not known[x]:
            chances(x, draw, chance)
            sum_left(chance, table[x])
            known[x] = True
        cells[i] = draw.near[x, pick(uniform(stream), table[x])]


def _split_draw(counts, draw, stream):
    """Multinomial draw of all agents of a cell at once: counts (cells,) int64 after it."""
    moves = draw.near.shape[1]
    chance, left = np.empty(moves), np.empty(moves + 1)
    moved = np.zeros(counts.size, dtype=np.int64)
    for x in range(counts.size):
        waiting = counts[x]
        if waiting == 0:
            continue
        chances(x, draw, chance)
        sum_left(chance, left)
        if waiting <= FEW:
            for _ in range(waiting):
                moved[draw.near[x, pick(uniform(stream), left)]] += 1
            continue
        for k in range(moves):
            if chance[k] == 0.0:
                continue
            here = binomial(stream, waiting, chance[k] / left[k])
            moved[draw.near[x, k]] += here
            waiting -= here
            if waiting == 0:
                break
    return moved


def _push_draw(mass, draw):
    """Mass (cells,) after the draw; it may be a change of a mass, of either sign."""
    chance, moved = np.empty(draw.near.shape[1]), np.zeros(mass.size)
    for x in range(mass.size):
        if mass[x] == 0.0:
            continue
        chances(x, draw, chance)
        for k in range(chance.size):
            moved[draw.near[x, k]] += mass[x] * chance[k]
    return moved


def _edge_draw(mass, draw):
    """Mass that goes to either end of the stencil."""
    chance, edge = np.empty(draw.near.shape[1]), 0.0
    for x in range(mass.size):
        if mass[x] == 0.0:
            continue
        chances(x, draw, chance)
        edge += mass[x] * (chance[0] + chance[-1])
    return edge


def _expect_draw(value, draw):
    """Mean of a value (cells,) where the draw leads."""
    chance, mean = np.empty(draw.near.shape[1]), np.empty(value.size)
    for x in range(value.size):
        chances(x, draw, chance)
        total = 0.0
        for k in range(chance.size):
            total += chance[k] * value[draw.near[x, k]]
        mean[x] = total
    return mean


def _mean_move(draw):
    """Mean number of cells (cells,) that the draw goes, those through a wall counted on."""
    chance, mean = np.empty(draw.near.shape[1]), np.empty(draw.before.size)
    reach = chance.size // 2
    for x in range(mean.size):
        chances(x, draw, chance)
        total = 0.0
        for k in range(chance.size):
            total += (k - reach) * chance[k]
        mean[x] = total
    return mean


def _excess(p, q, r):
    """p log(p / q) - p + q, for r = log(p / q), without cancelling where r is small: p (r^2 / 2 - r^3 / 6 + ...)."""
    if abs(r) > 0.125:
        return p * (r - 1.0) + q
    low = A2 - r * (A3 - r * (A4 - r * A5))
    square = r * r
    return p * square * (low + square * square * (A6 - r * (A7 - r * (A8 - r * (A9 - r * A10)))))


excess = jit(_excess)


def _diverge(mass, draw, other):
    """sum_x m(x) KL(p(x) || q(x)) of two draws of the same noise, p of the first one.

    Term by term p log(p / q) - p + q: none is negative, so that nothing cancels.
    """
    total, moves = 0.0, draw.near.shape[1]
    p, q = np.empty(moves), np.empty(moves)
    for x in range(mass.size):
        if mass[x] == 0.0:
            continue
        chances(x, draw, p)
        chances(x, other, q)
        here, apart = 0.0, draw.before[x] - other.before[x]
        for k in range(moves):
            y = draw.near[x, k]
            here += excess(p[k], q[k], (apart - (draw.after[y] - other.after[y])) / draw.entropy)
        total += mass[x] * here
    return total


soften, push_draw, expect_draw, mean_move = jit(_soften), jit(_push_draw), jit(_expect_draw), jit(_mean_move)
edge_draw, walk_draw, split_draw, diverge = jit(_edge_draw), jit(_walk_draw), jit(_split_draw), jit(_diverge)
