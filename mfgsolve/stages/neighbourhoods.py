"""Who is near whom: sparse matrices of neighbours, and the mean action of agents around each agent.

Row i of a matrix N holds the weights of the neighbours of i: cells of a grid, or agents of a graph.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError, numbers, unknown, whole
from mfgsolve.grids import Grid
from mfgsolve.spaces import Populations, Space

__all__ = ["checked_neighbours", "graph_neighbours", "grid_neighbours", "mean_actions"]

METRICS = ("taxicab", "chessboard")


def grid_neighbours(space: Space, radius: int = 1, metric: str = "taxicab", itself: bool = False) -> sparse.csr_array:
    """Cells within ``radius`` steps of each cell; periodic axes wrap, and steps lead around walls, not through them.

    Parameters
    ----------
    space : a grid, or populations on one; the matrix is over the cells of the grid
    metric : "taxicab" steps along one axis, "chessboard" along several at once (by way of free cells: no step cuts
        through a corner that is blocked on both sides)
    itself : whether a cell is its own neighbour

    Returns
    -------
    scipy.sparse.csr_array
        (cells, cells), 1 for a neighbour; blocked cells neither have neighbours nor are any

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> grid_neighbours(mfg.Grid.box((3, 3), boundary="periodic")).sum(axis=1)
    array([4., 4., 4., 4., 4., 4., 4., 4., 4.])
    """
    grid = space.space if isinstance(space, Populations) else space
    if not isinstance(grid, Grid):
        raise InputError(f"a {type(grid).__name__} has no neighbourhoods of its own; name them by graph_neighbours")
    if metric not in METRICS:
        raise InputError(unknown("metric", metric, METRICS))
    reach = whole(radius, "radius")
    if reach < 0:
        raise InputError(f"radius is {reach}; 0 steps or more are needed")
    free = sparse.diags_array((~grid.mask.reshape(-1)).astype(float), format="csr")
    steps = [_steps(grid, k, free) for k in range(grid.ndim)]
    if metric == "taxicab":
        one = _ones(free + sum(steps, sparse.csr_array((grid.size, grid.size))))
    else:
        one = sparse.csr_array((grid.size, grid.size))
        for order in permutations(steps):
            way = free
            for step in order:
                way = way @ (free + step)
            one = one + way
        one = _ones(one)
    result = free
    for _ in range(reach):
        result = _ones(result @ one)
    return result if itself else _ones(result - free)


def _steps(grid: Grid, k: int, free: sparse.csr_array) -> sparse.csr_array:
    """One cell along an axis, forth and back, between free cells."""
    cells, index = grid.axes[k].cells, np.arange(grid.size).reshape(grid.shape)
    last = cells if grid.axes[k].periodic else cells - 1
    tail = np.take(index, np.arange(last), axis=k).reshape(-1)
    head = np.take(index, (np.arange(last) + 1) % cells, axis=k).reshape(-1)
    forth = sparse.csr_array((np.ones(tail.size), (tail, head)), shape=(grid.size, grid.size))
    return sparse.csr_array(free @ (forth + forth.T) @ free)


def _ones(matrix: Any) -> sparse.csr_array:
    """1 wherever the matrix is not zero."""
    result = sparse.csr_array(matrix)
    result.eliminate_zeros()
    result.data = np.ones_like(result.data)
    result.sort_indices()
    return result


def graph_neighbours(edges: Any, size: int, directed: bool = False) -> sparse.csr_array:
    """Neighbours that a list of pairs names.

    Parameters
    ----------
    edges : (edges, 2) numbers of the two ends, 0..size-1; (i, j) makes j a neighbour of i
    size : how many agents or cells there are
    directed : whether i is no neighbour of j by that
    """
    count = whole(size, "size")
    if count < 1:
        raise InputError(f"size is {count}; at least 1 is needed")
    pairs = np.asarray(edges)
    if pairs.size == 0:
        return sparse.csr_array((count, count))
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise InputError(f"edges came as {pairs.dtype} of shape {pairs.shape}; pairs of whole numbers (edges, 2) are "
                         "needed")  # fmt: skip
    if pairs.min() < 0 or pairs.max() >= count:
        raise InputError(f"edges hold numbers from {pairs.min()} to {pairs.max()}; 0..{count - 1} are needed")
    if (pairs[:, 0] == pairs[:, 1]).any():
        raise InputError(f"an edge leads from {pairs[pairs[:, 0] == pairs[:, 1]][0, 0]} to itself; leave it out")
    if not directed:
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
    return _ones(sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count)))


def checked_neighbours(neighbours: Any, size: int) -> sparse.csr_array:
    """A matrix of neighbours that somebody brings."""
    if neighbours is None:
        raise InputError("there are no neighbourhoods, so that nobody has a mean action around; give a matrix, see "
                         "grid_neighbours and graph_neighbours")  # fmt: skip
    if not sparse.issparse(neighbours) and not (isinstance(neighbours, np.ndarray) and neighbours.ndim == 2):
        raise InputError(f"neighbours is a {type(neighbours).__name__}; a sparse matrix is needed, see grid_neighbours")
    given: Any = neighbours
    matrix: Any = sparse.csr_array(given).astype(float)
    if matrix.shape != (size, size):
        raise InputError(f"neighbours have shape {matrix.shape}; {(size, size)} is needed")
    if matrix.nnz and not (np.isfinite(matrix.data).all() and (matrix.data >= 0).all()):
        raise InputError("neighbours have a weight that is negative or not finite")
    return sparse.csr_array(matrix)


def mean_actions(actions: Any, neighbours: Any, types: Any = None, count: int | None = None) -> np.ndarray:
    """Mean action of the agents around each agent, of all or by type.

        abar_i = sum_j N(i, j) a_j / sum_j N(i, j),   by type m over the neighbours j of that type

    Parameters
    ----------
    actions : (agents, A) one-hot or probabilities
    neighbours : (agents, agents) weights
    types : (agents,) number of the type of each agent
    count : how many types there are; the largest number in ``types`` plus 1 without

    Returns
    -------
    np.ndarray
        (agents, A), or (agents, types, A); NaN where an agent has no neighbour (of that type)

    References
    ----------
    Yang et al., ICML 2018, arXiv:1802.05438; Ganapathi Subramanian et al., AAMAS 2020, arXiv:2002.02513.
    """
    chosen = numbers(actions, "actions")
    if chosen.ndim != 2 or not chosen.size:
        raise InputError(f"actions have shape {chosen.shape}; (agents, actions) of one-hot rows are needed")
    matrix = checked_neighbours(neighbours, len(chosen))
    if types is None:
        return _share(matrix @ chosen, matrix.sum(axis=1))
    label = np.asarray(types)
    if label.shape != (len(chosen),) or label.dtype.kind not in "iu":
        raise InputError(f"types came as {label.dtype} of shape {label.shape}; a whole number for each of the "
                         f"{len(chosen)} agents is needed")  # fmt: skip
    many = int(label.max()) + 1 if count is None else whole(count, "number of types")
    if label.min() < 0 or label.max() >= many:
        raise InputError(f"types run from {label.min()} to {label.max()}; 0..{many - 1} are needed")
    if many > len(chosen):
        raise InputError(f"there are {many} types and {len(chosen)} agents; no more types than agents are possible")
    return np.stack([_share(matrix @ (chosen * of[:, None]), matrix @ of) for of in _members(label, many)], axis=1)


def _members(label: np.ndarray, many: int) -> np.ndarray:
    return np.asarray((label == np.arange(many)[:, None]).astype(float))


def _share(total: Any, weight: Any) -> np.ndarray:
    column = np.asarray(weight, dtype=float).reshape(-1, 1)
    return np.divide(total, column, out=np.full(np.shape(total), np.nan), where=column > 0)
