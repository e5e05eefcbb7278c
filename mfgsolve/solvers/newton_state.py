"""Where Newton's method stands: a belief, the answer to it, and the arrays that a solve uses again and again.

A state is whole between two steps: a step works on a copy of it, and gives arrays of the old one back to the `Pool`
only when the new one is complete.  An exception in the middle of a step leaves the last whole iteration as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from mfgsolve.certificates import Certificate, certify
from mfgsolve.games import Game
from mfgsolve.solvers.base import UNMEASURED, State
from mfgsolve.solvers.levels import Levels
from mfgsolve.solvers.stored import STORED, stored_as

__all__ = [
    "COOLED",
    "DAMPED",
    "FREE",
    "NewtonState",
    "Pool",
    "adopt",
    "certificate",
    "flow",
    "foretold",
    "halves",
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
        if self._policies:
            return self._policies.pop()
        if not self._game.step.is_entropic:
            return self._game.policy_buffer(price)
        shape = (self._game.steps, *self._game.step.policy_shape)
        size = math.prod(shape)
        return np.empty(max(size, 2 * price.size))[:size].reshape(shape)  # two crowds have room in it

    def lend(self, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Two crowds in the place of a policy that nobody needs until the next one is taken; only where agents pay by
        entropy."""
        policy = self.take_policy(price)
        self.give_policy(price, policy)
        return halves(policy, price)

    def give_policy(self, price: np.ndarray, policy: np.ndarray) -> None:
        if policy is not price:
            self._policies.append(policy)

    def release(self, believed: np.ndarray | None, price: np.ndarray, buffer: np.ndarray, crowd: np.ndarray) -> None:
        """Give back the answer to a belief, and the belief unless it is kept (None)."""
        self.give(*([] if believed is None else [believed]), price, crowd)
        self.give_policy(price, buffer)

    def clear(self) -> None:
        self._free.clear()
        self._policies.clear()


def halves(policy: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two crowds, of the shape of a price, in the memory of such a policy."""
    block = policy.base
    assert block is not None
    first, second = block[: price.size], block[price.size : 2 * price.size]
    return first.reshape(price.shape), second.reshape(price.shape)


@dataclass
class NewtonState(State):
    """A belief and the answer to it, on one of the grids from coarse to fine or one of the levels from hot to cold."""

    mended = True

    levels: Levels
    level: int = field(metadata=STORED)
    game: Game
    tol: float
    believed: np.ndarray = field(metadata=STORED)
    coarser: np.ndarray | None = field(metadata=STORED)  # the belief that solved the level before, to extrapolate
    price: np.ndarray
    buffer: np.ndarray  # holds the policy that answers the price; of a diffusion it is the price
    crowd: np.ndarray  # of that policy
    pool: Pool
    target: Game | None = None  # the game itself, where the levels are warmer ones
    best: float = field(default=math.inf, metadata=STORED)  # there: exploitability, policy and crowd of the best so far
    best_policy: np.ndarray | None = field(default=None, metadata=STORED)
    best_crowd: np.ndarray | None = field(default=None, metadata=STORED)
    least: float = field(default=math.inf, metadata=stored_as("kept"))  # elsewhere: relative exploitability
    kept: np.ndarray | None = field(default=None, metadata=STORED)  # and belief of a better one
    phase: int = field(default=FREE, metadata=STORED)
    damping: float = field(default=0.0, metadata=STORED)  # of the trust region, per unit of a weighted price
    growth: float = field(default=2.0, metadata=STORED)  # factor on the damping if the next trial fails, too
    dual: float = math.nan
    size: float = math.nan  # of the largest term that the dual is the sum of
    certificate: Certificate = field(init=False)  # or no more than a prediction of it
    predicted: bool = False  # which of the two; see `mfgsolve.solvers.prediction`
    idle: int = field(default=0, metadata=STORED)  # steps in a row that did not improve the certificate
    breathless: int = field(default=0, metadata=STORED)  # linear solves that ended at their limit
    spent: tuple[Any, ...] = ()  # belief, price, buffer and crowd before this step

    @property
    def policy(self) -> np.ndarray:
        return self.buffer[: self.game.steps]

    @property
    def final(self) -> bool:
        return self.level == len(self.levels) - 1

    @property
    def sweep(self) -> float:
        """Cost of one sweep of this grid in sweeps of the final grid."""
        return self.game.cell_steps / self.levels.final.cell_steps

    @property
    def is_measured(self) -> bool:
        """Whether this iteration has a certificate."""
        return not self.predicted

    @property
    def averse(self) -> bool:
        """Whether the dual is concave and there to be climbed."""
        return self.game.is_potential and self.game.is_monotone

    @property
    def predicts(self) -> bool:
        """Whether linear solves predict an exploitability (`mfgsolve.solvers.prediction`)."""
        return self.averse and self.game.step.is_entropic and self.game.is_local

    @property
    def is_steep(self) -> bool:
        """Whether the slope of the coupling has no bound where nobody is."""
        return any(coupling.is_steep for coupling in self.game.stated.couplings)

    @property
    def has_detours(self) -> bool:
        """By trust regions and from hot to cold."""
        return self.averse

    @property
    def round_off(self) -> float:
        """Changes of the dual and of the exploitability that say nothing."""
        return ROUND * self.size

    def again(self) -> None:
        """The last certificate stands, after more work."""
        self.note(self.certificate, self.game.cell_steps, self.final or self.target is not None)

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        arrays, numbers = super().pack()
        numbers |= {"levels": len(self.levels)}
        if self.predicted:
            numbers |= {"predicted": self.certificate.exploitability, "scale": self.certificate.scale}
        return arrays, numbers


def new_state(
    levels: Levels, level: int, game: Game, tol: float, believed: np.ndarray, coarser: np.ndarray | None = None,
    target: Game | None = None,
) -> NewtonState:  # fmt: skip
    """A state that has not answered its belief yet."""
    pool = Pool(game)
    price = pool.take()
    if believed.shape != price.shape:  # of a damaged checkpoint: kernels do not look
        raise ValueError(f"a belief has shape {believed.shape}; the game has {price.shape}")
    last = level == len(levels) - 1  # the start of no other; it tells how far a coarser mesh is from it
    older = None if last and not levels.is_refined else coarser
    return NewtonState(0, 0.0, UNMEASURED, levels, level, game, tol, believed, older, price,
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
    state.dual = value - believed_cost + (potential if game.is_potential else 0.0)
    state.size = abs(value) + size + (abs(potential) if game.is_potential else 0.0)
    state.sweeps += 0.5 * state.sweep


def flow(state: NewtonState) -> None:
    """Flow of the policy.  Half a sweep."""
    state.game.flow(state.policy, state.crowd)
    state.sweeps += 0.5 * state.sweep


def certificate(state: NewtonState) -> Certificate:
    """Certificate of the policy and its flow.  Half a sweep."""
    idle = state.price is not state.buffer and state.game.step.is_entropic  # nobody reads the price any more
    work = state.price if idle else state.pool.take()
    buffer = state.pool.take_policy(work)
    result = certify(state.game, state.game.policy_of(state.policy), state.crowd, state.dual, work, buffer=buffer)
    state.pool.give_policy(work, buffer)
    if not idle:
        state.pool.give(work)
    state.sweeps += 0.5 * state.sweep
    return result


def measured(state: NewtonState) -> NewtonState:
    """Enter the certificate of the answer as the measure of this iteration."""
    state.certificate, state.predicted = certificate(state), False
    result = state.certificate
    if state.target is not None:
        result = certify(state.target, state.game.policy_of(state.policy), state.crowd)
        state.sweeps += 0.5
    state.note(result, state.game.cell_steps, state.final or state.target is not None)
    # colder is not always better: round-off decides in the end
    if state.target is not None and not state.measure.exploitability >= state.best:
        state.best = state.measure.exploitability
        state.best_policy, state.best_crowd = state.policy.copy(), state.crowd.copy()
    return state


def foretold(state: NewtonState, exploitability: float, scale: float) -> NewtonState:
    """A prediction in the place of a certificate; the measure of this iteration says that nothing was measured."""
    nothing = dict.fromkeys((part.name for part in fields(Certificate)), math.nan)
    foreseen = {"exploitability": exploitability, "relative_exploitability": exploitability / scale, "scale": scale}
    state.certificate, state.predicted = Certificate(**nothing | foreseen), True
    state.note(Certificate(**nothing | {"violation": 0.0}), state.game.cell_steps, state.final)
    return state


def keep(state: NewtonState, before: float) -> None:
    """Remember the belief before this step, of relative exploitability ``before``, where the step made it worse."""
    after = state.certificate.relative_exploitability
    if not state.final or state.target is not None:
        return
    if state.kept is not None and after <= state.least:
        state.kept, state.least = None, math.inf
    elif state.spent and not after <= before and not (state.kept is not None and state.least <= before):
        state.kept, state.least, state.spent = state.spent[0], before, (None, *state.spent[1:])
