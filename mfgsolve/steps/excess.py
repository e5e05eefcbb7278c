"""What a policy costs above the best response to the same costs, summed so that nothing cancels.

By the performance-difference lemma (Kakade and Langford 2002), with m the flow of the policy pi, q and V those of the
best response,

    excess = sum_t <m_t, sum_a pi_t (q_t + tau_t log pi_t) - V_t>.

No term is negative, so that excesses far below the round-off of the cost are still meaningful.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mfgsolve.steps.chain import Chain
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.table_policies import TINY

__all__ = ["excess_of_chain", "excess_of_choices", "excess_of_speeds"]


def excess_of_choices(chosen: np.ndarray, best: np.ndarray, q: np.ndarray, tau: float) -> np.ndarray:
    """sum_a pi (q + tau log pi) less its minimum, at ``best``; (states,) from arrays (actions, states).

    With a temperature it is tau times the divergence sum pi log(pi / best) = sum pi (r + exp(-r) - 1), r = log(pi /
    best) from differences of q, plus the share of ``best`` in choices that pi leaves out.
    """
    taken = chosen > 0
    if tau == 0:
        least = np.where(best > 0, q, np.inf).min(axis=0)
        return np.asarray((chosen * np.where(taken, q - least, 0.0)).sum(axis=0))
    likely = np.argmax(best, axis=0)[None]  # its logarithm is exact enough to stand for the normalisation
    against = np.log(np.take_along_axis(best, likely, 0)) + (np.take_along_axis(q, likely, 0) - q) / tau
    r = np.where(taken, np.log(np.maximum(chosen, TINY)) - against, 0.0)
    return np.asarray(tau * np.where(taken, chosen * (r + np.expm1(-r)), best).sum(axis=0))


def excess_of_speeds(
    mesh: Mesh, nodes: slice, speeds: tuple[np.ndarray, np.ndarray], after: np.ndarray, mass: np.ndarray
) -> float:
    """Of some steps, per unit time: (s - b) (c (s + b) / 2 - drop of the value) times the mass, summed over the moves.

    ``speeds`` are s and the best ones b, (steps, move, z, y, x), and ``after`` the value after the control.  Below the
    cap it is c (s - b)^2 / 2.
    """
    half, total = 0.5 * mesh.scheme.control_cost[nodes].reshape(-1, 1, 1, 1), 0.0
    speed, best = speeds
    for k, axis in enumerate(mesh.axes):
        for side, toward in enumerate((-1, 1)):
            s, b = speed[:, 2 * k + side], best[:, 2 * k + side]
            drop = (after - np.roll(after, toward, axis)) / mesh.scheme.distance(axis - 1, side)
            total += float((mass * (s - b) * (half * (s + b) - drop)).sum())
    return total


class Evaluated(Protocol):
    """What the excess of any step is made of; see `mfgsolve.steps.step.Step`."""

    is_coupled: bool

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def steps(self) -> int: ...

    def new_policy(self, price: np.ndarray | None = None) -> np.ndarray: ...

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray: ...


def excess_of_chain(
    step: Evaluated, chain: Chain, mass: np.ndarray, costs: Costs, populations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Excess by population, and V at t = 0 of the best response, from values and chances alone: the plain road.

    Terms are right to the round-off of values, and no less than 0.
    """
    values, flat = np.empty((step.steps + 1, *step.shape)), mass.reshape(step.steps + 1, -1)
    value = step.backward(costs, step.new_policy(), mass, values)
    total = np.zeros(chain.states)
    for t in range(step.steps):
        q = chain.law.expect(t, values[t + 1], flat[t]).T + chain.own_cost[t]
        if costs.action is not None:
            q = q + costs.action(slice(t, t + 1), np.zeros((1, chain.actions, chain.states)))[0].T
        here = (values[t] - costs.weights[t] * costs.state[t]).reshape(-1)
        total += flat[t] * np.maximum((chain.choices[t] * q).sum(axis=1) - here, 0.0)
    return total.reshape(populations, -1).sum(axis=1), value
