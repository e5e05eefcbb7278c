"""A battle in which types must matter: groups that look alike react in opposite ways to what nobody sees.

Groups a and d hunt; b and c are harmless, and to a and d they look the same.  A hidden sign s, +1 or -1, is drawn at
the start of an episode and flips after every step with a small probability.  While it is +1 all of b step to the right
and all of c to the left, and the other way round while it is -1.  A hit on either pays s / 2, s of the same step; an
attack costs 0.1 and a step 0.01 besides.  Attacks strike before anybody moves, and nobody is hurt.

What neighbours did last tells the sign to whoever knows which of them are of b and which of c: a mean act of each type
does.  A mean over both does not: as many of them go to the right as to the left, whatever the sign; nor do places.

    worlds = SignedWorlds(16, agents=12, worlds=8)
    play(task, [HandMade(), None, None, HandMade()], games=64)    # what can be had
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.learners.battles.rules import HIDDEN_SIGN
from mfgsolve.learners.battles.worlds import Worlds

__all__ = ["HandMade", "SignedWorlds"]

B, C = 1, 2


class SignedWorlds(Worlds):
    """Worlds of that game.

    Parameters
    ----------
    size, worlds : see `Worlds`
    agents : of each group
    flip : probability with which the sign flips after a step

    Attributes
    ----------
    sign : (world,) +1 or -1, by which the next step pays and b and c move
    """

    def __init__(self, size: int, agents: int, worlds: int = 1, flip: float = 0.1):
        super().__init__(HIDDEN_SIGN, size, (agents,) * 4, worlds=worlds)
        self.flip, self.sign = flip, np.ones(worlds)
        self.learning[[B, C]] = False
        self.looks[:, C] = self.looks[:, B]
        self._left, self._right = (self.moves[B].tolist().index([dx, 0]) for dx in (-1, 1))
        self._chance = [np.random.default_rng(0) for _ in range(worlds)]

    def begin(self, positions: Iterable[Sequence[np.ndarray]], seeds: Iterable[int], first: Iterable[int]) -> None:
        seeds = list(seeds)
        super().begin(positions, seeds, first)
        self._chance = [np.random.default_rng(seed) for seed in seeds]
        self.sign = np.array([rng.choice((-1.0, 1.0)) for rng in self._chance])

    def step(self, actions: np.ndarray, playing: Sequence[bool] | np.ndarray | None = None) -> np.ndarray:
        """All act at once, b and c as the sign tells them, whatever their ``actions``; see `Worlds.step`."""
        taken, up = np.array(actions), (self.sign > 0)[:, None]
        taken[:, B], taken[:, C] = np.where(up, self._right, self._left), np.where(up, self._left, self._right)
        super().step(taken, playing)
        most = max(map(max, self.rules.hits))
        hits = self.reward > most / 2
        self.reward += most * hits * (self.sign[:, None, None] - 1.0)
        for w, rng in enumerate(self._chance):
            if (playing is None or playing[w]) and rng.random() < self.flip:
                self.sign[w] *= -1.0
        return taken


@dataclass(frozen=True)
class HandMade:
    """Hunters who attack what is in reach if hits pay, and go to the nearest of b and c if nothing is.

    Parameters
    ----------
    knows : whether they know the sign, which nobody else does; if not, they take it from what those of b and c within
        ``radius`` did last, knowing who is of which
    """

    knows: bool = True
    radius: float = 6.5

    def act(self, arena: Any, g: int, w: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Actions of agents s of group g in worlds w."""
        worlds = arena.worlds
        moves, attacks = worlds.moves[g], worlds.attacks[g]
        actions = np.full(len(w), worlds.stay[g])
        for k, (world, slot) in enumerate(zip(w.tolist(), s.tolist(), strict=True)):
            apart = (worlds.position[world, [B, C]] - worlds.position[world, g, slot]).astype(float)
            square = (apart**2).sum(axis=2)
            reach = np.argwhere((apart.reshape(-1, 1, 2) == attacks).all(axis=2))
            if len(reach):
                if self._sign(arena, world, square) > 0:
                    actions[k] = len(moves) + reach[0, 1]
            else:
                nearest = apart.reshape(-1, 2)[square.argmin()]
                actions[k] = ((moves - nearest) ** 2).sum(axis=1).argmin()
        return actions

    def _sign(self, arena: Any, world: int, square: np.ndarray) -> float:
        """+1 if hits are taken to pay."""
        if self.knows:
            return float(arena.worlds.sign[world])
        done = arena.last[world, [B, C]]
        steps = np.where(done >= 0, arena.acts[done, 0], 0.0)  # who has not acted tells nothing
        told = steps * (square <= self.radius**2)
        return float(np.sign(told[0].sum() - told[1].sum()))
