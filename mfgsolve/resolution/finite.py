"""Time steps of finite games that state none: the game itself has them."""

from __future__ import annotations

from mfgsolve.errors import InputError
from mfgsolve.problem import Problem

__all__ = ["finite_steps"]


def finite_steps(problem: Problem) -> int:
    """Steps of a game whose dynamics know them; the largest number that one of its populations asks for.

    What is stated step by step decides; else what agents need, as lattice moves do to cross the space; else, where
    steps are rounds, the horizon.

    Raises
    ------
    InputError
        where nothing says how many there are, or several things do
    """
    dynamics, horizon = problem.all_dynamics, problem.time.horizon
    space = getattr(problem.grid, "space", problem.grid)  # of one population
    unknown = f"problem {problem.name!r} states no number of time steps"
    listed = set().union(*(each.listed_steps(space) for each in dynamics))
    if len(listed) > 1:
        raise InputError(
            f"{unknown}, and its transitions and costs are given for "
            f"{' and '.join(str(n) for n in sorted(listed))} steps; all need the same number"
        )
    if listed:
        return listed.pop()
    needed = [steps for each in dynamics if (steps := each.steps_for(space, horizon)) is not None]
    if needed:
        return max(needed)
    remedy = "state it: TimeGrid(horizon, steps), or steps under [time]"
    if not all(each.has_rounds for each in dynamics):
        raise InputError(f"{unknown}, and neither do its dynamics, {type(dynamics[0]).__name__}; {remedy}")
    if horizon != int(horizon):
        raise InputError(f"{unknown}, and its horizon {horizon:g} is no whole number of steps of 1; {remedy}")
    return int(horizon)
