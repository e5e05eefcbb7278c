"""The same game on the coarsest grid that still shows what it is about: what speeds and errors are measured on.

Three ways, the cheapest that is true first: the fields *sampled* at the centres of coarse cells; where those miss what
the real grid shows (a bump between two centres, a door in a wall), or where arrays tie the game to its grid, the fields
of the real grid *averaged* over coarse cells; and, where no coarse grid divides a small real one, the real grid itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from mfgsolve.couplings import Bound, Coupling
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.games import DiffusionGame
from mfgsolve.grids import Axis, Grid
from mfgsolve.problem import Problem
from mfgsolve.spaces import Space

__all__ = ["Coarse", "Slowed", "coarsened"]

SMALLEST, LARGEST, FACTOR = 8, 16, 4  # cells along an axis: a quarter of the real ones, between 8 and about 16
TIMES = 15  # steps of the games whose fields are compared; odd, so that no rhythm hides between the nodes
SEEN = 0.5  # share of the range of a field that a coarse grid must show
SMALL = 4096  # cells up to which the real grid itself may serve

Coarse = Callable[[int], Problem]  # the coarse game in any number of steps


@dataclass(frozen=True)
class Slowed(ControlledDiffusion):
    """The same diffusion with the speed cap of another grid or time step, (..., y, x), where that is lower."""

    caps: tuple[float, ...] = ()

    def speed_cap(self, possible: np.ndarray) -> np.ndarray:
        lowered = possible.copy()
        first = 3 - len(self.caps)
        lowered[first:] = np.minimum(possible[first:], self.caps)
        return lowered


def coarsened(problem: Problem) -> Coarse | None:
    """A controlled diffusion on its coarsest sensible grid; None where there is none that can be afforded.

    The noise is implicit there, whatever it is on the real grid: explicit noise would ask for steps of its own.
    """
    grid, dynamics = problem.grid, problem.all_dynamics[0]
    assert isinstance(grid, Grid) and isinstance(dynamics, ControlledDiffusion)  # noqa: PT018
    problem = replace(
        problem, dynamics=replace(dynamics, noise="implicit"), parameters=None, text=None, track=None, cautions=()
    )
    shape = tuple(_fewer(axis.cells) for axis in grid.axes)
    if shape != grid.shape:
        real = DiffusionGame(problem.with_steps(TIMES), 1)
        for way in (_sampled, _averaged):
            try:
                coarse = way(problem, shape)
                if coarse is not None and _shows(DiffusionGame(coarse(TIMES), 1), real):
                    return coarse
            except Exception:  # whatever a user's function says of a grid it was not made for
                continue
    return problem.with_steps if grid.size <= SMALL else None


def _fewer(cells: int) -> int:
    """Cells of a coarse axis."""
    return cells // max(cells // LARGEST, min(FACTOR, cells // SMALLEST), 1)


def _shows(coarse: DiffusionGame, real: DiffusionGame) -> bool:
    """Whether a coarse game has as many rooms as the real one, and costs that range about as widely."""
    if ndimage.label(~coarse.grid.mask)[1] != ndimage.label(~real.grid.mask)[1]:
        return False
    seen, wanted = ranges(coarse), ranges(real)
    return all(bool((s >= SEEN * w - 1e-3 * w.max()).all()) for s, w in zip(seen, wanted, strict=True))


def ranges(game: DiffusionGame) -> tuple[np.ndarray, np.ndarray]:
    """Highest less lowest cost of the cells: f at every node against an even crowd, and g."""
    free = ~game.grid.mask
    even = game.levels()
    even[:] = (free / free.sum()).reshape(game.shape)
    price = game.mass(game.price(even))[:, free]
    end = (game.terminal_cost.reshape(game.grid.shape) + game.weights[-1] * game.mass(game.price(even))[-1])[free]
    return np.ptp(price[:-1], axis=1), np.array([np.ptp(end)])


def _sampled(problem: Problem, shape: tuple[int, ...]) -> Coarse | None:
    if problem.rescaled(shape, TIMES) is None:
        return None

    def coarse(steps: int) -> Problem:
        made = problem.rescaled(shape, steps)
        assert made is not None
        return made

    return coarse


def _averaged(problem: Problem, shape: tuple[int, ...]) -> Coarse | None:
    grid = problem.grid
    assert isinstance(grid, Grid)
    sizes = tuple(_divisor(axis.cells, wanted) for axis, wanted in zip(grid.axes, shape, strict=True))
    if sizes == grid.shape:
        return None
    blocks = Blocks(grid, sizes)
    mass = blocks.total(problem.initial_mass())
    blocked = (blocks.total(grid.mask.astype(float)) > blocks.size / 2) & (mass == 0)
    axes = [Axis(a.name, n, a.start, a.stop, a.boundary, a.unit) for a, n in zip(grid.axes, sizes, strict=True)]
    last = problem.terminal_coupling
    made = replace(
        problem,
        grid=Grid(tuple(axes), blocked if blocked.any() else None),
        coupling=Averaged(problem.couplings[0], blocks),
        terminal_coupling=None if last is None else Averaged(last, blocks),
        initial=mass / (grid.cell_volume * blocks.size),
        terminal=np.where(blocked, 0.0, blocks.mean(problem.terminal_cost()[None])[0]),
        normalise=True,
    )
    return made.with_steps


def _divisor(cells: int, wanted: int) -> int:
    """The divisor of the cells that comes nearest to a wanted number of them, at least half of it."""
    found = [n for n in range(max(2, wanted // 2), cells + 1) if cells % n == 0]
    return min(found, key=lambda n: abs(math.log(n / wanted)))


class Blocks:
    """The coarse cells of a grid, each a block of as many real ones."""

    def __init__(self, grid: Grid, sizes: tuple[int, ...]):
        self.grid, self.sizes = grid, sizes
        self.factors = [n // size for n, size in zip(grid.shape, sizes, strict=True)]
        self.size = math.prod(self.factors)

    def total(self, level: np.ndarray) -> np.ndarray:
        """Sums over the blocks of one level."""
        return self.mean(level[None])[0] * self.size

    def mean(self, levels: np.ndarray) -> np.ndarray:
        """Means over the blocks, (levels, *sizes)."""
        split = [n for size, factor in zip(self.sizes, self.factors, strict=True) for n in (size, factor)]
        within = tuple(range(2, 2 * len(self.sizes) + 1, 2))
        return np.asarray(levels.reshape(levels.shape[0], *split).mean(axis=within))

    def spread(self, levels: np.ndarray) -> np.ndarray:
        """The same density in every cell of a block, (levels, *shape)."""
        for axis, factor in enumerate(self.factors, start=1):
            levels = np.repeat(levels, factor, axis=axis)
        return levels


class Averaged(Coupling):
    """A coupling of the real grid, seen from coarse cells: F of the density that is even in each of them."""

    def __init__(self, inner: Coupling, blocks: Blocks):
        self.inner, self.blocks = inner, blocks
        for flag in ("on", "is_potential", "is_monotone", "is_local", "is_differentiable", "is_hard", "is_smooth"):
            setattr(self, flag, getattr(inner, flag))

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundAverage(self.inner.bind(self.blocks.grid, times), self.blocks)


@dataclass(frozen=True, eq=False)
class _BoundAverage(Bound):
    inner: Bound
    blocks: Blocks

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.blocks.mean(self.inner.cost(nodes, self.blocks.spread(rho)))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.inner.potential(nodes, self.blocks.spread(rho))

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        slope = self.inner.slope(nodes, self.blocks.spread(rho))
        if slope is None:
            return None
        return self.blocks.mean(np.broadcast_to(slope, (rho.shape[0], *self.blocks.grid.shape)))

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        spread = self.blocks.spread
        return self.blocks.mean(self.inner.tangent(nodes, spread(rho), spread(change)))
