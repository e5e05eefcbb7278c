"""The memory of battles: the last steps of all worlds side by side, however many episodes they are of.

What is kept in checkpoints is small: where everybody was, how strong, and what was done (`Past`).  What everybody saw
is large and follows from it: `Memory.rebuild` looks once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.learners.battles.sight import Arena, Lens
from mfgsolve.tasks.learner import STORED, TrainingState

__all__ = ["Memory", "Past", "empty_past"]

NOTHING = -1  # done by who does not choose; and the strength of the dead


@dataclass
class Past(TrainingState):
    """The last entries: how things stood, what was done then, and what it paid; entry n lies at n modulo their number.

    After the last step of an episode stands an entry of its own, in which nothing is done.
    """

    entries: int = field(default=0, metadata=STORED, kw_only=True)  # written so far
    where: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry, world, member, slot, 2)
    strength: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry, world, member, slot) power, -1 of the dead
    last: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry, world, group, slot) codes of the acts before
    did: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry, world, group, slot) actions, -1 of who chose none
    paid: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry, world, group, slot), as is the next
    ended: np.ndarray = field(metadata=STORED, kw_only=True)  # whether it was the last step of the agent's life
    kinds: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry, group, slot) types found so far
    playing: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry, world)
    time: np.ndarray = field(metadata=STORED, kw_only=True)  # (entry,) steps since the start of the episode


def empty_past(arena: Arena, entries: int) -> dict[str, Any]:
    """Fields of a `Past` of nothing, with room for so many entries."""
    worlds = arena.worlds
    every = entries, worlds.worlds, worlds.members, worlds.slots
    each = entries, worlds.worlds, worlds.groups, worlds.slots
    return {
        "where": np.zeros((*every, 2), np.int16), "strength": np.zeros(every, np.float32),
        "last": np.zeros(each, np.int16), "did": np.full(each, NOTHING, np.int16),
        "paid": np.zeros(each, np.float32), "ended": np.zeros(each, np.int8),
        "kinds": np.zeros((entries, *each[2:]), np.int16), "playing": np.zeros(each[:2], np.int8),
        "time": np.zeros(entries, np.int32),
    }  # fmt: skip


class Memory:
    """What everybody saw in the entries of a past, and the transitions between them.

    Rows of all its arrays are numbers of (entry, world, group, slot); what follows a row is the row of the same agent
    in the next entry.

    Attributes
    ----------
    seen : (entry, world, group, slot, input), zeros of the dead
    count : (group,) transitions that are remembered
    """

    def __init__(self, past: Past, inputs: int):
        self._past = past  # and not its arrays, for which others may come
        shape = past.did.shape
        self.seen = np.zeros((*shape, inputs), dtype=np.float32)
        self._rows = np.zeros((shape[2], shape[0] * shape[1] * shape[3]), dtype=np.int64)  # (group, a ring of rows)
        self._first, self.count = np.zeros((2, shape[2]), dtype=np.int64)
        self._of_entry = np.zeros((shape[0], shape[2]), dtype=np.int64)  # transitions of each group in each entry

    def note(self, arena: Arena, types: np.ndarray) -> np.ndarray:
        """Write down how things stand, in place of the oldest entry; returns where to put what everybody sees."""
        past, worlds = self._past, arena.worlds
        n = past.entries % len(past.did)
        past.where[n] = worlds.position
        past.strength[n] = np.where(worlds.alive, worlds.power, NOTHING)
        past.last[n], past.playing[n], past.time[n], past.kinds[n] = arena.last, arena.playing, arena.time, types
        past.did[n] = NOTHING
        past.entries += 1
        return self._forget(n)

    def _forget(self, n: int) -> np.ndarray:
        self._first += self._of_entry[n]
        self.count -= self._of_entry[n]
        self._of_entry[n] = 0
        return np.asarray(self.seen[n])

    def close(self, actions: np.ndarray, reward: np.ndarray, acting: np.ndarray, ended: np.ndarray) -> None:
        """Write down what was done in the entry before the latest, and what came of it, (world, group, slot) each."""
        past = self._past
        n = (past.entries - 2) % len(past.did)
        past.did[n] = np.where(acting, actions, NOTHING)
        past.paid[n], past.ended[n] = reward, ended
        self._connect(n)

    def _connect(self, n: int) -> None:
        """Remember the transitions of an entry."""
        _, worlds, groups, slots = self._past.did.shape
        room = self._rows.shape[1]
        for g in range(groups):
            w, s = np.nonzero(self._past.did[n, :, g] != NOTHING)
            places = (self._first[g] + self.count[g] + np.arange(len(w))) % room
            self._rows[g, places] = ((n * worlds + w) * groups + g) * slots + s
            self.count[g] += len(w)
            self._of_entry[n, g] = len(w)

    def draw(self, g: int, number: int, rng: np.random.Generator) -> np.ndarray:
        """Rows of transitions of a group, drawn with replacement."""
        places = (self._first[g] + rng.integers(self.count[g], size=number)) % self._rows.shape[1]
        return np.asarray(self._rows[g, places])

    def seen_at(self, rows: np.ndarray, later: int = 0) -> np.ndarray:
        """(row, input) what was seen there, or so many entries later."""
        flat = self.seen.reshape(-1, self.seen.shape[-1])
        step = flat.shape[0] // len(self.seen)
        return np.asarray(flat.take((rows + later * step) % flat.shape[0], axis=0))

    def rebuild(self, arena: Arena, lens: Callable[[np.ndarray], Lens]) -> None:
        """See all of the past again, through the lens of the types of that time."""
        past, worlds, room = self._past, arena.worlds, len(self._past.did)
        for entry in range(max(past.entries - room, 0), past.entries):
            n = entry % room
            worlds.position[:], worlds.alive[:] = past.where[n], past.strength[n] != NOTHING
            worlds.power[:] = np.where(worlds.alive, past.strength[n], 0.0)
            arena.last[:], arena.playing[:], arena.time = past.last[n], past.playing[n], int(past.time[n])
            arena.look(lens(past.kinds[n].astype(np.int64)), self._forget(n))
            self._connect(n)
