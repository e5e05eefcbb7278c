"""Exits in a problem file: ``[[exit]]``, a table for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.exits import ONLY
from mfgsolve.fields import Box, Field
from mfgsolve.grids import Coordinates
from mfgsolve.inputs.forms import NUMBER, TEXT, TRUTHS, many, one_or_many
from mfgsolve.inputs.tables import group
from mfgsolve.spaces import Space

__all__ = ["BOXES", "Boxes", "ExitTable", "exits_of", "with_exits"]

BOXES = many(group(lower=many(NUMBER), upper=many(NUMBER)))


class Boxes:
    """Cells in any of the boxes."""

    def __init__(self, boxes: Sequence[Box]):
        self.boxes = boxes

    def __call__(self, c: Coordinates) -> np.ndarray:
        return np.asarray(np.any([box.contains(c) for box in self.boxes], axis=0))


@dataclass(frozen=True)
class ExitTable:
    """Cells by which agents leave: sides of a grid, boxes in it, or states; see `mfgsolve.exits`.

    Parameters
    ----------
    name : of the exit
    side : "x-low", "y-high", ..., or a list of them; such a side of a shape gets one more layer of cells beyond the box
    boxes : from corner to corner, (x, y, ...)
    states : names of listed states
    cells : an array of truth values, of the shape of the space
    cost : what an agent pays who leaves there
    """

    name: str = ONLY
    side: Any = field(default=(), metadata={"form": one_or_many(TEXT)})
    boxes: tuple[Any, ...] = field(default=(), metadata={"form": BOXES})
    states: tuple[str, ...] = ()
    cells: Any = field(default=None, metadata={"form": TRUTHS})
    cost: Field = 0.0

    def __post_init__(self) -> None:
        given = [word for word in ("side", "boxes", "states") if len(getattr(self, word))]
        given += ["cells"] if self.cells is not None else []
        if len(given) != 1:
            came = f"{' and '.join(given)}" if given else "none of them"
            raise InputError(f"exit {self.name!r} needs one of side, boxes, states and cells, and has {came}")

    @property
    def where(self) -> Any:
        """The same in the words of a space."""
        if self.boxes:
            return Boxes([Box(*corners) for corners in self.boxes])
        for given in (self.side, self.states):
            if given:
                return given if isinstance(given, str) else list(given)
        return np.asarray(self.cells)


def exits_of(tables: Sequence[ExitTable]) -> dict[str, Any]:
    """Exits by name.

    Raises
    ------
    InputError
        for two of the same name
    """
    names = [one.name for one in tables]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f'two exits are named {twice!r}; every exit needs a name of its own, name = "..."')
    return {one.name: one.where for one in tables}


def with_exits(space: Space, tables: Sequence[ExitTable]) -> Space:
    """The space with the exits of the file."""
    return space.with_exits(exits_of(tables)) if tables else space
