"""The same game on the coarsest grid that still shows what it is about: what speeds and errors are measured on.

Three ways, the cheapest that is true first: the fields *sampled* at the centres of coarse cells; where those miss what
the real grid shows (a bump between two centres, a door in a wall), or where arrays tie the game to its grid, the fields
of the real grid *averaged* over coarse cells; and, where neither shows enough of it, a small real grid itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage

from mfgsolve.couplings import Bound, Capacity, Coupling
from mfgsolve.couplings.final import FinalDensity, scaled_to_one
from mfgsolve.exits import is_face
from mfgsolve.games import Game
from mfgsolve.grids import Axis, Grid
from mfgsolve.problem import Problem
from mfgsolve.spaces import Space

__all__ = ["Coarse", "coarsened"]

SMALLEST, LARGEST, FACTOR = 8, 16, 4  # cells along an axis: a quarter of the real ones, between 8 and about 16
TIMES = 15  # steps of the games whose fields are compared; odd, so that no rhythm hides between the nodes
SEEN, AVERAGED = 0.5, 0.1  # share of the range of the costs that a coarse grid must show: by samples, by means
DOOR = 0.25  # share of a coarse cell from which it is an exit
SMALL = 1024  # cells up to which the real grid itself may serve

Coarse = Callable[[int], Problem]  # the coarse game in any number of steps


def coarsened(problem: Problem, factor: int = FACTOR) -> Coarse | None:
    """The game on its coarsest sensible grid; None where there is none that can be afforded, or where its dynamics
    have no form for it (`Dynamics.for_coarse_grid`).

    A small grid becomes coarser by ``factor`` at most.
    """
    grid, dynamics = problem.grid, problem.all_dynamics[0].for_coarse_grid()
    if dynamics is None:
        return None
    assert isinstance(grid, Grid)
    problem = replace(problem, dynamics=dynamics, parameters=None, text=None, track=None, cautions=())
    shape = tuple(_fewer(axis.cells, factor) for axis in grid.axes)
    if shape != grid.shape:
        real, cells = Game(problem.with_steps(TIMES), 1), Cells(grid, shape)
        for way, seen in ((_sampled, SEEN), (_averaged, AVERAGED)):
            try:
                coarse = way(problem, cells)
                if _shows(Game(coarse(TIMES), 1), real, seen):
                    return coarse
            except Exception:  # whatever a user's function says of a grid it was not made for
                continue
    return problem.with_steps if grid.size <= SMALL else None


def _fewer(cells: int, factor: int) -> int:
    """Cells of a coarse axis."""
    return cells // max(cells // LARGEST, min(factor, cells // SMALLEST), 1)


def _shows(coarse: Game, real: Game, least: float) -> bool:
    """Whether a coarse game has as many rooms as the real one, and costs that range about as widely."""
    if ndimage.label(coarse.grid.inside)[1] != ndimage.label(real.grid.inside)[1]:
        return False
    seen, wanted = ranges(coarse), ranges(real)
    return all(bool((s >= least * w - 1e-3 * w.max()).all()) for s, w in zip(seen, wanted, strict=True))


def ranges(game: Game) -> tuple[np.ndarray, np.ndarray]:
    """Highest less lowest cost of the cells: f at every node against an even crowd, and g."""
    free = game.grid.inside
    even = game.empty_crowd()
    even[:] = (free / free.sum()).reshape(game.step.shape)
    price = game.mass(game.price(even))[:, free]
    end = (game.terminal_cost.reshape(game.grid.shape) + game.weights[-1] * game.mass(game.price(even))[-1])[free]
    return np.ptp(price[:-1], axis=1), np.array([np.ptp(end)])


def _sampled(problem: Problem, cells: Cells) -> Coarse:
    """Functions are sampled at the centres of coarse cells, arrays are averaged."""
    grid = problem.grid
    stated: tuple[Any, Any] = problem.initial, problem.terminal
    assert isinstance(grid, Grid)
    blocked = grid.blocked
    if not (callable(blocked) or blocked is None):
        blocked = cells.mean(grid.mask[None].astype(float))[0] > 0.5
    initial, terminal = (cells.mean(v[None])[0] if isinstance(v, np.ndarray) else v for v in stated)
    exits = (
        None
        if grid.exits is None
        else {
            name: where if callable(where) or is_face(where) else cells.mean(where[None].astype(float))[0] > 0.5
            for name, where in grid.exits.stated.items()
        }
    )
    coarse = replace(cells.grid(), blocked=blocked, exits=exits)
    is_array = isinstance(getattr(problem.final, "cap", None), np.ndarray)
    final = _final(problem, cells) if is_array else scaled_to_one(problem.final)  # type: ignore[arg-type]
    sampled = replace(problem, grid=coarse, initial=initial, terminal=terminal, final=final, normalise=True)
    return _without_blocked(sampled).with_steps


def _averaged(problem: Problem, cells: Cells) -> Coarse:
    """Everything is averaged."""
    grid, last = problem.grid, problem.terminal_coupling
    assert isinstance(grid, Grid)
    blocked, exits = cells.mean(grid.mask[None].astype(float))[0] > 0.5, None
    if grid.exits is not None:
        shares = [cells.mean((grid.exits.number == k)[None].astype(float))[0] for k in range(len(grid.exits.names))]
        exits = {name: share >= DOOR for name, share in zip(grid.exits.names, shares, strict=True)}
        blocked = blocked & ~np.any(list(exits.values()), axis=0)
    averaged = replace(
        problem,
        grid=replace(cells.grid(), blocked=blocked if blocked.any() else None, exits=exits),
        dynamics=problem.all_dynamics[0].averaged(grid, cells.mean),
        coupling=Averaged(problem.couplings[0], cells),
        terminal_coupling=None if last is None else Averaged(last, cells),
        initial=cells.density(problem.initial_mass()),
        terminal=cells.mean(problem.terminal_cost()[None])[0],
        final=_final(problem, cells),
        normalise=True,
    )
    return _without_blocked(averaged).with_steps


def _final(problem: Problem, cells: Cells) -> Capacity | None:
    """What the density has to be at the end, averaged."""
    final, time = problem.final, problem.time.horizon
    if isinstance(final, FinalDensity):
        return replace(final, cap=cells.density(final.mass(problem.grid, time)), normalise=True)
    if isinstance(final, Capacity):
        bounds = final.bind(problem.grid, np.array([time])).bounds(slice(0, 1))
        assert bounds is not None
        return Capacity(cells.mean(bounds[1])[0])
    return None


def _without_blocked(problem: Problem) -> Problem:
    """Nobody starts, or is to be, in a cell that is blocked now."""
    mask, final = ~problem.grid.inside, problem.final
    if isinstance(final, FinalDensity) and isinstance(final.cap, np.ndarray):
        problem = replace(problem, final=replace(final, cap=np.where(mask, 0.0, final.cap)))
    if not isinstance(problem.initial, np.ndarray):
        return problem
    return replace(problem, initial=np.where(problem.grid.inside, problem.initial, 0.0))


class Cells:
    """Coarse cells over the real ones of a grid, of any two numbers along each axis."""

    def __init__(self, real: Grid, shape: tuple[int, ...]):
        self.real, self.shape = real, shape
        self.whole = all(n % size == 0 for n, size in zip(real.shape, shape, strict=True))  # no real cell is cut
        shares = [_overlaps(axis, size) for axis, size in zip(real.axes, shape, strict=True)]
        self._of_coarse = [share / share.sum(axis=1, keepdims=True) for share in shares]  # (coarse, real)
        self._of_real = [(share / share.sum(axis=0)).T for share in shares]  # (real, coarse)

    def grid(self) -> Grid:
        """The coarse grid, without blocked cells."""
        named = zip(self.real.axes, self.shape, strict=True)
        return Grid(tuple(axis.refined(n) for axis, n in named))

    def mean(self, levels: np.ndarray) -> np.ndarray:
        """Means over coarse cells of levels (levels, *real shape)."""
        return _along_axes(self._of_coarse, levels)

    def density(self, mass: np.ndarray) -> np.ndarray:
        """Density in coarse cells of the mass (*real shape) in real ones."""
        if self.real.even:
            return np.asarray(self.mean(mass[None])[0] / self.real.volumes)
        return np.asarray(self.mean((mass / self.real.volumes)[None])[0])

    def spread(self, levels: np.ndarray) -> np.ndarray:
        """The density (levels, *real shape) that is even in every coarse cell."""
        return _along_axes(self._of_real, levels)


def _overlaps(axis: Axis, coarse: int) -> np.ndarray:
    """Shares of the axis that coarse and real cells have in common, (coarse, real)."""
    if axis.even:
        ends, bounds = np.arange(coarse + 1) / coarse, np.arange(axis.cells + 1) / axis.cells
    else:
        ends, bounds = ((a.edges - a.start) / a.length for a in (axis.refined(coarse), axis))
    right, left = np.minimum(ends[1:, None], bounds[None, 1:]), np.maximum(ends[:-1, None], bounds[None, :-1])
    shared = np.maximum(right - left, 0.0)
    return np.where(shared > 1e-12, shared, 0.0)


def _along_axes(matrices: list[np.ndarray], levels: np.ndarray) -> np.ndarray:
    for axis, matrix in enumerate(matrices, start=1):
        levels = np.moveaxis(np.tensordot(levels, matrix, axes=(axis, 1)), -1, axis)
    return np.ascontiguousarray(levels)


class Averaged(Coupling):
    """A coupling of the real grid, seen from coarse cells: F of the density that is even in each of them."""

    def __init__(self, inner: Coupling, cells: Cells):
        self.inner, self.cells = inner, cells
        for flag in ("on", "is_potential", "is_monotone", "is_local", "is_differentiable", "is_hard", "is_smooth"):
            setattr(self, flag, getattr(inner, flag))
        self.is_local = inner.is_local and cells.whole

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundAverage(self.inner.bind(self.cells.real, times), self.cells)


@dataclass(frozen=True, eq=False)
class _BoundAverage(Bound):
    inner: Bound
    cells: Cells

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.cells.mean(self.inner.cost(nodes, self.cells.spread(rho)))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.inner.potential(nodes, self.cells.spread(rho))

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        slope = self.inner.slope(nodes, self.cells.spread(rho))
        if slope is None or not self.cells.whole:
            return None
        return self.cells.mean(np.broadcast_to(slope, (rho.shape[0], *self.cells.real.shape)))

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        spread = self.cells.spread
        return self.cells.mean(self.inner.tangent(nodes, spread(rho), spread(change)))
