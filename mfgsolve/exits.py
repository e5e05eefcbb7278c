"""Exits: cells of a space that agents come to and leave by, each with a name.

    exits = {"west door": mask, "east": "x-high", "stairs": lambda c: c.y > 0.9}

Who comes to a cell of an exit has left: it pays the exit cost of that time, and nothing more.  The game is the one with
an absorbing state for each of these cells, and it is solved as that: the mass that has left is kept in them, so that
all masses still sum to 1, a certificate is that of the whole game, and nothing is lost unseen.  Couplings do not see
it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, masked, shown, unknown
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.labels import aligned, frozen

__all__ = ["ONLY", "SIDES", "Exits", "is_face", "make_exits", "one_by_one"]

ONLY = "exit"  # name of a single one
SIDES = ("low", "high")
REMEDY = 'state {"name": cells}, a mapping from names to cells'


@dataclass(frozen=True, eq=False)
class Exits:
    """Named exits of a space.

    Attributes
    ----------
    names : of the exits
    number : (*shape) int, of the exit that a cell belongs to; -1 of all other cells
    stated : what they were stated as, by name; arrays as copies that nobody can change
    """

    names: tuple[str, ...]
    number: np.ndarray
    stated: Mapping[str, Any]

    @cached_property
    def cells(self) -> np.ndarray:
        """Boolean, True in the cells of all exits."""
        return frozen(self.number >= 0)

    @property
    def identity(self) -> Any:
        return self.names, self.number.astype(np.int16).tobytes()

    def spread(self, shape: tuple[int, ...]) -> Exits:
        """The same in every layer above the space."""
        return Exits(self.names, np.broadcast_to(self.number, shape), self.stated)

    @property
    def is_drawn(self) -> bool:
        """Whether some came as arrays, which belong to one shape."""
        return not all(callable(each) or is_face(each) for each in self.stated.values())

    def totals(self, mass: np.ndarray, populations: int = 1) -> np.ndarray:
        """Mass in the cells of each exit, (levels, populations, exits), from a mass (levels, *shape)."""
        rows, number = mass.reshape(len(mass), populations, -1), self.number.reshape(populations, -1)
        return np.stack([(rows * (number == k)).sum(axis=2) for k in range(len(self.names))], axis=2)


Cells = Callable[[str, Any], tuple[np.ndarray, bool]]


def one_by_one(stated: Any) -> dict[str, Any]:
    """Exits by name, from a mapping, from the cells of a single one, or from exits that were made before.

    Raises
    ------
    InputError
        for names that are no texts, or empty
    """
    if isinstance(stated, Exits):
        return dict(stated.stated)
    if not isinstance(stated, Mapping) or hasattr(stated, "data_vars"):
        return {ONLY: stated}
    for name in stated:
        if not (isinstance(name, str) and name.strip()):
            raise InputError(f"an exit is named {shown(name)}; a text is needed: {REMEDY}")
    if not stated:
        raise InputError(f"exits are an empty mapping; {REMEDY}, or leave exits out")
    return dict(stated)


def make_exits(stated: Any, blocked: np.ndarray, cells_of: Cells) -> Exits:
    """Checked exits.

    Parameters
    ----------
    stated : a mapping from names to cells, or the cells of a single exit
    blocked : boolean (*shape), where nobody may be
    cells_of : from a name and what was stated for it to its cells (*shape), and whether these may lie in walls too,
        which are then no part of it: so it is with faces and functions, which know nothing of walls

    Raises
    ------
    InputError
        for exits without cells, in walls, or that share a cell; and where nobody is left inside
    """
    own = one_by_one(stated)
    number = np.full(blocked.shape, -1)
    for k, (name, where) in enumerate(own.items()):
        cells, loose = cells_of(name, where)
        if not cells.any():
            raise InputError(f"exit {name!r} has no cell; name the cells that agents leave by, or leave it out")
        walled = cells & blocked
        if (walled == cells).all() or (walled.any() and not loose):
            count, index = int(walled.sum()), tuple(int(i) for i in np.argwhere(walled)[0])
            raise InputError(
                f"exit {name!r} lies in {count} blocked cells, {index} the first of them, and nobody comes through a "
                "wall; unblock them, or put it elsewhere"
            )
        cells = cells & ~blocked
        shared = cells & (number >= 0)
        if loose and is_face(where):  # the corner of two sides belongs to the first
            cells = cells & ~shared
            shared = shared & (_stated_twice(where, list(own.values())[:k]) or not cells.any())
        if shared.any():
            index = tuple(int(i) for i in np.argwhere(shared)[0])
            raise InputError(
                f"exits {list(own)[number[index]]!r} and {name!r} share the cell {index}; every cell has one exit at "
                "most"
            )
        number[cells] = k
        if not (callable(where) or is_face(where)):
            own[name] = frozen(cells)
    if ((number >= 0) | blocked).all():
        raise InputError("every free cell is an exit, and nobody is left inside; leave some free")
    return Exits(tuple(own), frozen(number), own)


def is_face(where: Any) -> bool:
    """Whether an exit was stated as a side of a box, or as a list of sides."""
    listed = where if isinstance(where, list | tuple) else [where]
    return bool(listed) and all(isinstance(side, str) for side in listed)


def _stated_twice(where: Any, before: Sequence[Any]) -> bool:
    """Whether a side of this exit is one of those before it, too."""
    sides = [set([each] if isinstance(each, str) else each) for each in (where, *before) if is_face(each)]
    return any(sides[0] & others for others in sides[1:])


def truth_values(
    where: Any, shape: tuple[int, ...], dims: Sequence[str], labels: Mapping[str, Any], coordinates: Any, name: str
) -> tuple[np.ndarray, bool]:
    """Cells from an array of truth values, or from a function of the coordinates that returns one."""
    loose = callable(where)
    if loose:
        where = ask(where, (coordinates,), f"exit {name!r}", "(coordinates)", hint="; exits do not move with time")
    if masked(where):
        raise InputError(f"exit {name!r} has masked entries; fill them first, say with array.filled(False)")
    try:
        array = np.array(aligned(where, dims, labels, f"array of exit {name!r}", partial=True))
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"exit {name!r} is a {type(where).__name__}, and no array of truth values ({error})") from None
    if array.dtype != bool:
        raise InputError(f"exit {name!r} came as {array.dtype}; truth values are needed, True where agents leave")
    if array.shape != shape:
        if array.ndim == len(shape) and all(n in (1, m) for n, m in zip(array.shape, shape, strict=True)):
            return np.broadcast_to(array, shape), loose
        raise InputError(f"exit {name!r} has shape {array.shape}; the space has {shape}")
    return array, loose


def sides_of(where: Any, names: Sequence[str], name: str) -> list[tuple[str, str]]:
    """Axis and side of each face that was stated: "x-low" is the end of the axis x at its start."""
    known = [f"{axis}-{side}" for axis in sorted(names) for side in SIDES]
    listed = [where] if isinstance(where, str) else list(where)
    for face in listed:
        if face not in known:
            raise InputError(unknown(f"face of exit {name!r}", face, known))
    return [tuple(face.rsplit("-", 1)) for face in listed]  # type: ignore[misc]
