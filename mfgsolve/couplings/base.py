"""What a coupling is: stated by the user, bound to a grid and to times; and the sum of several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mfgsolve.errors import InputError, unknown
from mfgsolve.spaces import Space, Volumes, integral

__all__ = ["TARGETS", "Bound", "Coupling", "Sum", "by_target", "target"]

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
    """

    sees_history = False
    is_fused = False

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

    @abstractmethod
    def bind(self, grid: Space, times: np.ndarray) -> Bound: ...

    def __add__(self, other: Coupling) -> Sum:
        if not isinstance(other, Coupling):
            raise InputError(
                f"a coupling plus a {type(other).__name__} is no coupling; write RunningCost(...) around it"
            )
        return Sum((self, other))


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
