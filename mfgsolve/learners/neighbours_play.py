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

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.grids import Grid
from mfgsolve.inputs.options import typed_options
from mfgsolve.learners.communication import LATER
from mfgsolve.learners.neighbours_game import Blind, MeanOffset, NeighbourActor, NeighbourLearner, play, policy_along
from mfgsolve.learners.sampler import Sampler
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT, TABLES, UNCOUPLED, Need
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.watch import look

__all__ = ["IL", "MFAC", "MFQ", "MTMFQ"]

TABLED = ("q", "visits", "logits")  # what a learner has learned
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


Sight = MeanOffset | Blind


@dataclass
class PlayState(State):
    """Tables Q and what was visited, (populations, seen, actions); preferences of an actor; the policy they make."""

    replaced = True

    game: Game
    sight: Sight
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
    unused: ClassVar[Mapping[str, str]] = {}  # parameters that are of no use to a class, and why

    def __post_init__(self) -> None:
        given = {part.name: getattr(self, part.name) for part in fields(self) if part.name not in self.unused}
        for name, value in typed_options(type(self), given, self.name, "the learner").items():
            object.__setattr__(self, name, value)
        for name, least in (("agents", 1), ("episodes", 1), ("block", 1), ("radius", 1), ("seed", 0)):
            if name in given and getattr(self, name) < least:
                raise InputError(f"{name} of the learner is {getattr(self, name)}; at least {least} is needed")

    def sight(self, game: Game) -> Sight:
        """What agents see of the masses around them; the neighbourhoods of a grid are made once a game."""
        return MeanOffset(game.grid, self.typed, self.radius, self.threshold)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PlayState:
        return self._measured(self._state(game, {}))

    def revive(self, game: Game, tol: float, stored: Stored) -> PlayState:
        state = self._state(game, stored.of(PlayState))
        state.iteration = stored.iteration
        state.finished = self._is_over(stored.iteration)
        return state

    def step(self, state: PlayState) -> PlayState:
        game, sampler = state.game, Sampler(state.game)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(state.iteration,)))
        kind = np.repeat(np.arange(sampler.populations), self.agents)
        learner = self._learner(game, state.sight)  # a block that is broken off leaves the state as it was
        _fill(learner, {name: getattr(state, name) for name in TABLED})
        for _ in range(min(self.block, self.episodes - state.iteration * self.block)):
            look()
            play(sampler, state.sight, learner, kind, rng)
        state.learner, state.iteration = learner, state.iteration + 1
        state.q, state.visits, state.logits = learner.q, learner.visits, learner.logits
        state.policy, state.crowd = _along(game, state.sight, learner)
        return self._measured(state)

    def finish(self, state: PlayState) -> Outcome:
        played = Played(self.agents, self.episodes, self.block)
        policy = state.game.policy_of(state.policy)
        return Outcome(state.game, policy, state.crowd, sweeps=state.sweeps, played=played)

    def _learner(self, game: Game, sight: Sight) -> NeighbourLearner:
        return NeighbourLearner(*_sizes(game, sight), self.beta, self.discount, self.power)

    def _state(self, game: Game, tables: Mapping[str, np.ndarray]) -> PlayState:
        """That of tables that are known, of empty ones elsewhere."""
        if not game.step.allowed.all():
            raise InputError(
                f"learner {self.name!r} got {game.problem.name!r}, in which some moves are forbidden somewhere; agents "
                "who do not see their place cannot know that: take walls that reflect, or another learner"
            )
        sight = self.sight(game)
        learner = self._learner(game, sight)
        _fill(learner, tables)
        own = learner.q, learner.visits, learner.logits
        return PlayState(0, 0.0, UNMEASURED, game, sight, learner, *_along(game, sight, learner), *own)

    def _measured(self, state: PlayState) -> PlayState:
        certificate = certify(state.game, state.game.policy_of(state.policy), state.crowd)
        state.sweeps += 1.0
        state.note(certificate, state.game.cell_steps)
        state.finished = self._is_over(state.iteration)
        return state

    def _is_over(self, iteration: int) -> bool:
        return iteration * self.block >= self.episodes


def _sizes(game: Game, sight: Sight) -> tuple[int, int, int]:
    """Of the tables: what is seen, populations, actions."""
    return sight.count, game.grid.populations, game.step.actions


def _fill(learner: NeighbourLearner, tables: Mapping[str, np.ndarray]) -> None:
    """Give a learner its tables; a ValueError for those that are of another shape, as a file may hold."""
    for name, array in tables.items():
        own = getattr(learner, name)
        if array.shape != own.shape or not np.isfinite(array).all():
            raise ValueError(f"{name} of shape {array.shape}, where finite numbers {own.shape} should be")
        own[...] = array


def _along(game: Game, sight: Sight, learner: NeighbourLearner) -> tuple[np.ndarray, np.ndarray]:
    """The policy of the tables along the masses that it moves, (steps, actions, cells), and its crowd."""
    shaped = policy_along(game, sight, learner.policy())
    policy = np.ascontiguousarray(shaped).reshape(game.steps, game.step.actions, game.cells)
    return policy, game.flow(policy)


@dataclass(frozen=True)
class IL(_NeighbourPlay):
    """Q-learning of agents each of whom sees nobody; parameters: see `_NeighbourPlay`, without radius and threshold."""

    name = "il"
    source = (
        "Tan, Multi-agent reinforcement learning: independent versus cooperative agents, "
        "doi:10.1016/B978-1-55860-307-3.50049-6"
    )

    unused = dict.fromkeys(("radius", "threshold"), "its agents see nobody")

    def sight(self, game: Game) -> Blind:
        return Blind(game.cells // game.grid.populations)


@dataclass(frozen=True)
class MFQ(_NeighbourPlay):
    """Q-learning of agents each of whom sees all agents around it; parameters: see `_NeighbourPlay`."""

    name = "mfq"
    source = "Yang et al., Mean field multi-agent reinforcement learning, arXiv:1802.05438"


@dataclass(frozen=True)
class MFAC(_NeighbourPlay):
    """Q-learning of agents each of whom sees all around it, and has an actor, which follows the gradient of its critic.

    Parameters
    ----------
    rate : step of the actor's preferences, 1 / reward; see `mfgsolve.learners.neighbours_game.NeighbourActor`
    others : see `_NeighbourPlay`, without beta
    """

    rate: float = field(default=1.0, metadata=LATER)

    name = "mfac"
    source = "Yang et al., Mean field multi-agent reinforcement learning, arXiv:1802.05438"
    unused = {"beta": "its actor chooses by preferences of its own; rate is their step"}

    def _learner(self, game: Game, sight: Sight) -> NeighbourActor:
        return NeighbourActor(*_sizes(game, sight), self.rate, self.discount, self.power)


@dataclass(frozen=True)
class MTMFQ(_NeighbourPlay):
    """Q-learning of agents each of whom sees a mean of every population; parameters: see `_NeighbourPlay`."""

    name = "mtmfq"
    source = "Ganapathi Subramanian et al., Multi type mean field reinforcement learning, arXiv:2002.02513"
    typed = True
