"""A shared reward, f = -r / (1 + c rho): cost, slope and potential of whole levels in one pass over the crowd.

    x = c m / h,     f = -r / (1 + x),     f' = c r / (1 + x)^2,     F = -(r / c) log(1 + x)

with h the volume of a cell.  A piece of a level at a time, so that x stays in the nearest cache: instructions bind
here (three divisions and a logarithm a cell), not memory.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.elementary import log1p
from mfgsolve.kernels.vectors import sum_of

PIECE = 512  # cells


def _congestion(mass, loss, cost, slope, factors, weights, volume, rate):
    """sum_t weights_t sum -r log(1 + x); fills cost with f, and slope with factors_t f'.

    Arrays are (levels, cells); ``loss`` is -r, and a single level of it stands for all.  What has no level is not
    wanted, ``weights`` (levels,) among them.
    """
    levels, cells = mass.shape
    room, sums = np.empty(PIECE), np.zeros(PIECE)
    for t in range(levels):
        m, r = mass[t], loss[t if loss.shape[0] > 1 else 0]
        for first in range(0, cells, PIECE):
            last = min(first + PIECE, cells)
            here, gain, x, total = m[first:last], r[first:last], room[: last - first], sums[: last - first]
            for i in range(x.size):
                x[i] = here[i] / volume * rate
            if cost.shape[0] > 0:
                f = cost[t, first:last]
                for i in range(x.size):
                    f[i] = gain[i] / (x[i] + 1.0)
            if slope.shape[0] > 0:
                f, factor = slope[t, first:last], factors[t]
                for i in range(x.size):
                    crowd = x[i] + 1.0
                    f[i] = -rate / (crowd * crowd) * gain[i] * factor
            if weights.size > 0:
                weight = weights[t]
                for i in range(x.size):
                    total[i] += weight * (gain[i] * log1p(x[i]))
    return sum_of(sums)


congestion = jit(_congestion)
