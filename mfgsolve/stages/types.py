"""Types of agents: which of its neighbours a learner tells apart, and how their actions become one number.

A type model is a part of a learner: `NoMeanAction` (independent learning: neighbours are not seen), `OneType` (one mean
action, Yang et al., ICML 2018, arXiv 1802.05438), `KnownTypes` and `DiscoveredTypes` (a mean action per type,
Ganapathi Subramanian et al., AAMAS 2020, arXiv 2002.02513).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment

from mfgsolve.errors import InputError, whole
from mfgsolve.interop.peers import required

__all__ = [
    "Coding",
    "Deviations",
    "DiscoveredTypes",
    "KnownTypes",
    "NoMeanAction",
    "OneType",
    "TypeModel",
    "adjusted_rand_index",
    "align",
    "deviations",
]

LARGEST = 1 << 40  # cells; tables are refused long before


@dataclass(frozen=True)
class TypeModel:
    """What a learner takes its neighbours for; ``count`` types, ``sees`` says whether it looks at them at all."""

    @property
    def count(self) -> int:
        return 1

    @property
    def sees(self) -> bool:
        return True

    def labels(self, agents: int) -> np.ndarray:
        """The type of every agent before anything has been played, (agents,) int64."""
        return np.zeros(agents, dtype=np.int64)


@dataclass(frozen=True)
class NoMeanAction(TypeModel):
    """Neighbours are not seen: Q(s, a), independent learning."""

    @property
    def sees(self) -> bool:
        return False


@dataclass(frozen=True)
class OneType(TypeModel):
    """All neighbours are alike: Q(s, a, abar)."""


@dataclass(frozen=True, eq=False)
class KnownTypes(TypeModel):
    """The type of every agent is known: Q(s, a, abar_1, ..., abar_M).

    Parameters
    ----------
    of : type of every agent, whole numbers from 0, (agents,)
    """

    of: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", type_labels(self.of, "KnownTypes: of"))

    @property
    def count(self) -> int:
        return int(self.of.max()) + 1

    def labels(self, agents: int) -> np.ndarray:
        if self.of.size != agents:
            raise InputError(f"KnownTypes has types of {self.of.size} agents, the game has {agents}; give one for each")
        return self.of.copy()


@dataclass(frozen=True)
class DiscoveredTypes(TypeModel):
    """Types found in behaviour: K-means on how often every agent took each action in the last window.

    Agents start as one type.  After every ``window`` stages the frequencies of one-hot actions are clustered
    (scikit-learn, extra ``learners``), and the clusters take the names that agree with most agents' types so far (a
    linear assignment), so that a type keeps its tables.

    Parameters
    ----------
    types : how many
    window : stages between two clusterings
    """

    types: int
    window: int = 100

    def __post_init__(self) -> None:
        for name in ("types", "window"):
            number = whole(getattr(self, name), f"DiscoveredTypes: {name}")
            if number < 1:
                raise InputError(f"DiscoveredTypes: {name} is {number}; it must be at least 1")
            object.__setattr__(self, name, number)

    @property
    def count(self) -> int:
        return self.types

    def labels(self, agents: int) -> np.ndarray:
        if self.types > agents:
            raise InputError(f"DiscoveredTypes asks for {self.types} types of {agents} agents; ask for fewer types")
        return super().labels(agents)

    def discover(self, frequencies: np.ndarray, before: np.ndarray, seed: int) -> np.ndarray:
        """Types of the agents from their frequencies (agents, features), named as close to ``before`` as can be.

        Where fewer agents differ in behaviour than there are types, nothing can be told, and ``before`` stays.
        """
        if np.unique(frequencies, axis=0).shape[0] < self.types:
            return before.copy()
        cluster = required("sklearn.cluster", "scikit-learn", "learners")
        means = cluster.KMeans(self.types, n_init=4, random_state=seed).fit(frequencies)
        return align(np.asarray(means.labels_, dtype=np.int64), before, self.types)


def type_labels(of: object, what: str) -> np.ndarray:
    array = np.asarray(of)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu" or array.min() < 0:
        raise InputError(f"{what} has shape {array.shape} and {array.dtype}; whole numbers from 0 are needed")
    if int(array.max()) >= array.size:
        raise InputError(f"{what} names type {array.max()}, but there are {array.size} agents; number the types from 0")
    return array.astype(np.int64)


def align(labels: np.ndarray, before: np.ndarray, count: int) -> np.ndarray:
    """The same clusters under the names p that most agents keep: max over p of #{i: p(labels_i) = before_i}."""
    agree = np.zeros((count, count), dtype=np.int64)
    np.add.at(agree, (labels, before), 1)
    rows, columns = linear_sum_assignment(-agree)
    names = np.empty(count, dtype=np.int64)
    names[rows] = columns
    return names[labels]


def adjusted_rand_index(one: np.ndarray, other: np.ndarray) -> float:
    """Agreement of two clusterings: 1 the same up to names, 0 on average for independent ones (Hubert and Arabie 1985).

    doi:10.1007/BF01908075
    """
    table = np.zeros((int(one.max()) + 1, int(other.max()) + 1))
    np.add.at(table, (one, other), 1.0)

    def pairs(n: np.ndarray) -> float:
        return float((n * (n - 1.0) / 2.0).sum())

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    everything = pairs(np.array([float(one.size)]))
    chance = rows * columns / everything if everything else 0.0
    most = (rows + columns) / 2.0
    return 1.0 if most == chance else (both - chance) / (most - chance)


@dataclass(frozen=True, eq=False)
class Coding:
    """Mean actions per type as one whole number, the ``cell`` of a table.

    cell(i) = sum over neighbours j of strides[type of j, action of j]: a mixed-radix number whose digits count the
    neighbours of every type that took every action.  A type of which all agents have equally many neighbours needs no
    digit for its last action.  For an agent with a fixed number of neighbours of each type, counts and mean actions
    say the same.  Where an agent has no neighbour of a type, the mean action of that type is undefined
    (`mfgsolve.stages.neighbourhoods.mean_actions` gives NaN), its counts are zero, and the cell with zero counts is
    that of no such neighbour.

    strides : (types, actions) int64
    most : most neighbours of each type that an agent has, (types,)
    implied : types whose last action has no digit, (types,) bool
    size : number of cells
    """

    strides: np.ndarray
    most: np.ndarray
    implied: np.ndarray
    size: int

    @classmethod
    def of(
        cls, model: TypeModel, neighbours: sp.csr_array, labels: np.ndarray, actions: int, who: np.ndarray
    ) -> Coding:
        """The digits that the agents ``who`` need."""
        count = model.count
        if not model.sees:
            blind = np.zeros((1, actions), dtype=np.int64)
            return cls(blind, np.zeros(1, dtype=np.int64), np.ones(1, dtype=bool), 1)
        if isinstance(model, DiscoveredTypes) and count > 1:  # anybody may come to be of any type
            numbers = np.repeat(np.diff(neighbours.indptr)[who].max(initial=0), count)
            return cls._digits(numbers, np.zeros(count, dtype=bool), actions)
        degree = np.asarray(neighbours @ np.eye(count)[labels]).astype(np.int64)[who]
        return cls._digits(degree.max(axis=0), (degree == degree[:1]).all(axis=0), actions)

    @classmethod
    def _digits(cls, most: np.ndarray, implied: np.ndarray, actions: int) -> Coding:
        strides = np.zeros((most.size, actions), dtype=np.int64)
        size = 1
        for m in range(most.size):
            for a in range(actions - int(implied[m])):
                strides[m, a] = size
                size *= int(most[m]) + 1
                if size > LARGEST:
                    raise InputError(
                        f"the counts of {actions} actions among up to {most.tolist()} neighbours per type have "
                        f"more than {LARGEST} values; take fewer types or smaller neighbourhoods"
                    )
        return cls(strides, np.asarray(most, dtype=np.int64), implied, size)

    def cells(self, neighbours: sp.csr_array, types: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """What every agent sees, (agents,) int64."""
        return np.asarray(neighbours @ self.strides[types, actions]).astype(np.int64)

    def counts(self) -> np.ndarray:
        """Neighbours of every type at every action, for every cell, (cells, types, actions); negative: no such cell."""
        cells = np.arange(self.size)[:, None, None]
        digits = np.where(self.strides > 0, cells // np.maximum(self.strides, 1) % (self.most + 1)[:, None], 0)
        digits[:, self.implied, -1] = (self.most - digits.sum(axis=2))[:, self.implied]
        digits[(digits.sum(axis=2) > self.most).any(axis=1)] = -1
        return digits


@dataclass(frozen=True)
class Deviations:
    """How far agents are from the mean actions that stand for them: means over the N agents, Euclidean norms.

    one_type : (1/N) sum over k of |a_k - abar|
    typed : (1/N) sum over k of |a_k - abar_m(k)|
    typed_bound : sum over m of (N_m / N) eps_m
    one_type_bound : sum over m of (N_m / N) (eps_m + |abar_m - abar|)
    """

    one_type: float
    typed: float
    typed_bound: float
    one_type_bound: float


def deviations(actions: np.ndarray, types: np.ndarray, many: int, within: np.ndarray | None = None) -> Deviations:
    """The deviations of one-hot actions from mean actions, and their bounds.

    With eps_m a bound of the mean deviation inside type m, (1/N_m) sum over its agents of |a_k - abar_m| <= eps_m, the
    triangle inequality gives both bounds: types taken for one pay the distance of the types' means on top.  (The
    paper's Theorems 3.1 and 3.2 state them for two types.)

    Parameters
    ----------
    actions, types : of every agent, (agents,)
    many : number of actions
    within : eps_m, (types,); None takes the deviations themselves, so that the typed bound is attained

    Source: Ganapathi Subramanian et al., AAMAS 2020, arXiv 2002.02513, section 3.
    """
    hot = np.eye(many)[actions]
    share = np.bincount(types) / types.size
    middle = hot.mean(axis=0)
    means = np.zeros((share.size, many))
    np.add.at(means, types, hot)
    means /= np.maximum(share * types.size, 1.0)[:, None]
    apart = np.linalg.norm(hot - means[types], axis=1)
    if within is None:
        within = np.bincount(types, apart) / np.maximum(share * types.size, 1.0)
    bound = float(share @ within)
    between = float(share @ np.linalg.norm(means - middle, axis=1))
    one = float(np.linalg.norm(hot - middle, axis=1).mean())
    return Deviations(one, float(apart.mean()), bound, bound + between)
