"""The linear system of a Newton step, (I - K B) x = r: K the curvature of the game, B the slope of the coupling.

In the inner product <u, B v> the operator is symmetric with eigenvalues >= 1 for a crowd-averse game, and x needs no
division by B, which may be zero where no reward is: conjugate gradients.  Where B is not positive, GMRES.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mfgsolve.games import Game
from mfgsolve.kernels import vectors

DENSE = 256  # unknowns up to which a system without symmetry is solved directly

__all__ = ["Linearisation", "Vectors", "conjugate_gradient", "minimal_residual"]


@dataclass
class Linearisation:
    """The game around one policy: its flow, and the slope of the coupling at the believed mass."""

    game: Game
    policy: np.ndarray
    crowd: np.ndarray
    believed: np.ndarray
    scale: np.ndarray | None  # weight f' where the coupling is local
    softness: float = 1.0  # factor on B where it is not

    def weigh(self, vector: np.ndarray, out: np.ndarray) -> np.ndarray:
        """B vector, whatever the coupling."""
        weighed = self.game.price_change(self.believed, vector, out)
        if self.softness != 1.0:
            weighed *= self.softness
        return weighed

    def apply(self, vector: np.ndarray, weighed: np.ndarray, out: np.ndarray) -> np.ndarray:
        """(I - K B) vector, where ``weighed`` is B vector; and what own costs that depend on the belief add to K B."""
        self.game.curvature(self.policy, self.crowd, weighed, None, out, identity=0.0, believed=vector)
        out += vector
        return out


class Vectors(NamedTuple):
    """The four arrays of conjugate gradients: the residual holds r on entry and what is left of it on exit."""

    solution: np.ndarray
    residual: np.ndarray
    direction: np.ndarray
    image: np.ndarray


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(array.shape[0], -1)


def conjugate_gradient(
    system: Linearisation, work: Vectors, tol: float, limit: int, spare: Sequence[np.ndarray] = ()
) -> int:
    """Solve from zero to a relative residual ``tol``; returns how often the operator was used.

    ``spare`` (two arrays) is needed only where the coupling is not local.
    """
    solution, residual, direction, image = work
    solution[:] = 0.0
    direction[:] = 0.0
    if system.scale is None:
        return _nonlocal_gradient(system, work, tol, limit, spare)
    metric, left_over, moved, game = _flat(system.scale), _flat(residual), _flat(image), system.game
    size = start = float(vectors.inner(metric, left_over, left_over))
    length, share, uses = 0.0, 0.0, 0
    while uses < limit and size > tol**2 * start and size > 0:
        # the pass first finishes the step before: solution += length direction, direction = residual + share direction
        curve = game.conjugate_step(system.policy, system.crowd, system.scale, work, length, share)
        length, uses = size / curve, uses + 1
        left = float(vectors.descend(metric, left_over, moved, length))
        size, share = left, left / size
    vectors.add(_flat(solution), _flat(direction), length)
    return uses


def _nonlocal_gradient(
    system: Linearisation, work: Vectors, tol: float, limit: int, spare: Sequence[np.ndarray]
) -> int:
    """The same where B is an operator: B residual and B direction are kept beside their vectors."""
    solution, residual, direction, image = work
    one = np.ones((1, residual[0].size))
    weighed, other = spare

    def product(a: np.ndarray, b: np.ndarray) -> float:
        return float(vectors.inner(one, _flat(a), _flat(b)))

    weighed[:] = 0.0
    size = start = product(system.weigh(residual, other), residual)
    share, uses = 0.0, 0
    while uses < limit and size > tol**2 * start and size > 0:
        vectors.turn(_flat(direction), _flat(residual), share)
        vectors.turn(_flat(weighed), _flat(other), share)
        system.apply(direction, weighed, image)
        length, uses = size / product(weighed, image), uses + 1
        vectors.add(_flat(solution), _flat(direction), length)
        vectors.add(_flat(residual), _flat(image), -length)
        left = product(system.weigh(residual, other), residual)
        size, share = left, left / size
    return uses


def _direct(system: Linearisation, residual: np.ndarray) -> np.ndarray:
    """The system as a matrix, column by column, where it is small: nothing to tune, nothing to stall."""
    matrix, unit = np.empty((residual.size, residual.size)), np.zeros(residual.size)
    weighed, image = np.empty(residual.shape), np.empty(residual.shape)
    for k in range(residual.size):
        unit[k] = 1.0
        levels = unit.reshape(residual.shape)
        matrix[:, k] = system.apply(levels, system.weigh(levels, weighed), image).reshape(-1)
        unit[k] = 0.0
    if not np.isfinite(matrix).all():  # LAPACK would never come back; no step will be found
        return np.zeros_like(residual)
    return np.asarray(np.linalg.lstsq(matrix, residual.reshape(-1))[0].reshape(residual.shape))


def minimal_residual(system: Linearisation, residual: np.ndarray, tol: float, limit: int) -> tuple[np.ndarray, int]:
    """GMRES on I - K B, for couplings that are not crowd-averse; returns the solution and the operator's uses."""
    count, shape = 0, residual.shape
    if residual.size <= DENSE:
        return _direct(system, residual), residual.size
    from scipy.sparse.linalg import LinearOperator, gmres

    image, weighed = np.empty(shape), np.empty(shape)

    def matvec(vector: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        levels = np.ascontiguousarray(vector).reshape(shape)
        system.weigh(levels, weighed)
        return system.apply(levels, weighed, image).reshape(-1).copy()

    operator = LinearOperator((residual.size, residual.size), matvec=matvec, dtype=float)  # type: ignore[call-arg]
    solution, _ = gmres(operator, residual.reshape(-1), rtol=tol, atol=0.0, restart=limit, maxiter=1)
    return solution.reshape(shape), count
