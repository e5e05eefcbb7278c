"""The iteration of Chambolle-Pock and ADMM: repeat an operator with the solutions as its fixed points, anchored.

Reflected Halpern iteration with restarts,

    z <- (k (2 T(z) - z) + z_0) / (k + 1),    z_0 <- T(z), k <- 0  once the residual |T(z) - z| has fallen enough

whose residual falls like 1 / k between restarts, and linearly over them where the solution is sharp.

Sources: Lu and Yang, arXiv:2407.16144 (reflected restarted Halpern iteration); Applegate et al., arXiv:2106.04756
(restarts and the balance of primal and dual steps).
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np

from mfgsolve.errors import InputError, whole
from mfgsolve.games import Average, Game
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.feasibility import Limits, check_limits, infeasibility
from mfgsolve.solvers.needs import FINAL_TIME, LOCAL, MONOTONE, POTENTIAL, SHARP, TABLES, UNCOUPLED
from mfgsolve.solvers.proximal import Answer, Programme
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.watch import look, over

PATIENCE = 20  # certificates after which bounds that are still violated are suspected to contradict each other
VIOLATED = 1e-6

__all__ = ["Anchored", "AnchoredState", "Image", "Operator"]


@dataclass(frozen=True)
class Image:
    """T(z), and what it says of the programme: u >= 0, x within its bounds, and the price of x."""

    point: np.ndarray
    u: np.ndarray
    x: np.ndarray
    price: np.ndarray


class Operator(ABC):
    """A firmly nonexpansive operator whose fixed points solve the programme; ``weight`` balances primal and dual."""

    programme: Programme

    @abstractmethod
    def start(self, u: np.ndarray, y: np.ndarray, x: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, float]:
        """Point and weight from primal and dual guesses."""

    @abstractmethod
    def apply(self, point: np.ndarray, weight: float, guess: np.ndarray) -> Image:
        """T(point); ``guess`` is where the search for x begins."""

    @abstractmethod
    def norm(self, change: np.ndarray, weight: float) -> float:
        """The norm in which T does not expand."""

    @abstractmethod
    def distances(self, start: np.ndarray, end: np.ndarray, weight: float) -> tuple[float, float]:
        """How far primal and dual have come from one point to another, each in its own metric."""

    @abstractmethod
    def reweighted(self, point: np.ndarray, old: float, new: float) -> np.ndarray:
        """The point with the same primal and dual for another weight."""


@dataclass
class AnchoredState(State):
    """Where the iteration stands."""

    replaced = True

    operator: Operator
    point: np.ndarray = field(metadata=STORED)
    anchor: np.ndarray = field(metadata=STORED)
    guess: np.ndarray = field(metadata=STORED)  # x of the last image
    weight: float = field(metadata=STORED)
    first_weight: float = field(metadata=STORED)
    count: int = field(default=0, metadata=STORED)  # iterations since the last restart
    first: float = field(default=0.0, metadata=STORED)  # residual of the first of them
    last: float = field(default=0.0, metadata=STORED)  # and of the newest
    answer: Answer = field(init=False)


@dataclass(frozen=True)
class Anchored(Solver):
    """Reflected Halpern iteration with restarts, for any `Operator`; see the module.

    Parameters
    ----------
    every : iterations from one certificate to the next
    warm_up : sweeps of fictitious play (hard bounds left aside) that make the first guess
    sufficient, necessary : restart when the residual falls below this share of the first one; or below that share and
        rises
    longest : restart at the latest after this share of all iterations
    smoothing : power of the measured balance of primal and dual in the new one
    reach : largest factor between the first balance and any other
    """

    every: int = 50
    warm_up: int = 100
    sufficient: float = 0.4
    necessary: float = 0.6
    longest: float = 0.2
    smoothing: float = 0.5
    reach: float = 100.0

    needs = (FINAL_TIME, TABLES, UNCOUPLED, SHARP, POTENTIAL, MONOTONE, LOCAL)

    def __post_init__(self) -> None:
        if whole(self.every, "iterations between certificates") < 1:
            raise InputError(f"iterations between certificates are {self.every}; at least 1 is needed")
        if whole(self.warm_up, "warm-up sweeps") < 0:
            raise InputError(f"warm-up sweeps are {self.warm_up}; zero or more are needed")
        shares = (self.sufficient, self.necessary, self.longest)
        if not (0 < self.sufficient <= self.necessary < 1 and 0 < self.longest <= 1):
            raise InputError(
                f"restart shares are {shares}; 0 < sufficient <= necessary < 1 and 0 < longest <= 1 are needed"
            )
        if not (0 <= self.smoothing <= 1 and self.reach >= 1):
            raise InputError(
                f"smoothing is {self.smoothing} and reach {self.reach}; 0 <= smoothing <= 1 and reach >= 1 are needed"
            )

    @abstractmethod
    def operator(self, programme: Programme) -> Operator: ...

    # -- starting ----------------------------------------------------------------------------------------------

    def init(self, game: Game, tol: float, start: Guess | None = None) -> AnchoredState:
        if game.is_hard:
            check_limits(game, Limits.of(game))
        programme = Programme(game)
        operator = self.operator(programme)
        believed = game.flow(game.step.uniform()) if start is None else start(game)
        plan = self._mean_response(game, believed)
        u = programme.unknowns(game.step.choices(plan), plan.crowd)
        seen = (plan.crowd if start is None else believed).reshape(-1)[programme.seen] / programme.unit
        x = np.clip(seen, programme.lower, programme.upper)
        marginal = programme.marginal(x)
        y = programme.multipliers(programme.price_of(marginal))
        point, weight = operator.start(u, y, x, marginal)
        sweeps = self.warm_up + 2.0
        state = AnchoredState(0, sweeps, UNMEASURED, operator, point, point.copy(), x, weight, weight)
        return _measured(state)

    def _mean_response(self, game: Game, believed: np.ndarray) -> Average:
        """Fictitious play: mean of the responses to the believed crowd and to the means that follow from it."""
        plan = game.new_average()
        for k in range(self.warm_up + 1):
            if k and over():
                break
            policy = game.respond(game.price(plan.crowd if k else believed)).policy
            plan.mix(game, policy, game.flow(policy), 2.0 / (k + 2.0))
        return plan

    def revive(self, game: Game, tol: float, stored: Stored) -> AnchoredState:
        operator = self.operator(Programme(game))
        return _measured(AnchoredState(0, 0.0, UNMEASURED, operator, **stored.of(AnchoredState)))

    # -- stepping ----------------------------------------------------------------------------------------------

    def step(self, state: AnchoredState) -> AnchoredState:
        """As many iterations as lie between two certificates, on a copy: an exception leaves the given state whole."""
        state = copy.copy(state)
        for _ in range(self.every):
            self._iterate(state)
            if state.last == 0.0:  # a fixed point
                state.stalled = True
                break
        _measured(state)
        if state.measure.violation > VIOLATED and (state.stalled or state.iteration == PATIENCE * self.every):
            game = state.operator.programme.game
            fault = infeasibility(game, Limits.of(game))
            if fault is not None:
                raise InputError(fault)
        return state

    def _iterate(self, state: AnchoredState) -> None:
        look()
        operator = state.operator
        image = operator.apply(state.point, state.weight, state.guess)
        residual = operator.norm(image.point - state.point, state.weight)
        state.iteration += 1
        state.sweeps += 1.0
        state.count += 1
        state.guess = image.x
        if state.count == 1:
            state.first = residual
        elif (
            residual <= self.sufficient * state.first
            or (residual <= self.necessary * state.first and residual > state.last)
            or state.count >= self.longest * state.iteration
        ):
            self._restart(state, image.point)
            state.last = residual
            return
        state.last = residual
        state.point = (state.count * (2.0 * image.point - state.point) + state.anchor) / (state.count + 1.0)

    def _restart(self, state: AnchoredState, point: np.ndarray) -> None:
        """Anchor at the newest image, and weigh primal and dual by the ways that both have come."""
        primal, dual = state.operator.distances(state.anchor, point, state.weight)
        if primal > 0 and dual > 0:
            new = (dual / primal) ** self.smoothing * state.weight ** (1.0 - self.smoothing)
            new = float(np.clip(new, state.first_weight / self.reach, state.first_weight * self.reach))
            point = state.operator.reweighted(point, state.weight, new)
            state.weight = new
        state.point, state.anchor, state.count = point, point.copy(), 0

    def finish(self, state: AnchoredState) -> Outcome:
        answer, game = state.answer, state.operator.programme.game
        return Outcome(game, answer.policy, answer.crowd, sweeps=state.sweeps, multiplier=answer.multiplier)


def _measured(state: AnchoredState) -> AnchoredState:
    """Certify the image of the point; what it costs is counted, and the iteration does not notice."""
    image = state.operator.apply(state.point, state.weight, state.guess)
    programme = state.operator.programme
    state.answer = programme.certified(image.u, image.x, image.price)
    state.sweeps += 3.0
    result = state.answer.certificate
    state.measure = replace(
        UNMEASURED,
        iteration=state.iteration,
        sweeps=state.sweeps,
        exploitability=result.exploitability,
        relative_exploitability=result.relative_exploitability,
        potential=result.potential,
        duality_gap=result.duality_gap,
        cell_steps=programme.game.cell_steps,
        final_grid=True,
        violation=result.violation,
    )
    return state
