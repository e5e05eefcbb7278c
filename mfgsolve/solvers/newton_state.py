"""Where Newton's method stands: a belief, the answer to it, and the arrays that a solve uses again and again.

A state is whole between two steps: a step works on a copy of it, and gives arrays of the old one back to the `Pool`
only when the new one is complete.  An exception in the middle of a step leaves the last whole iteration as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.certificates import Certificate, certify
from mfgsolve.games import Game, make_game
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import UNMEASURED, Measure, State
from mfgsolve.solvers.cooling import dearer

__all__ = [
    "COOLED",
    "DAMPED",
    "FREE",
    "NewtonState",
    "Pool",
    "adopt",
    "certificate",
    "flow",
    "keep",
    "measured",
    "new_state",
    "respond",
]

FREE, DAMPED, COOLED = 0, 1, 2  # phases: line searches, then trust regions, then trust regions from hot to cold
ROUND = 64 * np.finfo(float).eps  # share of the largest term of a sum below which its changes are round-off


class Pool:
    """Work arrays of all levels of one game, reused so that a solve never holds more than it needs at once."""

    def __init__(self, game: Game):
        self._game, self._free, self._policies = game, list[np.ndarray](), list[np.ndarray]()

    def take(self) -> np.ndarray:
        return self._free.pop() if self._free else self._game.empty_crowd()

    def give(self, *arrays: np.ndarray) -> None:
        self._free.extend(arrays)

    def take_policy(self, price: np.ndarray) -> np.ndarray:
        """A buffer for the answer to a price: the price itself where the game overwrites it."""
        return self._policies.pop() if self._policies else self._game.policy_buffer(price)

    def give_policy(self, price: np.ndarray, ahead: np.ndarray) -> None:
        if ahead is not price:
            self._policies.append(ahead)

    def release(self, believed: np.ndarray | None, price: np.ndarray, buffer: np.ndarray, crowd: np.ndarray) -> None:
        """Give back the answer to a belief, and the belief unless it is kept (None)."""
        self.give(*([] if believed is None else [believed]), price, crowd)
        self.give_policy(price, buffer)

    def clear(self) -> None:
        self._free.clear()
        self._policies.clear()


@dataclass
class NewtonState(State):
    """A belief and the answer to it, on one of the grids from coarse to fine or one of the levels from hot to cold."""

    mended = True

    levels: list[Problem]
    heats: list[float]  # of each level: the factor on its cost of moving
    level: int
    game: Game
    tol: float
    threads: int | None
    believed: np.ndarray
    coarser: np.ndarray | None  # the belief that solved the level before this one, for extrapolation
    price: np.ndarray
    buffer: np.ndarray  # holds the policy that answers the price; of a diffusion it is the price
    crowd: np.ndarray  # of that policy
    pool: Pool
    target: Game | None = None  # the game itself, where the levels are warmer ones
    best: tuple[Measure, np.ndarray, np.ndarray] | None = (
        None  # there: certificate, policy and crowd of the best so far
    )
    kept: tuple[float, np.ndarray] | None = None  # elsewhere: relative exploitability and belief of a better one
    phase: int = FREE
    damping: float = 0.0  # of the trust region, per unit of a weighted price
    growth: float = 2.0  # factor on the damping if the next trial fails, too
    dual: float = math.nan
    size: float = math.nan  # of the largest term that the dual is the sum of
    certificate: Certificate = field(init=False)
    idle: int = 0  # steps in a row that did not improve the certificate
    breathless: int = 0  # linear solves that ended at their limit
    spent: tuple[Any, ...] = ()  # belief, price, buffer and crowd before this step

    @property
    def ahead(self) -> np.ndarray:
        return self.buffer[: self.game.steps]

    @property
    def final(self) -> bool:
        return self.level == len(self.levels) - 1

    @property
    def sweep(self) -> float:
        """Cost of one sweep of this grid in sweeps of the final grid."""
        final = self.levels[-1]
        return self.game.cell_steps / (final.grid.size * final.time.steps)

    @property
    def averse(self) -> bool:
        """Whether the dual is concave and there to be climbed."""
        return self.game.problem.is_potential and self.game.problem.is_monotone

    @property
    def has_detours(self) -> bool:
        """By trust regions and from hot to cold."""
        return self.averse

    @property
    def round_off(self) -> float:
        """Changes of the dual and of the exploitability that say nothing."""
        return ROUND * self.size

    def game_at(self, level: int) -> Game:
        """The game of a level, its moves as dear as there."""
        same = self.levels[level] is self.game.problem and not self.game.has_tables
        game = self.game if same else make_game(self.levels[level], self.threads)
        return dearer(game, self.heats[level]) if not game.has_tables else game

    def again(self) -> None:
        """The last certificate stands, after more work."""
        self.note(self.certificate, self.game.cell_steps, self.final or self.target is not None)

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        arrays = {"believed": self.believed}
        if self.coarser is not None and not self.final:
            arrays["coarser"] = self.coarser
        if self.kept is not None:
            arrays["kept"] = self.kept[1]
        if self.best is not None:
            arrays |= {"best_policy": self.best[1], "best_crowd": self.best[2]}
        numbers = {
            "sweeps": self.sweeps, "level": self.level, "levels": len(self.levels), "idle": self.idle,
            "phase": self.phase, "damping": self.damping, "growth": self.growth,
            "breathless": self.breathless,
            "kept": math.inf if self.kept is None else self.kept[0],
            "best": math.inf if self.best is None else self.best[0].exploitability,
        }  # fmt: skip
        return arrays, numbers


def new_state(
    levels: list[Problem], heats: list[float], level: int, game: Game, tol: float, threads: int | None,
    believed: np.ndarray, coarser: np.ndarray | None = None, target: Game | None = None,
) -> NewtonState:  # fmt: skip
    """A state that has not answered its belief yet."""
    pool = Pool(game)
    price = pool.take()
    return NewtonState(0, 0.0, UNMEASURED, levels, heats, level, game, tol, threads, believed, coarser, price,
                       pool.take_policy(price), pool.take(), pool, target)  # fmt: skip


def adopt(state: NewtonState, trial: NewtonState) -> None:
    """Take the belief and the answer of a trial."""
    for name in ("believed", "price", "buffer", "crowd", "dual", "size"):
        setattr(state, name, getattr(trial, name))


def respond(state: NewtonState) -> None:
    """Policy and dual value of the believed mass: D = <m_0, V_0> - sum weight (f(mb) mb - F(mb)).  Half a sweep."""
    game, believed, price = state.game, state.believed, state.price
    potential = game.price_and_potential(believed, price)
    believed_cost, _, size = game.crowd_totals(price, believed)
    value = game.respond(price, out=state.buffer, crowd=believed).mean_value
    state.dual = value - believed_cost + (potential if game.problem.is_potential else 0.0)
    state.size = abs(value) + size + (abs(potential) if game.problem.is_potential else 0.0)
    state.sweeps += 0.5 * state.sweep


def flow(state: NewtonState) -> None:
    """Flow of the policy.  Half a sweep."""
    state.game.flow(state.ahead, state.crowd)
    state.sweeps += 0.5 * state.sweep


def certificate(state: NewtonState) -> Certificate:
    """Certificate of the policy and its flow.  Half a sweep."""
    work = state.pool.take()
    found = certify(state.game, state.game.policy_of(state.ahead), state.crowd, state.dual, work)
    state.pool.give(work)
    state.sweeps += 0.5 * state.sweep
    return found


def measured(state: NewtonState) -> NewtonState:
    """Enter the certificate of the answer as the measure of this iteration."""
    state.certificate = found = certificate(state)
    if state.target is not None:
        found = certify(state.target, state.game.policy_of(state.ahead), state.crowd)
        state.sweeps += 0.5
    state.note(found, state.game.cell_steps, state.final or state.target is not None)
    if state.target is not None:  # colder is not always better: round-off decides in the end
        best = math.inf if state.best is None else state.best[0].exploitability
        if not state.measure.exploitability >= best:
            state.best = state.measure, state.ahead.copy(), state.crowd.copy()
    return state


def keep(state: NewtonState, before: float) -> None:
    """Remember the belief before this step, of relative exploitability ``before``, where the step made it worse."""
    after = state.certificate.relative_exploitability
    if not state.final or state.target is not None:
        return
    if state.kept is not None and after <= state.kept[0]:
        state.kept = None
    elif state.spent and not after <= before and not (state.kept is not None and state.kept[0] <= before):
        state.kept, state.spent = (before, state.spent[0]), (None, *state.spent[1:])
