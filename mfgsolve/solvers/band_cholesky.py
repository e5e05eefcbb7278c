"""Cholesky within a band for the Newton systems of flow problems, in single precision where the band is wide.

See `mfgsolve.solvers.newton_systems` for the matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy
from scipy import sparse

from mfgsolve.solvers.newton_systems import FlowMaps, NewtonMatrix
from mfgsolve.watch import look

__all__ = ["BandCholesky"]

SLAB = 2**20  # numbers of the local matrices that are made at once
MANY = 8  # slabs whose places in the band are kept
WIDE = 512  # width of a band from which its factor is in single precision: below, solves take as long as factors
REFINED = 1e-4  # relative residual of solves with such a factor: what they miss, the next step demands back
LAST = 1e-6  # where double precision does not fit, and single precision must do to the end
PASSES, PATIENCE = 12, 100  # of refinement, after which double precision takes over; and where that does not fit
SHIFTS = (0.0, 1e-6, 1e-5, 1e-4, 1e-3)  # of the diagonal, where round-off is too much for single precision


@dataclass
class BandCholesky:
    """Cholesky factor of a `NewtonMatrix` within a band, by LAPACK.

    Where the band is wide the factor is in single precision, half the bytes and half the time, and solves are refined
    in double precision against the exact matrix.  Towards the end of a solve the matrix can be too badly conditioned
    for that: then, and from then on, the factor is in double precision, if it fits in the memory.

    The states stand in reverse Cuthill-McKee order of their neighbourhoods, with the times of each state together or
    the states of each time, whichever makes the narrower band: at best T states^3 operations where the crowd lives in
    many cells for a long time (block elimination forward in time), far fewer where it has many cells and few times.
    """

    maps: FlowMaps
    reach: np.ndarray  # boolean (T+1, states)
    memory: float = math.inf  # GiB that a factor in double precision may take
    single: bool | None = None  # whether the factor is in single precision; None where the band is wide
    _kept: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._plan()
        self.is_wide = self._breadth >= WIDE
        if self.single is None:
            self.single = self.is_wide
        self.passes = 0

    @cached_property
    def _band(self) -> np.ndarray:
        """Room [j, d] for entry (j + d, j), which the factor takes over: two of them would be twice the memory."""
        return np.zeros((self._size, self._breadth + 1), dtype=np.float32 if self.single else float)

    def gibibytes(self, single: bool) -> float:
        """Memory of the factor in single or double precision."""
        return (4 if single else 8) * self._size * (self._breadth + 1) / 2**30

    @property
    def fits(self) -> bool:
        """Whether the factor fits in the memory."""
        return self.gibibytes(bool(self.single)) <= self.memory

    def factor(self, matrix: NewtonMatrix) -> None:
        """Raises numpy.linalg.LinAlgError where round-off has made the matrix indefinite."""
        self.matrix = matrix
        if self.single:
            for shift in (0.0,) if self._may_double else SHIFTS:
                if self._factored(matrix, shift):
                    return
            self._double()
        if not self._factored(matrix):
            raise np.linalg.LinAlgError("the Newton matrix is not positive definite")

    @property
    def _may_double(self) -> bool:
        return self.gibibytes(False) <= self.memory

    def _double(self) -> None:
        """From now on in double precision."""
        if not self._may_double:
            raise np.linalg.LinAlgError("the Newton matrix is not positive definite in single precision")
        self.single = False
        del self._band, self._factor

    def _factored(self, matrix: NewtonMatrix, shift: float = 0.0) -> bool:
        """Fill the band, its diagonal raised by a share, and factor it; whether it is positive definite."""
        rank, band = self._rank, self._band
        band.fill(0.0)
        band[rank[1:, self.maps.states :].reshape(-1), 0] = 1.0
        for k, part in enumerate(self._slabs):
            look()
            place = self._places(rank, part)
            _add(band, self._roots(matrix, part, place), *self._targets(k, place))
        which, factor = self._lifts
        last = (np.sqrt(matrix.weight[-1])[:, None] * factor)[:, None]
        _add(band, last, *self._targets(-1, rank[-1][which]))
        self._diagonal = band[:, 0].astype(float)
        band[:, 0] *= 1.0 + shift
        kernel = scipy.linalg.lapack.spbtrf if self.single else scipy.linalg.lapack.dpbtrf
        self._factor, fault = kernel(band.T, lower=1, overwrite_ab=1)
        return bool(fault == 0)

    def _roots(self, matrix: NewtonMatrix, part: slice, place: np.ndarray) -> np.ndarray:
        """One row for each action and one for the state itself, (steps, states, actions + 1, length): the quadratic
        form of a state is the sum of their squares."""
        near, lift = self.maps.neighbourhoods, self._lifts[1]
        chances = near.chances if near.chances.shape[0] == 1 else near.chances[part]
        chances = chances * (place[:, :, None, : chances.shape[3]] >= 0)
        if self.maps.prices:
            pays = matrix.stretch[part, :, None, None] * self.maps.amounts[part]
            chances = np.concatenate([chances, pays.transpose(0, 3, 2, 1)], axis=3)
        theta, length = matrix.theta[part].transpose(0, 2, 1), chances.shape[3]
        mean = (theta[:, :, None] @ chances)[:, :, 0] / matrix.total[part, :, None]
        roots = np.zeros((*place.shape[:2], self.maps.actions + 1, place.shape[2]))
        np.multiply(chances - mean[:, :, None], np.sqrt(theta)[..., None], out=roots[:, :, :-1, :length])
        heavy = np.sqrt(matrix.weight[part])[..., None]
        roots[:, :, -1, :length], roots[:, :, -1, length:] = heavy * mean, -heavy * lift
        return roots

    def _targets(self, k: int, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Entries of the local matrices of slab k that are needed, and where they go in the band."""
        if k in self._kept:
            return self._kept[k]
        length = place.shape[-1]
        one, other = np.triu_indices(length)
        there, here = place[..., one], place[..., other]
        low, far = np.minimum(there, here), np.abs(there - here)
        live = np.flatnonzero(low >= 0)
        target = (low * (self._breadth + 1) + far).reshape(-1)[live]
        cell, pair = np.divmod(live, one.size)
        result = cell * length**2 + (one * length + other)[pair], target
        if len(self._slabs) <= MANY:
            self._kept[k] = result
        return result

    def solve(self, right: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
        """x (T, width), nothing beyond reach; to the accuracy `REFINED` or `LAST` where the factor is single."""
        if self.single:
            x = self._refined(right, guess)
            if x is not None:
                return x
            self._double()
            if not self._factored(self.matrix):
                raise np.linalg.LinAlgError("the Newton matrix is not positive definite")
        return self._solved(right)

    def _solved(self, right: np.ndarray) -> np.ndarray:
        """By the factor alone, in its precision."""
        kept, out = self._rank[1:] >= 0, np.zeros_like(right)
        ordered = np.empty(self._size, dtype=self._factor.dtype)
        ordered[self._rank[1:][kept]] = right[kept]
        kernel = scipy.linalg.lapack.spbtrs if self.single else scipy.linalg.lapack.dpbtrs
        out[kept] = kernel(self._factor, ordered, lower=1, overwrite_b=1)[0][self._rank[1:][kept]]
        return out

    def _refined(self, right: np.ndarray, guess: np.ndarray | None) -> np.ndarray | None:
        """Conjugate gradients in double precision with the factor as preconditioner: iterative refinement that also
        survives a poor factor.  None where it takes too many passes, and double precision is at hand."""
        kept = self._rank[1:] >= 0
        scale = np.zeros_like(right)
        scale[kept] = 1.0 / self._diagonal[self._rank[1:][kept]]
        accuracy, most = (REFINED, PASSES) if self._may_double else (LAST, PATIENCE)
        goal = accuracy**2 * float(np.vdot(right, scale * right))
        x = np.zeros_like(right) if guess is None else guess.copy()
        residual = right.copy() if guess is None else right - self.matrix.apply(x)
        direction, size = np.zeros_like(right), 1.0
        for _ in range(most):
            if float(np.vdot(residual, scale * residual)) <= goal:
                return x
            look()
            largest = float(np.abs(residual).max())  # in single precision the smallest numbers are none
            solved = self._solved(residual / largest) * largest
            before, size = size, float(np.vdot(residual, solved))
            direction = solved + size / before * direction
            image = self.matrix.apply(direction)
            self.passes += 1
            length = size / float(np.vdot(direction, image))
            if not math.isfinite(length):
                return None
            x += length * direction
            residual -= length * image
        return None if self._may_double else x

    @cached_property
    def _lifts(self) -> tuple[np.ndarray, np.ndarray]:
        """Which values E' V adds up in a state, and with what factors, (states, length) each."""
        n, lift = self.maps.states, self.maps._lift
        if lift is None:
            return np.arange(n)[:, None], np.ones((n, 1))
        count = np.diff(lift.indptr)
        state, slot = np.repeat(np.arange(n), count), np.arange(lift.nnz) - np.repeat(lift.indptr[:-1], count)
        which, factor = np.repeat(np.arange(n)[:, None], count.max(), axis=1), np.zeros((n, count.max()))
        which[state, slot], factor[state, slot] = lift.indices, lift.data
        return which, factor

    @cached_property
    def _slabs(self) -> list[slice]:
        """Steps whose local matrices are made together."""
        length = self.maps.neighbourhoods.successors.shape[2] + self.maps.prices + self._lifts[0].shape[1]
        many = max(1, SLAB // (self.maps.states * length**2))
        return [slice(t, min(t + many, self.maps.steps)) for t in range(0, self.maps.steps, many)]

    def _places(self, rank: np.ndarray, part: slice) -> np.ndarray:
        """Ranks (steps, states, length) of all that meets in a state: its successors, the prices, its own value."""
        n, near = self.maps.states, self.maps.neighbourhoods.successors
        times = np.arange(part.start, part.stop)[:, None, None]
        after = rank[times + 1, near if near.shape[0] == 1 else near[part]]
        prices = np.broadcast_to(rank[part.start + 1 : part.stop + 1, None, n:], (*after.shape[:2], self.maps.prices))
        return np.concatenate([after, prices, rank[times, self._lifts[0]]], axis=2)

    def _plan(self) -> None:
        """The narrower of the two orders: the rank (T+1, width) of every unknown, -1 of those that are none."""
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        maps, n, near = self.maps, self.maps.states, self.maps.neighbourhoods.successors
        other = np.concatenate([near.transpose(1, 0, 2).reshape(n, -1), self._lifts[0]], axis=1)
        graph = sparse.csr_array((np.ones(other.size), other.reshape(-1), np.arange(n + 1) * other.shape[1]), (n, n))
        place = np.argsort(reverse_cuthill_mckee(graph + graph.T, symmetric_mode=True)) + 1
        place = np.append(place, np.zeros(maps.prices, dtype=int))  # a price stands before the values of its time
        kept = np.concatenate([self.reach, np.ones((maps.steps + 1, maps.prices), dtype=bool)], axis=1)
        kept[0] = False
        times = np.arange(maps.steps + 1)[:, None]
        self._size = int(kept.sum())
        result = []
        for key in (times * (n + 1) + place, place * (maps.steps + 1) + times):
            rank = np.full(kept.shape, -1)
            rank[kept] = np.argsort(np.argsort(key[kept], kind="stable"))
            wide = [_spread(self._places(rank, part)) for part in self._slabs]
            result.append((max(*wide, _spread(rank[-1][self._lifts[0]])), rank))
        self._breadth, self._rank = min(result, key=lambda one: one[0])


def _spread(place: np.ndarray) -> int:
    """Largest distance of ranks (..., length) that meet."""
    least = np.where(place >= 0, place, np.iinfo(place.dtype).max).min(axis=-1)
    return max(0, int((place.max(axis=-1) - least).max()))


def _add(band: np.ndarray, roots: np.ndarray, source: np.ndarray, target: np.ndarray) -> None:
    """Add roots' roots, a small matrix for each state, to the band."""
    local = np.ascontiguousarray(roots.swapaxes(-1, -2)) @ roots  # a view would be multiplied three times slower
    np.add.at(band.reshape(-1), target, local.reshape(-1)[source].astype(band.dtype, copy=False))
