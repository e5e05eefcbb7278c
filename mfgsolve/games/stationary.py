"""Horizons of games without a final time: one step, whose value and whose law are fixed points.

With P the transitions under a policy (factors included), l what a step costs with it, b the discount factor (1 of an
ergodic game) and T the Bellman operator of the step, (T v)(x) = w f(x) + best(b P v),

    value    v = T v  (ergodic: v + rho = T v)          by Howard's policy iteration, v <- v + (I - b P)^-1 (T v - v)
    law      m = k P^T m + (1 - k) m_0                  k = b for renewal; 1 for invariant laws and ergodic games
    change   dv = c + b P dv,   dm = k P^T dm + k d(P^T) m

The same linear equation serves all three, once with P and once with its transpose (`mfgsolve.games.long_run`).  Values
are told per step: the value of a discounted game is (1 - b) v, that of an ergodic one v with the mean rho over all open
cells, so that their mean over where agents begin is what they pay per step.  With b near 1 most of v is a constant,
rho / (1 - b), beside which costs would be lost: it is kept apart, and v stands for the rest, v + rho = T v in both.

Where policy iteration does not come to its end, a bound stands for the least cost: for any v it is at least
(1 - b) v + min (T v - v), so that an exploitability is never told too small.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games.horizon import Horizon
from mfgsolve.games.long_run import LongRun
from mfgsolve.stationary import Stationary
from mfgsolve.steps import Costs, Policy, Step
from mfgsolve.steps.matrix import chances_of

__all__ = ["Repeated", "names_of"]

EXACT = 4 * 2.0**-52  # of a residual, relative to the values
PATIENCE = 200  # policy iterations
NEAR = 1e-9
FEW = 12  # from a guess
NEARER = (0.9, 0.999, 1 - 1e-5, 1 - 1e-7)  # discount factors through which an ergodic game is reached
LOST = 1e9  # times the costs of a step, values beside which they are no numbers any more
NAMED = 6  # states of a class that a sentence names


class Repeated(Horizon):
    """One step for ever.

    Parameters
    ----------
    time : a `Discounted` or an `Ergodic`
    """

    is_swept = False
    leaves = False  # whether agents leave by exits
    guess: np.ndarray | None = None  # of v, where somebody knows better than 0

    def __init__(self, time: Stationary):
        self.time, self.factor = time, time.factor
        self.is_ergodic = time.factor == 1.0
        self.keeps = self.factor if time.needs_initial else 1.0  # k
        self.starts_where_it_is = not (time.needs_initial or self.is_ergodic)
        self._whole: Step | None = None  # the last one whose states no choice divides
        self._last: tuple[Step, np.ndarray, np.ndarray, float, LongRun] | None = None

    def near(self, value: np.ndarray) -> Repeated:
        """The same horizon, whose policy iteration starts from the value v of a policy that is nearly the best."""
        other = copy.copy(self)
        other.guess = value
        return other

    def weights(self, terminal: bool, trapezoidal: bool = False) -> np.ndarray:
        """dt at the one level, nothing at the next."""
        return np.array([self.time.dt, 0.0])

    def start(self, initial: np.ndarray, mass: np.ndarray | None) -> np.ndarray:
        """Where an agent begins: from m_0; or where the crowd is."""
        return mass[0] if self.starts_where_it_is and mass is not None else initial

    def lasting(self, value: np.ndarray, free: np.ndarray) -> np.ndarray:
        """What an agent pays from each cell on, of a value per step (populations, cells): in all, discounted; or of an
        ergodic game beside the average, with mean 0 over the ``free`` cells."""
        if not self.is_ergodic:
            return value / (1.0 - self.factor)
        return value - np.mean(value, axis=1, where=free, keepdims=True)

    # -- values ------------------------------------------------------------------------------------------------

    def backward(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """The value per step of the best response, by policy iteration."""
        costs = costs._replace(state=np.array(costs.state))  # a policy may take the place of the price
        self._check_ways(step, mass)
        sure, tried = False, [np.zeros(step.shape)]
        if self.guess is not None:
            tried.append(self.guess.reshape(step.shape))
            value, gain, sure = self._iterated(step, costs, policy, mass, tried[-1], self.factor, 0.0, FEW)
        if not sure and self.is_ergodic:
            value, gain, sure = self._iterated(step, costs, policy, mass, tried[0], self.factor, 0.0, FEW)
        if not sure:
            near = tried[0]
            for factor in NEARER if self.is_ergodic else ():
                # from what is near at hand to what counts in the long run: no policy on the way divides the states
                near, _, _ = self._iterated(step, costs, policy, mass, near, factor, 1e-3)
                near = near - self._least(step, near)
            value, gain, sure = self._iterated(step, costs, policy, mass, near, self.factor, 0.0)
            tried += [near, value]
        if not sure:
            value, gain = self._bounded(step, costs, policy, mass, tried)
        step.backward(_ahead(costs, value, self.factor), policy, mass)
        return self._told(step, value, gain, values)

    def _bounded(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, tried: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The best lower bound that some values give, see the module; policy iteration did not end."""
        most_of = self._largest(step, costs, policy, mass)
        best, result = -math.inf, (tried[0], np.zeros(step.shape))
        for value in tried:
            if not self._size(step, value) <= most_of:
                continue
            value = value - self._least(step, value)
            gain = self._least(step, step.backward(_ahead(costs, value, self.factor), policy, mass) - value)
            if float(self._told(step, value, gain, None).sum()) > best:
                best, result = float(self._told(step, value, gain, None).sum()), (value, gain)
        return result

    def _iterated(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, value: np.ndarray, factor: float,
        enough: float, most: int = PATIENCE,
    ) -> tuple[np.ndarray, np.ndarray, bool]:  # fmt: skip
        """Howard's policy iteration at a discount factor, until values change by no more than ``enough`` of them, and
        whether they got there."""
        last, most_of = math.inf, self._largest(step, costs, policy, mass)
        value, gain = self._apart(step, value, factor)
        for _ in range(most):
            lack = step.backward(_ahead(costs, value, factor), policy, mass) - value
            with np.errstate(all="ignore"):  # of a policy that nearly divides the states
                move, change = self._moved(step, self._system(step, policy, mass, factor), lack, gain, factor)
            size, scale = self._size(step, move, change - gain), self._size(step, value, gain)
            if not math.isfinite(size):
                break
            if size <= max(EXACT, enough) * scale or last <= size <= NEAR * scale:  # ties, or round-off
                told = self._size(step, lack, lack - gain) <= NEAR * scale + EXACT * most_of / LOST
                return value, change, scale <= most_of and told
            last, value, gain = size, value + move, change
        return value, gain, False

    def _apart(self, step: Step, value: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
        """A discounted value less its mean, and that mean per step."""
        if factor == 1.0:
            return value, np.zeros(step.shape)
        rows, free = self._rows(step, value)
        mean = np.broadcast_to(np.mean(rows, axis=1, where=free, keepdims=True), rows.shape).reshape(value.shape)
        return value - mean, (1.0 - factor) * mean

    def _moved(
        self, step: Step, system: LongRun, lack: np.ndarray, gain: np.ndarray, factor: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """By how much v moves, and the new rho, of a policy under which T v - v is ``lack``."""
        if factor == 1.0:
            return system.solve(lack)
        move, more = self._apart(step, system.solve(lack - gain)[0], factor)
        return move, gain + more

    def _largest(self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None) -> float:
        """Values beyond it say that the states are all but divided: costs of a step are lost beside them."""
        once = step.backward(_ahead(costs, np.zeros(step.shape), 0.0), policy, mass)
        return LOST * max(self._size(step, once, once), float(np.abs(costs.state[0]).max()) * self.time.dt)

    def _rows(self, step: Step, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A value and the open cells, (populations, cells)."""
        rows = (step.space.populations, -1)
        return value.reshape(rows), ~step.space.mask.reshape(rows)

    def _size(self, step: Step, value: np.ndarray, gain: np.ndarray | None = None) -> float:
        """The range of a value, since a constant decides nothing, and beside it of a discounted game that constant."""
        rows, free = self._rows(step, value)
        if not np.isfinite(rows[free]).all():
            return math.inf
        size = max(float(np.ptp(row[open_cells])) for row, open_cells in zip(rows, free, strict=True))
        if gain is None or self.is_ergodic:
            return size
        return size + float(np.abs(gain.reshape(rows.shape)[free]).max())

    def _least(self, step: Step, value: np.ndarray) -> np.ndarray:
        """The least value of each population, in all its cells."""
        rows, free = self._rows(step, value)
        least = np.min(rows, axis=1, where=free, initial=math.inf, keepdims=True)
        return np.broadcast_to(least, rows.shape).reshape(value.shape)

    def _told(self, step: Step, value: np.ndarray, gain: np.ndarray, values: np.ndarray | None) -> np.ndarray:
        """The value per step."""
        if self.is_ergodic:
            told = self.lasting(*self._rows(step, value)).reshape(value.shape) + gain
        else:
            told = (1.0 - self.factor) * value + gain
        if values is not None:
            values[:] = told
        return np.asarray(told)

    def evaluate(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Value per step, and what each action costs beside it."""
        value = gain = np.zeros(step.shape)
        system = self._system(step, policy, mass)
        for _ in range(2):  # the second one for the last digits
            after, q = step.evaluate(_ahead(costs, value, self.factor), policy, mass)
            move, gain = self._moved(step, system, after[0] - value, gain, self.factor)
            value = value + move
        levels, q = step.evaluate(_ahead(costs, value, self.factor), policy, mass)
        levels[:] = self._told(step, value, gain, None)
        return levels, q

    # -- laws --------------------------------------------------------------------------------------------------

    def forward(self, step: Step, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """The law of a policy, and where it lands before anybody is born again; ``mass[0]`` is m_0."""
        self._check_ways(step, mass)
        mass[:] = self._law(step, mass[0].copy(), lambda now: self._system(step, policy, now))
        return mass

    def _check_ways(self, step: Step, mass: np.ndarray | None) -> None:
        """Refuse states that are divided whatever agents do: what all choices together divide, each of them does."""
        if self.keeps < 1.0 or not step.has_tables or step.is_coupled or self._whole is step:
            return
        made = self._made(step, step.policy_of(step.uniform()), np.zeros(step.shape), self.factor)
        self._refuse_division(step, made, "every policy", "state moves or noise that lead from one to another")
        self._whole = step

    def follow(self, step: Step, policy: Policy, mass: np.ndarray) -> np.ndarray:
        """The law of any policy.

        Raises
        ------
        InputError
            where a policy has several laws, because it divides the states into classes that nobody leaves
        """

        def system(now: np.ndarray) -> LongRun:
            made = self._made(step, policy, now[0], self.factor)
            if self.keeps == 1.0:
                self._refuse_division(step, made, "the policy", "add noise or a small chance of every action")
            return made

        mass[:] = self._law(step, mass[0].copy(), system)
        return mass

    def _law(self, step: Step, initial: np.ndarray, system: Callable[[np.ndarray], LongRun]) -> np.ndarray:
        """The law, and where it lands."""
        now = initial
        for _ in range(PATIENCE if step.is_coupled else 1):  # the crowd may decide where it goes
            made = system(np.stack([now, now]))
            after = made.law(initial)
            moved, now = float(np.abs(after - now).sum()), after
            if moved <= EXACT:
                break
        return np.stack([now, made.push(now) if self.keeps < 1.0 else now])

    def _refuse_division(self, step: Step, made: LongRun, whose: str, remedy: str) -> None:
        """Refuse several closed classes; ``whose`` they are, and what to do about it."""
        for p, classes in enumerate(made.closed):
            if len(classes) < 2:
                continue
            of = f" of population {p}" if len(made.closed) > 1 else ""
            told = "; ".join(names_of(step, members) for members in classes[:3])
            raise InputError(
                f"{whose}{of} divides the states into {len(classes)} classes that nobody leaves ({told}"
                f"{'; ...' if len(classes) > 3 else ''}), so that it has no single law, and what an agent pays in the "
                f"long run depends on where it began; {remedy}, or let agents be born again: "
                "Discounted(..., population='renewal')"
            )

    def change(
        self, step: Step, costs: Costs, policy: np.ndarray, mass: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Change of the law, and of what is chosen, when costs change."""
        assert mass is not None
        system, paid = self._system(step, policy, mass), np.reshape(costs.state[0], step.shape).copy()
        if costs.action is not None:
            action = costs.action(slice(0, 1), np.zeros((1, step.actions, step.cells)))
            paid = paid + (policy[0] * action[0]).sum(axis=0).reshape(step.shape)
        if costs.crowd is not None:
            paid = paid + step.own_change(policy, costs.crowd)[0]
        value, _ = system.solve(paid)
        state = np.stack([np.reshape(costs.state[0], step.shape), self.factor * value])
        moved, chosen = step.change(costs._replace(state=state), policy, mass)
        law = system.spread(self.keeps * moved[1])
        if chosen is not None:
            chosen = chosen + policy * law.reshape(-1)
        return np.stack([law, law]), chosen

    def _system(self, step: Step, policy: np.ndarray, mass: np.ndarray | None, factor: float | None = None) -> LongRun:
        """The equations of the array of a best response, kept for when they are asked for again; with another discount
        factor than that of the game, where one is given."""
        here = np.zeros(step.shape) if mass is None or not step.is_coupled else mass[0]
        factor = self.factor if factor is None else factor
        if self._last is not None:
            whose, array, crowd, at, made = self._last
            if whose is step and at == factor and np.array_equal(array, policy) and np.array_equal(crowd, here):
                return made
        made = self._made(step, step.policy_of(policy), here, factor)
        self._last = step, policy.copy(), here.copy(), factor, made
        return made

    def _made(self, step: Step, policy: Policy, here: np.ndarray, factor: float) -> LongRun:
        chances = chances_of(step, policy, here)
        return LongRun(chances, factor, self.keeps, ~step.space.mask.reshape(-1), step.space.populations)


def _ahead(costs: Costs, value: np.ndarray, factor: float) -> Costs:
    """What is paid in one step that ends in b v."""
    state = np.zeros((2, *value.shape))
    state[0] = np.reshape(costs.state[0], value.shape)
    return costs._replace(state=state, terminal=factor * value)


def names_of(step: Step, members: np.ndarray) -> str:
    """States in words."""
    names = getattr(step.space, "names", None) if step.space.populations == 1 else None
    listed = step.space.dims[-1] == "state"
    told = [str(k) if names is None else str(names[k]) for k in members[:NAMED]]
    return f"{'states' if listed else 'cells'} {', '.join(told)}{', ...' if len(members) > NAMED else ''}"
