"""The entropic step on a grid with exits: who crosses the face of an exit has left (`mfgsolve.steps.exit_stencils`).

    V_t = w_t f_t - eps log [ N exp(-V_{t+1} / eps) + e exp(-k / eps) ]

with N the noise of those who stay inside, e the chance that noise alone leads to the exit within the step, and k what
is paid there.  Both are those of the continuous motion, so that the step keeps its second order: costs of leaving that
change with time count in the middle of the step in which an agent leaves.  A policy is the value V_{t+1} that it is the
best response to.  Agents take the axes in turn; who leaves along one of them has left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.kernels import exit_draws
from mfgsolve.kernels.draws import Draw
from mfgsolve.steps import sweeps
from mfgsolve.steps.chain import MarkovChain
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.draws import Draws, draws_of_value
from mfgsolve.steps.entropic import EntropicStep
from mfgsolve.steps.entropic_policies import BeliefAverage, EntropicPolicy
from mfgsolve.steps.exit_stencils import exit_stencils
from mfgsolve.steps.exits import left_costs, with_left
from mfgsolve.steps.policies import Policy
from mfgsolve.steps.stencils import Stencil
from mfgsolve.watch import look

__all__ = ["ExitEntropicStep"]


class ExitEntropicStep(EntropicStep):
    """See the module; parameters are those of `EntropicStep`.

    Attributes
    ----------
    pay : (T, cells), what agents pay in each step who have left
    """

    draw_kernel = exit_draws

    def __init__(
        self, space: Grid, time: TimeGrid, viscosity: float, control_cost: float, reach: tuple[int, ...] | None
    ):
        super().__init__(space, time, viscosity, control_cost, reach)
        self.gone, self.pay = space.exits.cells.reshape(-1), np.zeros((time.steps, space.size))

    def with_exits(self, paid: np.ndarray) -> ExitEntropicStep:
        """The same step with these costs of leaving, those before the end taken in the middle of the step."""
        middle = paid.reshape(len(paid), -1).copy()
        middle[1:-1] = 0.5 * (middle[1:-1] + middle[:-2])
        return self.with_changes(pay=middle[:-1] - middle[1:])  # type: ignore[return-value]

    def for_speed(self, fastest: Any) -> EntropicStep:
        """The same step with the reach that agents of that speed need."""
        other = super().for_speed(fastest)
        return other if other is self else other.with_changes(pay=self.pay)

    @property
    def policy_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Of V_{t+1}."""
        return self.shape

    @cached_property
    def stencils(self) -> list[Stencil]:
        return exit_stencils(self.space, 2.0 * self.viscosity * self.time.dt, self.reach)

    def share(self, threads: int | None) -> None:
        """One thread does it all."""

    @property
    def is_fused(self) -> bool:
        return False

    # -- one step ----------------------------------------------------------------------------------------------

    def next_value(self, t: int, plan: np.ndarray) -> np.ndarray:
        """V_{t+1}, which is the plan."""
        return plan.reshape(self.shape)

    def _draws(self, t: int, policy: np.ndarray) -> list[Draw]:
        return draws_of_value(self, self.next_value(t, policy), t)

    def chances(self, t: int, policy: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The draws of step t in turn: where each move leads, and its chance, (cells, moves)."""
        for draw in self._draws(t, policy):
            yield draw.near, np.exp(draw.logs + (draw.before[:, None] - draw.after[draw.near]) / draw.entropy)

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """The soft minimum; at exits, what is paid there."""
        policy[...] = np.where(self.space.mask, 0.0, after.reshape(self.shape))
        return self._draws(t, policy)[0].before.reshape(self.shape) + self.pay[t].reshape(self.shape)

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Mean of a value where the laws lead."""
        return self._mean(self._draws(t, policy), after)

    def _mean(self, draws: list[Draw], after: np.ndarray) -> np.ndarray:
        value = np.ascontiguousarray(after, dtype=float).reshape(-1)
        for draw in reversed(draws):
            value = exit_draws.expect_draw(value, draw)
        return value.reshape(self.shape)

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Mass where the laws lead."""
        return self._pushed(self._draws(t, policy), mass)

    def _pushed(self, draws: list[Draw], mass: np.ndarray) -> np.ndarray:
        level = np.ascontiguousarray(mass, dtype=float).reshape(-1)
        for draw in draws:
            level = exit_draws.push_draw(level, draw)
        return level.reshape(self.shape)

    # -- sweeps ------------------------------------------------------------------------------------------------

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at t = 0 of the best response."""
        return sweeps.backward(self, costs, policy, values)

    def forward(self, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, *shape) with the flow of its first level."""
        return sweeps.forward(self, policy, mass)

    def change(self, costs: Costs, policy: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, None]:
        """Change of the mass: push(dm + m E dV / eps) - m_{t+1} dV / eps, step by step."""
        after = np.empty((self.steps, *self.shape))
        mean, value = np.empty_like(after), costs.terminal + costs.weights[-1] * costs.state[-1]
        for t in range(self.steps - 1, -1, -1):
            look()
            after[t] = value / self.entropy[t]
            mean[t] = self._mean(self._draws(t, policy[t]), after[t])
            value = costs.weights[t] * costs.state[t] + self.entropy[t] * mean[t]
        moved = np.zeros((self.steps + 1, *self.shape))
        for t in range(self.steps):
            look()
            here = self._pushed(self._draws(t, policy[t]), moved[t] + mass[t] * mean[t])
            moved[t + 1] = here - mass[t + 1] * after[t]
        return moved, None

    def conjugate_step(self, *arguments: Any) -> float:
        raise NotImplementedError

    # -- policies ----------------------------------------------------------------------------------------------

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """eps KL, and what is paid for leaving."""
        if isinstance(policy, BeliefAverage):
            return OwnCost(*[float(policy.own[0])] * 3)
        assert isinstance(policy, EntropicPolicy)
        total, steady = 0.0, ~self.gone.reshape(self.shape)
        for t in range(self.steps):
            look()
            draws = self._draws(t, policy.array[t])
            gain = draws[0].before.reshape(self.shape) - self._mean(draws, self.next_value(t, policy.array[t]))
            total += float((mass[t] * gain * steady).sum())
        return with_left(OwnCost(total, total, total), left_costs(self.pay, mass, self.gone))

    def chain(self, policy: Policy) -> MarkovChain:
        draws = Draws(self, policy)
        draws.own_cost[:, self.gone, 0] = self.pay[:, self.gone]
        return draws

    # -- what tells steps apart --------------------------------------------------------------------------------

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """The numbers of the scheme, and what leaving costs."""
        yield from super().identity(masses)
        yield self.pay[:, self.gone]
