"""Worlds of one game side by side, as arrays: where everybody is, how strong, who lives, and what the step paid.

    worlds = Worlds(MULTI_TEAM, size=24, agents=(12, 12, 12, 12), worlds=8)
    worlds.begin(worlds.scattered(rng), seeds=range(8), first=range(8))
    worlds.step(actions)
    worlds.position, worlds.power, worlds.alive, worlds.reward

An agent has its place (world, group, number) for good; food is one more group, the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.learners.battles.engine import NEAR, Engine, offsets
from mfgsolve.learners.battles.rules import FOOD, GROUPS, Rules

__all__ = ["Worlds"]


class Worlds:
    """Several worlds of a game; ``members`` is groups and food, ``slots`` the most agents of a group.

    Parameters
    ----------
    rules : of the game
    size : of the square map, whose outermost cells are walls
    agents : how many, of every group
    food : how much
    worlds : how many
    radius : of the engine's own views (`view`); nothing else depends on it

    Attributes
    ----------
    position : (world, member, slot, 2) as (x, y), where the agent is or was last
    power : (world, member, slot) as a share of the most, 0 of the dead
    alive : (world, member, slot)
    reward : (world, member, slot) of the last step, 0 of who was dead before it
    learning : (group,) which groups act as they are told; others have a script
    looks : (group, member) what a group takes a member for: 0 itself, 1 the next in the cycle, ...; food for food
    moves, attacks : for each group, (n, 2) offsets (dx, dy) of its actions: first the moves, then the attacks
    stay : for each group, the action that does nothing

    Raises
    ------
    InputError
        if MAgent2 is not installed, or if the groups do not fit on the map
    """

    def __init__(
        self, rules: Rules, size: int, agents: Sequence[int], food: int = 0, worlds: int = 1, radius: float = NEAR
    ):
        self.rules, self.size, self.worlds = rules, size, worlds
        self.groups = len(rules.kinds)
        self.counts = (*agents, food) if rules.food else tuple(agents)
        self.members, self.slots = len(self.counts), max(self.counts)
        _check_fits(size, self.counts)
        shape = (worlds, self.members, self.slots)
        self.position = np.zeros((*shape, 2), dtype=np.int64)
        self.power, self.reward = np.zeros(shape), np.zeros(shape)
        self.alive = np.zeros(shape, dtype=bool)
        self.learning = np.ones(self.groups, dtype=bool)
        number = np.arange(self.members)
        self.looks = np.where(number < self.groups, (number - number[: self.groups, None]) % self.groups, number)
        self.moves = [offsets(kind.speed, True) for kind in rules.kinds]
        self.attacks = [offsets(kind.reach, False) for kind in rules.kinds]
        self.stay = [len(moves) // 2 for moves in self.moves]
        self.actions = [len(m) + len(a) for m, a in zip(self.moves, self.attacks, strict=True)]
        self._engines = [Engine(rules, size, radius) for _ in range(worlds)]
        self._first = [0] * worlds
        self._order: list[list[np.ndarray]] = [[] for _ in range(worlds)]  # slots in the order of the engine's rows
        self._begun = np.zeros((worlds, self.members), dtype=np.int64)  # the engine's number of slot 0

    def scattered(self, rng: np.random.Generator) -> list[np.ndarray]:
        """Random places for one world: all free cells alike, for each member (agents, 2)."""
        inside = self.size - 2
        cells = rng.permutation(inside * inside)[: sum(self.counts)]
        places = np.stack([cells % inside + 1, cells // inside + 1], axis=1)
        return np.split(places, np.cumsum(self.counts)[:-1])

    def begin(self, positions: Iterable[Sequence[np.ndarray]], seeds: Iterable[int], first: Iterable[int]) -> None:
        """A new episode in every world: places of all members, seed of the engine, group that moves first."""
        for w, (places, seed, leader) in enumerate(zip(positions, seeds, first, strict=True)):
            self._engines[w].begin(places, seed)
            self._first[w] = leader % self.groups
            self.alive[w], self.power[w], self.reward[w], self.position[w] = False, 0.0, 0.0, 0
            self._order[w] = [np.arange(len(each)) for each in places]
            self._begun[w, 1:] = np.cumsum([len(each) for each in places[:-1]])
            for g, each in enumerate(places):
                self.alive[w, g, : len(each)], self.power[w, g, : len(each)] = True, 1.0
                self.position[w, g, : len(each)] = each

    def step(self, actions: np.ndarray, playing: Sequence[bool] | np.ndarray | None = None) -> np.ndarray:
        """All act at once, in the worlds that are still playing.

        Parameters
        ----------
        actions : (world, group, slot) numbers of actions; those of the dead are not looked at
        playing : which worlds go on; all without

        Returns
        -------
        numpy.ndarray
            the actions that were taken
        """
        for w in range(self.worlds):
            if playing is None or playing[w]:
                self._step(w, actions[w])
            else:
                self.reward[w] = 0.0
        return actions

    def _step(self, w: int, actions: np.ndarray) -> None:
        engine, order = self._engines[w], self._order[w]
        chosen = [actions[g, order[g]] for g in range(self.groups)]
        if self.rules.food:
            chosen.append(np.zeros(len(order[-1]), dtype=np.int32))
        engine.act(chosen, self._first[w])
        self.reward[w] = 0.0
        for g, rows in enumerate(order):
            if len(rows):
                self.reward[w, g, rows] = engine.rewards(g)
        engine.clear()
        for g, rows in enumerate(order):
            if len(rows):
                places = engine.positions(g)
                if len(places) < len(rows):
                    rows = order[g] = engine.numbers(g) - self._begun[w][g]
                    self.alive[w, g], self.power[w, g] = False, 0.0
                    self.alive[w, g, rows] = True
                self.position[w, g, rows] = places
                self.power[w, g, rows] = engine.powers(g)

    def view(self, world: int, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the living, and what the engine shows them, see `Engine.view`."""
        return self._order[world][group], self._engines[world].view(group)

    @property
    def standing(self) -> np.ndarray:
        """(world, group) agents alive."""
        return np.asarray(self.alive[:, : self.groups].sum(axis=2))

    @property
    def over(self) -> np.ndarray:
        """(world,) whether at most one group of agents is left."""
        return np.asarray((self.standing > 0).sum(axis=1) <= 1)

    @property
    def kills(self) -> np.ndarray:
        """(world, group) kills and captures that the last step paid for."""
        return np.asarray((self.reward[:, : self.groups] > self.rules.paid_kill).sum(axis=2))


def _check_fits(size: int, counts: Sequence[int]) -> None:
    free = max(size - 2, 0) ** 2
    if sum(counts) > free:
        raise InputError(
            f"groups of {', '.join(map(str, counts))} agents do not fit on a map of size {size}, which has {free} "
            "cells within its walls; take a larger size or fewer agents"
        )


def placed(positions: Any, size: int, names: Sequence[str]) -> list[np.ndarray]:
    """Places that a user states by the names of groups, for every member (agents, 2); who is not named has nobody.

    Raises
    ------
    InputError
        for a place in a wall or off the map, or where two are
    """
    result, taken = [], dict[tuple[int, int], str]()
    for name in names:
        array = np.asarray(positions.get(name, []))
        if array.size == 0:
            array = np.zeros((0, 2), dtype=np.int64)
        if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
            raise InputError(
                f"positions of {name!r} came as {array.dtype} of shape {array.shape}; pairs (x, y) of whole numbers "
                "are needed"
            )
        for k, (x, y) in enumerate(array.tolist()):
            if not (0 < x < size - 1 and 0 < y < size - 1):
                raise InputError(
                    f"{name}_{k} is placed at ({x}, {y}), in a wall or off the map; x and y are from 1 to {size - 2}"
                )
            if (x, y) in taken:
                raise InputError(
                    f"{name}_{k} is placed at ({x}, {y}), where {taken[x, y]} already is; one agent a cell"
                )
            taken[x, y] = f"{name}_{k}"
        result.append(array.astype(np.int64))
    return result


def members(rules: Rules) -> tuple[str, ...]:
    """Names of groups, and of food where there is some."""
    return (*GROUPS, FOOD) if rules.food else GROUPS
