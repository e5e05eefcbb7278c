"""Chambolle-Pock: the primal-dual hybrid gradient method on the programme of a finite game, free of linear solves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mfgsolve.solvers.anchored import Anchored, Image, Operator
from mfgsolve.solvers.proximal import Programme

__all__ = ["ChambollePock"]


class PrimalDual(Operator):
    """One step of the method with diagonal preconditioners; a point is (u, y, q), q the price of x = E u.

        u+ = max(u - tau (c + B' y + E' q), 0),   (y, q)+ = prox of the conjugate at (y, q) + sigma K (2 u+ - u)

    with K = (B, E), tau = 1 / (weight sum_rows |K|) and sigma = weight / sum_columns |K|, so that tau K' sigma K <= 1.
    """

    def __init__(self, programme: Programme):
        self.programme = programme
        self._both = sparse.csr_array(sparse.vstack([programme.flow, programme.observe]))
        self._transpose = sparse.csr_array(self._both.T)
        size = abs(self._both)
        self._tau = 1.0 / np.maximum(np.asarray(size.sum(axis=0)).reshape(-1), np.finfo(float).tiny)
        self._sigma = 1.0 / np.maximum(np.asarray(size.sum(axis=1)).reshape(-1), np.finfo(float).tiny)
        self._unknowns, self._rows = len(programme.cost), len(programme.source)

    def start(self, u: np.ndarray, y: np.ndarray, x: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, float]:
        point = np.concatenate([u, y, price])
        primal, dual = self.distances(np.zeros_like(point), point, 1.0)
        return point, dual / primal if primal > 0 and dual > 0 else 1.0

    def apply(self, point: np.ndarray, weight: float, guess: np.ndarray) -> Image:
        programme, n, rows = self.programme, self._unknowns, self._rows
        u, dual = point[:n], point[n:]
        out = np.empty_like(point)
        ahead = out[:n]
        np.maximum(u - self._tau / weight * (programme.cost + self._transpose @ dual), 0.0, out=ahead)
        sigma = weight * self._sigma
        pushed = dual + sigma * (self._both @ (2.0 * ahead - u))
        out[n : n + rows] = pushed[:rows] - sigma[:rows] * programme.source
        pushed, sigma = pushed[rows:], sigma[rows:]
        x = programme.prox(pushed / sigma, 1.0 / sigma, guess)  # Moreau: the conjugate through the function itself
        price = out[n + rows :] = pushed - sigma * x
        return Image(out, ahead, x, price)

    def norm(self, change: np.ndarray, weight: float) -> float:
        n = self._unknowns
        u, dual = change[:n], change[n:]
        square = weight * (u * u / self._tau).sum() + (dual * dual / self._sigma).sum() / weight
        return float(np.sqrt(max(square - 2.0 * (dual * (self._both @ u)).sum(), 0.0)))

    def distances(self, start: np.ndarray, end: np.ndarray, weight: float) -> tuple[float, float]:
        n, gap = self._unknowns, end - start
        return float(np.sqrt((gap[:n] ** 2 / self._tau).sum())), float(np.sqrt((gap[n:] ** 2 / self._sigma).sum()))

    def reweighted(self, point: np.ndarray, old: float, new: float) -> np.ndarray:
        return point


@dataclass(frozen=True)
class ChambollePock(Anchored):
    """Primal-dual hybrid gradient with diagonal preconditioning, reflected Halpern averaging and restarts.

    For finite potential games at temperature 0, with hard caps and price bounds.  Every iteration costs two products
    with the sparse transitions and nothing else: for games whose factors do not fit in memory.  Information moves one
    time step per iteration, so that games with many steps need many; where a factorisation fits, `ADMM` needs fewer.

    Parameters
    ----------
    every, warm_up, sufficient, necessary, longest, smoothing, reach : see `mfgsolve.solvers.anchored.Anchored`

    Sources: Chambolle and Pock, doi:10.1007/s10851-010-0251-1; Pock and Chambolle, doi:10.1109/ICCV.2011.6126441; for
    mean-field games Bonnans, Lavigne and Pfeiffer, arXiv:2106.07463.
    """

    name = "chambolle-pock"
    source = (
        "Chambolle and Pock, A first-order primal-dual algorithm for convex problems with applications to imaging, "
        "doi:10.1007/s10851-010-0251-1; Bonnans, Lavigne and Pfeiffer, Discrete potential mean field games, "
        "arXiv:2106.07463; Lu and Yang, Restarted Halpern PDHG for linear programming, arXiv:2407.16144"
    )

    def operator(self, programme: Programme) -> Operator:
        return PrimalDual(programme)
