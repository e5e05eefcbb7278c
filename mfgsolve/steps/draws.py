"""One agent of an entropic step: one draw along each axis in turn, and what its policy costs above the best one.

    p_y(k | r, i) = K_k exp((a(r, i) - xi(r + k, i)) / eps),   p_x(l | r, i) = K_l exp((xi(r, i) - v(r, i + l)) / eps)

with v = v_{t+1} the policy, and xi, a the soft minima that make these sum to 1.  The agent chooses the law
q of its next cell, so that what it pays itself, eps KL(q(. | x) || N(x, .)) = a(x) - E v, depends on its cell alone and
not on where it happens to go.

Against other costs the best law is q', of values a' and v', and what a policy costs above it is, by the chain rule,

    excess = sum_t eps_t <m_t, KL(q_t || q'_t)> = sum_t eps_t sum_draws <mass before the draw, KL(p || p')>

the performance-difference lemma for soft minima (`mfgsolve.steps.excess`), in terms none of which is negative.
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.kernels.draws import Draw
from mfgsolve.steps.chain import Chain, MarkovChain, Moves
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.policies import Policy
from mfgsolve.steps.stencils import Stencil
from mfgsolve.watch import look

__all__ = ["Draws", "draws_of", "draws_of_value", "excess_of_draws", "no_choices"]


class Drawing(Protocol):
    """What draws are made of; see `mfgsolve.steps.entropic.EntropicStep`."""

    entropy: np.ndarray

    @property
    def draw_kernel(self) -> Any: ...  # the module whose kernels take its draws

    @property
    def steps(self) -> int: ...

    @property
    def cells(self) -> int: ...

    def passes(self, t: int) -> list[Stencil]: ...

    def after(self, policy: Any, t: int) -> np.ndarray: ...

    def policy_of(self, policy: np.ndarray) -> Policy: ...

    def new_policy(self, price: np.ndarray | None = None) -> np.ndarray: ...

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray: ...


def no_choices(step: object) -> NoReturn:
    """Refuse what needs a finite list of actions."""
    raise InputError(
        f"the agents of this step ({type(step).__name__}) choose any law of their next cell, not an action of a finite "
        "list; state the game with ControlledDiffusion(scheme='upwind'), whose agents choose among moves to the "
        "neighbours, with LatticeMoves or with Tabular (mfgsolve.simulate, nash_gap and compare need no list)"
    )


def draws_of(step: Drawing, policy: Policy, t: int) -> list[Draw]:
    """The draws of step t, in turn."""
    return draws_of_value(step, step.after(policy, t), t)


def draws_of_value(step: Drawing, value: np.ndarray, t: int) -> list[Draw]:
    """The draws of step t of agents who look ahead to a value, in turn."""
    eps, after = float(step.entropy[t]), np.ascontiguousarray(value).reshape(-1)
    draws: list[Draw] = []
    for stencil in reversed(step.passes(t)):
        before, weight, norm = step.draw_kernel.soften(after, stencil.near, stencil.taps, stencil.logs, eps)
        draws.insert(0, Draw(stencil.near, stencil.taps, stencil.logs, before, after, eps, weight, norm))
        after = before
    return draws


class Draws(MarkovChain):
    """One agent that follows a policy of an entropic step.

    Parameters
    ----------
    step : the step
    policy : one of its policies, which has a field v_{t+1}
    """

    actions = 0

    def __init__(self, step: Drawing, policy: Policy):
        self.step, kernel = step, step.draw_kernel
        self.steps, self.states = step.steps, step.cells
        self.own_cost = np.empty((self.steps, self.states, 1))
        self.draws: list[list[Draw]] = []
        for t in range(self.steps):
            look()
            draws = draws_of(step, policy, t)
            ahead = draws[-1].after
            for draw in reversed(draws):
                ahead = kernel.expect_draw(ahead, draw)
            self.own_cost[t, :, 0] = draws[0].before - ahead
            self.draws.append(draws)

    def expect(self, t: int, mass: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        for draw in self.draws[t]:
            mass = self.step.draw_kernel.push_draw(mass, draw)
        return mass

    def moves(self, t: int, mass: np.ndarray) -> Moves:
        return _DrawnMoves(self.draws[t], self.step.draw_kernel)

    def by_choice(self) -> Chain:
        no_choices(self.step)


class _DrawnMoves:
    """One step of `Draws`."""

    def __init__(self, draws: list[Draw], kernel: Any):
        self.draws, self.kernel = draws, kernel
        self._tables: list[tuple[np.ndarray, np.ndarray]] = []

    def walk(self, cells: np.ndarray, stream: np.ndarray, actions: np.ndarray) -> None:
        if not self._tables:
            sizes = [draw.near.shape for draw in self.draws]
            self._tables = [(np.empty((n, moves + 1)), np.zeros(n, dtype=bool)) for n, moves in sizes]
        for draw, (table, known) in zip(self.draws, self._tables, strict=True):
            self.kernel.walk_draw(cells, draw, table, known, stream)

    def split(self, counts: np.ndarray, stream: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        for draw in self.draws:
            counts = self.kernel.split_draw(counts, draw, stream)
        return counts


def excess_of_draws(step: Drawing, policy: Policy, mass: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
    """Excess (1,) of a policy, whose flow starts as ``mass`` does, and V at t = 0 of the best response to the costs."""
    array = step.new_policy()
    value = step.backward(costs, array)
    best = step.policy_of(array)
    total, level = 0.0, np.ascontiguousarray(mass[0], dtype=float).reshape(-1)
    for t in range(step.steps):
        look()
        for draw, other in zip(draws_of(step, policy, t), draws_of(step, best, t), strict=True):
            total += draw.entropy * step.draw_kernel.diverge(level, draw, other)
            level = step.draw_kernel.push_draw(level, draw)
    return np.array([total]), value
