"""What a coupling is: stated by the user, bound to a grid and to times; the sum of several, and multiples."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, real, unknown
from mfgsolve.spaces import Space, Volumes, integral

__all__ = [
    "TARGETS", "Bound", "BoundDerived", "Coupling", "Derived", "Scaled", "Sum", "by_target", "scaled", "target",
    "unscaled",
]  # fmt: skip

TARGETS = ("state", "occupation", "aggregate")


def target(on: str, what: str) -> str:
    """Check what a coupling says that it acts on."""
    if on not in TARGETS[:2]:
        raise InputError(unknown(f"target of the {what}", on, TARGETS[:2]))
    return on


class Bound(ABC):
    """A coupling on one grid at given times; ``nodes`` is a slice of those times.

    Attributes
    ----------
    sees_history : whether what it costs at a node depends on the crowds before it, so that it is asked for all at once
    is_fused : whether it has a kernel, `fused`
    is_target : whether the upper bound of the density is what the density has to be
    """

    sees_history = False
    is_fused = False
    is_target = False

    @abstractmethod
    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray: ...

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        """f'(rho), pointwise; None where the coupling is not local or not differentiable."""
        return None

    def fused(
        self, nodes: slice, mass: np.ndarray, cost: np.ndarray | None = None, slope: np.ndarray | None = None,
        factors: np.ndarray | None = None, weights: np.ndarray | None = None,
    ) -> float:  # fmt: skip
        """sum_t weights_t F_t of masses (levels, cells), in one pass, which also fills ``cost`` with f and ``slope``
        with factors_t f', where they are given; only where `is_fused`."""
        raise NotImplementedError

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Derivative of f at rho in the direction ``change``."""
        slope = self.slope(nodes, rho)
        if slope is None:
            raise InputError(f"{type(self).__name__} has no derivative")
        return slope * change

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        """f''(rho), pointwise; None where it is not known.  The social optimum needs it."""
        return None

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray | None:
        """Expected f for one of ``agents`` agents (in every population) who looks at the empirical density, itself
        included, where all others are independent and of density rho; None where no closed form is known."""
        return None

    @property
    def parts(self) -> tuple[Bound, ...]:
        """The couplings that a sum is made of."""
        return (self,)

    def lowered(self, lower: Callable[[np.ndarray], np.ndarray]) -> Bound:
        """The same without what everybody pays: ``lower`` takes it out of a field (levels, ...) of costs."""
        return self

    def bounds(self, nodes: slice) -> tuple[np.ndarray, np.ndarray] | None:
        """Lowest and highest density (or aggregate) allowed, arrays that broadcast; None where nothing is capped."""
        return None


class Coupling(ABC):
    """What the user states; ``bind`` turns it into arrays.

    ``on`` says what it acts on: the density of agents on the space ("state"), the density of their choices on
    `Choices` ("occupation"), or an "aggregate" of the choices, one number a step.
    """

    on: str = "state"
    is_potential: bool = True
    is_monotone: bool = True
    is_local: bool = True
    is_differentiable: bool = True
    is_hard: bool = False
    is_steep: bool = False  # f' grows without bound where nobody is
    is_smooth: bool = False  # f analytic in a positive density: no kink, no jump, no floor
    is_constant: bool = False  # f the same whatever the crowd does

    @abstractmethod
    def bind(self, grid: Space, times: np.ndarray) -> Bound: ...

    def __add__(self, other: Coupling) -> Sum:
        if not isinstance(other, Coupling):
            raise InputError(
                f"a coupling plus a {type(other).__name__} is no coupling; write RunningCost(...) around it"
            )
        return Sum((self, other))

    def __mul__(self, factor: float) -> Coupling:
        return scaled(self, factor)

    __rmul__ = __mul__


def levels_at(array: np.ndarray, nodes: slice) -> np.ndarray:
    """Levels of a sampled field; a field that does not move has a single level."""
    return array if array.shape[0] == 1 else array[nodes]


def nonnegative(array: np.ndarray, what: str) -> np.ndarray:
    if array.min() < 0:
        raise InputError(f"{what} is negative ({array.min():g}); it must be zero or positive for a crowd-averse game")
    return array


def total(array: np.ndarray, volumes: Volumes) -> np.ndarray:
    """Integral over the space of each level of (levels, *shape)."""
    if isinstance(volumes, np.ndarray):
        return integral(array, volumes, tuple(range(1, array.ndim)))
    return np.asarray(array.reshape(array.shape[0], -1).sum(axis=1) * volumes)


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
        object.__setattr__(self, "is_hard", any(term.is_hard for term in flat))
        object.__setattr__(self, "is_steep", any(term.is_steep for term in flat))
        targets = {term.on for term in flat}
        object.__setattr__(self, "on", targets.pop() if len(targets) == 1 else "several")

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        if self.on == "several":
            raise InputError("a sum of couplings on states and on choices is bound term by term")
        return _BoundSum([term.bind(grid, times) for term in self.terms])


@dataclass(frozen=True, eq=False)
class _BoundSum(Bound):
    terms: list[Bound]

    @property
    def parts(self) -> tuple[Bound, ...]:
        return tuple(self.terms)

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.cost(nodes, rho) for term in self.terms))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.potential(nodes, rho) for term in self.terms))

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        slopes = [term.slope(nodes, rho) for term in self.terms]
        return None if any(s is None for s in slopes) else np.asarray(sum(slopes))  # type: ignore[arg-type]

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return np.asarray(sum(term.tangent(nodes, rho, change) for term in self.terms))

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        seconds = [term.second(nodes, rho) for term in self.terms]
        return None if any(s is None for s in seconds) else np.asarray(sum(seconds))  # type: ignore[arg-type]

    def lowered(self, lower: Callable[[np.ndarray], np.ndarray]) -> Bound:
        return _BoundSum([term.lowered(lower) for term in self.terms])

    def bounds(self, nodes: slice) -> tuple[np.ndarray, np.ndarray] | None:
        result = [b for b in (term.bounds(nodes) for term in self.terms) if b is not None]
        if not result:
            return None
        lower, upper = result[0]
        for low, high in result[1:]:
            lower, upper = np.maximum(lower, low), np.minimum(upper, high)
        return lower, upper


# -- made from another one --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Derived(Coupling):
    """A coupling made from another one: it acts where that acts, and claims what that claims or says otherwise."""

    of: Coupling

    @property
    def on(self) -> str:  # type: ignore[override]
        return self.of.on

    @property
    def is_local(self) -> bool:  # type: ignore[override]
        return self.of.is_local

    @property
    def is_differentiable(self) -> bool:  # type: ignore[override]
        return self.of.is_differentiable

    @property
    def is_hard(self) -> bool:  # type: ignore[override]
        return self.of.is_hard

    @property
    def is_steep(self) -> bool:  # type: ignore[override]
        return self.of.is_steep

    def amounts_on(self, *where: Any) -> np.ndarray:
        """alpha of a price, which is no part of its cost; see `Price`."""
        return self.of.amounts_on(*where)  # type: ignore[attr-defined,no-any-return]


@dataclass(frozen=True, eq=False)
class BoundDerived(Bound):
    """The same on a grid: with the bounds of the other one, and as far a memory."""

    of: Bound

    @property
    def sees_history(self) -> bool:  # type: ignore[override]
        return self.of.sees_history

    def bounds(self, nodes: slice) -> tuple[np.ndarray, np.ndarray] | None:
        return self.of.bounds(nodes)


# -- multiples --------------------------------------------------------------------------------------------------------


def scaled(coupling: Coupling, factor: Any) -> Coupling:
    """The coupling times a number; a sum term by term.

    Raises
    ------
    InputError
        for what is no finite number, and for a hard bound times a number that is not positive
    """
    number = real(factor, f"factor of the {type(coupling).__name__}")
    if isinstance(coupling, Sum):
        return Sum(tuple(scaled(term, number) for term in coupling.terms))
    if isinstance(coupling, Scaled):
        return Scaled(coupling.of, number * coupling.factor)
    return Scaled(coupling, number)


def unscaled(coupling: Coupling) -> Coupling:
    """What a coupling is a multiple of; itself where it is none."""
    return coupling.of if isinstance(coupling, Scaled) else coupling


@dataclass(frozen=True, eq=False)
class Scaled(Derived):
    """A multiple, ``2 * CrowdAversion(...)``: cost factor f, potential factor F; bounds stay.

    A negative factor makes a crowd that shuns itself one that gathers, and the game no monotone one.
    """

    factor: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.factor):
            raise InputError(f"factor of the {type(self.of).__name__} is {self.factor}; a finite number is needed")
        if self.of.is_hard and self.factor <= 0:
            raise InputError(
                f"the {type(self.of).__name__} has hard bounds, which have no multiple by {self.factor:g}; a positive "
                "factor is needed (it leaves the bounds as they are)"
            )

    @property
    def is_potential(self) -> bool:  # type: ignore[override]
        return self.of.is_potential

    @property
    def is_monotone(self) -> bool:  # type: ignore[override]
        return self.factor == 0 or (self.of.is_monotone and (self.factor > 0 or self.of.is_constant))

    @property
    def is_steep(self) -> bool:  # type: ignore[override]
        return self.of.is_steep and self.factor != 0

    @property
    def is_smooth(self) -> bool:  # type: ignore[override]
        return self.of.is_smooth

    @property
    def is_constant(self) -> bool:  # type: ignore[override]
        return self.of.is_constant

    @property
    def total_is_convex(self) -> bool | None:
        """What it says of its total cost, None where it says nothing; see `mfgsolve.couplings.social`."""
        said: bool | None = getattr(self.of, "total_is_convex", None)
        return said if self.factor >= 0 or said is None else False

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundScaled(self.of.bind(grid, times), self.factor)


@dataclass(frozen=True, eq=False)
class _BoundScaled(BoundDerived):
    factor: float

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(self.factor * self.of.cost(nodes, rho))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(self.factor * self.of.potential(nodes, rho))

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        return self._times(self.of.slope(nodes, rho))

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return np.asarray(self.factor * self.of.tangent(nodes, rho, change))

    def adjoint(self, nodes: slice, rho: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
        own = getattr(self.of, "adjoint", None)
        return None if own is None else self._times(own(nodes, rho, weight))

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        return self._times(self.of.second(nodes, rho))

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray | None:
        return self._times(self.of.cost_among(nodes, rho, agents))

    def lowered(self, lower: Callable[[np.ndarray], np.ndarray]) -> Bound:
        if self.factor == 0:
            return self
        return _BoundScaled(self.of.lowered(lambda field: lower(field * self.factor) / self.factor), self.factor)

    def _times(self, array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else np.asarray(self.factor * array)


# -- what they act on -------------------------------------------------------------------------------------------------


def by_target(coupling: Coupling) -> dict[str, list[Coupling]]:
    """Terms of a coupling by what they act on; all that act on states or choices as one sum, aggregates one by one."""
    terms = coupling.terms if isinstance(coupling, Sum) else (coupling,)
    groups: dict[str, list[Coupling]] = {}
    for term in terms:
        if term.on not in TARGETS:
            raise InputError(unknown(f"target of the coupling {type(term).__name__}", term.on, TARGETS))
    for on in TARGETS:
        result = [term for term in terms if term.on == on]
        if result:
            groups[on] = result if on == "aggregate" or len(result) == 1 else [Sum(tuple(result))]
    return groups
