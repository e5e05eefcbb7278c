"""One point of a sweep: what is solved there, as data that travels to a worker, and the numbers that come back."""

from __future__ import annotations

import hashlib
import json
import math
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import mfgsolve
from mfgsolve import methods
from mfgsolve.errors import InputError, unknown
from mfgsolve.inputs.options import typed_options
from mfgsolve.problem import Problem
from mfgsolve.problemfile import named_problem, problem_from_toml
from mfgsolve.solution import Solution
from mfgsolve.solution.learning import Reference
from mfgsolve.solving import learned, solve
from mfgsolve.watch import TimeUp

__all__ = ["FIELDS", "NUMBERS", "Answer", "Point", "fingerprint_of", "solve_point"]

NUMBERS = {  # name: what it is, its unit; kept at every point
    "cost": ("cost of all agents", "cost"),
    "potential": ("potential", "cost"),
    "relative_exploitability": ("exploitability / scale", "1"),
    "potential_error": ("estimated distance of the potential to the continuum", "cost"),
    "movement_cost": ("what agents pay themselves", "cost"),
    "crowd_cost": ("what crowding costs", "cost"),
    "sweeps": ("work", "1"),
    "seconds": ("time, compiling included", "s"),
    "steps": ("time steps", "1"),
}
FIELDS = ("density", "value")  # kept on request, at the times of the study
RESOLUTION = ("shape", "steps", "scheme", "discount")


@dataclass(frozen=True)
class Point:
    """What is solved at a point: data alone, unless the game is built by a function.

    Attributes
    ----------
    name : a named problem, or "" for a text
    text : of a problem file, where it is no named one
    build : a function of the settings that makes the problem, in place of both
    settings : parameters, and "shape", "steps", "scheme", "discount" among them
    learner : name of a learner that plays in place of a solver; None solves
    options : of `mfgsolve.solve` or `mfgsolve.learn`
    agents : N, for the regret of N agents; 0 for none
    regions : conditions by name
    times : shares of the horizon at which fields and regions are kept
    keep : which of `FIELDS`
    """

    name: str = ""
    text: str = ""
    build: Callable[..., Problem] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    learner: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    agents: int = 0
    regions: Mapping[str, str] = field(default_factory=dict)
    times: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    keep: tuple[str, ...] = ()
    version: str = ""

    def with_settings(self, changed: Mapping[str, Any]) -> Point:
        """Another point of the same study; "agents" and what is the learner's own are no settings of the game."""
        mine = {key: value for key, value in changed.items() if key not in ("agents", "rng", "episodes")}
        rest = {key: value for key, value in changed.items() if key in ("rng", "episodes")}
        point = replace(self, settings={**self.settings, **mine}, options={**self.options, **rest})
        if "agents" in changed:
            many = int(changed["agents"])
            point = replace(point, agents=many) if self.learner is None else replace(
                point, options={**point.options, "agents": many})  # fmt: skip
        return point

    def problem(self) -> Problem:
        """The game of the point."""
        own = dict(self.settings)
        if self.build is not None:
            if isinstance(own.get("shape"), str):
                own["shape"] = shape_of(own["shape"])
            return self.build(**own)
        shape, steps = own.pop("shape", None), own.pop("steps", None)
        shape = shape_of(shape) if isinstance(shape, str) else shape
        if self.name:
            late = {key: own.pop(key) for key in ("scheme", "discount") if key in own}
            return named_problem(self.name, own, shape, None if steps is None else int(steps), **late)
        return problem_from_toml(self.text, shape, None if steps is None else int(steps), own)


def shape_of(text: str) -> tuple[int, ...]:
    """The shape that a label of a study tells, "32x64"."""
    try:
        return tuple(int(n) for n in text.split("x"))
    except ValueError:
        raise InputError(f"shape is {text!r}; whole numbers with x between them are needed, say 32x32") from None


@dataclass(frozen=True)
class Answer:
    """What came of a point: numbers, fields, masses; or the message of its failure."""

    numbers: dict[str, float]
    fields: dict[str, np.ndarray]
    status: str
    message: str = ""
    finished: bool = True  # False where no one can say what the point itself would have answered


def fingerprint_of(point: Point, over: Mapping[str, Any]) -> str:
    """Tells studies apart: everything that their numbers follow from."""
    if point.build is not None:
        made = f"{getattr(point.build, '__module__', '')}.{getattr(point.build, '__qualname__', repr(point.build))}"
    else:
        made = point.name or point.text
    stated = [made, point.settings, point.learner, point.options, point.agents, point.regions, point.times, point.keep]
    text = json.dumps([*stated, {key: list(map(str, values)) for key, values in over.items()}, mfgsolve.__version__],
                      sort_keys=True, default=str)  # fmt: skip
    return hashlib.sha256(text.encode()).hexdigest()


def solve_point(point: Point) -> Answer:
    """Solve, and keep what was asked for; a failure is an answer, too."""
    if point.version and point.version != mfgsolve.__version__:
        message = f"the worker has mfgsolve {mfgsolve.__version__}, and the study is of {point.version}"
        return Answer({}, {}, "failed", message)
    try:
        return _solved(point)
    except TimeUp:
        return Answer({}, {}, "failed", "the time was up")
    except InputError as error:
        return Answer({}, {}, "failed", str(error))
    except Exception as error:  # the study goes on; its author reads this
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Answer({}, {}, "failed", f"{type(error).__name__}: {error} ({last.name}, line {last.lineno})")


def _solved(point: Point) -> Answer:
    problem = point.problem()
    solution = _played(problem, point)
    certificate = solution.certificate
    numbers = {
        "cost": certificate.cost, "potential": certificate.potential,
        "relative_exploitability": certificate.relative_exploitability,
        "potential_error": solution.discretisation.potential, "movement_cost": certificate.movement_cost,
        "crowd_cost": certificate.crowd_cost, "sweeps": solution.sweeps, "seconds": solution.seconds,
        "steps": float(solution.dataset.sizes["step"]),
    }  # fmt: skip
    if point.agents:
        numbers["regret"] = _regret(solution, point.agents)
    fields = {}
    times = np.array(point.times) * float(solution.dataset["time"].values[-1])
    if point.regions:
        from mfgsolve.studies.answers import mass

        for name, where in point.regions.items():
            fields[f"mass_{name}"] = mass(solution, where, times.tolist()).values
    for name in point.keep:
        if name == "density":
            fields[name] = solution.density_at(times.tolist()).values
        elif name == "value":
            fields[name] = solution.dataset["value"].interp(time=times).values
        else:
            raise InputError(unknown("field to keep", name, FIELDS))
    said = "; ".join(caution.sentence for caution in solution.warnings)
    return Answer(numbers, fields, solution.status.value, said)


def _played(problem: Problem, point: Point) -> Solution:
    if point.learner is None:
        return solve(problem, check="ignore", **point.options)
    given = {"seed" if name == "rng" else name: value for name, value in point.options.items()}
    kind = methods.LEARNERS[point.learner]
    learner = kind(**typed_options(kind, given, point.learner, "the learner"))
    return learned(problem, learner, Reference("none"))


def _regret(solution: Solution, agents: int) -> float:
    from mfgsolve.agents.regret import nash_gap

    gap = nash_gap(solution, [agents])
    value = gap["regret"].values.reshape(-1)
    return float(value[0]) if value.size else math.nan
