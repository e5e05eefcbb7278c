"""Temporal replay: recent transitions count more, and the more so the less a learner explores.

Where several agents learn at once, what the others did long ago is not what they do now.  From Köpf et al.
(arXiv:1910.13196): a macro-batch of

    B_k = round((1 - epsilon) (B - t) + t)

transitions is drawn evenly, none twice, and a minibatch of t from it with probabilities that fall with age: at
exploration epsilon = 1 an even minibatch, at 0 the most that the law of age can do with B of them.  The paper's law of
age is not public; here it is exp(-age / fading), and the minibatch has no transition twice: both are reconstructed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, real, whole
from mfgsolve.parts.replay import Replay

__all__ = ["TemporalBatches", "TemporalReplay", "checked_epsilon"]


def checked_epsilon(epsilon: Any) -> float:
    """A probability to explore."""
    value = real(epsilon, "epsilon")
    if not 0 <= value <= 1:
        raise InputError(f"epsilon is {value:g}; a probability from 0 to 1 is needed")
    return value


@dataclass(frozen=True)
class TemporalBatches:
    """The law by which minibatches are drawn.

    Parameters
    ----------
    minibatch : t, transitions that are learned from at once
    macrobatch : B, the most that they are drawn from
    fading : age, in transitions, at which a probability has fallen to 1/e
    """

    minibatch: int = 16
    macrobatch: int = 500
    fading: float = 1000.0

    def __post_init__(self) -> None:
        mini, macro = whole(self.minibatch, "minibatch"), whole(self.macrobatch, "macrobatch")
        if mini < 1:
            raise InputError(f"minibatch is {mini}; at least 1 transition is needed")
        if macro < mini:
            raise InputError(
                f"macrobatch is {macro}, less than the minibatch of {mini} that is drawn from it; take {mini} or more"
            )
        if not 0 < real(self.fading, "fading") < float("inf"):
            raise InputError(f"fading is {self.fading:g}; a positive number of transitions is needed")

    def size(self, epsilon: Any) -> int:
        """B_k, halves rounded up."""
        return int(np.floor((1 - checked_epsilon(epsilon)) * (self.macrobatch - self.minibatch) + self.minibatch + 0.5))

    def probabilities(self, ages: Any) -> np.ndarray:
        """Of the first draw from transitions of these ages (rows,): they sum to 1."""
        old = numbers(ages, "ages")
        if old.ndim != 1 or not old.size or not (old >= 0).all():
            raise InputError(f"ages have shape {old.shape}; (rows,), each 0 or more, are needed")
        weight = np.exp(-(old - old.min()) / self.fading)
        return np.asarray(weight / weight.sum())

    def draw(self, ages: Any, epsilon: Any, rng: np.random.Generator) -> np.ndarray:
        """Rows of a minibatch, from transitions of these ages; all of them where there are fewer."""
        old = numbers(ages, "ages")
        chosen = rng.permutation(old.size)[: self.size(epsilon)]
        if chosen.size <= self.minibatch:
            return np.asarray(chosen)
        self.probabilities(old)  # which are refused here, if at all
        keys = np.log(rng.exponential(size=chosen.size)) + old[chosen] / self.fading  # the least: Efraimidis, Spirakis
        return np.asarray(chosen[np.argsort(keys, kind="stable")[: self.minibatch]])


class TemporalReplay(Replay):
    """A replay (`Replay`) that draws its minibatches by `TemporalBatches`, for any learner that has one.

    Parameters
    ----------
    capacity : transitions that are kept
    macrobatch, fading : see `TemporalBatches`
    epsilon : how much the learner explores; set the attribute of the same name as that falls

    Examples
    --------
    >>> import numpy as np
    >>> replay = TemporalReplay(100, macrobatch=50, fading=10.0, epsilon=0.1)
    >>> replay.add(state=np.arange(80))
    >>> replay.sample(8, np.random.default_rng(0))["state"].size
    8
    """

    def __init__(self, capacity: int, macrobatch: int, fading: float, epsilon: float = 1.0):
        super().__init__(capacity)
        if self.capacity < whole(macrobatch, "macrobatch"):
            raise InputError(
                f"capacity of the replay is {self.capacity}, less than the macrobatch of {macrobatch}; make it larger"
            )
        self.macrobatch, self.fading, self.epsilon = macrobatch, fading, epsilon

    def sample(self, number: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """A minibatch, each transition at most once; fewer than asked for where fewer are stored."""
        law = TemporalBatches(whole(number, "size of the minibatch"), self.macrobatch, self.fading)
        if not self.size:
            raise InputError("the replay is empty; add transitions before drawing from it")
        rows = law.draw(np.arange(self.size)[::-1], self.epsilon, rng)
        return {name: values[rows] for name, values in self.arrays().items()}
