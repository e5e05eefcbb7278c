"""What links cost at their flows: time t(x), its integral (of the potential) and its slope, link by link."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from mfgsolve.cautions import say
from mfgsolve.errors import InputError, cut, numbers
from mfgsolve.inputs.calls import ask

__all__ = ["BPR", "Affine", "LinkCosts", "OwnCosts", "named_links"]

TOLERANCE = 1e-5  # to which a function, its integral and its slope must agree
STEP = 1e-5  # of difference quotients, relative


class LinkCosts(ABC):
    """Times of all links, each increasing in its own flow; arrays are (links,)."""

    @abstractmethod
    def time(self, flow: np.ndarray) -> np.ndarray:
        """t(x)."""

    @abstractmethod
    def integral(self, flow: np.ndarray) -> np.ndarray:
        """int_0^x t."""

    @abstractmethod
    def slope(self, flow: np.ndarray) -> np.ndarray:
        """t'(x)."""

    @abstractmethod
    def marginal(self) -> LinkCosts:
        """t + x t', what one more driver costs all; its integral is x t."""

    @property
    def powers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        """constant, coefficient, capacity, power of t = constant + coefficient (x / capacity)^power; None of others."""
        return None

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of links."""

    @property
    def constant_links(self) -> np.ndarray:
        """Links whose time is known to be the same at every flow, (links,) of truth values."""
        return np.zeros(self.size, dtype=bool)

    @abstractmethod
    def check(self, name: Callable[[int], str], scale: float) -> None:
        """Refuse costs that decrease, or are not finite; say what is odd.  ``name`` tells a link, ``scale`` is all
        demand."""


def named_links(found: np.ndarray, name: Callable[[int], str], most: int = 4) -> str:
    """Links that something is true of, as sentences name them: "link 3 -> 4 (number 7) and 12 others"."""
    which = np.flatnonzero(found)
    listed = ", ".join(name(int(k)) for k in which[:most])
    rest = f" and {which.size - most} others" if which.size > most else ""
    return f"link{'s' if which.size > 1 else ''} {listed}{rest}"


def _array(value: Any, what: str, size: int | None = None) -> np.ndarray:
    array = np.array(numbers(value, what, "a number for each link is needed"), dtype=float)
    if array.ndim == 0 and size is not None:
        array = np.full(size, float(array))
    if array.ndim != 1 or (size is not None and array.size != size):
        wanted = "one number a link" if size is None else f"{size} numbers, one a link, are"
        raise InputError(f"{what} has the shape {array.shape}; {wanted} needed")
    return array


@dataclass(frozen=True, eq=False)
class _Powers(LinkCosts):
    """constant + coefficient (x / capacity)^power."""

    constant: np.ndarray = field(repr=False)
    coefficient: np.ndarray = field(repr=False)
    capacity: np.ndarray = field(repr=False)
    power: np.ndarray = field(repr=False)

    @property
    def size(self) -> int:
        return int(self.constant.size)

    @property
    def powers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """With what does not depend on the flow in the constant alone: a power of 0 is a constant, too."""
        still = (self.power == 0) | (self.coefficient == 0)
        constant = self.constant + np.where(self.power == 0, self.coefficient, 0.0)
        clear = np.where(still, 0.0, self.coefficient), np.where(still, 1.0, self.capacity)
        return constant, *clear, np.where(still, 1.0, self.power)

    @property
    def constant_links(self) -> np.ndarray:
        return np.asarray(self.powers[1] == 0)

    def time(self, flow: np.ndarray) -> np.ndarray:
        constant, coefficient, capacity, power = self.powers
        return np.asarray(constant + coefficient * (flow / capacity) ** power)

    def integral(self, flow: np.ndarray) -> np.ndarray:
        constant, coefficient, capacity, power = self.powers
        return np.asarray(flow * (constant + coefficient * (flow / capacity) ** power / (power + 1)))

    def slope(self, flow: np.ndarray) -> np.ndarray:
        _, coefficient, capacity, power = self.powers
        return np.asarray(coefficient * power / capacity * (flow / capacity) ** (power - 1))

    def check(self, name: Callable[[int], str], scale: float) -> None:
        """Nothing to refuse: it is made of costs that were checked."""

    def marginal(self) -> LinkCosts:
        constant, coefficient, capacity, power = self.powers
        return _Powers(constant, coefficient * (1 + power), capacity, power)


class BPR(_Powers):
    """t = free_time (1 + b (x / capacity)^power), of the Bureau of Public Roads (Traffic Assignment Manual, 1964).

    Parameters
    ----------
    free_time : time of the empty link, >= 0
    capacity : flow at which it takes 1 + b times as long; > 0 unless b or power is 0
    b, power : numbers, or one for each link; b >= 0, power 0 or at least 1

    Examples
    --------
    >>> float(BPR([10.0], [100.0]).time(100.0)[0])
    11.5
    """

    def __init__(self, free_time: Any, capacity: Any, b: Any = 0.15, power: Any = 4.0):
        free = _array(free_time, "free_time of BPR")
        size = free.size
        self_b, exponent = _array(b, "b of BPR", size), _array(power, "power of BPR", size)
        room = _array(capacity, "capacity of BPR", size)
        super().__init__(free, free * self_b, room, exponent)
        object.__setattr__(self, "b", self_b)

    b: np.ndarray

    def check(self, name: Callable[[int], str], scale: float) -> None:
        """See `LinkCosts.check`."""
        told = {"free-flow time": self.constant, "b": self.b, "capacity": self.capacity, "power": self.power}
        for word, values in told.items():
            if not np.isfinite(values).all():
                raise InputError(f"{word} is not a finite number on {named_links(~np.isfinite(values), name)}")
            if (values < 0).any():
                k = int(np.argmax(values < 0))
                raise InputError(
                    f"{word} is negative, {values[k]:g}, on {named_links(values < 0, name)}; it is at least 0"
                )
        shut = (self.capacity == 0) & (self.b > 0) & (self.power > 0)
        if shut.any():
            raise InputError(
                f"capacity is 0 on {named_links(shut, name)}, whose time would be infinite; give it a capacity, "
                "take it "
                "out, or let its b be 0"
            )
        steep = (self.power > 0) & (self.power < 1) & (self.coefficient > 0)
        if steep.any():
            raise InputError(
                f"power is between 0 and 1 on {named_links(steep, name)}, whose time rises without bound where it is "
                "empty; 0 or at least 1 is needed"
            )
        free = (self.constant == 0) & (self.b > 0)
        if free.any():
            say(
                "roads-free",
                f"The free-flow time is 0 on {named_links(free, name)}: by the formula it takes no time at any flow, "
                "whatever its b is.",
            )
        flat = (self.power == 0) & (self.coefficient > 0)
        if flat.any():
            say(
                "roads-flat",
                f"The power is 0 on {named_links(flat, name)}: it takes free_time (1 + b) at every flow, empty or "
                "full.",
            )


class Affine(_Powers):
    """t = constant + slope x, both at least 0; numbers, or one for each link.

    Examples
    --------
    >>> float(Affine([10.0], [0.5]).time(4.0)[0])
    12.0
    """

    def __init__(self, constant: Any, slope: Any):
        free = _array(constant, "constant of Affine")
        rise = _array(slope, "slope of Affine", free.size)
        super().__init__(free, rise, np.ones(free.size), np.ones(free.size))

    def check(self, name: Callable[[int], str], scale: float) -> None:
        """See `LinkCosts.check`."""
        for word, values in {"constant": self.constant, "slope": self.coefficient}.items():
            wrong = ~np.isfinite(values) | (values < 0)
            if wrong.any():
                k = int(np.argmax(wrong))
                raise InputError(
                    f"{word} is {values[k]:g} on {named_links(wrong, name)}; a finite number of at least 0 is needed"
                )


class OwnCosts(LinkCosts):
    """Times by functions of your own, each of the flows (links,) of all links, to numbers (links,).

    Parameters
    ----------
    time : t(x), which does not decrease in x and is at least 0
    integral : int_0^x t, exact
    slope : t'(x)
    links : how many there are

    Whether the three belong together is compared at several flows before they are used.
    """

    def __init__(
        self, time: Callable[[Any], Any], integral: Callable[[Any], Any], slope: Callable[[Any], Any], links: int
    ):
        self.functions = {"time": time, "integral": integral, "slope": slope}
        for word, function in self.functions.items():
            if not callable(function):
                raise InputError(
                    f"{word} of OwnCosts is a {type(function).__name__}; a function of the flows is needed"
                )
        self.links = links

    @property
    def size(self) -> int:
        return self.links

    def _value(self, word: str, flow: np.ndarray) -> np.ndarray:
        values = ask(self.functions[word], (flow.copy(),), f"{word} of OwnCosts", "(flows)")
        return np.broadcast_to(numbers(values, f"{word} of OwnCosts"), flow.shape).astype(float)

    def time(self, flow: np.ndarray) -> np.ndarray:
        return self._value("time", flow)

    def integral(self, flow: np.ndarray) -> np.ndarray:
        return self._value("integral", flow)

    def slope(self, flow: np.ndarray) -> np.ndarray:
        return self._value("slope", flow)

    def marginal(self) -> LinkCosts:
        return _Marginal(self)

    def check(self, name: Callable[[int], str], scale: float) -> None:
        """See `LinkCosts.check`; flows from 0 to all demand, by the trapezoid rule and difference quotients."""
        edges = scale * np.linspace(0.0, 1.0, 9)
        for low, high in pairwise(edges):
            nodes, weights = np.polynomial.legendre.leggauss(12)
            points = 0.5 * (high - low) * (nodes + 1) + low
            times = np.array([self.time(np.full(self.links, point)) for point in points])
            _fine(times, "time", name, high)
            gained = self.integral(np.full(self.links, high)) - self.integral(np.full(self.links, low))
            area = 0.5 * (high - low) * (weights @ times)
            self._agree("integral", "the integral of its time", gained, area, np.abs(area), high, name)
            middle, step = 0.5 * (low + high), STEP * scale
            ends = [self.time(np.full(self.links, middle + side * step)) for side in (-1, 1)]
            rise, slope = (ends[1] - ends[0]) / (2 * step), self.slope(np.full(self.links, middle))
            _fine(slope, "slope", name, middle)
            size = np.abs(rise) + 1e-3 * np.abs(ends[1]) / scale
            self._agree("slope", "the slope of its time", slope, rise, size, middle, name)
        empty = self.integral(np.zeros(self.links))
        if (empty != 0).any():
            raise InputError(f"integral of OwnCosts at no flow is not 0 on {named_links(empty != 0, name)}")

    def _agree(
        self, word: str, what: str, came: np.ndarray, wanted: np.ndarray, size: np.ndarray, at: float,
        name: Callable[[int], str],
    ) -> None:  # fmt: skip
        wrong = np.abs(came - wanted) > TOLERANCE * size + 1e-12
        if wrong.any():
            k = int(np.argmax(wrong))
            raise InputError(
                f"{word} of OwnCosts is {came[k]:.6g} and {what} is {wanted[k]:.6g}, at flows up to {at:.6g} on "
                f"{cut(named_links(wrong, name))}; the three functions must belong together"
            )


def _fine(values: np.ndarray, word: str, name: Callable[[int], str], at: float) -> None:
    """Times and slopes are finite and not negative."""
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        links = wrong if wrong.ndim == 1 else wrong.any(axis=0)
        worst = values[wrong][0]
        raise InputError(
            f"{word} of OwnCosts is {worst:.6g} at flows up to {at:.6g} on {cut(named_links(links, name))}; a finite "
            f"number of at least 0 is needed{', since times must not decrease' if word == 'slope' else ''}"
        )


class _Marginal(OwnCosts):
    """t + x t' of functions; its slope by difference quotients, which only Newton's steps need."""

    def __init__(self, of: LinkCosts):
        super().__init__(self._time, self._integral, self._slope, of.size)
        self.of = of

    def _time(self, flow: np.ndarray) -> np.ndarray:
        return np.asarray(self.of.time(flow) + flow * self.of.slope(flow))

    def _integral(self, flow: np.ndarray) -> np.ndarray:
        return np.asarray(flow * self.of.time(flow))

    def _slope(self, flow: np.ndarray) -> np.ndarray:
        step = STEP * max(float(flow.max(initial=0.0)), 1e-300)
        return np.maximum((self._time(flow + step) - self._time(flow)) / step, 0.0)
