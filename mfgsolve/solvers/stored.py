"""What a checkpoint holds of a solver's state: the fields that say so, by their names or by what files call them.

A field of the type float, int or bool is a number, all others are arrays; an array that is None is left out.  What else
a state has follows from these, from the game and from the solver (`Solver.revive`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

__all__ = ["STORED", "Stored", "pack", "stored_as"]

NUMBERS: dict[str, Any] = {"float": float, "int": int, "bool": bool}  # annotations, which are texts


STORED = {"stored": ""}  # metadata of a field that checkpoints hold


def stored_as(name: str) -> dict[str, str]:
    """Metadata of a field that checkpoints hold by another name."""
    return {"stored": name}


def _fields(kind: Any) -> list[tuple[str, str, str]]:
    """Name, name in files and type of all fields that are stored."""
    marked = [part for part in fields(kind) if "stored" in part.metadata]
    return [(part.name, part.metadata["stored"] or part.name, str(part.type)) for part in marked]


def pack(state: Any) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Arrays and numbers of all stored fields."""
    arrays, numbers = {}, {}
    for name, label, kind in _fields(state):
        value = getattr(state, name)
        if kind in NUMBERS:
            numbers[label] = float(value)
        elif value is not None:
            arrays[label] = value
    return arrays, numbers


@dataclass(frozen=True)
class Stored:
    """Arrays and numbers that a state packed, and the iteration that it was in."""

    arrays: dict[str, np.ndarray]
    numbers: dict[str, float]
    iteration: int

    def of(self, kind: Any) -> dict[str, Any]:
        """Values of the stored fields of a dataclass.

        Raises
        ------
        KeyError
            for one that is not there, unless it may be None
        """
        values: dict[str, Any] = {}
        for name, label, kind_ in _fields(kind):
            if kind_ in NUMBERS:
                values[name] = NUMBERS[kind_](self.numbers[label])
            else:
                values[name] = self.arrays.get(label) if "None" in kind_ else self.arrays[label]
        return values
