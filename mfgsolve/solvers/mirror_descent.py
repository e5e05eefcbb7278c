"""Online mirror descent: scores fall by what actions cost against the crowd of the present policy.

    y_{k+1} = (1 - a tau dt) y_k - a q(pi_k; m_k),    pi_k = softmax(y_k),    m_k the crowd of pi_k

with q the cost of an action when pi_k is followed afterwards (own and crowd cost, no entropy), as of its own time.
Needs no potential, no derivative and no averaging: the last policy is the answer.  In a crowd-averse game it converges
(in continuous time).

Source: Perolat et al., arXiv:2103.00623; Hadikhanloo, arXiv:1704.00378.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.kernels import finite
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT, TABLES
from mfgsolve.solvers.stored import STORED, Stored

__all__ = ["MirrorDescent"]


@dataclass
class ScoreState(State):
    """Scores of all actions, their policy, its crowd and the price of that."""

    replaced = True

    game: Game
    rate: float = field(metadata=STORED)
    scores: np.ndarray = field(metadata=STORED)
    policy: np.ndarray
    crowd: np.ndarray
    price: np.ndarray


@dataclass(frozen=True)
class MirrorDescent(Solver):
    """Online mirror descent on a finite list of actions; for any game without hard bounds.

    Parameters
    ----------
    rate : step a, in 1 / cost; 0 takes one over the largest difference between two actions at the start
    """

    rate: float = 0.0

    name = "mirror-descent"
    source = "Perolat et al., Scaling up mean field games with online mirror descent, arXiv:2103.00623"
    needs = (TABLES, SOFT)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate >= 0):
            raise InputError(f"rate of mirror descent is {self.rate}; zero (choose for me) or more is needed")

    def init(self, game: Game, tol: float, start: Guess | None = None) -> ScoreState:
        state = _new_state(game, self.rate, np.zeros((game.steps, game.step.actions, game.cells)))
        if start is not None:  # the best response to that crowd, as far as scores of that rate can say it
            state.crowd = start(game)
            state.price = game.price(state.crowd, state.price)
            q = _exact_costs(state)
            state.scores = -q / _spread(game, q)
            _choose(state)
        _follow(state)
        if self.rate == 0:
            state.rate = 1.0 / _spread(game, _exact_costs(state))
        return _measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> ScoreState:
        state = _new_state(game, **stored.of(ScoreState))
        _follow(state)
        return state

    def step(self, state: ScoreState) -> ScoreState:
        game, q = state.game, self.costs(state)
        tau = game.unweighed(game.step.entropy_cost, slice(0, game.steps))
        scores = state.scores * (1.0 - np.minimum(state.rate * tau, 1.0))[:, None, None]
        scores -= state.rate * q
        scores -= np.where(game.step.allowed, scores, -np.inf).max(axis=1, keepdims=True)
        state.scores = scores
        _choose(state)
        _follow(state)
        state.iteration, state.sweeps = state.iteration + 1, state.sweeps + 0.5
        return _measured(state)

    def costs(self, state: ScoreState) -> np.ndarray:
        """q (steps, actions, states): what actions cost when the policy is followed afterwards."""
        return _exact_costs(state)

    def finish(self, state: ScoreState) -> Outcome:
        return Outcome(state.game, state.game.policy_of(state.policy), state.crowd, sweeps=state.sweeps)


def _new_state(game: Game, rate: float, scores: np.ndarray) -> ScoreState:
    state = ScoreState(
        0, 0.0, UNMEASURED, game, rate, scores, np.empty_like(scores), game.empty_crowd(), game.empty_crowd()
    )
    _choose(state)
    return state


def _exact_costs(state: ScoreState) -> np.ndarray:
    """q (steps, actions, states) of the policy, as of its own time."""
    game = state.game
    return game.unweighed(game.evaluate(state.policy, state.price, state.crowd)[1], slice(0, game.steps))


def _spread(game: Game, q: np.ndarray) -> float:
    """Largest difference of two actions' costs; 1 where all cost the same."""
    low, high = (np.where(game.step.allowed, q, fill) for fill in (np.inf, -np.inf))
    return float((high.max(axis=1) - low.min(axis=1)).max()) or 1.0


def _choose(state: ScoreState) -> None:
    """Softmax of the scores."""
    finite.softmax(state.scores, state.game.step.allowed, state.policy)


def _follow(state: ScoreState) -> None:
    """Crowd of the policy and its price.  Half a sweep."""
    state.game.flow(state.policy, state.crowd)
    state.game.price(state.crowd, state.price)
    state.sweeps += 0.5


def _measured(state: ScoreState) -> ScoreState:
    """Certificate of the policy.  Half a sweep."""
    certificate = certify(state.game, state.game.policy_of(state.policy), state.crowd)
    state.sweeps += 0.5
    state.note(certificate, state.game.cell_steps)
    return state
