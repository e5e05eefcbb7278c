"""The horizon of first-exit games: agents are born at a steady rate, and are followed until they leave.

With P the transitions under a policy, Q = P without who has left, l what a step costs and k what leaving costs,

    value    v = l + P v inside, v = k at exits          by Howard's policy iteration, v <- v + (I - Q)^-1 (T v - v)
    law      m = dt m_0 + Q^T m                          the crowd inside; at exits, dt times the share that left there
    change   dv = c + Q dv,   dm = Q^T dm + d(Q^T) m

Policies that never leave have no value: iteration starts at one that does, the limit of best responses to costs that
count less later, and a policy that is then better and never leaves has found a round trip that costs nothing, or less,
on which agents would stay for ever: the game is refused, and the states are named.

Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems, doi:10.1287/moor.16.3.580
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order

from mfgsolve.errors import InputError
from mfgsolve.games.long_run import Leaving
from mfgsolve.games.stationary import EXACT, NEAR, NEARER, PATIENCE, Repeated, names_of
from mfgsolve.stationary import Stationary
from mfgsolve.steps import Costs, Policy, Step
from mfgsolve.steps.matrix import Chances, chances_of

__all__ = ["UntilExit"]

LONGEST = 1e9  # mean number of steps until an agent leaves, beside which the cost of a step is lost
ROUGH = 1e-3  # relative change of values at which an earlier discount factor has done its part


class UntilExit(Repeated):
    """One step, again and again until an agent leaves.

    Parameters
    ----------
    time : a `FirstExit`
    """

    leaves = True
    is_ergodic = False  # whatever a factor of 1 says

    def __init__(self, time: Stationary):
        super().__init__(time)
        self.is_ergodic = self.starts_where_it_is = False

    def start(self, initial: np.ndarray, mass: np.ndarray | None) -> np.ndarray:
        """Who is born in a step."""
        return self.time.dt * initial

    def lasting(self, value: np.ndarray, free: np.ndarray) -> np.ndarray:
        """The value itself: what an agent pays until it leaves."""
        return value

    def accounted(self, mass: np.ndarray, gone: np.ndarray | None) -> np.ndarray:
        """Of a mass (levels, populations, cells) the agents born per unit of time: all of them leave."""
        assert gone is not None
        return np.asarray((mass * gone).sum(axis=2) / self.time.dt)

    # -- values ------------------------------------------------------------------------------------------------

    def backward(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """The value of the best response."""
        costs = costs._replace(state=np.array(costs.state))  # a policy may take the place of the price
        self._check_ways(step, mass)
        value = trapped = None
        if self.guess is not None:
            value, trapped = self._improved(step, costs, policy, mass, self.guess.reshape(step.shape), 1.0, 0.0)
        if value is None:
            near: np.ndarray | None = np.zeros(step.shape)
            for factor in NEARER:
                assert near is not None
                better, _ = self._improved(step, costs, policy, mass, near, factor, ROUGH)
                near = near if better is None else better
            assert near is not None
            value, trapped = self._improved(step, costs, policy, mass, near, 1.0, 0.0)
        if value is None:
            raise InputError(_endless(step, trapped))
        step.backward(self._before(step, costs, value, 1.0), policy, mass)
        if values is not None:
            values[:] = value
        return value

    def _improved(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, value: np.ndarray, factor: float,
        enough: float,
    ) -> tuple[np.ndarray | None, np.ndarray | None]:  # fmt: skip
        """Howard's policy iteration: the value, or None and the cells from which its policy never leaves."""
        value, last = self._pinned(step, costs, value), math.inf
        for _ in range(PATIENCE):
            after = step.backward(self._before(step, costs, value, factor), policy, mass)
            lack = np.where(self._inside(step), after - value, 0.0)
            system = cast(Leaving, self._system(step, policy, mass, factor))
            if factor == 1.0 and system.trapped.any():
                return None, system.trapped
            if factor == 1.0 and not system.longest <= LONGEST:
                break
            move, _ = system.solve(lack)
            size, scale = float(np.abs(move).max()), float(np.abs(value).max())
            if not math.isfinite(size):
                break
            value = value + move
            scale = max(scale, float(np.abs(value).max()))
            if size <= max(EXACT, enough) * scale or last <= size <= NEAR * scale:
                return value, None
            last = size
        return None, None

    def _inside(self, step: Step) -> np.ndarray:
        return np.asarray(step.space.inside).reshape(step.shape)

    def _pinned(self, step: Step, costs: Costs, value: np.ndarray) -> np.ndarray:
        """Values with the exit cost at exits, and nothing in walls."""
        out = np.where(step.space.exits.cells.reshape(step.shape), np.reshape(costs.terminal, step.shape), value)
        return np.where(step.space.mask.reshape(step.shape), 0.0, out)

    def _before(self, step: Step, costs: Costs, value: np.ndarray, factor: float) -> Costs:
        """What is paid in one step that ends in b v, or in the exit cost."""
        state = np.zeros((2, *value.shape))
        state[0] = np.reshape(costs.state[0], value.shape)
        return costs._replace(state=state, terminal=self._pinned(step, costs, factor * value))

    def evaluate(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Value, and what each action costs."""
        self._check_ways(step, mass)
        system = cast(Leaving, self._system(step, policy, mass))
        if system.trapped.any():
            raise InputError(_forever(step, system.trapped))
        value = self._pinned(step, costs, np.zeros(step.shape))
        for _ in range(2):  # the second one for the last digits
            after, _ = step.evaluate(self._before(step, costs, value, 1.0), policy, mass)
            value = value + system.solve(np.where(self._inside(step), after[0] - value, 0.0))[0]
        levels, q = step.evaluate(self._before(step, costs, value, 1.0), policy, mass)
        levels[:] = value
        return levels, q

    # -- laws --------------------------------------------------------------------------------------------------

    def follow(self, step: Step, policy: Policy, mass: np.ndarray) -> np.ndarray:
        """The law of any policy.

        Raises
        ------
        InputError
            where agents come to states that the policy never leads out of
        """
        self._check_ways(step, mass)
        mass[:] = self._law(step, mass[0].copy(), lambda now: self._made(step, policy, now[0], 1.0))
        return mass

    def _law(self, step: Step, initial: np.ndarray, system: Callable[[np.ndarray], Any]) -> np.ndarray:
        """The law, at both levels."""
        born, now = self.time.dt * initial, self.time.dt * initial
        for _ in range(PATIENCE if step.is_coupled else 1):  # the crowd may decide where it goes
            made = system(np.stack([now, now]))
            lost = made.lost(born)
            if lost.any():
                raise InputError(_forever(step, lost))
            after = made.law(born)
            moved, now = float(np.abs(after - now).sum()), after
            if moved <= EXACT * float(after.sum()):
                break
        return np.stack([now, now])

    def change(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Change of the law, and of what is chosen, when costs change; the exit cost stays."""
        return super().change(step, costs._replace(terminal=np.zeros(step.shape)), policy, mass)

    def _made(self, step: Step, policy: Policy, here: np.ndarray, factor: float) -> Leaving:  # type: ignore[override]
        chances = chances_of(step, policy, here)
        return Leaving(chances, factor, np.asarray(step.space.inside).reshape(-1), _stuck(step, chances))

    def _check_ways(self, step: Step, mass: np.ndarray | None) -> None:
        """Refuse states that no choice leads out of; of tables, whose choices are few."""
        if not step.has_tables or self._whole is step:
            return
        here = np.zeros(step.shape) if mass is None or not step.is_coupled else mass[0]
        trapped = _stuck(step, chances_of(step, step.policy_of(step.uniform()), here))
        if trapped.any():
            raise InputError(
                f"no exit can be reached from {names_of(step, np.flatnonzero(trapped))}, whatever agents do there, and "
                "with FirstExit() they play until they leave; give these a way out, make them exits or block them"
            )
        self._whole = step


def _stuck(step: Step, chances: Chances) -> np.ndarray:
    """Boolean (cells,): inside, and no exit is ever reached from there under these transitions."""
    inside, gone = np.asarray(step.space.inside).reshape(-1), step.space.exits.cells.reshape(-1)
    graph = sparse.csr_array(chances)
    into = sparse.csr_array((graph.data > 0, graph.indices, graph.indptr), shape=graph.shape).astype(float)
    into.eliminate_zeros()
    out = np.flatnonzero(gone)
    door = sparse.csr_array((np.ones(out.size), (np.zeros(out.size, int), out)), shape=(1, inside.size))
    whole: Any = sparse.block_array([[into.T, None], [door, sparse.csr_array((1, 1))]], format="csr")
    reached = np.zeros(inside.size + 1, dtype=bool)
    reached[breadth_first_order(whole, inside.size, return_predecessors=False)] = True
    return inside & ~reached[:-1]


def _forever(step: Step, cells: np.ndarray) -> str:
    return (
        f"the policy never leads out of {names_of(step, np.flatnonzero(cells))}: what an agent pays there until it "
        "leaves is infinite; give every action a small chance, or take a policy that leads to an exit"
    )


def _endless(step: Step, trapped: np.ndarray | None) -> str:
    remedy = "every round trip must cost something; state costs per step above 0 inside, or a final time (TimeGrid)"
    if trapped is None:
        return (
            "with FirstExit() what an agent pays until it leaves has no least value: it falls without end the longer "
            f"an agent stays (a temperature pays for entropy, too); {remedy}"
        )
    return (
        f"with FirstExit() agents never leave {names_of(step, np.flatnonzero(trapped))}: a round trip there costs "
        f"nothing, or less, in the crowd that was looked at; {remedy}"
    )
