"""Combine: agents replace what they hold by a weighted mean over their neighbours.

Agent k holds v_k (a table, parameters) and takes over

    v_k  <-  sum_l c_kl v_l,     C >= 0, zero off the graph, rows and columns sum to 1,

once or several times.  The mean over agents stays what it is, and the distance from it shrinks by |lambda_2| (C) at
least each time, if C is symmetric.  C = I is no communication, C = 11'/N the mean of all.

Source: the combination step of adapt-then-combine diffusion, Sayed, Adaptation, learning, and optimization over
networks (2014), doi:10.1561/2200000051; Metropolis weights: Xiao, Boyd and Kim, J. Parallel Distrib. Comput. 67 (2007),
doi:10.1016/j.jpdc.2006.08.010.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError, numbers, real, shown, unknown, whole
from mfgsolve.parts.graphs import graph, second_eigenvalue

__all__ = ["Combine", "disagreement"]

WEIGHTS = ("metropolis", "uniform")
ROUND_OFF = 1e-9  # up to which rows and columns sum to 1


@dataclass(frozen=True, eq=False)
class Combine:
    """Weighted means over a graph, see the module: ``combine(values, rng)``.

    Parameters
    ----------
    agents : N, how many hold something
    graph : who talks to whom, see `mfgsolve.parts.graphs.graph`: "none", "ring", "complete" (or "all"), "grid",
        "small-world", "random", a matrix, a graph of NetworkX.  None: whom the matrix ``weights`` links
    weights : "metropolis": c_kl = 1 / (1 + max(d_k, d_l)) with the degrees d of the two, "uniform": c_kl = 1 / (1 + the
        largest degree of all), the same for every link, both with the rest of a row on the diagonal; or a matrix (N, N)
    rounds : how often in a row
    failure : probability that a link is down in a round, each by itself; what it would have carried stays where it is
        on both sides, so that C remains doubly stochastic
    connected : whether a graph that falls into parts is refused
    seed : of a graph that is drawn at random

    Attributes
    ----------
    links : the graph, (N, N), sparse
    matrix : C with all links up, (N, N), sparse
    second_eigenvalue : |lambda_2| of C with all links up, of a single round

    Raises
    ------
    InputError

    Examples
    --------
    >>> import numpy as np
    >>> combine = Combine(4, "ring")
    >>> combine(np.array([0.0, 3.0, 6.0, 3.0]))
    array([2., 3., 4., 3.])
    >>> round(combine.second_eigenvalue, 6)
    0.333333
    """

    agents: int
    graph: Any = None
    weights: Any = "metropolis"
    rounds: int = 1
    failure: float = 0.0
    connected: bool = True
    seed: int = 0
    links: sparse.csr_array = field(init=False, repr=False)
    matrix: sparse.csr_array = field(init=False, repr=False)
    second_eigenvalue: float = field(init=False, repr=False)
    _is_mean: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for what in ("agents", "rounds", "seed"):
            object.__setattr__(self, what, whole(getattr(self, what), f"{what} of Combine"))
        if self.rounds < 1:
            raise InputError(f"rounds of Combine is {self.rounds}; a whole number of at least 1 is needed")
        if not 0 <= real(self.failure, "failure of Combine") <= 1:
            raise InputError(f"failure of Combine is {self.failure}; a probability from 0 to 1 is needed")
        named = isinstance(self.weights, str)
        if named and self.weights not in WEIGHTS:
            raise InputError(unknown("weights of Combine", self.weights, WEIGHTS) + ", or a matrix")
        if named and self.graph is None:
            raise InputError("Combine has neither a graph nor a matrix of weights; name a graph, say 'ring'")
        own = None if named else _own_weights(self.weights, self.agents)
        asked = (abs(own) + abs(own).T) if self.graph is None and own is not None else self.graph
        links = graph(asked, self.agents, self.seed, self.connected)
        matrix = _named_weights(links, str(self.weights)) if own is None else _checked(own, links)
        if self.failure > 0 and abs(matrix - matrix.T).max() > ROUND_OFF:
            raise InputError(
                "weights of Combine are not symmetric, and links fail: what a lost link leaves could not stay on both "
                "sides; give symmetric weights, or failure=0"
            )
        entries = {"links": links, "matrix": matrix, "second_eigenvalue": second_eigenvalue(matrix)}
        entries["_is_mean"] = matrix.nnz == matrix.shape[0] ** 2 and bool(np.ptp(matrix.data) < 1e-15)
        for name, value in entries.items():
            object.__setattr__(self, name, value)

    def __call__(self, values: Any, rng: np.random.Generator | None = None) -> np.ndarray:
        """Values (N, ...) after all rounds, a new array; ``rng`` decides which links fail.

        Where nobody talks they come back bit for bit; where C = 11'/N all rows are alike, bit for bit.
        """
        held = numbers(values, "values to combine")
        if held.ndim == 0 or held.shape[0] != self.agents:
            raise InputError(f"values to combine have shape {held.shape}; a row for each of {self.agents} agents is "
                             "needed")  # fmt: skip
        if self.links.nnz == 0:
            return held.copy()
        if self._is_mean and self.failure == 0:
            return np.broadcast_to(held.mean(axis=0), held.shape).copy()
        rows = held.reshape(self.agents, -1)
        for _ in range(self.rounds):
            rows = self.drawn(rng) @ rows
        return np.asarray(rows.reshape(held.shape))

    def drawn(self, rng: np.random.Generator | None = None) -> sparse.csr_array:
        """C of one round, (N, N): with the links that do not fail in it."""
        if self.failure == 0:
            return self.matrix
        if not isinstance(rng, np.random.Generator):
            raise InputError(
                f"rng is {shown(rng)} and links fail; a numpy.random.Generator is needed, say "
                "numpy.random.default_rng(0)"
            )
        upper = sparse.coo_array(sparse.triu(self.matrix, 1))
        up = rng.random(upper.nnz) >= self.failure
        return _balanced(upper.row[up], upper.col[up], upper.data[up], self.agents)


def disagreement(values: Any) -> float:
    """How far agents are from each other: sqrt of the mean over agents of |v_k - mean v|^2, v of shape (N, ...)."""
    held = numbers(values, "values of the agents")
    if held.ndim == 0 or held.shape[0] == 0:
        raise InputError(f"values of the agents have shape {held.shape}; a row for each agent is needed")
    apart = (held - held.mean(axis=0)).reshape(held.shape[0], -1)
    return float(np.sqrt(np.einsum("ka,ka->", apart, apart) / held.shape[0]))


def _named_weights(links: sparse.csr_array, name: str) -> sparse.csr_array:
    agents, degree = links.shape[0], np.diff(links.indptr)
    upper = sparse.coo_array(sparse.triu(links, 1))
    if name == "metropolis":
        share = 1.0 / (1.0 + np.maximum(degree[upper.row], degree[upper.col]))
    else:
        share = np.full(upper.nnz, 1.0 / (1.0 + degree.max(initial=0)))
    if upper.nnz and upper.nnz == agents * (agents - 1) // 2:  # everybody hears everybody: 11'/N to the last bit
        return sparse.csr_array(np.full((agents, agents), 1.0 / agents))
    return _balanced(upper.row, upper.col, share, agents)


def _balanced(tails: np.ndarray, heads: np.ndarray, share: np.ndarray, agents: int) -> sparse.csr_array:
    """Symmetric weights of these links, with what is left to 1 on the diagonal."""
    left = 1.0 - np.bincount(tails, share, agents) - np.bincount(heads, share, agents)
    index = np.arange(agents)
    rows, columns = np.concatenate([tails, heads, index]), np.concatenate([heads, tails, index])
    data = np.concatenate([share, share, np.maximum(left, 0.0)])  # below 0 by round-off alone
    return sparse.csr_array(sparse.coo_array((data, (rows, columns)), shape=(agents, agents)))


def _own_weights(given: Any, agents: int) -> sparse.csr_array:
    is_sparse: bool = sparse.issparse(given)
    if not (is_sparse or isinstance(given, np.ndarray | list | tuple)):
        raise InputError(
            f"weights of Combine is {shown(given)} ({type(given).__name__}); 'metropolis', 'uniform' or a matrix is "
            "needed"
        )
    plain = given.toarray() if is_sparse else given
    array = numbers(plain, "weights of Combine")
    if array.shape != (agents, agents):
        raise InputError(f"weights of Combine have shape {array.shape}; ({agents}, {agents}) is needed")
    if not np.isfinite(array).all():
        raise InputError("weights of Combine have entries that are not finite")
    if array.min() < 0:
        k, j = np.unravel_index(int(array.argmin()), array.shape)
        raise InputError(f"weights of Combine are {array[k, j]:g} at ({k}, {j}); none below 0 is possible")
    return sparse.csr_array(array)


def _checked(weights: sparse.csr_array, links: sparse.csr_array) -> sparse.csr_array:
    """Weights of the user's own: zero off the graph, rows and columns sum to 1."""
    stray = sparse.coo_array(weights - weights.multiply(links + sparse.eye_array(links.shape[0])))
    stray.eliminate_zeros()
    if stray.nnz:
        k, j = int(stray.row[0]), int(stray.col[0])
        raise InputError(f"weights of Combine are {weights[k, j]:g} at ({k}, {j}), where the graph has no link")
    for what, axis in (("row", 1), ("column", 0)):
        sums = np.asarray(weights.sum(axis=axis)).reshape(-1)
        worst = int(np.abs(sums - 1).argmax())
        if abs(sums[worst] - 1) > ROUND_OFF:
            raise InputError(
                f"weights of Combine sum to {sums[worst]:.9g} in {what} {worst}; rows and columns sum to 1, or the "
                "mean over agents would drift"
            )
    return weights
