"""A society inside fictitious play: its winners are the response to the mean crowd of all plays so far.

In every episode agents walk through the game, each a state that a society of primitives (one for every action) auctions
from step to step, against the belief, the mean crowd of all episodes so far.  Bids move toward what winning was worth;
the policy of the society is that the highest bidder acts, and its exact flow enters the mean,

    belief += 2 / (k + 2) (flow of the winners - belief)        in episode k

What is handed over is the policy of the mean occupation, as in fictitious play, judged by the exact certificate, which
the society never sees.  Primitives meet costs of their own wins alone, and know neither costs nor transitions.

Sources: Chang et al., arXiv:2007.02382 (societies), Perrin et al., arXiv:2007.03458 (fictitious play).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.inputs.options import typed_options
from mfgsolve.learners.society.bidding import mean_bids
from mfgsolve.learners.society.society import Society, SocietyState, hold_auctions
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import SHARP, SOFT, TABLES
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.steps.table_policies import OccupationAverage
from mfgsolve.tasks.auctions import SOURCE
from mfgsolve.tasks.decisions import DecisionProcess
from mfgsolve.tasks.frozen_crowd import FrozenCrowd
from mfgsolve.watch import look

__all__ = ["SocietyPlay"]

BLOCKS = 100  # certificates in the course of learning


@dataclass
class PlayState(State):
    """Bids of the primitives in every (step, cell), and the mean of all plays so far."""

    game: Game
    episode: int = field(metadata=STORED)
    bids: np.ndarray = field(metadata=STORED)  # (actions, steps cells) or (actions, steps cells, levels)
    wins: np.ndarray = field(metadata=STORED)
    auctions: np.ndarray = field(metadata=STORED)
    wealth: np.ndarray = field(metadata=STORED)
    tally: np.ndarray = field(metadata=STORED)
    crowd: np.ndarray = field(metadata=STORED)  # the belief
    occupation: np.ndarray = field(metadata=STORED)  # (steps, actions, cells)
    frozen: FrozenCrowd = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.frozen = FrozenCrowd(self.game)

    @property
    def mean(self) -> OccupationAverage:
        """The mean of all plays, whose arrays are the state's."""
        return OccupationAverage(self.crowd, self.occupation)


@dataclass(frozen=True)
class SocietyPlay(Solver):
    """A society of auctions as the best response in fictitious play; see the module.  `mfgsolve.learn` runs it.

    Parameters
    ----------
    agents : how many states a society auctions at once (of each population)
    episodes : how often the game is played
    mechanism, solitary, bids, levels, lots, anywhere, slowest, power, seed : as of `mfgsolve.learners.Society`.  Bids
        other than truthful ones are learned for costs scaled to [0, 1]
    """

    agents: int = 1000
    episodes: int = 300
    mechanism: str = "credit-conserving"
    solitary: bool = False
    bids: str = "truthful"
    seed: int = 0
    levels: int = 51
    lots: float = 0.2
    anywhere: float = 0.2
    slowest: float = 0.02
    power: float = 0.6

    name = "society-play"
    source = SOURCE + "; Perrin et al., Fictitious play for mean field games, arXiv:2007.03458"
    needs = (TABLES, SOFT, SHARP)
    learns = True
    before = 0  # episodes before the first certificate

    def __post_init__(self) -> None:
        given = typed_options(type(self), {part.name: getattr(self, part.name) for part in fields(self)}, self.name)
        for name, value in given.items():
            object.__setattr__(self, name, value)
        for name in ("agents", "episodes"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of society-play is {getattr(self, name)}; at least 1 is needed")
        self.society  # noqa: B018 (whose options are checked where it is made)

    @property
    def society(self) -> Society:
        """The society that plays."""
        return Society(
            mechanism=self.mechanism, solitary=self.solitary, bids=self.bids, seed=self.seed, levels=self.levels,
            lots=self.lots, anywhere=self.anywhere, slowest=self.slowest, power=self.power,
        )  # fmt: skip

    @property
    def block(self) -> int:
        """Episodes from one certificate to the next."""
        return max(1, self.episodes // BLOCKS)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PlayState:
        society, actions, places = self.society, game.step.actions, game.steps * game.cells
        shape = (actions, places, self.levels) if society.is_discretised else (actions, places)
        state = PlayState(
            0, 0.0, UNMEASURED, game, 0, np.full(shape, 1.0 / self.levels), np.zeros((actions, places), dtype=np.int64),
            np.zeros(places, dtype=np.int64), np.zeros(actions + 1), np.zeros(4), game.empty_crowd(),
            np.zeros((game.steps, actions, game.cells)),
        )  # fmt: skip
        policy = game.step.uniform()
        state.mean.mix(game, policy, game.flow(policy), 1.0)
        if not society.is_discretised:  # hopeful bids are tried out
            state.bids[:] = self._process(state).bounds[1]
        return self._measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PlayState:
        state, values = self.init(game, tol), stored.of(PlayState)
        for name, value in values.items():
            fresh = getattr(state, name)
            if isinstance(fresh, np.ndarray):
                if value.shape != fresh.shape or value.dtype != fresh.dtype or not np.isfinite(value).all():
                    raise ValueError(f"{name} of shape {value.shape}; finite {fresh.dtype} {fresh.shape} are needed")
                if name in ("wins", "auctions") and value.min() < 0:
                    raise ValueError(f"{name} below 0, which no society wrote")
            setattr(state, name, value)
        state.finished = state.episode >= self.episodes
        return state

    def step(self, state: PlayState) -> PlayState:
        state.iteration += 1
        for _ in range(min(self.block, self.episodes - state.episode)):
            self._play(state)
        return self._measured(state)

    def finish(self, state: PlayState) -> Outcome:
        game = state.game
        policy = game.policy_of(state.mean.policy(game.step.uniform()))
        played = Played(self.agents, self.episodes, self.block, self.before)
        return Outcome(game, policy, state.crowd, sweeps=state.sweeps, played=played)

    def _process(self, state: PlayState) -> DecisionProcess:
        """What a society meets against the belief."""
        return state.frozen.process(state.crowd, unit=self.society.is_discretised)

    def _play(self, state: PlayState) -> None:
        look()
        game, society, process = state.game, self.society, self._process(state)
        walks = self.agents * game.grid.populations
        seeds = np.random.SeedSequence(self.seed, spawn_key=(state.episode,)).generate_state(4, np.uint64)
        meeting = SocietyState(process, state.bids, state.wins, state.auctions, state.wealth, state.tally)
        hold_auctions(society, meeting, walks, seeds)
        policy = _winning(mean_bids(state.bids, society.grid), process.allowed, game)
        state.episode += 1
        state.mean.mix(game, policy, game.flow(policy), 2.0 / (state.episode + 2.0))
        state.sweeps += walks / game.cells  # an agent-step is a share of a pass over all states

    def _measured(self, state: PlayState) -> PlayState:
        game = state.game
        policy = game.policy_of(state.mean.policy(game.step.uniform()))
        state.note(certify(game, policy, state.crowd), game.cell_steps)
        state.finished = state.episode >= self.episodes
        return state


def _winning(bids: np.ndarray, allowed: np.ndarray, game: Game) -> np.ndarray:
    """Policy (steps, actions, cells) by which the highest bidder acts; ties are shared."""
    open_bids = np.where(allowed, bids, -np.inf)
    won = (open_bids == open_bids.max(axis=0)).astype(float)
    won /= won.sum(axis=0)
    policy = won.reshape(len(won), game.steps, game.cells).transpose(1, 0, 2)
    return np.ascontiguousarray(policy)
