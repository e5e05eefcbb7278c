"""Paths: neighbouring points of a study of small games, one after the other, each started from the two before it.

    start of point k:   m_{k-1} + r (m_{k-1} - m_{k-2}),   r = (p_k - p_{k-1}) / (p_{k-1} - p_{k-2})

with p the parameter and m the crowd, all masses at least 0.  On grids of 16^2 and 32^2 this halves the sweeps of
Newton's method (a single neighbour as a start saves fewer, and costs some at 32^2); finer grids start from coarser
ones better than from neighbours.  The first two points, and any whose two predecessors are no help (they failed, lie
far apart, or have another number of entropic steps), are solved from nothing; all are where equilibria may be several.

What is solved at a point depends on the points before it on its path and on nothing else, so that numbers are the same
bit for bit on any number of workers, and after any interruption; what a path needs is solved again to go on with it.

Steps are chosen and judged by solves on coarse grids, which take as long as a small game itself.  A stated number is
judged at both ends of a path and in its middle, and the points between say what is to be said of the nearest of the
three.  One that is chosen is that of all points where these three take the same and nothing is to be said of it;
otherwise each point chooses its own.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from mfgsolve.cautions import Caution
from mfgsolve.games import Game
from mfgsolve.games.transfer import prolong
from mfgsolve.problem import Problem
from mfgsolve.resolution import judge, settle
from mfgsolve.solvers.base import Guess
from mfgsolve.studies.points import PLAYED, RESOLUTION, Answer, Index, Point, solve_from

__all__ = ["Path", "along", "paths", "solve_path", "starts_help"]

CELLS = 2048  # of the largest grid on which neighbours were measured to save work
SHORTEST, LONGEST = 4, 16  # points of a path; what is solved again to go on in the middle of one
FARTHEST = 1.5  # r
FREE = (*RESOLUTION, *PLAYED)  # parameters that are no way to go along


@dataclass(frozen=True)
class Path:
    """Points that are solved in turn, and which of them are wanted; data that travels to a worker.

    Attributes
    ----------
    indices, points : in the order in which they are solved
    name, places : the parameter that changes, and its values; empty for a single point
    wanted : numbers of those whose answers are asked for, in order
    """

    indices: tuple[Index, ...]
    points: tuple[Point, ...]
    name: str = ""
    places: tuple[float, ...] = ()
    wanted: tuple[int, ...] = (0,)

    def only(self, wanted: Collection[int]) -> Path:
        """The same path, and fewer of its answers."""
        return replace(self, wanted=tuple(sorted(wanted)))


def starts_help(problem: Problem, point: Point) -> bool:
    """Whether neighbours are good starts: a small game of controlled diffusions with one equilibrium, by Newton's
    method on its own mesh, of which nobody asks for games of N agents (these play one solution seed by seed)."""
    options = point.options
    plain = point.learner is None and not point.agents and options.get("method") in (None, "newton")
    return (
        plain and "tol_continuum" not in options  # which chooses meshes of its own, and takes no start
        and not problem.is_finite and problem.is_differentiable
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
        and len(set(map(float, values))) == len(values)  # 1 and 1.0 are two labels of one place
    ]
    return max(able, key=lambda name: len(over[name]), default=None)


def paths(over: Mapping[str, Sequence[Any]], name: str | None) -> Iterator[list[Index]]:
    """All points of a study as paths along a parameter, by its rising values; one by one without, and then those that
    differ by what is no matter of the game follow each other, since one solution serves them all."""
    shape = tuple(len(values) for values in over.values())
    if name is None:
        outer = sorted(range(len(shape)), key=lambda k: list(over)[k] in PLAYED)  # stable: the rest keep their order
        for places in np.ndindex(tuple(shape[k] for k in outer)):
            yield [tuple(place for _, place in sorted(zip(outer, places, strict=True)))]
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
    mesh = _Mesh(path)
    for k, (index, point) in enumerate(zip(path.indices, path.points, strict=True)):
        if k > path.wanted[-1]:
            break
        line = partial(_line, known, path.places[k]) if len(known) == 2 else None
        answer, outcome = solve_from(point, partial(mesh.problem, k), line, mesh.told(k))
        if k in path.wanted:
            yield index, answer
        if outcome is None:
            known = []
        elif path.places:
            known = [*known[-1:], _Known(path.places[k], outcome.game, outcome.crowd)]


class _Mesh:
    """The steps of a path: chosen and judged at both ends and in the middle, and for all of it where these agree."""

    def __init__(self, path: Path):
        self.path, self.measured, self.agree = path, dict[int, tuple[Problem, tuple[Caution, ...]]](), False
        if path.places:
            last = len(path.points) - 1
            with contextlib.suppress(Exception):  # whatever it is, the point itself tells
                for k in (0, last // 2, last):
                    problem = settle(path.points[k].problem())
                    self.measured[k] = problem, judge(problem).cautions
                self.agree = self.steps_agree()

    def steps_agree(self) -> bool:
        """Whether what was measured holds in between: the number was stated, or the same is chosen without doubts."""
        problems = [problem for problem, _ in self.measured.values()]
        if not any(problem.time.chosen for problem in problems):
            return True
        one = len({problem.time.steps for problem in problems}) == 1
        return one and not any(cautions for _, cautions in self.measured.values())

    def problem(self, k: int) -> Problem:
        """The problem of a point, in its number of steps."""
        if k in self.measured:
            return self.measured[k][0]
        problem = self.path.points[k].problem()
        if self.agree and not problem.time.settled:
            return problem.with_steps(self.measured[0][0].time.steps, chosen=True)
        return problem

    def told(self, k: int) -> tuple[Caution, ...] | None:
        """What is said of the steps of a point; None where they are judged there."""
        if k in self.measured or not self.agree:
            return None
        near = min(self.measured, key=lambda other: abs(other - k))
        where = f"as measured at {self.path.name} = {self.path.places[near]:g}, "
        return tuple(Caution(each.code, where + each.sentence) for each in self.measured[near][1])


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
