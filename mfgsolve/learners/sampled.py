"""Solvers of the core whose best responses are sampled: a learner trained against the frozen crowd stands in for the
backward pass.  The certificate stays exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, whole
from mfgsolve.games import Game
from mfgsolve.learners.environments.sampled_game import SampledGame, train
from mfgsolve.learners.protocol import Learner
from mfgsolve.learners.q_learning import QLearner
from mfgsolve.parts.exploration import EpsilonGreedy
from mfgsolve.parts.schedules import Harmonic
from mfgsolve.solvers.base import Guess
from mfgsolve.solvers.frank_wolfe import FictitiousPlay, MeanState
from mfgsolve.solvers.mirror_descent import MirrorDescent, ScoreState
from mfgsolve.solvers.needs import SOFT, TABLES

__all__ = ["SampledFictitiousPlay", "SampledMirrorDescent", "sampled_response"]

Maker = Callable[[Game], Learner]


def sampled_response(
    game: Game, crowd: np.ndarray, make: Maker, agents: int, episodes: int, rng: np.random.Generator
) -> Learner:
    """A new learner, trained against a crowd that does not react."""
    learner = make(game)
    train(learner, SampledGame(game, agents, crowd, rng), episodes)
    return learner


def _check_samples(solver: Any) -> None:
    for what, least in (("agents", 1), ("episodes", 1), ("seed", 0)):
        if whole(getattr(solver, what), what) < least:
            raise InputError(f"{what} is {getattr(solver, what)}; a whole number of at least {least} is needed")


@dataclass(frozen=True)
class SampledFictitiousPlay(FictitiousPlay):
    """Fictitious play whose best responses are learned by ``agents`` agents in ``episodes`` episodes each.

    Subclasses bring their own learner: override ``make``, from the game to a new `Learner`.
    """

    agents: int = 100
    episodes: int = 100
    seed: int = 0

    name = "sampled-fictitious-play"
    needs = (TABLES, SOFT)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_samples(self)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> MeanState:
        """Every action alike at first: nothing is known of the game."""
        return FictitiousPlay(average="uniform").init(game, tol, start)

    def make(self, game: Game) -> Learner:
        """Tabular Q-learning, half of the choices at random."""
        return QLearner(game, EpsilonGreedy(0.5), Harmonic(0.7))

    def step(self, state: MeanState) -> MeanState:
        game = state.game
        rng = np.random.default_rng([self.seed, state.iteration])
        learner = sampled_response(game, state.plan.crowd, self.make, self.agents, self.episodes, rng)
        state.policy[...] = learner.policy(game, state.plan.crowd)
        game.flow(state.policy, state.response)
        return super().step(state)  # type: ignore[return-value]


@dataclass(frozen=True)
class SampledMirrorDescent(MirrorDescent):
    """Mirror descent whose costs of actions are learned: q of a `QLearner` that follows the policy of the crowd."""

    agents: int = 100
    episodes: int = 100
    seed: int = 0

    name = "sampled-mirror-descent"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_samples(self)

    def costs(self, state: ScoreState) -> np.ndarray:
        """Sampled -q (steps, actions, states), as of its own time; 0 where nobody came."""
        game = state.game
        rng = np.random.default_rng([self.seed, state.iteration])
        learner = QLearner(game, EpsilonGreedy(0.5), Harmonic(0.7), follow=state.policy)
        train(learner, SampledGame(game, self.agents, state.crowd, rng), self.episodes)
        return game.unweighed(-learner.function.entries.transpose(0, 2, 1), slice(0, game.steps))
