"""Common noise by a tree of scenarios: news that all agents hear at once, at a few dates.

At each date the world turns out in one of a few ways, with stated probabilities.  What lies between two dates on one
branch is a *segment*; segments are a leading dimension ``scenario`` of a space, beside the place.  With p_n the
probability of segment n and m_n the density of agents given that the world is there, agents are in segment n with

    mass = p_n m_n volume,        volume of a cell = p_n times its own,

so that the density of the space is the conditional one, and so is what couplings see; nothing else has to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, has_labels, numbers, shown
from mfgsolve.fields import own_field, sample
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.labels import Labelled, aligned
from mfgsolve.inputs.memory import affordable
from mfgsolve.spaces import STATE_BYTES, Layers, Populations, Space, Volumes, repeated

__all__ = ["ROOT", "AtStart", "ScenarioTree", "Scenarios", "Segment", "at_start", "check_one_world", "on_layers"]

ROOT = "start"  # the segment before the first date
ROUND = 1e-9  # by which probabilities may miss 1, and dates a node, in steps


@dataclass(frozen=True)
class Segment:
    """What lies between two dates on one branch: its name, the number of the segment before (-1: none), the probability
    that the world comes there, its chance from the one before, and the number of dates before it."""

    name: str
    parent: int
    probability: float
    chance: float
    level: int


def _in_order(value: Any, what: str) -> list[Any]:
    """The entries of what has an order of its own: outcomes go by their place, and not by names."""
    unordered = isinstance(value, str | Mapping | set | frozenset) or has_labels(value)
    listed = list(value) if np.iterable(value) and not unordered else []
    if not listed:
        came = f"a {type(value).__name__} with names" if has_labels(value) else shown(value)
        raise InputError(f"{what} are {came}; a list is needed, or one for each date")
    return listed


@dataclass(frozen=True)
class ScenarioTree:
    """News at a few dates, each with a few outcomes, which all agents hear: common noise.

    In functions of (t, coordinates) ``c.scenario`` is the number of the segment, in the order of ``names_of_segments``:
    "start", then the outcomes of the first date, then those of the second after each of these, ...

    Parameters
    ----------
    dates : times between 0 and the horizon, each a node of the times; from that node on agents know the outcome
    probabilities : of the outcomes of a date, > 0, of sum 1; or one such list for each date.  One list stands for all
    names : of the outcomes, in the same form; by default their numbers.  A segment is called by its path, "up/down"

    Raises
    ------
    InputError
        for probabilities that do not sum to 1, dates that do not increase, names that stand twice

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> tree = mfg.ScenarioTree(dates=[3.0], probabilities=[0.6, 0.4], names=["left", "right"])
    >>> tree.names_of_segments
    ('start', 'left', 'right')
    """

    dates: Sequence[float]
    probabilities: Sequence[Any]
    names: Sequence[Any] | None = None

    def __post_init__(self) -> None:
        dates = numbers(np.atleast_1d(np.asarray(self.dates)), "dates of the scenarios", "increasing times are needed")
        if dates.ndim != 1 or not dates.size or (np.diff(dates) <= 0).any() or not (dates > 0).all():
            raise InputError(f"dates of the scenarios are {dates.tolist()}; increasing times after 0 are needed")
        object.__setattr__(self, "dates", tuple(dates.tolist()))
        chances = [self._chances(k, each) for k, each in enumerate(self._each(self.probabilities, "probabilities"))]
        object.__setattr__(self, "probabilities", tuple(chances))
        stated = [[str(j + 1) for j in range(len(each))] for each in chances] if self.names is None else None
        names = self._each(self.names, "names") if stated is None else stated
        checked = [self._names(k, each, len(some)) for k, (each, some) in enumerate(zip(names, chances, strict=True))]
        object.__setattr__(self, "names", tuple(checked))

    def _each(self, value: Any, what: str) -> list[Any]:
        """One list for each date."""
        listed = _in_order(value, f"{what} of the scenarios")
        if not (np.iterable(listed[0]) and not isinstance(listed[0], str)):
            return [listed] * len(self.dates)
        if len(listed) != len(self.dates):
            raise InputError(f"{what} of the scenarios are given for {len(listed)} dates; there are {len(self.dates)}")
        return listed

    def _chances(self, k: int, given: Any) -> tuple[float, ...]:
        what = f"probabilities of the scenarios at t = {self.dates[k]:g}"
        chances = numbers(_in_order(given, what), what)
        if chances.ndim != 1 or not np.isfinite(chances).all() or (chances <= 0).any():
            raise InputError(f"{what} are {chances.tolist()}; positive numbers are needed (leave out what never comes)")
        if abs(chances.sum() - 1) > ROUND:
            raise InputError(f"{what} sum to {chances.sum():.6g}; they must sum to 1")
        return tuple((chances / chances.sum()).tolist())

    def _names(self, k: int, given: Any, count: int) -> tuple[str, ...]:
        what = f"names of the scenarios at t = {self.dates[k]:g}"
        names = _in_order(given, what)
        if len(names) != count or not all(isinstance(name, str) for name in names):
            raise InputError(f"{what} are {shown(names)}; {count} texts are needed, one for each outcome")
        twice = repeated(names)
        if twice is not None:
            raise InputError(f"{what} hold {shown(twice)} twice; every outcome of a date needs a name of its own")
        wrong = [name for name in names if name == ROOT or "/" in name or not name]
        if wrong:
            raise InputError(f"{what} hold {shown(wrong[0])}; a name that is not empty, not {ROOT!r}, without '/'")
        return tuple(str(name) for name in names)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All segments: the root, and after each date the children of those before it."""
        result, last = [Segment(ROOT, -1, 1.0, 1.0, 0)], [0]
        for k, (chances, names) in enumerate(zip(self.probabilities, self.names, strict=True)):  # type: ignore[arg-type]
            fresh = []
            for parent in last:
                before = result[parent]
                for chance, name in zip(chances, names, strict=True):
                    path = name if parent == 0 else f"{before.name}/{name}"
                    fresh.append(len(result))
                    result.append(Segment(path, parent, before.probability * chance, chance, k + 1))
            last = fresh
        return tuple(result)

    @property
    def names_of_segments(self) -> tuple[str, ...]:
        """In the order of ``c.scenario``."""
        return tuple(segment.name for segment in self.segments)

    @property
    def shares(self) -> np.ndarray:
        """Probability of every segment."""
        return np.array([segment.probability for segment in self.segments])

    @property
    def leaves(self) -> list[int]:
        """Numbers of the segments that last to the end."""
        return [n for n, segment in enumerate(self.segments) if segment.level == len(self.dates)]

    def path(self, leaf: int) -> list[int]:
        """The segments from the root to one, one for each number of dates gone by."""
        result = [leaf]
        while (parent := self.segments[result[-1]].parent) >= 0:
            result.append(parent)
        return result[::-1]

    def nodes(self, time: TimeGrid) -> list[int]:
        """The node of every date.

        Raises
        ------
        InputError
            for a date that is none, or lies behind the horizon
        """
        result = []
        for date in self.dates:
            if date > time.horizon * (1 + 1e-12):
                raise InputError(f"scenarios have the date {date:g}, and the horizon is {time.horizon:g}")
            place = date / time.dt
            if abs(place - round(place)) > ROUND * max(1.0, place):
                raise InputError(
                    f"scenarios have the date {date:g}, which is no node of {time.steps} steps of length {time.dt:g}; "
                    f"the next one is {round(place) * time.dt:g}: move the date, or take other steps"
                )
            result.append(round(place))
        return result

    def levels(self, time: TimeGrid) -> np.ndarray:
        """How many dates have gone by at every node."""
        return np.searchsorted(self.nodes(time), np.arange(time.steps + 1), side="right")

    def branching(self, level: int) -> np.ndarray:
        """Chances (segments, segments) to be in each after the date of that number (from 1); others stay."""
        count = len(self.segments)
        result = np.eye(count)
        for n, segment in enumerate(self.segments):
            if segment.level == level:
                result[segment.parent, segment.parent] = 0.0
                result[segment.parent, n] = segment.chance
        return result

    @property
    def identity(self) -> Any:
        return ("tree", self.dates, self.probabilities, self.names)


@dataclass(frozen=True, eq=False)
class Scenarios(Layers):
    """A space in every segment of a tree; see the module.

    Parameters
    ----------
    tree : of scenarios
    space : where agents live, of one population
    """

    tree: ScenarioTree
    space: Space

    label = "scenario"

    def __post_init__(self) -> None:
        if isinstance(self.space, Populations):
            raise InputError("scenarios with several populations are not offered; state one population")
        if self.space.exits is not None:
            raise InputError("scenarios on a space with exits are not offered; leave the exits or the scenarios out")
        affordable(self.size, STATE_BYTES, f"space of {self.count} scenarios in {self.space.size} cells each")

    @property
    def count(self) -> int:
        return len(self.tree.segments)

    @cached_property
    def volumes(self) -> Volumes:  # type: ignore[override]
        share = self.tree.shares.reshape((-1,) + (1,) * self.space.ndim)
        return np.asarray(share * np.broadcast_to(self.space.volumes, self.space.shape))

    @property
    def identity(self) -> Any:
        return ("scenarios", self.tree.identity, self.space.identity)

    @property
    def dimension_coordinates(self) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
        attrs = {"units": "1", "long_name": "segment of the tree of scenarios"}
        return {"scenario": (np.array(self.tree.names_of_segments), attrs)} | self.space.dimension_coordinates


def check_one_world(space: Space, who: str) -> None:
    """Refuse scenarios for what lets agents go their ways one by one: news would reach each of them by itself.

    Raises
    ------
    InputError
    """
    if isinstance(space, Scenarios):
        raise InputError(
            f"{who} is not offered with scenarios: news is the same for all agents, and a draw of each by itself would "
            "be another game; solve each branch with the policy of its scenario, or look at the law: solution.density"
        )


@dataclass(frozen=True)
class AtStart:
    """A density of agents that all are in the segment before the first date: a function of (t, coordinates), or a
    number, on a space of scenarios."""

    field: Any
    place: Scenarios

    def __call__(self, t: float, c: Any) -> np.ndarray:
        return np.where(c.scenario == 0, sample(self.field, t, self.place, "initial density"), 0.0)


def at_start(stated: Any, place: Scenarios) -> Any:
    """A density of one world as one of agents that all are in the segment before the first date.

    Raises
    ------
    InputError
        for what is no density, and for arrays that do not fit the space of one world
    """
    own, space = own_field(stated, "initial density"), place.space
    if callable(own) or isinstance(own, Real):
        return AtStart(own, place)
    world = aligned(own, space.dims, space.labels, "initial density", partial=True)
    if world.shape != space.shape and not (isinstance(own, Labelled) and space.takes(world.shape)):
        raise InputError(f"initial density has shape {world.shape}; the grid has {space.shape}")
    layers = np.zeros(place.shape, dtype=world.dtype)
    layers[0] = world
    return layers


def on_layers(array: Any, space: Layers) -> Any:
    """A plain array on the space below as one that is the same in every layer; anything else as it is."""
    if not isinstance(array, np.ndarray | list | tuple):
        return array
    plain = np.asarray(array)
    return np.broadcast_to(plain, space.shape) if plain.shape == space.space.shape else array
