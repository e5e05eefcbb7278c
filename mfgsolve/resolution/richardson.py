"""Orders and errors from the same number on ever coarser meshes: pure functions of numbers, after Richardson.

P1, P2, P3 belong to the finest mesh, to one that is ``ratio`` times as coarse, and to one that is so once more.  With
P_k = P + C (ratio^k h)^p,

    p = log_ratio((P2 - P3) / (P1 - P2)),      P1 - P = (P1 - P2) / (ratio^p - 1)

(Richardson, doi:10.1098/rsta.1911.0009; Roache, doi:10.1115/1.2910291, for what is made of it here).  An order that is
measured is believed between `LEAST` and the formal one; an error is estimated, not bounded, and rather too large than
too small: where two error terms of different order have about the same size, the differences are small by accident, and
the coarser one says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["LEAST", "error_of", "extrapolated", "extrapolated_twice", "observed_order"]

LEAST = 0.5  # order that is believed at least


def observed_order(first: float, second: float, third: float, formal: float, ratio: float = 2.0) -> float:
    """Order that three meshes show, clipped to [`LEAST`, formal]; NaN where the differences show none.

    Parameters
    ----------
    first, second, third : P1 (finest), P2, P3
    formal : order of the scheme
    ratio : from one mesh width to the next

    Examples
    --------
    >>> round(observed_order(1.0 + 0.1, 1.0 + 0.2, 1.0 + 0.4, formal=2.0), 12)
    1.0
    """
    near, far = first - second, second - third
    if not near * far > 0 or not math.isfinite(near * far):
        return math.nan
    return min(max(math.log(far / near) / math.log(ratio), LEAST), formal)


def error_of(
    first: float, second: float, third: float, formal: float, ratio: float = 2.0, least: float = LEAST
) -> float:
    """Estimated error of P1, at least zero; NaN where P1 or P2 was not measured.

    *Three meshes, differences of one sign*: |P1 - P2| / (ratio^p - 1) with the observed order, and no less than
    |P2 - P3| / (ratio^(2 formal) - 1), which decides where P1 and P2 agree by accident.  *Differences of different
    signs*: |P1 - P2| as of order ``least``, or |P2 - P3| where that is more.  *Two meshes*: |P1 - P2| as of order
    ``least``.

    Examples
    --------
    >>> round(error_of(1.1, 1.2, 1.4, formal=1.0), 12)  # of P = 1
    0.1
    """
    near, far = abs(first - second), abs(second - third)
    order = observed_order(first, second, third, formal, ratio)
    widest = near / (ratio**least - 1.0)
    if math.isfinite(order):
        return max(near / (ratio**order - 1.0), far / (ratio ** (2.0 * formal) - 1.0))
    return max(widest, far) if math.isfinite(far) else widest


def extrapolated(first: float, second: float, order: float, ratio: float = 2.0) -> float:
    """P1 + (P1 - P2) / (ratio^order - 1), where P lies if the order holds.

    Examples
    --------
    >>> round(extrapolated(1.1, 1.2, 1.0), 12)
    1.0
    """
    return first + (first - second) / (ratio**order - 1.0)


def extrapolated_twice(values: Sequence[float], steps: Sequence[int], order: float = 2.0) -> float:
    """P of  P_k = P + A / T_k^order + B / T_k^(order + 1),  from three runs in different numbers of steps.

    Beside the extrapolation of two of them it tells how far that is off: a next term of an order less than the scheme
    most often has makes it rather too large.

    Examples
    --------
    >>> round(extrapolated_twice([3 + 2 / T**2 - 5 / T**3 for T in (60, 30, 20)], (60, 30, 20)), 12)
    3.0
    """
    widths = 1.0 / np.asarray(steps, dtype=float)
    widths /= widths.max()  # of order one
    matrix = np.stack([np.ones(3), widths**order, widths ** (order + 1.0)], axis=1)
    return float(np.linalg.solve(matrix, np.asarray(values, dtype=float))[0])
