"""Masses of populations: how many agents there are of each, in one unit for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, shown, unknown
from mfgsolve.inputs.precision import ROUND, remedy, say_renormalised, slack

__all__ = ["ALIKE", "check_unit_masses", "checked_totals", "divided", "own_masses"]

ALIKE = "what a single agent changes is known for populations that count alike; mfg.simulate plays them"


def own_masses(masses: Any, names: Sequence[str]) -> tuple[float, ...]:
    """One positive number for each population; 1 where nothing is stated.

    Parameters
    ----------
    masses : numbers in the order of the populations, or a mapping from their names
    names : of the populations

    Raises
    ------
    InputError
        for other counts, unknown names, and numbers that are not positive
    """
    if masses is None:
        return (1.0,) * len(names)
    if isinstance(masses, Mapping):
        for name in masses:
            if name not in names:
                raise InputError(unknown("population with a mass", name, names))
        masses = [masses.get(name, 1.0) for name in names]
    values = numbers(masses, "masses of the populations")
    if values.shape != (len(names),):
        raise InputError(
            f"masses of the populations are {shown(masses)}; one number for each of {', '.join(names)} is needed"
        )
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise InputError(f"masses of the populations are {shown(masses)}; they must be positive and finite")
    return tuple(values.tolist())


def check_unit_masses(space: Any, who: str, why: str) -> None:
    """Refuse populations of different masses where each must have mass 1.

    Raises
    ------
    InputError
    """
    if set(space.masses) != {1.0}:
        told = ", ".join(f"{name}: {mass:g}" for name, mass in zip(space.names, space.masses, strict=True))
        raise InputError(f"{who} is for populations of mass 1, and those of the game have others ({told}): {why}")


def checked_totals(
    mass: np.ndarray,
    space: Any,
    what: str,
    kind: Callable[[], np.dtype] | None,
    told: Callable[[float, float], str],
    how: str,
) -> np.ndarray:
    """Total of each population over what is stated for it, of a density that was stated.

    Parameters
    ----------
    mass : (*shape), of every cell
    what : subject of sentences
    kind : of the numbers that the density came in, asked where a total is not 1; None where any total will do
    told : from what is wanted, and by how much a total misses it, to what a sentence says of it
    how : what to do about it

    Raises
    ------
    InputError
        for masses below zero, nowhere above zero, or of another total
    """
    if (mass < 0).any():
        index = tuple(int(i) for i in np.argwhere(mass < 0)[0])
        raise InputError(
            f"{what} is negative ({(mass / space.volumes)[index]:g} at cell {index}); a density must be zero or "
            "positive"
        )
    count, wanted = space.populations, np.asarray(space.masses)
    totals = mass.reshape(count, -1).sum(axis=1) / wanted
    missed = np.abs(totals - 1)
    came = np.dtype(float) if kind is None or missed.max() <= ROUND else kind()
    near = slack(came, mass.size // count)
    for p, total in enumerate(totals):
        of = f" of population {space.names[p]!r}" if "population" in space.dims else ""
        if total <= 0:
            raise InputError(f"{what}{of} is zero in every free cell; put some mass there")
        if kind is not None and missed[p] > near:
            raise InputError(
                f"{what}{of} sums to {total * wanted[p]:.6g} over the grid{told(wanted[p], missed[p] * wanted[p])}"
                f"{remedy(came, how)}"
            )
    if near > ROUND:
        say_renormalised(what, came, float(missed.max()))
    return np.asarray(totals)


def divided(mass: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Masses of populations over these totals."""
    return np.asarray(mass / (totals.reshape((-1,) + (1,) * (mass.ndim - 1)) if totals.size > 1 else totals[0]))
