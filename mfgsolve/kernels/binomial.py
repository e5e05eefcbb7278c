"""Binomial sums, many at once: values k and weights for every item, handed out round by round.

Legend: B is binomial, ``others`` n and ``chance`` p (items).  ``stride`` (items) says how E f(B) is summed: over every
k (1), over every h-th k (h > 1), or at the nodes of Gauss and Hermite (0).  ``k`` and ``weight`` (items) are those of
this round, ``busy`` whether an item has one, ``odds`` (p / (1 - p))^h.  Rounds belong to classes, each of which gives
an estimate: every third round of a sum (of two classes a kink half-way between them would move both alike), the larger
and the smaller set of nodes.  ``sums`` (7, items): sums of weight f and of weight in the first, second and third class,
and |f| where a sum starts and where it ends.
"""

from __future__ import annotations

import math

import numpy as np

from mfgsolve.kernels import jit

DENSE = 0.27  # stride in standard deviations: a class has three times it, and 2 pi / 0.81 of them are beyond round-off
LONGEST = 16  # stride whose products of factors cannot overflow
LEFT_OUT = 1e-17  # of the sum of weights, at each end
WIDE = 24.0  # standard deviation from which on nodes are tried
NODES = 9, 7  # exact for polynomials of degree 8 and 6, and for those of degree 17 and 13 but for the skew of B


def _expansion(count):
    """Nodes z of the normal distribution, and weight He_i(z) / i! there, i = 0..8 (no more than ``count`` of them)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    table = np.zeros((count, NODES[0]))
    for i in range(count):
        table[:, i] = np.polynomial.hermite_e.hermeval(nodes, np.eye(count)[i]) / math.factorial(i)
    return nodes, table * (weights / weights.sum())[:, None]


POINTS, TABLE = (np.concatenate(pair) for pair in zip(*(_expansion(count) for count in NODES), strict=True))


def _node_weight(row, p, s):
    """sum_i E He_i((B - n p) / s) row_i: the weight of a node, from the cumulants of B."""
    q = 1.0 - p
    pq, skew, square = p * q, (1.0 - 2.0 * p) / s, 1.0 / (s * s)
    third, fourth = skew, (1.0 - 6.0 * pq) * square
    fifth = skew * square * (1.0 - 12.0 * pq)
    sixth = square * square * (1.0 - 30.0 * pq + 120.0 * pq * pq)
    seventh = skew * square * square * (1.0 - 60.0 * pq + 360.0 * pq * pq)
    eighth = square * square * square * (1.0 - 126.0 * pq + 1680.0 * pq * pq - 5040.0 * pq * pq * pq)
    total = row[0] + third * row[3] + fourth * row[4] + fifth * row[5]
    total += (sixth + 10.0 * third * third) * row[6] + (seventh + 35.0 * third * fourth) * row[7]
    return total + (eighth + 56.0 * third * fifth + 35.0 * fourth * fourth) * row[8]


node_weight = jit(_node_weight)


def _leap(n, k, h):
    """P(B = k + h) / P(B = k), but for the odds."""
    above, below = 1.0, 1.0
    for i in range(h):
        above *= n - k - i
        below *= k + 1 + i
    return above / below


leap = jit(_leap)


def _begin(others, chance, longest, k, weight, odds, stride, busy, sums):
    """The first round; ``longest`` stride allowed of each item, 0: nodes or any, negative: it is not asked for."""
    n = others
    for i in range(chance.size):
        p = chance[i]
        q = 1.0 - p
        for j in range(7):
            sums[j, i] = 0.0
        k[i], weight[i], odds[i], stride[i], busy[i] = 0.0, 1.0, 0.0, 1, longest[i] >= 0
        if not busy[i]:
            continue
        if p <= 0.0 or q <= 0.0 or n < 1.0:
            k[i] = n if p >= 0.5 else 0.0
            continue
        mean = n * p
        s = math.sqrt(mean * q)
        if s >= WIDE and longest[i] == 0:
            stride[i], k[i] = 0, mean + s * POINTS[0]
            weight[i] = node_weight(TABLE[0], p, s)
            continue
        most = LONGEST if longest[i] == 0 else longest[i]
        h = min(most, max(1, int(DENSE * s)))
        stride[i], odds[i] = h, (p / q) ** h
        at, here = min(math.floor((n + 1.0) * p), n), 1.0  # from the mode down to where nothing is left
        while at >= h:
            ratio = 1.0 / (leap(n, at - h, h) * odds[i])
            if here * ratio <= LEFT_OUT * (1.0 - ratio):
                break
            here *= ratio
            at -= h
        k[i], weight[i] = at, here


def _collect(others, chance, cost, turn, k, weight, odds, stride, busy, sums):
    """Add round ``turn`` (``cost`` is f at k) and go on to the next; returns how many items have one."""
    n, active, last = others, 0, NODES[0] + NODES[1] - 1
    for i in range(chance.size):
        if not busy[i]:
            continue
        w, h = weight[i], stride[i]
        if h == 0:
            at = 0 if turn < NODES[0] else 2
            sums[at, i] += w * cost[i]
            sums[at + 1, i] += w
            if turn == last:
                busy[i] = False
                continue
            p = chance[i]
            s = math.sqrt(n * p * (1.0 - p))
            k[i] = n * p + s * POINTS[turn + 1]
            weight[i] = node_weight(TABLE[turn + 1], p, s)
            active += 1
            continue
        at = 2 * (turn % 3)
        sums[at, i] += w * cost[i]
        sums[at + 1, i] += w
        if turn == 0:
            sums[6, i] = abs(cost[i])
        later = w * (leap(n, k[i], h) * odds[i])
        if later < w and later * w <= LEFT_OUT * (w - later) * (sums[1, i] + sums[3, i] + sums[5, i]):
            sums[6, i] += abs(cost[i])
            busy[i] = False
            continue
        k[i] += h
        weight[i] = later
        active += 1
    return active


def _estimate(stride, sums, mean, difference):
    """Expectation of f, and how far the classes differ about it; 0 where every k was summed."""
    for i in range(stride.size):
        mean[i], difference[i] = 0.0, 0.0
        if sums[1, i] == 0.0:  # not asked for
            continue
        mean[i] = (sums[0, i] + sums[2, i] + sums[4, i]) / (sums[1, i] + sums[3, i] + sums[5, i])
        if stride[i] == 1:
            continue
        first, second = sums[0, i] / sums[1, i], sums[2, i] / sums[3, i]
        if stride[i] == 0:
            mean[i], difference[i] = first, abs(first - second)
        else:
            third = sums[4, i] / sums[5, i]
            difference[i] = max(first, second, third) - min(first, second, third)


begin, collect, estimate = jit(_begin), jit(_collect), jit(_estimate)
