"""Tabular learners that see mean actions: independent Q, MFQ, MFAC and MTMFQ as one learner with parts.

With abar_m the mean action of the neighbours of type m,

    Q(s, a, abar_1, ..., abar_M) <- (1 - alpha) Q(s, a, abar_1, ..., abar_M) + alpha [r + gamma v(s')],
    v(s') = sum over a of pi(a | s', abar') Q(s', a, abar'_1, ..., abar'_M),
    pi(a | s, abar) = exp(beta Q(s, a, abar)) / sum over b of exp(beta Q(s, b, abar)),   and actions sampled from pi.

Independent Q has no mean action, MFQ (Yang et al., ICML 2018, arXiv 1802.05438) one, MTMFQ (Ganapathi Subramanian et
al., AAMAS 2020, arXiv 2002.02513) one per type.  The actor-critic MFAC keeps preferences theta with pi = softmax(theta)
and moves them along grad log pi(a) times the advantage Q(a) - sum over b of pi(b) Q(b); v is taken under the same pi.

These are the equations of the papers.  The programs released with them for games on a grid do otherwise: they act and
bootstrap by the largest Q in place of the softmax, take means over all agents of a group, not of neighbourhoods, and
cluster on one column.  Yang et al.'s program for the Ising model samples the softmax at real neighbours, but lets all
agents act where a share of them learns; here who does not learn does not act.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.agents.simulation import seed_sequence
from mfgsolve.errors import InputError, numbers, real, unknown, whole
from mfgsolve.kernels import multitype as kernel
from mfgsolve.parts.schedules import Constant, StepSize
from mfgsolve.solution import Status
from mfgsolve.stages.memory import Memory, Record
from mfgsolve.stages.stage_games import StageGame
from mfgsolve.stages.types import Coding, DiscoveredTypes, NoMeanAction, OneType, TypeModel, adjusted_rand_index

__all__ = ["LEARNERS", "MultiType", "multi_type"]

TARGETS = ("boltzmann", "greedy")
TABLES = ("own", "shared", "type")
UPDATES = ("taken", "all")
BLOCK = 1000  # stages between two looks at whether all values are finite
SIZES = 1 << 16  # visits after which a step size that falls stays as it is
ENTRIES = 1 << 28  # of a table: 2 GiB


@dataclass(frozen=True)
class MultiType:
    """A tabular learner, put together from parts (see the equations at the top of this file).

    Parameters
    ----------
    types : `NoMeanAction` | `OneType` | `KnownTypes` | `DiscoveredTypes`
    beta : inverse temperature of the softmax, 1/reward; or a function of the stage (0, 1, ...)
    step : step size alpha in (0, 1], or a `StepSize` of the number of visits to an entry (constant after 65536)
    discount : gamma in [0, 1]; 0 for stage games
    target : "boltzmann" takes v as above, "greedy" the largest Q (Q-learning)
    actor : step size of an actor (MFAC); 0 for a learner of values alone.  With an actor beta has no effect
    tables : every learner has its "own" table, all one "shared", or all of a "type" (of the game) one
    updates : "taken" learns about the action that was taken, "all" about every action at the neighbours' actions
        (stage games, where the reward of each is known)

    Examples
    --------
    >>> from mfgsolve.stages.multitype import MultiType
    >>> from mfgsolve.stages.stage_games import counterexample
    >>> from mfgsolve.stages.types import KnownTypes
    >>> game = counterexample([0.5, 0.5, 0.5, 0.5])
    >>> learner = MultiType(KnownTypes([0, 0, 0, 1, 1]), beta=20.0)
    >>> memory = learner.start(game, rng=0)
    >>> learner.play(game, memory, 2000).reward[1000:].mean() > 0.5  # the best is 0.75
    np.True_
    """

    types: TypeModel = field(default_factory=OneType)
    beta: float | Callable[[int], float] = 1.0
    step: float | StepSize = 0.1
    discount: float = 0.0
    target: str = "boltzmann"
    actor: float = 0.0
    tables: str = "own"
    updates: str = "taken"

    def __post_init__(self) -> None:
        if not isinstance(self.types, TypeModel):
            raise InputError(f"types is a {type(self.types).__name__}; a type model is needed, say OneType()")
        if not isinstance(self.step, StepSize):
            object.__setattr__(self, "step", Constant(real(self.step, "step")))
        if not callable(self.beta):
            self._beta(self.beta)
        for name, allowed in (("target", TARGETS), ("tables", TABLES), ("updates", UPDATES)):
            if getattr(self, name) not in allowed:
                raise InputError(unknown(name, getattr(self, name), allowed))
        if not 0.0 <= real(self.discount, "discount") <= 1.0:
            raise InputError(f"discount is {self.discount}; 0 to 1 is possible")
        if not 0.0 <= real(self.actor, "actor") < np.inf:
            raise InputError(f"actor is {self.actor}; a step size of 0 or more is needed")

    @staticmethod
    def _beta(value: Any) -> float:
        beta = real(value, "beta")
        if not 0.0 <= beta < np.inf:
            raise InputError(f"beta is {beta}; a finite number, 0 (uniform) or more, is needed")
        return beta

    def start(self, game: StageGame, rng: Any = None, states: int = 1) -> Memory:
        """Empty tables: Q = 0 and pi uniform.  Agents that learn start from random actions.

        Parameters
        ----------
        game : who is whose neighbour, who learns, how many actions
        rng : seed, `numpy.random.SeedSequence` or `numpy.random.Generator`
        states : number of states s; stage games have one
        """
        if self.types.sees and game.neighbours is None:
            raise InputError(
                f"{type(self.types).__name__} asks for a mean action, but the game has no neighbourhoods; give it "
                "neighbours (see grid_neighbours and graph_neighbours), or learn with NoMeanAction()"
            )
        seeds = seed_sequence(rng).spawn(2)
        labels = self.types.labels(game.agents)
        coding = Coding.of(self.types, game.graph, labels, game.actions, game.learners)
        tables = {
            "own": np.arange(game.learners.size),
            "shared": np.zeros(game.learners.size, dtype=np.int64),
            "type": game.types[game.learners],
        }[self.tables]
        shape = (int(tables.max()) + 1, states, coding.size, game.actions)
        if np.prod(np.array(shape, dtype=float)) > ENTRIES:
            raise InputError(
                f"tables of {shape} (tables, states, cells, actions) have more than {ENTRIES} entries; take "
                "fewer types, smaller neighbourhoods or shared tables"
            )
        q = np.zeros(shape)
        visits = np.zeros((1 if self._sizes().size == 1 else q.size // game.actions, game.actions), dtype=np.int64)
        actions = np.random.default_rng(seeds[0]).integers(game.actions, size=game.agents)
        stream = seeds[1].generate_state(4, np.uint64)
        return Memory(q, np.zeros(shape) if self.actor else q, visits, tables, labels, coding, actions, 0, stream)

    def _sizes(self) -> np.ndarray:
        assert isinstance(self.step, StepSize)
        return np.asarray(self.step(np.arange(1, 2 if isinstance(self.step, Constant) else SIZES + 1)), dtype=float)

    def policy(self, memory: Memory, stage: int | None = None) -> np.ndarray:
        """pi(a | s, cell) now, (tables, states, cells, actions)."""
        weight = memory.preferences * self._betas(memory.stages if stage is None else stage, 1)[0]
        weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=-1, keepdims=True))

    def _betas(self, start: int, stages: int) -> np.ndarray:
        if self.actor:
            return np.ones(stages)
        if callable(self.beta):
            return np.array([self._beta(self.beta(t)) for t in range(start, start + stages)])
        return np.full(stages, float(self.beta))

    def act(self, memory: Memory, rows: np.ndarray) -> np.ndarray:
        """A sampled action for each row of the table (`Memory.rows`): for games that are played from outside."""
        memory.check(rows)
        actions = np.empty(rows.size, dtype=np.int64)
        policy = memory.preferences.reshape(-1, memory.q.shape[-1])
        kernel.choose(policy, rows, self._betas(memory.stages, 1)[0], memory.stream, actions)
        return actions

    def learn(
        self, memory: Memory, rows: np.ndarray, actions: np.ndarray, rewards: np.ndarray, next_rows: np.ndarray
    ) -> None:
        """Learn from transitions, one after another; a next row of -1 says that the game has ended."""
        if not np.isfinite(numbers(rewards, "rewards")).all():
            raise InputError("rewards hold a number that is not finite; nothing can be learned from it")
        many, before = memory.q.shape[-1], memory.kept()
        memory.check(rows)
        memory.check(next_rows, ends=-1)
        if not rows.shape == actions.shape == rewards.shape == next_rows.shape:
            raise InputError(
                f"rows, actions, rewards and next rows have shapes {rows.shape}, {actions.shape}, {rewards.shape}, "
                f"{next_rows.shape}; one of each for every transition is needed"
            )
        if actions.size and not (actions.min() >= 0 and actions.max() < many):
            raise InputError(f"actions run from {actions.min()} to {actions.max()}; 0 to {many - 1} are possible")
        q = memory.q.reshape(-1, many)
        policy = q if memory.preferences is memory.q else memory.preferences.reshape(-1, many)
        kernel.learn(
            q, policy, memory.visits, rows, actions, rewards, next_rows, self._betas(memory.stages, 1)[0],
            float(self.discount), self.target == "greedy", self._sizes(), float(self.actor),
        )  # fmt: skip
        if not memory.finite:
            memory.q[...], memory.preferences[...] = before.q, before.preferences
            memory.visits[...] = before.visits
            raise InputError("values are not finite any more: the learner diverges; scale the rewards or discount more")
        memory.stages += 1

    def play(self, game: StageGame, memory: Memory, stages: int, activity: float = 1.0) -> Record:
        """Play stages of a game with all learners learning at once; the memory goes on from where it was.

        In a stage agents with a script draw their actions; every learner (with probability ``activity``; the others
        keep their action) sees the latest actions of its neighbours and samples its own; then each of them is paid,
        and learns at the mean actions that have now come about.

        Parameters
        ----------
        memory : of this learner in this game (`start`); it is changed
        stages : number of stages
        activity : 1 for synchronous play; less, and agents act at different times
        """
        stages, activity = whole(stages, "stages"), real(activity, "activity")
        if stages < 1 or not 0.0 < activity <= 1.0:
            raise InputError(f"stages is {stages} and activity {activity:g}; at least 1 stage, and a share in (0, 1]")
        self._match(game, memory)
        return _Run(self, game, memory, stages, activity).record()

    def _match(self, game: StageGame, memory: Memory) -> None:
        mine = (memory.actions.size, memory.tables.size, memory.q.shape[-1])
        theirs = (game.agents, game.learners.size, game.actions)
        if mine != theirs:
            raise InputError(
                f"the memory is of {mine[0]} agents, {mine[1]} learners, {mine[2]} actions, the game has {theirs[0]}, "
                f"{theirs[1]}, {theirs[2]}; start a memory in this game"
            )
        coding = Coding.of(self.types, game.graph, memory.types, game.actions, game.learners)
        if not np.array_equal(coding.strides, memory.coding.strides) or coding.size != memory.coding.size:
            raise InputError("the memory is of other neighbourhoods or types; start a memory with this learner here")


class _Run:
    """Blocks of stages in the kernel; between them values are checked and types discovered."""

    def __init__(self, learner: MultiType, game: StageGame, memory: Memory, stages: int, activity: float):
        self.learner, self.game, self.memory, self.stages, self.activity = learner, game, memory, stages, activity
        self.seeds = np.random.default_rng(memory.stream.tolist())
        many, learners = game.actions, game.learners.size
        self.counts = np.zeros((stages, int(np.asarray(game.groups).max()) + 1, many), dtype=np.int64)
        self.earned, self.acted = np.zeros(stages), np.zeros(stages, dtype=np.int64)
        self.total, self.acts = np.zeros(learners), np.zeros(learners, dtype=np.int64)
        self.chosen = np.zeros((game.agents, many), dtype=np.int64)
        self.agreement: list[float] = []

    def record(self) -> Record:
        begun, played, status = time.perf_counter(), 0, Status.ITERATION_LIMIT
        model, memory = self.learner.types, self.memory
        window = model.window if isinstance(model, DiscoveredTypes) else BLOCK
        while played < self.stages:
            before, some = memory.kept(), min(window, self.stages - played)
            self._block(played, some)
            if not memory.finite:
                for name in ("q", "visits", "actions", "preferences"):
                    getattr(memory, name)[...] = getattr(before, name)
                self.earned[played:], self.counts[played:] = np.nan, 0
                self.total[:] = np.nan
                status = Status.NON_FINITE
                break
            played += some
            memory.stages += some
            if isinstance(model, DiscoveredTypes) and some == window:
                memory.types[:] = model.discover(self.chosen / some, memory.types, int(self.seeds.integers(2**31)))
                self.agreement.append(adjusted_rand_index(memory.types, self.game.types))
        with np.errstate(invalid="ignore"):
            reward, mean = self.earned / self.acted, self.total / self.acts
        steps = int(self.acted[:played].sum())
        seconds = time.perf_counter() - begun
        return Record(status, reward, mean, self.counts, np.array(self.agreement), steps, seconds)

    def _block(self, played: int, some: int) -> None:
        learner, game, memory = self.learner, self.game, self.memory
        many, window = game.actions, slice(played, played + some)
        q = memory.q.reshape(-1, many)
        policy = q if memory.preferences is memory.q else memory.preferences.reshape(-1, many)
        self.chosen[:] = 0
        kernel.play(
            game.graph.indptr.astype(np.int64), game.graph.indices.astype(np.int64), memory.types,
            memory.coding.strides, game.types, game.coding.strides, game.rewards,
            game.scripted, np.asarray(game.scripts)[game.scripted], game.learners, memory.tables, memory.coding.size,
            q, policy, memory.visits, learner._betas(memory.stages, some), float(learner.discount),
            learner.target == "greedy", learner._sizes(), float(learner.actor), learner.updates == "all", self.activity,
            game.groups, memory.actions, np.empty(game.learners.size, dtype=np.int64), self.chosen,
            self.counts[window], self.earned[window], self.acted[window], self.total, self.acts, memory.stream,
        )  # fmt: skip


LEARNERS: dict[str, dict[str, Any]] = {
    "il": {"types": NoMeanAction()},
    "mfq": {"types": OneType()},
    "mfac": {"types": OneType(), "actor": 0.1},
    "mtmfq": {},
}


def multi_type(name: str, **parts: Any) -> MultiType:
    """A learner by the name of its paper: "il", "mfq", "mfac", "mtmfq" (which needs ``types``), with other parts."""
    if name not in LEARNERS:
        raise InputError(unknown("learner", name, LEARNERS))
    if name == "mtmfq" and "types" not in parts:
        raise InputError("mtmfq needs types=KnownTypes(type of every agent) or types=DiscoveredTypes(how many)")
    return MultiType(**{**LEARNERS[name], **parts})
