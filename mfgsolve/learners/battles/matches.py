"""Matches between groups that were trained, each by its own file, or that act at random.

players = [Player.of(load_training("mtmfq.nc"), group=0), None, None, None]    # three random groups
outcome = play(MultiTeamBattle(size=16, agents=6, max_steps=200), players, games=64, rng=0)
outcome.wins                                                                   # of each group
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mfgsolve.errors import InputError, whole
from mfgsolve.kernels import networks as kernels
from mfgsolve.learners.battles.battle_tasks import BattleTask
from mfgsolve.learners.battles.layers import Layers
from mfgsolve.learners.battles.self_play import SelfPlay
from mfgsolve.learners.battles.sight import Arena, Lens
from mfgsolve.solvers.blas import single_thread
from mfgsolve.tasks import Training
from mfgsolve.tasks.training import make_task_learner

__all__ = ["Acts", "Outcome", "Player", "play", "record"]

SIDE = 8  # games side by side


class Acts(Protocol):
    """Whoever plays a group."""

    def act(self, arena: Arena, g: int, w: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Actions of agents s of group g in worlds w, row by row."""


@dataclass(frozen=True, eq=False)
class Player:
    """A group's network, and how it looks and chooses.

    Attributes
    ----------
    weights : of the network that tells preferences: Q, or the actor
    hidden : width of its hidden layers
    temperature : at which it chooses by them
    lens : how it looks at neighbours
    blind : whether its network sees observations alone (the actor's)
    """

    weights: np.ndarray
    hidden: int
    temperature: float
    lens: Lens
    blind: bool

    @classmethod
    def of(cls, training: Training, group: int, task: BattleTask) -> Player:
        """The group of that number as a training left it: the temperature is that of its end.

        Raises
        ------
        InputError
            for a training without networks of a battle
        """
        dataset, attrs = training.dataset, training.dataset.attrs
        missing = [name for name in ("weights", "types") if name not in dataset]
        if missing:
            raise InputError(
                f"the training of {attrs['learner']} on {attrs['task']} holds no {' and no '.join(missing)}"
            )
        learner = learner_of(attrs)
        lens = learner.lens(task, dataset["types"].values.astype(np.int64))
        actor = "actor" in dataset
        weights = dataset["actor" if actor else "weights"].values[group].astype(np.float32)
        return cls(weights, learner.hidden, 1.0 if actor else learner.cold, lens, actor)

    def act(self, arena: Arena, g: int, w: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Actions of agents s of group g in worlds w."""
        seen = arena.seen_by(self.lens)[w, g, s]
        preferences = self.preferences(seen, arena.observed, arena.worlds.actions[g])
        chosen = np.empty(len(w), dtype=np.int64)
        kernels.choose(preferences, self.temperature, rng.random(len(w)), chosen)
        return chosen

    def preferences(self, seen: np.ndarray, observed: int, actions: int) -> np.ndarray:
        """(rows, actions) for what was seen by its own lens."""
        inputs = np.ascontiguousarray(seen[:, :observed]) if self.blind else seen
        net = Layers((inputs.shape[1], self.hidden, self.hidden, actions))
        if net.count > len(self.weights):
            raise InputError(f"a network of {len(self.weights)} weights, where the game needs {net.count}")
        return net.values(self.weights, inputs)


def learner_of(attrs: Any) -> SelfPlay:
    """The learner of a training, by the attributes of its dataset."""
    options = {
        str(name).removeprefix("option_"): value for name, value in attrs.items() if str(name).startswith("option_")
    }
    defaults = make_task_learner(str(attrs["learner"]), {})
    if not isinstance(defaults, SelfPlay):
        raise InputError(
            f"learner {attrs['learner']!r} does not learn battles; files of il, mfq, mtmfq, mfac are needed"
        )
    typed = {name: type(getattr(defaults, name))(value) for name, value in options.items()}
    return type(defaults)(**typed)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of games, each (game, group).

    Attributes
    ----------
    alive : agents alive at the end
    kills : kills and captures
    reward : total of a group
    steps : (game,) how long it took
    """

    alive: np.ndarray
    kills: np.ndarray
    reward: np.ndarray
    steps: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """(game, group) whether no group had more agents alive."""
        return np.asarray(self.alive == self.alive.max(axis=1, keepdims=True))

    @property
    def tied(self) -> np.ndarray:
        """(game,) whether several groups were the best."""
        return np.asarray(self.best.sum(axis=1) > 1)

    @property
    def wins(self) -> np.ndarray:
        """(group,) games in which it alone was the best."""
        return np.asarray((self.best & ~self.tied[:, None]).sum(axis=0))


def play(task: BattleTask, players: Sequence[Acts | None], games: int, rng: Any = 0) -> Outcome:
    """Games in which every group is played by somebody, or by nobody: at random.

    Parameters
    ----------
    task : the game, with its sizes and ``max_steps``
    players : one for each group; None acts at random, scripted groups do not look at theirs
    games : how many; groups take turns in moving first
    rng : seed
    """
    games = whole(games, "games")
    if games < 1:
        raise InputError(f"games is {games}; at least 1 is needed")
    generator = np.random.default_rng(rng)
    arena = Arena(task.worlds(min(SIDE, games)), task.max_steps)
    if len(players) != arena.worlds.groups:
        raise InputError(f"{len(players)} players came; one for each of {arena.worlds.groups} groups is needed")
    with single_thread():
        rounds = [_round(arena, players, generator, k * arena.worlds.worlds) for k in range(-(-games // SIDE))]
    return Outcome(*(np.concatenate([each[k] for each in rounds])[:games] for k in range(4)))


def record(task: BattleTask, players: Sequence[Acts | None], rng: Any = 0) -> tuple[np.ndarray, np.ndarray]:
    """One game, to be watched.

    Returns
    -------
    position (frame, member, slot, 2) as (x, y), power (frame, member, slot) as a share of the most, 0 of the dead; the
    first frame is the start.  Members are the groups, and food where there is some
    """
    generator = np.random.default_rng(rng)
    arena = Arena(task.worlds(1), task.max_steps)
    arena.begin(generator, 0)
    worlds, frames = arena.worlds, []
    with single_thread():
        while True:
            frames.append((worlds.position[0].copy(), np.where(worlds.alive[0], worlds.power[0], 0.0)))
            if not arena.playing.any() or arena.time >= arena.max_steps:
                break
            arena.step(_chosen(arena, players, generator))
    return np.stack([place for place, _ in frames]), np.stack([power for _, power in frames])


def _round(arena: Arena, players: Sequence[Acts | None], rng: np.random.Generator, first: int) -> tuple[Any, ...]:
    """One game in each world: alive, kills, rewards, steps."""
    arena.begin(rng, first)
    worlds = arena.worlds
    paid, kills = np.zeros((2, worlds.worlds, worlds.groups))
    steps = np.zeros(worlds.worlds, dtype=np.int64)
    while arena.playing.any() and arena.time < arena.max_steps:
        begun = arena.playing.copy()
        arena.step(_chosen(arena, players, rng))
        paid += worlds.reward[:, : worlds.groups].sum(axis=2)
        kills += worlds.kills * begun[:, None]
        steps += begun
    return worlds.standing, kills, paid, steps


def _chosen(arena: Arena, players: Sequence[Acts | None], rng: np.random.Generator) -> np.ndarray:
    """(world, group, slot) actions."""
    acting, actions = arena.acting(), np.zeros(arena.last.shape, dtype=np.int64)
    for g, player in enumerate(players):
        w, s = np.nonzero(acting[:, g])
        if player is None:
            actions[w, g, s] = rng.integers(arena.worlds.actions[g], size=len(w))
        elif len(w):
            actions[w, g, s] = player.act(arena, g, w, s, rng)
    return actions
