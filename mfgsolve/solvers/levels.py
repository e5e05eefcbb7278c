"""The levels through which Newton's method reaches a game: from coarse grids to fine, or from hot to cold.

The last level is the game itself (of a sharp one: the same game at next to no temperature).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from mfgsolve.cautions import collect
from mfgsolve.games import Game, make_game, sampled
from mfgsolve.games.transfer import coarser_sizes
from mfgsolve.problem import Problem
from mfgsolve.solvers.cooling import dearer, heats, temperatures

__all__ = ["Grids", "Heats", "Levels", "Stated", "Temperatures"]


class Levels(ABC):
    """Games in the order in which they are solved; ``final`` is the one that is to be.

    Attributes
    ----------
    is_one_grid : whether a belief of one level is one of the next, as it stands
    is_line : whether the beliefs of two levels, continued, are nearer to that of the third
    is_refined : whether all levels are the same continuous game, on ever finer meshes
    rough : relative exploitability to which all but the last level are solved; None where the solver says it
    """

    is_one_grid = True
    is_line = True
    is_refined = False
    rough: float | None = None

    def __init__(self, final: Game, count: int):
        self.final, self._count, self._skipped = final, count, 0

    def __len__(self) -> int:
        return self._count - self._skipped

    def last(self, count: int) -> Levels:
        """Leave out all but the last so many."""
        self._skipped = max(0, self._count - count)
        return self

    def game(self, level: int) -> Game:
        """The game of a level."""
        return self._game(level + self._skipped)

    def share(self, level: int) -> float:
        """How far a level lies from the one before, as a share of the step before that, in what beliefs are smooth in:
        by that much the change of the belief is continued."""
        return self._share(level + self._skipped)

    def carry(self, belief: np.ndarray, source: Game, target: Game) -> np.ndarray:
        """The belief of one level as a guess for the next, in an array of its own."""
        return belief.copy() if self.is_one_grid else source.prolong(belief, target)

    @abstractmethod
    def _game(self, k: int) -> Game: ...

    @abstractmethod
    def _share(self, k: int) -> float: ...


class Stated(Levels):
    """Levels that are games of other problems, all but the last; ``games`` were made to see whether they can be.

    Where beliefs are continued from level to level, a game is asked for again, and kept; elsewhere it is given away,
    and made once more for whoever should ask again.
    """

    is_one_grid = False

    def __init__(self, game: Game, games: Sequence[Game]):
        self._problems, self._games = [each.problem for each in games], dict(enumerate(games))
        super().__init__(game, len(games) + 1)

    def _game(self, k: int) -> Game:
        if k == self._count - 1:
            return self.final
        game = self._games.get(k) if self.is_line else self._games.pop(k, None)
        return coarse_game(self._problems[k], self.final.wanted_threads) if game is None else game


def coarse_game(problem: Problem, threads: int | None) -> Game:
    """The game of a coarser problem; what is said of it is no matter of the real one."""
    with collect():
        game = make_game(problem, threads)
        sampled(game)
    return game


class Grids(Stated):
    """Grids and times of half the size as often as the problem can be stated on them, or the game alone."""

    is_refined = True

    def __init__(self, game: Game, coarse: bool):
        first, games = game.problem, list[Game]()
        while coarse:
            sizes = coarser_sizes(first.grid.shape, first.time.steps)
            try:
                other = None if sizes is None else first.rescaled(*sizes)
                if other is None:
                    break
                games.insert(0, coarse_game(other, game.wanted_threads))
            except Exception:  # whatever a user's function says of a grid it was not made for: start one grid finer
                break
            first = other
        super().__init__(game, games)

    def _share(self, k: int) -> float:
        return 0.5  # first order in h, which is halved


class Temperatures(Levels):
    """A game with tables at falling temperatures; all share their arrays."""

    def __init__(self, game: Game, cooling: float):
        self.temperatures = temperatures(game, cooling)
        super().__init__(game, len(self.temperatures))

    def _game(self, k: int) -> Game:
        warmth = self.temperatures[k]
        return self.final if warmth == self.final.temperature else self.final.at_temperature(warmth)

    def _share(self, k: int) -> float:
        before, now, after = self.temperatures[k - 2 : k + 1]
        return (now - after) / (before - now)


class Heats(Levels):
    """A diffusion in which moving is ever less dear, on its own grid."""

    def __init__(self, game: Game, cooling: float):
        self.heats = heats(game, cooling)
        super().__init__(game, len(self.heats))

    def _game(self, k: int) -> Game:
        return dearer(self.final, self.heats[k])

    def _share(self, k: int) -> float:
        before, now, after = self.heats[k - 2 : k + 1]
        return (now - after) / (before - now)
