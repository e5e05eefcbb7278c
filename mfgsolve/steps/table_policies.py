"""Policies of finite games: probabilities of actions, and the mean of many as an occupation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mfgsolve.errors import InputError, numbers
from mfgsolve.inputs.precision import ROUND, precision_of, remedy, say_renormalised, slack
from mfgsolve.spaces import Space
from mfgsolve.steps.policies import Average, Policy

__all__ = ["OccupationAverage", "TablePolicy"]

TINY = 1e-300  # stands for a probability of 0 in a logarithm that is multiplied by it


class Tables(Protocol):
    """What a policy is checked against; see `mfgsolve.steps.step.Step`."""

    space: Space
    actions: int
    allowed: np.ndarray

    @property
    def cells(self) -> int: ...

    @property
    def steps(self) -> int: ...

    def uniform(self) -> np.ndarray: ...


@dataclass(frozen=True)
class TablePolicy(Policy):
    """Probability of every action in every state, (T, actions, states)."""

    probabilities: np.ndarray

    @classmethod
    def checked(cls, policy: Any, step: Tables) -> TablePolicy:
        """A policy that a user brings, (step, action, *shape)."""
        wanted = (step.steps, step.actions, *step.space.shape)
        array = numbers(policy, "policy", "probabilities are needed")
        if array.shape != wanted:
            raise InputError(f"policy has shape {array.shape}; (step, action, ...) = {wanted} is needed")
        table = np.array(array.reshape(step.steps, step.actions, step.cells))
        free = np.asarray(step.space.inside).reshape(-1)
        table[:, :, ~free] = step.uniform()[:, :, ~free]  # nobody is there, or has left
        if not np.isfinite(table).all():
            raise InputError("policy has a probability that is not finite")
        if (table < 0).any():
            t, a, x = (int(i) for i in np.argwhere(table < 0)[0])
            raise InputError(
                f"policy has probability {table[t, a, x]:g} of action {a} in state {x} at step {t}; none is negative"
            )
        if (table > 0)[:, ~step.allowed].any():
            t, a, x = (int(i) for i in np.argwhere((table > 0) & ~step.allowed)[0])
            raise InputError(f"policy takes action {a} in state {x} at step {t}, which is not allowed there")
        sums, kind = table.sum(axis=1), precision_of(policy)
        missed, near = np.abs(sums - 1), slack(kind, step.actions)
        if (missed > near).any():
            t, x = (int(i) for i in np.argwhere(missed > near)[0])
            raise InputError(
                f"policy in state {x} at step {t} sums to {sums[t, x]:.12g}; probabilities sum to 1, and these miss it "
                f"by {missed[t, x]:.1e}{remedy(kind, 'divide them by their sum, p / p.sum(axis=1, keepdims=True)')}"
            )
        if near > ROUND and missed.any():
            say_renormalised("policy", kind, float(missed.max()))
            table /= sums[:, None]
        return cls(table)


@dataclass(frozen=True)
class OccupationAverage(Average):
    """Mean of policies as an occupation w (T, actions, states); its policy is w / m, uniform where nobody is.

    The occupation of a mean is the mean of the occupations, and since the entropy is convex it costs no more than the
    mixture.  Where the crowd decides the transitions, the mean is made a flow of its own policy again.
    """

    crowd: np.ndarray
    occupation: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        return {"crowd": self.crowd, "occupation": self.occupation}

    def policy(self, uniform: np.ndarray) -> np.ndarray:
        """Probabilities (T, actions, states); those of ``uniform`` where nobody is."""
        mass = self.occupation.sum(axis=1, keepdims=True)
        return np.where(mass > 0, self.occupation / np.where(mass > 0, mass, 1.0), uniform)

    def mix(self, game: Any, policy: np.ndarray, crowd: np.ndarray, length: float) -> None:
        newest = policy * crowd[:-1, None, : game.cells]
        if length == 1.0:
            self.occupation[:] = newest
            self.crowd[:] = crowd
        else:
            newest -= self.occupation
            newest *= length
            self.occupation[:] += newest
            self.crowd[:] += length * (crowd - self.crowd)
        if game.is_coupled:
            mean = self.policy(game.step.uniform())
            game.flow(mean, self.crowd)
            np.multiply(mean, self.crowd[:-1, None, : game.cells], out=self.occupation)

    def own_slope(
        self, step: Any, policy: np.ndarray, crowd: np.ndarray, difference: float
    ) -> Callable[[float], float]:
        """<l + tau log(w / m), w' - w>, exact."""
        if not step.is_smooth:
            return super().own_slope(step, policy, crowd, difference)
        change = policy * crowd[:-1, None, : step.states] - self.occupation
        linear = float((step.own_cost * change).sum())
        first = float(step.entropy_cost[0])
        shares = (step.entropy_cost / first)[:, None, None]

        def slope(length: float) -> float:
            there = self.occupation + length * change
            mass = there.sum(axis=1, keepdims=True)
            share = np.divide(there, mass, out=np.ones_like(there), where=there > 0)
            return linear + first * float((shares * change * np.log(np.maximum(share, TINY))).sum())

        return slope
