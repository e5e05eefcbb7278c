"""What happens to an agent in a step that it does not control: factors that act after its choice, one by one.

A factor is a Markov operator F on the cells: ``expect`` applies it to values (backward), ``push`` its exact transpose
to masses (forward), <push(m), v> = <m, expect(v)>.  Its rows sum to 1, so that ``push`` keeps mass.  Agents one by one
take it as a sparse matrix of chances (``matrix``), or, where F is dense, as a walk in closed form
(implicit noise).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from mfgsolve.kernels import noise
from mfgsolve.kernels.scheme import Scheme

__all__ = ["Factor", "Noise", "expect_all", "push_all"]


class Factor(ABC):
    """One uncontrolled part of a step; levels are arrays of any shape with one number a cell.

    Attributes
    ----------
    is_steady : whether it is the same in all steps
    identity : arrays that tell two such factors apart, as far as the identity of the dynamics does not: what their
        functions give on the space, never the functions
    """

    is_steady = True
    identity: tuple[np.ndarray, ...] = ()

    @abstractmethod
    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """F value, at step t: the mean of the value where an agent of each cell lands."""

    @abstractmethod
    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """F^T mass, at step t: where the mass of each cell lands."""

    def matrix(self, t: int) -> sparse.csr_array | None:
        """F[x, y] (cells, cells), the chance to land in cell y from cell x at step t; None where F is dense."""
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
