"""A mean-field game of OpenSpiel, walked once: its keys, where choices lead, and what they earn.

OpenSpiel states a game as a tree of states that are recognised by their observation string, the *key*.  Its own
evaluation goes depth first, in the order of actions, and lets the first state it meets stand for all of its key; so
does this walk, so that its rewards are those that OpenSpiel counts.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import InputError

__all__ = ["Node", "Walk", "walk"]

CHANCE, CHOICE, CROWD, END = "chance", "choice", "crowd", "end"


@dataclass
class Node:
    """What stands for a key: the first state met, and where it leads."""

    state: Any
    kind: str
    level: int  # decisions taken before
    population: int
    edges: list[tuple[int, float, str]] = field(default_factory=list)  # (action, chance, next key)
    before: Any = None  # of a decision: the crowd node it comes from


@dataclass(frozen=True, eq=False)
class Walk:
    """Nodes by key, in the order met."""

    nodes: dict[str, Node]
    levels: int
    populations: int
    hidden: tuple[str, float, float] | None  # a key that earns two rewards, depending on the way there
    _outcomes: dict[str, tuple[dict[str, float], float]] = field(default_factory=dict, repr=False)

    @cached_property
    def decisions(self) -> list[list[str]]:
        """Keys of the decisions by level, in the order met."""
        out: list[list[str]] = [[] for _ in range(self.levels)]
        for key, node in self.nodes.items():
            if node.kind == CHOICE:
                out[node.level].append(key)
        return out

    @cached_property
    def labels(self) -> dict[str, str]:
        """What a decision or final key is called at every level alike: the number that is the time becomes ``t``."""
        names = self._timeless([key for level in self.decisions for key in level])
        for level in self.decisions:
            if len({(self.nodes[key].population, names[key]) for key in level}) < len(level):
                names = {key: key for key in names}
        # at the end a key is that of a crowd node; earlier ones of the same name led to decisions
        finals = [key for key, node in self.nodes.items() if node.kind == END]
        crowds = self._timeless([key for key, node in self.nodes.items() if node.kind == CROWD] + finals)
        before = {self.nodes[key].before: name for key, name in names.items()}
        ends = {crowds[crowd]: name for crowd, name in before.items() if crowd is not None}
        return names | {key: ends.get(crowds[key], key) for key in finals}

    def _timeless(self, keys: list[str]) -> dict[str, str]:
        """Keys with the number that is the level as ``t`` and, among several populations, theirs as ``p``."""
        times = _positions({key: self.nodes[key].level for key in keys})[:1]
        which: list[int] = []
        if self.populations > 1:
            found = _positions({key: self.nodes[key].population for key in keys})
            which = [position for position in found if position not in times][:1]
        letters = dict.fromkeys(times, "t") | dict.fromkeys(which, "p")
        return {key: _blank(key, letters) for key in keys}

    def outcomes(self, key: str) -> tuple[dict[str, float], float]:
        """Where a node leads, up to the next decisions or the end, with chances; and what is earned on the way."""
        if key not in self._outcomes:
            self._outcomes[key] = self._followed(key)
        return self._outcomes[key]

    def _followed(self, key: str) -> tuple[dict[str, float], float]:
        node = self.nodes[key]
        if node.kind == CHOICE:
            return {key: 1.0}, 0.0
        own = 0.0 if node.kind == CHANCE else float(node.state.rewards()[node.population])
        if node.kind == END:
            return {key: 1.0}, own
        ends: dict[str, float] = {}
        for _, chance, child in node.edges:
            further, earned = self.outcomes(child)
            own += chance * earned
            for end, probability in further.items():
                ends[end] = ends.get(end, 0.0) + chance * probability
        return ends, own


def _positions(values: dict[str, int]) -> list[int]:
    """Which of the whole numbers in every key is the value that belongs to the key."""
    common: set[int] | None = None
    for key, value in values.items():
        found = {k for k, match in enumerate(re.finditer(r"\d+", key)) if int(match.group()) == value}
        common = found if common is None else common & found
    return sorted(common or set(), reverse=True)


def _blank(key: str, letters: dict[int, str]) -> str:
    """The key with some of its numbers, counted as in the text, replaced by letters."""
    count = itertools.count()
    return re.sub(r"\d+", lambda match: letters.get(next(count), match.group()), key)


def walk(game: Any, crowd: Callable[[int], np.ndarray]) -> Walk:
    """Visit every key of a game, depth first; ``crowd(n)`` is the distribution told to nodes that ask for n numbers."""
    nodes: dict[str, Node] = {}
    hidden: tuple[str, float, float] | None = None
    roots = game.new_initial_states()
    for population, root in enumerate(roots):
        stack: list[tuple[Any, int, str | None]] = [(root, 0, None)]
        while stack:
            state, level, before = stack.pop()
            key = _key(state)
            if key in nodes:
                if hidden is None and nodes[key].kind == CROWD:
                    decision = nodes[nodes[key].edges[0][2]]
                    again = told(state, crowd(len(state.distribution_support())))
                    one, other = (float(s.rewards()[population]) for s in (decision.state, again))
                    if abs(one - other) > 1e-12 * max(1.0, abs(one)):
                        hidden = (nodes[key].edges[0][2], one, other)
                continue
            node = nodes[key] = Node(state, _kind(state), level, population, before=before)
            if node.kind == CROWD:
                children = [(0, 1.0, told(state, crowd(len(state.distribution_support()))))]
            elif node.kind == CHANCE:
                children = [(int(a), float(p), state.child(a)) for a, p in state.chance_outcomes() if p > 0]
            elif node.kind == CHOICE:
                children = [(int(a), 1.0, state.child(a)) for a in state.legal_actions()]
            else:
                continue
            node.edges = [(a, p, _key(child)) for a, p, child in children]
            below = level + (node.kind == CHOICE)
            origin = key if node.kind == CROWD else None
            stack.extend((child, below, origin) for _, _, child in reversed(children))
    levels = 1 + max(node.level for node in nodes.values() if node.kind == CHOICE)
    return Walk(nodes, levels, len(roots), hidden)


def told(state: Any, masses: np.ndarray) -> Any:
    """The decision that follows a crowd node, once it is told the distribution."""
    after = state.clone()
    after.update_distribution(masses.tolist())
    return after


def _key(state: Any) -> str:
    return str(state.observation_string(0))


def _kind(state: Any) -> str:
    """From the number of the player that moves, as OpenSpiel fixes it: -1 chance, -4 the end, -5 the mean field."""
    if state.is_terminal():
        return END
    player = int(state.current_player())
    if player >= 0:
        return CHOICE
    if player == -1:
        return CHANCE
    if player == -5:
        return CROWD
    raise InputError(f"player {player} moves in a game of OpenSpiel; agents, chance and the mean field are known")
