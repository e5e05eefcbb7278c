"""One agent of a finite game against a crowd that stays as it is: a decision process whose states are (step, cell).

What a step costs is worth at t = 0, as in the game, and what the end costs is part of the last step, so that the
discount is 1 and the process ends after T actions; Q* is minus the least cost, which `mfgsolve.games.Game.evaluate`
finds by its own backward sweep.  On request rewards are scaled so that all returns lie in [0, 1]: every step costs
something between a least and a largest cost, and every agent takes T of them, so that

    r = (largest cost - cost) / (T (largest cost - least cost))

changes no order of values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.solvers.needs import SHARP, SOFT, TABLES, unmet
from mfgsolve.steps.chain import Law
from mfgsolve.tasks.decisions import DecisionProcess

__all__ = ["FrozenCrowd"]

MOST = 20_000_000  # chances that are listed


@dataclass(frozen=True, eq=False)
class FrozenCrowd:
    """Makes decision processes of a game: transitions once, rewards for each crowd.

    Parameters
    ----------
    game : a sharp finite game without hard bounds

    Raises
    ------
    InputError
    """

    game: Game

    def __post_init__(self) -> None:
        problem = self.game.problem
        reason = unmet((TABLES, SOFT, SHARP), problem)
        if reason is not None:
            raise InputError(f"no single agent's decision process can be made of {problem.name!r}: {reason}")

    def process(self, crowd: np.ndarray, unit: bool = False) -> DecisionProcess:
        """The process against a crowd, levels (T+1, width) as `Game.flow` gives them.

        Parameters
        ----------
        unit : scale rewards so that all returns lie in [0, 1]
        """
        game = self.game
        rows = self._rows if not game.is_coupled else self._stacked(crowd)
        cost, allowed = self._cost(crowd), self._allowed
        reward = -cost
        if unit:
            low, high = float(cost[allowed].min()), float(cost[allowed].max())
            reward = (high - cost) / (game.steps * (high - low)) if high > low else np.zeros_like(cost)
        many, size = game.step.actions, game.steps * game.cells
        start = np.zeros(size)
        start[: game.cells] = game.initial_mass.reshape(-1) / game.initial_mass.sum()
        return DecisionProcess(
            *rows, np.ascontiguousarray(np.where(allowed, reward, 0.0).reshape(many, size)), allowed, start, 1.0,
            game.steps, tuple(map(str, game.step.action_names)), self._names,
        )  # fmt: skip

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"{t}:{x}" for t in range(self.game.steps) for x in range(self.game.cells))

    @cached_property
    def _allowed(self) -> np.ndarray:
        """(actions, steps cells); blocked cells, where nobody is, allow everything."""
        allowed = np.array(self.game.step.allowed)
        allowed[:, ~allowed.any(axis=0)] = True
        return np.tile(allowed, (1, self.game.steps))

    def _cost(self, crowd: np.ndarray) -> np.ndarray:
        """What choosing costs, (actions, steps cells), the end included."""
        game = self.game
        price = game.price(crowd)
        state = price[:, : game.cells] * game.weights[:, None]
        action = game.action_costs(price, slice(0, game.steps), game.step.own_cost)
        cost = np.broadcast_to(action, (game.steps, *action.shape[1:])) + state[:-1, None]
        mass = game.flat(crowd)[game.steps - 1, : game.cells]
        end = (game.terminal_cost.reshape(-1) + state[-1]).reshape(-1)
        cost[-1] += self._law.expect(game.steps - 1, np.where(np.isfinite(end), end, 0.0), mass)
        return np.ascontiguousarray(cost.transpose(1, 0, 2)).reshape(game.step.actions, -1)

    @cached_property
    def _law(self) -> Law:
        return self.game.step.law()

    @cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._stacked(None)

    def _stacked(self, crowd: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of (action, step, cell), columns (step, cell): the last step leads nowhere, the game ends."""
        game, law = self.game, self._law
        cells, steps, many = game.cells, game.steps, game.step.actions
        walked = _walked(law, cells)
        blocks: list[list[sparse.csr_array]] = [[] for _ in range(many)]
        for t in range(steps - 1):
            mass = None if crowd is None else game.flat(crowd)[t, :cells]
            first, successor, chance = law.transitions(t, mass)
            inside = slice(int(first[0]), int(first[-1]))
            matrix = sparse.csr_array(
                (chance[inside], successor[inside], first - first[0]), shape=(many * cells, cells)
            )
            if walked is not None:
                matrix = sparse.csr_array(matrix @ walked)
            if matrix.nnz * steps > MOST:
                raise InputError(
                    f"{game.problem.name!r} has {matrix.nnz * steps:,} transitions over all steps; at most {MOST:,} "
                    "are listed one by one: take a smaller shape or fewer steps"
                )
            for a in range(many):
                blocks[a].append(matrix[a * cells : (a + 1) * cells])
        size, last = steps * cells, sparse.csr_array((cells, steps * cells))
        below = []
        for own in blocks:
            if own:
                ahead = sparse.block_diag(own, format="csr")
                lead = sparse.csr_array((ahead.shape[0], cells))
                below.append(sparse.hstack([lead, ahead], format="csr"))
            below.append(last)
        rows = sparse.csr_array(sparse.vstack(below, format="csr"), shape=(many * size, size))
        return rows.indptr.astype(np.int64), rows.indices.astype(np.int64), np.ascontiguousarray(rows.data)


def _walked(law: Law, cells: int) -> np.ndarray | None:
    """Where noise of implicit kind carries an agent from each cell, dense; None without such noise."""
    if not law.walks:
        return None
    mass = np.eye(cells)
    for walk in law.walks:
        mass = np.stack([walk.push(row) for row in mass])
    return mass
