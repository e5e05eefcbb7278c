"""A mean-field game of OpenSpiel, walked once: its keys, where choices lead, and what they earn.

OpenSpiel states a game as a tree of states that are recognised by their observation string, the *key*.  All states of
one depth are of one kind: chance, a choice, the crowd (which is told to the game there), or the end.  Its own
evaluation goes depth first, in the order of actions, and lets the first state it meets stand for all of its key; a walk
by depths that keeps the order meets the same ones.

A crowd node is told several crowds, and what follows is walked under each of them: a node is *settled* where nothing
that follows, up to the next state of the problem, depends on the crowd.  Where crowds lead to different keys, the
crowds between them are tried as well, by bisection, so that all keys in reach are met.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.interop.ladders import climb, probes

__all__ = ["CHANCE", "CHOICE", "CROWD", "END", "LARGEST", "Node", "Walk", "foreign", "key_of", "told", "walk"]

CHANCE, CHOICE, CROWD, END = "chance", "choice", "crowd", "end"
LARGEST = 250_000  # keys: several kilobytes and some tenths of a millisecond each
NUMBERS = 200_000_000  # that the states may hold, each as many as it asks for in a distribution
SAME = 1e-12  # relative: rewards that are the same
Edges = list[tuple[int, float, str]]


@dataclass(slots=True)
class Node:
    """What stands for a key: the first state met, and where it leads."""

    state: Any
    kind: str
    depth: int
    population: int
    reachable: bool  # with a positive chance, by some choices
    edges: Edges = field(default_factory=list)  # (action, chance, next key); of a crowd node under the first crowd
    settled: bool = True
    leads: tuple[str, ...] = ()  # of a crowd node: all keys that some crowd leads to
    rewards: tuple[float, ...] = ()  # of a crowd node: what follows it pays, one number for each crowd


@dataclass(slots=True)
class _Met:
    """A key of the next depth: its states, one for each crowd that was told last, the first met first."""

    population: int
    reachable: bool
    twins: dict[int, Any]
    ways: int = 0  # compared with the first


@dataclass(frozen=True, eq=False)
class Walk:
    """Nodes by key, in the order met."""

    name: str
    nodes: dict[str, Node]
    layers: list[list[str]]  # keys by depth
    roots: list[Any]
    hidden: tuple[str, float, float] | None  # a key that earns two rewards, depending on the way there
    history: tuple[str, float, float] | None  # the same, depending on a crowd that was told before
    _ends: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)

    @property
    def populations(self) -> int:
        return len(self.roots)

    @cached_property
    def kinds(self) -> list[str]:
        return [self.nodes[layer[0]].kind for layer in self.layers]

    @cached_property
    def depths(self) -> list[int]:
        """Depths whose nodes are states of the problem: crowds, and choices and ends that follow no crowd at once."""
        kinds = self.kinds
        return [
            d for d, kind in enumerate(kinds)
            if kind == CROWD or (kind in (CHOICE, END) and not (d and kinds[d - 1] == CROWD))
        ]  # fmt: skip

    @property
    def levels(self) -> int:
        """Steps of the problem."""
        return len(self.depths) - 1

    @cached_property
    def states(self) -> list[list[str]]:
        """Keys of the states that can be reached, at every node in time."""
        return [[key for key in self.layers[d] if self.nodes[key].reachable] for d in self.depths]

    @cached_property
    def is_coupled(self) -> bool:
        """Whether any transition depends on the crowd."""
        return any(not self.nodes[key].settled for keys in self.states[:-1] for key in keys)

    def after(self, key: str) -> str:
        """What a state leads to once the crowd is told, where that is the same for all crowds; else the state."""
        node = self.nodes[key]
        return node.edges[0][2] if node.kind == CROWD else key

    def ends(self, key: str) -> dict[str, float]:
        """Where a settled node leads, up to the next states, with chances."""
        if key not in self._ends:
            if self.nodes[key].depth in self.depths:
                self._ends[key] = {key: 1.0}
            else:
                result: dict[str, float] = {}
                for _, chance, child in self.nodes[key].edges:
                    if chance > 0:
                        for end, probability in self.ends(child).items():
                            result[end] = result.get(end, 0.0) + chance * probability
                self._ends[key] = result
        return self._ends[key]

    def reward(self, state: Any, population: int) -> float:
        return float(state.rewards()[population])


@contextmanager
def foreign(name: str, doing: str) -> Iterator[None]:
    """Whatever a game of OpenSpiel raises is told as an InputError that names it."""
    try:
        yield
    except InputError:
        raise
    except RecursionError:
        raise InputError(f"{name} of OpenSpiel calls itself without an end when {doing}") from None
    except Exception as error:
        text = " ".join(str(error).split())[:300] or "no message"
        raise InputError(f"{name} of OpenSpiel raised {type(error).__name__} when {doing}: {text}") from error


def walk(game: Any) -> Walk:
    """Visit every key of a game, depth by depth.

    Raises
    ------
    InputError
        if states of one depth are of different kinds, a key comes twice, the game remembers a crowd that no key tells,
        it has more than `LARGEST` keys, or raises anything
    """
    name = str(game).partition("(")[0]
    with foreign(name, "it was walked"):
        return _walk(game, name)


def _walk(game: Any, name: str) -> Walk:
    walker = _Walker(name, int(game.max_game_length()) if hasattr(game, "max_game_length") else 0)
    roots = list(game.new_initial_states())
    for population, root in enumerate(roots):
        walker.meet(root, population, True, 0)
    while walker.ahead:
        walker.descend()
    out = Walk(name, walker.nodes, walker.layers, roots, walker.hidden, walker.history)
    if CHOICE not in out.kinds:
        raise InputError(f"{name} of OpenSpiel offers no choice to anybody; there is nothing to solve")
    stops = set(out.depths)
    for node in reversed(list(out.nodes.values())):
        below = (out.nodes[key] for key in ([child for _, _, child in node.edges] or node.leads))
        node.settled = node.settled and all(child.depth in stops or child.settled for child in below)
    return out


class _Walker:
    """The walk under way: ``ahead`` are the keys of the next depth."""

    def __init__(self, name: str, length: int):
        self.name, self.length = name, length
        self.nodes: dict[str, Node] = {}
        self.layers: list[list[str]] = []
        self.ahead: dict[str, _Met] = {}
        self.hidden: tuple[str, float, float] | None = None
        self.history: tuple[str, float, float] | None = None
        self.rng = np.random.default_rng(0)
        self.choices = self.numbers = 0

    def meet(self, state: Any, population: int, reachable: bool, twin: int) -> str:
        """Enter a state of the next depth under its key."""
        key = key_of(state)
        if key in self.nodes:
            raise InputError(
                f"{self.name} of OpenSpiel comes to {key!r} at two depths; keys must tell the time, or its own "
                "evaluation takes one state for the other"
            )
        met = self.ahead.get(key)
        if met is None:
            if len(self.ahead) % 512 == 511:
                self._sized()
            self.ahead[key] = _Met(population, reachable, {twin: state})
            return key
        if met.population != population:
            raise InputError(
                f"{self.name} of OpenSpiel comes to {key!r} in the populations {met.population} and {population}; "
                "keys must tell the population"
            )
        met.reachable |= reachable
        if twin not in met.twins:
            met.twins[twin] = state
        elif twin == 0 and self.hidden is None:
            self._compare(key, met, state)
        return key

    def _compare(self, key: str, met: _Met, state: Any) -> None:
        """Whether another way to the same key earns the same; two other ways to every key are tried."""
        met.ways += 1
        kind = _kind(state)
        if met.ways > 2 or kind == CHANCE:
            return
        pair = [met.twins[0], state]
        if kind == CROWD:
            even = np.full(len(state.distribution_support()), 1.0)
            pair = [told(one, even / max(even.size, 1)) for one in pair]
            key = key_of(pair[0])
        one, other = (float(s.rewards()[met.population]) for s in pair)
        if abs(one - other) > SAME * max(1.0, abs(one)):
            self.hidden = (key, one, other)

    def descend(self) -> None:
        """Expand all keys of a depth."""
        front, self.ahead = self.ahead, {}
        depth, kinds = len(self.layers), dict[str, str]()
        for key, met in front.items():
            first = next(iter(met.twins.values()))
            kind = _kind(first)
            kinds.setdefault(kind, key)
            if len(kinds) > 1:
                (one, here), (other, there) = list(kinds.items())[:2]
                raise InputError(
                    f"{self.name} of OpenSpiel is at {here!r} ({one}) and {there!r} ({other}) after equally "
                    "many moves; all of its states must be of one kind then, as OpenSpiel's own evaluation needs it"
                )
            node = self.nodes[key] = Node(first, kind, depth, met.population, met.reachable)
            if kind == CROWD:
                self._tell(key, node)
                self._remembers(key, met, node)
            elif kind == END:
                self._remembers(key, met, node)
            else:
                self._expand(node, met)
            if kind == CHANCE and node.settled:
                node.state = None
        self.layers.append(list(front))
        self.choices += CHOICE in kinds
        self._sized()

    def _expand(self, node: Node, met: _Met) -> None:
        """Children of a choice or a chance node, under every crowd that was told before."""
        for twin, state in met.twins.items():
            pairs = (
                [(int(a), float(p)) for a, p in state.chance_outcomes()]
                if node.kind == CHANCE
                else [(int(a), 1.0) for a in state.legal_actions()]
            )
            if not pairs:
                raise InputError(f"{self.name} of OpenSpiel offers nothing at {key_of(state)!r}, which is no end")
            if len(pairs) ** 2 > NUMBERS:
                self._hold(len(pairs) ** 2)
            edges = [
                (a, p, self.meet(state.child(a), node.population, node.reachable and p > 0, twin)) for a, p in pairs
            ]
            if not node.edges:
                node.edges = edges
            elif edges != node.edges:
                node.settled = False
                for _, _, child in edges + node.edges:
                    self.ahead[child].reachable |= node.reachable

    def _remembers(self, key: str, met: _Met, node: Node) -> None:
        """Whether states of one key differ by the crowd that was told before: in what they pay, or (refused) more.

        One of those that came after another crowd is compared with the first.
        """
        after_crowd = bool(self.layers) and self.nodes[self.layers[-1][0]].kind == CROWD
        if len(met.twins) == 1 or (node.kind == END and after_crowd):
            return
        twin = list(met.twins.values())[1 + node.depth % (len(met.twins) - 1)]
        same = _close(*(float(state.rewards()[node.population]) for state in (node.state, twin)))
        if node.kind == CROWD and same:
            size = len(twin.distribution_support())
            after = told(twin, np.full(size, 1.0 / max(size, 1)))  # as the first crowd that the node was told
            same = key_of(after) == node.edges[0][2]
            paid = float(after.rewards()[node.population])
            if same and not _close(node.rewards[0], paid):
                self.history = self.history or (key, node.rewards[0], paid)
        if not same:
            raise InputError(
                f"{self.name} of OpenSpiel remembers at {key!r} the crowd of an earlier step, which the key does "
                "not tell; such a game cannot be taken over"
            )

    def _tell(self, key: str, node: Node) -> None:
        """Tell a crowd node some crowds; where they lead to different keys, those between them too."""
        support = list(node.state.distribution_support())
        own = support.index(key) if key in support else 0
        self._hold(2 * len(support))
        leads: dict[str, None] = {}
        crowds, result, rewards = [], [], []
        for k, masses in enumerate(probes(len(support), own, self.rng)):
            try:
                after = told(node.state, masses)
            except Exception:
                if k < 2:
                    raise
                continue  # nobody at all, or everybody in one place, may be no crowd to this game
            rewards.append(float(after.rewards()[node.population]))
            result.append(self.meet(after, node.population, node.reachable, k))
            crowds.append(masses)
        leads.update(dict.fromkeys(result))
        if len(leads) > 1:
            for k, after in enumerate(climb(crowds, result, lambda masses: told(node.state, masses), key_of)):
                leads[self.meet(after, node.population, node.reachable, len(crowds) + k % 3)] = None
            node.settled = False
        node.edges, node.leads, node.rewards = [(0, 1.0, result[0])], tuple(leads), tuple(rewards)

    def _hold(self, numbers: int) -> None:
        """Count the numbers that states hold."""
        self.numbers += numbers
        if self.numbers > NUMBERS:
            raise InputError(
                f"{self.name} of OpenSpiel is too large to be walked: its states hold more than {NUMBERS:,} numbers "
                f"after {len(self.nodes):,} keys, up to move {self.choices}; take a smaller one, or fewer moves"
            )

    def _sized(self) -> None:
        """Refuse what cannot be walked, as soon as that is plain."""
        count, width = len(self.nodes) + len(self.ahead), len(self.ahead)
        expected = count + max(self.length - self.choices, 0) * 2 * width
        if self.choices > 20 * max(self.length, 50):
            raise InputError(
                f"{self.name} of OpenSpiel comes to no end in {self.choices} moves, and says that it has {self.length}"
            )
        if count > LARGEST or (count > 2000 and expected > 2 * LARGEST):
            more = f", and about {expected:,} are to be expected in all" if count <= LARGEST else ""
            raise InputError(
                f"{self.name} of OpenSpiel has {count:,} keys up to move {self.choices}"
                f"{f' of {self.length}' if self.length else ''}{more}; games up to {LARGEST:,} keys can be walked: "
                "take a smaller one, or fewer moves"
            )


def told(state: Any, masses: np.ndarray) -> Any:
    """What follows a crowd node, once it is told the distribution."""
    after = state.clone()
    after.update_distribution(masses.tolist())
    return after


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= SAME * max(1.0, abs(one))


def key_of(state: Any) -> str:
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
