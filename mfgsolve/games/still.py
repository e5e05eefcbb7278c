"""Whether a game without a final time stands still: the same costs and transitions at all times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mfgsolve.errors import InputError

__all__ = ["check_still"]

ALIKE = 1e-12  # relative


def check_still(game: Any, late: Any) -> None:
    """Refuse a game that is another one at a later time.

    Parameters
    ----------
    game, late : the game as it is at t = 0, and as it is later

    Raises
    ------
    InputError
        naming what changes
    """
    mass = game.initial_mass.reshape(-1)
    crowd = game.resting_crowd(game.empty_crowd())
    changes = {
        "costs of the crowd": (game.full_price(crowd)[0], late.full_price(crowd)[0]),
        "own costs": tuple(each.step.own_cost if each.step.actions else 0.0 for each in (game, late)),
        "amounts of a price": (game.amounts, late.amounts),
        "transitions": tuple(list(each.step.identity([mass])) for each in (game, late)),
    }
    for what, (now, then) in changes.items():
        pairs = list(_arrays(now)), list(_arrays(then))
        if len(pairs[0]) != len(pairs[1]) or not all(map(_alike, *pairs)):
            raise InputError(
                f"{what} of problem {game.stated.name!r} change with time, and with {game.time!r} every step is like "
                "the one before; state them without t, or the game with a TimeGrid"
            )


def _arrays(value: Any) -> Iterator[np.ndarray]:
    """All numbers in nested lists."""
    if isinstance(value, np.ndarray | int | float | np.number):
        yield np.asarray(value)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _arrays(each)


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or a.dtype.kind not in "fiub":
        return a.shape == b.shape
    return bool(np.allclose(a, b, rtol=ALIKE, atol=ALIKE * max(1e-300, float(np.abs(a).max(initial=0.0)))))
