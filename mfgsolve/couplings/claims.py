"""What a coupling claims of itself (a derivative, a potential, to be crowd-averse) is verified, not believed.

Every claim is compared with difference quotients of the cost f itself at crowds of the size of the game's own
densities, along changes that keep the mass of every population and leave no density negative:

- derivative: f'(rho) d lies between the one-sided quotients of f, so that a kink refutes nothing; and along the segment
  between two crowds f does not jump, as a threshold does whose derivative is rightly 0 nearly everywhere;
- second derivative: the same of f';
- adjoint: <weight, Df d> = <adjoint of weight, d>;
- potential: <f(rho), d> lies between the one-sided quotients of F;
- monotone: <f(rho) - f(mu), rho - mu> >= 0 for crowds far from and near to each other.

A sample can refute a claim, not prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling
from mfgsolve.errors import InputError
from mfgsolve.spaces import Space, integral, relative

__all__ = [
    "CLAIMS",
    "Refuted",
    "direction",
    "peaked_crowd",
    "price_refutations",
    "random_crowd",
    "refutations",
]

CLAIMS = ("derivative", "local", "second", "adjoint", "potential", "monotone")
STEPS = (1e-3, 1e-5)  # of difference quotients, relative to the densities
AGREE = 1e-2  # relative deviation of a claim that is none
ROUND = 16 * np.finfo(float).eps
PARTS, HALVINGS = 24, 20  # of the segment that is searched for jumps

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Refuted:
    """A claim that the cost itself refutes, and by how much."""

    claim: str
    evidence: str


# -- crowds and changes ----------------------------------------------------------------------------------------------


def _populations(space: Space) -> np.ndarray:
    """Number of the population of every cell (or choice)."""
    return np.broadcast_to(getattr(space.coordinates, "population", 0), space.shape)


def _means(values: np.ndarray, rho: np.ndarray, space: Space) -> np.ndarray:
    """Mean of values (*shape) over the crowd of each population, in every cell of it."""
    population, weights = _populations(space), rho * relative(space.volumes)
    flat = population.reshape(-1)
    total = np.bincount(flat, weights.reshape(-1))
    mean = np.bincount(flat, (weights * values).reshape(-1)) / np.where(total > 0, total, 1.0)
    return np.asarray(mean[population])


def random_crowd(space: Space, rng: np.random.Generator, spread: float = 1.0) -> np.ndarray:
    """A density (*shape), positive in every free cell, with mass 1 in each population; spiky where spread is small."""
    free = (~space.mask).astype(float)
    rough = free * (0.05 + 0.95 * rng.gamma(spread, size=space.shape) / spread)
    population = _populations(space)
    weighed, each = (rough * space.volumes, 1.0) if isinstance(space.volumes, np.ndarray) else (rough, space.volumes)
    totals = np.bincount(population.reshape(-1), weighed.reshape(-1)) * each
    return np.asarray(rough / np.where(totals > 0, totals, 1.0)[population])


def peaked_crowd(space: Space, rng: np.random.Generator) -> np.ndarray:
    """The same, with most of every population in one cell."""
    population = _populations(space)
    peak = np.zeros(space.shape)
    for p in np.unique(population):
        cells = np.flatnonzero((population == p) & ~space.mask)
        cell = np.unravel_index(rng.choice(cells), space.shape)
        peak[cell] = (1.0 / np.broadcast_to(space.volumes, space.shape))[cell]
    return np.asarray(0.2 * random_crowd(space, rng) + 0.8 * peak)


def direction(space: Space, rho: np.ndarray, wish: np.ndarray) -> np.ndarray:
    """A change of rho like ``rho wish`` that keeps the mass of every population; |change| <= 2 max|wish| rho."""
    return np.asarray(rho * (wish - _means(wish, rho, space)))


# -- comparisons -----------------------------------------------------------------------------------------------------


def _hull(function: Function, rho: np.ndarray, change: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Lowest and highest one-sided difference quotient along ``change``, less and more its round-off, for each step."""
    here = function(rho)
    for step in STEPS:
        ahead, behind = function(rho + step * change), function(rho - step * change)
        forth, back = (ahead - here) / step, (here - behind) / step
        noise = ROUND * (np.abs(here) + np.abs(ahead) + np.abs(behind)) / step
        yield np.minimum(forth, back) - noise, np.maximum(forth, back) + noise


def _misfit(function: Function, rho: np.ndarray, change: np.ndarray, claimed: np.ndarray, least: float) -> Any:
    """Where a claimed derivative lies outside of the quotients of every step: (index, measured, claimed), or None.

    ``least`` is a size of costs below which nothing matters.
    """
    excess = np.full(claimed.shape, np.inf)
    measured = np.zeros(claimed.shape)
    for low, high in _hull(function, rho, change):
        if not (np.isfinite(low) & np.isfinite(high)).all():
            return None  # a cost that is not finite is told by the solve
        size = np.maximum(np.abs(claimed), np.maximum(np.abs(low), np.abs(high)))
        beyond = np.maximum(low - claimed, claimed - high) - AGREE * size - 1e-5 * size.max() - least
        measured = np.where(beyond < excess, 0.5 * (low + high), measured)
        excess = np.minimum(excess, beyond)
    if np.isfinite(claimed).all() and not (excess > 0).any():
        return None
    worst = np.unravel_index(np.argmax(np.where(np.isfinite(claimed), excess, np.inf)), claimed.shape)
    return worst, float(measured[worst]), float(claimed[worst])


def _jump(function: Function, slope: Callable[..., np.ndarray], rho: np.ndarray, mu: np.ndarray) -> Any:
    """A jump of the cost between two crowds that its derivative does not tell: (index, height), or None.

    The largest change left unexplained by the derivative at midpoints is followed by bisection: what is a kink or
    steep becomes small with the interval, a jump stays.
    """
    gap, shares = mu - rho, np.linspace(0.0, 1.0, PARTS + 1)
    costs = [function(rho + share * gap) for share in shares]
    left = [costs[i + 1] - costs[i] - slope(rho + (shares[i] + 0.5 / PARTS) * gap, gap) / PARTS for i in range(PARTS)]
    unexplained = np.abs(np.array(left))
    if not np.isfinite(unexplained).all():
        return None
    part, *cell = (int(i) for i in np.unravel_index(np.argmax(unexplained), unexplained.shape))
    index, height = tuple(cell), float(unexplained[part][tuple(cell)])
    told_here = np.array([one[index] for one in costs])
    if height <= max(1e-3 * float(np.ptp(told_here)), 1e3 * ROUND * np.abs(costs).max()):
        return None
    low, high, at_low, at_high = shares[part], shares[part + 1], costs[part][index], costs[part + 1][index]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        at_middle = function(rho + middle * gap)[index]
        if abs(at_middle - at_low) > abs(at_high - at_middle):
            high, at_high = middle, at_middle
        else:
            low, at_low = middle, at_middle
    told = float(slope(rho + 0.5 * (low + high) * gap, gap)[index]) * (high - low)
    return (index, float(at_high - at_low)) if abs(at_high - at_low - told) > 0.5 * height else None


def _where(index: tuple[int, ...], times: np.ndarray) -> str:
    cell = tuple(int(i) for i in index[1:])
    return f"at t = {times[index[0]]:g}, cell {cell[0] if len(cell) == 1 else cell}"


# -- the claims ------------------------------------------------------------------------------------------------------


def refutations(
    coupling: Coupling, bound: Bound, space: Space, times: np.ndarray, crowds: list[np.ndarray],
    rng: np.random.Generator,
) -> list[Refuted]:  # fmt: skip
    """Claims of a coupling that its cost refutes.

    Parameters
    ----------
    coupling, bound : as stated, and bound to ``space`` and ``times``
    crowds : two or more densities (times, *shape), positive where anybody may be
    rng : of the changes that are tried
    """
    every = slice(0, len(times))

    def cost(rho: np.ndarray) -> np.ndarray:
        return np.asarray(bound.cost(every, rho))

    def slope(rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        return np.asarray(bound.tangent(every, rho, change))

    result: dict[str, Refuted] = {}
    changes = [_change(space, rho, rng.uniform(-1, 1, rho.shape)) for rho in crowds]
    size = max(float(np.abs(cost(rho)).max(initial=0.0)) for rho in crowds)
    if not np.isfinite(size):
        return []
    if coupling.is_differentiable and not _has_tangent(bound, every, crowds[0], changes[0]):
        result["derivative"] = Refuted("derivative", "it is said to have one and gives none")
    elif coupling.is_differentiable:
        if coupling.is_local and bound.slope(every, crowds[0]) is None:
            result["local"] = Refuted("local", "it is said to act cell by cell and gives no slope")
        misfits = (_misfit(cost, r, d, slope(r, d), ROUND * size) for r, d in zip(crowds, changes, strict=True))
        for where, measured, claimed in filter(None, misfits):
            text = f"along a small change of the crowd the cost changes by {measured:.4g}, and the derivative says "
            result["derivative"] = Refuted("derivative", f"{text}{claimed:.4g} ({_where(where, times)})")
            break
        else:
            jumps = (_jump(cost, slope, crowds[0], crowd) for crowd in crowds[1:])
            for jump in filter(None, jumps):
                text = f"between two crowds the cost jumps by {jump[1]:.4g}, of which the derivative knows nothing"
                result["derivative"] = Refuted("derivative", f"{text} ({_where(jump[0], times)})")
                break
    if coupling.is_differentiable and "derivative" not in result:
        _second(result, bound, space, times, crowds, changes)
        _adjoint(result, bound, space, times, crowds[0], changes, rng)
    if coupling.is_potential:
        _potential(result, bound, space, times, crowds)
    if coupling.is_monotone:
        _monotone(result, cost, space, crowds, changes)
    return [result[claim] for claim in CLAIMS if claim in result]


def _has_tangent(bound: Bound, every: slice, rho: np.ndarray, change: np.ndarray) -> bool:
    if bound.slope(every, rho) is not None:
        return True
    try:
        bound.tangent(every, rho, change)
    except InputError:
        return False
    return True


def _change(space: Space, rho: np.ndarray, wish: np.ndarray) -> np.ndarray:
    return np.stack([direction(space, level, one) for level, one in zip(rho, wish, strict=True)])


def _second(
    found: dict[str, Refuted], bound: Bound, space: Space, times: np.ndarray, crowds: list[np.ndarray],
    changes: list[np.ndarray],
) -> None:  # fmt: skip
    every = slice(0, len(times))
    for rho, change in zip(crowds, changes, strict=True):
        bend, slope = bound.second(every, rho), bound.slope(every, rho)
        if bend is None or slope is None:
            return

        def slopes(at: np.ndarray) -> np.ndarray:
            return np.asarray(bound.slope(every, at))

        misfit = _misfit(slopes, rho, change, bend * change, ROUND * float(np.abs(slope).max(initial=0.0)))
        if misfit is not None:
            text = f"the derivative changes by {misfit[1]:.4g}, and the second derivative says {misfit[2]:.4g}"
            found["second"] = Refuted("second", f"{text} ({_where(misfit[0], times)})")
            return


def _adjoint(
    found: dict[str, Refuted], bound: Bound, space: Space, times: np.ndarray, rho: np.ndarray,
    changes: list[np.ndarray], rng: Any,
) -> None:  # fmt: skip
    every, axes, weight = slice(0, len(times)), tuple(range(1, rho.ndim)), rng.uniform(0, 1, rho.shape)
    told = getattr(bound, "adjoint", lambda *_: None)(every, rho, weight)
    if told is None:
        return
    for change in changes:
        each = relative(space.volumes)
        moved, returned = weight * bound.tangent(every, rho, change) * each, told * change * each
        forth, back, size = (part.sum(axis=axes) for part in (moved, returned, np.abs(moved)))
        if not (np.abs(forth - back) <= 1e-6 * size + ROUND * np.abs(returned).sum(axis=axes)).all():
            k = int(np.argmax(np.abs(forth - back)))
            text = f"<weight, tangent> is {forth[k]:.4g} and <adjoint, change> {back[k]:.4g} (at t = {times[k]:g})"
            found["adjoint"] = Refuted("adjoint", text)
            return


def _potential(
    found: dict[str, Refuted], bound: Bound, space: Space, times: np.ndarray, crowds: list[np.ndarray]
) -> None:
    """<f, d> against quotients of F, along a change toward dear places, where <f, d> does not cancel."""
    every, axes = slice(0, len(times)), tuple(range(1, crowds[0].ndim))
    for rho in crowds:
        cost = bound.cost(every, rho)
        middle = np.stack([_means(c, r, space) for c, r in zip(cost, rho, strict=True)])
        change = _change(space, rho, np.sign(cost - middle))
        paid, size = (integral(v * change, space.volumes, axes) for v in (cost, np.abs(cost)))
        least = 1e-6 * float(np.abs(size).max(initial=0.0))
        if not np.isfinite(paid).all() or not np.isfinite(bound.potential(every, rho)).all():
            return
        misfit = _misfit(lambda at: np.asarray(bound.potential(every, at)), rho, change, paid, least)
        if misfit is not None:
            text = f"along a small change of the crowd the potential changes by {misfit[1]:.4g}, and <cost, change> is"
            found["potential"] = Refuted("potential", f"{text} {misfit[2]:.4g} (at t = {times[misfit[0][0]]:g})")
            return


def _monotone(
    found: dict[str, Refuted], cost: Function, space: Space, crowds: list[np.ndarray], changes: list[np.ndarray]
) -> None:
    axes = tuple(range(1, crowds[0].ndim))
    far = [(crowds[0], crowds[i]) for i in range(1, len(crowds))]
    near = [(rho + 0.25 * change, rho - 0.25 * change) for rho, change in zip(crowds, changes, strict=True)]
    for one, other in far + near:
        above, below, gap = cost(one), cost(other), one - other
        rise = integral((above - below) * gap, space.volumes, axes)
        size = integral(np.abs(above - below) * np.abs(gap), space.volumes, axes)
        noise = ROUND * integral((np.abs(above) + np.abs(below)) * np.abs(gap), space.volumes, axes)
        if (rise < -1e-6 * size - noise).any():
            text = f"<f(rho) - f(mu), rho - mu> is {float(rise.min()):.4g} between two crowds, and must be 0 or more"
            found["monotone"] = Refuted("monotone", text)
            return


def price_refutations(
    coupling: Coupling, bound: Bound, times: np.ndarray, low: np.ndarray, high: np.ndarray
) -> list[Refuted]:
    """The same of a price: its numbers (times, 1) at aggregates between ``low`` and ``high`` (times, 1)."""
    every, result = slice(0, len(times)), {}
    width = np.maximum(high - low, 1e-9 * np.maximum(np.abs(high), 1e-300))
    points = [low + share * width for share in np.linspace(0.05, 0.95, 9)]

    def price(at: np.ndarray) -> np.ndarray:
        return np.asarray(bound.cost(every, at))

    def slope(at: np.ndarray) -> np.ndarray:
        return np.asarray(bound.slope(every, at))

    size = max(float(np.abs(price(at)).max()) for at in points)
    pairs: list[tuple[str, Function, Callable[[np.ndarray], np.ndarray | None]]] = [
        ("potential", lambda at: np.asarray(bound.potential(every, at))[:, None], price),
        ("derivative", price, slope),
        ("second", slope, lambda at: bound.second(every, at)),
    ]
    for claim, function, derivative in pairs:
        for at in points:
            claimed = derivative(at)
            if claimed is None or claim in result:
                break
            claimed = np.asarray(claimed) * width
            misfit = _misfit(function, at, width, claimed, ROUND * size)
            if misfit is not None:
                text = f"its difference quotient is {misfit[1] / float(width[misfit[0]]):.4g} at the aggregate "
                text += f"{float(at[misfit[0]]):.4g}, and it is stated as {misfit[2] / float(width[misfit[0]]):.4g}"
                result[claim] = Refuted(claim, text)
    if coupling.is_monotone:
        falls = np.diff(np.stack([price(at) for at in points]), axis=0)
        if (falls < -1e-9 * np.abs(falls).max() - ROUND * size).any():
            text = f"the price falls by {float(-falls.min()):.4g} as the aggregate grows"
            result["monotone"] = Refuted("monotone", text)
    return [result[claim] for claim in CLAIMS if claim in result]
