"""The game of a solve on coarser meshes, solved beside it: cheaply, from its plan, and as well as the comparison needs.

*First order*: half as many cells along each axis and half as many steps.  *Second order*: half as many steps, and once
more half of these, on cells that the noise of a step is as wide in; those of the second may be as large as `WIDE`
allows, since what sums over cells do to its potential is known and taken out.  Where the
scheme adds a viscosity of its own, cells grow so fast that this grows with the square of the step, too.  Kinks keep
their nodes where they can.  *Beside walls* half as many cells keep these
where they are, with a quarter of the steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfgsolve.certificates import Certificate
from mfgsolve.games import Game, make_game, sampled
from mfgsolve.games.transfer import coarser_sizes, prolong, prolong_logarithm
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.resolution.meshed import Known, Meshed
from mfgsolve.resolution.nodes import misses
from mfgsolve.solution import Status
from mfgsolve.solution.datasets import Measure
from mfgsolve.solvers import SOLVERS, suited
from mfgsolve.solvers.base import Budget, Outcome, Solver, handed_over, run
from mfgsolve.steps.resolving import coarsest, deviation, own_viscosity

__all__ = ["NOTHING", "SHARE", "coarser", "distance", "solved_beside"]

SHARE = 0.15  # of the work of a solve that an estimate may cost beside it,
SPARE = 0.05  # and of that, for the last iteration on the smallest mesh
ACCURACIES = 1e-4, 1e-5  # relative exploitability of a coarse plan: the first with which it says enough
CLEAR = 0.03  # exploitability of a coarse plan over its distance from the fine one, that is enough
BLURRED = 0.1  # and the most of that with which it says something where the work is up,
ENOUGH = 3e-4  # or relative exploitability
WIDE = 0.6  # sigma / h that is enough for the coarser one of two meshes
NARROWER, UNSEEN = 2.0, 3e-3  # factor on e_s, and e_s, from which a coarser mesh shows its own error in space
LOWER = 0.6  # of the steps wished for a coarser mesh, that it may have for the sake of kinks
FEWER = 0.67  # of its steps that the next mesh may have at most, to show anything new
NOTHING = 0.02  # share of the distance of two meshes that does not matter
CELLS = 8  # along an axis of a mesh that says something
EMPTY = 1e-300  # mass whose logarithm stands for that of none


# -- which mesh ------------------------------------------------------------------------------------------------------


def coarser(problem: Problem, order: float, width: float = math.inf) -> tuple[tuple[int, ...], int] | None:
    """Cells and steps of the mesh that a game is compared with; None where it is too coarse for one.

    ``width`` is the sigma / h that is enough, if it is less than that of the problem.
    """
    shape, steps = problem.grid.shape, problem.time.steps
    if order <= 1:
        return coarser_sizes(shape, steps)
    assert isinstance(problem.grid, Grid)
    if problem.grid.mask.any():  # a quarter of the steps: sigma / h
        sizes = tuple(n // 2 for n in shape)
        return None if min(sizes) < CELLS or steps < 8 else (sizes, _with_nodes(problem, steps // 4))
    if steps < 4:
        return None
    few = _with_nodes(problem, steps // 2)
    sizes = tuple(max(round(n * _fewer(problem, few, width)), 1) for n in shape)
    return None if min(sizes) < CELLS else (sizes, few)


def _fewer(problem: Problem, few: int, width: float) -> float:
    """Cells along an axis over those of the problem."""
    grid, share, dt = problem.grid, few / problem.time.steps, problem.time.dt
    assert isinstance(grid, Grid)
    stated = float(getattr(problem.all_dynamics[0], "viscosity", 0.0))
    if own_viscosity(stated, grid, dt) > stated:
        return share**1.5
    wide = deviation(stated, dt, coarsest(grid)) / width if grid.ndim > 1 else 1.0  # a line costs nothing
    return math.sqrt(share) / max(wide, 1.0)


def _with_nodes(problem: Problem, wished: int) -> int:
    """A number of steps, so many or a few less, with nodes on the kinks; else so many."""
    kinks, horizon = problem.kinks, problem.time.horizon
    numbers = range(wished, math.ceil(LOWER * wished) - 1, -1)
    return next((n for n in numbers if n > 1 and misses(n, kinks, horizon) == 0), wished)


# -- solved ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """An equilibrium on one mesh, as far as it was found."""

    game: Game
    crowd: np.ndarray
    certificate: Certificate


def solved_beside(outcome: Outcome, certificate: Certificate, work: float) -> tuple[list[Meshed], str]:
    """Plans on a coarser mesh, or two of them, with at most that many cell-steps; or none, and the reason."""
    fine, tol = _Plan(outcome.game, outcome.crowd, certificate), abs(certificate.relative_exploitability)
    first = _solved(fine, tol, work, math.inf)
    if isinstance(first, str):
        return [], first
    plan, mesh = first
    if mesh.order <= 1 or mesh.has_walls:
        return [mesh], ""
    left = work - mesh.sweeps * plan.game.cell_steps + SPARE * work
    second = _solved(plan, tol, left, WIDE)
    if isinstance(second, str) or second[0].game.steps > FEWER * plan.game.steps:
        return [mesh], ""
    return [mesh, second[1]], ""


def distance(first: Certificate | Known, second: Certificate | Known) -> float:
    """Of two potentials; of two costs where there are none."""
    apart = abs(first.potential - second.potential)
    return abs(first.cost - second.cost) if math.isnan(apart) else apart


def _solved(above: _Plan, tol: float, work: float, width: float) -> tuple[_Plan, Meshed] | str:
    """The plan on the mesh below one; a reason where there is none."""
    fine = above.game
    problem = fine.problem
    sizes = coarser(problem, fine.step.order, width)
    if sizes is None:
        return "the mesh is too coarse for a coarser one"
    coarse = problem.rescaled(*sizes)
    if coarse is None:
        return "arrays tie the game to its mesh"
    names = suited(coarse)
    if not names:
        return "no solver suits the game on a coarser mesh"
    game = make_game(coarse, fine.wanted_threads)
    sampled(game)
    if is_narrow(game, fine):
        return "its noise is too narrow on a coarser mesh"
    limit, solver = work / game.cell_steps, _solver(names[0], game)
    state = solver.init(game, max(ACCURACIES[-1], tol), lambda level: _start(above.crowd, fine, level))

    before = longest = 0.0

    def is_up(measure: Measure) -> bool:
        """Whether one more iteration like the longest so far would be too much."""
        nonlocal before, longest
        before, longest = measure.sweeps, max(longest, measure.sweeps - before)
        return measure.sweeps + longest > limit

    for accuracy in ACCURACIES if fine.step.order > 1 else ACCURACIES[-1:]:
        ended = run(solver, state, max(accuracy, tol), Budget(), callback=is_up)
        result = ended.verified[0] if ended.verified is not None else handed_over(solver, ended.state)
        found, state = result.certified(), ended.state
        apart = distance(found, above.certificate)
        if found.exploitability <= CLEAR * apart or ended.status is not Status.CONVERGED:
            break
    clear = fine.step.order > 1 and found.exploitability <= BLURRED * apart
    if not (clear or abs(found.relative_exploitability) <= ENOUGH):
        return f"a coarser mesh was not solved within {SHARE:.0%} of the work"
    return _Plan(game, result.crowd, found), Meshed.of(result, found, result.sweeps, NOTHING * apart)


def _solver(name: str, game: Game) -> Solver:
    """Without coarser meshes of its own, which nobody needs who begins near the answer."""
    solver = SOLVERS[name]()
    if game.step.is_entropic and hasattr(solver, "coarse_grids"):
        return replace(solver, coarse_grids=False)
    return solver


def is_narrow(game: Game, fine: Game) -> bool:
    """Whether the noise of a coarser mesh is too narrow for its cells: it would show another error."""
    return game.step.space_error > max(NARROWER * fine.step.space_error, UNSEEN)


def _start(crowd: np.ndarray, fine: Game, level: Any) -> np.ndarray:
    """The crowd of a finer mesh on a coarser one."""
    if not fine.step.is_entropic:
        return prolong(crowd, fine, level)
    places = np.linspace(0.0, fine.steps, level.steps + 1)
    left = np.minimum(places.astype(int), fine.steps - 1)
    share = (places - left).reshape(-1, *(1,) * (crowd.ndim - 1))
    logs = np.log(np.maximum(crowd, EMPTY))
    return prolong_logarithm(np.exp((1 - share) * logs[left] + share * logs[left + 1]), fine, level)
