"""Where agents begin: from a density that was stated to the mass of every cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.exit_costs import nobody_gone
from mfgsolve.fields import sample
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.precision import ROUND, precision_of, remedy, say_renormalised, slack
from mfgsolve.spaces import Populations, Space

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
    if (mass < 0).any():
        index = tuple(int(i) for i in np.argwhere(mass < 0)[0])
        raise InputError(
            f"initial density is negative ({(mass / grid.volumes)[index]:g} at cell {index}); "
            "a density must be zero or positive"
        )
    count, wanted = grid.populations, np.asarray(grid.masses)
    totals = mass.reshape(count, -1).sum(axis=1) / wanted  # of each mass 1
    kind = _precision(initial, grid) if not normalise and (np.abs(totals - 1) > ROUND).any() else np.dtype(float)
    near = slack(kind, mass.size // count)
    for p, total in enumerate(totals):
        of = f" of population {grid.names[p]!r}" if isinstance(grid, Populations) else ""
        if total <= 0:
            raise InputError(f"initial density{of} is zero in every free cell; put some mass there")
        if not normalise and abs(total - 1) > near:
            how = "pass normalise=True (in a problem file: normalise = true under [initial]) or scale it"
            size = "differs" if isinstance(grid.volumes, np.ndarray) else f"{grid.volumes:.6g}"
            raise InputError(
                f"initial density{of} sums to {total * wanted[p]:.6g} over the grid, expected {wanted[p]:g} (cell "
                f"volume {size}), and misses it by {abs(total - 1) * wanted[p]:.1e}{remedy(kind, how)}"
            )
    if not normalise and near == ROUND:
        return mass
    if not normalise:
        say_renormalised("initial density", kind, float(np.abs(totals - 1).max()))
    return np.asarray(mass / totals.reshape((-1,) + (1,) * (mass.ndim - 1)) if count > 1 else mass / totals[0])


def _precision(given: Any, grid: Space) -> np.dtype:
    """The kind of numbers that the initial density came in."""
    if not callable(given):
        return precision_of(given)
    return precision_of(ask(given, (0.0, grid.coordinates), "initial density", "(t, coordinates)", " at t = 0"))
