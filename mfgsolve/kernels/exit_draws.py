"""Draws of `mfgsolve.kernels.draws` whose noise differs from cell to cell: beside exits some of it ends there.

    p_k(x) = K_k(x) exp((before(x) - after(y)) / eps),   y = near(x, k),   sum_k p_k = 1
           = K_k(x) weight(y) norm(x)                    weight = exp((middle - after) / eps)

A `Draw` holds K and its logarithm as arrays (cells, moves); moves of no chance, K = 0, lead to the cell itself.  Where
values lie too far apart for the second form ``norm`` is 0 and the first one counts.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.draws import FEW, WIDE
from mfgsolve.kernels.random import binomial, uniform


def _soften(after, near, noise, logs, entropy):
    """``before`` (cells,), the soft minima -eps log sum_k K_k exp(-after / eps), ``weight`` and ``norm``."""
    cells, moves = near.shape
    middle = 0.5 * (after.min() + after.max())
    before, weight, norm = np.empty(cells), np.empty(cells), np.empty(cells)
    for y in range(cells):
        power = (middle - after[y]) / entropy
        weight[y] = np.exp(power) if abs(power) <= WIDE else np.nan
    for x in range(cells):
        total = 0.0
        for k in range(moves):
            total += noise[x, k] * weight[near[x, k]]
        if total > 1e-300 and total < 1e300:  # so a weight that is no number says no
            before[x], norm[x] = middle - entropy * np.log(total), 1.0 / total
            continue
        top, total, norm[x] = -np.inf, 0.0, 0.0
        for k in range(moves):
            top = max(top, logs[x, k] - after[near[x, k]] / entropy)
        for k in range(moves):
            total += np.exp(logs[x, k] - after[near[x, k]] / entropy - top)
        before[x] = -entropy * (top + np.log(total))
    return before, weight, norm


def _chances(x, draw, chance):
    """Chances (moves,) from the cell x."""
    scale = draw.norm[x]
    if scale > 0.0:
        for k in range(chance.size):
            chance[k] = draw.noise[x, k] * draw.weight[draw.near[x, k]] * scale
        return
    for k in range(chance.size):
        chance[k] = np.exp(draw.logs[x, k] + (draw.before[x] - draw.after[draw.near[x, k]]) / draw.entropy)


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


chances, sum_left, pick = jit(_chances), jit(_sum_left), jit(_pick)


def _walk_draw(cells, draw, table, known, stream):
    """Move every agent by one draw; a cell of -1 is an agent that is not there.

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
        edge += mass[x] * (
            (chance[0] if draw.near[x, 0] != x else 0.0) + (chance[-1] if draw.near[x, -1] != x else 0.0)
        )
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


soften, push_draw, expect_draw, mean_move = jit(_soften), jit(_push_draw), jit(_expect_draw), jit(_mean_move)
edge_draw, walk_draw, split_draw, diverge = jit(_edge_draw), jit(_walk_draw), jit(_split_draw), jit(_diverge)
