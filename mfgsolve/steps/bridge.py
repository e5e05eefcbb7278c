"""Where agents are between the nodes of an entropic step: the Schroedinger bridge.

    m(t + theta dt) = [N_(1 - theta) phi] [N_theta (m_t / psi)],    phi = exp(-v_{t+1} / eps),   psi = N phi

with N_theta the noise of the time theta dt (Schroedinger 1931; Leonard, doi:10.3934/dcds.2014.34.1533).  No agent pays
anything between two nodes, so that this is their density at any time, and not an interpolation.

The noise of a short time is narrower than a cell, and no sum over cell centres is an integral of it.  So the logarithms
of the fields are interpolated (cubic: Gaussians are met exactly) to points as near as the noise asks for, and the sums
run over these.  Everything happens to logarithms: phi spans hundreds of powers of ten.  What such integrals and the
sums of the step itself differ by (e_s, see `mfgsolve.steps.resolving`) is taken out at the end of the step by a factor
to the power theta, and the whole has the mass of the nodes.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from mfgsolve.grids import Grid
from mfgsolve.steps.slabs import CHUNK
from mfgsolve.steps.stencils import folded, segments

__all__ = ["Bridge"]

WIDE = 0.85  # standard deviation of the noise in points: sums over them are integrals to 1e-6
FINEST = 99  # points in a cell; odd, so that the middle one is the centre
TAIL = 6.0  # standard deviations that sums reach
MOST = 1.0  # logarithm of what the end of a step may be off by; more is in tails that the step itself cuts off
SHARP = 1.0  # difference of the slopes of a logarithm, from cell to cell, from which a cubic would overshoot


class Bridge:
    """One step of the agents.

    Parameters
    ----------
    grid : of equal cells along each axis
    mass, landed : (*shape), at the start and the end of the step
    ahead : (*shape), v_{t+1} over eps; what stands in blocked cells is not looked at
    variance : 2 nu dt, of the noise of the whole step
    first : the axes in the order in which agents take them, numbers in array order
    """

    def __init__(
        self, grid: Grid, mass: np.ndarray, landed: np.ndarray, ahead: np.ndarray, variance: float,
        first: tuple[int, ...],
    ):  # fmt: skip
        self.grid, self.mass, self.landed, self.variance, self.first = grid, mass, landed, variance, first
        self.free = ~grid.mask
        self.log_phi = np.where(self.free, -ahead, 0.0)

    def at(self, share: float) -> np.ndarray:
        """Mass (*shape) after that share of the step, from 0 to 1."""
        if share <= 0.0 or share >= 1.0:
            return (self.mass if share <= 0.0 else self.landed).copy()
        exponent = self._noise(self.log_phi, 1.0 - share, self.first[::-1]) + share * self._off
        exponent += self._noise(self._log_start, share, self.first)
        result = np.where(self.free, np.exp(exponent - exponent.max(where=self.free, initial=-np.inf)), 0.0)
        return np.asarray(result * (self.mass.sum() / result.sum()))

    @cached_property
    def _log_start(self) -> np.ndarray:
        """log(m / psi)."""
        return _log(self.mass) - self._noise(self.log_phi, 1.0, self.first[::-1])

    @cached_property
    def _off(self) -> np.ndarray:
        """log of what is missing at the end of the step, 0 where nobody is."""
        reached = self.log_phi + self._noise(self._log_start, 1.0, self.first)
        there = np.isfinite(reached) & (self.landed > 0)
        off = np.subtract(_log(self.landed), reached, out=np.zeros(self.grid.shape), where=there)
        return np.clip(off, -MOST, MOST)

    def _noise(self, logs: np.ndarray, share: float, axes: tuple[int, ...]) -> np.ndarray:
        """log N_share exp(logs), one axis after the other: agents take them in the opposite order of values."""
        for number in axes:
            logs = _smoothed(logs, self.grid, number, share * self.variance)
        return logs


def _log(mass: np.ndarray) -> np.ndarray:
    return np.log(mass, out=np.full(mass.shape, -np.inf), where=mass > 0)


def _smoothed(logs: np.ndarray, grid: Grid, number: int, variance: float) -> np.ndarray:
    """log of the Gaussian mean of exp(logs) along one axis, folded at walls."""
    axis = grid.axes[number]
    sigma = math.sqrt(variance) / axis.spacing  # in cells, as all lengths here
    points = min(2 * math.ceil(0.5 * (WIDE / sigma - 1.0)) + 1, FINEST) if sigma < WIDE else 1
    lines = np.moveaxis(logs, number, -1)
    shape, lines = lines.shape, lines.reshape(-1, axis.cells)
    blocked = np.moveaxis(grid.mask, number, -1).reshape(-1, axis.cells)
    with np.errstate(invalid="ignore"):
        rise = np.abs(np.diff(lines, axis=1))
    steep = float(rise.max(where=np.isfinite(rise) & ~blocked[:, 1:] & ~blocked[:, :-1], initial=0.0))
    reach = min(math.ceil(points * (steep * sigma**2 + TAIL * sigma)) + 1, 2 * axis.cells * points)
    away = np.arange(-reach, reach + 1)
    taps = -0.5 * (away / (points * sigma)) ** 2
    taps -= logsumexp(taps)
    result, wide = np.zeros(lines.shape), 2 + -(-reach // points)
    kinds, which = np.unique(blocked, axis=0, return_inverse=True)  # lines with the same walls go together
    for k, walls in enumerate(kinds):
        rows = np.flatnonzero(which.reshape(-1) == k)
        for part, ring in segments(~walls, axis.periodic):
            near = part[folded(np.arange(len(part))[:, None] + np.arange(-wide, wide + 1), len(part), ring)]
            slab = max(1, CHUNK // (len(part) * len(away)))
            for some in np.array_split(rows, -(-len(rows) // slab)):
                window = lines[some][:, near]  # (lines, cells of the part, 2 wide + 1)
                exponent = _between(window, away, points) + taps
                result[np.ix_(some, part)] = logsumexp(exponent, axis=-1)
    return np.moveaxis(result.reshape(shape), -1, number)


def _between(window: np.ndarray, away: np.ndarray, points: int) -> np.ndarray:
    """Logarithms at ``away`` points from the middle of the window, so many of them in a cell.

    Cubic; linear beside a kink, where a cubic would overshoot; and where it jumps, above all to cells where nobody is
    (-inf), that of the nearest centre: such a crowd fills its cells evenly.
    """
    middle = window.shape[-1] // 2
    base, rest = np.divmod(away, points)
    u = rest / points
    four = [window[..., middle + base + k] for k in (-1, 0, 1, 2)]
    if points == 1:
        return four[1]
    weights = (
        -u * (u - 1) * (u - 2) / 6, (u + 1) * (u - 1) * (u - 2) / 2,
        -(u + 1) * u * (u - 2) / 2, (u + 1) * u * (u - 1) / 6,
    )  # fmt: skip
    with np.errstate(invalid="ignore"):
        cubic = sum(weight * one for weight, one in zip(weights, four, strict=True))
        before, here, beyond = (after - one for one, after in pairwise(four))
        kink = np.abs(beyond - 2 * here + before) > SHARP
        smooth = np.where(kink, (1 - u) * four[1] + u * four[2], cubic)
        jump = np.abs(here) > 2 * np.maximum(np.abs(before), np.abs(beyond)) + SHARP
    return np.where(np.isfinite(smooth) & ~jump, smooth, np.where(u < 0.5, four[1], four[2]))
