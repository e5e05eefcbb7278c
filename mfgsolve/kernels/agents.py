"""Agents that walk: one by one, or as counts that split by binomials; one step of one replica at a time.

Legend: ``choices`` pi (states, actions), ``first``, ``successor``, ``chance`` the transitions of the step (row a S + x
as in `mfgsolve.kernels.finite`), ``certain`` says that every row has one successor; ``chosen`` (actions, states) counts
who chose what, and is empty where nobody asks.

Implicit noise along an axis is a walk: from its cell an agent goes on to the next one with probability ``right`` as
often as it likes, then back with probability ``left``, and stays.  The two come from the elimination of the tridiagonal
I - nu dt Lap (see `mfgsolve.steps.walks`), so that the law is that of the solve, cell by cell.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import binomial, draw


def _walk(cells, choices, certain, first, successor, chance, right, left, after, before, stream, actions):
    """Move every agent by one step; a cell of -1 is an agent that has left.  ``actions`` keeps what each chose."""
    states, many = choices.shape
    a, b, c, d = stream[0], stream[1], stream[2], stream[3]
    for i in range(cells.size):
        x = cells[i]
        if x < 0:
            continue
        choice = 0
        if many > 1:
            u, a, b, c, d = draw(a, b, c, d)
            for k in range(many):
                if choices[x, k] > 0.0:
                    choice = k
                    u -= choices[x, k]
                    if u < 0.0:
                        break
        if actions.size > 0:
            actions[i] = choice
        row = choice * states + x
        if certain:  # from here on as in `learning.play`: a function for both takes five times as long
            y = successor[row]
        else:
            y, u = successor[first[row]], 0.0
            if first[row + 1] - first[row] > 1:
                u, a, b, c, d = draw(a, b, c, d)
            for k in range(first[row], first[row + 1]):
                if chance[k] > 0.0:
                    y = successor[k]
                    u -= chance[k]
                    if u < 0.0:
                        break
        for axis in range(right.shape[0]):
            u, a, b, c, d = draw(a, b, c, d)
            while u < right[axis, y]:
                y = after[axis, y]
                u, a, b, c, d = draw(a, b, c, d)
            u, a, b, c, d = draw(a, b, c, d)
            while u < left[axis, y]:
                y = before[axis, y]
                u, a, b, c, d = draw(a, b, c, d)
        cells[i] = y
    stream[0], stream[1], stream[2], stream[3] = a, b, c, d


def _split(counts, choices, certain, first, successor, chance, stream, moved, chosen):
    """Multinomial choice and transition of all agents of a cell at once: counts to moved (both (states,) int64)."""
    states, many = choices.shape
    moved[:] = 0
    for x in range(states):
        waiting = counts[x]
        if waiting == 0:
            continue
        share = 0.0
        for a in range(many):
            share += choices[x, a]
        for a in range(many):
            p = choices[x, a]
            if p <= 0.0 or waiting == 0:
                continue
            rest = 0.0  # what is left for the actions after this one: summed anew, since a difference would cancel
            for b in range(a + 1, many):
                rest += choices[x, b]
            here = waiting if rest == 0.0 else binomial(stream, waiting, p / (p + rest))
            waiting -= here
            if here == 0:
                continue
            if chosen.size > 0:
                chosen[a, x] += here
            row = a * states + x
            if certain:
                moved[successor[row]] += here
                continue
            last = first[row + 1]
            for k in range(first[row], last):
                p = chance[k]
                if p <= 0.0 or here == 0:
                    continue
                rest = 0.0
                for j in range(k + 1, last):
                    rest += chance[j]
                going = here if rest == 0.0 else binomial(stream, here, p / (p + rest))
                moved[successor[k]] += going
                here -= going


def _drift(counts, starts, stride, n, share, ring, backward, stream):
    """Agents go on along their lines with probability ``share`` as often as they like, in one direction.

    All lines step by step: binomials of neighbouring lines do not wait for each other, those along a line do.
    """
    carry = np.zeros(starts.size, dtype=np.int64)
    for step in range(n):
        shift = stride * (n - 1 - step if backward else step)
        for line in range(starts.size):
            cell = starts[line] + shift
            here = counts[cell] + carry[line]
            on = binomial(stream, here, share[cell])
            counts[cell] = here - on
            carry[line] = on
    if not ring:
        return
    for line in range(starts.size):
        on, step = carry[line], 0
        while on > 0:
            cell = starts[line] + stride * (n - 1 - step if backward else step)
            stay = on
            on = binomial(stream, on, share[cell])
            counts[cell] += stay - on
            step = step + 1 if step + 1 < n else 0


drift = jit(_drift)


def _spread(counts, n, stride, right, left, ring, stream):
    """Implicit noise of all agents along one axis of ``n`` cells ``stride`` apart."""
    starts = np.empty(counts.size // n, dtype=np.int64)
    for line in range(starts.size):
        starts[line] = (line // stride) * n * stride + line % stride
    drift(counts, starts, stride, n, right, ring, False, stream)
    drift(counts, starts, stride, n, left, ring, True, stream)


walk, split, spread = jit(_walk), jit(_split), jit(_spread)
