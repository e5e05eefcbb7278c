"""Masses of populations: how many agents there are of each, in one unit for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, shown, unknown

__all__ = ["ALIKE", "check_unit_masses", "own_masses"]

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
