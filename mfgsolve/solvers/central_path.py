"""A point near the central path of a finite game, and the Newton direction that leads along it.

The notation is that of `interior_point`.  Every inequality is a `Pair` of a slack and a multiplier; the direction
solves the linearised equations with the products of all pairs given.  From the changes dV and q of values and prices
follow

    dm_t = J_t (sum_a b / D - pull + E' dV_t - Pi_t x_{t+1}),   dw_t = b - theta (P_t x_{t+1} - d lambda_t)

with b what a choice would change by itself.  Sources: Mehrotra, doi:10.1137/0802028; Gondzio, doi:10.1007/BF00249643.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mfgsolve.games import Game
from mfgsolve.solvers.band_cholesky import BandCholesky
from mfgsolve.solvers.base import State
from mfgsolve.solvers.feasibility import Limits
from mfgsolve.solvers.newton_systems import ConjugateGradients, FlowMaps, NewtonMatrix
from mfgsolve.solvers.stored import STORED, pack, stored_as

__all__ = ["Best", "Direction", "Newton", "Pair", "PathState", "choice_cost"]

BACK = 0.999  # share of the way to the boundary
LONG = 0.9  # length of a step that needs no correction
IDLE = 3  # corrections in a row without a longer step, after which no more are made: one alone often prepares the next

Arrays = dict[str, np.ndarray]
Lengths = tuple[float, float]  # of the steps of slacks and of multipliers


@dataclass
class Pair:
    """Slacks and multipliers of one family of inequalities; ``barrier`` 0 marks entries that are none.

    ``give`` > 0 lets the bound move with its multiplier during a step, slack = room + give * change of the multiplier:
    the proximal method of multipliers, without which multipliers that are not unique (a capacity and a price that tie,
    bounds without interior) drift and take the digits of the flow with them.  What it moved, the next step demands
    back.  Source: Friedlander and Orban, doi:10.1007/s12532-012-0035-2.
    """

    slack: np.ndarray
    dual: np.ndarray
    barrier: np.ndarray
    give: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.live = self.barrier > 0
        self.slack = np.where(self.live, self.slack, 0.0)
        self.dual = np.where(self.live, self.dual, 0.0)

    def over(self, numerator: np.ndarray) -> np.ndarray:
        """numerator / (slack + give * multiplier), 0 where there is no inequality."""
        below = self.slack if self.give is None else self.slack + self.give * self.dual
        return np.asarray(np.divide(numerator, below, out=np.zeros_like(below), where=self.live))

    def rates(self, slack: np.ndarray, dual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Changes of slacks and of multipliers as a share of them."""
        return slack[self.live] / self.slack[self.live], dual[self.live] / self.dual[self.live]


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

    score: float = field(metadata=stored_as("best_score"))
    iteration: int = field(metadata=stored_as("best_iteration"))
    policy: np.ndarray = field(metadata=stored_as("best_policy"))
    crowd: np.ndarray
    multiplier: np.ndarray | None = field(metadata=stored_as("best_multiplier"))


@dataclass
class PathState(State):
    """A point near the central path, and the policy that it means."""

    replaced = True

    game: Game
    maps: FlowMaps
    limits: Limits
    barrier: np.ndarray  # (T+1, states), sums to the mass of each population at every node; 0 beyond reach
    pairs: dict[str, Pair]
    value: np.ndarray = field(metadata=STORED)  # V (T+1, states), nothing at t = 0
    level: np.ndarray = field(metadata=STORED)  # lambda (T+1, states)
    price: np.ndarray = field(metadata=STORED)  # p (T, prices), times dt
    best: Best | None = None
    system: BandCholesky | ConjugateGradients | None = None
    single: bool | None = None  # whether its factor is in single precision, where it goes on from a checkpoint

    @property
    def reach(self) -> np.ndarray:
        return self.barrier > 0

    @property
    def mass(self) -> np.ndarray:
        """m (T+1, states)."""
        return np.concatenate([self.pairs["choice"].slack.sum(axis=1), self.pairs["end"].slack[None]])

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        arrays, numbers = super().pack()
        best_arrays, best_numbers = pack(self.best)
        slacks = {f"{name}_slack": pair.slack for name, pair in self.pairs.items()}
        duals = {f"{name}_dual": pair.dual for name, pair in self.pairs.items()}
        if isinstance(self.system, BandCholesky) and self.system.is_wide:
            numbers |= {"single": float(bool(self.system.single))}
        elif self.single is not None:
            numbers |= {"single": float(self.single)}
        return arrays | slacks | duals | best_arrays, numbers | best_numbers


def choice_cost(game: Game, paid: np.ndarray) -> np.ndarray:
    """l_t + what the crowd adds to a choice as such, (1 or T, actions, states)."""
    for block in game.blocks:
        if block.on == "occupation":
            return np.asarray(
                game.step.own_cost + paid[:-1, block.columns].reshape(game.steps, game.step.actions, game.cells)
            )
    return game.step.own_cost


class Newton:
    """Residuals at a state, the weights of its Newton matrix, and the directions that follow."""

    def __init__(self, state: PathState, system: BandCholesky | ConjugateGradients):
        self.state, self.system, self.maps = state, system, state.maps
        self.sweeps = 0.0
        game, pairs, n = state.game, state.pairs, state.game.cells
        self.mass = state.mass
        crowd = game.aggregate(self.mass, pairs["choice"].slack, game.empty_crowd(), weighed=True)
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
        lifted[1:] = self.maps.lift(state.value[1:])
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
        tau, soft = state.game.step.entropy_cost[:, None, None], state.game.is_smooth
        self.stiff = choice.dual + tau  # z + w phi'' + tau
        for block in state.game.blocks:
            if block.on == "occupation":
                self.stiff += choice.slack * self.slope[:-1, block.columns].reshape(choice.slack.shape)
        self.stiff[~choice.live] = 1.0
        cost = choice_cost(state.game, self.paid) + maps.expect(state.value[1:], state.price)
        if soft:
            share = np.divide(choice.slack, self.mass[:-1, None], out=np.ones_like(cost), where=choice.live)
            cost += tau * np.log(share)
        self.lack = np.where(choice.live, cost - state.level[:-1, None] - choice.dual, 0.0)
        self.end_lack = np.where(end.live, state.game.terminal_cost - state.level[-1] - end.dual, 0.0)
        theta = choice.slack / self.stiff
        end_theta = np.divide(end.slack, end.dual, out=np.zeros(n), where=end.live)
        total = np.concatenate([theta.sum(axis=1), end_theta[None]])
        reach = total > 0
        total[~reach] = 1.0
        # 1 / D - tau / m = sum_a w (1 / stiff) z' / (m D), z' = stiff - tau: without a difference
        loose = 1.0 / total
        self.entropy = np.zeros_like(self.mass)
        if soft:
            np.divide(tau[:, 0], self.mass[:-1], out=self.entropy[:-1], where=reach[:-1])
            kept = (theta * (self.stiff - tau)).sum(axis=1)
            loose[:-1] = np.divide(kept, self.mass[:-1] * total[:-1], out=loose[:-1].copy(), where=reach[:-1])
        weight = np.where(reach, 1.0 / (self.curve + loose), 0.0)
        weight[0] = 0.0  # m_0 is given
        self.matrix = NewtonMatrix(maps, theta, total, weight, np.sqrt(self.price_curve), state.reach)
        self.end_theta = end_theta

    def _flow(self, n: int) -> None:
        """P' w - E m_{t+1}."""
        self.leak = np.zeros((self.maps.steps, self.maps.width))
        gap = self.maps.gather(self.state.pairs["choice"].slack) - self.maps.sharpen(self.mass[1:])
        self.leak[:, :n] = np.where(self.state.reach[1:], gap, 0.0)

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
            offset -= matrix.theta * np.einsum("tk,tkas->tas", price_pull, maps.amounts)
        end = state.pairs["end"]
        end_offset = (
            np.divide(products["end"], end.dual, out=np.zeros(n), where=end.live) - self.end_theta * self.end_lack
        )
        sums = np.concatenate([offset.sum(axis=1), end_offset[None]])
        push = np.where(state.reach, sums / matrix.total - pull, 0.0)
        grown = matrix.weight * push
        spread = offset + matrix.theta * ((grown - sums) / matrix.total)[:-1, None]
        right = self.leak + matrix.collect(spread, -grown)
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
        state, matrix, n = self.state, self.matrix, self.maps.states
        lifted, spread = matrix.lift(x), matrix.spread(x)
        mean = matrix.mean(spread)
        change = matrix.weight * (push + lifted - mean)
        drawn = (change - sums) / matrix.total + mean
        spread -= drawn[:-1, None]
        spread *= matrix.theta
        offset -= spread
        bend = self.curve - self.entropy
        bent = lifted - bend * change - pull
        firm = np.abs(bend) * matrix.total >= 1
        firm[0] = True
        level = np.where(firm, drawn, bent) - self.entropy * change
        level[~state.reach] = 0.0
        moved = {"choice": offset, "end": np.where(state.pairs["end"].live, change[-1], 0.0)}
        root = matrix.stretch
        amount = np.divide(x[:, n:], root, out=np.zeros_like(root), where=root > 0)
        for name, (part, sign) in {"cap": (change, 1.0), "highest": (amount, 1.0), "lowest": (amount, -1.0)}.items():
            if name in state.pairs:
                moved[name] = np.where(state.pairs[name].live, self.missing[name] - sign * part, 0.0)
        dual = {name: pair.over(products[name] - pair.dual * moved[name]) for name, pair in state.pairs.items()}
        for name, pair in state.pairs.items():
            if pair.give is not None:
                moved[name] += pair.give * dual[name]
        value = np.zeros_like(change)
        value[1:] = x[:, :n]
        return Direction(moved, dual, value, level, price_pull + root * x[:, n:], x)

    # -- predictor, corrector, centrality ------------------------------------------------------------------------

    def _rates(self, direction: Direction) -> tuple[np.ndarray, np.ndarray]:
        """Changes of all slacks and of all multipliers as a share of them."""
        both = [pair.rates(direction.slack[n], direction.dual[n]) for n, pair in self.state.pairs.items()]
        return np.concatenate([slack for slack, _ in both]), np.concatenate([dual for _, dual in both])

    def _blend(self, start: Direction, end: Direction, least: float) -> tuple[Direction, Lengths, float]:
        """The point between two directions that allows the longest step, and its share."""
        best, lengths = 0.0, (0.0, 0.0)
        rates = list(zip(self._rates(start), self._rates(end), strict=True))
        for share in np.linspace(1.0, least, 9).tolist():
            primal, dual = (longest(a + share * (b - a)) for a, b in rates)
            if reach_of((primal, dual)) > reach_of(lengths):
                best, lengths = share, (primal, dual)
        return start.toward(end, best), lengths, best

    def direct(self, corrections: int) -> tuple[Direction, Lengths]:
        """Direction, and lengths of the steps of the slacks and of the multipliers: the longest of all that were
        tried, with at most ``corrections`` solves beyond predictor and corrector."""
        pairs = self.state.pairs
        weight = sum(float(pair.barrier.sum()) for pair in pairs.values())
        mu = sum(float(np.vdot(pair.slack, pair.dual)) for pair in pairs.values()) / weight
        products = {name: -pair.slack * pair.dual for name, pair in pairs.items()}
        ahead = self.solve(products)
        primal, dual = (longest(rates) for rates in self._rates(ahead))
        left = sum(
            float(np.vdot(pair.slack + primal * ahead.slack[n], pair.dual + dual * ahead.dual[n]))
            for n, pair in pairs.items()
        )
        aim = mu * (max(left / weight, 0.0) / mu) ** 3
        wanted = {n: products[n] + aim * pair.barrier - ahead.slack[n] * ahead.dual[n] for n, pair in pairs.items()}
        direction, lengths, share = self._blend(ahead, self.solve(wanted, ahead), primal * dual)
        products = {n: products[n] + share * (wanted[n] - products[n]) for n in pairs}
        best, idle = (direction, lengths), 0
        for _ in range(corrections):
            if min(lengths) > LONG or idle == IDLE:
                break
            primal, dual = (min(1.0, 1.1 * length + 0.3) for length in lengths)
            wanted = {}
            for n, pair in pairs.items():
                there = (pair.slack + primal * direction.slack[n]) * (pair.dual + dual * direction.dual[n])
                target = aim * pair.barrier
                wanted[n] = products[n] + np.maximum(np.clip(there, 0.1 * target, 10 * target) - there, -10 * target)
            direction, lengths, share = self._blend(direction, self.solve(wanted, direction), primal * dual)
            products = {n: products[n] + share * (wanted[n] - products[n]) for n in pairs}
            gain = reach_of(lengths) - reach_of(best[1])
            idle = 0 if gain > 0.01 else idle + 1
            if gain > 0:
                best = direction, lengths
        direction, lengths = best
        primal, dual = (min(1.0, BACK * length) for length in lengths)
        return direction, (primal, dual)


def longest(rates: np.ndarray) -> float:
    """Longest step up to 1 that keeps positive what changes at these rates."""
    return 1.0 / max(1.0, -float(rates.min(initial=0.0)))


def reach_of(lengths: Lengths) -> float:
    """What directions are compared by."""
    return sum(lengths)


def state_width(state: PathState) -> int:
    """Columns of a level before the aggregates."""
    return state.game.width - state.maps.prices
