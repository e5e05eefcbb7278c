"""One point of a sweep: what is solved there, as data that travels to a worker, and the numbers that come back."""

from __future__ import annotations

import hashlib
import json
import math
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import mfgsolve
from mfgsolve import methods
from mfgsolve.cautions import Caution, unique
from mfgsolve.errors import InputError, whole
from mfgsolve.identity import fingerprint
from mfgsolve.inputs.options import typed_options
from mfgsolve.problem import Problem
from mfgsolve.problemfile import named_problem, problem_from_toml
from mfgsolve.resolution import judge, settle
from mfgsolve.resolution.rule import BOUND
from mfgsolve.solution import Solution
from mfgsolve.solution.learning import Reference
from mfgsolve.solution.regions import volumes_of
from mfgsolve.solvers.base import Guess, Outcome
from mfgsolve.solving import learned, solve, solved
from mfgsolve.watch import TimeUp

__all__ = [
    "ASKED", "FIELDS", "NUMBERS", "OF_AGENTS", "OF_REPLICAS", "PLAYED", "RESOLUTION",
    "Answer", "Index", "Line", "Point", "fingerprint_of", "solve_from", "solve_point",
]  # fmt: skip

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
OF_AGENTS = {"regret": ("regret of one of N agents", "cost")}  # where a study asks for N of them,
OF_REPLICAS = {  # and where it plays games of N
    "simulated_cost": ("cost of N agents who follow the plan, one game", "cost"),
    "simulated_distance": ("share of the N agents who are elsewhere than the mean field, mean over time", "1"),
}
ASKED = ("potential_error",)  # of these kept on request: it takes a solve on a coarser mesh
FIELDS = ("density", "value")  # kept on request, at the times of the study
PLAYED = ("agents", "rng", "episodes")  # parameters that are no matter of the game
OPTIONS = ("method", "tol", "objective", "max_iterations", "max_seconds", "threads")  # of a solve, not of its solver
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
    rng : seed of a game of these N agents, who follow the plan; None plays none
    regions : conditions by name
    times : shares of the horizon at which fields and regions are kept
    keep : which of `FIELDS` and `ASKED`
    """

    name: str = ""
    text: str = ""
    build: Callable[..., Problem] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    learner: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    agents: int = 0
    rng: int | None = None
    regions: Mapping[str, str] = field(default_factory=dict)
    times: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    keep: tuple[str, ...] = ()
    version: str = ""

    def with_settings(self, changed: Mapping[str, Any]) -> Point:
        """Another point of the same study; "agents" and what is the learner's own are no settings of the game."""
        mine = {key: value for key, value in changed.items() if key not in PLAYED}
        rest = {key: value for key, value in changed.items() if key in PLAYED}
        point = replace(self, settings={**self.settings, **mine})
        if self.learner is not None:
            return replace(point, options={**self.options, **rest})
        if "episodes" in rest:
            raise InputError("episodes are those of a learner; name one")
        played: dict[str, Any] = {key: whole(value, key) for key, value in rest.items()}
        return replace(point, **played)

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


def fingerprint_of(point: Point, over: Mapping[str, Any], way: str | None = None) -> str:
    """Tells studies apart: everything that their numbers follow from, the parameter along which paths go among it."""
    if point.build is not None:
        made = f"{getattr(point.build, '__module__', '')}.{getattr(point.build, '__qualname__', repr(point.build))}"
    else:
        made = point.name or point.text
    stated = [
        made,
        point.settings,
        point.learner,
        point.options,
        point.agents,
        point.rng,
        point.regions,
        point.times,
        point.keep,
    ]
    listed = {key: list(map(str, values)) for key, values in over.items()}
    text = json.dumps([*stated, listed, way, mfgsolve.__version__], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


Index = tuple[int, ...]  # of a point in a study
Line = Callable[[Problem], Guess | None]  # from a problem to a start for it, where there is one


def solve_point(point: Point) -> Answer:
    """Solve, and keep what was asked for; a failure is an answer, too."""
    return solve_from(point)[0]


def solve_from(
    point: Point, make: Callable[[], Problem] | None = None, line: Line | None = None,
    told: tuple[Caution, ...] | None = None,
) -> tuple[Answer, Outcome | None]:  # fmt: skip
    """The same from a start, and what the solver handed over, if it converged.

    Parameters
    ----------
    make : what makes the problem, if not the point itself
    line : a start for it; where that does not lead to the tolerance, the point is solved from nothing
    told : what is known to be said of its steps; None judges them here
    """
    if point.version and point.version != mfgsolve.__version__:
        message = f"the worker has mfgsolve {mfgsolve.__version__}, and the study is of {point.version}"
        return Answer({}, {}, "failed", message), None
    try:
        return _solved(point, (make or point.problem)(), line, told)
    except TimeUp:
        message = "the time was up"
    except InputError as error:
        message = str(error)
    except Exception as error:  # the study goes on; its author reads this
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} ({last.name}, line {last.lineno})"
    return Answer({}, {}, "failed", message), None


def _solved(
    point: Point, problem: Problem, line: Line | None, told: tuple[Caution, ...] | None
) -> tuple[Answer, Outcome | None]:
    outcome = None
    if point.learner is not None:
        solution = _played(problem, point)
    elif "tol_continuum" in point.options:
        solution = solve(problem, check="ignore", **point.options)
    else:
        solution, outcome = _equilibrium(point, settle(problem), line, told is None)
    certificate = solution.certificate
    numbers = {
        "cost": certificate.cost, "potential": certificate.potential,
        "relative_exploitability": certificate.relative_exploitability,
        "potential_error": solution.discretisation.potential, "movement_cost": certificate.movement_cost,
        "crowd_cost": certificate.crowd_cost, "sweeps": solution.sweeps, "seconds": solution.seconds,
        "steps": float(outcome.game.steps if outcome is not None else solution.dataset.sizes["step"]),
    }  # fmt: skip
    if point.agents:
        numbers["regret"] = _regret(solution, point.agents)
    if point.agents and point.rng is not None:
        numbers |= _replica(solution, point.agents, point.rng)
    if told == () and certificate.cap_fraction > BOUND:  # which was not looked for
        told = judge(problem, certificate.cap_fraction).cautions
    cautions = unique(solution.warnings, told or ())
    said = "; ".join(caution.sentence for caution in cautions)
    answer = Answer(numbers, _fields(solution, point), solution.status.value, said)
    return answer, outcome if solution.converged else None


def _fields(solution: Solution, point: Point) -> dict[str, np.ndarray]:
    """Masses of regions and fields at the times of the study."""
    fields: dict[str, np.ndarray] = {}
    if not (point.regions or set(point.keep) & set(FIELDS)):
        return fields
    times = np.array(point.times) * float(solution.dataset["time"].values[-1])
    if point.regions:
        from mfgsolve.studies.answers import mass

        for name, where in point.regions.items():
            fields[f"mass_{name}"] = mass(solution, where, times.tolist()).values
    if "density" in point.keep:
        fields["density"] = solution.density_at(times.tolist()).values
    if "value" in point.keep:
        fields["value"] = solution.dataset["value"].interp(time=times).values
    return fields


_recent: list[tuple[str, tuple[Solution, Outcome]]] = []  # the last game that agents play, which they do seed by seed


def _equilibrium(point: Point, problem: Problem, line: Line | None, judged: bool) -> tuple[Solution, Outcome]:
    """From a start, if there is one and it leads to the tolerance, else from nothing."""
    options = dict(point.options)
    given: dict[str, Any] = {name: options.pop(name) for name in OPTIONS if name in options}
    given |= {"options": options, "check": "ignore", "judged": judged, "estimate": ASKED[0] in point.keep}
    guess = None if line is None else line(problem)
    if guess is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ended = solved(problem, guess=guess, **given)
        if ended[0].converged:
            return ended
    if not point.agents:
        return solved(problem, **given)
    same = fingerprint_of(replace(point, agents=0, rng=None), {}) + fingerprint(problem)
    for known, ended in _recent[:]:  # a copy: other threads may put theirs there meanwhile
        if known == same:
            return ended
    ended = solved(problem, **given)
    _recent[:] = [(same, ended)]
    return ended


def _played(problem: Problem, point: Point) -> Solution:
    given = {"seed" if name == "rng" else name: value for name, value in point.options.items()}
    kind = methods.LEARNERS[str(point.learner)]
    learner = kind(**typed_options(kind, given, str(point.learner), "the learner"))
    return learned(problem, learner, Reference("none"))


def _replica(solution: Solution, agents: int, rng: int) -> dict[str, float]:
    """One game of N agents who follow the plan: what they pay, and how far they are from the mean field."""
    from mfgsolve.agents.simulation import simulate

    played = simulate(solution, agents, rng=rng, threads=1).isel(replica=0)
    gap = abs(played["density"] - played["mean_field_density"]) * volumes_of(solution.dataset)
    several = solution.dataset.sizes.get("population", 1)
    return {
        "simulated_cost": float(played["cost"].mean()),
        "simulated_distance": 0.5 * float(gap.sum()) / gap.sizes["time"] / several,
    }


def _regret(solution: Solution, agents: int) -> float:
    from mfgsolve.agents.regret import nash_gap

    gap = nash_gap(solution, [agents])
    value = gap["regret"].values.reshape(-1)
    return float(value[0]) if value.size else math.nan
