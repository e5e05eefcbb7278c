"""What a policy comes to in the long run: values and laws as linear equations in its transitions P.

    value    v = cost + b P v             b < 1; of an ergodic chain v + g = cost + P v, with the gain g of every state
    law      m = k P^T m + (1 - k) m_0    k < 1; of an ergodic chain m = P^T m, one for each closed class

Both by one factorisation, or for few states by an elimination that subtracts nothing.  Populations do not meet in P:
each has equations of its own (`LongRun`).

Puterman, Markov Decision Processes, doi:10.1002/9780470316887.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import scipy
from scipy import sparse

from mfgsolve.steps.matrix import Chances

__all__ = ["Fixed", "Leaving", "LongRun"]

LEAST = 1e-150  # of a chance to leave, below which it is no number any more
NEVER = 1e-14  # and that values cannot tell from 0
FEW = 64  # states up to which values are found by elimination, which no policy is too near to dividing for
LOOKS = 100  # steps of the chain that tell where agents often come by
SMALL = 256  # states up to which a dense factorisation is the faster one


class LongRun:
    """The equations of all populations under one policy.

    Parameters
    ----------
    chances : P (states, states) of all populations in a row
    factor, keeps : b and k; where one is 1 its equations are those of an ergodic chain
    free : the open cells
    populations : how many there are
    """

    def __init__(self, chances: Chances, factor: float, keeps: float, free: np.ndarray, populations: int):
        size = len(free) // populations
        own = [slice(p * size, (p + 1) * size) for p in range(populations)]
        self.parts = [(part, Fixed(chances[part][:, part], factor, keeps, free[part])) for part in own]

    def solve(self, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """v = cost + b P v, and the gain of every state."""
        right, value, gain = cost.reshape(-1), np.empty(cost.size), np.empty(cost.size)
        for own, fixed in self.parts:
            value[own], gain[own] = fixed.solve(right[own])
        return value.reshape(cost.shape), gain.reshape(cost.shape)

    def law(self, initial: np.ndarray) -> np.ndarray:
        """m = k P^T m + (1 - k) m_0, of mass 1 in each population."""
        return self._each(initial, lambda fixed, part: fixed.law(part))

    def push(self, mass: np.ndarray) -> np.ndarray:
        """P^T m: where a mass lands."""
        return self._each(mass, lambda fixed, part: np.asarray(fixed.chances.T @ part))

    def spread(self, source: np.ndarray) -> np.ndarray:
        """m = k P^T m + source; of an invariant law (the source sums to 0) m of sum 0."""
        return self._each(source, lambda fixed, part: fixed.spread(part))

    @property
    def closed(self) -> list[list[np.ndarray]]:
        """Of each population, the states of every class that nobody leaves."""
        return [fixed.closed for _, fixed in self.parts]

    def _each(self, level: np.ndarray, of: Callable[[Fixed, np.ndarray], np.ndarray]) -> np.ndarray:
        flat, out = level.reshape(-1), np.empty(level.size)
        for own, fixed in self.parts:
            out[own] = of(fixed, flat[own])
        return out.reshape(level.shape)


class Fixed:
    """I - b P and I - k P^T of one policy and one population, factored when first used.

    Parameters
    ----------
    chances : P
    factor, keeps : b and k; where one is 1 its equations are those of an ergodic chain
    free : the open cells
    """

    def __init__(self, chances: Chances, factor: float, keeps: float, free: np.ndarray):
        self.chances, self.factor, self.keeps, self.free = chances, factor, keeps, free
        self.cells = chances.shape[0]

    def solve(self, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """v = cost + b P v; of an ergodic chain v + g = cost + P v, with the gain g of every state."""
        right = cost.reshape(-1)
        if self.factor < 1.0:
            return self._values.solve(right).reshape(cost.shape), np.zeros(cost.shape)
        labels, closed = self._classes
        if len(closed) == 1 and self.cells > FEW:
            value, gain = self._of_one_class(right)
            return value.reshape(cost.shape), gain.reshape(cost.shape)
        laws = {each: self._stationary(labels == each) for each in closed}
        cheapest = min(closed, key=lambda each: float(laws[each] @ right[labels == each]))
        first = int(np.flatnonzero(labels == cheapest)[laws[cheapest].argmax()])  # elsewhere agents hardly come by
        if self.cells <= FEW:
            order = np.append(first, np.delete(np.flatnonzero(self.free), np.flatnonzero(self.free) == first))
            part = self._part_at(order)
            value, gain = np.zeros(self.cells), np.zeros(self.cells)
            value[order], gain[order] = _averaged(part, right[order])
            return value.reshape(cost.shape), gain.reshape(cost.shape)
        gain = np.full(self.cells, laws[cheapest] @ right[labels == cheapest])
        value = self._pinned.solve(np.where(self._pins, 0.0, right - gain))
        return value.reshape(cost.shape), gain.reshape(cost.shape)

    def _of_one_class(self, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """v, 0 in a state that all come back to, and the gain, the same for all: its mean cost from visit to visit."""
        pins = self._pins
        costs, clock = (self._pinned.solve(np.where(pins, 0.0, each)) for each in (right, np.ones(self.cells)))
        first = int(np.flatnonzero(pins & self.free)[0])
        row = self._row(first)
        with np.errstate(all="ignore"):  # of a chain that hardly ever comes back
            gain = float((right[first] + row @ costs) / (1.0 + row @ clock))
        return costs - gain * clock, np.full(self.cells, gain)

    def law(self, initial: np.ndarray) -> np.ndarray:
        """m = k P^T m + (1 - k) m_0, of mass 1."""
        if self.keeps < 1.0:
            right = (1.0 - self.keeps) * initial.reshape(-1)
            factored = self._values if self.keeps == self.factor else self._laws
            law = factored.transposed(right)  # what k near 1 costs in digits is along the law: a factor
            return (law * (initial.sum() / law.sum())).reshape(initial.shape)
        labels, closed = self._classes
        out, start = np.zeros(self.cells), initial.reshape(-1)
        shares = self._absorbed(start) if len(closed) > 1 else [1.0]
        for each, share in zip(closed, shares, strict=True):
            members = labels == each
            out[members] = share * self._stationary(members)
        return out.reshape(initial.shape)

    def _absorbed(self, start: np.ndarray) -> list[float]:
        """The share of agents that end in each closed class."""
        labels, closed = self._classes
        loose = ~np.isin(labels, closed) & self.free
        reached = start.copy()
        if loose.any():
            visits = _Factored(_identity_less(self._part(loose, loose), 1.0)).transposed(start[loose])
            reached[~loose] += self._part(loose, ~loose).T @ visits
        shares = np.array([reached[labels == each].sum() for each in closed])
        return list(shares / shares.sum())

    @property
    def closed(self) -> list[np.ndarray]:
        """States of each class that nobody leaves; there is one law where there is one such class."""
        labels, closed = self._classes
        return [np.flatnonzero(labels == each) for each in closed]

    def spread(self, source: np.ndarray) -> np.ndarray:
        """m = k P^T m + source; of an invariant law (the source sums to 0) m of sum 0."""
        right = source.reshape(-1)
        if self.keeps < 1.0:
            factored = self._values if self.keeps == self.factor else self._laws
            return factored.transposed(right).reshape(source.shape)
        # (I - P^T) m = source with the pinned matrix: one row of its transpose is a unit, and the law fills the rest
        labels, closed = self._classes
        m = self._pinned.transposed(right)
        m[self._pins] = 0.0
        for each in closed:
            members = labels == each
            m[members] -= self._stationary(members) * m.sum() / len(closed)
        return m.reshape(source.shape)

    # -- factorisations ----------------------------------------------------------------------------------------

    @property
    def _values(self) -> _Factored:
        return self._kept("values", lambda: _identity_less(self.chances, self.factor))

    @property
    def _laws(self) -> _Factored:
        return self._kept("laws", lambda: _identity_less(self.chances, self.keeps))

    @property
    def _pinned(self) -> _Factored:
        """I - P, whose row of one state of each closed class is that of the identity: there v = 0."""

        def matrix() -> Chances:
            keep = np.where(self._pins, 0.0, 1.0)
            rows = self.chances * keep[:, None] if isinstance(self.chances, np.ndarray) else (
                sparse.diags_array(keep) @ self.chances)  # fmt: skip
            return _identity_less(rows, 1.0)

        return self._kept("pinned", matrix)

    def _kept(self, name: str, matrix: Any) -> _Factored:
        made: dict[str, _Factored] = self.__dict__.setdefault("_made", {})
        if name not in made:
            made[name] = _Factored(matrix())
        return made[name]

    @property
    def _classes(self) -> tuple[np.ndarray, list[int]]:
        """Number of the class of each state, and the closed classes with an open cell."""
        if "_labels" not in self.__dict__:
            from scipy.sparse.csgraph import connected_components

            graph = sparse.csr_array(self.chances)
            graph.data = np.where(graph.data > 0, 1.0, 0.0)
            graph.eliminate_zeros()
            _, labels = connected_components(graph, directed=True, connection="strong")
            row = np.repeat(labels, np.diff(graph.indptr))
            leaves = np.unique(row[row != labels[graph.indices]])
            closed = [int(each) for each in np.unique(labels[self.free]) if each not in set(leaves.tolist())]
            self._labels = labels, closed
        return self._labels

    @property
    def _pins(self) -> np.ndarray:
        """One state of each closed class, and all blocked cells."""
        labels, closed = self._classes
        pins = ~self.free
        for each in closed:
            pins[self._pin_of(labels == each)] = True
        return np.asarray(pins)

    def _pin_of(self, members: np.ndarray) -> int:
        """A state of a class where agents often come by: equations pinned elsewhere lose digits."""
        if "_visits" not in self.__dict__:
            visits = self.free / self.free.sum()
            for _ in range(LOOKS):
                visits = 0.5 * (visits + self.chances.T @ visits)  # however the chain turns round
            self._visits = visits
        return int(np.flatnonzero(members)[self._visits[members].argmax()])

    def _row(self, state: int) -> np.ndarray:
        """Where agents of a state go."""
        row = self.chances[[state]]
        return np.ravel(row if isinstance(row, np.ndarray) else row.toarray())

    def _part_at(self, order: np.ndarray) -> np.ndarray:
        """The chances among these states, in their order, as an array."""
        part = self.chances[order][:, order]
        return part if isinstance(part, np.ndarray) else part.toarray()

    def _part(self, rows: np.ndarray, columns: np.ndarray) -> Chances:
        return self.chances[np.flatnonzero(rows)][:, np.flatnonzero(columns)]

    def _stationary(self, members: np.ndarray) -> np.ndarray:
        """The law of a closed class: by elimination, or by a linear solve whose first state has mass 1."""
        laws: dict[int, np.ndarray] = self.__dict__.setdefault("_stationaries", {})
        first = int(np.flatnonzero(members)[0])
        if first not in laws:
            size = int(members.sum())
            law = np.ones(size)
            if 1 < size <= SMALL:
                part = self._part(members, members)
                law = _eliminated(part if isinstance(part, np.ndarray) else part.toarray())
            elif size > 1:  # what comes by from visit to visit of the pinned state
                law = self._pinned.transposed(self._row(self._pin_of(members)))[members]
            laws[first] = law / law.sum()
        return laws[first]


class Leaving:
    """I - b Q and its transpose, Q the chances from the cells inside to each other.

    Parameters
    ----------
    chances : P of all populations in a row
    factor : b
    inside : the cells where an agent has not left
    trapped : those of them from which it never does
    """

    def __init__(self, chances: Chances, factor: float, inside: np.ndarray, trapped: np.ndarray):
        self.chances, self.factor, self.inside, self.trapped = chances, factor, inside, trapped

    @cached_property
    def _factored(self) -> _Factored:
        keep = np.where(self.inside & ~(self.trapped & (self.factor == 1.0)), 1.0, 0.0)
        rows = self.chances * keep[:, None] if isinstance(self.chances, np.ndarray) else (
            sparse.diags_array(keep) @ self.chances)  # fmt: skip
        return _Factored(_identity_less(rows, self.factor))

    def solve(self, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """v = cost + b Q v; and no gain."""
        return self._factored.solve(cost.reshape(-1)).reshape(cost.shape), np.zeros(cost.shape)

    def law(self, born: np.ndarray) -> np.ndarray:
        """m = born + Q^T m, where those stay that have come out."""
        return np.maximum(self.spread(born), 0.0)  # round-off of an empty cell

    def spread(self, source: np.ndarray) -> np.ndarray:
        """The same, of any sign."""
        return self._factored.transposed(source.reshape(-1)).reshape(source.shape)

    @cached_property
    def longest(self) -> float:
        """The largest mean number of steps until an agent leaves, of all cells inside."""
        return float(self._factored.solve(self.inside.astype(float)).max())

    def lost(self, born: np.ndarray) -> np.ndarray:
        """Boolean (cells,): those that are trapped, if agents come there; else none."""
        if not self.trapped.any():
            return self.trapped
        come = self.spread(born).reshape(-1)[self.trapped] > 0
        return self.trapped & come.any()


def _eliminated(chances: np.ndarray) -> np.ndarray:
    """The law of an irreducible chain, state by state as accurate as its chances: nothing is subtracted (Grassmann,
    Taksar and Heyman 1985, doi:10.1287/opre.33.5.1107)."""
    p, size = np.array(chances), len(chances)
    for k in range(size - 1, 0, -1):
        p[:k, k] /= max(p[k, :k].sum(), LEAST)
        p[:k, :k] += p[:k, k, None] * p[k, :k]
    law = np.ones(size)
    for k in range(1, size):
        law[k] = law[:k] @ p[:k, k]
        law[: k + 1] /= law[: k + 1].max()
    return law


def _averaged(chances: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, float]:
    """v, with v = 0 in the first state, and rho of v + rho = cost + P v, by the same elimination: chances to leave a
    state are sums of chances, never 1 less the chance to stay.  Every state leads to the first one."""
    p, size = np.array(chances), len(cost)
    right, clock, leaves = np.array(cost, dtype=float), np.ones(size), np.ones(size)
    for k in range(size - 1, 0, -1):
        leaves[k] = max(p[k, :k].sum(), NEVER)
        p[:k, k] /= leaves[k]
        p[:k, :k] += p[:k, k, None] * p[k, :k]
        right[:k] += p[:k, k] * right[k]
        clock[:k] += p[:k, k] * clock[k]
    rho = right[0] / clock[0]
    value = np.zeros(size)
    for k in range(1, size):
        value[k] = (right[k] - rho * clock[k] + p[k, :k] @ value[:k]) / leaves[k]
    return value, float(rho)


def _identity_less(chances: Chances, factor: float) -> Chances:
    if isinstance(chances, np.ndarray):
        return np.eye(len(chances)) - factor * chances
    return sparse.csc_array(sparse.eye_array(chances.shape[0]) - factor * chances)


class _Factored:
    """A matrix and its factors, sparse or dense, and both solves with one step of refinement."""

    def __init__(self, matrix: Chances):
        self.factors: Any
        self.dense = isinstance(matrix, np.ndarray) or matrix.shape[0] <= SMALL
        self.matrix = matrix.toarray() if self.dense and not isinstance(matrix, np.ndarray) else matrix
        if self.dense:
            self.factors = scipy.linalg.lu_factor(self.matrix)
        else:  # an M-matrix: pivots on the diagonal are safe, and so is an order that knows its pattern only
            from scipy.sparse.linalg import splu

            self.factors = splu(
                sparse.csc_matrix(self.matrix), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
                options={"SymmetricMode": True},
            )  # fmt: skip

    def solve(self, right: np.ndarray) -> np.ndarray:
        x = self._raw(right, False)
        return np.asarray(x + self._raw(right - self.matrix @ x, False))

    def transposed(self, right: np.ndarray) -> np.ndarray:
        x = self._raw(right, True)
        return np.asarray(x + self._raw(right - self.matrix.T @ x, True))

    def _raw(self, right: np.ndarray, transpose: bool) -> np.ndarray:
        if self.dense:
            return np.asarray(scipy.linalg.lu_solve(self.factors, right, trans=1 if transpose else 0))
        return np.asarray(self.factors.solve(right, trans="T" if transpose else "N"))
