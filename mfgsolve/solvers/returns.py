"""What the verbs of a solver return, looked at, so that a solver of one's own is told what is wrong with it."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.inputs.calls import is_of_package
from mfgsolve.steps import Policy

__all__ = ["check_outcome", "returned"]

T = TypeVar("T")
FOLLOWED = 1e-8  # of a mass: round-off of the flow of a policy


def returned(solver: Any, verb: str, value: Any, kind: type[T]) -> T:
    """The value, if it is of that kind.

    Raises
    ------
    InputError
    """
    if not isinstance(value, kind):
        raise InputError(
            f"{verb} of solver {solver.name!r} gave {type(value).__name__}; {kind.__name__} (mfgsolve.solvers.base) "
            "is needed"
        )
    return value


def check_outcome(solver: Any, outcome: Any) -> None:
    """Refuse a policy that is none, and a crowd that does not follow it: a certificate would be of neither.

    Solvers of the package are believed, and learners, whose crowds are agents.

    Raises
    ------
    InputError
    """
    if is_of_package(solver) or solver.learns:
        return
    if not isinstance(outcome.policy, Policy):
        raise InputError(
            f"finish of solver {solver.name!r} gave a {type(outcome.policy).__name__} as the policy; a Policy is "
            "needed, say game.policy_of(array)"
        )
    apart = float(np.abs(outcome.game.follow(outcome.policy) - outcome.crowd).max())
    if math.isfinite(apart) and apart > FOLLOWED:
        raise InputError(
            f"finish of solver {solver.name!r} gave a crowd that is {apart:.1e} away from that of its policy; "
            "hand over game.follow(policy)"
        )
