"""Moves and costs of a game of OpenSpiel against a crowd: what the walk could settle as arrays, the rest asked anew.

The walk tells which states are settled.  For the others, against a mass at a node in time, the game's own crowd node is
told the masses that it asks for (once for each state, mass and node, for costs and moves alike), and its moves are
followed: a choice or chance node that is settled answers from the walk, others are asked (one ``child`` for each
action or outcome).  The last mass of every node in time is kept, with what it led to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.interop.tables import Tables
from mfgsolve.interop.walks import CHANCE, CHOICE, CROWD, foreign, key_of, told

__all__ = ["Moves"]

DENSE = 200_000  # numbers of one step up to which arrays are quicker than sparse matrices

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]
Rows = dict[tuple[int, int], dict[int, float]]  # (action, state) -> next states with their chances, numbers of places


@dataclass(eq=False)
class _Level:
    """What is kept of a node in time: the mass last asked about, what the crowd nodes led to, and the matrices."""

    mass: np.ndarray
    told: dict[str, Any] = field(default_factory=dict)
    rows: Rows | None = None


@dataclass(frozen=True, eq=False)
class Moves:
    """Answers to (node in time, mass (P S,) of all populations)."""

    tables: Tables
    _levels: dict[int, _Level] = field(default_factory=dict, repr=False)
    _bases: dict[tuple[int, int], Entries] = field(default_factory=dict, repr=False)

    # -- asking ----------------------------------------------------------------------------------------------------

    def _level(self, t: int, mass: np.ndarray) -> _Level:
        level = self._levels.get(t)
        if level is None or not np.array_equal(level.mass, mass):
            level = self._levels[t] = _Level(np.array(mass, dtype=float))
        return level

    def told(self, t: int, key: str, mass: np.ndarray) -> Any:
        """The state that follows a crowd node against a mass; a state that no crowd comes before is itself."""
        node = self.tables.walk.nodes[key]
        if node.kind != CROWD:
            return node.state
        level = self._level(t, mass)
        if key not in level.told:
            places, known = self.tables.asked[key]
            with foreign(self.tables.walk.name, f"{key!r} was told a distribution"):
                level.told[key] = told(node.state, level.mass[places] * known)
        return level.told[key]

    def cost(self, t: int, mass: np.ndarray) -> np.ndarray:
        """Cost (P S,) of what follows the crowd nodes of node t; 0 where nobody can be."""
        cost = np.zeros(self.tables.size)
        for key in self.tables.walk.states[t]:
            if self.tables.pays(key):
                node, after = self.tables.walk.nodes[key], self.told(t, key, mass)
                with foreign(self.tables.walk.name, f"it was asked what {key!r} pays"):
                    cost[self.tables.place[key]] = -float(after.rewards()[node.population])
        return cost

    # -- moves -----------------------------------------------------------------------------------------------------

    def transitions(self, population: int) -> Any:
        """For `Tabular`: matrices, a list over steps of lists of them, or a function (t, mass).

        Where nobody can be at a step, rows are those of another step, or stay.
        """
        steps = range(self.tables.walk.levels)
        if not self.tables.walk.is_coupled:
            usual: Rows = {}
            for t in steps:
                usual |= self._settled[t]
            if all(row == usual[place] for t in steps for place, row in self._settled[t].items()):
                return self._matrices(usual, population)
            return [self._matrices(usual | self._settled[t], population) for t in steps]

        def transitions(t: float, mass: np.ndarray) -> Any:
            return self._against(round(t), np.asarray(mass).reshape(-1), population)

        return transitions

    @cached_property
    def _settled(self) -> list[Rows]:
        """Rows that no crowd changes, by step."""
        out = []
        for keys in self.tables.walk.states[:-1]:
            rows: Rows = {}
            for key in keys:
                if self.tables.walk.nodes[key].settled:
                    for a, ends in self.tables.rows(key):
                        rows[a, self.tables.place[key]] = self._places(ends)
            out.append(rows)
        return out

    def _places(self, ends: dict[str, float]) -> dict[int, float]:
        row: dict[int, float] = {}
        for end, chance in sorted(ends.items()):
            row[self.tables.place[end]] = row.get(self.tables.place[end], 0.0) + chance
        return row

    def asked(self, t: int, mass: np.ndarray) -> Rows:
        """Rows of step t that depend on the mass."""
        level = self._level(t, mass)
        if level.rows is None:
            asked: Rows = {}
            for key in self.tables.walk.states[t]:
                if not self.tables.walk.nodes[key].settled:
                    state = self.told(t, key, mass)
                    with foreign(self.tables.walk.name, f"it was asked where {key!r} leads"):
                        for a, ends in self._followed(state).items():
                            asked[a, self.tables.place[key]] = self._places(self._known(ends, key, t))
            level.rows = asked
        return level.rows

    def _followed(self, state: Any) -> dict[int, dict[str, float]]:
        """Where the actions lead from a state after the crowd was told; one not on offer does what the first does."""
        node = self.tables.walk.nodes.get(key_of(state))
        actions = range(self.tables.actions)
        if node is not None and node.settled and node.kind == CHOICE:
            edges = {a: self.tables.walk.ends(child) for a, _, child in node.edges}
        elif int(state.current_player()) >= 0 and not state.is_terminal():
            edges = {int(a): self._ends(state.child(a)) for a in state.legal_actions()}
        else:
            ends = self._ends(state)
            return dict.fromkeys(actions, ends)
        first = next(iter(edges.values()))
        return {a: edges.get(a, first) for a in actions}

    def _ends(self, state: Any) -> dict[str, float]:
        """Next states, with chances, of a state between two of them."""
        walk, key = self.tables.walk, key_of(state)
        node = walk.nodes.get(key)
        if node is not None and (node.settled or node.depth in walk.depths):
            return walk.ends(key)
        if (node is not None and node.kind != CHANCE) or int(state.current_player()) != -1:
            return {key: 1.0}  # told by `_known`
        result: dict[str, float] = {}
        for outcome, chance in state.chance_outcomes():
            if chance > 0:
                for end, probability in self._ends(state.child(outcome)).items():
                    result[end] = result.get(end, 0.0) + chance * probability
        return result

    def _known(self, ends: dict[str, float], key: str, t: int) -> dict[str, float]:
        ahead = self.tables.walk.nodes
        for end in ends:
            if end not in self.tables.place or ahead[end].depth != self.tables.walk.depths[t + 1]:
                raise InputError(
                    f"{self.tables.walk.name} of OpenSpiel leads at step {t} from {key!r} to {end!r}, which the walk "
                    "under other crowds has not met; its answers to crowds are too irregular to be taken over"
                )
        return ends

    def _entries(self, rows: Rows, population: int) -> Entries:
        """Rows of one population as entries (row a S + s, next state, chance); those that are missing are left out."""
        size, offset = self.tables.states, population * self.tables.states
        where = range(offset, offset + size)
        listed = [
            (a * size + s - offset, end - offset, chance)
            for (a, s), row in rows.items()
            if s in where
            for end, chance in row.items()
        ]
        row, ahead, chances = zip(*listed, strict=True) if listed else ((), (), ())
        return np.array(row, dtype=int), np.array(ahead, dtype=int), np.array(chances, dtype=float)

    def _stays(self, given: set[tuple[int, int]], population: int) -> Entries:
        """Entries of all rows that are not given: who is there stays there."""
        size, offset = self.tables.states, population * self.tables.states
        missing = np.ones((self.tables.actions, size), dtype=bool)
        for a, s in given:
            if 0 <= s - offset < size:
                missing[a, s - offset] = False
        row = np.flatnonzero(missing)
        return row, row % size, np.ones(row.size)

    def _matrices(self, rows: Rows, population: int) -> list[sparse.csr_array]:
        """One matrix for each action, of one population."""
        return self._split(self._entries(rows, population), self._stays(set(rows), population))

    def _below(self, *parts: Entries) -> sparse.csr_array:
        """Matrices of all actions, one below the other."""
        row, ahead, chance = _joined(*parts)
        size, actions = self.tables.states, self.tables.actions
        return sparse.csr_array((chance, (row, ahead)), shape=(actions * size, size))

    def _split(self, *parts: Entries) -> list[sparse.csr_array]:
        whole, size = self._below(*parts), self.tables.states
        return [whole[a * size : (a + 1) * size] for a in range(self.tables.actions)]

    def _against(self, t: int, mass: np.ndarray, population: int) -> Any:
        """Matrices of step t against a mass: an array where it is small, which is quicker to check."""
        if (t, population) not in self._bases:
            at = {(a, self.tables.place[key]) for key in self.tables.walk.states[t] for a in range(self.tables.actions)}
            self._bases[t, population] = _joined(
                self._entries(self._settled[t], population), self._stays(at, population)
            )
        base, asked = self._bases[t, population], self._entries(self.asked(t, mass), population)
        size, actions = self.tables.states, self.tables.actions
        if actions * size * size > DENSE:
            return self._below(base, asked)
        dense = np.zeros((actions * size, size))
        for row, ahead, chance in (base, asked):
            dense[row, ahead] = chance
        return dense.reshape(actions, size, size)

    # -- a flow ----------------------------------------------------------------------------------------------------

    def flow(self, policy: np.ndarray) -> np.ndarray:
        """Mass (levels + 1, P S) that follows a policy (levels, A, P S)."""
        mass = [self.tables.initial]
        for t, choices in enumerate(policy):
            rows = self._settled[t] | self.asked(t, mass[-1])
            ahead = np.zeros(self.tables.size)
            for (a, s), row in rows.items():
                weight = mass[-1][s] * choices[a, s]
                if weight > 0:
                    for end, chance in row.items():
                        ahead[end] += weight * chance
            mass.append(ahead)
        return np.stack(mass)


def _joined(*parts: Entries) -> Entries:
    row, ahead, chance = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return row, ahead, chance
