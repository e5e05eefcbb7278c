"""How many entropic steps a game takes, and what a stated number of them does.

The noise of one step must be as wide as 0.6 cells, so that T <= 2 nu horizon / (0.6 h)^2: too many steps harm, and on
fine meshes before that bound, since every step has its error.  Too few cost accuracy in time, of second order; the
number taken balances both.  Kinks of the data need a node.  Both errors are measured on a coarse grid
(`mfgsolve.resolution.balance`).
"""

from __future__ import annotations

import math

from mfgsolve.cautions import Caution
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.games.speeds import fastest_speed
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.resolution.balance import Balance, balanced, sum_error
from mfgsolve.resolution.judgement import Judgement
from mfgsolve.resolution.measuring import UNMEASURED, Change
from mfgsolve.resolution.nodes import misses, near
from mfgsolve.steps.resolving import coarsest, own_viscosity, space_error, steps_for_noise

__all__ = ["entropic_judgement", "entropic_settled"]

LEAST, MOST = 8, 2048  # steps, however smooth the game; and where noise bears fewer than it wants, however rough
TOLERATED = 0.08  # estimated error in time, of the flow or a third of that of the gain, that is worth a caution,
NOISY = 0.01  # that by the width of the noise,
MISSED = 0.02  # and the share of a step by which a node may miss a kink
FINE = 1e-5  # error in time that is as good as none
ABOUT = 1.5  # times the least error of the potential that a number may have: more steps serve the density
BETTER = 1.5  # times that another number must be better than the largest which the noise bears
FINER = 1.2  # ratio of the numbers that are compared
LONGEST = 1.3  # what the fastest agents go in a step, in (h^2 L)^(1/3), where nothing could be measured


def entropic_settled(problem: Problem) -> tuple[Problem, Judgement]:
    """The problem in the number of steps that the rule takes, and what is known of it."""
    balance = balanced(problem)
    steps = _advised(problem, balance)
    settled = problem.with_steps(steps, chosen=True)
    return settled, _judged(settled, balance, steps)


def entropic_judgement(problem: Problem) -> Judgement:
    """What is known of a stated number of steps."""
    balance = balanced(problem)
    return _judged(problem, balance, _advised(problem, balance))


# -- the rule ----------------------------------------------------------------------------------------------------------


def _advised(problem: Problem, balance: Balance | None) -> int:
    return near(_wished(problem, balance), problem.kinks, problem.time.horizon, LEAST)


def _wished(problem: Problem, balance: Balance | None) -> float:
    """The number of steps before kinks are looked at."""
    grid, horizon = problem.grid, problem.time.horizon
    assert isinstance(grid, Grid)
    bound = steps_for_noise(problem.all_dynamics[0].viscosity, grid, horizon)  # type: ignore[attr-defined]
    if balance is None:
        return bound if bound >= LEAST else max(LEAST, _steps_for_speed(problem, grid))

    def in_time(steps: float) -> float:  # as the second order says, without the caution of estimates
        return balance.in_time.worst / 3 * (balance.plan.steps / steps) ** 2

    def error(steps: float) -> float:
        return in_time(steps) + balance.noise_error(problem, int(steps)).worst

    def off(steps: int) -> float:  # of the potential, where the noise serves
        second = balance.in_time.potential / 3 * (balance.plan.steps / steps) ** 2
        return second + sum_error(problem, steps)

    enough = math.sqrt(in_time(1.0) / FINE)
    first: float = max(LEAST, min(bound, enough))
    if bound >= LEAST:
        errors = {steps: off(steps) for steps in range(LEAST, math.floor(first) + 1)}
        first = max(steps for steps, error in errors.items() if error <= ABOUT * min(errors.values()))
    if bound >= LEAST and in_time(first) <= TOLERATED / 2:
        return first
    numbers, top = [first], max(first, min(enough, MOST))
    while FINER * numbers[-1] < top:
        numbers.append(FINER * numbers[-1])
    best = min(numbers, key=error)
    return best if bound < LEAST or BETTER * error(best) < error(first) else first


def _steps_for_speed(problem: Problem, grid: Grid) -> float:
    """Where dt ~ h^(2/3) puts the balance in games of one length and one speed v: v dt = (2 h^2 L)^(1/3)."""
    try:
        game = make_game(problem.with_steps(2 * LEAST), 1)
    except InputError:  # arrays tie it to its own times
        if not problem.time.settled:
            raise
        game = make_game(problem, 1)
    cost = problem.all_dynamics[0].hamiltonian  # type: ignore[attr-defined]
    length, horizon = max(axis.length for axis in grid.axes), problem.time.horizon
    speed = fastest_speed(game, cost.weight)
    return horizon * speed / (LONGEST * (coarsest(grid) ** 2 * length) ** (1 / 3))


# -- what is said of a number ------------------------------------------------------------------------------------------


def _judged(problem: Problem, balance: Balance | None, advised: int) -> Judgement:
    grid, time = problem.grid, problem.time
    assert isinstance(grid, Grid)
    viscosity = problem.all_dynamics[0].viscosity  # type: ignore[attr-defined]
    used = own_viscosity(viscosity, grid, time.dt)
    missed = misses(time.steps, problem.kinks, time.horizon)
    in_time, by_noise = UNMEASURED, UNMEASURED
    if balance is not None:
        in_time, by_noise = balance.time_error(time.steps), balance.noise_error(problem, time.steps)
    cautions = _of_noise(problem, used, by_noise, advised) + _of_time(problem, in_time, advised)
    if not any(caution.code.startswith("too-") for caution in cautions):  # whose remedy has nodes on the kinks
        cautions += _of_kinks(problem, missed, advised)
    error = in_time.plus(by_noise)
    return Judgement(
        time.steps, time.chosen, error.potential, error.gain, min(error.flow, 1.0),
        steps_advised=advised if cautions and advised != time.steps else None,
        space_error=space_error(used, grid, time.dt), own_viscosity=used if used > viscosity else math.nan,
        kink_miss=missed if problem.kinks else math.nan, cautions=tuple(cautions),
        work=0.0 if balance is None else balance.work,
    )  # fmt: skip


def _of_noise(problem: Problem, used: float, error: Change, advised: int) -> list[Caution]:
    """Whether the noise of one step is too narrow for the cells, or a viscosity of the scheme's own stands for it."""
    grid, time = problem.grid, problem.time
    assert isinstance(grid, Grid)
    stated = problem.all_dynamics[0].viscosity  # type: ignore[attr-defined]
    share = space_error(used, grid, time.dt)
    if used == stated and share <= NOISY:
        return []
    if used > stated and error.worst <= NOISY:
        return []
    what = (
        f"the scheme takes a viscosity of its own, {used:.3g} for {stated:g}, since the noise of a step would be too "
        "narrow for the cells"
        if used > stated
        else f"the noise of a step is only {math.sqrt(2 * stated * time.dt) / coarsest(grid):.2f} cells wide"
    )
    effect = "" if math.isnan(error.worst) else f", which {_effect(problem, error)}"
    if time.steps > advised:
        sentence = f"{time.steps} entropic steps are too many: {what}{effect}; take {advised} steps"
        return [Caution("too-many-steps", sentence)]
    if used == stated:
        return [Caution("too-many-steps", f"{time.steps} entropic steps are many: {what}{effect}; take more cells")]
    return [Caution("own-viscosity", f"{what}{effect}; take more cells, or a viscosity that they bear")]


def _of_time(problem: Problem, error: Change, advised: int) -> list[Caution]:
    """Whether steps are too long."""
    steps = problem.time.steps
    if math.isnan(error.worst):
        sentence = (
            f"whether {steps} entropic steps are enough could not be measured on a coarse grid; solve it with "
            f"{max(1, steps // 2)} steps, too, and compare"
        )
        return [Caution("steps-not-measured", sentence)]
    if not error.worst > TOLERATED:
        return []
    remedy = f"take {advised} steps" if advised > steps else "more of them would need more cells: take both"
    sentence = (
        f"{steps} entropic steps{', as chosen,' * problem.time.chosen} are too few: as measured on a coarse grid, "
        f"their length {_effect(problem, error)}; {remedy}"
    )
    return [Caution("too-few-steps", sentence)]


def _of_kinks(problem: Problem, missed: float, advised: int) -> list[Caution]:
    """Whether kinks of the data have nodes."""
    if missed <= MISSED:
        return []
    steps, dt, kinks = problem.time.steps, problem.time.dt, problem.kinks
    better = misses(advised, kinks, problem.time.horizon) < missed and advised != steps
    remedy = f"take {advised} steps" if better else "no number near it fits them all: move them a little"
    sentence = (
        f"the nodes of {steps} steps miss the kinks of the data at t = {', '.join(f'{kink:g}' for kink in kinks)} by "
        f"up to {missed:.2g} of a step ({missed * dt:.2g}): the error in time has no order there, and what is "
        f"estimated from fewer steps may be wrong; {remedy}"
    )
    return [Caution("kinks-off-nodes", sentence)]


def _effect(problem: Problem, error: Change) -> str:
    what = "the potential" if problem.is_potential else "what agents pay"
    return f"changes {what} by about {error.potential:.2g} and the place of {min(error.flow, 1.0):.1%} of the crowd"
