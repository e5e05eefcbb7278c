"""A point near the central path of a finite game, and the Newton direction that leads along it.

The notation is that of `interior_point`.  Every inequality is a `Pair` of a slack and a multiplier; the direction
solves the linearised equations with the products of all pairs given.  From the changes dV and q of values and prices
follow

    dm_t = J_t (sum_a b / D - pull + E' dV_t - Pi_t x_{t+1}),   dw_t = b - theta (P_t x_{t+1} - d lambda_t)

with b what a choice would change by itself.  Sources: Mehrotra, doi:10.1137/0802028; Gondzio, doi:10.1007/BF00249643.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.games import FiniteGame
from mfgsolve.solvers.base import State
from mfgsolve.solvers.feasibility import Limits
from mfgsolve.solvers.time_blocks import CholeskyBlocks, ConjugateGradients, FlowMaps, NewtonMatrix

__all__ = ["Best", "Direction", "Newton", "Pair", "PathState", "choice_cost"]

BACK = 0.999  # share of the way to the boundary

Arrays = dict[str, np.ndarray]
Lengths = tuple[float, float]  # of the steps of slacks and of multipliers


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
        return np.asarray(np.divide(numerator, self.slack, out=np.zeros_like(self.slack), where=self.live))

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
            return np.asarray(a + share * (b - a))

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


def choice_cost(maps: FlowMaps, t: int, paid: np.ndarray) -> np.ndarray:
    """l_t + what the crowd adds to a choice as such, (actions, states)."""
    game = maps.game
    own = game.own_cost[min(t, game.own_cost.shape[0] - 1)]
    for block in game.blocks:
        if block.on == "occupation":
            return np.asarray(own + paid[t, block.columns].reshape(own.shape))
    return np.asarray(own)


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
        self.stiff = choice.dual + state.game.tau  # z + w phi'' + tau
        for block in state.game.blocks:
            if block.on == "occupation":
                self.stiff += choice.slack * self.slope[:-1, block.columns].reshape(choice.slack.shape)
        self.stiff[~choice.live] = 1.0
        self.lack = np.empty_like(choice.slack)
        for t in range(maps.steps):
            cost = choice_cost(maps, t, self.paid) + maps.expect(t, state.value[t + 1], state.price[t])
            if state.game.tau:
                share = np.divide(choice.slack[t], self.mass[t], out=np.ones_like(cost), where=choice.live[t])
                cost = cost + state.game.tau * np.log(share)
            self.lack[t] = np.where(choice.live[t], cost - state.level[t] - choice.dual[t], 0.0)
        self.end_lack = np.where(end.live, state.game.terminal_cost - state.level[-1] - end.dual, 0.0)
        theta = choice.slack / self.stiff
        end_theta = np.divide(end.slack, end.dual, out=np.zeros(n), where=end.live)
        total = np.concatenate([theta.sum(axis=1), end_theta[None]])
        reach = total > 0
        total[~reach] = 1.0
        # 1 / D - tau / m = sum_a w (1 / stiff) z' / (m D), z' = stiff - tau: without a difference
        loose = 1.0 / total
        if state.game.tau:
            self.entropy = np.divide(state.game.tau, self.mass, out=np.zeros_like(self.mass), where=reach)
            self.entropy[-1] = 0.0
            kept = (theta * (self.stiff - state.game.tau)).sum(axis=1)
            loose[:-1] = np.divide(kept, self.mass[:-1] * total[:-1], out=loose[:-1].copy(), where=reach[:-1])
        else:
            self.entropy = np.zeros_like(self.mass)
        weight = np.where(reach, 1.0 / (self.curve + loose), 0.0)
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
            bend = self.curve[t] - self.entropy[t]
            bent = lifted - bend * change[t] - pull[t]
            drawn = (change[t] - sums[t]) / matrix.total[t] + mean
            level[t] = (
                np.where((np.abs(bend) * matrix.total[t] < 1) & (t > 0), bent, drawn) - self.entropy[t] * change[t]
            )
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
        return min(primal for primal, _ in both), min(dual for _, dual in both)

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
    """What directions are compared by."""
    return sum(lengths)


def state_width(state: PathState) -> int:
    """Columns of a level before the aggregates."""
    return state.game.width - state.maps.prices
