"""Who wants to go where: pairs of an origin and a destination, of one or several classes of drivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.cautions import say
from mfgsolve.errors import InputError, cut, real, unknown

__all__ = ["Demand", "Elastic", "make_demand"]


@dataclass(frozen=True)
class Elastic:
    """Fewer drive where it costs more: of d who would drive for nothing, d (1 - (u / reservation)^(1 / power)) do at
    a cost of u, and nobody from ``reservation`` on.

    Parameters
    ----------
    reservation : cost from which on nobody drives, > 0, the same for all pairs
    power : 1 for a straight line; more than 1 where most give up early
    """

    reservation: float
    power: float = 1.0

    def __post_init__(self) -> None:
        for word, least in (("reservation", 0.0), ("power", 1.0)):
            value = real(getattr(self, word), f"{word} of Elastic")
            if not (np.isfinite(value) and value >= least and value > 0):
                bound = "more than 0" if word == "reservation" else "at least 1"
                raise InputError(f"{word} of Elastic is {value}; a finite number of {bound} is needed")


@dataclass(frozen=True, eq=False)
class Demand:
    """Pairs of all classes, sorted by class, origin and destination.

    Attributes
    ----------
    classes : names of the classes of drivers
    pce : passenger-car equivalents of a vehicle of each class: what it adds to the flow
    of_class, origin, destination : of each pair, numbers of class and nodes
    vehicles : of each pair, > 0
    """

    classes: tuple[str, ...]
    pce: np.ndarray = field(repr=False)
    of_class: np.ndarray = field(repr=False)
    origin: np.ndarray = field(repr=False)
    destination: np.ndarray = field(repr=False)
    vehicles: np.ndarray = field(repr=False)

    @property
    def cars(self) -> np.ndarray:
        """Of each pair, in passenger-car equivalents."""
        return np.asarray(self.vehicles * self.pce[self.of_class])

    @property
    def size(self) -> int:
        return int(self.vehicles.size)

    def groups(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the pairs of each (class, origin) begin, and its origin and class."""
        new = np.flatnonzero((np.diff(self.of_class, prepend=-1) != 0) | (np.diff(self.origin, prepend=-1) != 0))
        return np.append(new, self.size), self.origin[new], self.of_class[new]


def make_demand(
    entries: Mapping[str, Mapping[tuple[Any, Any], float]], number: Mapping[Any, int], pce: Mapping[str, float] | None
) -> Demand:
    """Demand by class, a mapping from (origin, destination) to vehicles.

    What is within a node is left out, and said; pairs of no demand are left out.
    """
    classes, rows, within = tuple(entries), list[tuple[int, int, int, float]](), 0.0
    for name in pce or {}:
        if name not in classes:
            raise InputError(unknown("class of drivers in pce", name, classes))
    for c, name in enumerate(classes):
        for (start, end), vehicles in entries[name].items():
            what = f"demand from {_told(start)} to {_told(end)}"
            value = real(vehicles, what)
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"{what} is {value}; a finite number of at least 0 is needed")
            for node in (start, end):
                if node not in number:
                    raise InputError(f"{what} is of node {_told(node)}, which no link of the network has")
            if value > 0 and start == end:
                within += value
            elif value > 0:
                rows.append((c, number[start], number[end], value))
    if within > 0:
        say("roads-intrazonal", f"A demand of {within:.6g} stays within its node, uses no road and was left out.")
    if not rows:
        raise InputError("demand of the network is empty: nobody goes from one node to another; give some trips")
    rows.sort()
    table = np.array(rows)
    each = np.array([_equivalent(name, (pce or {}).get(name, 1.0)) for name in classes])
    whole = table[:, :3].astype(np.int64)
    return Demand(classes, each, whole[:, 0], whole[:, 1], whole[:, 2], table[:, 3].copy())


def _equivalent(name: str, value: Any) -> float:
    number = real(value, f"pce of class {cut(name)}")
    if not 0 < number < np.inf:
        raise InputError(f"pce of class {cut(name)} is {number}; a positive number is needed (a car is 1)")
    return number


def _told(node: Any) -> str:
    return cut(str(node), 40)
