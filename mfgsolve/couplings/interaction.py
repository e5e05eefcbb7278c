"""Linear interactions between states or between populations, f = M rho."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling, target, total
from mfgsolve.errors import InputError, numbers, shown, unknown
from mfgsolve.inputs.forms import ARRAY
from mfgsolve.inputs.labels import Labelled, aligned, frozen, owned
from mfgsolve.spaces import Populations, Space, States, Volumes, flat_volumes

__all__ = ["Interaction"]

BETWEEN = ("states", "populations")


@dataclass(frozen=True, eq=False)
class Interaction(Coupling):
    """f = M rho: between all states, f(x) = sum_y M[x, y] rho(y) volume, or between populations in the same cell,
    f_p(x) = sum_q M[p, q] rho_q(x).

    It has the potential rho' M rho / 2 if M is symmetric, and is crowd-averse if M + M' has no negative eigenvalue.

    Parameters
    ----------
    matrix : M, square; an array with names (xarray) has the dimension ``population`` or ``state`` for those who feel it
        and another one for those who are felt, a table (pandas) rows and columns; their labels are compared with the
        names of the space
    between : "states" (all of them, of all populations in the order of the arrays) or "populations"
    on : "state", or "occupation": between all choices, actions first
    names : of the rows and columns of the matrix, where it has any; the matrix is brought into the order of the space
    """

    matrix: Any = field(metadata={"form": ARRAY})
    between: str = "states"
    on: str = field(default="state", metadata={"form": None})
    names: Sequence[str] | None = None
    is_local = False
    is_potential: bool = field(init=False, default=False)
    is_monotone: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        target(self.on, "interaction")
        given, names = owned(self.matrix, "matrix of the interaction"), self.names
        if isinstance(given, Labelled):
            given, names = _paired(given, self.names, str(self.between)[:-1])
        matrix = numbers(given, "matrix of the interaction")
        if matrix.ndim != 2 or matrix.size == 0 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
            raise InputError(
                f"matrix of the interaction has shape {matrix.shape}; a square of finite numbers is needed"
            )
        if self.between not in BETWEEN:
            raise InputError(unknown("interaction between", self.between, BETWEEN))
        if names is not None and len(names) != len(matrix):
            raise InputError(f"matrix of the interaction has {len(matrix)} rows and {len(names)} names")
        object.__setattr__(self, "matrix", frozen(matrix))
        object.__setattr__(self, "names", None if names is None else tuple(str(name) for name in names))
        size = np.abs(matrix).max()
        object.__setattr__(self, "is_potential", bool(np.abs(matrix - matrix.T).max() <= 1e-12 * size))
        least = float(np.linalg.eigvalsh(0.5 * (matrix + matrix.T)).min())
        object.__setattr__(self, "is_monotone", least >= -1e-12 * size)

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        if self.between == "populations" and not isinstance(grid, Populations):
            raise InputError("an interaction between populations needs a space of Populations")
        wanted = grid.populations if self.between == "populations" else grid.size
        if self.matrix.shape[0] != wanted:
            raise InputError(
                f"matrix of the interaction has {self.matrix.shape[0]} rows; there are {wanted} {self.between}"
            )
        volumes = flat_volumes(grid)
        matrix = self._ordered(grid) * (1.0 if self.between == "populations" else volumes)
        return _BoundInteraction(matrix, self._kin(grid), grid.shape, volumes)

    def _ordered(self, grid: Space) -> np.ndarray:
        """The matrix in the order of the space."""
        if self.names is None:
            return np.asarray(self.matrix)
        dim = self.between[:-1]
        if self.between == "states" and not isinstance(grid, States):
            raise InputError(
                f"matrix of the interaction names states {shown(self.names[:3])}, ..., and only a list of States has "
                f"names; give a {type(grid).__name__} a plain array, in the order of its arrays"
            )
        table = Labelled(self.matrix, (dim, "other"), (np.array(self.names), np.array(self.names)))
        labels = {dim: grid.labels[dim], "other": grid.labels[dim]}
        return np.asarray(aligned(table, (dim, "other"), labels, "matrix of the interaction"))

    def _kin(self, grid: Space) -> np.ndarray:
        """Which entries of the matrix are between agents of one population."""
        population = getattr(grid.coordinates, "population", np.zeros(grid.shape, dtype=int)).reshape(-1)
        if self.between == "populations":
            population = np.arange(self.matrix.shape[0])
        return np.asarray(population[:, None] == population)


def _paired(given: Labelled, names: Sequence[str] | None, dim: str) -> tuple[np.ndarray, Any]:
    """A labelled matrix as rows (those who feel it) and columns of one order, and their names."""
    matrix, labels = given.values, list(given.coordinates)
    if any(name is not None for name in given.dims) and dim not in given.dims:
        raise InputError(
            f"matrix of the interaction has the dimensions {shown(given.dims)}; one must be {dim!r}, of those who feel "
            "it, and the other one is of those who are felt"
        )
    if matrix.ndim == 2 and given.dims[1] == dim != given.dims[0]:
        matrix, labels = matrix.T, labels[::-1]
    if matrix.ndim != 2 or all(label is None for label in labels):
        return matrix, names
    rows = labels[0]
    if names is not None or rows is None or labels[1] is None:
        raise InputError(
            "matrix of the interaction names its rows or its columns alone, or has names besides; name both, "
            "or pass a plain array"
        )
    table = Labelled(matrix, ("row", "column"), tuple(labels))
    return aligned(table, ("row", "column"), {"column": [str(row) for row in rows]}, "matrix of the interaction"), rows


@dataclass(frozen=True, eq=False)
class _BoundInteraction(Bound):
    matrix: np.ndarray
    kin: np.ndarray
    shape: tuple[int, ...]
    volumes: Volumes  # of the flat cells

    def _columns(self, rho: np.ndarray) -> np.ndarray:
        return rho.reshape(rho.shape[0], self.matrix.shape[0], -1)

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.einsum("pq,tqx->tpx", self.matrix, self._columns(rho)).reshape(rho.shape)

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray:
        """f, with one of the agents of the own population taken out of the crowd and put where one is."""
        own = np.einsum("pq,tqx->tpx", np.where(self.kin, self.matrix, 0.0), self._columns(rho))
        volumes = self.volumes
        if isinstance(volumes, np.ndarray):
            volumes = volumes.reshape(1, self.matrix.shape[0], -1)
        oneself = np.diagonal(self.matrix)[None, :, None] / volumes
        return np.asarray(self.cost(nodes, rho) + ((oneself - own) / agents).reshape(rho.shape))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return 0.5 * total((rho * self.cost(nodes, rho)).reshape(rho.shape[0], -1), self.volumes)

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return self.cost(nodes, change)
