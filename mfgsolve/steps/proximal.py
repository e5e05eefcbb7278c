"""The step of agents who also pay for leaving the speeds that they had before: the proximal point of a cost of moving.

    V = W + dt min over s >= 0 of [c r(s)^p / p + eps |s - former|^2 / 2 - sum_e s_e (W(x) - W(x + e)) / h]

Best speeds of `mfgsolve.steps.movement` may jump (p = 1) or start with an infinite derivative (p > 2); these here have
one of at most 1 / eps, whatever the cost.  Who finds no reason to leave the former speeds is at his best without that
term, too.  A policy is the array W, as there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.kernels import proximal_movement as kernel
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.movement import MovementStep
from mfgsolve.steps.policies import Policy

__all__ = ["ProximalStep"]


class ProximalStep(MovementStep):
    """Speeds that change little; see the module.

    Parameters
    ----------
    of : the step whose cost of moving it is
    former : speeds (T, moves, cells)
    stiffness : eps > 0
    """

    def __init__(self, of: MovementStep, former: np.ndarray, stiffness: float):
        super().__init__(of.space, of.time, of.scheme, of.movement, of.others, of.places)
        self.former, self.stiffness, self.threads = former, stiffness, of.threads

    @property
    def is_smooth(self) -> bool:
        """At any cost of moving."""
        return True

    @property
    def cost_of_moving(self) -> None:  # type: ignore[override]
        """No multiple of it makes agents slow who were fast before."""

    def _arrays(self, t: int, policy: np.ndarray) -> tuple[Any, ...]:
        near, pace, most, group, power = self.control._arrays
        flat = np.ascontiguousarray(policy).reshape(-1)
        return flat, self.weight(t, policy), self.former[t], near, pace, most, group, power, self.stiffness

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """W + min over speeds of their cost, of what leaving the former ones costs, and of what they gain."""
        policy[...] = after
        value = np.empty(after.size)
        kernel.best(*self._arrays(t, policy), self.dt, value)
        return value.reshape(after.shape)

    def best_speeds(self, t: int, policy: np.ndarray) -> np.ndarray:
        speed = np.empty(self.former.shape[1:])
        kernel.speeds(*self._arrays(t, policy), speed)
        return speed

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        moved = np.empty(mass.size)
        rows = (np.ascontiguousarray(level).reshape(-1) for level in (mass, change))
        kernel.push_change(*self._arrays(t, policy), self.dt, *rows, moved)
        return moved.reshape(mass.shape)

    def paid(self, policy: Policy, nodes: slice, mass: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        paid, speed = super().paid(policy, nodes, mass)
        return paid + 0.5 * self.stiffness * ((speed - self.former[nodes]) ** 2).sum(axis=1), speed

    def all_speeds(self, policy: np.ndarray) -> np.ndarray:
        """Best speeds (T, moves, cells) of a policy."""
        result = np.empty_like(self.former)
        for t in range(self.steps):
            result[t] = self.best_speeds(t, policy[t])
        return result

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        raise InputError("a proximal step is part of a solver; no problem states one")
