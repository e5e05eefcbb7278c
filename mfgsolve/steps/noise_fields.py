"""Noise of a viscosity that differs from axis to axis, from place to place and from time to time, as a factor.

Along each axis a cell i goes to its neighbours j at rates k_ij (chances per step), d_ij apart from them and of width
h_i, no cell to or from a blocked one, none through a wall:

    "ito"          k_ij = nu_i dt / (d_ij h_i)                   dX = sqrt(2 nu(t, X)) dW, L V = nu Lap V
    "divergence"   k_ij = (nu_i + nu_j) / 2 dt / (d_ij h_i)      L V = div(nu grad V), which keeps an even density even

In the first form agents gather where there is less noise (with nothing else at work the density is as 1 / nu in the
end), in the second they do not.  nu is that of the start of the step.  With L_k the rates along axis k, less what goes
out, and N = prod_k (I - L_k)^-1 (implicit) or I + sum_k L_k (explicit), ``expect`` is N and ``push`` its transpose:
where cells go at rates of their own N is not symmetric.  All chances are positive and sum to 1.

Implicit noise is made of walks (`mfgsolve.steps.walks`) whose chances differ from cell to cell: a sweep there and one
back, which lose no mass, and which single agents can take.

Sources: Kushner and Dupuis, doi:10.1007/978-1-4613-0007-6; Gardiner, Handbook of Stochastic Methods, section 4.3 (the
two forms).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.grids import Grid
from mfgsolve.inputs.memory import affordable
from mfgsolve.kernels.line_walks import applied
from mfgsolve.steps.factors import Factor, MatrixFactor
from mfgsolve.steps.walks import LineWalk, line_shares

__all__ = ["FORMS", "ExplicitFieldNoise", "FieldNoise", "noise_rates"]

FORMS = ("ito", "divergence")


def noise_rates(space: Grid, axis: int, diffused: np.ndarray, form: str) -> tuple[np.ndarray, np.ndarray]:
    """Chances per step of each cell to go to the one after and before it along an axis, (levels, *shape) each.

    Parameters
    ----------
    axis : of the arrays of the grid
    diffused : nu dt (levels, *shape)
    form : "ito" or "divergence"
    """
    own, place = space.axes[axis], axis - space.ndim
    across = (-1, *(1,) * (-1 - place))
    distance, width = own.distances.reshape(across), own.widths.reshape(across)
    free = ~space.mask
    open_ = free & np.roll(free, -1, place)
    if not own.periodic:
        open_ &= (np.arange(own.cells) < own.cells - 1).reshape(across)
    shut = np.roll(open_, 1, place)
    diffused = np.where(free, diffused, 0.0)
    after = before = diffused
    if form == "divergence":
        after = 0.5 * (diffused + np.roll(diffused, -1, place))
        before = np.roll(after, 1, place)
    return open_ * after / (distance * width), shut * before / (np.roll(distance, 1, place) * width)


class FieldNoise(Factor):
    """Implicit noise N = prod_k (I - L_k)^-1; see the module.

    Parameters
    ----------
    space : a `Grid`
    dt : time of one step
    viscosity : nu of each axis in the order of the arrays (..., y, x), (1 or steps, *shape), zero or positive
    form : "ito" or "divergence"
    """

    adds_viscosity = False

    def __init__(self, space: Grid, dt: float, viscosity: tuple[np.ndarray, ...], form: str):
        self.is_steady, self.cells = max(map(len, viscosity)) == 1, space.size
        affordable(
            sum(len(level) for level in viscosity) * space.size * 4, 8,
            f"noise of {space.size} cells that changes in each of {max(map(len, viscosity))} steps",
        )  # fmt: skip
        self._lines: list[tuple[int, int, bool, np.ndarray, np.ndarray]] = []  # cells, stride, ring, chances; x first
        for axis in reversed(range(space.ndim)):
            own = space.axes[axis]
            if not viscosity[axis].any():
                continue
            rates = noise_rates(space, axis, dt * viscosity[axis], form)
            onward, backward = (np.moveaxis(rate, axis + 1, -1) for rate in rates)
            shares = line_shares(onward, backward, own.periodic)
            stride = math.prod(space.shape[axis + 1 :])
            right, left = (
                np.ascontiguousarray(np.moveaxis(share, -1, axis + 1)).reshape(len(share), -1, own.cells, stride)
                for share in shares
            )
            self._lines.append((own.cells, stride, own.periodic, right, left))

    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """N value: the last axis first."""
        return self._applied(t, value, False)

    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """N' mass: along x first."""
        return self._applied(t, mass, True)

    def _applied(self, t: int, level: np.ndarray, transpose: bool) -> np.ndarray:
        out = np.array(level, dtype=float)
        for cells, stride, ring, right, left in self._lines if transpose else reversed(self._lines):
            at = t if len(right) > 1 else 0
            out = applied(out.reshape(-1, cells, stride), right[at], left[at], ring, transpose)
        return out.reshape(level.shape)

    def walks(self, cells: int) -> list[LineWalk] | None:
        """N as walks; of a viscosity that rests.

        Raises
        ------
        InputError
            for one that changes with time
        """
        if not self.is_steady:
            raise InputError(
                "the viscosity changes with time, and agents one by one take implicit noise by walks that are the same "
                "in all steps; take noise = 'explicit' (and as many steps as that needs), or a viscosity that rests; "
                "densities and certificates need neither"
            )
        return [LineWalk(n, stride, ring, right.reshape(-1), left.reshape(-1)) for n, stride, ring, right, left
                in self._lines]  # fmt: skip


class ExplicitFieldNoise(MatrixFactor):
    """Explicit noise N = I + sum_k L_k; see the module.

    Raises
    ------
    InputError
        where more than all agents of a cell would leave it in one step
    """

    adds_viscosity = False

    def __init__(self, space: Grid, dt: float, viscosity: tuple[np.ndarray, ...], form: str):
        steps, size = max(map(len, viscosity)), space.size
        affordable(steps * size * (2 * space.ndim + 1), 24, f"explicit noise of {size} cells in {steps} steps")
        cells, near, rates = np.arange(size).reshape(space.shape), [], []
        for axis in reversed(range(space.ndim)):
            sides = noise_rates(space, axis, dt * viscosity[axis], form)
            rates += [np.broadcast_to(side, (steps, *space.shape)).reshape(steps, -1) for side in sides]
            near += [np.roll(cells, shift, axis).reshape(-1) for shift in (-1, 1)]
        gone: np.ndarray = np.sum(rates, axis=0)
        most = float(np.max(gone))
        if most > 1.0:
            raise InputError(
                f"explicit noise needs sum nu dt (1/(d h) + 1/(d' h)) <= 1 in every cell and has {most:.4g}; take a "
                f"time step at most {dt / most:.4g} (about {math.ceil(most / dt)} steps per unit of time) or "
                "noise='implicit'"
            )
        rows, columns = np.tile(cells.reshape(-1), len(near) + 1), np.concatenate([cells.reshape(-1), *near])
        matrices = []
        for t in range(steps):
            entries = np.concatenate([1.0 - gone[t], *(rate[t] for rate in rates)])
            matrix = sparse.csr_array(sparse.coo_array((entries, (rows, columns)), shape=(size, size)))
            matrix.eliminate_zeros()
            matrices.append(matrix)
        super().__init__(matrices)
