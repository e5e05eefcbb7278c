"""The step of a controlled diffusion, in arrays: speeds to the neighbours, then factors, the noise last of them.

Every array of levels is ``(T+1, z, y, x)`` (missing axes have one cell), holds mass per cell, and a policy is the array
``(T, z, y, x)`` of the value after the factors, whose differences are the speeds; the kernels call it W, or ``ahead``.
Where the noise is the only factor, whole sweeps run in one kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels import bellman, kolmogorov, launch, tangent, threads_for
from mfgsolve.kernels.scheme import NO_NOISE, Scheme
from mfgsolve.steps import sweeps
from mfgsolve.steps.chain import Chain
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.excess import excess_of_speeds
from mfgsolve.steps.factors import Factor, Noise, push_all
from mfgsolve.steps.identity import sampled_factors
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.moves import STAY, move_allowed, move_distances, move_transitions
from mfgsolve.steps.policies import Policy, PolicyForm, PolicyVariable
from mfgsolve.steps.speed_policies import FluxPolicy, MovingPolicy, SpeedPolicy, ValuePolicy
from mfgsolve.steps.step import Step
from mfgsolve.steps.transitions import Transitions
from mfgsolve.watch import look

__all__ = ["SpeedStep"]

NONE = np.empty((0, 1, 1))


class SpeedStep(Step):
    """Speeds to the neighbours at quadratic cost; see the module.

    Parameters
    ----------
    scheme : coefficients of control and noise
    others : factors besides the noise, which acts after them
    """

    space: Grid
    is_continuum = True
    is_discounted = True
    scheme_name = "upwind"

    def __init__(self, space: Grid, time: TimeGrid, scheme: Scheme, others: tuple[Factor, ...] = ()):
        self.space, self.time, self.scheme = space, time, scheme
        self.shape = self.policy_shape = self.mesh.shape
        self.others, self.threads = others, 1

    @property
    def factors(self) -> tuple[Factor, ...]:  # type: ignore[override]
        """Those besides the noise, and the noise."""
        if self.scheme.noise == NO_NOISE:
            return self.others
        return (*self.others, Noise([(slice(0, self.cells), self.shape, self.scheme)]))

    def share(self, threads: int | None) -> None:
        """Let that many threads share a time level; None decides by its size."""
        self.threads = threads_for(self.cells, threads)
        self.scheme = self.scheme._replace(parts=self.threads)

    @property
    def mesh(self) -> Mesh:
        """Neighbours and faces."""
        return Mesh(self.scheme, self.space.dims, self.space.shape, self.steps)

    @property
    def is_fused(self) -> bool:
        """Whether one kernel does a whole sweep."""
        return not self.others

    # -- one step ----------------------------------------------------------------------------------------------

    def _control(self, t: int) -> Scheme:
        """The scheme of one step, without its noise."""
        return self.scheme.during(slice(t, t + 1))._replace(noise=NO_NOISE)

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """after + min over speeds of their cost and of what they gain; the policy is ``after`` itself."""
        value, nothing = after.copy(), np.zeros((1, *self.shape))
        self._backward(nothing, np.zeros(1), value, policy[None], self._control(t))
        return value

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        """after + dt sum_e s_e (after(x + e) - after(x)) / h."""
        value, nothing = np.empty(self.shape), np.zeros(self.shape)
        renewal = (NONE, NONE, 0.0, 0.0)
        tangent.bellman_change(policy, after, nothing, np.ones(self.shape), value, renewal, t, self.scheme)
        return value

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Mass after the moves."""
        levels = np.stack([mass, mass])
        self._forward(policy[None], levels, self._control(t))
        return levels[1]

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Change of the mass after the moves, when speeds follow a change of the value."""
        result = np.empty(self.shape)
        tangent.push_change(policy, change, mass, np.zeros(self.shape), result, t, self.scheme)
        return result

    # -- sweeps ------------------------------------------------------------------------------------------------

    @property
    def cost_of_moving(self) -> float:  # type: ignore[override]
        """Least c of all steps."""
        return float(self.scheme.control_cost.min())

    def dearer(self, heat: float) -> SpeedStep:
        """With ``heat`` times the control cost."""
        return self.with_changes(scheme=self.scheme._replace(control_cost=self.scheme.control_cost * heat))

    def _backward(self, *arguments: Any) -> None:
        launch(bellman.backward, bellman.backward_parallel, self.threads, *arguments)

    def _forward(self, *arguments: Any) -> None:
        launch(kolmogorov.forward, kolmogorov.forward_parallel, self.threads, *arguments)

    def _curvature(self, *arguments: Any) -> float:
        return float(launch(tangent.curvature, tangent.curvature_parallel, self.threads, *arguments))

    def new_policy(self, price: np.ndarray | None = None) -> np.ndarray:
        """An array whose first T levels take the policy of a best response: the price itself, which is overwritten."""
        return super().new_policy() if price is None else price

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at t = 0 of the best response; ``policy`` may be the first T levels of ``costs.state`` itself."""
        if not self.is_fused:
            value = sweeps.backward(self, costs, policy, values)
        elif values is not None:
            value = self._every_value(costs, policy, values)
        else:
            look()
            value = costs.terminal.copy()
            if costs.weights[-1]:
                value += costs.weights[-1] * costs.state[-1]
            self._backward(costs.state, costs.weights, value, policy, self.scheme)
        value.reshape(-1)[self.scheme.blocked] = 0.0
        return value

    def _every_value(self, costs: Costs, policy: np.ndarray, values: np.ndarray) -> np.ndarray:
        price, weights = costs.state, costs.weights
        values[-1] = costs.terminal + weights[-1] * price[-1]
        for t in range(self.steps - 1, -1, -1):
            look()
            values[t], now = values[t + 1], slice(t, t + 1)
            self._backward(price[now], weights[now], values[t], policy[now], self.scheme.during(now))
        return values[0].copy()

    def forward(self, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, z, y, x) with the flow of its first level."""
        if not self.is_fused:
            return sweeps.forward(self, policy, mass)
        look()
        self._forward(policy, mass, self.scheme)
        return mass

    def curvature(
        self, policy: np.ndarray, mass: np.ndarray, direction: np.ndarray, scale: np.ndarray | None, result: np.ndarray,
        identity: float,
    ) -> np.ndarray:  # fmt: skip
        """identity * direction - K (scale * direction), both sweeps in one kernel; see `Game.curvature`."""
        look()
        none = np.empty((0, 1, 1, 1))
        slopes = none if scale is None else scale
        self._curvature(policy, mass, direction, slopes, result, identity, none, none, 0.0, 0.0, self.scheme)
        return result

    def conjugate_step(
        self, policy: np.ndarray, mass: np.ndarray, scale: np.ndarray, vectors: tuple[np.ndarray, ...], length: float,
        share: float,
    ) -> float:  # fmt: skip
        """One pass of conjugate gradients in one kernel; see `Game.conjugate_step`."""
        look()
        solution, residual, direction, image = vectors
        return self._curvature(
            policy, mass, direction, scale, image, 1.0, residual, solution, length, share, self.scheme
        )

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, policy: np.ndarray) -> ValuePolicy:
        """Speeds are clipped differences of the value after the factors."""
        return ValuePolicy(policy)

    def new_average(self, crowd: np.ndarray, arrays: dict[str, np.ndarray] | None = None) -> FluxPolicy:
        """Mass and net fluxes."""
        if arrays is not None:
            return FluxPolicy(arrays["crowd"], [arrays[f"flux_{k}"] for k in range(self.mesh.ndim)])
        return FluxPolicy(crowd, [np.empty((self.steps, *self.shape)) for _ in range(self.mesh.ndim)])

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """Cost of moving, and the share of mass-time at the speed cap; to stay costs nothing, which is the least."""
        look()
        if isinstance(policy, ValuePolicy):
            cost, capped = map(float, kolmogorov.movement(policy.after, mass, self.scheme))
            return OwnCost(cost, cost, cost, capped)
        return self.cost_of_speeds(policy, mass)

    def cost_of_speeds(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """The same from the speeds of any policy."""
        cost, capped = 0.0, 0.0
        sides = [self.scheme.fastest(axis - 1, side) for axis in self.mesh.axes for side in (0, 1)]
        caps = np.stack([np.broadcast_to(cap, self.shape) for cap in sides])
        price = self.scheme.control_cost
        dearer, differs = (price / price[0]).reshape(-1, 1, 1, 1), bool((price != price[0]).any())
        for nodes in self.slabs():
            look()
            speed = self.speed(policy, nodes)
            size = (speed**2).sum(axis=1)
            cost += float((mass[nodes] * size * dearer[nodes] if differs else mass[nodes] * size).sum())
            del size  # before the next temporaries
            capped += float((mass[nodes] * (speed >= caps * (1 - 1e-12)).any(axis=1)).sum())
        cost *= 0.5 * float(price[0]) * self.dt
        return OwnCost(cost, cost, cost, capped / self.steps)

    def own_viscosity(self, policy: Policy, mass: np.ndarray, stated: float) -> float:
        """(s h - s^2 dt) / 2 on the axis where it is largest: variance of the jumps per 2 dt, which are to be none."""
        if any(factor.adds_viscosity for factor in self.others):
            return math.nan  # a drift has one of its own
        total = 0.0
        for nodes in self.slabs():
            look()
            speed = self.speed(policy, nodes)
            largest = np.zeros_like(speed[:, 0])
            for k, axis in enumerate(self.mesh.axes):
                forth, back = speed[:, 2 * k], speed[:, 2 * k + 1]
                blur = self.scheme.distance(axis - 1) * forth + self.scheme.distance(axis - 1, 1) * back
                np.maximum(largest, 0.5 * (blur - self.dt * (forth - back) ** 2), out=largest)
            total += float((mass[nodes] * largest).sum())
        return total / self.steps

    def excess(self, policy: Policy, mass: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
        """From speeds and the best ones; see `mfgsolve.steps.excess`."""
        best, total = self.new_policy(costs.state)[: self.steps], 0.0
        value, answer = self.backward(costs, best), self.policy_of(best)
        for nodes in self.slabs():
            speeds = self.speed(policy, nodes), self.speed(answer, nodes)
            total += excess_of_speeds(self.mesh, nodes, speeds, best[nodes], mass[nodes])
        return np.array([total * self.dt]), value

    def speed(self, policy: Policy, nodes: slice) -> np.ndarray:
        """Speeds (steps, move, z, y, x) of a policy at those steps."""
        assert isinstance(policy, MovingPolicy)
        return policy.speed(self.mesh, nodes)

    def follow(self, policy: Policy, mass: np.ndarray) -> np.ndarray:
        """The flow of ``mass[0]`` under any policy."""
        if isinstance(policy, ValuePolicy):
            return self.forward(policy.after, mass)
        for t in range(self.steps):
            moved, speed = mass[t].copy(), self.speed(policy, slice(t, t + 1))[0]
            for k in range(self.mesh.moves):
                axis = 2 - k // 2
                flux = self.dt / self.scheme.distance(axis, k % 2) * speed[k] * mass[t]
                moved += np.roll(flux, 1 if k % 2 == 0 else -1, axis) - flux
            mass[t + 1] = push_all(self.factors, t, moved)
        return mass

    # -- agents one by one -------------------------------------------------------------------------------------

    @property
    def action_names(self) -> list[str]:
        """To stay, and the moves to the neighbours."""
        return [STAY, *self.mesh.move_names]

    @property
    def allowed(self) -> np.ndarray:  # type: ignore[override]
        """Agents may stay, or move where no wall is; (choices, cells)."""
        return move_allowed(self.mesh, self.space.mask)

    @property
    def open_choices(self) -> np.ndarray:
        """What agents may choose, (choices, 1, cells); in blocked cells, nothing."""
        return (self.allowed & ~self.space.mask.reshape(-1))[:, None]

    def transitions_at(self, t: int, mass: np.ndarray) -> Transitions:
        """Where staying and each move lead."""
        return move_transitions(self.mesh)

    def chain(self, policy: Policy) -> Chain:
        """Moves have chances dt s / h; what an agent pays depends on its speeds, not on where it happens to go."""
        moves, distance = self.mesh.moves, move_distances(self.mesh)
        choices, own = np.empty((self.steps, self.cells, 1 + moves)), np.empty((self.steps, self.cells, 1))
        for nodes in self.slabs():
            speed = self.speed(policy, nodes).reshape(-1, moves, self.cells)
            chance = (self.dt / distance) * speed
            choices[nodes, :, 1:] = chance.transpose(0, 2, 1)
            choices[nodes, :, 0] = np.maximum(1.0 - chance.sum(axis=1), 0.0)  # -1e-16 where all speeds are at the cap
            own[nodes, :, 0] = self.own_costs(nodes, speed)
        return Chain(self.law(), choices, own)

    def own_costs(self, nodes: slice, speed: np.ndarray) -> np.ndarray:
        """What agents pay in some steps (steps, cells) for speeds (steps, moves, cells)."""
        return np.asarray((0.5 * self.scheme.control_cost[nodes] * self.dt)[:, None] * (speed**2).sum(axis=1))

    def policy_by_chances(self, chances: np.ndarray, visited: np.ndarray) -> SpeedPolicy:
        """Speeds h / dt times the chances of the moves; where nobody is, 0."""
        pace = move_distances(self.mesh) / self.dt
        speed = np.where(visited[:, None], chances[:, 1:] * pace, 0.0)
        return SpeedPolicy(speed.reshape(self.steps, self.mesh.moves, *self.shape))

    # -- policies in datasets, and what tells steps apart ----------------------------------------------------------

    @property
    def policy_form(self) -> PolicyForm:
        """Speeds toward the neighbours, x+ first."""
        return PolicyForm("speed", "move", tuple(self.mesh.move_names), "move to a neighbour")

    def described(self, policy: Policy) -> PolicyVariable:
        """Speeds, in the unit of the last axis per unit of time."""
        form, length, unit = self.policy_form, self.space.axes[-1].unit, self.time.unit
        speed = np.empty((self.steps, len(form.labels), *self.space.shape))
        for nodes in self.slabs():
            block = self.speed(policy, nodes)
            speed[nodes] = block.reshape(block.shape[0], *speed.shape[1:])
        attrs = {"units": length if unit == "1" else f"{length}/{unit}", "long_name": "speed toward a neighbour"}
        fields = {}
        if isinstance(policy, ValuePolicy):
            about = {"units": "cost", "long_name": "value after the noise, whose differences are the speeds"}
            field = policy.after.reshape(self.steps, *self.space.shape)
            fields["value_after_noise"] = (("step", *self.space.dims), field, about)
        return PolicyVariable(form, ("step", form.dim, *self.space.dims), speed, attrs, fields)

    def policy_from(self, policy: Any) -> SpeedPolicy:
        """Speeds (step, move, *shape) of a user or of a file, checked against walls and the cap."""
        return SpeedPolicy.checked(self.policy_form.array_of(policy, self.space, self.time), self.mesh)

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """Where the factors besides the noise take these masses; control and noise are what the dynamics state."""
        return sampled_factors(self, self.others, masses)
