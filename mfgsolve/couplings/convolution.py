"""Nonlocal couplings: agents mind the crowd around them, f = K * rho with a symmetric kernel."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from mfgsolve.couplings.base import Bound, Coupling, total
from mfgsolve.errors import InputError, numbers, real
from mfgsolve.grids import Grid
from mfgsolve.inputs.calls import ask
from mfgsolve.spaces import Space, Volumes

__all__ = ["Nonlocal"]


@dataclass(frozen=True, eq=False)
class Nonlocal(Coupling):
    """f = strength K * rho, K symmetric: an agent minds the crowd around it; F = strength <rho, K * rho> / 2.

    Parameters
    ----------
    strength : of the interaction
    width : standard deviation of a Gaussian kernel of unit mass, applied axis by axis (separable)
    monotone : for a kernel: that its Fourier transform is nowhere negative (checked); a Gaussian always is
    kernel : instead of ``width``, a function of displacements ``kernel(dx, dy, ...)`` (x first), applied by FFT; it
        must be even

    Densities outside the box are zero.  On a periodic axis the Gaussian sums over images, a kernel sees the nearest.
    """

    strength: float = 1.0
    width: float | None = None
    kernel: Callable[..., Any] | None = None
    monotone: bool = False
    is_local = False

    def __post_init__(self) -> None:
        if (self.width is None) == (self.kernel is None):
            raise InputError("a nonlocal coupling needs either a width or a kernel, and not both")
        if not math.isfinite(real(self.strength, "strength of the nonlocal coupling")):
            raise InputError(f"nonlocal strength is {self.strength}; it must be finite")
        if self.width is not None and not (math.isfinite(real(self.width, "nonlocal width")) and self.width > 0):
            raise InputError(f"nonlocal width is {self.width}; it must be positive")

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return self.strength >= 0 and (self.width is not None or self.monotone)

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        if not isinstance(grid, Grid):
            raise InputError(
                f"a nonlocal coupling needs distances, which a {type(grid).__name__} has not; use Interaction"
            )
        if self.width is not None:
            return _BoundSeparable(self.strength, [_smoothing(a, self.width) for a in grid.axes], grid.volumes)
        if not grid.even:
            raise InputError(
                "a kernel of displacements is applied by FFT, which needs cells that are alike; on this grid state a "
                "width instead, or an Interaction with the matrix of the kernel"
            )
        return _bind_kernel(self, grid)


def _smoothing(axis: Any, width: float) -> np.ndarray:
    """Symmetric matrix of a Gaussian of unit mass between the cells of one axis, times the widths of its rows."""
    widest = float(axis.widths.max())
    if width < widest / 2:
        raise InputError(
            f"nonlocal width {width:g} lies below half the spacing {widest:g} of axis {axis.name}: its mass "
            "falls between the cells; take more cells, a wider kernel, or CrowdAversion"
        )
    gaps = axis.centres[:, None] - axis.centres[None, :]
    images = math.ceil(8 * width / axis.length) + 1 if axis.periodic else 0
    shifts = np.arange(-images, images + 1) * axis.length
    weights = sum(np.exp(-((gaps + shift) ** 2) / (2 * width**2)) for shift in shifts)
    return np.asarray(weights * axis.widths[:, None] / (width * math.sqrt(2 * math.pi)))


class _BoundQuadratic(Bound):
    """f linear in rho: everything follows from one application of the kernel."""

    volumes: Volumes

    @abstractmethod
    def apply(self, rho: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def itself(self) -> np.ndarray | float:
        """What a whole crowd in one cell costs itself there, for every cell."""

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray:
        mean = self.apply(rho)
        return np.asarray(mean + (self.itself() - mean) / agents)

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.apply(rho)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return total(0.5 * rho * self.apply(rho), self.volumes)

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return self.apply(change)


@dataclass(frozen=True, eq=False)
class _BoundSeparable(_BoundQuadratic):
    strength: float
    matrices: Sequence[np.ndarray]
    volumes: Volumes

    def apply(self, rho: np.ndarray) -> np.ndarray:
        out = rho
        for axis, matrix in enumerate(self.matrices, start=1):
            out = np.moveaxis(np.tensordot(out, matrix, axes=(axis, 0)), -1, axis)
        return np.ascontiguousarray(self.strength * out)

    def itself(self) -> np.ndarray:
        meshes = np.ix_(*(np.diagonal(matrix) for matrix in self.matrices))
        return np.asarray(self.strength / self.volumes * math.prod(meshes))


@dataclass(frozen=True, eq=False)
class _BoundKernel(_BoundQuadratic):
    strength: float
    transform: np.ndarray
    sizes: tuple[int, ...]
    shape: tuple[int, ...]
    volume: float

    @property
    def volumes(self) -> float:  # type: ignore[override]
        return self.volume

    def apply(self, rho: np.ndarray) -> np.ndarray:
        axes = tuple(range(1, rho.ndim))
        spectrum = scipy.fft.rfftn(rho, s=self.sizes, axes=axes)
        full = scipy.fft.irfftn(spectrum * self.transform, s=self.sizes, axes=axes)
        return np.ascontiguousarray(self.strength * full[(slice(None), *(slice(0, n) for n in self.shape))])

    def itself(self) -> float:
        kernel = scipy.fft.irfftn(self.transform, s=self.sizes)
        return float(self.strength / self.volume * kernel.reshape(-1)[0])


def _weights(kernel: Any, gaps: Sequence[np.ndarray], sizes: tuple[int, ...]) -> np.ndarray:
    """The kernel at these displacements."""
    call = f"({', '.join('d' + name for name in 'xyz'[: len(gaps)])})"
    weights = numbers(ask(kernel, tuple(gaps), "nonlocal kernel", call), "nonlocal kernel")
    try:
        return np.broadcast_to(weights, sizes)
    except ValueError:
        raise InputError(
            f"nonlocal kernel gives an array of shape {weights.shape} for displacements of shape {sizes}; it must "
            "give one number for each"
        ) from None


def _bind_kernel(coupling: Nonlocal, grid: Grid) -> _BoundKernel:
    kernel: Any = coupling.kernel
    sizes = tuple(a.cells if a.periodic else 2 * a.cells for a in grid.axes)
    gaps = []
    for axis, size in zip(grid.axes, sizes, strict=True):
        index = np.arange(size)
        gaps.append(np.where(index <= size // 2, index, index - size) * axis.spacing)
    mesh = np.meshgrid(*gaps, indexing="ij")[::-1]
    weights, mirrored = (_weights(kernel, gaps, sizes) for gaps in (mesh, [-g for g in mesh]))
    if not np.isfinite(weights).all():
        raise InputError("the nonlocal kernel gives values that are not finite")
    if not np.allclose(weights, mirrored, rtol=1e-12, atol=1e-14 * np.abs(weights).max()):
        raise InputError("the nonlocal kernel is not even (kernel(d) != kernel(-d)), so the game has no potential")
    transform = scipy.fft.rfftn(0.5 * (weights + mirrored) * grid.cell_volume).real
    if coupling.monotone and transform.min() < -1e-12 * np.abs(transform).max():
        raise InputError(
            f"the nonlocal kernel is stated to be monotone, and its Fourier transform reaches {transform.min():.3g}; "
            "leave monotone=False"
        )
    return _BoundKernel(coupling.strength, transform, sizes, grid.shape, grid.cell_volume)
