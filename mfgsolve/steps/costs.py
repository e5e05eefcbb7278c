"""What agents pay, as sweeps take it and as certificates sum it up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["ActionCost", "Costs", "OwnCost", "Totals", "least_allowed", "lowered"]

ActionCost = Callable[[slice, np.ndarray], np.ndarray]


class Costs(NamedTuple):
    """What an agent pays beside its own cost: by the cell it is in, by its choices, and at the end.

    Attributes
    ----------
    state : (T+1, *level), cost per unit weight of being in each cell at each node
    weights : (T+1,), of the nodes
    terminal : (*level), paid at the last node beside ``weights[-1] state[-1]``
    action : (steps, own) -> own cost of the choices of those steps (a slice) plus what the crowd asks for them, (1 or
        steps, actions, states); None where choices cost nothing beside their own cost
    crowd : of a change of costs, the change (T+1, *level) of the masses that own costs depend on; most do on none
    """

    state: np.ndarray
    weights: np.ndarray
    terminal: np.ndarray
    action: ActionCost | None = None
    crowd: np.ndarray | None = None


class Totals(NamedTuple):
    """What all agents pay of one kind of cost: as it is, less the least value of its time, and in absolute value."""

    cost: float
    above: float
    size: float


class OwnCost(NamedTuple):
    """What all agents pay themselves, as `Totals`, and the share of mass-time at the speed cap (NaN without one)."""

    cost: float
    above: float
    size: float
    capped: float = math.nan


def least_allowed(field: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Least value of every level and population, (levels, populations).

    ``field`` is (levels, actions, populations, cells), ``allowed`` (actions, populations, cells).
    """
    return np.asarray(np.min(field, axis=(1, 3), where=allowed[None], initial=np.inf))


def lowered(field: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The field less its least values, 0 where nothing is allowed; and these, (levels, populations).

    ``allowed`` (actions, populations, cells) lays the field (levels, ...) out.
    """
    table = field.reshape(field.shape[0], *allowed.shape)
    least = least_allowed(table, allowed)
    return np.where(allowed, table - least[:, None, :, None], 0.0).reshape(field.shape), least
