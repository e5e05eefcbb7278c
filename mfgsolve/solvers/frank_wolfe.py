"""Frank-Wolfe on the potential, and fictitious play: average the best responses.

    w_{k+1} = (1 - a) w_k + a w(best response to f(m_k)),    gap_k = J(w_k; m_k) - <m_0, V_0> = exploitability

What is averaged is an `Average`: mass and net flux of a diffusion, occupation of a finite game.  The mean is again a
policy with the same flow, at no more cost than the mixture: every iterate is a certified pair.

Laws that are paid for by entropy have no mean of that kind (`mfgsolve.steps.entropic_policies`).  There the *beliefs*
are averaged: the plan is that all agents draw one of the responses at t = 0 and keep it.  What is handed over, and
certified in every iteration at half a sweep more, is one policy, the best response to the belief.  It may be worse than
the plan at first, and is far better later on: the plan keeps a share of its first responses, which the response, being
smooth in the belief, hardly sees.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mfgsolve.certificates import certify, relative, scale_of
from mfgsolve.errors import InputError, unknown
from mfgsolve.games import Average, Game
from mfgsolve.solvers.base import UNMEASURED, Guess, Measure, Outcome, Solver, State
from mfgsolve.solvers.needs import POTENTIAL, SOFT, Need
from mfgsolve.solvers.stored import Stored
from mfgsolve.watch import held_back, look

__all__ = ["FictitiousPlay", "FrankWolfe"]

AVERAGES = ("linear", "uniform")
SHORTEST = 1e-14  # step that is as good as none


@dataclass
class MeanState(State):
    """The mean of all responses so far and the newest one."""

    mended = True

    game: Game
    plan: Average
    price: np.ndarray
    policy: np.ndarray  # policy of the newest best response; of a diffusion it lives in the price
    response: np.ndarray  # crowd of the newest best response
    own: float = math.nan  # own cost of the mean
    value: float = math.nan  # <m_0, V_0> of the newest response
    response_own: float = math.nan

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        return self.plan.arrays(), {"sweeps": self.sweeps, "mixed": self.iteration}


class Averaging(Solver):
    """What the two have in common: everything but the length of the step."""

    needs: ClassVar[tuple[Need, ...]] = (SOFT,)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> MeanState:
        state = _new_state(game, game.new_average())
        crowd = game.resting_crowd(state.plan.crowd) if start is None else start(game)
        _respond(state, game.price(crowd, state.price), crowd)
        state.plan.mix(game, state.policy, state.response, 1.0)  # from here on the plan and its crowd belong together
        return _measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> MeanState:
        return _measured(_new_state(game, game.new_average(stored.arrays)))

    def unpack(
        self, game: Game, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float], measure: Measure
    ) -> State:
        if numbers.get("mixed", measure.iteration) == measure.iteration:
            return super().unpack(game, tol, arrays, numbers, measure)
        iteration = int(numbers["mixed"])  # it was mixed, and not measured
        state = self.revive(game, tol, Stored(arrays, numbers, iteration))
        sweeps = state.sweeps + numbers["sweeps"]
        state.iteration, state.sweeps = iteration, sweeps
        state.measure = replace(state.measure, iteration=iteration, sweeps=sweeps)
        return state

    def step(self, state: MeanState) -> MeanState:
        look()
        length = self._length(state)
        with held_back():  # a plan that is half mixed, or not measured, is no state: no more than a sweep
            state.iteration += 1
            if length == 0.0:
                state.stalled = True
                return state
            state.plan.mix(state.game, state.policy, state.response, length)
            return _measured(state)

    @abstractmethod
    def _length(self, state: MeanState) -> float: ...

    def finish(self, state: MeanState) -> Outcome:
        game, plan = state.game, state.plan
        if not plan.is_policy:  # the response to the belief is at hand, and so is its crowd
            return Outcome(game, game.policy_of(state.policy), state.response, sweeps=state.sweeps)
        state.price = state.response = state.policy = np.empty(0)  # given back before the dataset is made
        return Outcome(game, plan, plan.crowd, sweeps=state.sweeps)


@dataclass(frozen=True)
class FictitiousPlay(Averaging):
    """Average the best responses; needs no potential, no derivative and no tuning; O(1/k) or so.

    Parameters
    ----------
    average : "linear", weights growing with k (step 2/(k+2), the first plan is the first response), or "uniform", all
        alike (step 1/(k+1), the first plan of a finite game takes every action alike), as in the literature

    Source: Perrin et al., arXiv:2007.03458; Cardaliaguet and Hadikhanloo, doi:10.1051/cocv/2016004.
    """

    average: str = "linear"

    name = "fictitious-play"
    source = (
        "Cardaliaguet and Hadikhanloo, Learning in mean field games: the fictitious play, arXiv:1507.06280; Perrin et "
        "al., Fictitious play for mean field games, arXiv:2007.03458"
    )

    def __post_init__(self) -> None:
        if self.average not in AVERAGES:
            raise InputError(unknown("average", self.average, AVERAGES))

    def init(self, game: Game, tol: float, start: Guess | None = None) -> MeanState:
        if start is not None or self.average == "linear" or not game.step.actions:
            return super().init(game, tol, start)
        state, policy = _new_state(game, game.new_average()), game.step.uniform()
        state.plan.mix(game, policy, game.flow(policy), 1.0)
        return _measured(state)

    def _length(self, state: MeanState) -> float:
        k = state.iteration + 1  # the one to come
        return 2.0 / (k + 2.0) if self.average == "linear" else 1.0 / (k + 1.0)


@dataclass(frozen=True)
class FrankWolfe(Averaging):
    """Fictitious play with the step length that minimises the potential along the segment (to ``accuracy``).

    Source: Lavigne and Pfeiffer, arXiv:2209.12772.
    """

    accuracy: float = 1e-3

    name = "frank-wolfe"
    source = (
        "Lavigne and Pfeiffer, Generalized conditional gradient and learning in potential mean field games, "
        "arXiv:2209.12772"
    )
    needs = (POTENTIAL, SOFT)

    def _length(self, state: MeanState) -> float:
        """Root of the derivative of the potential between the mean and the response."""
        from scipy.optimize import brentq

        game, crowd = state.game, state.plan.crowd
        terminal = game.terminal_total(state.response) - game.terminal_total(crowd)
        own = state.plan.own_slope(game.step, state.policy, state.response, state.response_own - state.own)

        def slope(length: float) -> float:
            return own(length) + terminal + game.segment_slope(crowd, state.response, length)

        if slope(0.0) >= 0.0:
            return 0.0
        if not slope(1.0) > 0.0:  # a slope that is not finite, too: the certificate of the mean then says so
            return 1.0
        return float(brentq(slope, 0.0, 1.0, xtol=SHORTEST, rtol=self.accuracy))


def _new_state(game: Game, plan: Average) -> MeanState:
    price = game.empty_crowd()
    return MeanState(0, 0.0, UNMEASURED, game, plan, price, game.policy_buffer(price), game.empty_crowd())


def _respond(state: MeanState, price: np.ndarray, crowd: np.ndarray) -> None:
    """Best response to the price and its flow: one sweep.  The policy of a diffusion overwrites the price."""
    game = state.game
    answer = game.respond(price, out=state.policy, crowd=crowd)
    game.flow(answer.policy, state.response)
    state.value = answer.mean_value
    state.response_own = game.cost(game.policy_of(answer.policy), state.response)[0]
    state.sweeps += 1.0


def _measured(state: MeanState) -> MeanState:
    """Respond to the mean; its exploitability comes for free, where it is a policy."""
    game, crowd = state.game, state.plan.crowd
    price, energy = state.price, game.price_and_potential(crowd, state.price)
    paid = game.cost(state.plan, crowd), game.crowd_totals(price, crowd), game.terminal_totals(crowd)
    state.own, terminal = paid[0].cost, paid[2].cost
    _respond(state, price, crowd)
    if not state.plan.is_policy:
        state.sweeps += 0.5
        policy = game.policy_of(state.policy)
        state.note(certify(game, policy, state.response), game.cell_steps)
        return state
    gap = sum(part.cost for part in paid) - state.value
    scale = scale_of(game, crowd, gap, *paid)
    averse = game.is_potential and game.is_monotone
    state.measure = Measure(
        iteration=state.iteration,
        sweeps=state.sweeps,
        exploitability=gap,
        relative_exploitability=relative(gap, scale),
        potential=state.own + energy + terminal + game.constants.total if game.is_potential else math.nan,
        duality_gap=gap if averse else math.nan,
        cell_steps=game.cell_steps,
        final_grid=True,
    )
    return state
