"""Agents that draw where they go from tilted noise: one by one, as counts, and how two such laws differ.

    p_k(x) = K_k exp((before(x) - after(near(x, k))) / eps),   sum_k p_k = 1

Legend: one draw takes a cell x to ``near`` (cells, moves) with chance p_k; ``taps`` log K (moves,), ``before`` and
``after`` (cells,) values before and after the draw, ``entropy`` eps.  A step is one such draw for each axis in turn.

Chances are made where somebody is, and nowhere else.  Sums from the last move on, of positive terms, stand for what is
left: a difference would cancel.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import binomial, uniform

FEW = 4  # agents in a cell that are moved one by one: no dearer than a binomial for each move


def _soften(after, near, taps, entropy):
    """Values (cells,) before a draw: -eps log sum_k K_k exp(-after(near(x, k)) / eps), which makes chances sum to 1."""
    before, moves = np.empty(after.size), taps.size
    exponent = np.empty(moves)
    for x in range(after.size):
        top = -np.inf
        for k in range(moves):
            exponent[k] = taps[k] - after[near[x, k]] / entropy
            top = max(top, exponent[k])
        total = 0.0
        for k in range(moves):
            total += np.exp(exponent[k] - top)
        before[x] = -entropy * (top + np.log(total))
    return before


soften = jit(_soften)


def _tilt(x, near, taps, before, after, entropy, chance, left):
    """Chances (moves,) from the cell x, and their sums (moves + 1,) from each move on."""
    moves, total = taps.size, 0.0
    left[moves] = 0.0
    for k in range(moves - 1, -1, -1):
        chance[k] = np.exp(taps[k] + (before[x] - after[near[x, k]]) / entropy)
        total += chance[k]
        left[k] = total


tilt = jit(_tilt)


def _pick(u, left):
    """The move that a uniform number in [0, 1) falls on: its chance is above 0."""
    mark, k = (1.0 - u) * left[0], 0
    while k + 2 < left.size and left[k + 1] >= mark:
        k += 1
    return k


pick = jit(_pick)


def _walk_draw(cells, near, taps, before, after, entropy, table, known, stream):
    """Move every agent by one draw; a cell of -1 is an agent that has left.

    ``table`` (cells, moves + 1) keeps sums of chances of cells that are ``known`` already.
    """
    chance = np.empty(taps.size)
    for i in range(cells.size):
        x = cells[i]
        if x < 0:
            continue
        if not known[x]:
            tilt(x, near, taps, before, after, entropy, chance, table[x])
            known[x] = True
        cells[i] = near[x, pick(uniform(stream), table[x])]


def _split_draw(counts, near, taps, before, after, entropy, stream):
    """Multinomial draw of all agents of a cell at once: counts (cells,) int64 after it."""
    moves = taps.size
    chance, left = np.empty(moves), np.empty(moves + 1)
    moved = np.zeros(counts.size, dtype=np.int64)
    for x in range(counts.size):
        waiting = counts[x]
        if waiting == 0:
            continue
        tilt(x, near, taps, before, after, entropy, chance, left)
        if waiting <= FEW:
            for _ in range(waiting):
                moved[near[x, pick(uniform(stream), left)]] += 1
            continue
        for k in range(moves):
            if chance[k] == 0.0:
                continue
            here = binomial(stream, waiting, chance[k] / left[k])
            moved[near[x, k]] += here
            waiting -= here
            if waiting == 0:
                break
    return moved


def _push_draw(mass, near, taps, before, after, entropy):
    """Mass (cells,) after the draw."""
    moved = np.zeros(mass.size)
    for x in range(mass.size):
        if mass[x] == 0.0:
            continue
        for k in range(taps.size):
            y = near[x, k]
            moved[y] += mass[x] * np.exp(taps[k] + (before[x] - after[y]) / entropy)
    return moved


def _expect_draw(value, near, taps, before, after, entropy):
    """Mean of a value (cells,) where the draw leads."""
    mean = np.empty(value.size)
    for x in range(value.size):
        total = 0.0
        for k in range(taps.size):
            y = near[x, k]
            total += np.exp(taps[k] + (before[x] - after[y]) / entropy) * value[y]
        mean[x] = total
    return mean


def _diverge(mass, near, taps, before, after, entropy, best_before, best_after):
    """sum_x m(x) KL(p(x) || p'(x)), p' the same draw from the values ``best_before`` and ``best_after``.

    Term by term p (r + exp(-r) - 1), r = log(p / p'): none is negative, so that nothing cancels.
    """
    total = 0.0
    for x in range(mass.size):
        if mass[x] == 0.0:
            continue
        here, apart = 0.0, before[x] - best_before[x]
        for k in range(taps.size):
            y = near[x, k]
            p = np.exp(taps[k] + (before[x] - after[y]) / entropy)
            r = (apart - (after[y] - best_after[y])) / entropy
            if r > -1.0:
                here += p * (r + np.expm1(-r))
            else:  # exp(-r) may be large where p is small
                here += p * (r - 1.0) + np.exp(taps[k] + (best_before[x] - best_after[y]) / entropy)
        total += mass[x] * here
    return total


push_draw, expect_draw = jit(_push_draw), jit(_expect_draw)
walk_draw, split_draw, diverge = jit(_walk_draw), jit(_split_draw), jit(_diverge)
