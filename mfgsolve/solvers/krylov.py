"""The linear system of a Newton step, (I - K B) x = r: K the curvature of the game, B the slope of the coupling.

In the inner product <u, B v> the operator is symmetric with eigenvalues >= 1 for a crowd-averse game, and x needs no
division by B, which may be zero where no reward is: conjugate gradients.  Where B is not positive, GMRES.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from mfgsolve.games import DiffusionGame
from mfgsolve.kernels import vectors

__all__ = ["Linearisation", "conjugate_gradient", "minimal_residual"]


@dataclass
class Linearisation:
    """The game around one policy: its flow, and the slope of the coupling at the believed mass."""

    game: DiffusionGame
    ahead: np.ndarray
    mass: np.ndarray
    believed: np.ndarray
    scale: np.ndarray | None  # weight f' where the coupling is local

    def weigh(self, vector: np.ndarray, out: np.ndarray) -> np.ndarray:
        """B vector, for a coupling that is not local."""
        return self.game.price_change(self.believed, vector, out)

    def apply(self, vector: np.ndarray, weighed: np.ndarray, out: np.ndarray) -> np.ndarray:
        """(I - K B) vector; ``weighed`` is B vector where the coupling is not local."""
        if self.scale is not None:
            return self.game.curvature(self.ahead, self.mass, vector, self.scale, out)
        self.game.curvature(self.ahead, self.mass, weighed, None, out, identity=0.0)
        out += vector
        return out


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(array.shape[0], -1)


def conjugate_gradient(
    system: Linearisation,
    residual: np.ndarray,
    tol: float,
    limit: int,
    solution: np.ndarray,
    direction: np.ndarray,
    image: np.ndarray,
    spare: list[np.ndarray],
) -> int:
    """Solve from zero to a relative residual ``tol``; returns how often the operator was used.

    ``residual`` holds r on entry and what is left on exit, the other arrays are work space; ``spare`` (two arrays) is
    needed only where the coupling is not local.
    """
    local = system.scale is not None
    metric = np.empty((0, 0)) if system.scale is None else _flat(system.scale)
    weighed, other = (residual, residual) if local else (spare[0], spare[1])

    solution[:] = 0.0
    direction[:] = residual
    if not local:
        weighed[:] = system.weigh(residual, other)
    size = start = _product(metric, residual, residual if local else weighed)
    for iteration in range(1, limit + 1):
        if not size > 0:
            return iteration - 1
        system.apply(direction, weighed, image)
        length = size / _product(metric, direction if local else weighed, image)
        vectors_of = (_flat(solution), _flat(residual), _flat(direction), _flat(image))
        left = float(vectors.advance(*vectors_of, length, metric))
        if not local:
            left = _product(metric, system.weigh(residual, other), residual)
        if not left > tol**2 * start:
            return iteration
        vectors.turn(_flat(direction), _flat(residual), left / size)
        if not local:
            vectors.turn(_flat(weighed), _flat(other), left / size)
        size = left
    return limit


def _product(metric: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """<a, B b>, with B in ``metric`` where the coupling is local, and already applied where it is not."""
    return float(vectors.inner(metric, _flat(a), _flat(b)))


def minimal_residual(system: Linearisation, residual: np.ndarray, tol: float, limit: int) -> tuple[np.ndarray, int]:
    """GMRES on I - K B, for couplings that are not crowd-averse; returns the solution and the operator's uses."""
    count, shape = 0, residual.shape
    image, weighed = np.empty(shape), np.empty(shape)

    def matvec(vector: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        levels = np.ascontiguousarray(vector).reshape(shape)
        system.weigh(levels, weighed)
        scaled = Linearisation(system.game, system.ahead, system.mass, system.believed, None)
        return scaled.apply(levels, weighed, image).reshape(-1).copy()

    operator = LinearOperator((residual.size, residual.size), matvec=matvec, dtype=float)  # type: ignore[call-arg]
    solution, _ = gmres(operator, residual.reshape(-1), rtol=tol, atol=0.0, restart=limit, maxiter=1)
    return solution.reshape(shape), count
