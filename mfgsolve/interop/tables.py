"""A walk through a game of OpenSpiel as arrays: transitions, own costs, and the costs that the crowd makes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.grids import Grid
from mfgsolve.interop.walks import CHOICE, END, Walk, told
from mfgsolve.spaces import Space, States

__all__ = ["Tables"]


@dataclass(frozen=True, eq=False)
class Tables:
    """A walk as arrays: state ``p S + s`` is cell s of the space in population p."""

    walk: Walk

    @cached_property
    def names(self) -> list[str]:
        """Labels of the states, the same for all populations."""
        return list(dict.fromkeys(self.walk.labels.values()))

    @cached_property
    def cells(self) -> np.ndarray | None:
        """Coordinates (label, (x, y, ...)) where labels hold two or three whole numbers that nearly fill a box."""
        points = [[int(n) for n in re.findall(r"(?<![\w.])\d+(?![\w.=])", name)] for name in self.names]
        if len({len(point) for point in points}) != 1:
            return None
        cells = np.array(points)
        cells = cells[:, np.ptp(cells, axis=0) > 0]
        if cells.shape[1] not in (2, 3) or len(np.unique(cells, axis=0)) < len(cells):
            return None
        return cells if np.prod(cells.max(axis=0) + 1) <= 4 * len(cells) else None

    @cached_property
    def space(self) -> Space:
        """A grid where the labels are cells of one, those that no label names blocked; else the list of the labels."""
        if self.cells is None:
            return States(self.names)
        shape = tuple(int(n) for n in self.cells.max(axis=0)[::-1] + 1)
        blocked = np.ones(shape, dtype=bool)
        blocked[tuple(self.cells.T[::-1])] = False
        return Grid.box(shape, bounds=[(0, n) for n in shape], blocked=blocked if blocked.any() else None)

    @cached_property
    def place(self) -> dict[str, int]:
        """Number of the state of every decision and final key."""
        numbers: Any = range(len(self.names))
        if self.cells is not None:
            numbers = np.ravel_multi_index(tuple(self.cells.T[::-1]), self.space.shape).tolist()
        number, nodes = dict(zip(self.names, numbers, strict=True)), self.walk.nodes
        return {key: nodes[key].population * self.states + number[name] for key, name in self.walk.labels.items()}

    @property
    def states(self) -> int:
        return self.space.size

    @property
    def size(self) -> int:
        return self.walk.populations * self.states

    @cached_property
    def actions(self) -> int:
        """As many as the largest number of an action on offer tells."""
        return 1 + max(a for node in self.walk.nodes.values() if node.kind == CHOICE for a, _, _ in node.edges)

    @cached_property
    def reached(self) -> np.ndarray:
        """(levels, P S): where anybody can be."""
        reached = np.zeros((self.walk.levels, self.size), dtype=bool)
        for t, keys in enumerate(self.walk.decisions):
            reached[t, [self.place[key] for key in keys]] = True
        return reached

    @cached_property
    def initial(self) -> np.ndarray:
        mass = np.zeros(self.size)
        roots = [key for key, node in self.walk.nodes.items() if node.level == 0 and node.kind != CHOICE]
        seen: set[int] = set()
        for key in roots:  # the first node of every population is its root
            population = self.walk.nodes[key].population
            if population not in seen:
                seen.add(population)
                for end, chance in self.walk.outcomes(key)[0].items():
                    mass[self.place[end]] += chance
        return mass

    @cached_property
    def own(self) -> np.ndarray:
        """Cost (levels, A, P S) that the crowd does not change: of step 0, and what is earned between decisions."""
        own = np.zeros((self.walk.levels, self.actions, self.size))
        for t, keys in enumerate(self.walk.decisions):
            for key in keys:
                node = self.walk.nodes[key]
                if t == 0:
                    own[t, :, self.place[key]] -= float(node.state.rewards()[node.population])
                for a, child in self._choices(key):
                    ends, earned = self.walk.outcomes(child)
                    final = sum(p * self._final(end) for end, p in ends.items())
                    own[t, a, self.place[key]] -= earned - final  # what the end pays is the terminal cost
        return own

    def _final(self, key: str) -> float:
        node = self.walk.nodes[key]
        return float(node.state.rewards()[node.population]) if node.kind == END else 0.0

    @cached_property
    def terminal(self) -> np.ndarray:
        cost = np.zeros(self.size)
        for key, node in self.walk.nodes.items():
            if node.kind == END:
                cost[self.place[key]] = -self._final(key)
        return cost

    def _choices(self, key: str) -> list[tuple[int, str]]:
        """Next key of every action; one that is not on offer does what the first on offer does."""
        edges = {a: child for a, _, child in self.walk.nodes[key].edges}
        first = next(iter(edges.values()))
        return [(a, edges.get(a, first)) for a in range(self.actions)]

    def transitions(self, population: int) -> Any:
        """Matrices of a population: a list over steps of lists over actions, or of one step where none differs.

        Where nobody can be at a step, rows are those of another step, or stay.
        """
        offset, rows = (
            population * self.states,
            [dict[tuple[int, int], dict[int, float]]() for _ in range(self.walk.levels)],
        )
        usual: dict[tuple[int, int], dict[int, float]] = {}
        for t, keys in enumerate(self.walk.decisions):
            for key in keys:
                if self.walk.nodes[key].population == population:
                    for a, child in self._choices(key):
                        row: dict[int, float] = {}
                        for end, chance in sorted(self.walk.outcomes(child)[0].items()):
                            row[self.place[end] - offset] = row.get(self.place[end] - offset, 0.0) + chance
                        rows[t][a, self.place[key] - offset] = usual[a, self.place[key] - offset] = row
        steps = []
        for found in rows:
            whole = [
                [found.get((a, s)) or usual.get((a, s)) or {s: 1.0} for s in range(self.states)]
                for a in range(self.actions)
            ]
            steps.append(whole)
        if all(step == steps[0] for step in steps[1:]):
            return [_matrix(row, self.states) for row in steps[0]]
        return [[_matrix(row, self.states) for row in step] for step in steps]

    def cost(self, t: int, mass: np.ndarray) -> np.ndarray:
        """Cost (P S,) of being somewhere at node t >= 1 against masses, asked from OpenSpiel; 0 where nobody can be."""
        cost = np.zeros(self.size)
        for key in self.walk.decisions[t]:
            node = self.walk.nodes[key]
            places, known = self._asked[node.before]
            after = told(self.walk.nodes[node.before].state, mass[places] * known)
            cost[self.place[key]] = -float(after.rewards()[node.population])
        return cost

    @cached_property
    def _asked(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For every crowd node: the states whose masses it asks for, in its order, and which of them can be reached."""
        leads = {node.before: self.place[key] for key, node in self.walk.nodes.items() if node.before is not None}
        asked, shared = {}, dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]]()
        for key in leads:
            support = tuple(self.walk.nodes[key].state.distribution_support())
            if support not in shared:
                places = np.array([leads.get(s, 0) for s in support], dtype=int)
                shared[support] = places, np.array([float(s in leads) for s in support])
            asked[key] = shared[support]
        return asked


def _matrix(rows: list[dict[int, float]], size: int) -> sparse.csr_array:
    first = np.cumsum([0] + [len(row) for row in rows])
    successor = np.concatenate([np.fromiter(row.keys(), dtype=np.int64) for row in rows])
    chance = np.concatenate([np.fromiter(row.values(), dtype=float) for row in rows])
    return sparse.csr_array((chance, successor, first), shape=(size, size))
