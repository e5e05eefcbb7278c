"""Learners of battles: independent, mean-field, multi-type mean-field, and mean-field actor-critic."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import xarray as xr

from mfgsolve.errors import InputError
from mfgsolve.interop.peers import required
from mfgsolve.kernels import networks as kernels
from mfgsolve.learners.battles.battle_tasks import BattleTask, PredatorPreyBattle
from mfgsolve.learners.battles.layers import Layers
from mfgsolve.learners.battles.self_play import BattleState, SelfPlay, filled
from mfgsolve.learners.battles.sight import Lens
from mfgsolve.stages.types import DiscoveredTypes
from mfgsolve.tasks.learner import STORED, series
from mfgsolve.tasks.task import Task

__all__ = ["IL", "MFAC", "MFQ", "MTMFQ", "ActorState"]


@dataclass(frozen=True)
class IL(SelfPlay):
    """Independent Q-learning: agents do not look at what their neighbours did (Tan, ICML 1993)."""

    name = "il"
    source = "Tan, ICML 1993"

    def lens(self, task: BattleTask, types: np.ndarray) -> Lens:
        return Lens.blind(types.shape)


@dataclass(frozen=True)
class MFQ(SelfPlay):
    """Mean-field Q-learning: Q(s, abar, a), abar the mean of what all neighbours did last."""

    name = "mfq"
    source = "Yang et al., ICML 2018, arXiv:1802.05438"

    def lens(self, task: BattleTask, types: np.ndarray) -> Lens:
        return Lens.one(types.shape, self.radius or float("inf"))


@dataclass(frozen=True)
class MTMFQ(SelfPlay):
    """Multi-type mean-field Q-learning: Q(s, abar_1, ..., abar_M, a), one mean for every type of neighbours.

    Types are the groups, relative to one's own; in predator-prey-battle they are found in how often agents take each
    action, by K-means after every block (scikit-learn, extra ``learners``).

    Parameters
    ----------
    found : how many types are found in predator-prey-battle
    shuffled : a control: types are dealt out to agents at random, anew for every block, and tell nothing
    """

    found: int = 2
    shuffled: bool = False
    name = "mtmfq"
    source = "Ganapathi Subramanian et al., AAMAS 2020, arXiv:2002.02513"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.found < 1:
            raise InputError(f"found of {self.name} is {self.found}; at least 1 type is needed")

    def finds(self, task: Task) -> bool:
        """Whether types are found in behaviour."""
        return isinstance(task, PredatorPreyBattle) and not self.shuffled

    def lens(self, task: BattleTask, types: np.ndarray) -> Lens:
        radius = self.radius or float("inf")
        if self.finds(task):
            return Lens.found(types, self.found, radius)
        if self.shuffled:
            return Lens.found(types, len(types), radius)
        return Lens.relative(types.shape, radius)

    def init(self, task: Task) -> BattleState:
        if self.finds(task):
            required("sklearn.cluster", "scikit-learn", "learners")  # said now, and not after the first block
        state = super().init(task)
        if self.shuffled:
            self._deal(state, 0)
        return state

    def regroup(self, task: BattleTask, state: BattleState, done: np.ndarray) -> None:
        if self.shuffled:
            self._deal(state, state.block + 1)
        elif self.finds(task):
            there = np.arange(done.shape[1]) < np.array(task.counts)[:, None]
            often = done[there] / np.maximum(done[there].sum(axis=1, keepdims=True), 1)
            labels = DiscoveredTypes(self.found).discover(often, state.types[there], self.seed)
            state.types[there] = labels

    def _deal(self, state: BattleState, block: int) -> None:
        """Types at random for that block, equally many of each."""
        groups, slots = state.types.shape
        labels = self.stream(block, 1).permutation(np.arange(groups * slots) % groups)
        state.types = labels.reshape(groups, slots)


@dataclass
class ActorState(BattleState):
    """With the network of the actor."""

    actor: np.ndarray = field(metadata=STORED, kw_only=True)  # (group, weight), as are the next three
    actor_slow: np.ndarray = field(metadata=STORED, kw_only=True)  # a mean over the last steps
    actor_means: np.ndarray = field(metadata=STORED, kw_only=True)
    actor_squares: np.ndarray = field(metadata=STORED, kw_only=True)
    actors: list[Layers] = field(kw_only=True)


@dataclass(frozen=True)
class MFAC(MFQ):
    """Mean-field actor-critic: a policy pi(a | s) of what an agent sees itself, judged by Q(s, abar, .).

    The actor climbs the gradient of sum over a of pi(a) Q(a) + T times its entropy, in which advantages beyond 1 push
    as those of 1 do.
    """

    name = "mfac"
    source = "Yang et al., ICML 2018, arXiv:1802.05438"

    def init(self, task: Task) -> ActorState:
        state = super().init(task)
        actors = [Layers((state.arena.observed, *net.sizes[1:])) for net in state.nets]
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(2**31, 1)))
        weights = filled([net.start(rng) for net in actors])
        parts = {part.name: getattr(state, part.name) for part in fields(state) if part.init}
        return ActorState(
            **parts, actor=weights, actor_slow=weights.copy(), actor_means=np.zeros_like(weights),
            actor_squares=np.zeros_like(weights), actors=actors,
        )  # fmt: skip

    def _logits(self, state: BattleState, g: int, seen: np.ndarray) -> np.ndarray:
        assert isinstance(state, ActorState)
        return state.actors[g].values(state.actor[g], seen[:, : state.arena.observed])

    def preferences(self, state: BattleState, g: int, seen: np.ndarray, temperature: float) -> tuple[np.ndarray, float]:
        return self._logits(state, g, seen), 1.0

    def ahead(self, state: BattleState, g: int, then: np.ndarray, temperature: float) -> np.ndarray:
        value = np.empty(len(then), dtype=np.float32)
        kernels.worth(state.nets[g].values(state.target[g], then), self._logits(state, g, then), 1.0, value)
        return value

    def improve(self, state: BattleState, g: int, seen: np.ndarray, values: np.ndarray, temperature: float) -> None:
        assert isinstance(state, ActorState)
        net, weights = state.actors[g], state.actor[g]
        layers = net.layers(weights, np.ascontiguousarray(seen[:, : state.arena.observed]))
        push, gradient = np.empty_like(values), np.empty(net.count, dtype=np.float32)
        kernels.climb(layers[-1], values, temperature, push)
        net.gradient(weights, layers, push, gradient)
        parts = (weights, state.actor_means[g], state.actor_squares[g], state.actor_slow[g])
        w, m, v, slow = (each[: net.count] for each in parts)
        kernels.adam(w, gradient, m, v, slow, self.step, int(state.updates[g]), self.follow)

    def networks(self, task: BattleTask, state: BattleState) -> xr.Dataset:
        assert isinstance(state, ActorState)
        actor = series("weights of the slow copy of the actor", "1", state.actor_slow, ("group", "actor_weight"))
        return super().networks(task, state).assign(actor=actor)
