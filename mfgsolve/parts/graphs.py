"""Who talks to whom: graphs of agents, from a matrix, a graph of NetworkX, or a name.

A graph is a symmetric sparse matrix (agents, agents) of ones without a diagonal.  Two of the named ones are drawn at
random, by NetworkX, which comes with ``pip install "mfgsolve[graphs]"``.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, eigsh

from mfgsolve.errors import InputError, numbers, shown, unknown, whole
from mfgsolve.interop.peers import required

__all__ = ["GRAPHS", "graph", "link_text", "second_eigenvalue", "within"]

GRAPHS = ("none", "ring", "complete", "all", "grid", "small-world", "random")
LINKS = re.compile(r"\s*\d{1,9}-\d{1,9}([\s,]+\d{1,9}-\d{1,9})*\s*")  # "0-1 1-2"
DEGREE = 4  # neighbours of an agent in a small world, and on the mean in a small random graph
REWIRED = 0.1  # probability that a link of a small world leads elsewhere
TRIES = 1000  # draws of a random graph until one is connected
NAMED = 10  # agents that a message names
DENSE = 1500  # agents up to which all eigenvalues are found at once


def graph(spec: Any, agents: int, rng: Any = None, connected: bool = True) -> sparse.csr_array:
    """The graph of so many agents that ``spec`` says.

    Parameters
    ----------
    spec : a name; or the links as a text, "0-1 1-2 2-0"; or a symmetric matrix (agents, agents), sparse or of NumPy,
        in which anything but 0 is a link (its diagonal does not count); or an undirected graph of NetworkX, whose
        nodes are the agents: by their numbers if these are 0, 1, ..., else in their order.  The names are

        - "none": nobody talks to anybody
        - "ring": agent k to k - 1 and k + 1
        - "complete" or "all": everybody to everybody
        - "grid": rows of ceil(sqrt(agents)) agents below each other, the last one as long as there are agents left
        - "small-world": a ring with two neighbours on each side, a tenth of whose links lead elsewhere (Watts and
          Strogatz, Nature 393, 1998, doi:10.1038/30918), connected
        - "random": one of the connected graphs with max(4, 2 log(agents)) neighbours on the mean, all alike (Erdos and
          Renyi, Publ. Math. Debrecen 6, 1959)
    agents : how many there are
    rng : seed, or `numpy.random.Generator`, of the random ones; None is the seed 0
    connected : whether a graph that falls into parts is refused; "none" is what it says and never refused

    Returns
    -------
    scipy.sparse.csr_array
        (agents, agents), symmetric, 1 for a link

    Raises
    ------
    InputError

    Examples
    --------
    >>> graph("ring", 4).toarray().astype(int)
    array([[0, 1, 0, 1],
           [1, 0, 1, 0],
           [0, 1, 0, 1],
           [1, 0, 1, 0]])
    """
    count = whole(agents, "number of agents")
    if count < 1:
        raise InputError(f"number of agents is {count}; at least 1 is needed")
    if isinstance(spec, str):
        found = _of_text(spec, count) if LINKS.fullmatch(spec) else _named(spec, count, rng)
    elif all(hasattr(spec, name) for name in ("nodes", "edges", "is_directed")):
        found = _of_networkx(spec)
    else:
        found = _of_matrix(spec)
    if found.shape[0] != count:
        raise InputError(f"the graph is one of {found.shape[0]} agents; there are {count}")
    if connected and not (isinstance(spec, str) and spec == "none"):
        _check_connected(found)
    return found


def link_text(links: Any) -> str:
    """The links of a graph as a text, which `graph` reads: "0-1 1-2"; "none" where there are none."""
    upper = sparse.coo_array(sparse.triu(links, 1))
    return " ".join(f"{k}-{j}" for k, j in zip(upper.row, upper.col, strict=True)) or "none"


def within(links: Any, hops: int) -> sparse.csr_array:
    """Who can be reached by at most so many links, oneself included: (agents, agents), 1 for yes.

    Examples
    --------
    >>> within(graph("ring", 7), 2).sum(axis=1)
    array([5., 5., 5., 5., 5., 5., 5.])
    """
    reach = whole(hops, "hops")
    if reach < 0:
        raise InputError(f"hops is {reach}; 0 (oneself alone) or more are needed")
    one = _pattern(sparse.csr_array(links) + sparse.eye_array(links.shape[0]))
    result: sparse.csr_array = sparse.csr_array(sparse.eye_array(links.shape[0]))
    for _ in range(reach):
        before, result = result.nnz, _pattern(result @ one)
        if result.nnz == before:  # as far as the graph goes
            break
    return result


def second_eigenvalue(weights: Any) -> float:
    """|lambda_2| of a doubly stochastic matrix: its second largest eigenvalue, in modulus.

    Combining by a symmetric C brings agents nearer to their mean by this factor at least, each time.

    Examples
    --------
    >>> import numpy as np
    >>> second_eigenvalue(np.full((3, 3), 1 / 3))
    0.0
    """
    matrix = sparse.csr_array(weights)
    count = matrix.shape[0]
    if count == 1:
        return 0.0
    is_symmetric = abs(matrix - matrix.T).max() <= 1e-12
    if count > DENSE and is_symmetric:  # C - 11'/N has the eigenvalues of C, but for 0 in the place of 1
        operator = LinearOperator((count, count), matvec=lambda v: matrix @ v - v.mean(), dtype=float)
        start = np.random.default_rng(0).normal(size=count)
        return float(abs(eigsh(operator, 1, which="LM", v0=start, return_eigenvectors=False)[0]))
    apart = matrix.toarray() - 1.0 / count
    values = np.linalg.eigvalsh(apart) if is_symmetric else np.linalg.eigvals(apart)
    largest = float(np.abs(values).max())
    return largest if largest > 1e-14 * count else 0.0  # round-off of 11'/N


# -- where graphs come from --------------------------------------------------------------------------------------------


def _named(name: str, agents: int, rng: Any) -> sparse.csr_array:
    if name not in GRAPHS:
        raise InputError(unknown("graph", name, GRAPHS) + ', or links as in "0-1 1-2"')
    index = np.arange(agents)
    if name == "none":
        return _linked(index[:0], index[:0], agents)
    if name == "ring":
        return _linked(index, (index + 1) % agents, agents)
    if name == "grid":
        row = math.isqrt(agents - 1) + 1
        beside, below = index[(index + 1) % row != 0], index
        tails, heads = np.concatenate([beside, below]), np.concatenate([beside + 1, below + row])
        return _linked(tails[heads < agents], heads[heads < agents], agents)
    if name in ("complete", "all") or agents <= DEGREE + 1:  # too few agents for anything else to be drawn
        return _pattern(sparse.csr_array(np.ones((agents, agents)) - np.eye(agents)))
    return _drawn(name, agents, _generator(rng))


def _drawn(name: str, agents: int, rng: np.random.Generator) -> sparse.csr_array:
    networkx = required("networkx", "NetworkX", "graphs")
    links = min(round(agents * max(DEGREE, 2 * math.log(agents)) / 2), agents * (agents - 1) // 2)
    for _ in range(TRIES):
        seed = int(rng.integers(2**31))
        if name == "small-world":
            drawn = networkx.watts_strogatz_graph(agents, DEGREE, REWIRED, seed=seed)
        else:
            drawn = networkx.gnm_random_graph(agents, links, seed=seed)
        if networkx.is_connected(drawn):
            return _of_networkx(drawn)
    raise InputError(f"no connected {name} graph of {agents} agents in {TRIES} draws; give another rng, or a matrix")


def _generator(rng: Any) -> np.random.Generator:
    if isinstance(rng, np.random.Generator):
        return rng
    seed = 0 if rng is None else whole(rng, "rng of the graph")
    if seed < 0:
        raise InputError(f"rng of the graph is {seed}; a seed of 0 or more, or a numpy.random.Generator, is needed")
    return np.random.default_rng(seed)


def _of_text(text: str, agents: int) -> sparse.csr_array:
    ends = np.array([int(end) for end in re.findall(r"\d+", text)]).reshape(-1, 2)
    if ends.max() >= agents:
        raise InputError(f"the graph links agent {ends.max()}; there are {agents}, 0 to {agents - 1}")
    return _linked(ends[:, 0], ends[:, 1], agents)


def _of_networkx(given: Any) -> sparse.csr_array:
    if given.is_directed():
        raise InputError("the graph is directed; agents who hear each other are needed, say graph.to_undirected()")
    nodes = list(given.nodes)
    whole_numbers = all(isinstance(node, int | np.integer) for node in nodes)
    if whole_numbers and sorted(nodes) == list(range(len(nodes))):
        nodes = sorted(nodes)
    place = {node: k for k, node in enumerate(nodes)}
    pairs = np.array([(place[edge[0]], place[edge[1]]) for edge in given.edges], dtype=int).reshape(-1, 2)
    return _linked(pairs[:, 0], pairs[:, 1], len(nodes))


def _of_matrix(given: Any) -> sparse.csr_array:
    is_sparse: bool = sparse.issparse(given)  # kept: type checkers narrow the value by the call itself
    if not (is_sparse or (isinstance(given, np.ndarray) and given.ndim == 2)):
        names = ", ".join(GRAPHS)
        raise InputError(
            f"graph is {shown(given)} ({type(given).__name__}); a sparse matrix, a graph of NetworkX or a name "
            f"({names}) is needed"
        )
    if given.shape[0] != given.shape[1]:
        raise InputError(
            f"the matrix of the graph has shape {given.shape}; a row and a column for each agent are needed"
        )
    entries = given.tocoo().data if is_sparse else given
    if entries.dtype.kind != "b" and not np.isfinite(numbers(entries, "the matrix of the graph")).all():
        raise InputError("the matrix of the graph has entries that are not finite; 1 for a link and 0 are needed")
    links = sparse.coo_array(given.astype(float))
    off = links.row != links.col
    matrix = sparse.csr_array((links.data[off], (links.row[off], links.col[off])), shape=links.shape)
    matrix.eliminate_zeros()
    gap: Any = matrix - sparse.csr_array(matrix.T)
    one_way = sparse.coo_array(gap)
    one_way.eliminate_zeros()
    if one_way.nnz:
        k, j = int(one_way.row[0]), int(one_way.col[0])
        raise InputError(
            f"the matrix of the graph is not symmetric: ({k}, {j}) is {matrix[k, j]:g} and ({j}, {k}) is "
            f"{matrix[j, k]:g}; agents who hear each other are needed, say matrix + matrix.T"
        )
    return _pattern(matrix)


def _linked(tails: np.ndarray, heads: np.ndarray, agents: int) -> sparse.csr_array:
    """Links between these agents; one from an agent to itself does not count."""
    off = tails != heads
    tails, heads = tails[off], heads[off]
    both = np.concatenate([tails, heads]), np.concatenate([heads, tails])
    return _pattern(sparse.csr_array(sparse.coo_array((np.ones(both[0].size), both), shape=(agents, agents))))


def _pattern(matrix: Any) -> sparse.csr_array:
    """1 wherever the matrix is not zero."""
    result = sparse.csr_array(matrix)
    result.eliminate_zeros()
    result.data = np.ones(result.nnz)
    result.sort_indices()
    return result


def _check_connected(links: sparse.csr_array) -> None:
    parts, label = connected_components(links, directed=False)
    if parts == 1:
        return
    largest = int(np.bincount(label).argmax())
    lost = np.flatnonzero(label != largest)
    names = ", ".join(str(agent) for agent in lost[:NAMED]) + (
        f", ... ({lost.size} in all)" if lost.size > NAMED else ""
    )
    raise InputError(
        f"the graph is not connected: it falls into {parts} parts, and agents {names} are cut off from the largest; "
        "link them, or go on as it is with connected=False"
    )
