"""Rewards of a game of OpenSpiel that depend on crowds told before, by the state that is met first.

OpenSpiel's evaluation lets the first state that it meets stand for its key.  Where a key hides something that is paid
(the last action) *and* moves depend on the crowd, which state that is depends on the crowds of earlier steps.  The cost
of a node in time is then a function of the flow up to it: the evaluation's own order is followed under that flow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.couplings import Coupling
from mfgsolve.couplings.base import Bound
from mfgsolve.errors import InputError
from mfgsolve.interop.moves import Moves
from mfgsolve.interop.walks import CHANCE, CHOICE, CROWD, foreign, key_of, told
from mfgsolve.spaces import Space
from mfgsolve.steps.slabs import CHUNK

__all__ = ["HistoryCosts"]

Front = dict[str, tuple[Any, int]]  # (state, population) by key


@dataclass(frozen=True, eq=False)
class HistoryCosts(Coupling):
    """f_t(x) = -reward of what follows the state first met in x, under masses m_0..m_t."""

    moves: Moves

    is_potential = False
    is_monotone = False
    is_local = False

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        if grid.size * (len(times) - 1) > CHUNK:
            raise InputError(
                f"rewards of {self.moves.tables.walk.name} depend on the crowds of all steps before; that is taken "
                f"over for up to {CHUNK} states times steps, and this game has {grid.size} x {len(times) - 1}"
            )
        return _BoundHistory(self.moves, grid)


@dataclass(eq=False)
class _BoundHistory(Bound):
    moves: Moves
    grid: Space
    _last: tuple[np.ndarray, list[Front]] | None = field(default=None, repr=False)

    sees_history = True

    def _masses(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        if nodes.start not in (None, 0):
            raise InputError(
                f"rewards of {self.moves.tables.walk.name} depend on the crowds of all steps before; they can be told "
                "for all nodes in time together, which solvers ask for, and not for one alone"
            )
        return np.asarray((rho * self.grid.volumes).reshape(rho.shape[0], -1))

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        masses = self._masses(nodes, rho)
        return self._paid(self._first_met(masses), masses).reshape(rho.shape)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.full(rho.shape[0], np.nan)

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        """By central differences, the states first met held fixed (they change by jumps)."""
        masses = self._masses(nodes, rho)
        moved = (change * self.grid.volumes).reshape(masses.shape)
        fronts, h = self._first_met(masses), 1e-5 / max(float(np.abs(moved).max(initial=0.0)), 1e-300)
        rise = self._paid(fronts, masses + h * moved) - self._paid(fronts, masses - h * moved)
        return np.asarray(rise / (2 * h)).reshape(rho.shape)

    def _paid(self, fronts: list[Front], masses: np.ndarray) -> np.ndarray:
        tables = self.moves.tables
        cost = np.zeros(masses.shape)
        for t in range(1, len(masses)):
            for key, (state, population) in fronts[t].items():
                if key in tables.place and tables.pays(key):
                    with foreign(tables.walk.name, f"it was asked what {key!r} pays"):
                        after = told(state, self._seen(key, masses[t]))
                        cost[t, tables.place[key]] = -float(after.rewards()[population])
        return cost

    def _seen(self, key: str, mass: np.ndarray) -> np.ndarray:
        places, known = self.moves.tables.asked[key]
        return np.asarray(mass[places] * known)

    def _first_met(self, masses: np.ndarray) -> list[Front]:
        """The states that the evaluation meets first under this flow, at every node in time, before the crowd is
        told."""
        if self._last is None or not np.array_equal(self._last[0], masses):
            with foreign(self.moves.tables.walk.name, "its order of states was followed"):
                self._last = masses.copy(), self._followed(masses)
        return self._last[1]

    def _followed(self, masses: np.ndarray) -> list[Front]:
        walk, out = self.moves.tables.walk, list[Front]()
        front: Front = {key_of(root): (root, p) for p, root in enumerate(walk.roots)}
        for depth, kind in enumerate(walk.kinds):
            if depth in walk.depths:
                out.append(front)
                if len(out) == len(masses):
                    return out
            ahead: Front = {}
            for key, (state, population) in front.items():
                if kind == CROWD:
                    if key not in self.moves.tables.asked:
                        continue  # nobody comes there
                    children = [told(state, self._seen(key, masses[len(out) - 1]))]
                elif kind == CHANCE:
                    children = [state.child(outcome) for outcome, _ in state.chance_outcomes()]
                else:
                    assert kind == CHOICE
                    children = [state.child(action) for action in state.legal_actions()]
                for child in children:
                    ahead.setdefault(key_of(child), (child, population))
            front = ahead
        return out
