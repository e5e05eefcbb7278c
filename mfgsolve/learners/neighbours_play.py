"""IL, MFQ, MFAC and MTMFQ on mean-field games: agents who see those around them, and neither place nor time.

The games are those whose agents live on a grid, where neighbourhoods exist; what is seen and learned is said in
`mfgsolve.learners.neighbours_game`.  An agent sees

    il       nobody                                                  Tan, ICML 1993
    mfq      the mean offset of all agents within a radius           Yang et al., arXiv:1802.05438
    mfac     the same, and an actor follows the gradient of its critic
    mtmfq    a mean offset for every population                      Ganapathi Subramanian et al., arXiv:2002.02513

so that each is the best answer of its kind to *what is seen*, and in general no equilibrium: the certificate says by
how much.  Where there is one population mtmfq is mfq.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.grids import Grid
from mfgsolve.inputs.options import typed_options
from mfgsolve.learners.neighbours_game import Blind, MeanOffset, NeighbourActor, NeighbourLearner, play, policy_along
from mfgsolve.learners.sampler import Sampler
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT, TABLES, UNCOUPLED, Need
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.watch import look

__all__ = ["IL", "MFAC", "MFQ", "MTMFQ"]

PLACES = Need(
    "places",
    lambda problem: isinstance(getattr(problem.grid, "space", problem.grid), Grid),
    "its agents live in listed states, which have no neighbourhoods; state it on a Grid",
)
DENSITIES = Need(
    "densities",
    lambda problem: all(coupling.on == "state" for coupling in problem.couplings),
    "choices themselves are priced, and agents pay where they arrive; state couplings on 'state'",
)


@dataclass
class PlayState(State):
    """Tables Q and what was visited, (populations, seen, actions); preferences of an actor; the policy they make."""

    replaced = True

    game: Game
    learner: NeighbourLearner
    policy: np.ndarray
    crowd: np.ndarray
    q: np.ndarray = field(metadata=STORED)
    visits: np.ndarray = field(metadata=STORED)
    logits: np.ndarray = field(metadata=STORED)


@dataclass(frozen=True)
class _NeighbourPlay(Solver):
    """What the four have in common.

    Parameters
    ----------
    agents : how many of each population
    episodes : how often the game is played
    block : episodes from one certificate to the next
    beta : of the softmax, 1 / reward
    discount : gamma of what comes later, since nobody sees when the game ends
    power : alpha = (1 + visits)^-power
    radius : up to which agents are seen, in steps
    threshold : up to which a mean offset (in cells) counts as none
    seed : of all random numbers
    """

    agents: int = 500
    episodes: int = 60
    block: int = 10
    beta: float = 3.0
    discount: float = 0.7
    power: float = 0.7
    radius: int = 2
    threshold: float = 0.15
    seed: int = 0

    learns = True
    needs = (TABLES, SOFT, UNCOUPLED, PLACES, DENSITIES)
    typed: ClassVar[bool] = False
    actor: ClassVar[bool] = False
    rate: ClassVar[float] = 0.0  # of an actor

    def __post_init__(self) -> None:
        given = {part.name: getattr(self, part.name) for part in fields(self)}
        for name, value in typed_options(type(self), given, self.name, "the learner").items():
            object.__setattr__(self, name, value)
        for name, least in (("agents", 1), ("episodes", 1), ("block", 1), ("radius", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of the learner is {getattr(self, name)}; at least {least} is needed")

    def sight(self, game: Game) -> Any:
        """What agents see of the masses around them."""
        return MeanOffset(game.grid, self.typed, self.radius, self.threshold)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PlayState:
        state = self._state(game)
        return self._measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PlayState:
        state = self._state(game)
        for name, array in stored.of(PlayState).items():
            own = getattr(state.learner, name)
            if array.shape != own.shape or not np.isfinite(array).all():
                raise ValueError(f"{name} of shape {array.shape}, where finite numbers {own.shape} should be")
            own[...] = array
        state.iteration = stored.iteration
        state.finished = self._is_over(stored.iteration)
        return self._along(state)

    def step(self, state: PlayState) -> PlayState:
        game, sampler = state.game, Sampler(state.game)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(state.iteration,)))
        kind = np.repeat(np.arange(sampler.populations), self.agents)
        learner = self._learner(game)
        for name in ("q", "visits", "logits"):  # a block that is broken off leaves the state as it was
            getattr(learner, name)[...] = getattr(state, name)
        for _ in range(min(self.block, self.episodes - state.iteration * self.block)):
            look()
            play(sampler, self.sight(game), learner, kind, rng)
        state.learner, state.iteration = learner, state.iteration + 1
        return self._measured(self._along(state))

    def finish(self, state: PlayState) -> Outcome:
        played = Played(self.agents, self.episodes, self.block)
        policy = state.game.policy_of(state.policy)
        return Outcome(state.game, policy, state.crowd, sweeps=state.sweeps, played=played)

    def _learner(self, game: Game) -> NeighbourLearner:
        kind = NeighbourActor if self.actor else NeighbourLearner
        sizes = self.sight(game).count, game.grid.populations, game.step.actions
        learner = kind(*sizes, self.beta, self.discount, self.power)
        if isinstance(learner, NeighbourActor):
            learner.rate = self.rate
        return learner

    def _state(self, game: Game) -> PlayState:
        if not game.step.allowed.all():
            raise InputError(
                f"learner {self.name!r} got {game.problem.name!r}, in which some moves are forbidden somewhere; agents "
                "who do not see their place cannot know that: take walls that reflect, or another learner"
            )
        learner, policy = self._learner(game), game.step.uniform()
        tables = learner.q, learner.visits, learner.logits
        return self._along(PlayState(0, 0.0, UNMEASURED, game, learner, policy, game.flow(policy), *tables))

    def _along(self, state: PlayState) -> PlayState:
        """The policy of the tables along the masses that it moves, and its crowd."""
        game, learner = state.game, state.learner
        state.q, state.visits, state.logits = learner.q, learner.visits, learner.logits
        shaped = policy_along(game, self.sight(game), learner.policy())
        state.policy = np.ascontiguousarray(shaped).reshape(game.steps, game.step.actions, game.cells)
        state.crowd = game.flow(state.policy)
        return state

    def _measured(self, state: PlayState) -> PlayState:
        certificate = certify(state.game, state.game.policy_of(state.policy), state.crowd)
        state.sweeps += 1.0
        state.note(certificate, state.game.cell_steps)
        state.finished = self._is_over(state.iteration)
        return state

    def _is_over(self, iteration: int) -> bool:
        return iteration * self.block >= self.episodes


@dataclass(frozen=True)
class IL(_NeighbourPlay):
    """Q-learning of agents each of whom sees nobody; parameters: see `_NeighbourPlay`."""

    name = "il"
    source = (
        "Tan, Multi-agent reinforcement learning: independent versus cooperative agents, "
        "doi:10.1016/B978-1-55860-307-3.50049-6"
    )

    def sight(self, game: Game) -> Blind:
        return Blind(game.cells // game.grid.populations)


@dataclass(frozen=True)
class MFQ(_NeighbourPlay):
    """Q-learning of agents each of whom sees all agents around it; parameters: see `_NeighbourPlay`."""

    name = "mfq"
    source = "Yang et al., Mean field multi-agent reinforcement learning, arXiv:1802.05438"


@dataclass(frozen=True)
class MFAC(_NeighbourPlay):
    """Q-learning of agents each of whom sees all around it, and has an actor; parameters: see `_NeighbourPlay`."""

    name = "mfac"
    source = "Yang et al., Mean field multi-agent reinforcement learning, arXiv:1802.05438"
    actor = True
    rate = 1.0


@dataclass(frozen=True)
class MTMFQ(_NeighbourPlay):
    """Q-learning of agents each of whom sees a mean of every population; parameters: see `_NeighbourPlay`."""

    name = "mtmfq"
    source = "Ganapathi Subramanian et al., Multi type mean field reinforcement learning, arXiv:2002.02513"
    typed = True
