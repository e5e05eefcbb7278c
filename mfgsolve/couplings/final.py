"""A final density that is given: what the crowd has to be at the end, whatever it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling
from mfgsolve.couplings.hard import BoundCapacity, Capacity
from mfgsolve.errors import InputError, has_labels, numbers
from mfgsolve.fields import sample
from mfgsolve.inputs.labels import aligned
from mfgsolve.inputs.masses import checked_totals, divided
from mfgsolve.inputs.precision import precision_of
from mfgsolve.spaces import Space

__all__ = ["FinalDensity", "final_cap", "scaled_to_one", "with_final"]


def final_cap(stated: Any, normalise: bool) -> Capacity | None:
    """What a problem keeps of the final density that was stated: a cap, or the target itself as one."""
    if stated is None or (isinstance(stated, Capacity) and not isinstance(stated, FinalDensity)):
        return stated
    if isinstance(stated, Coupling):
        if not isinstance(stated, FinalDensity):
            raise InputError(
                f"final of the problem is a {type(stated).__name__}; a density, which is met, or a Capacity, which is "
                "not exceeded, is needed (other couplings at the end are its terminal_coupling)"
            )
        return stated
    return FinalDensity(stated, normalise)


def scaled_to_one(final: Capacity | None) -> Capacity | None:
    """The same, normalised: on another grid a density that is sampled sums to 1 only nearly."""
    return replace(final, normalise=True) if isinstance(final, FinalDensity) else final


def with_final(terminal: Coupling | None, final: Capacity | None) -> Coupling | None:
    """The terminal coupling, and what the final density has to be."""
    return final if terminal is None else terminal if final is None else terminal + final


@dataclass(frozen=True, eq=False)
class FinalDensity(Capacity):
    """The density at the horizon is given, m_T = target: the *planning problem*; as part of a terminal coupling.

    Agents, and target, have mass 1: a crowd that nowhere exceeds the target at T is the target.  The constraint is
    therefore a hard cap at T, with one more measure, the total variation of m_T - target.  What leads there is a
    terminal price g, the multiplier of the cap, of which every constant may be added; it is told so that it balances,
    <g, target> = 0: what some pay others are paid (``final_price`` in the dataset).

    Parameters
    ----------
    cap : the target, mass per unit volume: a function of (t, coordinates), array or number; every population has mass 1
    normalise : scale it to total mass 1; otherwise a density that does not sum to 1 is an error

    Source: Lions, cours au College de France (2009-2010); Achdou, Camilli and Capuzzo-Dolcetta, Mean field games:
    numerical methods for the planning problem, doi:10.1137/100790069.
    """

    normalise: bool = False

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        volumes = grid.volumes
        return BoundFinal((self.mass(grid, float(times[-1])) / volumes)[None])

    def mass(self, grid: Space, time: float) -> np.ndarray:
        """Mass per cell, shape of the grid; that of every population is 1.

        Raises
        ------
        InputError
            for a density that is negative, in blocked cells, or does not sum to 1
        """
        mass = self._sampled(grid, time) * grid.volumes
        totals = checked_totals(
            mass,
            grid,
            "final density",
            None if self.normalise else lambda: np.dtype(float) if callable(self.cap) else precision_of(self.cap),
            lambda wanted, missed: f", and misses {wanted:g} by {missed:.1e}; agents neither leave nor come",
            "pass FinalDensity(..., normalise=True) (in a problem file: normalise = true under [final]) or scale it",
        )
        return divided(mass, totals)

    def _sampled(self, grid: Space, time: float) -> np.ndarray:
        """The density at the cell centres; refused where it wants agents in blocked cells."""
        given = self.cap
        if has_labels(given):
            given = aligned(given, grid.dims, grid.labels, "final density", partial=True)
            given = np.broadcast_to(given, grid.shape) if grid.takes(given.shape) else given
        if callable(given):
            return sample(given, time, grid, "final density")
        array = np.asarray(numbers(given, "final density"), dtype=float)
        if array.ndim and array.shape != grid.shape:
            raise InputError(f"final density has shape {array.shape}; the grid has {grid.shape}")
        inside = (np.broadcast_to(array, grid.shape) != 0) & grid.mask
        if array.ndim and inside.any():
            raise InputError(
                f"final density is not zero in {int(inside.sum())} blocked cells, where nobody can be; take it away or "
                "unblock them"
            )
        return sample(array if array.ndim else float(array), time, grid, "final density")


class BoundFinal(BoundCapacity):
    """The cap of the last node, met everywhere."""

    is_target = True
