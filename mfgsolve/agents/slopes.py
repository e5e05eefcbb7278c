"""How measures fall with the number of agents: confidence bands of means, and slopes on logarithmic axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["CONFIDENCE", "Slope", "mean_and_band", "slope"]

CONFIDENCE = 0.95


def mean_and_band(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean along an axis of independent values, and its two-sided Student band: mean -+ t s / sqrt(n).

    NaN entries were not measured and do not count; the band of a single value is NaN.

    Returns
    -------
    mean (...), band (..., 2)
    """
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(axis=axis) / count
        spread = np.where(known, values - np.expand_dims(mean, axis), 0.0)
        deviation = np.sqrt((spread**2).sum(axis=axis) / (count - 1))
        half = stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1) * deviation / np.sqrt(count)
    return mean, np.stack([mean - half, mean + half], axis=-1)


@dataclass(frozen=True, eq=False)
class Slope:
    """Least squares of log y = log level + slope log N.

    Attributes
    ----------
    value, low, high : slope and its 95 % confidence interval (Student, from the residuals); NaN where too few points
        are left: a slope needs 2, an interval 3
    level : fitted y at N = 1
    last : slope between the two largest N alone, which is nearer to the law of many agents
    used : boolean, which N entered
    """

    value: float
    low: float
    high: float
    level: float
    last: float
    used: np.ndarray


def slope(agents: np.ndarray, values: np.ndarray, floor: np.ndarray | float = 0.0) -> Slope:
    """The slope over those N whose value is finite, positive and above the floor."""
    used = np.isfinite(values) & (values > np.maximum(floor, 0.0))
    points = int(used.sum())
    if points < 2:
        nan = math.nan
        return Slope(nan, nan, nan, nan, nan, used)
    order = np.argsort(agents[used])
    x, y = np.log(agents[used].astype(float))[order], np.log(values[used])[order]
    last = float((y[-1] - y[-2]) / (x[-1] - x[-2]))
    gap = x - x.mean()
    value = float((gap * y).sum() / (gap**2).sum())
    rest = y - y.mean() - value * gap
    half = math.nan
    if points > 2:
        error = math.sqrt(float((rest**2).sum()) / (points - 2) / float((gap**2).sum()))
        half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, points - 2)) * error
    return Slope(value, value - half, value + half, math.exp(float(y.mean() - value * x.mean())), last, used)
