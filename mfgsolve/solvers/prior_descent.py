"""Prior descent: solve the game tethered to a prior policy, make the policy reached the prior, repeat.

    inner:  pi = argmin own + crowd cost + eta sum_t <m_t, KL(pi_t | prior_t)>,    m = crowd of pi    (a fixed point)
    outer:  prior <- pi

With a backward pass, pi_t(a | x) is proportional to prior_t(a | x) exp(-q_t(x, a) / eta) with q the soft cost-to-go of
the tethered game.  At a high eta nobody leaves the prior, and the inner iterations contract whatever the crowd does to
costs and transitions; a fixed point of the outer ones is an equilibrium at any eta, which need not become small.

Here the inner fixed point is accelerated (Anderson's mixing), and eta adapts: down where few inner iterations do,
up where many do not.  Games that are not monotone may push the priors away from an equilibrium that they came close
to: the policy with the least exploitability is kept, gone back to, and in the end returned.

Source: Cui and Koeppl, arXiv:2102.01585 (prior descent); Anderson, doi:10.1145/321296.321305; Walker and Ni,
doi:10.1137/10078356X (mixing).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.solvers.base import UNMEASURED, Guess, Measure, Outcome, Solver, State
from mfgsolve.solvers.cooling import heat
from mfgsolve.solvers.needs import SOFT, TABLES
from mfgsolve.solvers.stored import STORED, Stored

__all__ = ["PriorDescent"]

TINY = 1e-300  # stands for a probability of 0 in a prior, so that an action can come back
COOLING, HEATING = 0.7, 2.0  # of the temperature, after an inner solve that was quick, or that did not contract
RESTART = 0.3  # of the temperature at the best policy, where the priors went astray from it
COLDEST = 1e-3  # times the heat of the game: from there on the priors settle fast, and round-off is amplified
HOTTEST = 1e6  # times the heat: where the inner iterations do not contract, they never do
PROGRESS = 0.01  # the share of itself by which the least exploitability must fall to count
ROUND = 1e-15  # change of a crowd that is as good as none
DEPENDENT = 1e-10  # singular values of the mixing below this share are round-off


@dataclass
class PriorState(State):
    """The prior, its crowd, and the best policy so far."""

    replaced = True

    game: Game
    prior: np.ndarray = field(metadata=STORED)
    crowd: np.ndarray
    best: np.ndarray = field(metadata=STORED)
    temperature: float = field(metadata=STORED)
    best_temperature: float = field(metadata=STORED)
    heat: float = field(metadata=STORED)  # the largest difference that an action makes at the start
    least: float = field(default=math.inf, metadata=STORED)  # exploitability of the best
    idle: int = field(default=0, metadata=STORED)  # outer iterations since it fell
    returns: int = field(default=0, metadata=STORED)


@dataclass(frozen=True)
class PriorDescent(Solver):
    """Prior descent; for any finite game without hard bounds: needs no potential, no monotonicity, no derivative, and
    the crowd may decide the transitions.

    The history shows the best policy so far, which is also the one returned.

    Parameters
    ----------
    temperature : eta to start at, in cost per unit time; 0 takes the largest difference that an action makes
    adapt : whether eta changes; False keeps it, as in the paper, and an inner solve that does not contract is taken as
        it is
    inner : most inner iterations, a sweep each, for one prior
    quick : inner iterations that count as few: after n <= quick of them eta falls by 0.7^(quick / n), down to a
        thousandth of the largest difference that an action makes; after ``inner`` in vain it is doubled
    accuracy : of an inner fixed point: crowd of the policy against the crowd believed, as a share of how far the crowd
        has come from that of the prior
    memory : crowds that are mixed; 1 is plain iteration, as in the paper
    patience : outer iterations without progress after which the solver goes back to the best policy, at a third of the
        temperature that it was found at
    returns : how many times in all; then the solve has stalled
    """

    temperature: float = 0.0
    adapt: bool = True
    inner: int = 40
    quick: int = 15
    accuracy: float = 3e-2
    memory: int = 10
    patience: int = 30
    returns: int = 2

    name = "prior-descent"
    source = (
        "Cui and Koeppl, Approximately solving mean field games via entropy-regularized deep reinforcement learning, "
        "arXiv:2102.01585; Walker and Ni, Anderson acceleration for fixed-point iterations, doi:10.1137/10078356X"
    )
    needs = (TABLES, SOFT)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise InputError(
                f"temperature of prior descent is {self.temperature}; zero (choose for me) or more is needed"
            )
        if not 0 < self.accuracy < 1:
            raise InputError(f"accuracy of prior descent is {self.accuracy}; a share between 0 and 1 is needed")
        for name, least in (("inner", 1), ("quick", 0), ("memory", 1), ("patience", 1), ("returns", 0)):
            value = getattr(self, name)
            if not value >= least or int(value) != value:
                raise InputError(f"{name} of prior descent is {value}; a whole number of at least {least} is needed")

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PriorState:
        hot = heat(game) or 1.0
        temperature, prior = self.temperature or hot, game.step.uniform()
        believed = game.resting_crowd(game.empty_crowd()) if start is None else start(game)
        price = game.price(believed)
        sharp = game.respond(price, crowd=believed).policy
        if abs(certify(game, game.policy_of(sharp), game.flow(sharp)).relative_exploitability) <= tol:
            prior = sharp  # a game in which the crowd matters so little needs no priors
        elif start is not None:  # what agents do against that crowd, if they still try everything
            prior = _tethered(game, RESTART * temperature, prior).respond(price, crowd=believed).policy
        crowd = game.flow(prior)
        state = PriorState(0, 0.0, UNMEASURED, game, prior, crowd, prior, temperature, temperature, hot)
        state.sweeps = 5.0 if start is None else 5.5  # of the heat, the sharp response, the prior
        return self._measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PriorState:
        values = stored.of(PriorState)
        return PriorState(0, 0.0, UNMEASURED, game, crowd=game.flow(values["prior"]), **values)

    def step(self, state: PriorState) -> PriorState:
        state.iteration += 1
        policy, crowd, count, settled = self._settle(state)
        state.sweeps += count
        if self.adapt and not settled:
            state.temperature *= HEATING
            state.stalled = state.temperature > HOTTEST * state.heat
            _again(state)
            return state
        state.prior, state.crowd = policy, crowd
        self._measured(state)
        if self.adapt and count <= self.quick:
            state.temperature = max(COOLING ** (self.quick / count) * state.temperature, COLDEST * state.heat)
        if state.idle >= self.patience:
            self._go_back(state)
        return state

    def _settle(self, state: PriorState) -> tuple[np.ndarray, np.ndarray, int, bool]:
        """Policy and crowd of the game tethered to the prior, the sweeps it took, and whether it settled.

        The crowd believed is what is mixed; the crowd returned is that of the policy returned.
        """
        game, believed = state.game, state.crowd
        tethered, mixing = _tethered(game, state.temperature, state.prior), Mixing(self.memory)
        for count in range(1, self.inner + 1):
            policy = tethered.respond(game.price(believed), crowd=believed).policy
            crowd = game.flow(policy)
            error, change = _distance(crowd, believed), _distance(crowd, state.crowd)
            if not math.isfinite(error):
                return policy, crowd, count, False
            if error <= max(self.accuracy * change, ROUND):
                return policy, crowd, count, True
            believed = game.clip(mixing.next(believed, crowd))
        return policy, crowd, count, False

    def _measured(self, state: PriorState) -> PriorState:
        """Certificate of the prior, noted if it is the best so far.  Half a sweep."""
        result = certify(state.game, state.game.policy_of(state.prior), state.crowd)
        state.sweeps += 0.5
        gap, least = result.exploitability, state.least
        state.idle = 0 if gap < least - PROGRESS * abs(least) or math.isinf(least) else state.idle + 1
        if gap < least:
            state.least, state.best, state.best_temperature = gap, state.prior, state.temperature
        if gap < least or not math.isfinite(gap):
            state.note(result, state.game.cell_steps)
        else:
            _again(state)
        return state

    def _go_back(self, state: PriorState) -> None:
        """To the best policy so far; when that was in vain as often as is allowed, the solve has stalled."""
        state.stalled = state.returns >= self.returns
        state.returns += 1
        state.idle, state.temperature = 0, RESTART * state.best_temperature if self.adapt else state.temperature
        state.prior, state.crowd = state.best, state.game.flow(state.best)

    def finish(self, state: PriorState) -> Outcome:
        game = state.game
        return Outcome(game, game.policy_of(state.best), game.flow(state.best), sweeps=state.sweeps)


class Mixing:
    """Anderson's mixing: the affine combination of the last few iterates whose residuals combine to the least one."""

    def __init__(self, memory: int):
        self.memory = memory
        self.points: list[np.ndarray] = []
        self.residuals: list[np.ndarray] = []

    def next(self, point: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Where to go from a point with that image."""
        self.points = [*self.points, point.reshape(-1)][-self.memory :]
        self.residuals = [*self.residuals, (image - point).reshape(-1)][-self.memory :]
        if len(self.points) < 2:
            return image.copy()
        steps, turns = np.diff(self.points, axis=0), np.diff(self.residuals, axis=0)
        share = np.linalg.lstsq(turns.T, self.residuals[-1], rcond=DEPENDENT)[0]
        return image - (share @ (steps + turns)).reshape(point.shape)


def _distance(one: np.ndarray, two: np.ndarray) -> float:
    """Largest mass that differs at any time (and, where couplings see them, of choices and prices)."""
    return float(np.abs(one - two).sum(axis=1).max())


def _again(state: PriorState) -> None:
    """The last measure stands, after more work."""
    last = {name: getattr(state.measure, name) for name in Measure.__dataclass_fields__}
    state.measure = Measure(**last | {"iteration": state.iteration, "sweeps": state.sweeps})


def _tethered(game: Game, temperature: float, prior: np.ndarray) -> Game:
    """The game in which leaving the prior costs temperature KL(pi | prior) per unit time besides.

    tau log pi + eta log(pi / prior) is a higher temperature, tau + eta, and an own cost -eta log prior.
    """
    eta = game.step.entropy_costs(temperature)
    pull = np.where(game.step.allowed, -eta[:, None, None] * np.log(np.maximum(prior, TINY)), 0.0)
    return game.with_costs(game.step.own_cost + pull, game.step.entropy_cost + eta)
