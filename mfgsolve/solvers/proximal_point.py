"""Proximal points of the cost of moving, for speeds that jump, or that start with an infinite derivative.

Where moving costs c |a|, or nothing up to a speed limit, best speeds jump, and Newton's method has no derivative to
follow; where it costs c |a|^p with p > 2, they have an infinite one at slope 0.  Here agents pay for leaving their
former speeds, too, and each such game is solved by Newton's method,

    inner:  s = argmin own + crowd cost + eps / 2 sum_t dt <m_t, |s_t - former_t|^2>,    m = crowd of s
    outer:  former <- s

A fixed point is an equilibrium of the game itself at any eps; a large one makes the inner games easy, a small one the
outer iterations few.  Hence eps falls after an inner game that was quick, and rises after one that was not solved.
Errors of an inner game enter with their root, so that these are solved to round-off near the end, the last steps of
Newton's method in full and judged by their residual alone: the certificate of a game that close is round-off.

Source: Rockafellar, doi:10.1137/0314056 (proximal points); Briceno-Arias, Kalise and Silva, arXiv:1608.07701 (proximal
methods for mean field games).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError, whole
from mfgsolve.games import Game
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.frank_wolfe import FictitiousPlay, FrankWolfe
from mfgsolve.solvers.krylov import Linearisation, Vectors, conjugate_gradient
from mfgsolve.solvers.needs import FINAL_TIME, SLOPES, SOFT, STEEP
from mfgsolve.solvers.newton import Newton
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.steps.proximal import ProximalStep
from mfgsolve.steps.speed_policies import SpeedPolicy
from mfgsolve.watch import over

__all__ = ["ProximalPoint"]

SHARE = 0.1  # of the scale of all costs, which the first eps makes it cost to be as fast again
ROUND = 1e-15  # relative exploitability of an inner game that no line search improves
NEAR = 1e-8  # relative exploitability of the game itself, below which inner games are polished
POLISH, LIMIT = 3, 100  # full steps of Newton's method, and iterations of the linear solve in each
PROGRESS = 0.1  # the share by which the least exploitability must fall to count
LOST = 10.0  # times the least exploitability, from where the outer iteration goes back to the best plan
STIFFER = 4.0  # factor on eps when it does


@dataclass
class ProximalState(State):
    """The newest plan, its crowd, and the best so far."""

    replaced = True

    game: Game
    speeds: np.ndarray = field(metadata=STORED)  # (T, moves, cells)
    crowd: np.ndarray = field(metadata=STORED)
    best: np.ndarray = field(metadata=STORED)
    stiffness: float = field(metadata=STORED)
    least: float = field(default=math.inf, metadata=STORED)  # relative exploitability of the best
    idle: int = field(default=0, metadata=STORED)  # outer iterations since it fell

    def policy(self, speeds: np.ndarray) -> SpeedPolicy:
        """Speeds as a policy of the game."""
        step: Any = self.game.step
        return SpeedPolicy(speeds.reshape(self.game.steps, -1, *step.shape))


@dataclass(frozen=True)
class ProximalPoint(Solver):
    """Proximal points of the cost of moving, each by Newton's method; for diffusions whose moving costs something else
    than c |a|^2 / 2.

    The history shows the best plan so far, which is also the one returned.

    Parameters
    ----------
    warm_up : sweeps of Frank-Wolfe (fictitious play where there is no potential) that make the first plan; more where
        at their rate twice as many would get there
    quick : sweeps of an inner game up to which eps falls
    falling : factor on eps then
    accuracy : of an inner game, relative to the exploitability before
    inner : most steps of Newton's method for one of them
    patience : outer iterations without progress after which the solve has stalled
    """

    warm_up: int = 20
    quick: int = 300
    falling: float = 0.4
    accuracy: float = 1e-3
    inner: int = 12
    patience: int = 8

    name = "proximal-point"
    source = (
        "Rockafellar, Monotone operators and the proximal point algorithm, doi:10.1137/0314056; Briceno-Arias, Kalise "
        "and Silva, Proximal methods for stationary mean field games with local couplings, arXiv:1608.07701"
    )
    needs = (STEEP, FINAL_TIME, SOFT, SLOPES)

    def __post_init__(self) -> None:
        for name, least in (("warm_up", 0), ("quick", 1), ("inner", 1), ("patience", 1)):
            if whole(getattr(self, name), f"{name} of proximal points") < least:
                raise InputError(f"{name} of proximal points is {getattr(self, name)}; at least {least} is needed")
        for name in ("falling", "accuracy"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name} of proximal points is {getattr(self, name)}; between 0 and 1 is needed")

    def init(self, game: Game, tol: float, start: Guess | None = None) -> ProximalState:
        mean = FrankWolfe() if game.is_potential else FictitiousPlay()
        warm = mean.init(game, tol, start)
        count = self.warm_up if start is None else self.warm_up // 4
        past: list[float] = []
        while len(past) < count or _quick(past, tol, self.warm_up):
            past.append(abs(warm.measure.relative_exploitability))
            if warm.stalled or not past[-1] > tol or over():
                break
            warm = mean.step(warm)
        plan = mean.finish(warm)
        step: Any = game.step
        speeds = step.speed(plan.policy, slice(0, game.steps)).reshape(game.steps, step.mesh.moves, -1)
        state = ProximalState(0, warm.sweeps, UNMEASURED, game, speeds, plan.crowd, speeds, 1.0)
        found = self._measured(state)
        mass = plan.crowd[:-1].reshape(game.steps, -1)
        slowest = (min(axis.smallest for axis in step.space.axes) / game.time.horizon) ** 2  # a cell
        square = max(float((mass * (speeds**2).sum(axis=1)).sum() / mass.sum()), slowest)
        state.stiffness = max(SHARE * found.scale / (square * game.time.horizon), 1e-300)
        return state

    def revive(self, game: Game, tol: float, stored: Stored) -> ProximalState:
        return ProximalState(0, 0.0, UNMEASURED, game, **stored.of(ProximalState))

    def step(self, state: ProximalState) -> ProximalState:
        """One proximal point, on a copy: an exception leaves the given state whole."""
        state = copy.copy(state)
        state.iteration += 1
        speeds, crowd, sweeps, solved = self._point(state)
        state.speeds, state.crowd = speeds, crowd
        found = self._measured(state)
        if not found.relative_exploitability <= LOST * state.least:
            state.stiffness *= STIFFER
            state.speeds, state.crowd = state.best, state.game.follow(state.policy(state.best))
        elif solved and sweeps <= self.quick:
            state.stiffness *= self.falling
        state.stalled = state.idle >= self.patience
        return state

    def _point(self, state: ProximalState) -> tuple[np.ndarray, np.ndarray, float, bool]:
        """Speeds and crowd of the game in which leaving the former speeds costs something, the sweeps that Newton's
        line searches took, and whether they got there."""
        game: Any = state.game
        step = ProximalStep(game.step, state.speeds, state.stiffness)
        inner, newton, begun = game.in_steps_of(step), Newton(coarse_grids=False), state.crowd.copy()
        target = max(self.accuracy * state.least, ROUND)
        stage = newton.init(inner, target, lambda _: begun)
        for _ in range(self.inner):
            if abs(stage.certificate.relative_exploitability) <= target or stage.stalled:
                break
            stage = newton.step(stage)
        solved = abs(stage.certificate.relative_exploitability) <= max(target, 1e2 * ROUND)
        state.sweeps += stage.sweeps
        if not solved:
            plan: Any = newton.finish(stage)
            return step.all_speeds(plan.policy.policy), plan.crowd, stage.sweeps, False
        policy, crowd, sweeps = stage.policy, stage.crowd, stage.sweeps
        if state.least <= NEAR and not game.is_smooth and stage.averse and game.stated.is_local:
            policy, crowd, more = _polished(inner, stage.believed, policy, crowd)
            state.sweeps += more
        return step.all_speeds(policy), crowd, sweeps, True

    def _measured(self, state: ProximalState) -> Any:
        """The certificate of the newest plan, noted if it is the best so far.  Half a sweep."""
        found = certify(state.game, state.policy(state.speeds), state.crowd)
        state.sweeps += 0.5
        now = abs(found.relative_exploitability)
        state.idle = 0 if now < (1.0 - PROGRESS) * state.least else state.idle + 1
        if now < state.least or not math.isfinite(now):
            state.least, state.best = now, state.speeds
            state.note(found, state.game.cell_steps)
        else:
            state.measure = replace(state.measure, iteration=state.iteration, sweeps=state.sweeps)
        return found

    def finish(self, state: ProximalState) -> Outcome:
        policy = state.policy(state.best)
        return Outcome(state.game, policy, state.game.follow(policy), sweeps=state.sweeps)


def _quick(past: list[float], tol: float, count: int) -> bool:
    """Whether exploitabilities fall so fast that twice ``count`` more sweeps reach the tolerance, as the last ``count``
    show."""
    if len(past) < count or count < 2 or not 0 < past[-1] < past[-count]:
        return False
    rate = math.log(past[-count] / past[-1]) / (count - 1)
    return math.log(past[-1] / tol) <= 2.0 * count * rate if tol > 0 else False


def _polished(
    game: Game, believed: np.ndarray, policy: np.ndarray, crowd: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Full steps of Newton's method while the answer comes nearer to the belief; policy, crowd and sweeps."""
    sweeps, error = 0.0, float(np.abs(crowd - believed).sum())
    work = [np.empty_like(crowd) for _ in range(4)]
    for _ in range(POLISH):
        scale = game.slope(believed, np.empty_like(crowd))
        np.subtract(crowd, believed, out=work[1])
        system = Linearisation(game, policy, crowd, believed, scale)
        sweeps += conjugate_gradient(system, Vectors(*work), 1e-3, LIMIT)
        belief = game.clip(believed + work[0])
        answer = game.respond(game.price(belief), crowd=belief).policy
        flow = game.flow(answer)
        sweeps += 1.0
        now = float(np.abs(flow - belief).sum())
        if not now < 0.5 * error:
            break
        believed, policy, crowd, error = belief, answer, flow, now
    return policy, crowd, sweeps
