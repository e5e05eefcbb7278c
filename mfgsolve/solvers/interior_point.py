"""Primal-dual interior point for sharp finite games with a potential: the optimum of a convex programme, hard bounds
included, in tens of steps.

    min sum_t <l_t, w_t> + sum_t weight_t F_t(crowd_t) + <g, m_T>   over w >= 0,
    sum_a w_t = m_t,  E m_{t+1} = P_t' w_t,  m_0 given,  lowest <= aggregates <= highest,  m <= cap

with E the inverse of the implicit noise.  With multipliers V (flow), lambda (sum of choices), p (prices) and z (w >= 0):

    z_t = l_t + weight_t f_w + P_t V_{t+1} + alpha p_t - lambda_t,   E' V_t = lambda_t + weight_t f_t + multiplier of the cap

and every product of a slack and its multiplier is driven to 0 along the central path  slack * multiplier = mu * barrier
by Mehrotra's predictor and corrector and a few of Gondzio's centrality corrections.  The barrier of a choice follows
the largest mass that can be in its state, so that cells which only a tail of the crowd can reach neither vanish from the
path nor hold it up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError, unknown
from mfgsolve.games import FiniteGame
from mfgsolve.games.tables import TablePolicy
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import UNMEASURED, Guess, Measure, Outcome, Solver, State
from mfgsolve.solvers.feasibility import Limits, check_limits, infeasibility
from mfgsolve.solvers.time_blocks import CholeskyBlocks, ConjugateGradients, FlowMaps, NewtonMatrix

__all__ = ["InteriorPoint"]

SYSTEMS = ("auto", "blocks", "conjugate-gradients")
TAIL = 0.15  # power of the largest possible mass in the barrier
PATIENCE = 12  # steps without a better certificate that end the solve
BACK = 0.995  # share of the way to the boundary

Arrays = dict[str, np.ndarray]
Lengths = tuple[float, float]  # of the steps of slacks and of multipliers
SEP = True
SCORE = 1
MIX = 0.0


@dataclass
class Pair:
    """Slacks and multipliers of one family of inequalities; ``barrier`` 0 marks entries that are none."""

    slack: np.ndarray
    dual: np.ndarray
    barrier: np.ndarray

    def __post_init__(self) -> None:
        self.live = self.barrier > 0
        self.slack = np.where(self.live, self.slack, 0.0)
        self.dual = np.where(self.live, self.dual, 0.0)

    def over(self, numerator: np.ndarray) -> np.ndarray:
        """numerator / slack, 0 where there is no inequality."""
        return np.divide(numerator, self.slack, out=np.zeros_like(self.slack), where=self.live)

    def longest(self, slack: np.ndarray, dual: np.ndarray) -> tuple[float, float]:
        """Longest steps up to 1 that keep the slacks, and the multipliers, positive."""
        lengths = []
        for value, change in ((self.slack, slack), (self.dual, dual)):
            down = self.live & (change < 0)
            lengths.append(min(1.0, float((value[down] / -change[down]).min())) if down.any() else 1.0)
        return lengths[0], lengths[1]


@dataclass
class Direction:
    """Changes of everything along one Newton direction."""

    slack: Arrays
    dual: Arrays
    value: np.ndarray
    level: np.ndarray
    price: np.ndarray
    unknowns: np.ndarray

    def toward(self, other: Direction, share: float) -> Direction:
        """self + share (other - self)."""

        def mix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return a + share * (b - a)

        slack = {name: mix(self.slack[name], other.slack[name]) for name in self.slack}
        dual = {name: mix(self.dual[name], other.dual[name]) for name in self.dual}
        rest = (mix(getattr(self, k), getattr(other, k)) for k in ("value", "level", "price", "unknowns"))
        return Direction(slack, dual, *rest)


@dataclass(frozen=True)
class Best:
    """The best certified policy so far."""

    score: float
    iteration: int
    policy: np.ndarray
    crowd: np.ndarray
    multiplier: np.ndarray | None


@dataclass
class PathState(State):
    """A point near the central path, and the policy that it means."""

    game: FiniteGame
    maps: FlowMaps
    limits: Limits
    barrier: np.ndarray  # (T+1, states), sums to the number of populations at every node; 0 beyond reach
    pairs: dict[str, Pair]
    value: np.ndarray  # V (T+1, states), nothing at t = 0
    level: np.ndarray  # lambda (T+1, states)
    price: np.ndarray  # p (T, prices), times dt
    best: Best | None = None

    @property
    def reach(self) -> np.ndarray:
        return self.barrier > 0

    @property
    def mass(self) -> np.ndarray:
        """m (T+1, states)."""
        return np.concatenate([self.pairs["choice"].slack.sum(axis=1), self.pairs["end"].slack[None]])

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        arrays = {"value": self.value, "level": self.level, "price": self.price}
        for name, pair in self.pairs.items():
            arrays |= {f"{name}_slack": pair.slack, f"{name}_dual": pair.dual}
        best = self.best
        assert best is not None
        arrays |= {"best_policy": best.policy}
        if best.multiplier is not None:
            arrays["best_multiplier"] = best.multiplier
        return arrays, {"sweeps": self.sweeps, "best_score": best.score, "best_iteration": float(best.iteration)}


@dataclass(frozen=True)
class InteriorPoint(Solver):
    """Mehrotra's interior point on the occupations; the default for finite potential games at temperature 0.

    Parameters
    ----------
    system : how Newton systems are solved: "blocks" (Cholesky, block by block in time), "conjugate-gradients", or
        "auto", blocks where they fit in ``memory``
    memory : GiB that the blocks may take
    corrections : centrality corrections per step, each one more solve with the same factors
    accuracy : relative accuracy of conjugate gradients

    Sources: Mehrotra, doi:10.1137/0802028; Gondzio, doi:10.1007/BF00249643; Colombo and Gondzio,
    doi:10.1007/s10589-007-9106-0 (corrections that are weighted).
    """

    system: str = "auto"
    memory: float = 2.0
    corrections: int = 3
    accuracy: float = 1e-3

    name = "interior-point"

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise InputError(unknown("system", self.system, SYSTEMS))

    def refuses(self, problem: Problem) -> str | None:
        if not problem.is_finite:
            return "agents choose speeds, not from a list of actions"
        if problem.is_coupled:
            return "the crowd changes the transitions, so that flows are no convex set"
        if problem.temperature > 0:
            return "best responses are smooth at a temperature above 0"
        if not problem.is_potential:
            return "the game has no potential to minimise"
        if not problem.is_monotone:
            return "the potential is not convex"
        if not (problem.is_local and problem.is_differentiable):
            return "a coupling links several cells or has no derivative"
        return None

    # -- the protocol of solvers -------------------------------------------------------------------------------

    def init(self, problem: Problem, tol: float, start: Guess | None = None, threads: int | None = None) -> PathState:
        game = FiniteGame(problem, threads)
        limits = Limits.of(game)
        check_limits(game, limits)
        state = _first(game, limits, tol, None if start is None else start(game))
        return _measured(state)

    def unpack(
        self, problem: Problem, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float],
        measure: Measure, threads: int | None = None,
    ) -> PathState:  # fmt: skip
        game = FiniteGame(problem, threads)
        state = _first(game, Limits.of(game), tol, None)
        state.value, state.level, state.price = arrays["value"], arrays["level"], arrays["price"]
        for name, pair in state.pairs.items():
            pair.slack, pair.dual = arrays[f"{name}_slack"], arrays[f"{name}_dual"]
        state = _measured(state)
        state.iteration, state.sweeps, state.measure = measure.iteration, numbers["sweeps"], measure
        policy = arrays["best_policy"]
        before = numbers["best_score"], int(numbers["best_iteration"])
        state.best = Best(*before, policy, game.flow(policy), arrays.get("best_multiplier"))
        return state

    def step(self, state: PathState) -> PathState:
        state.iteration += 1
        newton = Newton(state, self._system(state.maps))
        try:
            newton.factor()
            direction, (primal, dual) = newton.direct(self.corrections)
        except np.linalg.LinAlgError:
            return _given_up(state)
        if not math.isfinite(primal * dual):
            return _given_up(state)
        for name, pair in state.pairs.items():
            pair.slack += primal * direction.slack[name]
            pair.dual += dual * direction.dual[name]
        state.value += dual * direction.value
        state.level += dual * direction.level
        state.price += dual * direction.price
        state.sweeps += newton.sweeps
        state = _measured(state)
        assert state.best is not None
        return _given_up(state) if state.iteration - state.best.iteration >= PATIENCE else state

    def finish(self, state: PathState) -> Outcome:
        best = state.best
        assert best is not None
        return Outcome(
            state.game, TablePolicy(best.policy), best.crowd, sweeps=state.sweeps, multiplier=best.multiplier
        )

    def _system(self, maps: FlowMaps) -> CholeskyBlocks | ConjugateGradients:
        fits = 8 * maps.steps * maps.width**2 <= self.memory * 2**30
        if self.system == "blocks" or (self.system == "auto" and fits):
            return CholeskyBlocks(maps)
        return ConjugateGradients(maps, self.accuracy)


# -- the first point ---------------------------------------------------------------------------------------------


def largest_mass(maps: FlowMaps) -> np.ndarray:
    """Mass (T+1, states) that no flow exceeds: every agent that can come, comes."""
    game, n = maps.game, maps.states
    most = np.zeros((maps.steps + 1, n))
    most[0] = game.initial_mass
    for t in range(maps.steps):
        table = maps.table(t)
        best = table[:n].multiply(game.allowed[0][:, None]).tocsr()
        for a in range(1, maps.actions):
            best = best.maximum(table[a * n : (a + 1) * n].multiply(game.allowed[a][:, None]).tocsr())
        came = best.T @ most[t]
        most[t + 1] = np.minimum(1.0, game.diffuse(came, True) if game.has_noise else came)
    return most


def _first(game: FiniteGame, limits: Limits, tol: float, guess: np.ndarray | None) -> PathState:
    """Masses in proportion to the barrier (and to a guess, half and half); duals feasible for the price they make."""
    maps, count = FlowMaps(game), game.grid.populations
    most = largest_mass(maps)
    reach = most > 1e-2 * max(tol, 1e-13) / game.states
    barrier = np.where(reach, most, 0.0) ** TAIL * reach
    by_population = barrier.reshape(maps.steps + 1, count, -1)
    by_population /= by_population.sum(axis=2, keepdims=True)
    mass = barrier.copy()
    if guess is not None:
        mass = 0.5 * (mass + np.where(reach, np.maximum(guess[:, : game.states], 0.0), 0.0))
    mass[0] = np.where(reach[0], game.initial_mass, 0.0)
    live = game.allowed & reach[:-1, None]
    choices = np.maximum(game.allowed.sum(axis=0), 1)
    occupation = np.where(live, (mass[:-1] / choices)[:, None], 0.0)
    crowd = game.see(mass, occupation, game.levels(), weighed=True)
    field_ = game.price(crowd) * game.weights[:, None]
    price = field_[:-1, game.width - maps.prices :].copy()
    value, level, dual, rise = _dual_start(maps, live, field_, price)
    pairs = {
        "choice": Pair(occupation, dual, np.where(live, (barrier[:-1] / choices)[:, None], 0.0)),
        "end": Pair(mass[-1], np.full(game.states, rise), barrier[-1]),
    } | limits.pairs(crowd, barrier, rise, Pair)
    return PathState(0, 0.0, UNMEASURED, game, maps, limits, barrier, pairs, value, level, price)


def _dual_start(
    maps: FlowMaps, live: np.ndarray, paid: np.ndarray, price: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """V, lambda and z >= rise that satisfy every equation of the dual; rise is the spread of the costs of one step."""
    game = maps.game
    spreads = [np.ptp(paid[:, : game.states]), np.ptp(game.own_cost[:, game.allowed]), np.ptp(game.terminal_cost)]
    rise = float(max(spreads)) or 1.0
    value, level = np.zeros((maps.steps + 1, game.states)), np.empty((maps.steps + 1, game.states))
    dual = np.ones((maps.steps, game.actions, game.states))
    level[-1] = game.terminal_cost - rise
    for t in range(maps.steps, 0, -1):
        value[t] = paid[t, : game.states] + level[t]
        if game.has_noise:
            value[t] = game.diffuse(value[t], False)
        cost = choice_cost(maps, t - 1, paid) + maps.expect(t - 1, value[t], price[t - 1])
        best = np.where(game.allowed, cost, math.inf).min(axis=0)
        level[t - 1] = np.where(np.isfinite(best), best, 0.0) - rise
        dual[t - 1] = np.where(live[t - 1], cost - level[t - 1], 1.0)
    return value, level, dual, rise


def choice_cost(maps: FlowMaps, t: int, paid: np.ndarray) -> np.ndarray:
    """l_t + what the crowd adds to a choice as such, (actions, states)."""
    game = maps.game
    own = game.own_cost[min(t, game.own_cost.shape[0] - 1)]
    for block in game.blocks:
        if block.on == "occupation":
            return own + paid[t, block.columns].reshape(own.shape)
    return own


# -- one Newton step ---------------------------------------------------------------------------------------------


class Newton:
    """Residuals at a state, the weights of its Newton matrix, and the directions that follow."""

    def __init__(self, state: PathState, system: CholeskyBlocks | ConjugateGradients):
        self.state, self.system, self.maps = state, system, state.maps
        self.sweeps = 0.0
        game, pairs, n = state.game, state.pairs, state.game.states
        self.mass = state.mass
        crowd = game.see(self.mass, pairs["choice"].slack, game.levels(), weighed=True)
        self.paid = game.price(crowd) * game.weights[:, None]
        slope = game.slope(crowd)
        assert slope is not None  # every coupling said that it is local
        self.slope = slope
        self._states(n, crowd)
        self._prices(crowd)
        self._choices(n)
        self._flow(n)

    def _states(self, n: int, crowd: np.ndarray) -> None:
        """E' dV = d lambda + curve dm + pull + (terms of the cap)."""
        state, lifted = self.state, np.zeros((self.maps.steps + 1, n))
        for t in range(1, self.maps.steps + 1):
            lifted[t] = self.maps.lift(state.value[t])
        self.curve = np.array(self.slope[:, :n])
        self.pull = self.paid[:, :n] + state.level - lifted
        self.missing: Arrays = {}
        for name, (seen, sign) in state.limits.seen(crowd).items():
            pair = state.pairs[name]
            limit = state.limits.values[name]
            self.missing[name] = np.where(pair.live, sign * (limit - seen) - pair.slack, 0.0)
            if name == "cap":
                self.curve += pair.over(pair.dual)
                self.pull += pair.dual

    def _prices(self, crowd: np.ndarray) -> None:
        """d p = curve dA + pull, for every aggregate A."""
        state, last = self.state, state_width(self.state)
        self.price_curve = np.array(self.slope[:-1, last:])
        self.price_pull = self.paid[:-1, last:] - state.price
        for name, sign in (("highest", 1.0), ("lowest", -1.0)):
            if name in state.pairs:
                pair = state.pairs[name]
                self.price_curve += pair.over(pair.dual)
                self.price_pull += sign * pair.dual

    def _choices(self, n: int) -> None:
        """theta = 1 / (z / w + curvature of the choice), and what is missing in the equation of z."""
        state, maps, choice, end = self.state, self.maps, self.state.pairs["choice"], self.state.pairs["end"]
        self.stiff = choice.dual.copy()  # z + w phi''
        for block in state.game.blocks:
            if block.on == "occupation":
                self.stiff += choice.slack * self.slope[:-1, block.columns].reshape(choice.slack.shape)
        self.stiff[~choice.live] = 1.0
        self.lack = np.empty_like(choice.slack)
        for t in range(maps.steps):
            cost = choice_cost(maps, t, self.paid) + maps.expect(t, state.value[t + 1], state.price[t])
            self.lack[t] = np.where(choice.live[t], cost - state.level[t] - choice.dual[t], 0.0)
        self.end_lack = np.where(end.live, state.game.terminal_cost - state.level[-1] - end.dual, 0.0)
        theta = choice.slack / self.stiff
        end_theta = np.divide(end.slack, end.dual, out=np.zeros(n), where=end.live)
        total = np.concatenate([theta.sum(axis=1), end_theta[None]])
        reach = total > 0
        total[~reach] = 1.0
        weight = np.where(reach, 1.0 / (self.curve + 1.0 / total), 0.0)
        weight[0] = 0.0  # m_0 is given
        self.matrix = NewtonMatrix(maps, theta, total, weight, np.sqrt(self.price_curve), state.reach)
        self.end_theta = end_theta

    def _flow(self, n: int) -> None:
        """P' w - E m_{t+1}."""
        self.leak = np.zeros((self.maps.steps, self.maps.width))
        for t in range(self.maps.steps):
            gap = self.maps.gather(t, self.state.pairs["choice"].slack[t]) - self.maps.sharpen(self.mass[t + 1])
            self.leak[t, :n] = np.where(self.state.reach[t + 1], gap, 0.0)

    def factor(self) -> None:
        self.system.factor(self.matrix)

    def solve(self, products: Arrays, guess: Direction | None = None) -> Direction:
        """Direction in which every slack * multiplier changes, to first order, by ``products``."""
        state, maps, matrix, n = self.state, self.maps, self.matrix, self.maps.states
        pull, price_pull = self.pull.copy(), self.price_pull.copy()
        for name, sign in (("cap", 1.0), ("highest", 1.0), ("lowest", -1.0)):
            if name in state.pairs:
                pair = state.pairs[name]
                term = sign * pair.over(products[name] - pair.dual * self.missing[name])
                if name == "cap":
                    pull += term
                else:
                    price_pull += term
        offset = (products["choice"] - state.pairs["choice"].slack * self.lack) / self.stiff
        offset[~state.pairs["choice"].live] = 0.0
        if maps.prices:
            for t in range(maps.steps):
                offset[t] -= matrix.theta[t] * np.tensordot(price_pull[t], maps.amounts(t), 1)
        end = state.pairs["end"]
        end_offset = (
            np.divide(products["end"], end.dual, out=np.zeros(n), where=end.live) - self.end_theta * self.end_lack
        )
        sums = np.concatenate([offset.sum(axis=1), end_offset[None]])
        push = np.where(state.reach, sums / matrix.total - pull, 0.0)
        right = self.leak.copy()
        for t in range(maps.steps):
            rest = matrix.weight[t] * push[t] - sums[t]
            matrix.collect(t, offset[t] + matrix.theta[t] * (rest / matrix.total[t]), right)
            matrix.sharpen(t + 1, -matrix.weight[t + 1] * push[t + 1], right)
        right[:, :n][~state.reach[1:]] = 0.0
        x = self.system.solve(right, None if guess is None else guess.unknowns)
        self.sweeps += 1.0
        return self._back(x, products, offset, sums, push, pull, price_pull)

    def _back(
        self, x: np.ndarray, products: Arrays, offset: np.ndarray, sums: np.ndarray, push: np.ndarray,
        pull: np.ndarray, price_pull: np.ndarray,
    ) -> Direction:  # fmt: skip
        """Everything else from dV and the prices; ``offset`` is overwritten by dw.

        dw is written so that it sums to dm whatever theta: d lambda would lose its digits to the large ones.
        """
        state, maps, matrix, n = self.state, self.maps, self.matrix, self.maps.states
        change = np.zeros((maps.steps + 1, n))
        level = np.zeros_like(change)
        for t in range(maps.steps + 1):
            lifted = matrix.lift(t, x)
            mean = np.zeros(n)
            if t < maps.steps:
                spread = matrix.spread(t, x)
                mean = matrix.mean(t, spread)
            change[t] = matrix.weight[t] * (push[t] + lifted - mean)
            bent = lifted - self.curve[t] * change[t] - pull[t]
            drawn = (change[t] - sums[t]) / matrix.total[t] + mean
            level[t] = np.where((self.curve[t] * matrix.total[t] < 1) & (t > 0), bent, drawn)
            if t < maps.steps:
                spread -= mean + (change[t] - sums[t]) / matrix.total[t]
                spread *= matrix.theta[t]
                offset[t] -= spread
        level[~state.reach] = 0.0
        moved = {"choice": offset, "end": np.where(state.pairs["end"].live, change[-1], 0.0)}
        root = matrix.stretch
        amount = np.divide(x[:, n:], root, out=np.zeros_like(root), where=root > 0)
        for name, (part, sign) in {"cap": (change, 1.0), "highest": (amount, 1.0), "lowest": (amount, -1.0)}.items():
            if name in state.pairs:
                moved[name] = np.where(state.pairs[name].live, self.missing[name] - sign * part, 0.0)
        dual = {name: pair.over(products[name] - pair.dual * moved[name]) for name, pair in state.pairs.items()}
        value = np.zeros_like(change)
        value[1:] = x[:, :n]
        return Direction(moved, dual, value, level, price_pull + root * x[:, n:], x)

    # -- predictor, corrector, centrality ------------------------------------------------------------------------

    def _length(self, direction: Direction) -> tuple[float, float]:
        """Longest steps of the slacks and of the multipliers."""
        both = [pair.longest(direction.slack[n], direction.dual[n]) for n, pair in self.state.pairs.items()]
        a, b = min(primal for primal, _ in both), min(dual for _, dual in both)
        return (a, b) if SEP else (min(a, b),) * 2

    def _blend(self, start: Direction, end: Direction, least: float) -> tuple[Direction, Lengths, float]:
        """The point between two directions that allows the longest step, and its share."""
        found = (start, (0.0, 0.0), 0.0)
        for share in np.linspace(1.0, least, 9):
            trial = start.toward(end, float(share))
            lengths = self._length(trial)
            if reach_of(lengths) > reach_of(found[1]):
                found = (trial, lengths, float(share))
        return found

    def direct(self, corrections: int) -> tuple[Direction, Lengths]:
        """Direction, and lengths of the steps of the slacks and of the multipliers."""
        pairs = self.state.pairs
        weight = sum(float(pair.barrier.sum()) for pair in pairs.values())
        mu = sum(float(np.vdot(pair.slack, pair.dual)) for pair in pairs.values()) / weight
        products = {name: -pair.slack * pair.dual for name, pair in pairs.items()}
        ahead = self.solve(products)
        primal, dual = self._length(ahead)
        left = sum(
            float(np.vdot(pair.slack + primal * ahead.slack[n], pair.dual + dual * ahead.dual[n]))
            for n, pair in pairs.items()
        )
        aim = mu * (max(left / weight, 0.0) / mu) ** 3
        wanted = {n: products[n] + aim * pair.barrier - ahead.slack[n] * ahead.dual[n] for n, pair in pairs.items()}
        direction, lengths, share = self._blend(ahead, self.solve(wanted, ahead), primal * dual)
        products = {n: products[n] + share * (wanted[n] - products[n]) for n in pairs}
        for _ in range(corrections):
            if min(lengths) > 0.9:
                break
            primal, dual = (min(1.0, 1.1 * length + 0.3) for length in lengths)
            wanted = {}
            for n, pair in pairs.items():
                there = (pair.slack + primal * direction.slack[n]) * (pair.dual + dual * direction.dual[n])
                target = aim * pair.barrier
                wanted[n] = products[n] + np.maximum(np.clip(there, 0.1 * target, 10 * target) - there, -10 * target)
            better, reached, share = self._blend(direction, self.solve(wanted, direction), primal * dual)
            if reach_of(reached) < 1.01 * reach_of(lengths) + 0.01:
                break
            direction, lengths = better, reached
            products = {n: products[n] + share * (wanted[n] - products[n]) for n in pairs}
        primal, dual = (min(1.0, BACK * length) for length in lengths)
        return direction, (primal, dual)


def reach_of(lengths: Lengths) -> float:
    return min(lengths) if SCORE == 0 else lengths[0] * lengths[1] if SCORE == 1 else sum(lengths)


def state_width(state: PathState) -> int:
    """Columns of a level before the aggregates."""
    return state.game.width - state.maps.prices


# -- certificate -------------------------------------------------------------------------------------------------


def _measured(state: PathState) -> PathState:
    """The policy w / m and its own crowd; where nobody can be, the best response to the price they make."""
    game, choice = state.game, state.pairs["choice"]
    mass = choice.slack.sum(axis=1, keepdims=True)
    here = mass > 0
    multiplier = state.limits.multiplier(game, state.pairs) if game.problem.is_hard else None
    policy = np.divide(choice.slack, mass, out=np.zeros_like(choice.slack), where=here)
    if not here.all():
        price = game.price(game.see(state.mass, choice.slack, game.levels(), weighed=True))
        best = game.respond(price if multiplier is None else price + multiplier).ahead
        np.copyto(policy, best, where=~here)
        state.sweeps += 0.5
    crowd = game.flow(policy)
    state.sweeps += 1.0
    found = certify(game, TablePolicy(policy), crowd, multiplier=multiplier)
    score = max(abs(found.relative_exploitability), found.violation)
    if state.best is None or score < state.best.score:
        state.best = Best(score, state.iteration, policy, crowd, multiplier)
    state.measure = Measure(
        iteration=state.iteration,
        sweeps=state.sweeps,
        exploitability=found.exploitability,
        relative_exploitability=found.relative_exploitability,
        potential=found.potential,
        duality_gap=found.duality_gap,
        cell_steps=game.cell_steps,
        final_grid=True,
        violation=found.violation,
    )
    return state


def _given_up(state: PathState) -> PathState:
    """No way on: either the bounds contradict each other, which is told, or round-off has the last word."""
    if state.game.problem.is_hard:
        fault = infeasibility(state.game, state.limits)
        if fault is not None:
            raise InputError(fault)
    state.stalled = True
    return state
