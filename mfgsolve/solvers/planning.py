"""Newton's method for a crowd whose final density is given, or capped: the unknown beside the belief is a price.

Agents believe the crowd to be mb and pay f(mb) and, at the end, a terminal price g that nobody has stated.  Their
answer is the flow M(f(mb), g); the plan is the belief that comes true and the price that leads to the target,

    M - mb = 0,        M_T - target = 0       (of a cap: M_T <= cap, g >= 0, and g = 0 where it does not bind).

Both are the zero of the gradient of a concave dual in (mb, g) of crowd-averse games,

    D = <m_0, V_0> - sum weight F*(f(mb)) - <target, g>,

which Newton's method climbs: with K = d mass / d (weighted price) and B = weight f'(mb), a step solves

    (I - K B~) x = (M - mb, M_T - target),     B~ = B, and at the end C = stiffness / max(M_T, target),
    mb <- max(mb + a x, 0),   g <- g + a C x_T

by conjugate gradients in the inner product with B~.  The identity that stands at the end, too, where the true system
has nothing, is that of a proximal step on the price (the method of multipliers): no price changes by more than about
the stiffness where nobody is yet, which grows as long as full steps climb, until it is Newton's own step.  The inner
product by C is the one in which K is well conditioned: agents at a temperature move the logarithm of their mass.  Where
Newton's full step does not climb, a step of Sinkhorn's iteration, g <- g + entropy log(M_T / target), mends the tails;
where both stay far off, the game is begun hotter and cooled.

Sources: Achdou, Camilli and Capuzzo-Dolcetta, doi:10.1137/100790069; Rockafellar, doi:10.1287/moor.1.2.97.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import numpy as np

from mfgsolve.certificates import Certificate, certify
from mfgsolve.games import Game
from mfgsolve.games.speeds import led_speed
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.cooling import heat
from mfgsolve.solvers.ends import check_end
from mfgsolve.solvers.krylov import Linearisation, Vectors, conjugate_gradient, minimal_residual
from mfgsolve.solvers.needs import BOUND_AT_END, DERIVATIVE, SMOOTH, UNCOUPLED, WARM
from mfgsolve.solvers.stored import STORED, Stored

__all__ = ["Planning"]

WARM_UP = 4  # sweeps of fictitious play, while no price is paid at the end
FIRST, MOST = 4.0, 1e9  # stiffness of the first step, and of any, in units of the entropy that an answer shows
GROWTH = 4.0  # of the stiffness after a full step
ROUND = 64 * np.finfo(float).eps  # share of the largest term of a sum below which its changes are round-off
SHORT = 4.0  # e-folds of a step by logarithms where the crowd answers to its own price, too
TINY = 1e-18  # share of the mean density that is nobody
PATIENCE, STANDING = 40, 6  # steps without a better certificate that end the solve; how many one counts for that does
EARLY, FAR = 12, 0.1  # and those after which one that is still so far off is begun from hot to cold
COOLING, ROUGH = 4.0, 0.03  # factor from one heat to the next, and the score at which it is taken
HOT = 0.5  # share of what moving costs that the entropy of the hottest game is
CLIMB = 1e-4  # not climb either: by this share of the largest term of the dual


@dataclass
class PlanningState(State):
    """A belief, a price at the end, and the answer to both; in the game itself, or in a hotter one."""

    final: Game
    game: Game
    tol: float
    believed: np.ndarray = field(metadata=STORED)
    final_price: np.ndarray = field(metadata=STORED)  # g (cells), paid once, discounted
    stiffness: float = field(default=0.0, metadata=STORED)
    idle: int = field(default=0, metadata=STORED)
    heat: float = field(default=1.0, metadata=STORED)  # of the game, 1 is its own
    heated: bool = field(default=False, metadata=STORED)  # whether it has been tried from hot to cold
    least: float = field(default=math.inf, metadata=STORED)  # of the scores in this game
    best: float = field(default=math.inf, metadata=STORED)
    best_policy: np.ndarray | None = field(default=None, metadata=STORED)
    best_crowd: np.ndarray | None = field(default=None, metadata=STORED)
    best_price: np.ndarray | None = field(default=None, metadata=STORED)
    best_dual: float = field(default=math.nan, metadata=STORED)
    policy: np.ndarray = field(default_factory=lambda: np.empty(0))
    crowd: np.ndarray = field(default_factory=lambda: np.empty(0))
    dual: float = math.nan
    size: float = math.nan  # of the largest term that the dual is the sum of
    certificate: Certificate = field(init=False)

    replaced = True
    mended = True

    @property
    def limit(self) -> np.ndarray:
        """Mass (cells) that is to be reached at the end, or not exceeded; infinite where neither."""
        block = self.game.terminal_block
        assert block is not None
        bounds = block.bound.bounds(slice(0, 1))
        assert bounds is not None
        return np.asarray((np.broadcast_to(bounds[1], (1, *block.shape)) * block.volumes).reshape(-1))

    @property
    def averse(self) -> bool:
        """Whether the dual is concave and there to be climbed."""
        return self.game.is_potential and self.game.is_monotone

    def multiplier(self, price: np.ndarray) -> np.ndarray:
        """The price at the end in the shape of a price of all levels, per unit of weight."""
        result = np.zeros(self.believed.shape)
        self.game.flat(result)[-1, : self.game.cells] = price / self.game.weights[-1]
        return result


@dataclass(frozen=True)
class Planning(Solver):
    """Newton-Krylov on belief and terminal price; the default where the final density is given and best responses are
    smooth.

    Parameters
    ----------
    loosest : largest tolerance of a linear solve, relative
    linear_limit : most iterations of one linear solve
    shortest : step length below which the line search gives up
    """

    loosest: float = 0.1
    linear_limit: int = 300
    shortest: float = 1e-3

    name = "planning"
    source = (
        "Achdou, Camilli and Capuzzo-Dolcetta, Mean field games: numerical methods for the planning problem, "
        "doi:10.1137/100790069; Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in "
        "convex programming, doi:10.1287/moor.1.2.97"
    )
    needs = (BOUND_AT_END, UNCOUPLED, WARM, SMOOTH, DERIVATIVE)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PlanningState:
        check_end(game)
        believed = game.resting_crowd(game.empty_crowd()) if start is None else start(game)
        state = PlanningState(0, 0.0, UNMEASURED, game, game, tol, believed, np.zeros(game.cells))
        state.crowd = believed
        for k in range(WARM_UP if start is None else 0):
            _respond(state)
            _flow(state)
            state.believed = state.believed + 2 / (k + 2) * (state.crowd - state.believed)
        if game.final_mass is not None:
            here = game.flat(state.crowd)[-1, : game.cells]
            state.believed = _at_the_end(game, state.believed, state.limit, _active(state, here, state.limit))
        _respond(state)
        _flow(state)
        state.stiffness = FIRST * _entropy(state)
        return _measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PlanningState:
        values = stored.of(PlanningState)
        at = hotter(game, values["heat"])
        state = PlanningState(0, 0.0, UNMEASURED, game, at, tol, values["believed"], values["final_price"])
        for name, value in values.items():
            setattr(state, name, value)
        kept = {name: getattr(state, name) for name in values}
        _respond(state)
        _flow(state)
        _measured(state)
        for name, value in kept.items():
            setattr(state, name, value)
        return state

    def step(self, state: PlanningState) -> PlanningState:
        state = copy.copy(state)
        state.iteration += 1
        if state.heat > 1.0 and (state.least <= ROUGH or state.idle >= PATIENCE):
            return _in_heat(state, max(1.0, state.heat / COOLING))
        if state.idle >= EARLY and state.best > FAR and not state.heated and (times := _first_heat(state)) > 1.0:
            state.believed, state.final_price = state.final.crowd_of(_rest(state)), np.zeros(state.final.cells)
            state.heated = True
            return _in_heat(state, times)
        before, dual = state.least, state.dual
        change, steps, active = self._direction(state)
        length = self._line_search(state, change, steps, active)
        if length == 1.0:
            state.stiffness = min(state.stiffness * GROWTH, MOST * _entropy(state))
        elif length < 0.5:
            state.stiffness /= GROWTH
        if length < 1.0 and self._by_logarithms(state) > 0.0:
            length = max(length, self.shortest)
        if length > 0:
            _measured(state)
        else:
            state.note(state.certificate, state.game.cell_steps, state.heat == 1.0)
        climbs = state.averse and state.dual - dual > CLIMB * state.size
        state.idle = 0 if state.least < 0.9 * before else state.idle + (1 if climbs else STANDING)
        state.stalled = state.idle >= PATIENCE and state.heat == 1.0
        return state

    def finish(self, state: PlanningState) -> Outcome:
        assert state.best_policy is not None
        assert state.best_crowd is not None
        assert state.best_price is not None
        return Outcome(
            state.final, state.final.policy_of(state.best_policy), state.best_crowd, state.best_dual, state.sweeps,
            state.multiplier(state.best_price),
        )  # fmt: skip

    # -- one step ----------------------------------------------------------------------------------------------

    def _direction(self, state: PlanningState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Change of the belief (shape of a crowd) and of the price (cells), of the whole step, and where it binds."""
        game, cells = state.game, state.game.cells
        residual = state.crowd - state.believed
        here, limit, last = game.flat(state.crowd)[-1, :cells], state.limit, game.flat(residual)[-1, :cells]
        active = _active(state, here, limit)
        np.copyto(last, np.subtract(here, limit, out=np.zeros(cells), where=active), where=active)
        reference = np.maximum(here, np.where(active, limit, 0.0)) + TINY / cells
        rate = np.where(active, state.stiffness / reference, 0.0)
        believed = np.maximum(state.believed, state.crowd) if _steep(game) else state.believed
        scale = game.slope(believed)
        if scale is not None:
            scale = np.array(scale)
            np.copyto(game.flat(scale)[-1, :cells], rate, where=active)
        system = _System(game, state.policy, state.crowd, believed, scale, rate=rate, active=active)
        distance = max(state.least, 1e-16) if state.least < math.inf else 1.0
        tol = min(self.loosest, max(math.sqrt(distance) * self.loosest, 1e-8))
        if state.averse:
            change, spare = np.empty_like(residual), [np.empty_like(residual) for _ in range(4)]
            uses = conjugate_gradient(system, Vectors(change, residual, *spare[:2]), tol, self.linear_limit, spare[2:])
        else:
            change, uses = minimal_residual(system, residual, tol, self.linear_limit)
        state.sweeps += uses
        tail = game.flat(change)[-1, :cells]
        steps = np.where(active, rate * tail, 0.0)
        np.copyto(tail, 0.0, where=active)
        return change, steps, active

    def _by_logarithms(self, state: PlanningState) -> float:
        """A step of Sinkhorn's kind, g <- g + a entropy log(m_T / target): it mends tails of the crowd, where Newton's
        model of an exponential fails, cell by cell; the length a that climbs, or 0."""
        game, limit = state.game, state.limit
        here = game.flat(state.crowd)[-1, : game.cells]
        active, nobody = _active(state, here, limit), TINY / game.cells
        ratio = np.zeros(game.cells)
        np.log(np.divide(here + nobody, limit + nobody, out=np.ones_like(here), where=active), out=ratio)
        if not state.averse:
            return 0.0
        if not game.stated.couplings[0].is_constant:  # else it is Sinkhorn's own, and right however far
            ratio = np.clip(ratio, -SHORT, SHORT)
        return self._line_search(state, np.zeros_like(state.believed), _entropy(state) * ratio, active, 0.25)

    def _line_search(
        self, state: PlanningState, change: np.ndarray, steps: np.ndarray, active: np.ndarray, shortest: float = 0.0
    ) -> float:
        """Take the first of a = 1, 1/2, 1/4, ... that does not lower the dual (or the residual of a game without); 0
        where none of them does."""
        game, length, slack = state.game, 1.0, ROUND * state.size
        while length >= max(self.shortest, shortest):
            trial = copy.copy(state)
            trial.believed = _at_the_end(game, game.clip(state.believed + length * change), state.limit, active)
            trial.final_price = state.final_price + length * steps
            if game.final_mass is None:
                trial.final_price = np.maximum(trial.final_price, 0.0)
            _respond(trial)
            state.sweeps = trial.sweeps
            if math.isfinite(trial.dual) and (not state.averse or trial.dual >= state.dual - slack):
                _flow(trial)
                state.sweeps = trial.sweeps
                if state.averse or _residual(trial) < _residual(state):
                    state.__dict__.update(trial.__dict__)
                    return length
            length /= 2
        return 0.0


@dataclass
class _System(Linearisation):
    """With the proximal term of the price in the place of a slope, where the end binds."""

    rate: np.ndarray = field(default_factory=lambda: np.empty(0))
    active: np.ndarray = field(default_factory=lambda: np.empty(0))

    def weigh(self, vector: np.ndarray, out: np.ndarray) -> np.ndarray:
        super().weigh(vector, out)
        cells = self.game.cells
        np.copyto(self.game.flat(out)[-1, :cells], self.rate * self.game.flat(vector)[-1, :cells], where=self.active)
        return out


def _active(state: PlanningState, here: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Where the density at the end is given, or a cap binds."""
    if state.game.final_mass is not None:
        return ~state.game.grid.mask.reshape(-1)
    return np.isfinite(limit) & ((here > limit) | (state.final_price > 0.0)) & ~state.game.grid.mask.reshape(-1)


def _at_the_end(game: Game, believed: np.ndarray, limit: np.ndarray, active: np.ndarray) -> np.ndarray:
    """The belief with the mass at the end that it has to be, where that binds."""
    np.copyto(game.flat(believed)[-1, : game.cells], limit, where=active)
    return believed


def _steep(game: Game) -> bool:
    return any(coupling.is_steep for coupling in game.stated.couplings)


def _respond(state: PlanningState) -> None:
    """Policy and dual value of belief and price.  Half a sweep."""
    game, believed = state.game, state.believed
    price = game.empty_crowd()
    potential = game.price_and_potential(believed, price)
    paid, _, size = game.crowd_totals(price, believed)
    price += state.multiplier(state.final_price)
    response = game.respond(price, crowd=believed)
    state.policy, value = response.policy, response.mean_value
    limit = state.limit
    asked = float(np.multiply(state.final_price, limit, out=np.zeros_like(limit), where=state.final_price != 0).sum())
    state.dual = value - paid - asked + (potential if game.is_potential else 0.0)
    state.size = abs(value) + size + abs(asked) + (abs(potential) if game.is_potential else 0.0)
    state.sweeps += 0.5


def _flow(state: PlanningState) -> None:
    """Flow of the policy.  Half a sweep."""
    state.crowd = state.game.flow(state.policy)
    state.sweeps += 0.5


def _residual(state: PlanningState) -> float:
    """How far the belief is from coming true, and the end from where it is to be."""
    game, cells = state.game, state.game.cells
    gap, limit = np.abs(state.crowd - state.believed), state.limit
    here, last = game.flat(state.crowd)[-1, :cells], game.flat(gap)[-1, :cells]
    active = _active(state, here, limit)
    np.copyto(last, np.abs(np.subtract(here, limit, out=np.zeros(cells), where=active)), where=active)
    return float(gap.sum())


def hotter(game: Game, times: float) -> Game:
    """The same game with so many times the temperature, or the viscosity of entropic steps."""
    if times == 1.0:
        return game
    if game.step.has_temperature:
        return game.at_temperature(times * game.temperature)
    return game.in_steps_of(game.step.noisier(times))  # type: ignore[attr-defined]


def _first_heat(state: PlanningState) -> float:
    """How many times hotter a game is in which a price that leads the crowd along is of a few units of entropy."""
    game = state.final
    if game.step.has_temperature:
        return COOLING ** math.ceil(math.log(max(heat(game) / game.temperature, 1.0), COOLING))
    if not game.step.is_entropic:
        return 1.0
    entropy = float(game.step.entropy[0])  # type: ignore[attr-defined]
    led = 0.5 * game.step.control_cost * led_speed(game) ** 2 * game.time.horizon  # type: ignore[attr-defined]
    return COOLING ** math.ceil(math.log(max(HOT * led / entropy, 1.0), COOLING))


def _in_heat(state: PlanningState, times: float) -> PlanningState:
    """The same belief and price in a game of another heat."""
    state.heat, state.game = times, hotter(state.final, times)
    state.idle, state.least = 0, math.inf
    _respond(state)
    _flow(state)
    state.stiffness = FIRST * _entropy(state)
    return _measured(state)


def _rest(state: PlanningState) -> np.ndarray:
    """The crowd that stays where it starts, (T+1, *shape)."""
    game = state.final
    return game.mass(game.resting_crowd(game.empty_crowd()))


def _entropy(state: PlanningState) -> float:
    """What a logarithm of mass costs at the end: the ratio of a price, checkered over the cells, to the change of
    log m_T that it makes."""
    game, cells = state.game, state.game.cells
    sign = np.where(np.arange(cells) * 0.6180339887498949 % 1.0 < 0.5, 1.0, -1.0) * ~game.grid.mask.reshape(-1)
    change = np.zeros(state.crowd.shape)
    game.flat(change)[-1, :cells] = sign
    moved = game.curvature(state.policy, state.crowd, change, identity=0.0)  # - K sign
    state.sweeps += 1
    answer = float((sign * game.flat(moved)[-1, :cells]).sum())
    return 1.0 / answer if answer > 0 else 1.0


def _measured(state: PlanningState) -> PlanningState:
    """Enter the certificate of the answer as the measure of this iteration, and keep the best.  Half a sweep."""
    game = state.game
    result = certify(
        game, game.policy_of(state.policy), state.crowd, state.dual, multiplier=state.multiplier(state.final_price)
    )
    state.sweeps += 0.5
    state.certificate = result
    state.note(result, game.cell_steps, state.heat == 1.0)
    distance = 0.0 if math.isnan(result.final_distance) else result.final_distance
    score = max(abs(result.relative_exploitability), result.violation, distance)
    state.least = min(state.least, score)
    if state.heat == 1.0 and not score >= state.best:
        state.best, state.best_policy, state.best_crowd = score, state.policy, state.crowd
        state.best_price, state.best_dual = state.final_price, state.dual
    return state
