"""ADMM: alternate an exact projection onto the flow constraints and a proximal step, for finite games."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.solvers.anchored import Anchored, Image, Operator
from mfgsolve.solvers.proximal import Programme

__all__ = ["ADMM"]


class Splitting(Operator):
    """Douglas-Rachford form of ADMM on pairs (u, x), in the metric diag(W) * weight; a point is their shifted sum z.

        p = projection of z onto {B u = b, x = E u},   v = prox of <c, u> + G(x), u >= 0, at 2 p - z,   z+ = z + v - p

    The projection z - W^-1 K' (K W^-1 K')^-1 (K z - k) needs one sparse factorisation for all iterations and weights.
    """

    def __init__(self, programme: Programme):
        from scipy.sparse.linalg import splu

        self.programme = programme
        observe, n = programme.observe, len(programme.cost)
        lengths = np.asarray(observe.multiply(observe).sum(axis=1)).reshape(-1)
        self._inverse = np.concatenate([np.ones(n), np.maximum(lengths, 1.0)])  # 1 / W
        parts: Any = (
            [[programme.flow, None], [observe, -sparse.eye_array(len(lengths))]] if len(lengths) else [[programme.flow]]
        )
        self._both = sparse.csr_array(sparse.block_array(parts))
        self._transpose = sparse.csr_array(self._both.T)
        self._right = np.concatenate([programme.source, np.zeros(len(lengths))])
        normal = sparse.csc_array(self._both @ sparse.diags_array(self._inverse) @ self._transpose)
        symmetric = {"SymmetricMode": True}
        self._factors = splu(normal, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=symmetric)
        self._unknowns = n

    def _project(self, point: np.ndarray) -> np.ndarray:
        return np.asarray(
            point - self._inverse * (self._transpose @ self._factors.solve(self._both @ point - self._right))
        )

    def start(self, u: np.ndarray, y: np.ndarray, x: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, float]:
        programme = self.programme
        primal = np.concatenate([u, x])
        dual = self._inverse * np.concatenate([-programme.flow.T @ y - programme.observe.T @ price, price])
        sizes = (float(np.sqrt((part**2 / self._inverse).sum())) for part in (primal, dual))
        length, height = sizes
        weight = height / length if length > 0 and height > 0 else 1.0
        return primal - dual / weight, weight

    def apply(self, point: np.ndarray, weight: float, guess: np.ndarray) -> Image:
        programme, n = self.programme, self._unknowns
        nearest = self._project(point)
        target = 2.0 * nearest - point
        step = self._inverse[n:] / weight
        out = np.empty_like(point)
        np.maximum(target[:n] - programme.cost / weight, 0.0, out=out[:n])
        out[n:] = programme.prox(target[n:], step, guess)
        u, x = out[:n].copy(), out[n:].copy()
        price = (target[n:] - x) / step
        out += point - nearest
        return Image(out, u, x, price)

    def norm(self, change: np.ndarray, weight: float) -> float:
        return float(np.sqrt(weight * (change * change / self._inverse).sum()))

    def distances(self, start: np.ndarray, end: np.ndarray, weight: float) -> tuple[float, float]:
        first, last = self._project(start), self._project(end)
        primal, dual = last - first, weight * ((end - last) - (start - first))
        return tuple(float(np.sqrt((gap**2 / self._inverse).sum())) for gap in (primal, dual))  # type: ignore[return-value]

    def reweighted(self, point: np.ndarray, old: float, new: float) -> np.ndarray:
        nearest = self._project(point)
        return nearest + (point - nearest) * (old / new)


@dataclass(frozen=True)
class ADMM(Anchored):
    """Alternating direction method of multipliers (Benamou-Brenier splitting), reflected Halpern averaging, restarts.

    For finite potential games at temperature 0, with hard caps and price bounds.  One sparse factorisation of the flow
    constraints, then each iteration is one solve with it and one proximal step, cell by cell.

    Parameters
    ----------
    every, warm_up, sufficient, necessary, longest, smoothing, reach : see `mfgsolve.solvers.anchored.Anchored`

    Sources: Benamou and Brenier, doi:10.1007/s002110050002; Eckstein and Bertsekas, doi:10.1007/BF01581204; for
    mean-field games Bonnans, Lavigne and Pfeiffer, arXiv:2106.07463.
    """

    name = "admm"
    source = (
        "Benamou and Brenier, A computational fluid mechanics solution to the Monge-Kantorovich mass transfer problem, "
        "doi:10.1007/s002110050002; Bonnans, Lavigne and Pfeiffer, Discrete potential mean field games, "
        "arXiv:2106.07463; Lu and Yang, Restarted Halpern PDHG for linear programming, arXiv:2407.16144"
    )

    def operator(self, programme: Programme) -> Operator:
        return Splitting(programme)
