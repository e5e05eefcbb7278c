"""The entropic step of a controlled diffusion: the agent picks any law of its next cell, and pays for it by entropy.

    pays  eps KL(q || N(x, .)),   eps = 2 nu c,   N the Gaussian of variance 2 nu dt on the cells (`stencils`)

By Girsanov's theorem and the transform of Cole and Hopf this is the continuous game (cost of moving c |a|^2 / 2, noise
nu), not split into control and noise: second order in dt, spectral in h once sigma = sqrt(2 nu dt) >= 0.6 h.  It equals
`LatticeMoves` with cost c |k h|^2 / (2 dt) and temperature 2 nu c / dt.  With N the product of the axes,

    a_t = -eps log N exp(-v_{t+1} / eps),      v_t = w_t f_t + a_t                       best response
    m_{t+1} = phi N^T (m_t / psi),             phi = exp(-v_{t+1} / eps), psi = N phi      flow

Costs count by the trapezoid rule, w_0 = w_T = dt / 2: that keeps the second order.  Discounted costs discount eps.  The
axes follow each other, x last, in even steps, and x first in odd ones: beside walls they do not commute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import logsumexp

from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.policies import Average, Policy
from mfgsolve.steps.resolving import reach_for, space_error
from mfgsolve.steps.stencils import Stencil, stencils
from mfgsolve.steps.step import Step

__all__ = ["EntropicPolicy", "EntropicStep"]


@dataclass(frozen=True)
class EntropicPolicy(Policy):
    """A best response, by its array (T, 2, *shape); its laws are asked of the step."""

    array: np.ndarray


class EntropicStep(Step):
    """Any law of the next cell, at the price of entropy; see the module.

    Parameters
    ----------
    viscosity : nu of the kernel, and of eps
    control_cost : c
    reach : cells that an agent can go in one step, for each axis in array order; None where `for_speed` is to say it
    """

    space: Grid
    is_continuum = True
    is_discounted = True
    is_trapezoidal = True
    scheme_name = "entropic"
    order = 2.0

    def __init__(
        self, space: Grid, time: TimeGrid, viscosity: float, control_cost: float, reach: tuple[int, ...] | None
    ):
        self.space, self.time, self.viscosity, self.control_cost = space, time, viscosity, control_cost
        self.reach = (1,) * space.ndim if reach is None else reach
        self.is_fitted = reach is not None
        self.shape = space.shape
        self.policy_shape = (2, *space.shape)
        self.entropy = 2.0 * viscosity * control_cost * time.discounts[:-1]  # eps of each step

    @cached_property
    def stencils(self) -> list[Stencil]:
        """Noise along each axis, in array order."""
        return stencils(self.space, 2.0 * self.viscosity * self.time.dt, self.reach)

    def passes(self, t: int) -> list[Stencil]:
        """The axes in the order in which an agent takes them in step t."""
        return self.stencils if t % 2 == 0 else self.stencils[::-1]

    def for_speed(self, fastest: Callable[[float], float]) -> EntropicStep:
        """The same step with the reach that agents of that speed need; one that was stated stays."""
        if self.is_fitted:
            return self
        reach = reach_for(fastest(self.control_cost), self.viscosity, self.space, self.time.dt)
        return EntropicStep(self.space, self.time, self.viscosity, self.control_cost, reach)

    @property
    def space_error(self) -> float:  # type: ignore[override]
        """e_s of the axis that has the largest one."""
        return space_error(self.viscosity, self.space, self.time.dt)

    def own_viscosity(self, policy: Policy, mass: np.ndarray, stated: float) -> float:
        """nu_h - nu."""
        return self.viscosity - stated

    # -- one step ----------------------------------------------------------------------------------------------

    def fields(self, t: int, after: np.ndarray) -> list[np.ndarray]:
        """Value before each pass and after the last: -eps log N exp(-V / eps), from the last pass to the first."""
        levels, eps = [after.reshape(-1)], self.entropy[t]
        for stencil in reversed(self.passes(t)):
            exponent = np.log(stencil.taps) - levels[0][stencil.near] / eps
            levels.insert(0, -eps * np.asarray(logsumexp(exponent, axis=1)))
        return levels

    def chances(self, t: int, policy: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The draws of step t in turn: where each of the 2 reach + 1 moves leads, and its chance, (cells, moves)."""
        levels, eps = self.fields(t, policy[0]), self.entropy[t]
        for stencil, before, after in zip(self.passes(t), levels[:-1], levels[1:], strict=True):
            yield stencil.near, stencil.taps * np.exp((before[:, None] - after[stencil.near]) / eps)

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """a_t; the policy is v_{t+1} and a_t."""
        policy[0] = after
        policy[1] = self.fields(t, after)[0].reshape(self.shape)
        return policy[1].copy()

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Mean of a value where the laws lead."""
        value = after.reshape(-1)
        for near, chance in reversed(list(self.chances(t, policy))):
            value = (chance * value[near]).sum(axis=1)
        return value.reshape(self.shape)

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Mass where the laws lead."""
        level = mass.reshape(-1)
        for near, chance in self.chances(t, policy):
            level = np.bincount(near.reshape(-1), (level[:, None] * chance).reshape(-1), minlength=self.cells)
        return level.reshape(self.shape)

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        """d push = [push(m E dv) - push(m) dv] / eps, with E dv what the laws expect of dv."""
        mean = self.expect(t, policy, change)
        moved = self.push(t, policy, mass * mean) - self.push(t, policy, mass) * change
        return np.asarray(moved / self.entropy[t])

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, policy: np.ndarray) -> EntropicPolicy:
        return EntropicPolicy(policy)

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """eps KL, sum_t <m_t, a_t> - <m_{t+1}, v_{t+1}>; to go with the noise costs nothing, which is the least."""
        assert isinstance(policy, EntropicPolicy)
        cost = sum(
            float((mass[t] * policy.array[t, 1]).sum() - (mass[t + 1] * policy.array[t, 0]).sum())
            for t in range(self.steps)
        )
        return OwnCost(cost, cost, cost)

    def follow(self, policy: Policy, mass: np.ndarray) -> np.ndarray:
        assert isinstance(policy, EntropicPolicy)
        return self.forward(policy.array, mass)

    def new_average(self, crowd: np.ndarray, arrays: dict[str, np.ndarray] | None = None) -> Average:
        raise NotImplementedError

    # -- what tells steps apart --------------------------------------------------------------------------------

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """All numbers of the scheme; the grid and the times are told by the problem."""
        yield from ("entropic", self.viscosity, self.control_cost, *self.reach)
