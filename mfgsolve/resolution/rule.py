"""How many time steps a game needs, and whether a stated number of them is enough."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from mfgsolve.cautions import Caution
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.resolution.entropic import entropic_judgement, entropic_settled
from mfgsolve.resolution.finite import finite_steps
from mfgsolve.resolution.judgement import Judgement
from mfgsolve.resolution.measuring import UNMEASURED, Change, Measured, measure, probe, steps_for_speeds

__all__ = ["Judgement", "friendly", "judge", "settle"]

TOLERATED = 0.05  # estimated error, of the flow or a third of that of the gain, that is worth a caution
AIMED = 0.04  # and what a chosen number of steps keeps
MARGIN = 1.05  # of the speed cap over the speeds
BOUND = 0.05  # share of mass-time at the cap of the real grid that is worth a caution,
UNSEEN = 3  # where it is more than so many times what the coarse grid has seen
ATTEMPTS = 8
MOST_LONGER = 4  # steps of the real game over those of the coarse one that a chosen number may have
LEAST = 8  # steps of a game in which nobody moves


_settled: WeakKeyDictionary[Problem, Problem] = WeakKeyDictionary()
_measured: WeakKeyDictionary[Problem, Judgement] = WeakKeyDictionary()


def settle(problem: Problem) -> Problem:
    """The same problem with a number of time steps; a stated one stays.

    *Controlled diffusions*: the game is solved on its coarsest sensible grid, cheaply and with ever more steps, until
    neither potential nor flow change and the speed cap h / (2 d dt) does not bind.  With v the speed that all but half
    a percent of the mass-time keeps below there, the real grid needs 2 d T v / h steps; five percent more are taken,
    more where the estimated error asks for them (and as many as explicit noise is stable with), rounded up to 4, 5, 6
    or 7 times a power of 2.

    *Tabular* games: as many steps as the transitions have, or the costs, where they are given step by step; otherwise
    the horizon, if it is a whole number (steps of 1).  *Lattice moves*: as many steps as an agent needs from one end of
    the space to the other (and as explicit noise is stable with).

    Raises
    ------
    InputError
        where nothing says how many steps a game has, or its speeds cannot be measured

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> settle(mfg.problems.supply_demand(shape=(32, 32), scheme="upwind")).time.steps
    256
    """
    if not isinstance(problem, Problem):
        raise InputError(f"settle got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    if problem.time.settled:
        return problem
    if not problem.is_finite and problem.grid.populations > 1:
        raise InputError(
            f"problem {problem.name!r} has several populations of diffusions, whose speeds are not measured; state the "
            "number of time steps"
        )
    if problem not in _settled:
        _settled[problem] = _chosen(problem)
    return _settled[problem]


def _chosen(problem: Problem) -> Problem:
    if problem.scheme == "entropic":
        settled, _measured[settled] = entropic_settled(problem)
        return settled
    coarse = problem.all_dynamics[0].for_coarse_grid()
    if coarse is None:
        return problem.with_steps(finite_steps(problem), chosen=True)
    measured = measure(problem)
    if measured is None:
        wrong, otherwise = (_fault(replace(problem.with_steps(LEAST + k), dynamics=coarse)) for k in (0, 1))
        if wrong is not None and wrong == otherwise:  # what is wrong with the problem itself is told first
            raise InputError(wrong)
        if wrong is not None:  # only because of the number, which nobody stated
            raise InputError(
                f"problem {problem.name!r} states no number of time steps, and holds arrays of so many times that not "
                f"any number will do (with {LEAST} steps: {wrong}); state it: TimeGrid(horizon, steps), steps under "
                "[time], or --steps"
            )
        raise InputError(
            f"problem {problem.name!r} states no number of time steps, and the speeds of its agents could not be "
            "measured on a coarse grid (its costs or walls are tied to their grid, or no solver settles there); state "
            "it: TimeGrid(horizon, steps), steps under [time], or --steps; about 2 d T v / h for speeds v"
        )
    steps, error, capped = advised(problem, measured)
    settled = problem.with_steps(steps, chosen=True)
    _measured[settled] = _judgement(settled, error, capped, steps)
    return settled


def _fault(problem: Problem) -> str | None:
    """What the game of a problem is refused with."""
    with contextlib.suppress(ArithmeticError, LookupError):
        try:
            make_game(problem)
        except InputError as error:
            return str(error)
    return None


def advised(problem: Problem, measured: Measured) -> tuple[int, Change, float]:
    """The number of steps that the rule takes, its estimated error, and the share at the cap."""
    grid = problem.grid
    assert isinstance(grid, Grid)
    wanted = max(LEAST, MARGIN * steps_for_speeds(measured, grid))
    share = measured.error.cautious().worst / AIMED  # of first order
    wanted = max(wanted, measured.plan.steps * min(share, MOST_LONGER))
    wanted = max(wanted, problem.all_dynamics[0].stable_steps(grid, problem.time.horizon))
    for _ in range(ATTEMPTS):
        steps = friendly(wanted)
        error, capped = probe(measured, grid, steps)
        if not error.cautious().worst > TOLERATED:
            break
        wanted = 1.2 * steps
    return steps, error.cautious(), capped


def friendly(wanted: float) -> int:
    """The next whole number from there on that is 4, 5, 6 or 7 times a power of 2 (or below 8)."""
    count = max(1, math.ceil(wanted))
    unit = 1 << max(0, count.bit_length() - 3)
    return -(-count // unit) * unit


def judge(problem: Problem, cap_fraction: float = math.nan) -> Judgement:
    """Whether the time steps of a problem are enough; a number that the rule chose has been measured already.

    The coarse game of `settle` tells: solved once with the time step and the speed cap of the real one, once with as
    many steps as it takes until nothing changes.  Numbers so small that nobody moves are found, too: what they are
    compared with is not twice as many, but enough. Twice the difference (less
    where it is large) is the estimated error.

    Parameters
    ----------
    problem : in a finite game the steps are part of the game, and nothing is judged
    cap_fraction : share of the mass-time at the speed cap of the plan on the real grid, where it is known

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> judgement = judge(mfg.problems.supply_demand(shape=(32, 32), steps=32, scheme="upwind"))
    >>> judgement.cautions[0].code, judgement.flow_change > 0.5, judgement.steps_advised
    ('too-few-steps', True, 256)
    """
    problem = settle(problem)
    steps = problem.time.steps
    if problem.time.is_stationary or all(each.has_rounds for each in problem.all_dynamics):
        return Judgement(steps, problem.time.chosen)
    if problem not in _measured:
        _measured[problem] = _examined(problem)
    judgement = _measured[problem]
    if cap_fraction > max(BOUND, UNSEEN * judgement.cap_fraction) and not judgement.cautions:
        sentence = (
            f"the speed cap h / (2 d dt) binds for {cap_fraction:.0%} of the mass-time: agents cannot move as fast as "
            f"they want to; take more than {steps} time steps"
        )
        return replace(judgement, cautions=(Caution("too-few-steps", sentence),))
    return judgement


def _examined(problem: Problem) -> Judgement:
    if not isinstance(problem.grid, Grid):
        steps = problem.time.steps
        sentence = (
            f"whether {steps} time steps are enough is not measured for several populations of diffusions; solve the "
            f"game with {2 * steps} steps, too, and compare"
        )
        return Judgement(steps, problem.time.chosen, cautions=(Caution("steps-not-measured", sentence),))
    if problem.scheme == "entropic":
        return entropic_judgement(problem)
    measured = measure(problem)
    grid, steps = problem.grid, problem.time.steps
    error, capped, number = UNMEASURED, math.nan, None
    if measured is not None:
        assert isinstance(grid, Grid)
        error, capped = probe(measured, grid, steps)
        if not error.cautious().worst <= TOLERATED:
            number = advised(problem, measured)[0]
    return _judgement(problem, error.cautious(), capped, number)


def _judgement(problem: Problem, error: Change, capped: float, number: int | None) -> Judgement:
    steps = problem.time.steps
    cautions: tuple[Caution, ...] = ()
    if np.isnan(error.worst):
        sentence = (
            f"whether {steps} time steps are enough for the speeds of this game (speed cap h / (2 d dt)) could not be "
            f"measured on a coarse grid; solve it with {2 * steps} steps, too, and compare"
        )
        cautions = (Caution("steps-not-measured", sentence),)
    elif error.worst > TOLERATED:
        what = "the potential" if problem.is_potential else "what agents pay"
        remedy = "state more steps" if problem.time.chosen else f"take {number} steps"
        sentence = (
            f"{steps} time steps{', as chosen,' * problem.time.chosen} are too few: the speed cap h / (2 d dt) keeps "
            f"agents from moving as they would, or costs change faster.  As measured on a coarse grid, {what} is off "
            f"by about {error.potential:.2g} and {min(error.flow, 1.0):.0%} of the crowd is elsewhere; {remedy}"
        )
        cautions = (Caution("too-few-steps", sentence),)
    changes = error.potential, error.gain, min(error.flow, 1.0)
    return Judgement(steps, problem.time.chosen, *changes, capped, number, cautions)
