"""From a problem to TOML text that rebuilds it, or a sentence why no file can hold it."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.couplings import by_target
from mfgsolve.errors import InputError
from mfgsolve.exit_costs import exit_costs
from mfgsolve.inputs.forms import TRANSITIONS
from mfgsolve.problem import Problem
from mfgsolve.problemfile.building import on_what
from mfgsolve.problemfile.reading import READ, problem_from_toml
from mfgsolve.problemfile.schemes import stating
from mfgsolve.problemfile.tomlwriter import dump_toml
from mfgsolve.problems import registry

__all__ = ["problem_to_toml"]


def problem_to_toml(problem: Problem) -> str:
    """Text from which `problem_from_toml` builds the same problem.

    Arrays of a data file stay there; the text keeps the file's name, relative to the working folder, and its digest.

    Raises
    ------
    InputError
        if the problem was made, or changed, with Python functions, which no data file can hold
    """
    if problem in READ:  # the very object that was read
        return READ[problem]
    text = _text(problem)
    again = problem_from_toml(text)
    late: dict[str, Any] = {"kinks": list(problem.kinks)} if again.kinks != problem.kinks else {}
    late |= {"sense": problem.sense} if again.sense != problem.sense else {}
    if late:
        text = dump_toml(tomllib.loads(text) | late)
        again = problem_from_toml(text)
    if not _alike(problem, again):
        raise InputError(
            f"problem {problem.name!r} was changed in Python after it was built, and a file cannot hold the change; "
            "build it with other parameters, or give it parameters=None and text=None"
        )
    return text


def _text(problem: Problem) -> str:
    space = getattr(problem.grid, "space", problem.grid)  # of populations, or of scenarios
    shape, steps = list(getattr(space, "box_shape", space.shape)), problem.time.steps
    if problem.text is not None and problem.time.is_stationary:
        return _stationary_text(problem, shape)
    if problem.text is not None:
        document = tomllib.loads(problem.text)
        grid, time = document.get("grid", {}), document["time"]
        stated = grid.get("shape", [len(edges) - 1 for edges in grid["edges"]] if "edges" in grid else shape)
        resolution = stated, time.get("steps"), time.get("chosen", False), time.get("discount", 0.0)
        if resolution == (shape, steps, problem.time.chosen, problem.time.discount):
            return stating(problem.text, problem)
        if stated != shape:
            document["grid"]["shape"] = shape
        timing = {"steps": steps, "chosen": problem.time.chosen, "discount": problem.time.discount}
        document["time"] = {key: value for key, value in time.items() if key not in timing}
        document["time"] |= {key: value for key, value in timing.items() if value or key == "steps"}
        if problem.normalise:
            document.setdefault("initial", {})["normalise"] = True
        return stating(dump_toml(document), problem)
    if problem.parameters is None:
        raise InputError(
            f"problem {problem.name!r} was made from Python functions, which a file cannot hold; "
            "use a named problem or declare it in TOML to keep it with its solution"
        )
    if ":" in problem.name:
        raise InputError(
            f"problem {problem.name!r} was made by mfgsolve.interop in Python, and making it once more, to see that it "
            "was not changed, may take long; problemfile.named_problem makes it so that it can be kept"
        )
    chosen = registry.get(problem.name).resolution
    finely = {key: value for key, value in (("shape", shape), ("steps", steps)) if key in chosen and value is not None}
    if problem.time.chosen:
        finely["steps_chosen"] = True
    late: dict[str, Any] = {"time": {"discount": problem.time.discount}} if problem.time.discount else {}
    if chain := problem.all_dynamics[0].chain:
        late["dynamics"] = chain
    return dump_toml({"problem": problem.name, **finely, "parameters": dict(problem.parameters), **late})


def _stationary_text(problem: Problem, shape: list[int]) -> str:
    """The text that a game without a final time was made from, on its grid."""
    assert problem.text is not None
    document = tomllib.loads(problem.text)
    grid = document.get("grid", {})
    if document["time"] == problem.time.stated and grid.get("shape", shape) == shape:
        return stating(problem.text, problem)
    if "shape" in grid:
        document["grid"]["shape"] = shape
    return stating(dump_toml(document | {"time": problem.time.stated}), problem)


def _alike(problem: Problem, other: Problem) -> bool:
    """Whether two problems have the same grid, time and dynamics, and the same numbers where they are sampled."""
    stated = [(p.grid.identity, p.time, p.kinks, p.sense, len(p.couplings), [by_target(c).keys() for c in p.couplings])
              for p in (problem, other)]  # fmt: skip
    if stated[0] != stated[1] or not np.array_equal(problem.grid.mask, other.grid.mask):
        return False
    if not all(_same_dynamics(a, b, problem) for a, b in zip(problem.all_dynamics, other.all_dynamics, strict=True)):
        return False
    samples = zip(_samples(problem), _samples(other), strict=True)
    return all(a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in samples)


def _same_dynamics(dynamics: Any, other: Any, problem: Problem) -> bool:
    """Whether two dynamics were stated alike, field by field; functions by their values."""
    if type(dynamics) is not type(other):
        return False
    if hasattr(dynamics, "of"):  # in scenarios, whose tree is part of the space
        return _same_dynamics(dynamics.of, other.of, problem)
    parts = [part for part in fields(dynamics) if part.compare]
    pairs = ((_values(getattr(each, part.name), part, problem) for each in (dynamics, other)) for part in parts)
    return all(_same(*pair) for pair in pairs)


def _values(value: Any, part: Any, problem: Problem) -> Any:
    if isinstance(value, list | tuple):
        return [_values(item, part, problem) for item in value]
    if not callable(value):
        return value
    if part.metadata.get("form") is TRANSITIONS:  # as the crowd starts
        return list(value(0.0, problem.initial_mass()))
    c = getattr(problem.grid, "space", problem.grid).coordinates
    return [np.asarray(value(float(t), c)) for t in _times(problem)]


def _same(value: Any, other: Any) -> bool:
    """Arrays, sparse matrices and lists of them, entry by entry."""
    if sparse.issparse(value) and sparse.issparse(other):
        pair: list[Any] = [value, other]
        return bool(pair[0].shape == pair[1].shape and (pair[0] != pair[1]).nnz == 0)
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(_same(a, b) for a, b in zip(value, other, strict=True))
    if callable(value) or callable(other) or sparse.issparse(value) or sparse.issparse(other):
        return False
    return bool(np.array_equal(value, other))


def _times(problem: Problem) -> np.ndarray:
    """First, middle and last node."""
    nodes = problem.time.nodes if problem.time.settled else replace(problem.time, steps=2).nodes
    return np.asarray(nodes[[0, len(nodes) // 2, -1]])


def _samples(problem: Problem) -> list[np.ndarray]:
    """Start, end, and the cost of the crowd as it starts, at three times."""
    mass, times = problem.initial_mass(), _times(problem)
    samples, levels = [mass, problem.terminal_cost()], slice(0, len(times))
    if problem.grid.exits is not None:
        samples.append(exit_costs(problem.exit_cost, times, problem.grid))
    for coupling in problem.couplings:
        for on, terms in by_target(coupling).items():
            space = on_what(problem, on)
            shape = (1,) if on == "aggregate" else space.shape
            density = np.ones(shape) if on == "aggregate" else np.broadcast_to(mass / space.volumes, shape)
            for term in terms:
                bound = term.bind(space, times)
                samples.append(bound.cost(levels, np.array([density] * len(times))))
                samples += [np.nan_to_num(limit) for limit in bound.bounds(levels) or ()]
                if on == "aggregate" and getattr(term, "amounts", None) is not None:
                    samples.append(term.amounts_on(on_what(problem, "occupation"), times, None))  # type: ignore[attr-defined]
    return samples
