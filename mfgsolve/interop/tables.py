"""A walk through a game of OpenSpiel as arrays: states by number, initial mass, own and terminal costs, chances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.grids import Grid
from mfgsolve.interop.labels import state_names
from mfgsolve.interop.walks import CHOICE, CROWD, END, Walk
from mfgsolve.spaces import Space, States

__all__ = ["Tables"]


@dataclass(frozen=True, eq=False)
class Tables:
    """A walk as arrays: state ``p S + s`` is cell s of the space in population p."""

    walk: Walk

    @cached_property
    def _called(self) -> list[dict[str, str]]:
        return state_names(self.walk)

    @cached_property
    def names(self) -> list[str]:
        """Names of the states, the same for all populations."""
        return list(dict.fromkeys(name for names in self._called for name in names.values()))

    @cached_property
    def cells(self) -> np.ndarray | None:
        """Coordinates (name, (x, y, ...)) where names hold two or three whole numbers that nearly fill a box."""
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
        """A grid where the names are cells of one, those that no name tells blocked; else the list of the names."""
        if self.cells is None:
            return States(self.names)
        shape = tuple(int(n) for n in self.cells.max(axis=0)[::-1] + 1)
        blocked = np.ones(shape, dtype=bool)
        blocked[tuple(self.cells.T[::-1])] = False
        return Grid.box(shape, bounds=[(0, n) for n in shape], blocked=blocked if blocked.any() else None)

    @cached_property
    def place(self) -> dict[str, int]:
        """Number of the state of every key that can be reached and is one."""
        numbers: Any = range(len(self.names))
        if self.cells is not None:
            numbers = np.ravel_multi_index(tuple(self.cells.T[::-1]), self.space.shape).tolist()
        number, nodes = dict(zip(self.names, numbers, strict=True)), self.walk.nodes
        return {
            key: nodes[key].population * self.states + number[name]
            for names in self._called
            for key, name in names.items()
        }

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
    def initial(self) -> np.ndarray:
        mass = np.zeros(self.size)
        for key in self.walk.layers[0]:
            for end, chance in self.walk.ends(key).items():
                mass[self.place[end]] += chance
        return mass

    @cached_property
    def own(self) -> np.ndarray:
        """Cost (levels, A, P S) that the crowd told there does not change: of a choice that no crowd comes before, and
        what a crowd node pays before it is told."""
        own = np.zeros((self.walk.levels, self.actions, self.size))
        for t, keys in enumerate(self.walk.states[:-1]):
            for key in keys:
                node = self.walk.nodes[key]
                own[t, :, self.place[key]] = -self.walk.reward(node.state, node.population)
        return own

    @cached_property
    def terminal(self) -> np.ndarray:
        """The same at the end."""
        cost = np.zeros(self.size)
        for key in self.walk.states[-1]:
            node = self.walk.nodes[key]
            cost[self.place[key]] = -self.walk.reward(node.state, node.population)
        return cost

    def reached(self, t: int) -> np.ndarray:
        """(P S,): where anybody can be at node t."""
        reached = np.zeros(self.size, dtype=bool)
        reached[[self.place[key] for key in self.walk.states[t]]] = True
        return reached

    def counts(self, t: int) -> bool:
        """Whether the crowd changes what is paid at node t, as far as the walk has seen."""
        rewards = (self.walk.nodes[key].rewards for key in self.walk.states[t])
        return any(not all(r == one[0] for r in one[1:]) for one in rewards)

    def paid(self, t: int) -> np.ndarray:
        """Cost (P S,) of what follows the crowd nodes of node t, where the crowd does not change it."""
        cost = np.zeros(self.size)
        for key in self.walk.states[t]:
            if self.walk.nodes[key].rewards and self.pays(key):
                cost[self.place[key]] = -self.walk.nodes[key].rewards[0]
        return cost

    def pays(self, key: str) -> bool:
        """Whether what follows a crowd node is paid there: a choice or the end."""
        node = self.walk.nodes[key]
        return node.kind == CROWD and self.walk.nodes[node.edges[0][2]].kind in (CHOICE, END)

    def rows(self, key: str) -> Iterator[tuple[int, dict[str, float]]]:
        """Where the actions lead from a state that is settled; one not on offer does what the first on offer does."""
        after = self.walk.nodes[self.walk.after(key)]
        if after.kind != CHOICE:  # nothing is chosen here
            ends = self.walk.ends(self.walk.after(key))
            yield from ((a, ends) for a in range(self.actions))
            return
        edges = {a: child for a, _, child in after.edges}
        first = next(iter(edges.values()))
        yield from ((a, self.walk.ends(edges.get(a, first))) for a in range(self.actions))

    @cached_property
    def asked(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For every crowd node: the states whose masses it asks for, in its order, and which of them can be reached."""
        asked, shared = {}, dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]]()
        for keys in self.walk.states:
            here = {key: self.place[key] for key in keys}
            for key in keys:
                if self.walk.nodes[key].kind == CROWD:
                    support = tuple(self.walk.nodes[key].state.distribution_support())
                    if (keys[0], *support) not in shared:
                        places = np.array([here.get(s, 0) for s in support], dtype=int)
                        shared[keys[0], *support] = places, np.array([float(s in here) for s in support])
                    asked[key] = shared[keys[0], *support]
        return asked
