"""Where agents live: any finite space, listed states, and several populations on one space.

A space has a ``shape``, a name for each of its dimensions, the volumes of its cells, blocked cells and coordinates; a
Cartesian `Grid` is one.  Densities, costs and couplings know nothing more of it, so that they work on all.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from mfgsolve.coordinates import Coordinates
from mfgsolve.errors import InputError, shown, unknown, whole
from mfgsolve.exits import Exits, make_exits, truth_values
from mfgsolve.inputs.masses import own_masses
from mfgsolve.inputs.memory import affordable

__all__ = [
    "Choices",
    "Coordinates",
    "Populations",
    "Space",
    "States",
    "Volumes",
    "flat_volumes",
    "integral",
    "relative",
    "repeated",
]

STATE_BYTES = 9  # number and truth value of every state
Volumes = float | np.ndarray  # of the cells: one number where all are alike


class Space(ABC):
    """A finite set of cells.

    Attributes
    ----------
    exits : cells by which agents leave, by name; None where there are none
    masses : of each population, 1 where nothing else is stated
    """

    exits: Any = None
    masses: tuple[float, ...] = (1.0,)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]: ...

    @property
    @abstractmethod
    def dims(self) -> tuple[str, ...]:
        """Name of each dimension of an array on this space."""

    @property
    @abstractmethod
    def volumes(self) -> Volumes:
        """Volume of each cell, mass = density * volumes: a number where all cells are alike, else an array that
        broadcasts to the shape of the space."""

    @property
    def cell_volume(self) -> float:
        """The volume of a cell where all are alike.

        Raises
        ------
        InputError
            where they are not
        """
        volumes = self.volumes
        if isinstance(volumes, np.ndarray):
            raise InputError(
                f"cells have volumes from {volumes.min():g} to {volumes.max():g}, and no single one; use the array "
                "volumes, mass = density * space.volumes"
            )
        return volumes

    @property
    @abstractmethod
    def coordinates(self) -> Coordinates: ...

    @property
    @abstractmethod
    def mask(self) -> np.ndarray:
        """Boolean, True where blocked."""

    @property
    @abstractmethod
    def identity(self) -> Any:
        """What makes two spaces the same: comparable, with a repr that tells all."""

    @cached_property
    def inside(self) -> np.ndarray:
        """Boolean, True where agents are while they play: neither blocked nor an exit."""
        return ~self.mask if self.exits is None else ~(self.mask | self.exits.cells)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @cached_property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def populations(self) -> int:
        return 1

    @property
    def dimension_coordinates(self) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
        """Coordinate and attributes of each dimension, for xarray."""
        return {}

    @property
    def labels(self) -> dict[str, np.ndarray]:
        """Coordinate of each dimension that has one, as labelled arrays are compared with."""
        return {name: values for name, (values, _) in self.dimension_coordinates.items()}

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether a plain array of this shape, not a single number, can stand for values on the space: axes of length 1
        stand for any, and no axis may be missing, for which one it is nobody could tell."""
        return len(shape) == self.ndim and all(n in (1, m) for n, m in zip(shape, self.shape, strict=True))

    def exits_of(self, stated: Any) -> Exits:
        """Checked exits of this space, in the words that a `Grid` or `States` takes."""
        raise InputError(f"a {type(self).__name__} has no exits; only a grid and listed states have")

    def with_exits(self, stated: Any) -> Space:
        """The same space with other exits, in the words that a `Grid` or `States` takes."""
        raise InputError(f"a {type(self).__name__} has no exits; only a grid and listed states have")

    def refined(self, shape: Sequence[int]) -> Space:
        """The same space with other cell counts."""
        raise InputError(f"a {type(self).__name__} has no cells to refine; only a grid has")


@dataclass(frozen=True, eq=False)
class States(Space):
    """A list of states without geometry; density and mass are the same (cell volume 1).

    In functions of (t, coordinates) ``c.state`` is the number of the state, from 0.

    Parameters
    ----------
    states : how many, or their names
    exits : None, or the states by which agents leave: a mapping from names of exits to states, or the states of a
        single exit.  States are a name, a number, a list of these, a boolean array, or a function of the coordinates
        that returns one; see `mfgsolve.exits`

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.States(["susceptible", "infected"]).shape
    (2,)
    """

    states: int | Sequence[str]
    exits: Any = None

    def __post_init__(self) -> None:
        given = self.states
        if isinstance(given, str):
            raise InputError(f"states is the text {shown(given)}; a number or a list of names is needed")
        if isinstance(given, Real):
            object.__setattr__(self, "states", whole(given, "number of states"))
        else:
            if not np.iterable(given) or isinstance(given, set | frozenset):
                raise InputError(f"states is a {type(given).__name__}; a number or a list of names is needed")
            names = tuple(given)
            for name in names:
                if not isinstance(name, str):
                    raise InputError(f"state name {shown(name)} is a {type(name).__name__}; a text is needed")
            names = tuple(str(name) for name in names)  # NumPy's texts, too
            twice = repeated(names)
            if twice is not None:
                raise InputError(f"state {shown(twice)} is named twice; every state needs a name of its own")
            object.__setattr__(self, "states", names)
        if self.size < 1:
            raise InputError(f"a list of {self.size} states came; at least 1 is needed")
        affordable(self.size, STATE_BYTES, f"list of {self.size} states")
        if self.exits is not None:
            object.__setattr__(self, "exits", self.exits_of(self.exits))

    def exits_of(self, stated: Any) -> Exits:
        """Checked exits of these states, stated as a parameter of them."""
        return make_exits(stated, self.mask, self._states_of)

    def with_exits(self, stated: Any) -> States:
        return States(self.states, stated)

    def _states_of(self, name: str, where: Any) -> tuple[np.ndarray, bool]:
        """States of an exit as it was stated."""
        listed = where if isinstance(where, list | tuple) else [where]
        if callable(where) or not all(
            isinstance(each, str | int | np.integer) and not isinstance(each, bool) for each in listed
        ):
            return truth_values(where, self.shape, self.dims, self.labels, self.coordinates, name)
        names, cells = self.names or (), np.zeros(self.shape, dtype=bool)
        for state in listed:
            if isinstance(state, str) and state not in names:
                raise InputError(unknown(f"state of exit {name!r}", state, names))
            number = names.index(state) if isinstance(state, str) else int(state)
            if not 0 <= number < self.size:
                raise InputError(f"exit {name!r} has the state {number}; states are 0 to {self.size - 1}")
            cells[number] = True
        return cells, False

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.states if isinstance(self.states, int) else len(self.states),)

    @property
    def names(self) -> tuple[str, ...] | None:
        return None if isinstance(self.states, int) else tuple(self.states)

    @property
    def dims(self) -> tuple[str, ...]:
        return ("state",)

    @property
    def volumes(self) -> float:
        return 1.0

    @cached_property
    def coordinates(self) -> Coordinates:
        numbers = np.arange(self.size)
        numbers.setflags(write=False)
        return Coordinates({"state": numbers})

    @cached_property
    def mask(self) -> np.ndarray:
        mask = np.zeros(self.shape, dtype=bool)
        mask.setflags(write=False)
        return mask

    @property
    def identity(self) -> Any:
        return ("states", self.states, *(() if self.exits is None else (self.exits.identity,)))

    @property
    def dimension_coordinates(self) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
        labels = np.arange(self.size) if self.names is None else np.array(self.names)
        return {"state": (labels, {"units": "1", "long_name": "state"})}


def flat_volumes(space: Space) -> Volumes:
    """The volumes for arrays (..., size) of flat cells: a number where all are alike."""
    volumes = space.volumes
    return volumes if not isinstance(volumes, np.ndarray) else np.broadcast_to(volumes, space.shape).reshape(-1)


def relative(volumes: Volumes) -> Volumes:
    """What cells weigh where only ratios count: 1 where all are alike, else their volumes."""
    return volumes if isinstance(volumes, np.ndarray) else 1.0


def integral(values: np.ndarray, volumes: Volumes, axes: Any) -> np.ndarray:
    """Sum of values times volumes over some axes, the last ones being those of the space."""
    if isinstance(volumes, np.ndarray):
        values, volumes = values * volumes, 1.0
    return np.asarray(values.sum(axis=axes) * volumes)


def repeated(names: Sequence[str]) -> str | None:
    """The first name that was there before, if any."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


class Layers(Space):
    """Copies of one space under a leading dimension ``label``, whose number the coordinates tell beside the point."""

    label: str
    space: Space

    @property
    @abstractmethod
    def count(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.count, *self.space.shape)

    @property
    def dims(self) -> tuple[str, ...]:
        return (self.label, *self.space.dims)

    @property
    def volumes(self) -> Volumes:
        return self.space.volumes

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Also an array on the space below, which is the same in every layer."""
        return super().takes(shape) or self.space.takes(shape)

    @cached_property
    def coordinates(self) -> Coordinates:
        below = self.space.coordinates
        number = np.arange(self.count).reshape((-1,) + (1,) * self.space.ndim)
        labels = {self.label: np.broadcast_to(number, self.shape)}
        if isinstance(self.space, Layers):
            labels[self.space.label] = np.broadcast_to(getattr(below, self.space.label), self.shape)
        return Coordinates({name: np.broadcast_to(below[name], self.shape) for name in below}, below.periods, labels)

    @cached_property
    def mask(self) -> np.ndarray:
        return np.broadcast_to(self.space.mask, self.shape)

    @cached_property
    def exits(self) -> Any:  # type: ignore[override]
        """Those of the space, in every layer."""
        return None if self.space.exits is None else self.space.exits.spread(self.shape)

    def exits_of(self, stated: Any) -> Exits:
        return self.space.exits_of(stated).spread(self.shape)


@dataclass(frozen=True, eq=False)
class Populations(Layers):
    """Several populations (types of agents) on one space: arrays have a leading dimension ``population``.

    The mass of every population sums to 1, or to what ``masses`` say: of two populations of masses 0.9 and 0.1 the
    second is a tenth of all agents.  Costs of the game are sums over all agents: a population counts by its mass, and
    what one of its agents pays is the share of its population divided by its mass.

    Coordinates are those of the space, and ``c.population`` is the number of the population.  Local couplings act in
    each population (a `Capacity` caps each by itself); an `Interaction` couples populations, and a `Price` adds up the
    choices of all.

    Parameters
    ----------
    names : of the populations
    space : where all of them live
    masses : one positive number for each; absent, 1

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.Populations(["predator", "prey"], mfg.Grid.box((5, 5))).shape
    (2, 5, 5)
    """

    names: Sequence[str]
    space: Space
    masses: Any = None

    def __post_init__(self) -> None:
        listed = np.iterable(self.names) and not isinstance(self.names, str | set | frozenset)
        if not (listed and all(isinstance(name, str) for name in self.names)):
            raise InputError(f"populations are named {shown(self.names)}; a list of texts is needed")
        object.__setattr__(self, "names", tuple(str(name) for name in self.names))
        if repeated(self.names) is not None or not self.names:
            raise InputError(
                f"populations are named {shown(self.names)}; at least one, each with a name of its own, are needed"
            )
        if not isinstance(self.space, Space) or isinstance(self.space, Populations):
            raise InputError(f"populations live on a {type(self.space).__name__}; a Grid or States is needed")
        object.__setattr__(self, "masses", own_masses(self.masses, self.names))
        affordable(self.size, STATE_BYTES, f"space of {len(self.names)} populations in {self.space.size} cells each")

    label = "population"

    @property
    def count(self) -> int:
        return len(self.names)

    @property
    def populations(self) -> int:
        return len(self.names)

    @property
    def identity(self) -> Any:
        masses = () if set(self.masses) == {1.0} else (self.masses,)
        return ("populations", self.names, self.space.identity, *masses)

    @property
    def dimension_coordinates(self) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
        attrs: dict[str, Any] = {"units": "1", "long_name": "population"}
        if set(self.masses) != {1.0}:
            attrs["masses"] = list(self.masses)
        return {"population": (np.array(self.names), attrs)} | self.space.dimension_coordinates


@dataclass(frozen=True, eq=False)
class Choices(Layers):
    """Actions in cells: where occupations live, arrays (action, *shape); ``c.action`` is the number of the action.

    ``names`` are those of the actions, where they are known: labelled arrays are compared with them.
    """

    actions: int
    space: Space
    names: Sequence[str] | None = None

    label = "action"

    @property
    def count(self) -> int:
        return self.actions

    @property
    def dimension_coordinates(self) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
        names = np.arange(self.actions) if self.names is None else np.array(self.names)
        return {"action": (names, {"units": "1", "long_name": "action"})} | self.space.dimension_coordinates

    @property
    def identity(self) -> Any:
        return ("choices", self.actions, self.space.identity)
