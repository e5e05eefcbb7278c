"""What a Gaussian that is sampled at cell centres changes: the error in space of entropic steps, of first order in e_s.

An agent at x that looks ahead to v pays a(x) = -eps log N exp(-v / eps).  On cells of width h the sum over centres
stands for the integral; by Poisson's sum they differ by the first Fourier mode of the law q of the next place,

    a_h(x) - a(x) = eps [log(1 + e_s) - log(1 + e_q cos(2 pi d / h))],    e_q = 2 exp(-2 pi^2 s^2 / h^2),

d and s^2 being mean and variance of q, which the value itself tells (Gaussian kernels know no more than that):

    d = -(sigma^2 / eps) a',    s^2 = sigma^2 - (sigma^4 / eps) a''.

Where agents rest and their law is as wide as the noise nothing changes; where they go a fraction of a cell a step costs
more, where they gather (s < sigma) less.  The crowd of an equilibrium is where its potential does not change with the
plan, so that sum_t <m_t, a_h - a> over all axes is what the potential is off by.

The law is narrower, too: by the share (2 pi sigma / h)^2 e_s of its variance, see
`mfgsolve.steps.resolving.lost_variance`.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from mfgsolve.grids import Axis, Grid, TimeGrid
from mfgsolve.steps.stencils import folded

__all__ = ["sampling_shift"]

LEAST_STEPS, MOST_STEPS = 8, 64  # that are looked at: the sum over all is as smooth as the plan
ENOUGH = 2**15  # cells of all of these, about
LEAST = 0.05  # of 1 + e_q cos: below that nothing is of first order


class Samples(Protocol):
    """What is asked of a step; see `mfgsolve.steps.entropic.EntropicStep`."""

    space: Grid
    time: TimeGrid
    viscosity: float
    entropy: np.ndarray

    def next_value(self, t: int, plan: np.ndarray) -> np.ndarray: ...

    def best(self, t: int, after: np.ndarray, costs: Any, policy: np.ndarray) -> np.ndarray: ...


def sampling_shift(step: Samples, policy: np.ndarray, mass: np.ndarray) -> float:
    """Potential of a game by entropic steps less that of the same steps on ever finer cells; see the module.

    Parameters
    ----------
    step : without blocked cells
    policy, mass : of a best response, (T, ...), and where it leads, (T+1, *shape)

    Returns
    -------
    float
        in units of cost, of either sign; within some 10 % where e_s is below 0.03
    """
    steps, spare = len(policy), np.empty_like(policy[0])
    parts = min(steps, max(LEAST_STEPS, min(MOST_STEPS, ENOUGH // step.space.size)))
    total = 0.0
    for t in ((np.arange(parts) + 0.5) * steps / parts).astype(int):
        value = step.best(t, step.next_value(t, policy[t]), None, spare).reshape(step.space.shape)
        cost = sum(_cost(value, axis, number, step, t) for number, axis in enumerate(step.space.axes))
        total += float((mass[t].reshape(step.space.shape) * cost).sum())
    return total * steps / parts


def _cost(value: np.ndarray, axis: Axis, number: int, step: Samples, t: int) -> np.ndarray:
    """a_h - a along one axis."""
    eps, variance = float(step.entropy[t]), 2.0 * step.viscosity * step.time.dt / axis.spacing**2  # in cells
    first, second = _differences(value, axis, number)
    law = np.maximum(variance - variance**2 / eps * second, 0.0)
    mode = 2.0 * np.exp(-2.0 * math.pi**2 * law) * np.cos(2.0 * math.pi * variance / eps * first)
    rest = math.log1p(2.0 * math.exp(-2.0 * math.pi**2 * variance))
    return eps * (rest - np.log(np.maximum(1.0 + mode, LEAST)))


def _differences(value: np.ndarray, axis: Axis, number: int) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of fourth order, per cell; mirrored at walls."""
    lines = np.moveaxis(value, number, 0)
    cells = len(lines)
    around = folded(np.arange(-2, cells + 2), cells, axis.periodic)
    a, b, c, d, e = (lines[around[k : k + cells]] for k in range(5))
    first = (a - e + 8.0 * (d - b)) / 12.0
    second = (16.0 * (b + d) - a - e - 30.0 * c) / 12.0
    return np.moveaxis(first, 0, number), np.moveaxis(second, 0, number)
