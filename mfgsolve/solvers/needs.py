"""What solvers need of a game, each with the sentence that is said where it is missing.

A solver declares its needs, ``needs = (TABLES, SOFT)``; the first that a game does not meet is why it refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "BOUND_AT_END",
    "DERIVATIVE",
    "FINAL_TIME",
    "LOCAL",
    "MONOTONE",
    "POTENTIAL",
    "SHARP",
    "SLOPES",
    "SMOOTH",
    "SOFT",
    "STATIONARY",
    "STEEP",
    "TABLES",
    "UNCOUPLED",
    "WARM",
    "Need",
    "few_masses",
    "unmet",
]


@dataclass(frozen=True)
class Need:
    """A condition on a problem, and what is said of a problem that does not meet it."""

    name: str
    met: Callable[[Any], bool]
    sentence: str


TABLES = Need(
    "tables",
    lambda problem: problem.is_finite,
    "its agents have no finite list of actions, with tables of transitions (those of a controlled diffusion choose "
    "speeds, or laws of their next cell); state it with LatticeMoves or Tabular",
)
SHARP = Need(
    "sharp", lambda problem: problem.temperature == 0, "best responses are smooth at a temperature that is above 0"
)
SOFT = Need(
    "soft",
    lambda problem: not problem.is_hard,
    "a density or a price has hard bounds, which best responses alone do not keep",
)
WARM = Need(
    "warm",
    lambda problem: not problem.is_finite or problem.temperature > 0,
    "best responses jump where there is no temperature",
)
BOUND_AT_END = Need(
    "bound at the end",
    lambda problem: problem.is_hard and not problem.couplings[0].is_hard,
    "its one constraint is a density that is given, or capped, at the end",
)
UNCOUPLED = Need(
    "uncoupled",
    lambda problem: not problem.is_coupled,
    "the transitions depend on the crowd, so that flows are no convex set",
)
POTENTIAL = Need("potential", lambda problem: problem.is_potential, "the game has no potential to minimise")
MONOTONE = Need("monotone", lambda problem: problem.is_monotone, "the potential is not convex")
LOCAL = Need(
    "local", lambda problem: problem.is_local, "a coupling does not act cell by cell, or its derivative is not known"
)
DERIVATIVE = Need("derivative", lambda problem: problem.is_differentiable, "the coupling has no derivative")
SLOPES = Need(  # by differences where the crowd changes the transitions
    "slopes", lambda problem: problem.is_differentiable or problem.is_coupled, "the coupling has no derivative"
)

SMOOTH = Need(
    "smooth",
    lambda problem: not any(one.is_bang_bang for one in problem.all_dynamics),
    "best speeds jump, because what moving costs does not grow faster than the speed; give it a power p > 1",
)
STEEP = Need(
    "steep",
    lambda problem: len(problem.all_dynamics) == 1 and problem.all_dynamics[0].has_steep_speeds,
    "it is not one population whose best speeds jump, or start with an infinite derivative (a `movement` c |a|, "
    "c |a|^p with p > 2, or a speed limit alone)",
)

STATIONARY = Need("stationary", lambda problem: problem.time.is_stationary, "it has a final time")
FINAL_TIME = Need(
    "final time",
    lambda problem: not problem.time.is_stationary,
    "it has no final time, and this solver goes through steps from the last to the first",
)


def few_masses(most: int) -> Need:
    """At most so many unknown masses where the transitions depend on the crowd."""
    return Need(
        "few masses",
        lambda problem: not problem.is_coupled or problem.grid.size * (problem.time.steps + 1) <= most,
        f"the transitions depend on the crowd, and more than {most} masses are unknown",
    )


def unmet(needs: tuple[Need, ...], problem: Any) -> str | None:
    """The sentence of the first need that a problem does not meet, or None."""
    return next((need.sentence for need in needs if not need.met(problem)), None)
