"""Agents of a finite game one by one: where their choices lead them, and what they pay for them.

The crowd may be a belief that stays (one agent against a frozen field) or the agents themselves; both are a level
(states and what else couplings see) at each node, from which one step is priced at a time.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.inputs.masses import check_unit_masses
from mfgsolve.problem import Problem
from mfgsolve.scenarios import check_one_world
from mfgsolve.solvers.needs import TABLES, unmet
from mfgsolve.stationary import check_final_time

__all__ = ["Sampler", "finite_game"]


def finite_game(problem: Problem, what: str) -> Game:
    """The game of a problem whose agents choose from a finite list."""
    if not isinstance(problem, Problem):
        raise InputError(f"{what} got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    check_final_time(problem.time, what, "episodes end")
    check_one_world(problem.grid, "learning")
    check_unit_masses(problem.grid, what, "a learner's crowd counts each population alike")
    reason = unmet((TABLES,), problem)
    if reason is not None:
        raise InputError(f"{what} does not suit {problem.name!r}: {reason}")
    return make_game(problem)


class Sampler:
    """Sampled steps of many agents at once; cells are flat states of all populations.

    Attributes
    ----------
    law : where choices lead, see `mfgsolve.steps.chain`
    populations, cells : how many, and of how many cells each
    """

    def __init__(self, game: Game):
        self.game, self.law = game, game.step.law()
        self.populations = game.grid.populations
        self.cells = game.cells // self.populations
        self._walks = [(walk, *walk.neighbours()) for walk in self.law.walks]
        self._table = None if game.is_coupled else self._with_ladder(slice(0, game.steps), None)
        self._start = [np.cumsum(part) for part in game.initial_mass.reshape(self.populations, -1)]

    def _with_ladder(self, part: slice, mass: np.ndarray | None) -> tuple[np.ndarray, ...]:
        """Rows, successors and the running sum of the chances of some steps."""
        first, successor, chance = self.law.tables(part, mass)
        return first, successor, np.cumsum(chance)

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
        table = self._table if self._table is not None else self._with_ladder(slice(t, t + 1), mass)
        first, successor, ladder = table
        rows = first[min(t, first.shape[0] - 1)]
        row = actions * self.law.states + cells
        low, high = rows[row], rows[row + 1]
        below = np.where(low > 0, ladder[low - 1], 0.0)
        mark = below + rng.random(row.size) * (ladder[high - 1] - below)
        place = np.clip(np.searchsorted(ladder, mark, side="right"), low, high - 1)  # round-off at the ends of a row
        return self._walked(successor[place].astype(np.int64), rng)

    def _walked(self, cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The walks one after the other: on with probability ``right``, then back with ``left``."""
        for walk, after, before in self._walks:
            for share, neighbour in ((walk.right, after), (walk.left, before)):
                going = np.arange(cells.size)
                while going.size:
                    going = going[rng.random(going.size) < share[cells[going]]]
                    cells[going] = neighbour[cells[going]]
        return cells

    # -- what agents pay ---------------------------------------------------------------------------------------

    def level(self, t: int, mass: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """What couplings see at node t: ``mass`` (states,) and, before the end, ``chosen`` (actions, states)."""
        game, k = self.game, 0
        level = np.zeros(game.width)
        level[: game.cells] = mass
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

    def own_cost(self, t: int) -> np.ndarray:
        """What choices of step t cost by themselves, (actions, states)."""
        own: np.ndarray = self.game.step.own_cost
        return own[min(t, own.shape[0] - 1)]

    def action_cost(self, t: int, price: np.ndarray) -> np.ndarray:
        """What choices of step t cost, own cost and price, (actions, states); ``price`` is that of the level."""
        game, own = self.game, self.own_cost(t)
        if not game.sees_choices:
            return own
        levels = np.broadcast_to(price, (game.steps + 1, game.width))
        return np.asarray(own + game.action_costs(levels, slice(t, t + 1))[0])

    def state_cost(self, t: int, price: np.ndarray) -> np.ndarray:
        """What it costs to be somewhere at node t, (states,); at the last one the terminal cost, too."""
        game = self.game
        cost = game.weights[t] * price[: game.cells]
        return np.asarray(cost + game.terminal_cost if t == game.steps else cost)
