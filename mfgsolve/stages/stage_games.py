"""Stage games: agents on a graph of neighbours are paid for their own action and for how many neighbours did what.

`counterexample` is the game of Appendix A of the multi-type paper, `reward_of` and `best_reward` its exact rewards.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from mfgsolve.errors import InputError, numbers, real, whole
from mfgsolve.grids import Grid
from mfgsolve.stages.neighbourhoods import checked_neighbours, graph_neighbours, grid_neighbours
from mfgsolve.stages.types import Coding, KnownTypes, TypeModel, type_labels

__all__ = ["StageGame", "best_reward", "counterexample", "reward_of", "two_camps"]

LARGEST_REWARDS = 1 << 22  # cells

Reward = Callable[[int, int, np.ndarray], Any]


@dataclass(frozen=True, eq=False)
class StageGame:
    """A game that is repeated: in every stage agent i takes an action a_i and is paid

        r_i = reward(m_i, a_i, n_i),    n_i[m, a] = number of neighbours of i of type m that take action a.

    Parameters
    ----------
    reward : function of an agent's type, its action, and counts (cells, types, actions); a number for each cell
    actions : number of actions
    types : type of every agent, (agents,)
    neighbours : sparse matrix (agents, agents), 1 where the column is a neighbour of the row; None for a game without
        neighbourhoods (nobody can ask for a mean action)
    scripts : probabilities (agents, actions) of agents that do not learn but draw their action anew in every stage,
        before the learners move; rows of NaN are learners.  None: everybody learns
    groups : label of every agent, (agents,), by which the record counts actions; None takes the types
    """

    reward: Reward = field(repr=False)
    actions: int
    types: np.ndarray = field(repr=False)
    neighbours: sp.csr_array | None = field(default=None, repr=False)
    scripts: np.ndarray | None = field(default=None, repr=False)
    groups: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        actions = whole(self.actions, "StageGame: actions")
        if actions < 1:
            raise InputError(f"StageGame: actions is {actions}; at least 1 is needed")
        types = type_labels(self.types, "StageGame: types")
        object.__setattr__(self, "actions", actions)
        object.__setattr__(self, "types", types)
        if self.neighbours is not None:
            matrix = checked_neighbours(self.neighbours, types.size)
            if not (matrix.data == 1.0).all():
                raise InputError("StageGame: neighbours have weights other than 1; agents are counted, not weighted")
            if matrix.diagonal().any():
                raise InputError("StageGame: an agent is its own neighbour; leave the diagonal empty")
            object.__setattr__(self, "neighbours", matrix)
        groups = types if self.groups is None else type_labels(self.groups, "StageGame: groups")
        if groups.size != types.size:
            raise InputError(f"StageGame: groups has {groups.size} agents, types {types.size}")
        object.__setattr__(self, "groups", groups)
        object.__setattr__(self, "scripts", self._checked_scripts())

    def _checked_scripts(self) -> np.ndarray:
        shape = (self.types.size, self.actions)
        if self.scripts is None:
            return np.full(shape, np.nan)
        scripts = numbers(self.scripts, "StageGame: scripts")
        if scripts.shape != shape:
            raise InputError(f"StageGame: scripts has shape {scripts.shape}; {shape} (agents, actions) is needed")
        played = scripts[~np.isnan(scripts).all(axis=1)]
        if not ((played >= 0.0).all() and np.allclose(played.sum(axis=1), 1.0, atol=1e-12)):
            raise InputError("StageGame: a row of scripts is no probability; rows sum to 1, or are NaN for learners")
        if played.shape[0] == self.types.size:
            raise InputError("StageGame: every agent has a script, so that nobody learns; leave rows of NaN")
        return scripts

    @property
    def agents(self) -> int:
        return int(self.types.size)

    @cached_property
    def learners(self) -> np.ndarray:
        """Numbers of the agents that learn."""
        return np.flatnonzero(np.isnan(np.asarray(self.scripts)[:, 0]))

    @cached_property
    def scripted(self) -> np.ndarray:
        return np.flatnonzero(~np.isnan(np.asarray(self.scripts)[:, 0]))

    @cached_property
    def graph(self) -> sp.csr_array:
        """Neighbours; nobody's, where the game has no neighbourhoods."""
        return sp.csr_array((self.agents, self.agents)) if self.neighbours is None else self.neighbours

    @cached_property
    def coding(self) -> Coding:
        """What rewards depend on, as cells."""
        return Coding.of(KnownTypes(self.types), self.graph, self.types, self.actions, self.learners)

    @cached_property
    def rewards(self) -> np.ndarray:
        """reward(m, a, cell), (types, actions, cells); NaN in cells that cannot be."""
        if self.coding.size > LARGEST_REWARDS:
            raise InputError(
                f"StageGame: neighbours can act in {self.coding.size} ways that differ in counts, more than "
                f"{LARGEST_REWARDS}; take smaller neighbourhoods, fewer actions or fewer types"
            )
        counts = self.coding.counts()
        possible = (counts >= 0).all(axis=(1, 2))
        table = np.full((int(self.types.max()) + 1, self.actions, self.coding.size), np.nan)
        for kind, action in itertools.product(range(table.shape[0]), range(self.actions)):
            paid = numbers(self.reward(kind, action, counts[possible]), f"reward of type {kind}, action {action}")
            if paid.shape not in ((), (int(possible.sum()),)) or not np.isfinite(paid).all():
                raise InputError(
                    f"reward of type {kind}, action {action} has shape {paid.shape} and must be one finite number for "
                    f"each of {int(possible.sum())} cells"
                )
            table[kind, action, possible] = paid
        return table


def _spin_reward(kind: int, action: int, counts: np.ndarray) -> np.ndarray:
    with_first, with_second = counts[:, 0, action] == 2, counts[:, 1, action] == 2
    return np.where(with_second, -2.0, np.where(with_first, 2.0, 0.0))


def counterexample(scripts: Sequence[float] | Sequence[Sequence[float]], copies: int = 1) -> StageGame:
    """The stage game of Appendix A: one learner E with neighbours A, B (type 0) and C, D (type 1).

    Actions are spins, 0 down and 1 up.  E is paid -2 if its spin equals both C's and D's, else +2 if it equals both A's
    and B's, else 0.  In the counterexample of the paper two stages have A, B up and C, D down, and the third the
    reverse: two neighbours of four are up in each, so that one mean action cannot tell the stages apart.

    Parameters
    ----------
    scripts : probability of spin up of A, B, C, D, or (down, up) for each
    copies : independent games beside each other, with a learner each (seeds, when tables are their own)

    Source: Ganapathi Subramanian et al., AAMAS 2020, arXiv 2002.02513, Appendix A.
    """
    chances = numbers(scripts, "scripts")
    if chances.shape == (4,):
        chances = np.stack([1.0 - chances, chances], axis=1)
    if chances.shape != (4, 2):
        raise InputError(f"scripts has shape {chances.shape}; four probabilities of spin up, or (4, 2), are needed")
    first = 5 * np.arange(whole(copies, "copies"))[:, None]
    edges = np.stack([first + np.zeros(4, dtype=np.int64), first + np.arange(1, 5)], axis=-1).reshape(-1, 2)
    one = np.concatenate([np.full((1, 2), np.nan), chances])
    return StageGame(
        _spin_reward,
        actions=2,
        types=np.tile([0, 0, 0, 1, 1], first.size),
        neighbours=graph_neighbours(edges, 5 * first.size, directed=True),
        scripts=np.tile(one, (first.size, 1)),
    )


def _situations(game: StageGame, model: TypeModel, agent: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All actions of the neighbours: their probability, the cell that is seen, the reward of every action."""
    around = game.graph.indices[game.graph.indptr[agent] : game.graph.indptr[agent + 1]]
    scripts = np.asarray(game.scripts)[around]
    if np.isnan(scripts).any():
        raise InputError(f"agent {agent} has neighbours that learn; exact rewards need neighbours with scripts")
    joint = np.array(list(itertools.product(range(game.actions), repeat=around.size)), dtype=np.int64)
    joint = joint.reshape(-1, around.size)
    chance = np.prod(scripts[np.arange(around.size), joint], axis=1)
    labels = model.labels(game.agents)
    seen = Coding.of(model, game.graph, labels, game.actions, game.learners).strides[labels[around], joint].sum(axis=1)
    paid = game.coding.strides[game.types[around], joint].sum(axis=1)
    return chance, seen, game.rewards[game.types[agent]][:, paid].T


def reward_of(game: StageGame, model: TypeModel, policy: np.ndarray, agent: int | None = None) -> float:
    """Expected reward of one stage, exactly: a policy (cells of the model, actions) against neighbours with scripts."""
    chance, seen, paid = _situations(game, model, int(game.learners[0]) if agent is None else agent)
    return float((chance[:, None] * policy[seen] * paid).sum())


def best_reward(game: StageGame, model: TypeModel, agent: int | None = None) -> float:
    """Largest expected reward of one stage of an agent that sees its neighbours through the type model:

    sum over cells c of max over a of sum over the neighbours' actions that look like c of their probability times r.
    """
    chance, seen, paid = _situations(game, model, int(game.learners[0]) if agent is None else agent)
    worth = np.zeros((int(seen.max()) + 1, game.actions))
    np.add.at(worth, seen, chance[:, None] * paid)
    return float(worth.max(axis=1).sum())


@dataclass(frozen=True)
class _Camps:
    """Reward of two camps, each of which likes its own spin around it and not the other's."""

    strength: float

    def __call__(self, kind: int, action: int, counts: np.ndarray) -> np.ndarray:
        spins = counts[:, :, 1] - counts[:, :, 0]
        together = spins[:, kind] - spins[:, 1 - kind]
        return np.asarray((2 * action - 1) * (0.5 * together + self.strength * (1 - 2 * kind)))


def two_camps(size: int = 12, field: float = 0.25, types: Any = None) -> StageGame:
    """Two types on a torus: an agent wants to act as its neighbours of its own type do, and not as the others do.

    r_i = (1/2) a_i (sum of a_j over neighbours of its type - sum over the others) + b a_i,

    with spins a = +-1, and b = ``field`` for type 0, -``field`` for type 1: an Ising model after turning all spins of
    one type (Mattis, doi:10.1016/0375-9601(76)90396-0).  The types come to behave in opposite ways.

    Parameters
    ----------
    size : of the torus, size x size agents
    field : b, reward
    types : of the agents, (size^2,) of 0 and 1; None alternates pairs along the rows
    """
    length, strength = whole(size, "size"), real(field, "field")
    torus = grid_neighbours(Grid.box((length, length), boundary="periodic"))
    if types is None:
        types = np.add.outer(np.arange(length), np.arange(length)).reshape(-1) // 2 % 2
    return StageGame(_Camps(strength), actions=2, types=np.asarray(types), neighbours=torus)
