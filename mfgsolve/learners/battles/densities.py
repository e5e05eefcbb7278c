"""Where the groups of a battle are, as the one density object that pictures and learners speak."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.grids import Grid
from mfgsolve.learners.battles.worlds import Worlds, members
from mfgsolve.learners.occupation import Occupation
from mfgsolve.spaces import Populations

__all__ = ["occupation"]


def occupation(battle: Any, world: int = 0) -> Occupation:
    """Share of each group's agents in every cell, over (population, y, x) of a map whose walls are blocked.

    Parameters
    ----------
    battle : an environment of this package's battles, or `Worlds`
    world : which of several

    Returns
    -------
    Occupation
        without time and with a single action, "any"; a population sums to the share of it that is alive, food last
    """
    worlds: Worlds = getattr(battle, "worlds", battle) if not isinstance(battle, Worlds) else battle
    size = worlds.size
    walls = np.ones((size, size), dtype=bool)
    walls[1:-1, 1:-1] = False
    ground = Grid.box((size, size), bounds=[(-0.5, size - 0.5)] * 2, blocked=walls)  # agents are at whole numbers
    mass = np.zeros((worlds.members, size, size, 1))
    g, k = np.nonzero(worlds.alive[world])
    x, y = worlds.position[world, g, k].T
    mass[g, y, x, 0] = 1.0 / np.array(worlds.counts)[g]
    return Occupation.of_array(mass, Populations(members(worlds.rules), ground), ["any"])
