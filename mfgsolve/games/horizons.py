"""How steps are chained: which nodes a game has, what a cost at each of them counts, and the sweeps through them.

A game is a step, a horizon and a crowd.  What a problem says of its times becomes a `Horizon` (`horizon_of`):

    weights    w_t, what a cost per unit time counts at node t
    backward   V_t = w_t f_t + best_t(F V_{t+1}): values and the best response, from the last node to the first
    forward    m_{t+1} = F^T P_t^T m_t: the flow of a policy, from the first node to the last
    change     how the flow of a best response moves when costs do

`Finite` goes through the T steps of a `TimeGrid` once.  Steps chained otherwise are one more class, and one more kind
of times that `horizon_of` knows.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games.horizon import Horizon
from mfgsolve.grids import TimeGrid
from mfgsolve.stationary import FirstExit, Stationary
from mfgsolve.steps import Costs, Policy, Step

__all__ = ["Finite", "Horizon", "horizon_of"]


class Finite(Horizon):
    """T steps of equal length, one after the other, and then the end.

    Parameters
    ----------
    time : the nodes, and the discount rate r: a cost at node t counts e^(-r t)
    """

    def __init__(self, time: TimeGrid):
        self.time = time

    def weights(self, terminal: bool, trapezoidal: bool = False) -> np.ndarray:
        """dt before the end, and 1 at the end where there is a terminal coupling; or dt and half of it at both ends.

        Discounted.
        """
        weights = np.full(self.time.steps + 1, self.time.dt)
        if trapezoidal:
            weights[[0, -1]] = 0.5 * self.time.dt
        else:
            weights[-1] = 1.0 if terminal else 0.0
        return weights * self.time.discounts if self.time.discount else weights

    def backward(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """The sweep of the step, by its kernels if it has some."""
        return step.backward(costs, policy, mass, values)

    def evaluate(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The sweep of the step."""
        return step.evaluate(costs, policy, mass)

    def forward(self, step: Step, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """The sweep of the step, by its kernels if it has some."""
        return step.forward(policy, mass)

    def follow(self, step: Step, policy: Policy, mass: np.ndarray) -> np.ndarray:
        """The sweep of the step."""
        return step.follow(policy, mass)

    def change(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The sweep of the step."""
        assert mass is not None
        return step.change(costs, policy, mass)


@singledispatch
def horizon_of(time: Any) -> Horizon:
    """The horizon that a problem's times state.

    Raises
    ------
    InputError
        for times of a kind that no horizon is known for
    """
    raise InputError(
        f"times are a {type(time).__name__}; a TimeGrid is needed, or register one with horizon_of.register"
    )


@horizon_of.register
def _(time: TimeGrid) -> Horizon:
    return Finite(time)


@horizon_of.register
def _(time: Stationary) -> Horizon:
    from mfgsolve.games.stationary import Repeated  # whose linear algebra takes its time to import

    return Repeated(time)


@horizon_of.register
def _(time: FirstExit) -> Horizon:
    from mfgsolve.games.first_exit import UntilExit

    return UntilExit(time)
