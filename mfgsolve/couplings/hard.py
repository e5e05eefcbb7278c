"""Hard caps and prices: a density that must not exceed a cap, and a price set by an aggregate of all choices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling, levels_at, nonnegative
from mfgsolve.errors import InputError, numbers, real, shown
from mfgsolve.fields import Field, own_field, sample_nodes
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.forms import ARRAY, series
from mfgsolve.inputs.labels import Labelled, aligned, owned
from mfgsolve.inputs.tables import group, inline
from mfgsolve.spaces import Choices, Space

__all__ = ["BoundCapacity", "Capacity", "Price", "QuadraticPotential"]

LARGEST = float(np.finfo(float).max)
BOUNDS = group(
    needed=False, inline=True, lower=series("lower bound of the price"), upper=series("upper bound of the price")
)


@dataclass(frozen=True, eq=False)
class Capacity(Coupling):
    """Hard cap on the density, rho <= cap at the start of every step.

    What the last step leads to, at the horizon T, is not capped, unless a Capacity is (part of) the terminal coupling.
    The first node holds the initial density, which has to keep the cap.

    At the equilibrium the cap has a multiplier >= 0, positive only where the cap binds: a price per unit time that
    agents pay for being there (at T: a price paid once).  It is part of the solution (``capacity_multiplier`` in the
    dataset).  Multipliers need not be unique: where capped cells hold the whole crowd, a constant more changes nothing
    that anybody does.  The solution has one of them.

    Parameters
    ----------
    cap : mass per unit volume; a number, or a function of (t, coordinates).  ``inf`` is no cap

    Source: Bonnans, Lavigne and Pfeiffer, arXiv:2106.07463.
    """

    cap: Field
    is_hard = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "cap", own_field(self.cap, "capacity"))

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        sampled = nonnegative(sample_nodes(_finite(self.cap), times, grid, "capacity"), "capacity")
        return BoundCapacity(np.where((sampled == LARGEST) | grid.mask, math.inf, sampled))


def _finite(cap: Any) -> Any:
    """The cap with the largest number for an infinite one: fields must be finite."""
    if callable(cap):
        return _FiniteCap(cap)
    if isinstance(cap, Labelled):
        return Labelled(np.minimum(cap.values, LARGEST), cap.dims, cap.coordinates)
    return np.minimum(cap, LARGEST)


class _FiniteCap:
    """A function of (t, coordinates) whose infinite values are the largest number."""

    def __init__(self, function: Callable[..., Any]):
        self.__wrapped__ = function  # by this name its signature is looked at

    def __call__(self, t: float, c: Any) -> Any:
        given = self.__wrapped__(t, c)
        return np.minimum(given, LARGEST) if hasattr(given, "dims") else np.minimum(numbers(given, "capacity"), LARGEST)


@dataclass(frozen=True, eq=False)
class BoundCapacity(Bound):
    """A cap on a grid."""

    cap: np.ndarray

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros_like(rho)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros(rho.shape[0])

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros_like(rho)

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros_like(rho)

    def bounds(self, nodes: slice) -> tuple[np.ndarray, np.ndarray]:
        cap = levels_at(self.cap, nodes)
        return np.zeros_like(cap), cap


@dataclass(frozen=True)
class QuadraticPotential:
    """phi(t, A) = weight (A - centre(t))^2 / 2: a price weight (A - centre(t)), linear in the aggregate.

    Parameters
    ----------
    weight : > 0
    centre : a number or a function of t
    """

    weight: float = 1.0
    centre: float | Callable[[float], float] = field(default=0.0, metadata={"form": series("centre of the price")})

    def __post_init__(self) -> None:
        if not (math.isfinite(real(self.weight, "weight of the price")) and self.weight > 0):
            raise InputError(f"weight of the price is {self.weight}; it must be positive and finite")
        if not (callable(self.centre) or math.isfinite(real(self.centre, "centre of the price"))):
            raise InputError(f"centre of the price is {self.centre}; it must be finite")

    def _gap(self, t: float, amount: float) -> float:
        if not callable(self.centre):
            return amount - float(self.centre)
        return amount - real(
            ask(self.centre, (t,), "centre of the price", "(t)", f" at t = {t:g}"), "centre of the price"
        )

    def value(self, t: float, amount: float) -> float:
        return 0.5 * self.weight * self._gap(t, amount) ** 2

    def derivative(self, t: float, amount: float) -> float:
        return self.weight * self._gap(t, amount)

    def second(self, t: float, amount: float) -> float:
        return self.weight

    def third(self, t: float, amount: float) -> float:
        return 0.0


@dataclass(frozen=True, eq=False)
class Price(Coupling):
    """A price that all choices together set: an agent that chooses (x, a) pays p_t alpha(x, a) per unit time, p_t =
    phi'(t, A_t) plus the multiplier of the bounds, A_t = sum alpha(x, a) w_t(x, a).

    Parameters
    ----------
    potential : convex phi, an object with ``value``, ``derivative`` and ``second``, each of (t, A), such as
        `QuadraticPotential`; with ``third`` too the social optimum can be found, and with ``total_is_convex = True``
        (A phi'(A) is convex, which is not checked) also by the solvers of convex problems
    bounds : (lowest, highest) A_t allowed; each a number or a function of t; None is no bound
    amounts : alpha, numbers (action,) or (action, *shape), or a function of (t, coordinates) on choices (``c.action``);
        for lattice moves on one axis the default is the speed of the move

    Source: Bonnans, Hadikhanloo and Pfeiffer, arXiv:1902.05461; Bonnans, Lavigne and Pfeiffer, arXiv:2106.07463.
    """

    potential: Any = field(metadata={"form": inline(QuadraticPotential)})
    bounds: tuple[Any, Any] | None = field(default=None, metadata={"form": BOUNDS})
    amounts: Any = field(default=None, metadata={"form": ARRAY})
    on = "aggregate"

    def __post_init__(self) -> None:
        for method in ("value", "derivative", "second"):
            if not callable(getattr(self.potential, method, None)):
                raise InputError(
                    f"potential of the price is a {type(self.potential).__name__} without {method}(t, A); "
                    "use QuadraticPotential(weight, centre) or an object with value, derivative and second"
                )
        if self.bounds is not None and not (isinstance(self.bounds, list | tuple) and len(self.bounds) == 2):
            raise InputError(f"bounds of the price are {shown(self.bounds)}; a pair (lowest, highest) is needed")
        if self.bounds is not None:
            object.__setattr__(self, "bounds", tuple(self.bounds))
        object.__setattr__(self, "amounts", owned(self.amounts, "array of amounts of the price"))

    @property
    def is_hard(self) -> bool:  # type: ignore[override]
        return any(bound is not None for bound in self.bounds or ())

    def amounts_on(self, choices: Choices, times: np.ndarray, speeds: np.ndarray | None) -> np.ndarray:
        """alpha (1 or steps, action, *shape)."""
        given = self.amounts
        if given is None:
            if speeds is None:
                raise InputError("amounts of the price are missing; give (action,) or (action, *shape) numbers")
            given = speeds
        if callable(given):
            return sample_nodes(given, times, choices, "amounts of the price")
        given = aligned(given, choices.dims, choices.labels, "array of amounts of the price", partial=True)
        array = numbers(given, "array of amounts of the price")
        if array.shape == (choices.actions,):
            array = array.reshape((-1,) + (1,) * choices.space.ndim)
        try:
            array = np.broadcast_to(array, choices.shape)
        except ValueError:
            raise InputError(
                f"amounts of the price have shape {array.shape}; ({choices.actions},) or {choices.shape} is needed"
            ) from None
        if not np.isfinite(array).all():
            raise InputError("amounts of the price hold a number that is not finite")
        return np.array(array[None])

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        limits = np.array([[-math.inf, math.inf]] * len(times))
        for k, limit in enumerate(self.bounds or ()):
            for j, t in enumerate(times):
                value = limit
                if callable(limit):
                    value = ask(limit, (float(t),), "bound of the price", "(t)", f" at t = {t:g}")
                if value is not None:
                    limits[j, k] = real(value, "bound of the price")
        if np.isnan(limits).any() or (limits[:, 0] > limits[:, 1]).any():
            step = int(np.argmax(np.isnan(limits).any(axis=1) | (limits[:, 0] > limits[:, 1])))
            raise InputError(
                f"bounds of the price at step {step} are {tuple(limits[step].tolist())}; lowest <= highest is needed"
            )
        return _BoundPrice(self.potential, np.asarray(times, dtype=float), limits)


@dataclass(frozen=True, eq=False)
class _BoundPrice(Bound):
    """Arrays are (levels, 1)."""

    function: Any
    times: np.ndarray
    limits: np.ndarray

    def _each(self, method: str, nodes: slice, amounts: np.ndarray) -> np.ndarray:
        evaluate = getattr(self.function, method)
        pairs = zip(self.times[nodes], amounts[:, 0], strict=True)
        return np.array([[self._one(evaluate, method, float(t), float(a))] for t, a in pairs]).reshape(amounts.shape)

    def _one(self, evaluate: Any, method: str, t: float, amount: float) -> float:
        """One number of the potential, whatever the user's own potential does."""
        try:
            with np.errstate(all="ignore"):
                return float(evaluate(t, amount))
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"{method} of the potential of the price, a {type(self.function).__name__}, raised "
                f"{type(error).__name__} at t = {t:g}, A = {amount:g} ({error}); a number is needed for any A"
            ) from error

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._each("derivative", nodes, rho)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._each("value", nodes, rho)[:, 0]

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self._each("second", nodes, rho)

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        return self._each("third", nodes, rho) if hasattr(self.function, "third") else None

    def bounds(self, nodes: slice) -> tuple[np.ndarray, np.ndarray] | None:
        low, high = self.limits[nodes, :1], self.limits[nodes, 1:]
        return (low, high) if np.isfinite(low).any() or np.isfinite(high).any() else None
