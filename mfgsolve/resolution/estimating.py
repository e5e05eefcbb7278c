"""How far a solved game is from the continuous one: from the same game on coarser meshes, which cost little.

*First order* (upwind): the mesh of half as many cells along each axis and half as many steps.  Newton's method has
solved it on its way (its belief is answered and certified once more: about two coarse sweeps); elsewhere it is solved
anew.  Potential and cost by `richardson.error_of`, with the mesh before that one where the history knows its potential;
the density by the L1 distance of the two densities, with the order of the potential.

*Second order* (entropic): one mesh of half as many steps, or two, and what sums over cells do
(`mfgsolve.resolution.second_order`).  The exploitability of the coarser plan is added.  Beside walls entropic steps are
of about first order in h, and e_s says nothing; where the crowds are far apart no order is believed, since errors of
the cells and of the steps may cancel.

A game is solved anew (`mfgsolve.resolution.beside`) only where that costs at most `SHARE` of the solve, in work, and
where no limit was set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mfgsolve.cautions import collect
from mfgsolve.certificates import Certificate, certify
from mfgsolve.discretisation import EXACT, Discretisation
from mfgsolve.games.transfer import coarser_sizes
from mfgsolve.grids import Grid
from mfgsolve.resolution import richardson
from mfgsolve.resolution.beside import NOTHING, SHARE, distance, is_narrow, solved_beside
from mfgsolve.resolution.meshed import Known, Meshed, apart_of
from mfgsolve.resolution.second_order import FAR, of_second_order
from mfgsolve.solution.datasets import Measure
from mfgsolve.solvers.base import Outcome

__all__ = ["compared", "estimated", "scheme_of"]

SOLVED = 1e-3  # relative exploitability above which a plan says nothing of its mesh
PASSED = 1e-4  # and of a mesh that a solver came through
ACCURACY = 1e-5  # of the one before that
SATURATED = 0.8  # order of a density that is believed at most: L1 distances cannot grow for ever
LEFT = 0.75  # share of an error of first order that an extrapolated number is believed to keep
BESIDE_WALLS = 0.85  # order of entropic steps beside walls that is believed where two meshes show none,
QUARTERED = 1.4  # and that of their density, where the coarser one has about a quarter of the steps:
QUARTER = 3  # from that ratio on most of the difference is an error in time
APART = 2.0  # L1 distance of two crowds that are nowhere together


def estimated(
    outcome: Outcome, certificate: Certificate, rows: Sequence[Measure], *, limited: bool = False, judged: float = 0.0
) -> Discretisation:
    """What is known of the distance of a plan to the continuous game.

    Parameters
    ----------
    outcome, certificate, rows : what a solver handed over, its certificate, and the history of the solve
    limited : whether a limit of seconds or iterations was set: nothing is solved beside it then
    judged : work that judging its steps took, in cell-steps: a part of the solve
    """
    game, known = outcome.game, scheme_of(outcome)
    if known.is_exact:
        return known
    if game.grid.populations > 1:
        return replace(known, obtained="not measured, several populations of diffusions are solved on one mesh")
    if game.time.is_stationary:
        return replace(known, obtained="not measured, a game without a final time is solved on one mesh")
    if outcome.played is not None:
        return replace(known, obtained="not measured, learners play on one mesh")
    if not abs(certificate.relative_exploitability) <= SOLVED:
        return replace(known, obtained="not measured, the game itself is not solved well enough")
    spent = rows[-1].sweeps if math.isnan(outcome.sweeps) else outcome.sweeps
    with collect(), np.errstate(all="ignore"):  # what is said of a coarser mesh is no matter of the real one
        try:
            coarse, reason = _passed(outcome), "seconds or iterations were limited"
            if not coarse and not limited:
                coarse, reason = solved_beside(outcome, certificate, SHARE * (spent * game.cell_steps + judged))
        except Exception:  # whatever a user's function says of a mesh it was not made for
            coarse, reason = [], "the game could not be solved on a coarser mesh"
    if not coarse:
        return replace(known, obtained=f"not measured, {reason}")
    third = _before(rows, coarse[0].numbers) if game.step.order <= 1 else None
    least = NOTHING * distance(certificate, coarse[0].numbers)
    return compared(known, [Meshed.of(outcome, certificate, least=least), *coarse], third)


def scheme_of(outcome: Outcome) -> Discretisation:
    """What is known beforehand: the scheme and its own viscosity; of a finite game, that it has no distance."""
    game, step = outcome.game, outcome.game.step
    if not game.problem.scheme:
        return EXACT
    if not (step.is_continuum and isinstance(game.grid, Grid)):
        return Discretisation(game.problem.scheme)
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
        result = of_second_order(told, meshes, density)
    else:
        result = _first_order(told, numbers, density, _believed(meshes, density))
    return replace(result, potential=result.potential + coarse.gap, cost=result.cost + coarse.gap)


def _believed(meshes: Sequence[Meshed], density: float) -> tuple[float, float]:
    """Orders of numbers and of the density in the mesh width, where the meshes themselves show none."""
    fine, coarse = meshes[:2]
    if fine.order <= 1:
        return richardson.LEAST, richardson.LEAST
    of_density = QUARTERED if fine.numbers.steps > QUARTER * coarse.numbers.steps else BESIDE_WALLS
    return richardson.LEAST if density > FAR else BESIDE_WALLS, of_density


def _first_order(
    told: Discretisation, numbers: Sequence[Known], density: float, orders: tuple[float, float]
) -> Discretisation:
    """``orders`` of numbers and density are those that are believed where the numbers show none."""
    ratio, (least, of_density) = numbers[0].shape[-1] / numbers[1].shape[-1], orders
    potentials, costs = _three(numbers, "potential"), _three(numbers, "cost")
    order = richardson.observed_order(*potentials, 1.0, ratio)
    if math.isnan(order):
        order = richardson.observed_order(*costs, 1.0, ratio)
    potential, cost = (richardson.error_of(*three, 1.0, ratio, least) for three in (potentials, costs))
    if math.isnan(costs[2]) and not math.isnan(order):
        cost = abs(costs[0] - costs[1]) / (ratio**order - 1)
    apart_by = density / (ratio ** (of_density if math.isnan(order) else min(order, SATURATED)) - 1)
    result = replace(told, order=order, potential=potential, cost=cost, density=min(apart_by, APART))
    if math.isnan(potentials[2]):
        return result
    beyond = [richardson.extrapolated(*pair, 1.0, ratio) for pair in (potentials[:2], potentials[1:])]
    error = max(abs(beyond[0] - beyond[1]), LEFT * potential)
    return replace(result, extrapolated_potential=beyond[0], extrapolated_potential_error=error)


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


def _passed(outcome: Outcome) -> list[Meshed]:
    """The coarser mesh that the solver came through, where its plan is an equilibrium there."""
    if outcome.coarser is None:
        return []
    game, believed = outcome.coarser()
    if is_narrow(game, outcome.game):
        return []
    policy = game.respond(game.price(believed), crowd=believed).policy
    crowd = game.flow(policy)
    certificate = certify(game, game.step.policy_of(policy), crowd)
    if not abs(certificate.relative_exploitability) <= PASSED:
        return []
    return [Meshed.made(game, crowd, certificate, 1.5)]
