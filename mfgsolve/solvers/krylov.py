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

    def apply(self, vector: np.ndarray, weighed: np.ndarray | None, out: np.ndarray) -> np.ndarray:
        """(I - K B) vector; ``weighed`` is B vector where the coupling is not local."""
        if self.scale is not None:
            return self.game.curvature(self.ahead, self.mass, vector, self.scale, out)
        assert weighed is not None
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
    metric = _flat(system.scale) if local else np.empty((0, 0))  # type: ignore[arg-type]
    weighed, other = (None, None) if local else (spare[0], spare[1])

    def square(vector: np.ndarray) -> float:
        if local:
            return float(vectors.inner(metric, _flat(vector), _flat(vector)))
        return float(vectors.inner(metric, _flat(system.weigh(vector, other)), _flat(vector)))  # type: ignore[arg-type]

    solution[:] = 0.0
    direction[:] = residual
    size = start = square(residual)
    if not local:
        weighed[:] = other  # type: ignore[index]
    for iteration in range(1, limit + 1):
        if not size > 0:
            return iteration - 1
        system.apply(direction, weighed, image)
        curve = float(vectors.inner(metric, _flat(direction if local else weighed), _flat(image)))  # type: ignore[arg-type]
        length = size / curve
        vectors.advance(_flat(solution), _flat(residual), _flat(direction), _flat(image), length)
        left = square(residual)
        if not left > tol**2 * start:
            return iteration
        vectors.turn(_flat(direction), _flat(residual), left / size)
        if not local:
            vectors.turn(_flat(weighed), _flat(other), left / size)  # type: ignore[arg-type]
        size = left
    return limit


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
