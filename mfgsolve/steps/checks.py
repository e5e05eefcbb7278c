"""What a step of one's own must keep, asked once when its game is made: shapes, mass, transposes, the value it claims.

Solvers and certificates take it for granted; a factor whose ``push`` is not the transpose of its ``expect`` would not
fail, but never come to an end.  Steps and factors of the package are believed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.inputs.calls import ask, is_of_package
from mfgsolve.spaces import Space
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.factors import Factor
from mfgsolve.steps.identity import GOLDEN
from mfgsolve.steps.step import Step

__all__ = ["check_step"]

CALLS = {"best": "(t, after, costs, policy)", "expect": "(t, policy, after)", "push": "(t, policy, mass)"}
NEAR = 1e-8  # of sums of numbers of order 1: round-off of any road there, and no other number
ATTRIBUTES = ("space", "time", "shape", "policy_shape")


def check_step(step: Any, space: Space, mass: np.ndarray, whose: str) -> None:
    """Refuse a step that cannot be chained; ``whose`` is the kind of dynamics that made it.

    Parameters
    ----------
    mass : of the cells at t = 0

    Raises
    ------
    InputError
        naming the class, the verb, what came and what is needed
    """
    if not isinstance(step, Step):
        raise InputError(f"bind of {whose} gave a {type(step).__name__}; a Step is needed (see mfgsolve.steps.Step)")
    name, own = type(step).__name__, not is_of_package(step)
    if own:
        missing = [each for each in ATTRIBUTES if not hasattr(step, each)]
        if missing:
            raise InputError(f"a {name} has no {' and no '.join(missing)}; set all of {', '.join(ATTRIBUTES)}")
        if not isinstance(step.shape, tuple) or int(np.prod(step.shape)) != space.size:
            raise InputError(
                f"the shape of a {name} is {step.shape!r}; a tuple whose product is the {space.size} cells is needed"
            )
        if step.time.discount and not step.is_discounted:
            raise InputError(
                f"the discount rate is {step.time.discount:g}, and a {name} does not discount its own costs; multiply "
                "those of step t by time.discounts[t] and say is_discounted = True, or leave the rate at 0"
            )
        _check_choices(step, name)
    if not np.iterable(step.factors) or not all(isinstance(factor, Factor) for factor in step.factors):
        raise InputError(f"the factors of a {name} are {step.factors!r}; a list of Factor objects is needed")
    factors = [factor for factor in step.factors if not is_of_package(factor)]
    if not (own or factors):
        return
    asked = _Asked(step, space)
    for factor in factors:
        for t in asked.times:
            asked.pair(factor, t)
            asked.factor_chances(factor, t)
    if own and not step.is_coupled:
        for t in asked.times:
            policy = asked.policy(t)
            asked.pair(step, t, policy)
            asked.choice_chances(t, policy)
        asked.value(mass.reshape(step.shape))


def _check_choices(step: Step, name: str) -> None:
    """That what a finite list of actions comes with has its shape."""
    if not step.actions:
        return
    wanted = (step.actions, step.cells)
    for what, shapes, kind in (("allowed", (wanted,), "b"), ("own_cost", ((1, *wanted), (step.steps, *wanted)), "fiu")):
        value = getattr(step, what, None)
        if not isinstance(value, np.ndarray) or value.shape not in shapes or value.dtype.kind not in kind:
            came = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
            needed = "booleans of shape" if kind == "b" else "real numbers of shape"
            raise InputError(
                f"{what} of a {name} is {came}; {needed} {' or '.join(map(str, shapes))}, (actions, cells) at the end, "
                "is needed where it has a list of actions"
            )


class _Asked:
    """A step at values and masses that nobody states by chance."""

    def __init__(self, step: Step, space: Space):
        self.step, self.name = step, type(step).__name__
        self.times = sorted({0, step.time.steps - 1})
        free, pattern = ~space.mask.reshape(space.populations, -1), np.arange(1, space.size + 1) * GOLDEN % 1.0
        spread = free * pattern.reshape(free.shape)
        single = np.zeros(free.shape)
        single[np.arange(len(free)), free.argmax(axis=1)] = 1.0
        self.after, self.free = (free * pattern[::-1].reshape(free.shape)).reshape(step.shape), free
        self.masses = [
            (each / each.sum(axis=1, keepdims=True)).reshape(step.shape) for each in (spread, single) if each.any()
        ]
        self.costs = Costs(np.zeros((step.time.steps + 1, *step.shape)), np.zeros(step.time.steps + 1), self.after)

    def level(self, part: Any, verb: str, arguments: tuple[Any, ...], given: np.ndarray) -> np.ndarray:
        """What a verb makes of a level: another one of its shape, all numbers, the given one left alone."""
        kept, at, of = given.copy(), f" at step {arguments[0]}", f"{verb} of {type(part).__name__}"
        found = ask(getattr(part, verb), arguments, of, CALLS[verb] if part is self.step else "(t, level)", at)
        if not isinstance(found, np.ndarray) or found.shape != self.step.shape or found.dtype.kind not in "fiu":
            came = f"{found.dtype} of shape {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
            raise InputError(f"{of} gives {came}{at}; an array of real numbers of shape {self.step.shape} is needed")
        wrong = ~np.isfinite(found.reshape(self.free.shape)) & self.free
        if wrong.any():
            cell = int(np.flatnonzero(wrong)[0])
            raise InputError(f"{of} gives {found.reshape(-1)[cell]}{at} in cell {cell}; every number must be finite")
        if not np.array_equal(given, kept):
            raise InputError(f"{of} changes the array it is given{at}; work on a copy of it")
        return found

    def policy(self, t: int) -> np.ndarray:
        """What is best before ``after``."""
        policy = np.full(self.step.policy_shape, np.nan)
        value = self.level(self.step, "best", (t, self.after, self.costs, policy), self.after)
        self._least(t, value)
        return policy

    def _least(self, t: int, value: np.ndarray) -> None:
        """No action may cost less than what is best, where actions are a list."""
        step = self.step
        if not step.actions or step.policy_shape != (step.actions, step.cells):
            return
        own = step.own_cost[min(t, len(step.own_cost) - 1)]
        for a in range(step.actions):
            alone = np.zeros(step.policy_shape)
            alone[a] = 1.0
            there = step.expect(t, alone, self.after).reshape(-1) + own[a]
            less = value.reshape(-1) - there > NEAR * (1 + np.abs(there))
            found = np.flatnonzero(less & step.allowed[a] & self.free.reshape(-1))
            if found.size:
                cell = int(found[0])
                raise InputError(
                    f"best of {self.name} is not the least at step {t}: {value.reshape(-1)[cell]:g} in cell {cell}, "
                    f"where action {a} alone costs {there[cell]:g}"
                )

    def pair(self, part: Any, *before: Any) -> None:
        """That mass is kept and stays positive, and that ``push`` and ``expect`` are transposes of each other.

        ``before`` is what comes before the level: the step, and the policy of a step.
        """
        what, t = type(part).__name__, before[0]
        mean = self.level(part, "expect", (*before, self.after), self.after)
        for mass in self.masses:
            moved = self.level(part, "push", (*before, mass), mass)
            totals = moved.reshape(len(self.free), -1).sum(axis=1)
            if (np.abs(totals - 1) > NEAR).any():
                worst = totals[np.argmax(np.abs(totals - 1))]
                raise InputError(
                    f"push of {what} makes {worst:g} of a mass of 1 at step {t}; chances (or a policy of best) that "
                    "sum to 1 keep it"
                )
            if moved.min() < -NEAR:
                raise InputError(f"push of {what} makes a negative mass, {moved.min():g}, at step {t}; no chance is")
            there, here = float((moved * self.after).sum()), float((mass * mean).sum())
            if abs(there - here) > NEAR * (1 + abs(there)):
                raise InputError(
                    f"push of {what} is not the transpose of its expect at step {t}: <push(m), v> is {there:g} and "
                    f"<m, expect(v)> is {here:g}; both must be one matrix of chances, transposed for masses"
                )

    def factor_chances(self, factor: Factor, t: int) -> None:
        """That agents one by one land where ``push`` brings their mass: by a matrix, or by walks."""
        name, cells = type(factor).__name__, self.step.cells
        matrix = ask(factor.matrix, (t,), f"matrix of {name}", "(t)", f" at step {t}")
        if matrix is not None:
            if getattr(matrix, "shape", None) != (cells, cells):
                raise InputError(f"matrix of {name} is no array of shape {(cells, cells)} at step {t}, one row a cell")
            self._land(f"matrix of {name}", factor, t, lambda mass: matrix.T @ mass)
            return
        walks = ask(factor.walks, (cells,), f"walks of {name}", "(cells)")
        if walks is not None:
            self._land(f"walks of {name}", factor, t, lambda mass: reduce(lambda m, walk: walk.push(m), walks, mass))

    def choice_chances(self, t: int, policy: np.ndarray) -> None:
        """The same of the step, by the table that `transitions_at` is."""
        step = self.step
        if type(step).transitions_at is Step.transitions_at or policy.shape != (step.actions, step.cells):
            return
        what = f"transitions_at of {self.name}"

        def table(mass: np.ndarray) -> Any:
            return step.transitions_at(t, mass).matrix(t, step.cells).T @ (policy * mass).reshape(-1)

        self._land(what, step, t, lambda mass: ask(table, (mass,), what, "(t, mass)", f" at step {t}"), policy)

    def _land(self, what: str, part: Any, t: int, way: Callable[[np.ndarray], np.ndarray], *policy: np.ndarray) -> None:
        for mass in self.masses:
            there, here = np.asarray(way(mass.reshape(-1))), part.push(t, *policy, mass).reshape(-1)
            if there.shape != here.shape or not (np.abs(there - here) <= NEAR).all():
                raise InputError(
                    f"{what} brings single agents elsewhere than push does their mass at step {t}; both must be the "
                    "same chances"
                )

    def value(self, mass: np.ndarray) -> None:
        """That the value of the best response is what its policy costs."""
        step, policies = self.step, self.step.new_policy()
        flow = np.empty((step.time.steps + 1, *step.shape))
        flow[0] = mass
        claimed = float((mass * step.backward(self.costs, policies, flow)).sum())
        step.forward(policies, flow)
        own = ask(lambda: step.cost(step.policy_of(policies), flow), (), f"cost of {self.name}", "(policy, mass)")
        paid = own.cost + float((flow[-1] * self.after).sum())
        if not abs(paid - claimed) <= NEAR * (1 + abs(claimed) + own.size):
            raise InputError(
                f"the value that best of {self.name} gives for t = 0 is {claimed:g}, and agents who follow its policy "
                f"pay {paid:g}, by its cost; they must be the same number (own costs in both, discounted in both)"
            )
