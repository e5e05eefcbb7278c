"""What economists read off a distribution of wealth: quantiles, Lorenz curves, Gini, propensities to consume.

All are those of the law on its points, an atom included; nothing is smoothed.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["gini", "lorenz", "propensity", "quantiles"]


def quantiles(levels: np.ndarray, mass: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The least level that at least this share of households does not exceed, for each share.

    Parameters
    ----------
    levels : increasing (n,)
    mass : of households at each level (n,), sum 1
    shares : between 0 and 1
    """
    below = np.cumsum(mass)
    return np.asarray(levels[np.minimum(np.searchsorted(below, shares * below[-1] * (1 - 1e-14)), levels.size - 1)])


def lorenz(amounts: np.ndarray, mass: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Share of the total that the poorest share of households has; NaN where there is no positive total.

    Parameters
    ----------
    amounts : of each state, any shape; negative ones are debts
    mass : of households in each state, the same shape
    shares : of households, between 0 and 1
    """
    people, total = _sorted(amounts, mass)
    if math.isnan(total[-1]):
        return np.full(np.shape(shares), math.nan)
    return np.asarray(np.interp(shares, people, total))


def gini(amounts: np.ndarray, mass: np.ndarray) -> float:
    """Twice the area between the Lorenz curve and the diagonal: 0 where all have the same, above 1 only with debts;
    NaN where there is no positive total."""
    people, total = _sorted(amounts, mass)
    return 1.0 - float((np.diff(people) * (total[1:] + total[:-1])).sum())


def _sorted(amounts: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of households, poorest first, and of what they have together, both from 0 to 1."""
    order = np.argsort(amounts, axis=None, kind="stable")
    flat, weight = amounts.ravel()[order], mass.ravel()[order]
    have, size = weight * flat, float((weight * np.abs(flat)).sum())
    total = float(have.sum())
    if total <= 1e-9 * size:  # debts and wealth cancel: shares of nothing
        total = math.nan
    return np.r_[0.0, np.cumsum(weight) / weight.sum()], np.r_[0.0, np.cumsum(have) / total]


def propensity(spent: np.ndarray, points: np.ndarray) -> np.ndarray:
    """What of a little more wealth is spent, (C(a') - C(a)) / (a' - a) to the next point (incomes, wealth), and at the
    highest from the one before."""
    slope = np.diff(spent, axis=1) / np.diff(points)
    return np.asarray(np.concatenate([slope, slope[:, -1:]], axis=1))
