"""The step of a diffusion where moving costs something else than c |a|^2 / 2: c r^p / p, up to a largest speed.

The upwind chain of `mfgsolve.steps.speeds`, with other best speeds (`mfgsolve.steps.control`), a level at a time:

    V = W + dt min over s >= 0 of [c r(s)^p / p - sum_e s_e (W(x) - W(x + e)) / h]

A policy is the array W, as there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.steps.control import ALMOST, Control, Movement
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.factors import Factor
from mfgsolve.steps.movement_policies import BestSpeeds, NetFlux
from mfgsolve.steps.moves import move_distances
from mfgsolve.steps.policies import Policy
from mfgsolve.steps.speed_policies import SpeedPolicy
from mfgsolve.steps.speeds import SpeedStep
from mfgsolve.watch import look

__all__ = ["MovementStep"]


class MovementStep(SpeedStep):
    """Speeds to the neighbours at the cost of a `Movement`; see the module.

    Parameters
    ----------
    scheme : coefficients of control and noise; its c times r^p / p is what moving costs
    movement : p, r, and the largest r
    others : factors besides the noise, which acts after them
    places : by how many times the c of the scheme is more in each cell, (1 or T, cells); absent, nowhere
    """

    def __init__(
        self, space: Grid, time: TimeGrid, scheme: Scheme, movement: Movement, others: tuple[Factor, ...] = (),
        places: np.ndarray | None = None,
    ):  # fmt: skip
        super().__init__(space, time, scheme, others)
        self.movement, self.places = movement, places

    @cached_property
    def control(self) -> Control:
        """Best speeds on this mesh."""
        return Control(self.mesh, self.movement, self.space.mask.reshape(-1), self.time.horizon)

    @property
    def is_fused(self) -> bool:
        """Whole sweeps are made of single steps."""
        return False

    @property
    def is_smooth(self) -> bool:
        """Not where best speeds jump, as they do where moving costs c r."""
        return self.movement.is_smooth

    @property
    def cost_of_moving(self) -> float | None:  # type: ignore[override]
        """Least c of all steps, where it makes agents slow."""
        return super().cost_of_moving if self.is_smooth else None

    def dearer(self, heat: float) -> MovementStep:
        """With ``heat`` times the control cost."""
        other = super().dearer(heat)
        assert isinstance(other, MovementStep)
        return other

    # -- one step ----------------------------------------------------------------------------------------------

    def weight(self, t: int, policy: np.ndarray) -> np.ndarray:
        """c of step t: one number, or one for each cell."""
        return self.costs_of_moving(slice(t, t + 1))[0]

    def costs_of_moving(self, nodes: slice) -> np.ndarray:
        """c of some steps (steps, 1 or cells), whoever is there."""
        costs = self.scheme.control_cost[nodes][:, None]
        if self.places is None:
            return costs
        return np.asarray(costs * (self.places if len(self.places) == 1 else self.places[nodes]))

    def ahead(self, policy: np.ndarray) -> np.ndarray:
        """W, of the policy of one step or of several."""
        return policy

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """W + min over speeds of their cost and of what they gain; the policy is W itself."""
        self.ahead(policy)[...] = after
        return self.control.best(after, self.weight(t, policy))

    def best_speeds(self, t: int, policy: np.ndarray) -> np.ndarray:
        """The best speeds (moves, cells) of step t."""
        return self.control.speeds(self.ahead(policy), self.weight(t, policy))

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        """after + dt sum_e s_e (after(x + e) - after(x)) / h."""
        return self.control.expect(self.best_speeds(t, policy), after)

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Mass after the moves."""
        return self.control.push(self.best_speeds(t, policy), mass)

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Change of the mass after the moves, when speeds follow a change of the value."""
        if not self.is_smooth:
            raise InputError(
                "the best speeds of agents who pay c |a|, or nothing, for moving jump, and have no derivative; name a "
                "solver that needs none, as 'frank-wolfe'"
            )
        return self.control.push_change(self.ahead(policy), self.weight(t, policy), mass, change)

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, policy: np.ndarray) -> BestSpeeds:  # type: ignore[override]
        """Speeds are best for the value after the factors."""
        return BestSpeeds(policy, self)

    def new_average(self, crowd: np.ndarray, arrays: dict[str, np.ndarray] | None = None) -> NetFlux:
        """Mass and net fluxes."""
        plain = super().new_average(crowd, arrays)
        return NetFlux(plain.crowd, plain.fluxes)

    def weights(self, nodes: slice, mass: np.ndarray | None) -> np.ndarray:
        """c of some steps (steps, 1), or of each cell, which the ``mass`` of their starts decides where it does."""
        return self.costs_of_moving(nodes)

    def paid(self, policy: Policy, nodes: slice, mass: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """What agents pay per unit time in some steps (steps, cells), and their speeds (steps, moves, cells)."""
        speed = self.speed(policy, nodes).reshape(-1, self.mesh.moves, self.cells)
        return self.weights(nodes, mass) * self.movement.cost(speed), speed

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """Cost of moving, and the share of mass-time at the cap of the scheme; to stay costs nothing, the least."""
        cost, capped = 0.0, 0.0
        for nodes in self.slabs():
            look()
            here = mass[nodes].reshape(-1, self.cells)
            paid, speed = self.paid(policy, nodes, here)
            cost += self.dt * float((here * paid).sum())
            capped += float((here * self.control.capped(speed)).sum())
        return OwnCost(cost, cost, cost, capped / self.steps)

    def excess(self, policy: Policy, mass: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
        """From speeds s and the best ones b: c (r(s)^p - r(b)^p) / p less what s gains beside b."""
        best, total = self.new_policy(), 0.0
        value = self.backward(costs, best, mass)
        answer, distance = self.policy_of(best), move_distances(self.mesh)
        for nodes in self.slabs():
            here = mass[nodes].reshape(-1, self.cells)
            (pays, speed), (least, quick) = (self.paid(each, nodes, here) for each in (policy, answer))
            after = self.ahead(best[nodes]).reshape(-1, self.cells)
            drop = (after[:, None] - np.take(after, self.control.near, axis=1)) / distance
            gap = pays - least - ((speed - quick) * drop).sum(axis=1)
            total += float((here * np.maximum(gap, 0.0)).sum())
        return np.array([total * self.dt]), value

    def own_costs(self, nodes: slice, speed: np.ndarray) -> np.ndarray:
        """NaN where it depends on the crowd, too, which nobody knows here."""
        return np.asarray(self.dt * (self.weights(nodes, None) * self.movement.cost(speed)))

    def policy_from(self, policy: Any) -> SpeedPolicy:
        """Speeds (step, move, *shape) of a user or of a file, checked against walls and caps."""
        control, mesh = self.control, self.mesh
        widest = self.scheme._replace(cap=(np.inf, np.inf, np.inf))
        array = self.policy_form.array_of(policy, self.space, self.time)
        checked = SpeedPolicy.checked(array, type(mesh)(widest, mesh.dims, mesh.grid_shape, mesh.steps))
        for nodes in self.slabs():
            speed = checked.speeds[nodes].reshape(-1, mesh.moves, self.cells)
            for j, group in enumerate(self.movement.groups(mesh.moves)):
                size = self.movement.sizes(speed, group)
                if (size * ALMOST > control.most[j]).any():
                    worst = float((size / control.most[j]).max())
                    whose = "the scheme's cap: take more time steps" if control.binding[j].any() else "the speed limit"
                    raise InputError(
                        f"policy has speeds up to {worst:.6g} times the largest one allowed, {whose}; at most "
                        f"{float(control.most[j].min()):g} is"
                    )
        return checked

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """The movement, and where the factors besides the noise take these masses."""
        limit = self.movement.limit if math.isfinite(self.movement.limit) else None
        yield ("movement", self.movement.power, self.movement.joint, limit)
        if self.places is not None:
            yield from (self.scheme.control_cost, self.places)
        yield from super().identity(masses)
