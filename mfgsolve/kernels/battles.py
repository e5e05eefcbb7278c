"""Battles of groups on a map: what agents see, and what those around them did last.

Legend: arrays are (world, member, slot): ``position`` (x, y), ``power``, ``alive``; members are groups, then food.
``last`` is what each agent of a group did last, a code of an act, -1 for nothing yet; ``acts[code]`` is its (dx, dy) of
a move, in units of 2 cells, and 1 for an attack.  ``looks[group, member]`` is what a group takes a member for: others
are seen *relatively*, 0 one's own group, 1 the next in the cycle, ..., food keeps its number; members that are taken
for the same are seen as one.  ``target[dy + 2, dx + 2]`` numbers the cells of a disc of radius 2 without its centre, -1
outside.

A row of ``out`` of `observe`, for M members and 12 cells of the disc:

==============  ==========================================================================================
3               own power, place from -1/2 to 1/2 in x and y
3               last act
12 (M + 1)      on each cell of the disc: which member is there, one-hot, and its power
16 M            counts / 4 of each member on rings up to 3.5 and up to 6.5, in 8 sectors
4 M             of the nearest of each member: direction (2), 1 / distance, power; zeros if there is none
M               share of each member that is alive
1               time, from 0 to 1
==============  ==========================================================================================
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit

DISC, RINGS, SECTORS = 12, 2, 8
INNER, OUTER = 12.25, 42.25  # squares of the radii of the rings


def _sector(dx, dy):
    """One of 8 eighths of the plane around a cell."""
    return 4 * int(dx > 0) + 2 * int(dy > 0) + int(abs(dx) > abs(dy))


sector = jit(_sector)


def _look(w, g, s, position, power, alive, looks, target, row, nearest):
    """Everybody else, as agent s of group g sees them; ``nearest`` (member, 2) is scratch: squared distance, power."""
    members, slots = alive.shape[1], alive.shape[2]
    cells, rings, close = 6, 6 + DISC * (members + 1), 6 + DISC * (members + 1) + members * RINGS * SECTORS
    x, y = position[w, g, s, 0], position[w, g, s, 1]
    for m in range(members):
        nearest[m, 0] = np.inf
    for m in range(members):
        relative = looks[g, m]
        for k in range(slots):
            if not alive[w, m, k] or (m == g and k == s):
                continue
            dx, dy = position[w, m, k, 0] - x, position[w, m, k, 1] - y
            square = dx * dx + dy * dy
            if square < nearest[relative, 0]:
                nearest[relative, 0], nearest[relative, 1] = square, power[w, m, k]
                row[close + 4 * relative], row[close + 4 * relative + 1] = dx, dy
            if square <= OUTER:
                ring = int(square > INNER)
                row[rings + (relative * RINGS + ring) * SECTORS + sector(dx, dy)] += 0.25
                if abs(dx) <= 2 and abs(dy) <= 2 and target[dy + 2, dx + 2] >= 0:
                    at = cells + target[dy + 2, dx + 2] * (members + 1)
                    row[at + relative] = 1.0
                    row[at + members] = power[w, m, k]
    for m in range(members):
        if nearest[m, 0] < np.inf:
            closeness = 1.0 / np.sqrt(nearest[m, 0])
            row[close + 4 * m] *= closeness
            row[close + 4 * m + 1] *= closeness
            row[close + 4 * m + 2] = closeness
            row[close + 4 * m + 3] = nearest[m, 1]


look = jit(_look)


def _observe(position, power, alive, playing, last, acts, counts, looks, size, time, target, out):
    """Observations of all the living in worlds that play; zeros of everybody else."""
    worlds, members, slots = alive.shape
    living, whole, nearest = np.empty((members, 2)), np.empty(members), np.empty((members, 2))
    for w in range(worlds):
        for m in range(members):
            whole[m] = 0.0
            for k in range(slots):
                whole[m] += 1.0 if alive[w, m, k] else 0.0
        for g in range(last.shape[1]):
            living[:, :] = 0.0
            for m in range(members):
                living[looks[g, m], 0] += whole[m]
                living[looks[g, m], 1] += counts[m]
            for s in range(slots):
                row = out[w, g, s]
                row[:] = 0.0
                if not alive[w, g, s] or not playing[w]:
                    continue
                row[0] = power[w, g, s]
                row[1] = (position[w, g, s, 0] - 0.5 * (size - 1)) / size
                row[2] = (position[w, g, s, 1] - 0.5 * (size - 1)) / size
                if last[w, g, s] >= 0:
                    for k in range(3):
                        row[3 + k] = acts[last[w, g, s], k]
                look(w, g, s, position, power, alive, looks, target, row, nearest)
                end = row.size - members - 1
                for m in range(members):
                    row[end + m] = living[m, 0] / max(living[m, 1], 1.0)
                row[end + members] = time


def _around(position, alive, playing, last, types, square, out):
    """Mean acts of the living within a squared distance, (world, group, slot, type, code); zeros where nobody is.

    ``types[group of who looks, world, group, slot]`` is the type of everybody to it.
    """
    worlds, groups, slots = last.shape
    counts = np.empty(out.shape[3])
    for w in range(worlds):
        for g in range(groups):
            for s in range(slots):
                mean = out[w, g, s]
                mean[:, :] = 0.0
                if not alive[w, g, s] or not playing[w]:
                    continue
                counts[:] = 0.0
                x, y = position[w, g, s, 0], position[w, g, s, 1]
                for m in range(groups):
                    for k in range(slots):
                        if not alive[w, m, k] or last[w, m, k] < 0 or (m == g and k == s):
                            continue
                        dx, dy = position[w, m, k, 0] - x, position[w, m, k, 1] - y
                        if dx * dx + dy * dy <= square:
                            kind = types[g, m, k]
                            counts[kind] += 1.0
                            mean[kind, last[w, m, k]] += 1.0
                for kind in range(counts.size):
                    if counts[kind] > 1.0:
                        share = 1.0 / counts[kind]
                        for code in range(mean.shape[1]):
                            mean[kind, code] *= share


observe, around = jit(_observe), jit(_around)
