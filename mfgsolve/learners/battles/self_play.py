"""Self-play of four groups, each with one network that its agents share: what the algorithms have in common.

Deep Q-learning on the acts of neighbours (Yang et al., ICML 2018, arXiv:1802.05438; Ganapathi Subramanian et al., AAMAS
2020, arXiv:2002.02513): agents choose by a Boltzmann policy of Q(s, abar, .) and learn toward the mean-field value

    y = r + gamma v(s'),    v(s') = sum over a of pi(a | s') Q'(s', abar', a),    y = r at the end of an agent's life,

Q' a network that follows slowly.  Time that is up is no end: v(s') is counted.  A block is one episode in each of the
worlds side by side.  The memory reaches back over several of them: who learns from the latest episode alone has last
seen the few who were left at its end, and forgets how to hunt the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import InputError
from mfgsolve.kernels import networks as kernels
from mfgsolve.learners.battles.battle_tasks import BattleTask
from mfgsolve.learners.battles.layers import Layers
from mfgsolve.learners.battles.memory import Memory, Past, empty_past
from mfgsolve.learners.battles.rules import GROUPS
from mfgsolve.learners.battles.sight import Arena, Lens
from mfgsolve.solvers.blas import single_thread
from mfgsolve.solvers.stored import Stored
from mfgsolve.tasks.learner import STORED, TaskLearner, number, series
from mfgsolve.tasks.task import Task
from mfgsolve.watch import look

__all__ = ["BattleState", "SelfPlay"]


@dataclass
class BattleState(Past):
    """The past, and networks of all groups; vectors of shorter networks are filled up with zeros."""

    weights: np.ndarray = field(metadata=STORED, kw_only=True)  # (group, weight), as are the next three
    target: np.ndarray = field(metadata=STORED, kw_only=True)
    means: np.ndarray = field(metadata=STORED, kw_only=True)  # of Adam
    squares: np.ndarray = field(metadata=STORED, kw_only=True)
    updates: np.ndarray = field(metadata=STORED, kw_only=True)  # (group,)
    types: np.ndarray = field(metadata=STORED, kw_only=True)  # (group, slot) found so far
    arena: Arena = field(kw_only=True)
    nets: list[Layers] = field(kw_only=True)  # of each group
    memory: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self, self.nets[0].sizes[0])


@dataclass(frozen=True)
class SelfPlay(TaskLearner[BattleState]):
    """Base of the learners of battles.

    Parameters
    ----------
    episodes : in all; as many more as fill the last block
    worlds : episodes side by side, a block
    hidden : width of the two hidden layers
    step : of Adam
    batch : transitions of a gradient step, and new ones of a group between two rounds of learning
    updates : gradient steps of a round
    memory : batches of each group that the memory holds while all are alive; it goes back as many steps of the worlds
    discount : gamma
    follow : share of the way that Q' moves to Q in a gradient step
    hot, cold : temperature at the start and at the end, in units of reward
    cooling : share of the training over which it falls, geometrically
    radius : within which neighbours are; 0 is everybody
    double : choose by Q in the value of the next state, judge by Q' (double Q-learning)
    """

    episodes: int = 304
    worlds: int = 8
    hidden: int = 64
    step: float = 1e-3
    batch: int = 256
    updates: int = 4
    memory: int = 128
    discount: float = 0.95
    follow: float = 0.01
    hot: float = 0.3
    cold: float = 0.02
    cooling: float = 0.8
    radius: float = 6.5
    double: bool = False
    seed: int = 0
    picture = "battle"
    stops_inside = True  # at the size of the paper a block takes a minute

    def __post_init__(self) -> None:
        for name, least in (("episodes", 1), ("worlds", 1), ("hidden", 1), ("batch", 1), ("updates", 1), ("memory", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of {self.name} is {getattr(self, name)}; at least {least} is needed")
        for name in ("step", "hot", "cold"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name} of {self.name} is {getattr(self, name)}; more than 0 is needed")
        for name in ("discount", "follow", "cooling"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} of {self.name} is {getattr(self, name)}; from 0 to 1 is possible")
        if not self.radius >= 0:
            raise InputError(f"radius of {self.name} is {self.radius}; 0 (everybody) or more is needed")

    # -- what algorithms differ in -----------------------------------------------------------------------------------

    def lens(self, task: BattleTask, types: np.ndarray) -> Lens:
        """How neighbours are looked at; ``types`` (group, slot) are those found so far."""
        raise NotImplementedError

    def preferences(self, state: BattleState, g: int, seen: np.ndarray, temperature: float) -> tuple[np.ndarray, float]:
        """(rows, actions) and the temperature at which agents of group g choose by them."""
        return state.nets[g].values(state.weights[g], seen), temperature

    def ahead(self, state: BattleState, g: int, then: np.ndarray, temperature: float) -> np.ndarray:
        """Value (rows,) of what comes next."""
        judged = state.nets[g].values(state.target[g], then)
        chosen_by = state.nets[g].values(state.weights[g], then) if self.double else judged
        value = np.empty(len(then), dtype=np.float32)
        kernels.worth(judged, chosen_by, temperature, value)
        return value

    def improve(self, state: BattleState, g: int, seen: np.ndarray, values: np.ndarray, temperature: float) -> None:
        """What else a gradient step does, with the values (rows, actions) of what was seen."""

    def regroup(self, task: BattleTask, state: BattleState, done: np.ndarray) -> None:
        """What a block of acts (group, slot, code) says about types."""

    # -- the loop ------------------------------------------------------------------------------------------------------

    @property
    def blocks(self) -> int:
        return -(-self.episodes // self.worlds)

    @property
    def episodes_of_block(self) -> int:
        return self.worlds

    def refuses(self, task: Task) -> str | None:
        return None if isinstance(task, BattleTask) else "it is no battle"

    def init(self, task: Task) -> BattleState:
        assert isinstance(task, BattleTask)
        arena = Arena(task.worlds(self.worlds), task.max_steps)
        types = np.zeros((arena.worlds.groups, arena.worlds.slots), dtype=np.int64)
        inputs = arena.inputs(self.lens(task, types))
        nets = [Layers((inputs, self.hidden, self.hidden, actions)) for actions in arena.worlds.actions]
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(2**31,)))
        weights = filled([net.start(rng) for net in nets])
        steps = -(-self.memory * self.batch // (self.worlds * arena.worlds.slots))
        return BattleState(
            **empty_past(arena, max(steps, 2)), weights=weights, target=weights.copy(), means=np.zeros_like(weights),
            squares=np.zeros_like(weights), updates=np.zeros(len(nets), dtype=np.int64), types=types, arena=arena,
            nets=nets,
        )  # fmt: skip

    def revive(self, task: Task, stored: Stored) -> BattleState:
        assert isinstance(task, BattleTask)
        state = super().revive(task, stored)
        state.memory.rebuild(state.arena, lambda types: self.lens(task, types))
        return state

    def temperature(self, share: float) -> float:
        """After that share of the training."""
        return float(self.hot * (self.cold / self.hot) ** min(share / max(self.cooling, 1e-12), 1.0))

    def advance(self, task: Task, state: BattleState) -> xr.Dataset:
        assert isinstance(task, BattleTask)
        with single_thread():
            return self._episode(task, state)

    def _episode(self, task: BattleTask, state: BattleState) -> xr.Dataset:
        """One episode in every world."""
        arena, rng = state.arena, self.stream(state.block)
        worlds, groups = arena.worlds, range(arena.worlds.groups)
        lens, memory = self.lens(task, state.types), state.memory
        fresh = [0] * worlds.groups
        arena.begin(rng, state.block * self.worlds)
        seen = arena.look(lens, memory.note(arena, state.types))
        paid, kills = np.zeros((2, self.worlds, worlds.groups))
        done = np.zeros((*arena.last.shape[1:], len(arena.acts)))
        for t in range(task.max_steps):
            look()
            acting, begun = arena.acting(), arena.playing.copy()
            temperature = self.temperature((state.block + t / task.max_steps) / self.blocks)
            rows = [np.nonzero(acting[:, g]) for g in groups]
            actions = self._chosen(state, rows, seen, temperature, rng)
            arena.step(actions)
            seen = arena.look(lens, memory.note(arena, state.types))
            reward = worlds.reward[:, : worlds.groups]
            memory.close(actions, reward, acting, ~worlds.alive[:, : worlds.groups] | ~arena.playing[:, None, None])
            paid += reward.sum(axis=2)
            kills += worlds.kills * begun[:, None]
            for g, (w, s) in enumerate(rows):
                np.add.at(done[g], (s, arena.codes[g, actions[w, g, s]]), 1)
                state.agent_steps += len(w)
                fresh[g] += len(w)
                while fresh[g] >= self.batch:
                    fresh[g] -= self.batch
                    for _ in range(self.updates):
                        self.learn(state, g, temperature, rng)
            if not arena.playing.any():
                break
        self.regroup(task, state, done)
        return measured(arena, paid, kills)

    def _chosen(
        self, state: BattleState, rows: list[Any], seen: np.ndarray, temperature: float, rng: np.random.Generator
    ) -> np.ndarray:
        """(world, group, slot) actions; those of the dead are 0."""
        actions = np.zeros(state.arena.last.shape, dtype=np.int64)
        for g, (w, s) in enumerate(rows):
            if len(w):
                preferences, sharpness = self.preferences(state, g, seen[w, g, s], temperature)
                chosen = np.empty(len(w), dtype=np.int64)
                kernels.choose(preferences, sharpness, rng.random(len(w)), chosen)
                actions[w, g, s] = chosen
        return actions

    def learn(self, state: BattleState, g: int, temperature: float, rng: np.random.Generator) -> None:
        """One gradient step of group g, of Huber's loss: errors beyond 1 push as those of 1 do."""
        memory = state.memory
        rows = memory.draw(g, self.batch, rng)
        ahead = self.ahead(state, g, memory.seen_at(rows, later=1), temperature)
        net, weights = state.nets[g], state.weights[g]
        layers = net.layers(weights, memory.seen_at(rows))
        push = np.empty_like(layers[-1])
        did, paid, ended = (each.reshape(-1) for each in (state.did, state.paid, state.ended))
        kernels.correct(layers[-1], rows, did, paid, ended, ahead, self.discount, push)
        gradient = np.empty(net.count, dtype=np.float32)
        net.gradient(weights, layers, push, gradient)
        state.updates[g] += 1
        self.improve(state, g, layers[0], layers[-1], temperature)
        parts = (weights, state.means[g], state.squares[g], state.target[g])
        w, m, v, slow = (each[: net.count] for each in parts)
        kernels.adam(w, gradient, m, v, slow, self.step, int(state.updates[g]), self.follow)

    # -- results -------------------------------------------------------------------------------------------------------

    def finish(self, task: Task, state: BattleState, history: xr.Dataset) -> xr.Dataset:
        assert isinstance(task, BattleTask)
        blocks = history.sizes.get("iteration", 0)
        tenth = -(-blocks // 10)
        result = xr.Dataset()
        for when, part in (("first", slice(0, tenth)), ("last", slice(blocks - tenth, blocks))):
            for k, name in enumerate(GROUPS):
                mean = float(history["reward"].values[part, k].mean()) if blocks else np.nan
                words = f"reward of an agent of group {name} in an episode, {when} tenth of the episodes"
                result[f"reward_{name}_{when}"] = number(words, "1", mean)
        result["episodes"] = number("episodes trained", "1", float(blocks * self.worlds))
        return result.merge(self.networks(task, state))

    def networks(self, task: BattleTask, state: BattleState) -> xr.Dataset:
        """What a match needs to play on: weights, and the types that were found.

        Matches are played by the slow copy Q': it is a mean over the last steps, and plays far more evenly than Q.
        """
        data = {"weights": series("weights of the slow copy of Q", "1", state.target, ("group", "weight"))}
        data["types"] = series("types of agents, found in behaviour", "1", state.types, ("group", "slot"))
        return xr.Dataset(data, {"group": list(GROUPS)})


def filled(vectors: list[np.ndarray]) -> np.ndarray:
    """Vectors of several lengths as rows, filled up with zeros."""
    result = np.zeros((len(vectors), max(map(len, vectors))), dtype=np.float32)
    for row, vector in zip(result, vectors, strict=True):
        row[: len(vector)] = vector
    return result


def measured(arena: Arena, paid: np.ndarray, kills: np.ndarray) -> xr.Dataset:
    """Means over the episodes of a block; ``paid`` and ``kills`` are (world, group)."""
    worlds = arena.worlds
    counts, standing = np.maximum(worlds.counts[: worlds.groups], 1), worlds.standing
    best = standing == standing.max(axis=1, keepdims=True)
    won = best & (best.sum(axis=1, keepdims=True) == 1)
    return xr.Dataset(
        {
            "reward": series("reward of an agent in an episode", "1", (paid / counts).mean(axis=0), ("group",)),
            "kills": series("kills and captures of a group in an episode", "1", kills.mean(axis=0), ("group",)),
            "alive": series("share of a group alive at the end", "1", (standing / counts).mean(axis=0), ("group",)),
            "won": series("share of episodes that a group won", "1", won.mean(axis=0), ("group",)),
        },
        {"group": list(GROUPS)},
    )
