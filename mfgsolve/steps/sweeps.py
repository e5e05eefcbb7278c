"""Backward, forward and tangent sweeps from single steps: slow, plain, and the same for every step.

    V_T = g + w_T f_T,   V_t = w_t f_t + best_t(F V_{t+1}),   m_{t+1} = F^T push_t(m_t)

The second road to what kernels do at once, and the only one of steps that have no kernels of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from mfgsolve.steps.costs import Costs
from mfgsolve.steps.factors import Factor, expect_all, push_all
from mfgsolve.watch import look

__all__ = ["backward", "change", "forward"]


class SingleSteps(Protocol):
    """What sweeps need of a step; see `mfgsolve.steps.step.Step`."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def factors(self) -> Sequence[Factor]: ...

    @property
    def steps(self) -> int: ...

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray: ...

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray: ...

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray: ...

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray: ...


def backward(step: SingleSteps, costs: Costs, policy: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """V_0 of the best response, which fills ``policy``; ``values`` (T+1, *shape) get all V."""
    price, weights = costs.state, costs.weights
    value = costs.terminal + weights[-1] * price[-1]
    if values is not None:
        values[-1] = value
    for t in range(step.steps - 1, -1, -1):
        look()
        running = weights[t] * price[t]  # before the policy may take its place
        value = running + step.best(t, expect_all(step.factors, t, value), costs, policy[t])
        if values is not None:
            values[t] = value
    return value


def forward(step: SingleSteps, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """The flow of ``mass[0]``."""
    for t in range(step.steps):
        look()
        mass[t + 1] = push_all(step.factors, t, step.push(t, policy[t], mass[t]))
    return mass


def change(step: SingleSteps, costs: Costs, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Change of the mass when costs change by ``costs`` at a best response."""
    price, weights = costs.state, costs.weights
    after = np.empty((step.steps, *step.shape))
    value = costs.terminal + weights[-1] * price[-1]
    for t in range(step.steps - 1, -1, -1):
        look()
        after[t] = expect_all(step.factors, t, value)
        value = weights[t] * price[t] + step.expect(t, policy[t], after[t])
    moved = np.zeros((step.steps + 1, *step.shape))
    for t in range(step.steps):
        look()
        here = step.push(t, policy[t], moved[t]) + step.tangent(t, policy[t], mass[t], after[t])
        moved[t + 1] = push_all(step.factors, t, here)
    return moved
