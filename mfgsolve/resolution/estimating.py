"""How far a solved game is from the continuous one: from the same game on a coarser mesh, which costs little.

*First order* (upwind): the mesh of half as many cells along each axis and half as many steps.  Newton's method has
solved it on its way (its belief is answered and certified once more: about two coarse sweeps); elsewhere it is solved
anew.  Potential and cost by `richardson.error_of`, with the mesh before that one where the history knows its potential;
the density by the L1 distance of the two densities, with the order of the potential.

*Second order* (entropic): half as many steps on cells sqrt(2) times as large, so that sigma / h is the same.  Whole
differences and e_s of the finer mesh: a third of a difference is not conservative where costs have kinks in time.
The exploitability of the coarser plan is added.  Beside walls entropic steps are of first order in h, and e_s says
nothing: there the coarser mesh has half as many cells along each axis, which keeps walls where they are, and a quarter
of the steps; differences count as of first order.

A game is solved anew only where that costs at most `SHARE` of the solve, in work, and where no limit was set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mfgsolve.cautions import collect
from mfgsolve.certificates import Certificate, certify
from mfgsolve.discretisation import EXACT, Discretisation
from mfgsolve.games import Game, make_game, sampled
from mfgsolve.games.transfer import coarser_sizes, prolong
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.resolution import richardson
from mfgsolve.resolution.nodes import misses
from mfgsolve.resolution.overlay import Flow, apart
from mfgsolve.solution.datasets import Measure
from mfgsolve.solvers import SOLVERS, suited
from mfgsolve.solvers.base import Budget, Outcome, handed_over, run

__all__ = ["Known", "Meshed", "coarser", "compared", "estimated", "scheme_of"]

SHARE = 0.15  # of the work of a solve that an estimate may cost beside it,
STOP = 0.8  # and of that, after which no other step is taken
SOLVED = 1e-3  # relative exploitability above which a plan says nothing of its mesh
ACCURACY = 1e-5  # relative exploitability of a coarse plan,
ENOUGH = 3e-4  # and the largest with which it still says something where the work is up
NARROWER = 2.0  # factor on e_s from which a coarser mesh shows its own error in space, and not that of the steps
EXTRAPOLATED = (
    1e-4  # e_s up to which two entropic runs are extrapolated in time: below it that is worse than the finer run
)
VARYING = 0.5  # share by which the error of the finer run may differ from its estimate: what extrapolation leaves of it
SATURATED = 0.8  # order of a density that is believed at most: L1 distances cannot grow for ever
UNSEEN = 1e-6  # e_s that matters to nobody
LEFT = 0.75  # share of an error of first order that an extrapolated number is believed to keep
BESIDE_WALLS = 0.75  # order of entropic steps beside walls that is believed where two meshes show none
FAR = 0.1  # L1 distance of two crowds from which their differences show no second order yet: they count twice
FEWER = 0.6  # of half the steps that a coarser mesh may have for the sake of kinks
APART = 2.0  # L1 distance of two crowds that are nowhere together
CELLS = 8  # along an axis of a mesh that says something


@dataclass(frozen=True)
class Known:
    """The numbers of a mesh: cells and steps, potential and cost; NaN where there is none, or it is not known."""

    shape: tuple[int, ...]
    steps: int
    potential: float
    cost: float = math.nan

    @property
    def name(self) -> str:
        """Cells and steps, "32x32x256"."""
        return "x".join(str(n) for n in (*self.shape, self.steps))

    @property
    def cell_steps(self) -> int:
        return math.prod(self.shape) * self.steps


@dataclass(frozen=True, eq=False)
class Meshed:
    """What is kept of a game that was solved on one mesh.

    Attributes
    ----------
    numbers : cells and steps, potential and cost of its plan
    flow : mass of its crowd, and the grid
    order : formal order of its steps
    space_error : e_s
    sweeps : it took, of its own mesh
    gap : exploitability of its plan, by which its numbers may be off
    noise : `Step.noise_cost`, by the share e_s of which numbers may be off
    """

    numbers: Known
    flow: Flow
    order: float
    space_error: float
    sweeps: float
    gap: float = 0.0
    noise: float = 0.0

    @property
    def has_walls(self) -> bool:
        """Whether some cells are blocked."""
        return bool(self.flow.grid.mask.any())

    @classmethod
    def of(cls, outcome: Outcome, certificate: Certificate, sweeps: float = 0.0) -> Meshed:
        """Of what a solver hands over."""
        return cls.made(outcome.game, outcome.crowd, certificate, sweeps)

    @classmethod
    def made(cls, game: Game, crowd: np.ndarray, certificate: Certificate, sweeps: float) -> Meshed:
        """Of a crowd and its certificate."""
        assert isinstance(game.grid, Grid)
        numbers = Known(game.grid.shape, game.steps, certificate.potential, certificate.cost)
        flow, gap = Flow(game.grid, game.mass(crowd)), max(certificate.exploitability, 0.0)
        return cls(numbers, flow, game.step.order, game.step.space_error, sweeps, gap, game.step.noise_cost)


def estimated(
    outcome: Outcome, certificate: Certificate, rows: Sequence[Measure], *, limited: bool = False
) -> Discretisation:
    """What is known of the distance of a plan to the continuous game.

    Parameters
    ----------
    outcome, certificate, rows : what a solver handed over, its certificate, and the history of the solve
    limited : whether a limit of seconds or iterations was set: nothing is solved beside it then
    """
    game, known = outcome.game, scheme_of(outcome)
    if known.is_exact:
        return known
    if outcome.played is not None:
        return replace(known, obtained="not measured, learners play on one mesh")
    if not abs(certificate.relative_exploitability) <= SOLVED:
        return replace(known, obtained="not measured, the game itself is not solved well enough")
    spent = rows[-1].sweeps if math.isnan(outcome.sweeps) else outcome.sweeps
    with collect(), np.errstate(all="ignore"):  # what is said of a coarser mesh is no matter of the real one
        try:
            coarse = _passed(outcome)
            reason = "seconds or iterations were limited"
            if coarse is None and not limited:
                coarse, reason = _beside(outcome, certificate, SHARE * spent * game.cell_steps)
        except Exception:  # whatever a user's function says of a mesh it was not made for
            coarse, reason = None, "the game could not be solved on a coarser mesh"
    if coarse is None:
        return replace(known, obtained=f"not measured, {reason}")
    fine, third = Meshed.of(outcome, certificate), _before(rows, coarse.numbers)
    return compared(known, [fine, coarse], third)


def scheme_of(outcome: Outcome) -> Discretisation:
    """What is known beforehand: the scheme and its own viscosity; of a finite game, that it has no distance."""
    game, step = outcome.game, outcome.game.step
    if not (step.is_continuum and isinstance(game.grid, Grid)):
        return EXACT
    stated = getattr(game.problem.all_dynamics[0], "viscosity", math.nan)
    return Discretisation(step.scheme_name, step.own_viscosity(outcome.policy, outcome.crowd, stated))


def compared(
    known: Discretisation, meshes: Sequence[Meshed], third: Known | None = None, density: float | None = None
) -> Discretisation:
    """The estimate for the finest of some meshes; see the module.

    Parameters
    ----------
    known : scheme and own viscosity
    meshes : the finest first, two or more
    third : the numbers of the third one, where they alone are known
    density : how far the two finest are apart, where that is known
    """
    fine, coarse = meshes[:2]
    third = meshes[2].numbers if len(meshes) > 2 else third
    numbers = [fine.numbers, coarse.numbers, *([] if third is None else [third])]
    names = [each.name for each in numbers]
    told = replace(
        known,
        obtained=f"from {', '.join(names[:-1])} and {names[-1]}",
        sweeps=sum(mesh.sweeps * mesh.numbers.cell_steps for mesh in meshes[1:]) / fine.numbers.cell_steps,
    )
    density = apart_of(fine, coarse) if density is None else density
    if fine.order > 1 and not fine.has_walls:
        result = _second_order(told, meshes, numbers, density)
    else:
        result = _first_order(told, numbers, density, BESIDE_WALLS if fine.order > 1 else richardson.LEAST)
    return replace(result, potential=result.potential + coarse.gap, cost=result.cost + coarse.gap)


def apart_of(fine: Meshed, coarse: Meshed) -> float:
    """L1 distance of the two densities."""
    return apart(fine.flow, coarse.flow, smooth=fine.order > 1)


def _first_order(
    told: Discretisation, numbers: Sequence[Known], density: float, least: float = richardson.LEAST
) -> Discretisation:
    """``least`` is the order that is believed where the numbers show none."""
    ratio = numbers[0].shape[-1] / numbers[1].shape[-1]
    potentials, costs = _three(numbers, "potential"), _three(numbers, "cost")
    order = richardson.observed_order(*potentials, 1.0, ratio)
    if math.isnan(order):
        order = richardson.observed_order(*costs, 1.0, ratio)
    potential, cost = (richardson.error_of(*three, 1.0, ratio, least) for three in (potentials, costs))
    if math.isnan(costs[2]) and not math.isnan(order):
        cost = abs(costs[0] - costs[1]) / (ratio**order - 1)
    apart_by = density / (ratio ** (least if math.isnan(order) else min(order, SATURATED)) - 1)
    result = replace(told, order=order, potential=potential, cost=cost, density=min(apart_by, APART))
    if math.isnan(potentials[2]):
        return result
    beyond = [richardson.extrapolated(*pair, 1.0, ratio) for pair in (potentials[:2], potentials[1:])]
    error = max(abs(beyond[0] - beyond[1]), LEFT * potential)
    return replace(result, extrapolated_potential=beyond[0], extrapolated_potential_error=error)


def _second_order(
    told: Discretisation, meshes: Sequence[Meshed], numbers: Sequence[Known], density: float
) -> Discretisation:
    fine, coarse = meshes[:2]
    ratio = numbers[0].steps / numbers[1].steps
    potentials, costs, narrow = _three(numbers, "potential"), _three(numbers, "cost"), fine.space_error
    order = richardson.observed_order(*(costs if math.isnan(potentials[0]) else potentials), fine.order, ratio)
    whole = 3.0 / (ratio**2 - 1.0)  # of the difference where the other has half as many steps: three times its error
    if density > FAR:
        whole *= 2.0
    sums = fine.noise if narrow > EXTRAPOLATED else 0.0  # that all steps add up only where it is seen
    result = replace(
        told,
        order=order,
        potential=whole * abs(potentials[0] - potentials[1]) + narrow * max(abs(potentials[0]), sums),
        cost=whole * abs(costs[0] - costs[1]) + narrow * max(abs(costs[0]), sums),
        density=min(whole * density + narrow, APART),
    )
    if not max(fine.space_error, coarse.space_error) <= EXTRAPOLATED:
        return result
    weight = 1.0 / (ratio**2 - 1.0)
    narrow = (1 + weight) * fine.space_error + weight * coarse.space_error
    beyond = richardson.extrapolated(*potentials[:2], 2.0, ratio)
    error = VARYING * weight * abs(potentials[0] - potentials[1]) + space_part(fine, coarse)
    return replace(
        result,
        extrapolated_potential=beyond,
        extrapolated_potential_error=error,
        extrapolated_density_error=min(VARYING * weight * density + narrow, APART),
    )


def space_part(fine: Meshed, coarse: Meshed) -> float:
    """Error in space of a potential that is extrapolated from two entropic runs."""
    weight = 1.0 / ((fine.numbers.steps / coarse.numbers.steps) ** 2 - 1.0)
    narrow = (1 + weight) * fine.space_error + weight * coarse.space_error
    return narrow * abs(fine.numbers.potential)


def _three(numbers: Sequence[Known], name: str) -> tuple[float, float, float]:
    """A number of the three finest meshes; NaN where there is no third."""
    listed = [getattr(each, name) for each in numbers[:3]]
    return (listed[0], listed[1], listed[2] if len(listed) > 2 else math.nan)


def _before(rows: Sequence[Measure], coarse: Known) -> Known | None:
    """The mesh before the coarse one in the history of a solve, and its potential; None where there is none."""
    sizes = coarser_sizes(coarse.shape, coarse.steps)
    if sizes is None:
        return None
    cell_steps = math.prod(sizes[0]) * sizes[1]
    fits = [row for row in rows if row.cell_steps == cell_steps and not row.final_grid]
    if not fits or not abs(fits[-1].relative_exploitability) <= ACCURACY or math.isnan(fits[-1].potential):
        return None
    return Known(*sizes, fits[-1].potential)


# -- the coarser mesh --------------------------------------------------------------------------------------------------


def _passed(outcome: Outcome) -> Meshed | None:
    """The coarser mesh that the solver came through, where its plan is an equilibrium there."""
    if outcome.coarser is None:
        return None
    game, believed = outcome.coarser()
    if _is_narrow(game, outcome.game):
        return None
    policy = game.respond(game.price(believed)).policy
    crowd = game.flow(policy)
    certificate = certify(game, game.step.policy_of(policy), crowd)
    if not abs(certificate.relative_exploitability) <= 10 * ACCURACY:
        return None
    return Meshed.made(game, crowd, certificate, 1.5)


def _is_narrow(game: Game, fine: Game) -> bool:
    """Whether the noise of a coarser mesh is too narrow for its cells: it would show another error."""
    return game.step.space_error > max(NARROWER * fine.step.space_error, UNSEEN)


def _beside(outcome: Outcome, certificate: Certificate, work: float) -> tuple[Meshed | None, str]:
    """The game solved on a coarser mesh, with at most that many cell-steps; or the reason why it was not."""
    fine = outcome.game
    problem = fine.problem
    sizes = coarser(problem, fine.step.order)
    if sizes is None:
        return None, "the mesh is too coarse for a coarser one"
    coarser_problem = problem.rescaled(*sizes)
    if coarser_problem is None:
        return None, "arrays tie the game to its mesh"
    names = suited(coarser_problem)
    if not names:
        return None, "no solver suits the game on a coarser mesh"
    game = make_game(coarser_problem, fine.wanted_threads)
    sampled(game)
    if _is_narrow(game, fine):
        return None, "its noise is too narrow on a coarser mesh"
    tol = max(ACCURACY, abs(certificate.relative_exploitability))
    solver = SOLVERS[names[0]]()
    state = solver.init(game, tol, lambda level: prolong(outcome.crowd, fine, level))
    limit = STOP * work / game.cell_steps
    ended = run(solver, state, tol, Budget(), callback=lambda measure: measure.sweeps >= limit)
    result = ended.verified[0] if ended.verified is not None else handed_over(solver, ended.state)
    found = result.certified()
    if not abs(found.relative_exploitability) <= ENOUGH:
        return None, f"a coarser mesh was not solved within {SHARE:.0%} of the work"
    return Meshed.of(result, found, result.sweeps), ""


def coarser(problem: Problem, order: float) -> tuple[tuple[int, ...], int] | None:
    """Cells and steps of the mesh that a game is compared with; None where it is too coarse for one."""
    shape, steps = problem.grid.shape, problem.time.steps
    if order <= 1:
        return coarser_sizes(shape, steps)
    assert isinstance(problem.grid, Grid)
    if problem.grid.mask.any():  # half as many cells keep walls where they are; a quarter of the steps, sigma / h
        sizes = tuple(n // 2 for n in shape)
        return None if min(sizes) < CELLS or steps < 8 else (sizes, _with_nodes(problem, steps // 4))
    if steps < 4:
        return None
    few = _with_nodes(problem, steps // 2)
    sizes = tuple(max(round(n * math.sqrt(few / steps)), 1) for n in shape)
    return None if min(sizes) < CELLS else (sizes, few)


def _with_nodes(problem: Problem, half: int) -> int:
    """A number of steps, half as many or a few less, with nodes on the kinks; else that half."""
    kinks, horizon = problem.kinks, problem.time.horizon
    numbers = range(half, math.ceil(FEWER * half) - 1, -1)
    return next((n for n in numbers if n > 1 and misses(n, kinks, horizon) == 0), half)
