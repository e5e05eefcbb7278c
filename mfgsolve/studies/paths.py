"""Paths: neighbouring points of a study of small games, one after the other, each started from the two before it.

    start of point k:   m_{k-1} + r (m_{k-1} - m_{k-2}),   r = (p_k - p_{k-1}) / (p_{k-1} - p_{k-2})

with p the parameter and m the crowd, all masses at least 0.  On grids of 16^2 and 32^2 this halves the sweeps of
Newton's method (a single neighbour as a start saves fewer, and costs some at 32^2); finer grids start from coarser
ones better than from neighbours.  The first two points, and any whose two predecessors are no help (they failed, lie
far apart, or have another number of entropic steps), are solved from nothing; all are where equilibria may be several.

What is solved at a point depends on the points before it on its path and on nothing else, so that numbers are the same
bit for bit on any number of workers, and after any interruption; what a path needs is solved again to go on with it.
Where a number of steps is stated, it is judged at both ends of a path, and in between if there is something to be said.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from mfgsolve.games import Game
from mfgsolve.games.transfer import prolong
from mfgsolve.problem import Problem
from mfgsolve.resolution import judge
from mfgsolve.solvers.base import Guess
from mfgsolve.studies.points import RESOLUTION, Answer, Index, Point, solve_from

__all__ = ["Path", "along", "paths", "solve_path", "starts_help"]

CELLS = 2048  # of the largest grid on which neighbours were measured to save work
SHORTEST, LONGEST = 4, 16  # points of a path; what is solved again to go on in the middle of one
FARTHEST = 1.5  # r
FREE = (*RESOLUTION, "agents", "rng", "episodes")  # parameters that are no way to go along


@dataclass(frozen=True)
class Path:
    """Points that are solved in turn, and which of them are wanted; data that travels to a worker.

    Attributes
    ----------
    indices, points : in the order in which they are solved
    places : value of the parameter that changes; empty for a single point
    wanted : numbers of those whose answers are asked for, in order
    """

    indices: tuple[Index, ...]
    points: tuple[Point, ...]
    places: tuple[float, ...] = ()
    wanted: tuple[int, ...] = (0,)

    def only(self, wanted: Collection[int]) -> Path:
        """The same path, and fewer of its answers."""
        return replace(self, wanted=tuple(sorted(wanted)))


def starts_help(problem: Problem, point: Point) -> bool:
    """Whether neighbours are good starts: a small game of controlled diffusions with one equilibrium, by Newton's
    method."""
    method = point.options.get("method")
    return (
        point.learner is None and method in (None, "newton") and not problem.is_finite and problem.is_differentiable
        and problem.is_monotone and problem.is_potential and problem.grid.populations == 1
        and problem.grid.size <= CELLS
    )  # fmt: skip


def along(over: Mapping[str, Sequence[Any]]) -> str | None:
    """The parameter that paths go along: the one with most values among those that are numbers."""
    able = [
        name
        for name, values in over.items()
        if name not in FREE
        and len(values) >= SHORTEST
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        and all(math.isfinite(value) for value in values)
    ]
    return max(able, key=lambda name: len(over[name]), default=None)


def paths(over: Mapping[str, Sequence[Any]], name: str | None) -> Iterator[list[Index]]:
    """All points of a study as paths along a parameter, by its rising values; one by one without."""
    shape = tuple(len(values) for values in over.values())
    if name is None:
        for index in np.ndindex(shape):
            yield [index]
        return
    axis, values = list(over).index(name), over[name]
    order = sorted(range(len(values)), key=lambda k: values[k])
    pieces = np.array_split(order, math.ceil(len(order) / LONGEST))
    for rest in np.ndindex(shape[:axis] + shape[axis + 1 :]):
        for piece in pieces:
            yield [(*rest[:axis], int(k), *rest[axis:]) for k in piece]


def solve_path(path: Path) -> Iterator[tuple[Index, Answer]]:
    """Index and answer of each wanted point, as they come."""
    known: list[_Known] = []
    ends = _Ends(path)
    for k, (index, point) in enumerate(zip(path.indices, path.points, strict=True)):
        if k > path.wanted[-1]:
            break
        line = partial(_line, known, path.places[k]) if len(known) == 2 else None
        answer, outcome = solve_from(point, ends.problem(k), line, judged=ends.differ)
        if k in path.wanted:
            yield index, answer
        if outcome is None:
            known = []
        elif path.places:
            known = [*known[-1:], _Known(path.places[k], outcome.game, outcome.crowd)]


class _Ends:
    """Both ends of a path, whose steps are judged for all of it where they were stated.

    ``differ`` : whether something is to be said of the steps at an end, so that all points are judged one by one
    """

    def __init__(self, path: Path):
        self._problems: dict[int, Problem] = {}
        self.differ = True
        if path.places:
            with contextlib.suppress(Exception):  # whatever it is, the point itself tells
                for k in (0, len(path.points) - 1):
                    self._problems[k] = path.points[k].problem()
                self.differ = any(not one.time.settled or judge(one).cautions for one in self._problems.values())

    def problem(self, k: int) -> Problem | None:
        """The problem of an end that is made already."""
        return self._problems.get(k)


@dataclass(frozen=True)
class _Known:
    """A point that is solved: where on the path it lies, its game and its crowd."""

    place: float
    game: Game
    crowd: np.ndarray


def _line(known: Sequence[_Known], place: float, problem: Problem) -> Guess | None:
    """The start on the straight line through two points; None where that is no good one."""
    first, second = known
    ratio = (place - second.place) / (second.place - first.place)
    if ratio > FARTHEST or any(_is_other(one.game, problem) for one in known):
        return None

    def start(game: Game) -> np.ndarray:
        before, after = (prolong(one.crowd, one.game, game) for one in known)
        after += ratio * (after - before)
        np.maximum(after, 0.0, out=after)
        after[0] = game.initial_mass.reshape(game.level_shape)
        return after

    return start


def _is_other(game: Game, problem: Problem) -> bool:
    """Whether the crowd of a game says little of a problem: where entropic steps are of another length."""
    steps = game.steps / problem.time.steps
    return game.grid.shape != problem.grid.shape or (
        steps != 1.0 and (game.step.is_entropic or not 0.5 <= steps <= 2.0)
    )
