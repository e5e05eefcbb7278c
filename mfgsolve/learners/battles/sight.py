"""What agents see of a battle, as numbers for a network: everybody around them, and what their neighbours did last.

Observations (151 numbers without food) and mean acts are told in `mfgsolve.kernels.battles`.  A `Lens` says how the
mean act is split: not looked at (independent learners), over all neighbours (mean-field Q-learning), by their group
relative to one's own (known types), or by types found in behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.kernels import battles as kernels
from mfgsolve.learners.battles.engine import NEAR, offsets
from mfgsolve.learners.battles.worlds import Worlds

__all__ = ["Arena", "Lens"]

NEVER = -1  # code of the last act of who has not acted


@dataclass(frozen=True, eq=False)
class Lens:
    """How neighbours are told apart: ``types[group that looks, group, slot]`` from 0 to ``count`` - 1.

    ``count`` 0 does not look at what neighbours did; ``radius`` is how far it looks, inf for everybody.
    """

    types: np.ndarray
    count: int
    radius: float = 6.5

    @classmethod
    def blind(cls, shape: tuple[int, ...]) -> Lens:
        """Does not look; ``shape`` is (group, slot)."""
        return cls(np.zeros((shape[0], *shape), dtype=np.int64), 0)

    @classmethod
    def one(cls, shape: tuple[int, ...], radius: float) -> Lens:
        """All neighbours alike."""
        return cls(np.zeros((shape[0], *shape), dtype=np.int64), 1, radius)

    @classmethod
    def relative(cls, shape: tuple[int, ...], radius: float) -> Lens:
        """By group: 0 one's own, 1 the next in the cycle, ..."""
        number = np.arange(shape[0])
        types = np.repeat(((number[None] - number[:, None]) % shape[0])[:, :, None], shape[1], axis=2)
        return cls(types, shape[0], radius)

    @classmethod
    def found(cls, labels: np.ndarray, count: int, radius: float) -> Lens:
        """By labels (group, slot) that are the same for everybody who looks."""
        return cls(np.repeat(labels[None], len(labels), axis=0), count, radius)


class Arena:
    """Worlds under way, and what their agents see.

    Attributes
    ----------
    worlds : where they are
    last : (world, group, slot) codes of what they did last
    playing : (world,) which worlds go on
    time : steps so far
    codes : (group, action) code of each action, the same for the same act of any group
    acts : (code, 3) what an act is: (dx, dy) / 2 of a move, 1 for an attack
    observed : how many numbers an observation has
    """

    def __init__(self, worlds: Worlds, max_steps: int):
        self.worlds, self.max_steps, self.time = worlds, max_steps, 0
        moves = max(worlds.moves, key=len).tolist()
        attacks = max(worlds.attacks, key=len).tolist()
        self.codes = np.zeros((worlds.groups, max(worlds.actions)), dtype=np.int64)
        for g in range(worlds.groups):
            own = [moves.index(each) for each in worlds.moves[g].tolist()]
            own += [len(moves) + attacks.index(each) for each in worlds.attacks[g].tolist()]
            self.codes[g, : len(own)] = own
        self.acts = np.array([(x / 2, y / 2, 0.0) for x, y in moves] + [(0.0, 0.0, 1.0)] * len(attacks))
        disc = offsets(NEAR, False)
        self._target = np.full((5, 5), -1, dtype=np.int64)
        self._target[disc[:, 1] + 2, disc[:, 0] + 2] = np.arange(len(disc))
        self.observed = 7 + kernels.DISC * (worlds.members + 1) + 21 * worlds.members
        self._shape = (worlds.worlds, worlds.groups, worlds.slots)
        self.last = np.full(self._shape, NEVER, dtype=np.int64)
        self.playing = np.zeros(worlds.worlds, dtype=bool)
        self._views: dict[int, np.ndarray] = {}

    def inputs(self, lens: Lens) -> int:
        """How many numbers a network gets by that lens."""
        return self.observed + lens.count * len(self.acts)

    def begin(self, rng: np.random.Generator, first: int) -> None:
        """New episodes at random places; in world w group ``first`` + w moves first."""
        number = self.worlds.worlds
        places = [self.worlds.scattered(rng) for _ in range(number)]
        seeds = rng.integers(2**31, size=number)
        self.worlds.begin(places, map(int, seeds), range(first, first + number))
        self.last[:], self.playing[:], self.time = NEVER, ~self.worlds.over, 0
        self._views.clear()

    def acting(self) -> np.ndarray:
        """(world, group, slot) who chooses an action now."""
        worlds = self.worlds
        return np.asarray(worlds.alive[:, : worlds.groups] & self.playing[:, None, None] & worlds.learning[:, None])

    def step(self, actions: np.ndarray) -> None:
        """All act; worlds in which one group is left stop."""
        actions = self.worlds.step(actions, self.playing)
        number = np.arange(self.worlds.groups)[:, None]
        self.last = np.where(self.playing[:, None, None], self.codes[number, actions], self.last)
        self.playing &= ~self.worlds.over
        self.time += 1
        self._views.clear()

    def seen_by(self, lens: Lens) -> np.ndarray:
        """`look`, once for all who look through the same lens before the next step."""
        if id(lens) not in self._views:
            self._views[id(lens)] = self.look(lens)
        return self._views[id(lens)]

    def look(self, lens: Lens, out: np.ndarray | None = None, looking: np.ndarray | None = None) -> np.ndarray:
        """(world, group, slot, inputs) what networks get; zeros for the dead.

        Parameters
        ----------
        out : array to write into
        looking : (world,) worlds that are looked at; those that play without
        """
        worlds, who = self.worlds, self.playing if looking is None else looking
        result = np.empty((*self._shape, self.inputs(lens)), dtype=np.float32) if out is None else out
        kernels.observe(
            worlds.position, worlds.power, worlds.alive, who, self.last, self.acts, np.array(worlds.counts),
            worlds.looks, worlds.size, self.time / self.max_steps, self._target, result[..., : self.observed],
        )  # fmt: skip
        if lens.count:
            means = result[..., self.observed :].reshape(*self._shape, lens.count, len(self.acts))
            kernels.around(worlds.position, worlds.alive, who, self.last, lens.types, lens.radius**2, means)
        return result
