"""How far entropic steps are from the continuum: an error in time and one in space, each of known form.

*Time.* E_k = A / T_k^2 + B / T_k^4.  Two meshes show A, if B is small; three show both, and what is told is

    |A + B| + doubt,    doubt = 0.4 |A + B| + 0.75 |A + B - (P_2 - P_1) / ((T_1 / T_2)^2 - 1)|,

in units of the finest mesh: the difference in the doubt is four times B, and three times that covers all terms beyond.
Thirds of the differences of two meshes were 0.4 to 2.6 times the error; they count 2.5 times.

*Space.* Numbers of all meshes are rid of what sums over cells in place of integrals do to them, which is known to some
ten per cent (`mfgsolve.steps.sampling`), so that meshes with noise of different widths can be compared; that of the
finest mesh is a part of its error, with its sign.  The density is off by about a fifth of the share of their noise that
agents lose to it, `mfgsolve.steps.resolving.lost_variance`: between 0.1 and 0.2 in L1 on games with closed forms and on
the flagship, where crowds gather less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mfgsolve.discretisation import Discretisation
from mfgsolve.resolution import richardson
from mfgsolve.resolution.meshed import Meshed
from mfgsolve.steps.resolving import lost_variance

__all__ = ["Part", "error_in_time", "of_second_order", "space_doubt"]

DOUBT, NEXT = 0.4, 0.75  # shares of an error in time, and of its difference to that of two meshes, that may be missing
TWO, UNORDERED = 1.5, 5.0  # the same of an error that two meshes show, and where these show no second order yet
SHIFTED = 0.3  # share of a shift by sums over cells that is not known
LOST = 0.2  # L1 distance of the density over the share of their variance that agents lose
DENSITY, THICK = (
    1.5,
    2.5,
)  # times that a density is told to be off in time, also where the viscosity is the scheme's own
FAR = 0.1  # L1 distance of two crowds from which their differences show no second order yet
APART = 2.0  # L1 distance of two crowds that are nowhere together
VARYING = 0.5  # share by which the error of the finer run may differ from its estimate: what extrapolation leaves of it
EXTRAPOLATED = 1e-4  # e_s up to which densities are extrapolated: below it that is worse than the finer run
CLOSEST = 1.3  # ratio of the steps of two meshes that are compared, at least


@dataclass(frozen=True)
class Part:
    """An error with its sign, and by how much it may be another one."""

    error: float
    doubt: float


def error_in_time(values: Sequence[float], steps: Sequence[int], two: float = TWO) -> Part:
    """Of the first of two or three numbers, from ever fewer steps; see the module.

    ``two`` is the doubt of an error that two of them show, in units of it.

    Examples
    --------
    >>> runs = [5.0 + 2.0 / T**2 - 30.0 / T**4 for T in (40, 20, 10)]
    >>> part = error_in_time(runs, (40, 20, 10))
    >>> round(part.error - (runs[0] - 5.0), 12), part.doubt < abs(part.error)
    (0.0, True)
    """
    near = (values[1] - values[0]) / ((steps[0] / steps[1]) ** 2 - 1.0)
    if len(values) < 3 or math.isnan(values[2]):
        return Part(near, two * abs(near))
    widths = steps[0] / np.asarray(steps[:3], dtype=float)
    limit = np.linalg.solve(np.stack([np.ones(3), widths**2, widths**4], axis=1), np.asarray(values[:3], dtype=float))
    error = float(values[0] - limit[0])
    return Part(error, DOUBT * abs(error) + NEXT * abs(error - near))


def of_second_order(told: Discretisation, meshes: Sequence[Meshed], density: float) -> Discretisation:
    """What two or three meshes say of the finest.

    Parameters
    ----------
    told : what is known already
    meshes : the finest first, of ever fewer steps, without walls
    density : L1 distance of the two finest
    """
    fine, coarse = meshes[:2]
    steps = [mesh.numbers.steps for mesh in meshes[:3]]
    if len(meshes) > 2 and steps[1] < CLOSEST * steps[2]:
        steps = steps[:2]
    of_all = [mesh.potential for mesh in meshes], [mesh.cost for mesh in meshes]
    two = UNORDERED if density > FAR else TWO
    potential, cost = (error_in_time(values[: len(steps)], steps, two) for values in of_all)
    ratio = steps[0] / steps[1]
    weight = 1.0 / (ratio**2 - 1.0)
    in_space = space_doubt(fine)
    result = replace(
        told,
        order=_order(of_all[1] if math.isnan(of_all[0][0]) else of_all[0], steps, fine.order),
        potential=abs(potential.error + fine.known_shift) + math.hypot(potential.doubt, in_space),
        cost=abs(cost.error + fine.known_shift) + math.hypot(cost.doubt, in_space),
        density=min(
            (THICK if told.own_viscosity > 0 else DENSITY) * weight * density + LOST * lost_variance(fine.space_error),
            APART,
        ),
    )
    if max(fine.space_error, coarse.space_error) <= EXTRAPOLATED:
        narrow = (1 + weight) * lost_variance(fine.space_error) + weight * lost_variance(coarse.space_error)
        error = min(VARYING * weight * density + LOST * narrow, APART)
        result = replace(result, extrapolated_density_error=error)
    elif len(steps) < 3:
        return result
    near = weight * (coarse.potential - fine.potential)
    if len(steps) < 3:
        potential = Part(near, VARYING * abs(near) + weight * space_doubt(coarse))
    error = math.hypot(potential.doubt, in_space)
    return replace(result, extrapolated_potential=fine.potential - potential.error, extrapolated_potential_error=error)


def space_doubt(mesh: Meshed) -> float:
    """By how much a potential may be off by sums over cells, beyond what is known of that."""
    if math.isnan(mesh.shift):
        return mesh.space_error * max(abs(mesh.numbers.potential), abs(mesh.numbers.cost), mesh.noise)
    return SHIFTED * abs(mesh.shift)


def _order(values: Sequence[float], steps: Sequence[int], formal: float) -> float:
    """Observed in the time step, clipped; NaN where there is none, or the ratios of the steps differ."""
    if len(steps) < 3:
        return math.nan
    ratios = steps[0] / steps[1], steps[1] / steps[2]
    if abs(ratios[0] - ratios[1]) > 0.01 * ratios[0]:
        return math.nan
    return richardson.observed_order(values[0], values[1], values[2], formal, ratios[0])
