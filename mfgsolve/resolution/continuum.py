"""A game solved to a distance from the continuum: meshes and steps are chosen by what a few of them show.

*Entropic steps*: pairs of T/2 and T steps, each on the mesh on which sigma / h is the same for its own T, 0.75 or what
makes e_s a small share of the wish, so that the rest is of second order in time.  Potential and density are
extrapolated from a pair, (4 P_T - P_(T/2)) / 3.  A pair of few steps shows how many are needed; from the second pair on
a third run tells how far its extrapolation is off (`richardson.extrapolated_twice`).  Half of T has a node on every
kink of the data.  All but the finest mesh are solved to a thousandth of the wish.  *Upwind steps*, and a viscosity too
small for such meshes: the ladder (`mfgsolve.resolution.ladder`).

The certified plan of the finest mesh is returned; what is extrapolated stands beside it, in its `Discretisation` and in
the variable ``extrapolated_density``, which may be negative.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mfgsolve.cautions import Caution
from mfgsolve.discretisation import Discretisation
from mfgsolve.errors import InputError, real
from mfgsolve.games import make_game
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.resolution import richardson
from mfgsolve.resolution.estimating import compared
from mfgsolve.resolution.ladder import Asked, Rung, Solve, Stop, climb, climbed, on_mesh, unit_of
from mfgsolve.resolution.nodes import misses
from mfgsolve.resolution.overlay import Flow, interpolated
from mfgsolve.resolution.second_order import space_doubt
from mfgsolve.solution import Solution

__all__ = ["approached", "check_wish"]

WIDTH, NARROW = 0.75, 0.15  # sigma / h of every mesh at least; share of the wish that e_s is at most
FEWEST, MOST = 16, 4096  # steps of the finer run of the first pair, and of the last one
PAIRS, MESHES = 8, 12  # at most
AHEAD = 0.5  # share of the first estimate that the number of steps is chosen by: it is cautious
AGREED = 0.2  # share of that estimate that a later one is at least: extrapolations may agree by accident
WALLS = 8  # cells along an axis come in such numbers where walls should keep their place
ROUGH = 1e-3  # share of the wish that is a good enough relative exploitability of all meshes but the last
WHOLE = 1e-9


def check_wish(wish: float) -> float:
    """A relative distance that can be asked for.

    Raises
    ------
    InputError
        where it is no positive number
    """
    value = real(wish, "tol_continuum")
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"tol_continuum is {wish}; a positive relative distance is needed, say 1e-3")
    return value


def approached(problem: Problem, wish: float, solve: Solve, max_seconds: float | None = None) -> Solution:
    """The plan on a mesh whose potential (or cost) is estimated to be known to ``wish``, relative.

    Parameters
    ----------
    problem : with a number of steps, and functions, which can be stated on other meshes
    wish : relative to the potential, see `mfgsolve.resolution.ladder`
    solve : on one mesh
    max_seconds : of all meshes together
    """
    stop = Stop.after(max_seconds)
    on_mesh(problem, problem.grid.shape, problem.time.steps)  # what cannot be is told first
    if make_game(problem).step.order > 1 and _fits(problem, wish):
        rungs, pairs = _in_pairs(problem, wish, solve, stop)
        solution = _beside(rungs, pairs)
    else:
        rungs = climbed(problem, solve, levels=MESHES, wish=wish, stop=stop)
        solution = rungs[-1].solution.estimated(rungs[-1].distance)
    reached = solution.discretisation.least / unit_of(solution.certificate)
    if reached <= wish:
        return solution
    why = stop.reason or f"{len(rungs)} meshes were solved"
    sentence = (
        f"the distance to the continuum is estimated as {reached:.1e} of the potential, and {wish:.1e} was asked for: "
        f"{why}"
    )
    return solution.estimated(solution.discretisation, (Caution("continuum-not-reached", sentence),))


# -- entropic steps, in pairs ------------------------------------------------------------------------------------------


def _fits(problem: Problem, wish: float) -> bool:
    """Whether the viscosity of the game is enough for meshes of a sensible size."""
    return _viscosity(problem) > 0 and max(_shape(problem, FEWEST, wish)) <= MOST


def _viscosity(problem: Problem) -> float:
    return float(getattr(problem.all_dynamics[0], "viscosity", 0.0))


def _shape(problem: Problem, steps: int, wish: float) -> tuple[int, ...]:
    """Cells along each axis with which sigma / h is what the wish needs in so many steps."""
    grid = problem.grid
    assert isinstance(grid, Grid)
    width = math.sqrt(2.0 * _viscosity(problem) * problem.time.horizon / steps)
    ratio = max(WIDTH, math.sqrt(max(math.log(2.0 / (NARROW * wish)), 0.0) / 2.0) / math.pi)
    unit = WALLS if grid.mask.any() else 1
    return tuple(max(unit * math.floor(axis.length * ratio / width / unit + 0.5), unit, 4) for axis in grid.axes)


def _with_nodes(wanted: float, problem: Problem) -> int:
    """The next even number of steps whose half has a node on every kink, if there is one up to twice as large."""
    first = 2 * math.ceil(wanted / 2 - WHOLE)
    numbers = range(first, 2 * first + 2, 2)
    return next((n for n in numbers if misses(n // 2, problem.kinks, problem.time.horizon) == 0), first)


def _in_pairs(
    problem: Problem, wish: float, solve: Solve, stop: Stop
) -> tuple[list[Rung], list[tuple[Rung, Rung, Discretisation]]]:
    """All meshes that were solved, and the pairs of them with what each says of its distance."""

    def posed(count: int) -> Problem:
        return on_mesh(problem, _shape(problem, count, wish), count).with_steps(count, chosen=True)

    rungs: dict[int, Rung] = {}
    pairs: list[tuple[Rung, Rung, Discretisation]] = []
    steps, rough = _with_nodes(FEWEST, problem), ROUGH * wish
    while len(pairs) < PAIRS and steps <= MOST:
        exact = rough if not pairs else 0.0
        if not (
            _solved(rungs, posed(steps // 2), solve, stop, rough) and _solved(rungs, posed(steps), solve, stop, exact)
        ):
            break
        coarse, fine = rungs[steps // 2], rungs[steps]
        distance = _judged(coarse, fine, rungs)
        pairs.append((coarse, fine, distance))
        unit = unit_of(fine.solution.certificate)
        if distance.least <= wish * unit:
            break
        ahead = AHEAD if len(pairs) == 1 else 1.0
        needed = steps * math.sqrt(max(ahead * distance.least / (wish * unit), 1.0))
        steps = max(_with_nodes(needed, problem), _with_nodes(steps + 2, problem))
    if pairs and fine.rough:  # which was to be no more than a first look
        del rungs[fine.problem.time.steps]
        if _solved(rungs, fine.problem, solve, stop, 0.0):
            pairs[-1] = (coarse, rungs[fine.problem.time.steps], distance)
    return list(rungs.values()), pairs


def _solved(rungs: dict[int, Rung], posed: Problem, solve: Solve, stop: Stop, rough: float) -> bool:
    """Solve one more mesh, unless that is done; False where something says stop."""
    steps = posed.time.steps
    if steps in rungs and rungs[steps].rough <= rough:
        return True
    last = max(rungs.values(), key=lambda rung: rung.meshed.numbers.cell_steps, default=None)
    if stop.before(posed, last):
        return False
    rung = climb((), posed, solve, Asked(stop.left, rough, judged=False))
    rungs[steps] = rung
    return not stop.after_solve(rung.solution)


def _judged(coarse: Rung, fine: Rung, rungs: Mapping[int, Rung]) -> Discretisation:
    """What a pair says; the error of its extrapolation by a third run of fewer steps, where there is one."""
    known = Discretisation(fine.distance.scheme, fine.distance.own_viscosity)
    distance = compared(known, [fine.meshed, coarse.meshed])
    fewer = [steps for steps in rungs if steps < coarse.problem.time.steps]
    if not fewer or math.isnan(distance.extrapolated_potential_error):
        return distance
    three = [fine.meshed, coarse.meshed, rungs[max(fewer)].meshed]
    beyond = richardson.extrapolated_twice([each.potential for each in three], [each.numbers.steps for each in three])
    in_space = space_doubt(fine.meshed)
    in_time = AGREED * (distance.extrapolated_potential_error - in_space)
    error = in_space + max(abs(distance.extrapolated_potential - beyond), in_time)
    return replace(distance, extrapolated_potential_error=error)


def _beside(rungs: Sequence[Rung], pairs: Sequence[tuple[Rung, Rung, Discretisation]]) -> Solution:
    """The plan of the finest mesh, what its pair says, and the extrapolated density."""
    if not pairs:
        return rungs[-1].solution
    coarse, fine, distance = pairs[-1]
    work = sum(rung.meshed.sweeps * rung.meshed.numbers.cell_steps for rung in rungs if rung is not fine)
    distance = replace(distance, sweeps=work / fine.meshed.numbers.cell_steps)
    if math.isnan(distance.extrapolated_potential):
        return fine.solution.estimated(distance)
    return fine.solution.estimated(distance, extrapolated=_extrapolated(fine.meshed.flow, coarse.meshed.flow))


def _extrapolated(fine: Flow, coarse: Flow) -> np.ndarray:
    """(4 rho_T - rho_(T/2)) / 3 at the nodes that both have, on the finer mesh; NaN at the others."""
    result = np.full(fine.mass.shape, math.nan)
    for k in range(coarse.steps + 1):
        share = k / coarse.steps
        result[2 * k] = (4.0 * fine.density(share) - interpolated(coarse, fine.grid, share)) / 3.0
    return result
