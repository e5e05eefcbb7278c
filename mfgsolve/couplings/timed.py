"""Couplings stated with arrays that change with time: a plain array with one axis more than the space has a level for
each step, or each node, of the problem; what time each level is of is written to it when the problem is stated."""

from __future__ import annotations

from dataclasses import replace

from mfgsolve.couplings.base import Coupling, Scaled, Sum
from mfgsolve.couplings.hard import Capacity
from mfgsolve.couplings.local import Congestion, CrowdAversion, RunningCost
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.times import over_time
from mfgsolve.spaces import Space

__all__ = ["timed"]

FIELDS = {Capacity: "cap", Congestion: "reward", CrowdAversion: "strength", RunningCost: "cost"}


def timed(coupling: Coupling, space: Space, time: TimeGrid) -> Coupling:
    """The coupling with the times of its arrays; itself where none of them changes with time.

    Raises
    ------
    InputError
        where the number of levels is not that of the steps or nodes, or the number of steps is not stated
    """
    if isinstance(coupling, Sum):
        terms = tuple(timed(term, space, time) for term in coupling.terms)
        return coupling if all(a is b for a, b in zip(terms, coupling.terms, strict=True)) else Sum(terms)
    if isinstance(coupling, Scaled):
        inner = timed(coupling.of, space, time)
        return coupling if inner is coupling.of else Scaled(inner, coupling.factor)
    name = FIELDS.get(type(coupling))
    if name is None:
        return coupling
    dims = ("action", *space.dims) if coupling.on == "occupation" else space.dims
    given = getattr(coupling, name)
    made = over_time(given, dims, time, f"{name} of the {type(coupling).__name__}")
    return coupling if made is given else replace(coupling, **{name: made})  # type: ignore[type-var]
