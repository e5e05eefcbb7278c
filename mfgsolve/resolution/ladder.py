"""The same game on ever finer meshes, until the distance to the continuum is small enough or something says stop.

*First order* (upwind): h, h/2, h/4, ... with twice as many steps each time, as its rule has it.  *Second order*
(entropic): twice as many steps on cells 1/sqrt(2) as large, so that sigma / h and e_s stay as they are; where the
scheme adds a viscosity of its own, nu_h ~ h^2 / dt, cells 1/sqrt(8) as large, so that it falls with the square of the
time step, too.  Kinks that have a node keep it.

Sizes are relative: to the potential, or to the scale of the certificate where that is smaller (a constant added to all
costs makes the potential as large as one likes); never to less than a tenth of the scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mfgsolve.certificates import Certificate
from mfgsolve.discretisation import Discretisation
from mfgsolve.errors import InputError
from mfgsolve.games import make_game, sampled
from mfgsolve.grids import Grid
from mfgsolve.inputs.memory import available_memory, human_size
from mfgsolve.problem import Problem
from mfgsolve.resolution.estimating import compared, scheme_of
from mfgsolve.resolution.meshed import Meshed, apart_of
from mfgsolve.solution import Solution
from mfgsolve.solvers.base import Outcome
from mfgsolve.watch import clock

__all__ = ["Asked", "Rung", "Solve", "Stop", "climbed", "on_mesh", "refined", "unit_of"]

PATIENCE = 600.0  # seconds that one mesh may take, as far as it can be told, where no limit was set
LEAST_UNIT = 0.1  # of the scale


@dataclass(frozen=True)
class Asked:
    """How a game is to be solved on one mesh.

    Attributes
    ----------
    seconds : that are left; None without a limit
    rough : relative exploitability that will do, if it is larger than the one asked for
    judged : whether its number of steps is to be judged, which takes coarse games of its own
    """

    seconds: float | None = None
    rough: float = 0.0
    judged: bool = True


Solve = Callable[[Problem, Asked], tuple[Solution, Outcome]]


@dataclass(frozen=True, eq=False)
class Rung:
    """One mesh, solved.

    Attributes
    ----------
    problem, solution : on that mesh
    meshed : what is compared
    distance : its estimated distance to the continuum, from all meshes so far
    seconds : that it took
    apart : L1 distance of its density to that of the mesh before
    rough : tolerance that was allowed
    """

    problem: Problem
    solution: Solution
    meshed: Meshed
    distance: Discretisation
    seconds: float
    apart: float = math.nan
    rough: float = 0.0

    @property
    def relative(self) -> float:
        """Estimated distance of the best number known (an extrapolated one, where there is one), relative."""
        return self.distance.least / unit_of(self.solution.certificate)


@dataclass
class Stop:
    """When not to go on: limits, and the reason once there is one."""

    max_seconds: float | None
    begun: float
    reason: str = ""

    @classmethod
    def after(cls, max_seconds: float | None) -> Stop:
        """From now on."""
        return cls(max_seconds, clock())

    @property
    def left(self) -> float | None:
        """Seconds that are left; None without a limit."""
        return None if self.max_seconds is None else max(0.0, self.max_seconds - (clock() - self.begun))

    def before(self, problem: Problem, last: Rung | None) -> bool:
        """Whether to stop before that mesh, by the memory and the time that it will take."""
        shape, steps = problem.grid.shape, problem.time.steps
        name = "x".join(str(n) for n in (*shape, steps))
        needed = 8 * (8 + 2 * len(shape)) * math.prod(shape) * (steps + 1)
        there = available_memory()
        if there is not None and needed > there:
            self.reason = (
                f"the mesh {name} would need {human_size(needed)} of memory, and {human_size(there)} are available"
            )
        elif last is not None:
            work = problem.grid.size * steps / last.meshed.numbers.cell_steps
            seconds, limit = last.seconds * work, PATIENCE if self.left is None else self.left
            if seconds > limit:
                remedy = "; allow more by max_seconds" if self.left is None else ""
                self.reason = f"the mesh {name} would take about {seconds:.0f} s, and {limit:.0f} s are left{remedy}"
        return bool(self.reason)

    def after_solve(self, solution: Solution) -> bool:
        """Whether to stop after a solve: one that has not converged says nothing of its mesh."""
        if not solution.converged:
            self.reason = f"the solve of a mesh ended with status '{solution.status.value}'"
        return bool(self.reason)


def unit_of(certificate: Certificate) -> float:
    """What distances to the continuum are relative to; see the module."""
    size = abs(certificate.cost if math.isnan(certificate.potential) else certificate.potential)
    return min(certificate.scale, max(size, LEAST_UNIT * certificate.scale))


def on_mesh(problem: Problem, shape: Sequence[int], steps: int) -> Problem:
    """The same game on another mesh.

    Raises
    ------
    InputError
        where arrays tie the game to its own mesh, or there is no mesh at all
    """
    tied = (
        f"problem {problem.name!r} cannot be stated on other meshes: state its densities, costs, walls and couplings "
        "by functions of (t, coordinates), not by arrays"
    )
    if not problem.is_finite and problem.grid.populations > 1:
        raise InputError(f"problem {problem.name!r} has several populations of diffusions, which are not refined yet")
    if problem.is_finite or not isinstance(problem.grid, Grid):
        raise InputError(
            f"problem {problem.name!r} is a finite game, which is its own limit: there is no mesh to refine"
        )
    result = problem.rescaled(tuple(shape), steps)
    if result is None:
        raise InputError(tied)
    try:
        sampled(make_game(result))
    except InputError as error:
        raise InputError(f"{tied} ({error})") from None
    return result


def refined(problem: Problem, times: int, order: float, own_viscosity: float) -> tuple[tuple[int, ...], int]:
    """Cells and steps of the mesh that is finer by so many rungs."""
    power = 1.0 if order <= 1 else 1.5 if own_viscosity > 0 else 0.5
    shape = tuple(round(n * 2.0 ** (power * times)) for n in problem.grid.shape)
    return shape, problem.time.steps * 2**times


def climbed(
    problem: Problem,
    solve: Solve,
    *,
    levels: int,
    wish: float = 0.0,
    stop: Stop,
    told: Callable[[Rung], None] | None = None,
) -> list[Rung]:
    """Solve on ever finer meshes, from the problem's own on, until an estimated distance is at most the wish.

    Parameters
    ----------
    problem : with a number of steps
    solve : on one mesh
    levels : meshes at most
    wish : relative, see the module
    stop : gets the reason where memory, time or a solve says stop
    told : called with every rung
    """
    rungs: list[Rung] = []
    order, own = 1.0, 0.0
    for level in range(levels):
        finer = problem
        if rungs:
            finer = on_mesh(problem, *refined(problem, level, order, own))
            if stop.before(finer, rungs[-1]):
                break
        rung = climb(rungs, finer, solve, Asked(stop.left))
        order, own = rung.meshed.order, rung.distance.own_viscosity
        rungs.append(rung)
        if told is not None:
            told(rung)
        if rung.relative <= wish or stop.after_solve(rung.solution):
            break
    return rungs


def climb(below: Sequence[Rung], problem: Problem, solve: Solve, asked: Asked) -> Rung:
    """One more mesh above those that are solved."""
    begun = clock()
    solution, outcome = solve(problem, asked)
    meshed = Meshed.of(outcome, solution.certificate, solution.sweeps)
    seconds, distance, gap = clock() - begun, solution.discretisation, math.nan
    if below:
        meshes = [meshed, *(rung.meshed for rung in reversed(below))]
        gap = apart_of(*meshes[:2])
        by_ladder = compared(scheme_of(outcome), meshes, density=gap)
        if solution.converged and not (math.isnan(by_ladder.order) and math.isfinite(distance.order)):
            distance = by_ladder  # else the solve itself came through more meshes
    return Rung(problem, solution, meshed, distance, seconds, gap, asked.rough)
