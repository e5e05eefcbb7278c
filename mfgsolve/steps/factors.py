"""What happens to an agent in a step that it does not control: factors that act after its choice, one by one.

A factor is a Markov operator F on the cells: ``expect`` applies it to values (backward), ``push`` its exact transpose
to masses (forward), <push(m), v> = <m, expect(v)>.  Its rows sum to 1, so that ``push`` keeps mass.  Agents one by one
take it as a sparse matrix of chances (``matrix``), or, where F is dense, as walks in closed form (``walks``).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from mfgsolve.kernels import noise
from mfgsolve.kernels.scheme import EXPLICIT, IMPLICIT, NO_NOISE, Scheme
from mfgsolve.steps.walks import LineWalk, noise_walks

__all__ = ["Factor", "MatrixFactor", "Noise", "expect_all", "push_all"]


class Factor(ABC):
    """One uncontrolled part of a step; levels are arrays of any shape with one number a cell.

    Attributes
    ----------
    is_steady : whether it is the same in all steps
    adds_viscosity : whether it may blur more than the stated noise does
    """

    is_steady = True
    adds_viscosity = True

    @abstractmethod
    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """F value, at step t: the mean of the value where an agent of each cell lands."""

    @abstractmethod
    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """F^T mass, at step t: where the mass of each cell lands."""

    def matrix(self, t: int) -> sparse.csr_array | None:
        """F[x, y] (cells, cells), the chance to land in cell y from cell x at step t; None where F is dense."""
        return None

    def inverse(self) -> sparse.csr_array | None:
        """The sparse L with L F^T = I where F is dense and L is not, and no `Noise`; None elsewhere."""
        return None

    def walks(self, cells: int) -> list[LineWalk] | None:
        """F as walks along lines of the ``cells`` of a level, one after the other; None where it is not that.

        Asked where ``matrix`` is None; of a factor that is the same in all steps.
        """
        return None


def expect_all(factors: Sequence[Factor], t: int, value: np.ndarray) -> np.ndarray:
    """The value before the factors, from the one after the last of them."""
    for factor in reversed(factors):
        value = factor.expect(t, value)
    return value


def push_all(factors: Sequence[Factor], t: int, mass: np.ndarray) -> np.ndarray:
    """The mass after the last of the factors."""
    for factor in factors:
        mass = factor.push(t, mass)
    return mass


class MatrixFactor(Factor):
    """A factor that is made of its matrices.

    Parameters
    ----------
    matrices : F (cells, cells) of each step, or a single one of all steps
    """

    def __init__(self, matrices: Sequence[sparse.csr_array]):
        self.is_steady, self._matrices = len(matrices) == 1, list(matrices)
        self._transposed = [matrix.T for matrix in self._matrices]  # of the same arrays

    def matrix(self, t: int) -> sparse.csr_array:
        """F of step t."""
        return self._matrices[0 if self.is_steady else t]

    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """F value."""
        return np.asarray(self.matrix(t) @ value.reshape(-1)).reshape(value.shape)

    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """F^T mass."""
        transposed = self._transposed[0 if self.is_steady else t]
        return np.asarray(transposed @ mass.reshape(-1)).reshape(mass.shape)


class Noise(Factor):
    """sqrt(2 nu) dW in one step, the operator of a `Scheme`; see `mfgsolve.kernels.noise`.

    Parameters
    ----------
    parts : cells (a slice of the flattened level), their shape (z, y, x), and the scheme that holds the coefficients;
        cells of no part stay where they are
    """

    def __init__(self, parts: Sequence[tuple[slice, tuple[int, ...], Scheme]]):
        self.parts = list(parts)

    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """N value."""
        return self._applied(value, False)

    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """N^T mass."""
        return self._applied(mass, True)

    def _applied(self, level: np.ndarray, transpose: bool) -> np.ndarray:
        out = level.copy()
        flat, into = level.reshape(-1), out.reshape(-1)
        for part, shape, scheme in self.parts:
            source, target = flat[part].reshape(shape).copy(), np.empty(shape)
            noise.noise(source, target, scheme, transpose)
            into[part] = target.reshape(-1)
        return out

    def _all(self, *kinds: int) -> bool:
        return all(scheme.noise in kinds for _, _, scheme in self.parts)

    def matrix(self, t: int) -> sparse.csr_array | None:
        """N of explicit noise: to stay, or to go to a neighbour, in the order x+, x-, y+ ...; None for implicit noise.

        Entries of a row keep that order, those of chance 0 included: agents draw in it.
        """
        if not self._all(EXPLICIT, NO_NOISE):
            return None
        data: list[np.ndarray] = []
        column: list[np.ndarray] = []
        count, done = [np.zeros(1, dtype=np.int64)], 0
        for part, shape, scheme in sorted(self.parts, key=lambda one: one[0].start):
            rest = np.arange(done, part.start)
            chance, around = _spread(shape, scheme)
            data += [np.ones(rest.size), chance.reshape(-1)]
            column += [rest, around.reshape(-1) + part.start]
            count += [np.ones(rest.size, dtype=np.int64), np.full(len(chance), chance.shape[1])]
            done = part.stop
        entries = np.concatenate(data), np.concatenate(column).astype(np.int32), np.cumsum(np.concatenate(count))
        return sparse.csr_array(entries, shape=(done, done))

    def walks(self, cells: int) -> list[LineWalk] | None:
        """Implicit noise, axis by axis; see `mfgsolve.steps.walks`."""
        return noise_walks(self.parts, cells) if self._all(IMPLICIT) else None


def _spread(shape: tuple[int, ...], scheme: Scheme) -> tuple[np.ndarray, np.ndarray]:
    """Explicit noise: chances to stay and to go to each neighbour, and these cells, both (cells, 1 + neighbours)."""
    cells = np.arange(math.prod(shape)).reshape(shape)
    free, place = np.broadcast_to(scheme.open > 0, shape).reshape(-1), np.indices(shape).reshape(3, -1)
    chances, around = [], [cells.reshape(-1)]
    for axis in (2, 1, 0):
        if shape[axis] == 1:
            continue
        rate, here = scheme.rate[axis], place[axis]
        for side in (0, 1):  # the next cell, the one before
            near = np.roll(cells, 2 * side - 1, axis).reshape(-1)
            edge = (here == (0 if side else shape[axis] - 1)) & (scheme.periodic[axis] == 0)
            each = rate[side, here] if isinstance(rate, np.ndarray) else rate
            chances.append(np.where(free & free[near] & ~edge, each, 0.0))
            around.append(near)
    moving = np.stack(chances, axis=1) if chances else np.zeros((cells.size, 0))
    stay = 1.0 - np.hstack([np.zeros((cells.size, 1)), moving]).sum(axis=1)
    return np.column_stack([stay, moving]), np.stack(around, axis=1)
