"""How fast agents may want to be, before anything is solved: what a step must be wide enough for."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.grids import Grid

__all__ = ["fastest_speed", "led_speed"]

LEAST_SHARE, SHARES = 1e-4, 201  # of the crowd that is looked for at both ends


def fastest_speed(game: Any, control_cost: float) -> float:
    """b = max(sqrt(2 osc f / c), max |grad g| / c): how fast agents are whom all differences of price drive.

    osc f is the largest range of the price of a time.  It is asked of a crowd half of which rests where it starts and
    half of which is even, so that no density vanishes.  About the speed of the fastest agents where prices differ most
    around them, and a multiple of it where they differ most far from everybody.
    """
    grid, free = game.grid, ~game.grid.mask
    assert isinstance(grid, Grid)
    crowd = np.empty((game.steps + 1, *game.step.shape))
    crowd[:] = (0.5 * (free / free.sum() + game.initial_mass.reshape(grid.shape))).reshape(game.step.shape)
    price = game.mass(game.price(crowd))[: game.steps]  # what is paid at the end alone is in the slopes
    running = np.sqrt(2.0 * np.ptp(price[:, free], axis=1).max() / control_cost)
    last = game.terminal_cost.reshape(grid.shape)
    if game.terminal_block is not None:
        block = game.terminal_block
        last = last + game.end * block.bound.cost(slice(0, 1), block.density(game.flat(crowd[-1:])))[0]
    slopes = [np.abs(np.diff(last, axis=k)[_both(free, k)]) / a.spacing for k, a in enumerate(grid.axes)]
    steepest = max(float(slope.max(initial=0.0)) for slope in slopes) / game.end
    return max(float(running), steepest / control_cost, led_speed(game))


def led_speed(game: Any) -> float:
    """How fast agents have to be whom a final density that is given, or capped, leads along an axis: the farthest that
    a share of the crowd is from where the same share is to be, over the horizon; 0 where the end is free."""
    target = game.final_mass
    if target is None:
        return 0.0
    shape, fastest = game.grid.shape, 0.0
    shares = np.linspace(LEAST_SHARE, 1.0 - LEAST_SHARE, SHARES)
    for k, axis in enumerate(game.grid.axes):
        others = tuple(j for j in range(len(shape)) if j != k)
        here, there = (np.cumsum(m.reshape(shape).sum(axis=others)) for m in (game.initial_mass, target))
        gap = np.abs(axis.centres[_place(here, shares)] - axis.centres[_place(there, shares)]).max()
        if axis.boundary == "periodic":
            gap = min(gap, 0.5 * axis.length)
        fastest = max(fastest, float(gap))
    return fastest / game.time.horizon


def _place(cumulated: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The cells in which these shares of the mass are reached."""
    return np.minimum(np.searchsorted(cumulated, shares), len(cumulated) - 1)


def _both(free: np.ndarray, axis: int) -> np.ndarray:
    """Faces along an axis between two free cells."""
    n = free.shape[axis]
    return np.asarray(free.take(range(1, n), axis) & free.take(range(n - 1), axis))
