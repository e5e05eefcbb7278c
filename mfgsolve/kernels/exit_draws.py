"""Draws of `mfgsolve.kernels.draws` whose noise differs from cell to cell: beside exits some of it ends there.

A `Draw` holds K and its logarithm as arrays (cells, moves); moves of no chance, K = 0, lead to the cell itself, and
count nowhere.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.draws import chances, expect_draw, push_draw, soften, split_draw, walk_draw

__all__ = [
    "diverge", "edge_draw", "expect_draw", "mean_move", "push_draw", "soften", "split_draw", "walk_draw",
]  # fmt: skip


def _edge_draw(mass, draw):
    """Mass that goes to either end of the stencil."""
    chance, edge = np.empty(draw.near.shape[1]), 0.0
    for x in range(mass.size):
        if mass[x] == 0.0:
            continue
        chances(x, draw, chance)
        edge += mass[x] * (
            (chance[0] if draw.near[x, 0] != x else 0.0) + (chance[-1] if draw.near[x, -1] != x else 0.0)
        )
    return edge


def _mean_move(draw):
    """Mean number of cells (cells,) that the draw goes; to leave counts as the way to the exit."""
    chance, mean = np.empty(draw.near.shape[1]), np.empty(draw.before.size)
    reach = chance.size // 2
    for x in range(mean.size):
        chances(x, draw, chance)
        total = 0.0
        for k in range(chance.size):
            if draw.near[x, k] != x:
                total += (k - reach) * chance[k]
        mean[x] = total
    return mean


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
            if draw.noise[x, k] == 0.0:
                continue
            y = draw.near[x, k]
            r = (apart - (draw.after[y] - other.after[y])) / draw.entropy
            if abs(r) > 0.125:
                here += p[k] * (r - 1.0) + q[k]
            else:  # p (r - 1 + exp(-r)) by its series
                term, power = 0.0, r * r * 0.5
                for n in range(3, 13):
                    term += power
                    power *= -r / n
                here += p[k] * (term + power)
        total += mass[x] * here
    return total


edge_draw, mean_move, diverge = jit(_edge_draw), jit(_mean_move), jit(_diverge)
