"""What the crowd does to an agent: f_t(x, m), a cost per unit time, in terms of the density.

A coupling is stated with numbers and fields, and *bound* to a grid and a list of times, which gives a `Bound` object
that works on arrays of densities ``rho (levels, *shape)`` for a slice of time nodes:

- ``cost``       f, per unit time
- ``potential``  F with f = dF/d rho, summed over cells times cell volume, one number a level
- ``slope``      f' where the coupling is local, else None
- ``tangent``    the derivative of f applied to a change of density

``is_potential`` says that F exists (local, or a symmetric kernel); ``is_monotone`` that F is convex (a crowd-averse
game: one equilibrium).  `check_coupling` tests both numerically for any coupling.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from mfgsolve.errors import InputError
from mfgsolve.fields import Field, sample_nodes
from mfgsolve.grids import Coordinates, Grid

__all__ = [
    "Bound",
    "Congestion",
    "Coupling",
    "CouplingReport",
    "CrowdAversion",
    "CustomCoupling",
    "LogCongestion",
    "Nonlocal",
    "RunningCost",
    "Sum",
    "check_coupling",
]


class Bound(ABC):
    """A coupling on one grid at given times; ``nodes`` is a slice of those times."""

    @abstractmethod
    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray: ...

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        """f'(rho), pointwise; None where the coupling is not local or not differentiable."""
        return None

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Derivative of f at rho in the direction ``change``."""
        slope = self.slope(nodes, rho)
        if slope is None:
            raise InputError(f"{type(self).__name__} has no derivative")
        return slope * change


class Coupling(ABC):
    """What the user states; ``bind`` turns it into arrays."""

    is_potential: bool = True
    is_monotone: bool = True
    is_local: bool = True
    is_differentiable: bool = True

    @abstractmethod
    def bind(self, grid: Grid, times: np.ndarray) -> Bound: ...

    def __add__(self, other: Coupling) -> Sum:
        return Sum((self, other))


def _at(array: np.ndarray, nodes: slice) -> np.ndarray:
    """Levels of a sampled field; a field that does not move has a single level."""
    return array if array.shape[0] == 1 else array[nodes]


def _nonnegative(array: np.ndarray, what: str) -> np.ndarray:
    if (array < 0).any():
        raise InputError(f"{what} is negative ({array.min():g}); it must be zero or positive for a crowd-averse game")
    return array


def _total(array: np.ndarray, volume: float) -> np.ndarray:
    return array.reshape(array.shape[0], -1).sum(axis=1) * volume


@dataclass(frozen=True, eq=False)
class Congestion(Coupling):
    """Shared reward: f = -r / (1 + c rho), F = -(r/c) log(1 + c rho).

    Parameters
    ----------
    reward : r(t, X) >= 0, reward per unit time
    congestion : c > 0, volume
    """

    reward: Field
    congestion: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.congestion) and self.congestion > 0):
            raise InputError(f"congestion is {self.congestion}; it must be positive (use RunningCost for no crowding)")

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        reward = _nonnegative(sample_nodes(self.reward, times, grid, "congestion reward"), "congestion reward")
        return _BoundCongestion(reward, self.congestion, grid.cell_volume)


@dataclass(frozen=True, eq=False)
class _BoundCongestion(Bound):
    reward: np.ndarray
    congestion: float
    volume: float

    def _crowd(self, rho: np.ndarray) -> np.ndarray:
        crowd = rho * self.congestion
        crowd += 1.0
        return crowd

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        out = np.divide(_at(self.reward, nodes), self._crowd(rho))
        return np.negative(out, out=out)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return _total(-(_at(self.reward, nodes) / self.congestion) * np.log1p(self.congestion * rho), self.volume)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        crowd = self._crowd(rho)
        np.multiply(crowd, crowd, out=crowd)
        np.divide(self.congestion, crowd, out=crowd)
        crowd *= _at(self.reward, nodes)
        return crowd


@dataclass(frozen=True, eq=False)
class CrowdAversion(Coupling):
    """f = strength rho^power, F = strength rho^(power+1) / (power+1); power 1 is the linear one."""

    strength: Field = 1.0
    power: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.power) and self.power > 0):
            raise InputError(f"crowd aversion has power {self.power}; it must be positive")

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        strength = _nonnegative(sample_nodes(self.strength, times, grid, "crowd aversion"), "crowd aversion strength")
        return _BoundPower(strength, self.power, grid.cell_volume)


@dataclass(frozen=True, eq=False)
class _BoundPower(Bound):
    strength: np.ndarray
    power: float
    volume: float

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(_at(self.strength, nodes) * (rho if self.power == 1 else rho**self.power))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        p = self.power + 1
        return _total(_at(self.strength, nodes) * (rho**p / p), self.volume)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        if self.power == 1:
            return np.broadcast_to(_at(self.strength, nodes), rho.shape)
        with np.errstate(divide="ignore"):
            return np.asarray(_at(self.strength, nodes) * (self.power * rho ** (self.power - 1)))


@dataclass(frozen=True, eq=False)
class LogCongestion(Coupling):
    """f = strength log(max(rho, floor)), F its integral from 0; ``floor`` keeps empty cells finite and is part of the game."""

    strength: float = 1.0
    floor: float = 1e-12

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise InputError(f"log congestion has strength {self.strength}; it must be zero or positive")
        if not self.floor > 0:
            raise InputError(f"log congestion has floor {self.floor}; it must be positive")

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        return _BoundLog(self.strength, self.floor, grid.cell_volume)


@dataclass(frozen=True, eq=False)
class _BoundLog(Bound):
    strength: float
    floor: float
    volume: float

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(self.strength * np.log(np.maximum(rho, self.floor)))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        a = self.floor  # below the floor F = rho log a; above it a log a + [r log r - r] from a to rho
        above = np.maximum(rho, a)
        return _total(self.strength * (np.minimum(rho, a) * np.log(a) + (above * np.log(above) - above)
                                       - (a * np.log(a) - a)), self.volume)  # fmt: skip

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.where(rho > self.floor, self.strength / np.maximum(rho, self.floor), 0.0)


@dataclass(frozen=True, eq=False)
class RunningCost(Coupling):
    """f = cost(t, X) whatever the crowd does: obstacles, prices, wells; F = cost rho."""

    cost: Field

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        return _BoundRunning(sample_nodes(self.cost, times, grid, "running cost"), grid.cell_volume)


@dataclass(frozen=True, eq=False)
class _BoundRunning(Bound):
    field: np.ndarray
    volume: float

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.broadcast_to(_at(self.field, nodes), rho.shape)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return _total(_at(self.field, nodes) * rho, self.volume)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros_like(rho)


@dataclass(frozen=True, eq=False)
class Nonlocal(Coupling):
    """f = strength K * rho with a symmetric kernel: an agent minds the crowd around it; F = strength <rho, K * rho> / 2.

    Parameters
    ----------
    strength : of the interaction
    width : standard deviation of a Gaussian kernel of unit mass, applied axis by axis (separable)
    kernel : instead of ``width``, a function of displacements ``kernel(dx, dy, ...)`` (x first), applied by FFT; it must
        be even, and the game is monotone if its Fourier transform is nowhere negative

    Densities outside the box are zero; on a periodic axis the kernel wraps.
    """

    strength: float = 1.0
    width: float | None = None
    kernel: Callable[..., Any] | None = None
    is_local = False

    def __post_init__(self) -> None:
        if (self.width is None) == (self.kernel is None):
            raise InputError("a nonlocal coupling needs either a width or a kernel, and not both")
        if self.width is not None and not self.width > 0:
            raise InputError(f"nonlocal width is {self.width}; it must be positive")

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return self.strength >= 0 and self.width is not None

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        if self.width is not None:
            return _BoundSeparable(self.strength, [_smoothing(a, self.width) for a in grid.axes], grid.cell_volume)
        return _bind_kernel(self.strength, self.kernel, grid)


def _smoothing(axis: Any, width: float) -> np.ndarray:
    """Symmetric matrix of a Gaussian of unit mass between the cells of one axis, times the spacing."""
    gaps = axis.centres[:, None] - axis.centres[None, :]
    shifts = np.arange(-8, 9) * axis.length if axis.periodic else np.zeros(1)
    weights = sum(np.exp(-((gaps + shift) ** 2) / (2 * width**2)) for shift in shifts)
    return np.asarray(weights * axis.spacing / (width * math.sqrt(2 * math.pi)))


class _BoundQuadratic(Bound):
    """f linear in rho: everything follows from one application of the kernel."""

    volume: float

    @abstractmethod
    def apply(self, rho: np.ndarray) -> np.ndarray: ...

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.apply(rho)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return _total(0.5 * rho * self.apply(rho), self.volume)

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return self.apply(change)


@dataclass(frozen=True, eq=False)
class _BoundSeparable(_BoundQuadratic):
    strength: float
    matrices: Sequence[np.ndarray]
    volume: float

    def apply(self, rho: np.ndarray) -> np.ndarray:
        out = rho
        for axis, matrix in enumerate(self.matrices, start=1):
            out = np.moveaxis(np.tensordot(out, matrix, axes=(axis, 0)), -1, axis)
        return np.ascontiguousarray(self.strength * out)


@dataclass(frozen=True, eq=False)
class _BoundKernel(_BoundQuadratic):
    strength: float
    transform: np.ndarray
    sizes: tuple[int, ...]
    shape: tuple[int, ...]
    volume: float

    def apply(self, rho: np.ndarray) -> np.ndarray:
        axes = tuple(range(1, rho.ndim))
        spectrum = fft.rfftn(rho, s=self.sizes, axes=axes)
        full = fft.irfftn(spectrum * self.transform, s=self.sizes, axes=axes)
        return np.ascontiguousarray(self.strength * full[(slice(None), *(slice(0, n) for n in self.shape))])


def _bind_kernel(strength: float, kernel: Any, grid: Grid) -> _BoundKernel:
    sizes = tuple(a.cells if a.periodic else 2 * a.cells for a in grid.axes)
    gaps = []
    for axis, size in zip(grid.axes, sizes, strict=True):
        index = np.arange(size)
        gaps.append(np.where(index <= size // 2, index, index - size) * axis.spacing)
    mesh = np.meshgrid(*gaps, indexing="ij")[::-1]
    weights = np.broadcast_to(np.asarray(kernel(*mesh), dtype=float), sizes)
    mirrored = np.broadcast_to(np.asarray(kernel(*(-g for g in mesh)), dtype=float), sizes)
    if not np.isfinite(weights).all():
        raise InputError("the nonlocal kernel gives values that are not finite")
    if not np.allclose(weights, mirrored, rtol=1e-12, atol=1e-14 * np.abs(weights).max()):
        raise InputError("the nonlocal kernel is not even (kernel(d) != kernel(-d)), so the game has no potential")
    transform = fft.rfftn(0.5 * (weights + mirrored) * grid.cell_volume).real
    return _BoundKernel(strength, transform, sizes, grid.shape, grid.cell_volume)


@dataclass(frozen=True, eq=False)
class CustomCoupling(Coupling):
    """A coupling written in NumPy: functions of (t, coordinates, rho), each on one time level.

    Parameters
    ----------
    cost : f(t, c, rho), per unit time
    potential : F(t, c, rho) per unit volume (an array), or None where there is none
    derivative : f'(t, c, rho) where f is local; None leaves only fictitious play and Frank-Wolfe
    monotone : what the author claims; `check_coupling` tests it
    """

    function: Callable[[float, Coordinates, np.ndarray], Any]
    energy: Callable[[float, Coordinates, np.ndarray], Any] | None = None
    derivative: Callable[[float, Coordinates, np.ndarray], Any] | None = None
    monotone: bool = False

    @property
    def is_potential(self) -> bool:  # type: ignore[override]
        return self.energy is not None

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return self.monotone

    @property
    def is_local(self) -> bool:  # type: ignore[override]
        return self.derivative is not None

    @property
    def is_differentiable(self) -> bool:  # type: ignore[override]
        return self.derivative is not None

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        return _BoundCustom(self, grid, np.asarray(times, dtype=float))


@dataclass(frozen=True, eq=False)
class _BoundCustom(Bound):
    coupling: CustomCoupling
    grid: Grid
    times: np.ndarray

    def _levels(self, function: Any, nodes: slice, rho: np.ndarray, what: str) -> np.ndarray:
        out = np.empty_like(rho)
        for k, t in enumerate(self.times[nodes]):
            values = np.asarray(function(float(t), self.grid.coordinates, rho[k]), dtype=float)
            if values.shape not in ((), self.grid.shape):
                raise InputError(f"{what} of the custom coupling has shape {values.shape}; the grid has {self.grid.shape}")
            out[k] = values
        out[:, self.grid.mask] = 0.0
        return out

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._levels(self.coupling.function, nodes, rho, "cost")

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        if self.coupling.energy is None:
            return np.full(rho.shape[0], np.nan)
        return _total(self._levels(self.coupling.energy, nodes, rho, "potential"), self.grid.cell_volume)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        if self.coupling.derivative is None:
            return None
        return self._levels(self.coupling.derivative, nodes, rho, "derivative")


@dataclass(frozen=True, eq=False)
class Sum(Coupling):
    """Sum of couplings; ``a + b`` writes it."""

    terms: tuple[Coupling, ...]

    def __post_init__(self) -> None:
        flat: list[Coupling] = []
        for term in self.terms:
            flat.extend(term.terms if isinstance(term, Sum) else [term])
        object.__setattr__(self, "terms", tuple(flat))
        for flag in ("is_potential", "is_monotone", "is_local", "is_differentiable"):
            object.__setattr__(self, flag, all(getattr(term, flag) for term in flat))

    def bind(self, grid: Grid, times: np.ndarray) -> Bound:
        return _BoundSum([term.bind(grid, times) for term in self.terms])


@dataclass(frozen=True, eq=False)
class _BoundSum(Bound):
    terms: list[Bound]

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.cost(nodes, rho) for term in self.terms))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.potential(nodes, rho) for term in self.terms))

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        slopes = [term.slope(nodes, rho) for term in self.terms]
        return None if any(s is None for s in slopes) else np.asarray(sum(slopes))  # type: ignore[arg-type]

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.tangent(nodes, rho, change) for term in self.terms))


@dataclass(frozen=True)
class CouplingReport:
    """Result of `check_coupling`; asymmetry is relative, NaN where a derivative is missing."""

    asymmetry: float
    smallest_slope: float
    potential_error: float
    is_potential: bool
    is_monotone: bool


def check_coupling(
    coupling: Coupling, grid: Grid, t: float = 0.0, *, samples: int = 16, rng: Any = 0, tol: float = 1e-6
) -> CouplingReport:
    """Test numerically whether a coupling has a potential and is monotone.

    For random densities rho and changes u, v: symmetry |<u, f' v> - <v, f' u>|, monotonicity <f(rho) - f(mu), rho - mu>
    >= 0 divided by |rho - mu|^2, and F against the integral of f (central difference).  A sample can refute, not prove.

    Examples
    --------
    >>> check_coupling(Nonlocal(width=0.1), Grid.box((8, 8))).is_monotone
    True
    """
    bound = coupling.bind(grid, np.array([t]))
    generator = np.random.default_rng(rng)
    free, level, volume = ~grid.mask, slice(0, 1), grid.cell_volume

    def draw() -> np.ndarray:
        rho = np.where(free, generator.gamma(0.5, size=grid.shape), 0.0)
        return np.asarray(rho / (rho.sum() * volume))[None]

    def derivative(rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        step = 1e-5
        return (bound.cost(level, rho + step * change) - bound.cost(level, rho - step * change)) / (2 * step)

    asymmetry, smallest, error = 0.0, math.inf, 0.0
    for _ in range(samples):
        rho, mu = draw() + 1e-3 * free, draw() + 1e-3 * free
        u, v = (rho - mu) * 0.1, (draw() - draw()) * 0.1
        u, v = np.minimum(np.abs(u), rho) * np.sign(u), np.minimum(np.abs(v), rho) * np.sign(v)
        a, b = (u * derivative(rho, v)).sum(), (v * derivative(rho, u)).sum()
        size = math.sqrt((derivative(rho, u) ** 2).sum() * (v**2).sum()) + 1e-300
        asymmetry = max(asymmetry, abs(a - b) / size)
        gap = rho - mu
        smallest = min(smallest, ((bound.cost(level, rho) - bound.cost(level, mu)) * gap).sum() / (gap**2).sum())
        step = 1e-5
        rise = (bound.potential(level, rho + step * u) - bound.potential(level, rho - step * u))[0] / (2 * step)
        exact = (bound.cost(level, rho) * u).sum() * volume
        error = max(error, abs(rise - exact) / (np.abs(bound.cost(level, rho) * u).sum() * volume + 1e-300))
    return CouplingReport(
        float(asymmetry), float(smallest), float(error), bool(asymmetry <= tol), bool(smallest >= -tol)
    )
