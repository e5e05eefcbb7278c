"""Agents of a finite game one by one: where their choices lead them, and what they pay for them.

The crowd may be a belief that stays (one agent against a frozen field) or the agents themselves; both are a level
(states and what else couplings see) at each node, from which one step is priced at a time.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.problem import Problem

__all__ = ["Chain", "finite_game"]


def finite_game(problem: Problem, what: str) -> Game:
    """The game of a problem whose agents choose from a finite list."""
    if not isinstance(problem, Problem):
        raise InputError(f"{what} got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    if not problem.is_finite:
        raise InputError(
            f"{what} needs a finite list of actions, and {problem.name!r} is a controlled diffusion; state it with "
            "LatticeMoves or Tabular dynamics"
        )
    game = make_game(problem)
    return game


class Chain:
    """Sampled steps of many agents at once; cells are flat states of all populations."""

    def __init__(self, game: Game):
        self.game = game
        self.populations = game.grid.populations
        self.cells = game.states // self.populations  # of one population
        self._noises = [(walk, *walk.neighbours()) for walk in game.step.law().walks]
        self._ladder = None if game.is_coupled else np.cumsum(game.transitions.chance)
        self._start = [np.cumsum(part) for part in game.initial_mass.reshape(self.populations, -1)]

    def start(self, population: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Cells of agents of these populations at t = 0, independent draws from the initial mass."""
        cells = np.empty(population.size, dtype=np.int64)
        for p, ladder in enumerate(self._start):
            mine = population == p
            drawn = np.searchsorted(ladder, rng.random(int(mine.sum())) * ladder[-1], side="right")
            cells[mine] = p * self.cells + drawn
        return cells

    def move(
        self, t: int, cells: np.ndarray, actions: np.ndarray, mass: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Where each agent is one step on; ``mass`` (states,) decides where the dynamics are coupled to it."""
        game, ladder = self.game, self._ladder
        table = game.transitions
        if ladder is None:
            assert mass is not None
            table = game.transitions_at(t, mass)
            ladder = np.cumsum(table.chance)
        first = table.first[min(t, table.first.shape[0] - 1)]
        row = actions * game.states + cells
        low, high = first[row], first[row + 1]
        below = np.where(low > 0, ladder[low - 1], 0.0)
        mark = below + rng.random(row.size) * (ladder[high - 1] - below)
        place = np.clip(np.searchsorted(ladder, mark, side="right"), low, high - 1)  # round-off at the ends of a row
        return self._drift(table.successor[place].astype(np.int64), rng)

    def _drift(self, cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The walk that implicit noise is, axis by axis: on with probability ``right``, then back with ``left``."""
        for walk, after, before in self._noises:
            for share, neighbour in ((walk.right, after), (walk.left, before)):
                going = np.arange(cells.size)
                while going.size:
                    going = going[rng.random(going.size) < share[cells[going]]]
                    cells[going] = neighbour[cells[going]]
        return cells

    def level(self, t: int, mass: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """What couplings see at node t: ``mass`` (states,) and, before the end, ``chosen`` (actions, states)."""
        game, k = self.game, 0
        level = np.zeros(game.width)
        level[: game.states] = mass
        if t == game.steps:
            return level
        for block in game.blocks:
            if block.on == "occupation":
                level[block.columns] = chosen.reshape(-1)
            elif block.on == "aggregate":
                amounts = game.amounts[k]
                level[block.columns] = (amounts[min(t, amounts.shape[0] - 1)] * chosen).sum()
                k += 1
        return level

    def price(self, t: int, level: np.ndarray) -> np.ndarray:
        """f of one level (width,), per unit time; at the end that of the terminal coupling, if there is one."""
        game, price = self.game, np.zeros(self.game.width)
        last = t == game.steps
        blocks = ([] if game.terminal_block is None else [game.terminal_block]) if last else game.blocks
        node = slice(0, 1) if last else slice(t, t + 1)
        for block in blocks:
            price[block.columns] = block.bound.cost(node, block.density(level[None])).reshape(-1)
        return price

    def choosing(self, t: int, price: np.ndarray) -> np.ndarray:
        """What choices cost at node t, own cost and price, (actions, states); ``price`` is that of the level."""
        game = self.game
        own = game.own_cost[min(t, game.own_cost.shape[0] - 1)]
        if game.width == game.states:
            return own
        levels = np.broadcast_to(price, (game.steps + 1, game.width))
        return np.asarray(own + game.action_costs(levels, slice(t, t + 1))[0])

    def being(self, t: int, price: np.ndarray) -> np.ndarray:
        """What it costs to be somewhere at node t, (states,); at the last one the terminal cost, too."""
        game = self.game
        cost = game.weights[t] * price[: game.states]
        return np.asarray(cost + game.terminal_cost if t == game.steps else cost)
