"""Where agents begin: from a density that was stated to the mass of every cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.exit_costs import nobody_gone
from mfgsolve.fields import sample
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.masses import checked_totals, divided
from mfgsolve.inputs.precision import ROUND, precision_of
from mfgsolve.spaces import Space

__all__ = ["initial_mass"]


def initial_mass(initial: Any, grid: Space, normalise: bool = False) -> np.ndarray:
    """Mass per cell at t = 0, shape of the grid; that of every population sums to what is stated for it, 1 without.

    Parameters
    ----------
    initial : density, a function of (t, coordinates), array or number; None is an even one, where nothing depends on it
    grid : where
    normalise : scale it to these totals

    Raises
    ------
    InputError
        for a density of another shape, below zero, in blocked cells, nowhere above zero, or of another total
    """
    if initial is None:  # where the game has no beginning: a first guess
        free = (~grid.mask * (grid.volumes + np.zeros(grid.shape))).reshape(grid.populations, -1)
        free *= (np.asarray(grid.masses) / free.sum(axis=1))[:, None]
        return np.asarray(free.reshape(grid.shape))
    if isinstance(initial, np.ndarray) and initial.shape != grid.shape:
        raise InputError(f"initial density has shape {initial.shape}; the grid has {grid.shape}")
    if isinstance(initial, np.ndarray) and (np.where(grid.mask, initial, 0.0) != 0).any():
        cells = int((np.where(grid.mask, initial, 0.0) != 0).sum())
        raise InputError(f"initial density is not zero in {cells} blocked cells; take it away or unblock them")
    mass = sample(initial, 0.0, grid, "initial density") * grid.volumes
    mass = nobody_gone(mass, grid, isinstance(initial, np.ndarray))
    size = "differs" if isinstance(grid.volumes, np.ndarray) else f"{grid.volumes:.6g}"
    totals = checked_totals(
        mass,
        grid,
        "initial density",
        None if normalise else lambda: _precision(initial, grid),
        lambda wanted, missed: f", expected {wanted:g} (cell volume {size}), and misses it by {missed:.1e}",
        "pass normalise=True (in a problem file: normalise = true under [initial]) or scale it",
    )
    return divided(mass, totals) if normalise or np.abs(totals - 1).max() > ROUND else mass


def _precision(given: Any, grid: Space) -> np.dtype:
    """The kind of numbers that the initial density came in."""
    if not callable(given):
        return precision_of(given)
    return precision_of(ask(given, (0.0, grid.coordinates), "initial density", "(t, coordinates)", " at t = 0"))
