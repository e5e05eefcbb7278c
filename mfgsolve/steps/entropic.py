"""The entropic step of a controlled diffusion: the agent picks any law of its next cell, and pays for it by entropy.

    pays  eps KL(q || N(x, .)),   eps = 2 nu c,   N the Gaussian of variance 2 nu dt on the cells (`stencils`)

By Girsanov's theorem and the transform of Cole and Hopf this is the continuous game (cost of moving c |a|^2 / 2, noise
nu), not split into control and noise: second order in dt, spectral in h once sigma = sqrt(2 nu dt) >= 0.6 h.  It equals
`LatticeMoves` with cost c |k h|^2 / (2 dt) and temperature 2 nu c / dt.  With N the product of the axes,

    a_t = -eps log N exp(-v_{t+1} / eps),      v_t = w_t f_t + a_t                       best response
    m_{t+1} = phi N^T (m_t / psi),             phi = exp(-v_{t+1} / eps), psi = N phi      flow

Costs count by the trapezoid rule, w_0 = w_T = dt / 2, and eps is discounted as in the middle of its step: that keeps
the second order.  The axes follow each other, x last, in even steps, and x first in odd ones: beside walls they do not
commute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import logsumexp

from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels import draws as draw_kernel
from mfgsolve.kernels import entropic, entropic_flow, launch, threads_for
from mfgsolve.kernels.tiles import Entropic
from mfgsolve.kernels.vectors import add, inner, turn
from mfgsolve.steps.chain import Law, MarkovChain
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.draws import Draws, excess_of_draws, no_choices
from mfgsolve.steps.entropic_policies import (
    FORM,
    BeliefAverage,
    EntropicPolicy,
    described,
    pass_axes,
    policy_from,
)
from mfgsolve.steps.policies import Average, Policy, PolicyForm, PolicyVariable
from mfgsolve.steps.resolving import TAIL, reach_for, space_error
from mfgsolve.steps.stencils import Stencil, entropic_arrays, stencils
from mfgsolve.steps.step import Step
from mfgsolve.watch import look

__all__ = ["EntropicStep"]


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
    is_entropic = True
    scheme_name = "entropic"
    order = 2.0
    draw_kernel = draw_kernel

    def __init__(
        self, space: Grid, time: TimeGrid, viscosity: float, control_cost: float, reach: tuple[int, ...] | None
    ):
        self.space, self.time, self.viscosity, self.control_cost = space, time, viscosity, control_cost
        self.reach = (1,) * space.ndim if reach is None else reach
        self.is_fitted, self.threads = reach is not None, 1
        self.shape = space.shape
        self.entropy = 2.0 * viscosity * control_cost * time.middle_discounts  # eps of each step

    @property
    def policy_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Of the plan of one step; see `mfgsolve.kernels.entropic`."""
        return (self.arrays.kept + 2 * self.cells,)

    @property
    def has_noise(self) -> bool:
        """The noise is part of the step."""
        return True

    @cached_property
    def stencils(self) -> list[Stencil]:
        """Noise along each axis, in array order."""
        return stencils(self.space, 2.0 * self.viscosity * self.time.dt, self.reach)

    def passes(self, t: int) -> list[Stencil]:
        """The axes in the order in which an agent takes them in step t."""
        return [self.stencils[axis] for axis in pass_axes(self.space.ndim, t)]

    def for_speed(self, fastest: Callable[[float], float]) -> EntropicStep:
        """The same step with the reach that agents of that speed need; one that was stated stays."""
        if self.is_fitted:
            return self
        reach = reach_for(fastest(self.control_cost), self.viscosity, self.space, self.time.dt)
        return type(self)(self.space, self.time, self.viscosity, self.control_cost, reach)

    @property
    def space_error(self) -> float:  # type: ignore[override]
        """e_s of the axis that has the largest one."""
        return space_error(self.viscosity, self.space, self.time.dt)

    @property
    def noise_cost(self) -> float:  # type: ignore[override]
        """2 sum_t eps_t."""
        return 2.0 * float(self.entropy.sum())

    def own_viscosity(self, policy: Policy, mass: np.ndarray, stated: float) -> float:
        """nu_h - nu."""
        return self.viscosity - stated

    # -- one step ----------------------------------------------------------------------------------------------

    def fields(self, t: int, after: np.ndarray) -> list[np.ndarray]:
        """Value before each pass and after the last: -eps log N exp(-V / eps), from the last pass to the first."""
        levels, eps = [after.reshape(-1)], self.entropy[t]
        for stencil in reversed(self.passes(t)):
            exponent = stencil.logs - levels[0][stencil.near] / eps
            levels.insert(0, -eps * np.asarray(logsumexp(exponent, axis=1)))
        return levels

    def next_value(self, t: int, plan: np.ndarray) -> np.ndarray:
        """v_{t+1} that a plan is the best response to; 0 in blocked cells."""
        arrays, cells = self.arrays, slice(self.arrays.kept, self.arrays.kept + self.cells)
        p, level = int(plan[0]), plan[cells].reshape(arrays.free.shape)
        if p < len(arrays.tiles) - 1:
            tiles = arrays.tiles[p]
            scale = plan[1 : 1 + len(level) * tiles].reshape(len(level), tiles)[:, arrays.tile[p]]
            level = scale - self.entropy[t] * np.log(np.where(arrays.free, level, 1.0))
        return np.where(arrays.free, level, 0.0).reshape(self.shape)

    def chances(self, t: int, policy: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The draws of step t in turn: where each of the 2 reach + 1 moves leads, and its chance, (cells, moves)."""
        levels, eps = self.fields(t, self.next_value(t, policy)), self.entropy[t]
        for stencil, before, after in zip(self.passes(t), levels[:-1], levels[1:], strict=True):
            yield stencil.near, np.exp(stencil.logs + (before[:, None] - after[stencil.near]) / eps)

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """a_t; the policy is v_{t+1} and psi_t, scaled."""
        value, nothing = after.copy(), np.zeros((1, *self.shape))
        self._backward(nothing, np.zeros(1), value, policy[None], np.empty((0, *self.shape)), t)
        return value

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

    # -- sweeps ------------------------------------------------------------------------------------------------

    def share(self, threads: int | None) -> None:
        """Let that many threads share a time level; None decides by its size."""
        self.threads = threads_for(self.cells, threads)
        self.__dict__.pop("arrays", None)

    @cached_property
    def arrays(self) -> Entropic:
        """What kernels take."""
        variance = 2.0 * self.viscosity * self.time.dt
        return entropic_arrays(self.space, variance, self.reach, self.entropy)._replace(parts=self.threads)

    def _backward(self, *arguments: Any) -> None:
        launch(entropic.backward, entropic.backward_parallel, self.threads, *arguments, self.arrays)

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at t = 0 of the best response."""
        look()
        value = costs.terminal + costs.weights[-1] * costs.state[-1]
        none = np.empty((0, *self.shape))
        self._backward(costs.state, costs.weights, value, policy, none if values is None else values, 0)
        if values is not None:
            values[-1] = costs.terminal + costs.weights[-1] * costs.state[-1]
        return value

    def forward(self, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, *shape) with the flow of its first level."""
        look()
        launch(entropic_flow.forward, entropic_flow.forward_parallel, self.threads, policy, mass, 0, self.arrays)
        return mass

    @property
    def is_fused(self) -> bool:
        return True

    def curvature(
        self, policy: np.ndarray, mass: np.ndarray, direction: np.ndarray, scale: np.ndarray | None, result: np.ndarray,
        identity: float,
    ) -> np.ndarray:  # fmt: skip
        """identity * direction - K (scale * direction), both sweeps in one kernel; see `Game.curvature`."""
        look()
        slopes = np.empty((0, *self.shape)) if scale is None else scale
        kernels, arguments = (entropic_flow.curvature, entropic_flow.curvature_parallel), (policy, mass, direction)
        launch(*kernels, self.threads, *arguments, slopes, result, identity, self.arrays)
        return result

    def conjugate_step(
        self, policy: np.ndarray, mass: np.ndarray, scale: np.ndarray, vectors: tuple[np.ndarray, ...], length: float,
        share: float,
    ) -> float:  # fmt: skip
        """One pass of conjugate gradients; see `Game.conjugate_step`."""
        solution, residual, direction, image = vectors
        rows = (len(direction), -1)
        add(solution.reshape(rows), direction.reshape(rows), length)
        turn(direction.reshape(rows), residual.reshape(rows), share)
        self.curvature(policy, mass, direction, scale, image, 1.0)
        return float(inner(scale.reshape(rows), direction.reshape(rows), image.reshape(rows)))

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, policy: np.ndarray) -> EntropicPolicy:
        return EntropicPolicy(policy)

    def after(self, policy: EntropicPolicy, t: int) -> np.ndarray:
        """v_{t+1}, which the laws of step t follow from."""
        return self.next_value(t, policy.array[t])

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """eps KL, sum_t <m_t, a_t> - <m_{t+1}, v_{t+1}>; to go with the noise costs nothing, which is the least."""
        if isinstance(policy, BeliefAverage):
            return OwnCost(*[float(policy.own[0])] * 3)
        assert isinstance(policy, EntropicPolicy)
        look()
        cost = float(entropic_flow.movement(policy.array, mass, self.arrays))
        return OwnCost(cost, cost, cost)

    def follow(self, policy: Policy, mass: np.ndarray) -> np.ndarray:
        assert isinstance(policy, EntropicPolicy)
        return self.forward(policy.array, mass)

    def new_average(self, crowd: np.ndarray, arrays: dict[str, np.ndarray] | None = None) -> Average:
        """Crowds and own costs of responses: `BeliefAverage`."""
        stored = {"crowd": crowd, "own": np.zeros(1)} if arrays is None else arrays
        return BeliefAverage(stored["crowd"], stored["own"])

    # -- policies in datasets ----------------------------------------------------------------------------------

    @property
    def policy_form(self) -> PolicyForm:
        """The value that agents look ahead to."""
        return FORM

    def described(self, policy: Policy) -> PolicyVariable:
        """That field, and the mean velocity."""
        return described(self, policy)

    def policy_from(self, policy: Any) -> EntropicPolicy:
        """The best response to such a field; see `mfgsolve.steps.entropic_policies`."""
        return policy_from(self, policy)

    # -- agents one by one -------------------------------------------------------------------------------------

    def law(self) -> Law:
        no_choices(self)

    def chain(self, policy: Policy) -> MarkovChain:
        return Draws(self, policy)

    def excess(self, policy: Policy, mass: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
        return excess_of_draws(self, policy, mass, costs)

    # -- steps near this one -----------------------------------------------------------------------------------

    @property
    def cost_of_moving(self) -> float:  # type: ignore[override]
        """Least c of all steps."""
        return self.control_cost * float(self.time.middle_discounts.min())

    def dearer(self, heat: float) -> EntropicStep:
        """With ``heat`` times the control cost, and so the entropy; the noise stays."""
        return self.with_changes(control_cost=self.control_cost * heat, entropy=self.entropy * heat)

    def noisier(self, heat: float) -> EntropicStep:
        """With ``heat`` times the viscosity in kernel and entropy, and a reach for the wider noise."""
        wider = TAIL * (math.sqrt(heat) - 1.0) * math.sqrt(2.0 * self.viscosity * self.time.dt)
        reach = tuple(n + math.ceil(wider / a.spacing) for n, a in zip(self.reach, self.space.axes, strict=True))
        return self.with_changes(viscosity=self.viscosity * heat, reach=reach, entropy=self.entropy * heat)

    def with_changes(self, **changes: Any) -> EntropicStep:
        """The same step with other attributes; what follows from them is made anew."""
        other = super().with_changes(**changes)
        other.__dict__.pop("arrays", None)
        if changes.keys() & {"viscosity", "reach"}:
            other.__dict__.pop("stencils", None)
        return other

    # -- what tells steps apart --------------------------------------------------------------------------------

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """All numbers of the scheme; the grid and the times are told by the problem."""
        yield from ("entropic", self.viscosity, self.control_cost, *self.reach)
