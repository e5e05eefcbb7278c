"""From hot to cold for agents who pay by entropy: the viscosity falls, and with it the temperature 2 nu c.

Responses sharpen as the viscosity falls: a price that is wrong by a hundredth changes what a cold crowd does by a
factor e.  Cooling and refining go together on meshes of q n cells, q = 3/8 .. 1, in the *same* steps, with viscosity
nu / q^2: the noise then crosses as many cells a step on all of them, and every level is resolved as well as the last.
Where the problem cannot be stated on other meshes, the viscosity falls on its own.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mfgsolve.games import Game
from mfgsolve.games.transfer import prolong_logarithm
from mfgsolve.problem import Problem
from mfgsolve.solvers.levels import Levels, Stated, coarse_game

__all__ = ["SHARES", "Meshes", "Viscosities", "entropic_levels"]

SHARES = (3 / 8, 1 / 2, 3 / 4, 7 / 8, 1.0)  # q
SMALLEST, ENOUGH = 6, 16  # cells along an axis of the coarsest mesh: of a large grid, and of a small one
SMALL = 4096  # cells up to which a grid is small: there the viscosity may as well fall alone
ROUGH = 3e-2  # relative exploitability to which all levels before the last are solved


def entropic_levels(game: Game, coarse: bool) -> Levels:
    """Meshes from coarse to fine where the problem can be stated on them all and they are asked for; or viscosities."""
    games = _on_meshes(game.problem, game.wanted_threads) if coarse else None
    return Viscosities(game) if games is None else Meshes(game, games)


def _on_meshes(problem: Problem, threads: int | None) -> list[Game] | None:
    """The game on all coarser meshes, from coarse to fine; None where it cannot be stated on one of them."""
    shape, found = problem.grid.shape, list[Game]()
    smallest = ENOUGH if problem.grid.size < SMALL else SMALLEST
    for share in SHARES[:-1]:
        fewer = tuple(round(share * n) for n in shape)
        if min(fewer) < smallest:
            return None
        wider = math.prod(n / m for n, m in zip(shape, fewer, strict=True)) ** (1 / len(shape))
        try:
            other = problem.rescaled(fewer, problem.time.steps)
            if other is None:
                return None
            other = replace(other, dynamics=[one.stretched(wider) for one in other.all_dynamics])
            found.append(coarse_game(other, threads))
        except Exception:  # whatever a user's function says of a mesh it was not made for
            return None
    return found


class Meshes(Stated):
    """Coarser meshes of more viscosity, and the game."""

    is_line = False
    rough = ROUGH

    def carry(self, belief: np.ndarray, source: Game, target: Game) -> np.ndarray:
        """By the logarithm."""
        return prolong_logarithm(belief, source, target)

    def _share(self, k: int) -> float:
        return 0.0


class Viscosities(Levels):
    """The same viscosities on the mesh of the game itself."""

    is_line = False
    rough = ROUGH

    def __init__(self, game: Game):
        super().__init__(game, len(SHARES))

    def _game(self, k: int) -> Game:
        if k == self._count - 1:
            return self.final
        return self.final.in_steps_of(self.final.step.noisier(SHARES[k] ** -2))

    def _share(self, k: int) -> float:
        return 0.0
