"""Imagined replay: who knows f replays a step as it would have been, had others, or oneself, done something else.

From Köpf et al. (arXiv:1910.13196).  With a probability proportional to the exploration epsilon an agent replays a step
with the others idle, which tells it what its control does; with one proportional to 1 - epsilon it replays three
scenarios of coordination: itself idle, itself doing the mean of the others, all others doing as it does.  The factors
of proportionality are not public; they are parameters here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, real
from mfgsolve.parts.temporal import checked_epsilon

__all__ = ["SCENARIOS", "Imagination", "alone", "nearest", "scenarios"]

SCENARIOS = ("oneself idle", "oneself doing the mean of the others", "all others doing as oneself")


def nearest(control: Any, wish: Any) -> np.ndarray:
    """The number of the control (controls,) that is nearest to each wish; of two as near, the first listed."""
    gap = np.abs(np.asarray(control) - np.asarray(wish, dtype=float)[..., None])
    return np.asarray(gap.argmin(axis=-1))


def alone(choices: Any, own: int) -> np.ndarray:
    """What all do if the others idle: (rows, agents) again.

    Parameters
    ----------
    choices : (rows, agents), numbers of the controls that were seen; number 0 is to be idle
    own : which agent imagines it
    """
    seen, _ = _checked(choices, own)
    result = np.zeros_like(seen)
    result[:, own] = seen[:, own]
    return result


def scenarios(choices: Any, own: int, control: Any) -> np.ndarray:
    """What all do in the three scenarios of coordination, (3, rows, agents), in the order of `SCENARIOS`.

    Parameters
    ----------
    choices, own : see `alone`
    control : (controls,), values of the controls, the first 0; the mean of the others is rounded to the nearest
    """
    seen, agents = _checked(choices, own)
    values = numbers(control, "controls")
    if values.ndim != 1 or not values.size or values[0] != 0:
        raise InputError("the first of the controls is to be idle, 0; list it first")
    result = np.repeat(seen[None], 3, axis=0)
    others = [j for j in range(agents) if j != own]
    result[0, :, own] = 0
    result[1, :, own] = nearest(values, values[seen[:, others]].mean(axis=1))
    result[2] = seen[:, [own]]
    return result


def _checked(choices: Any, own: int) -> tuple[np.ndarray, int]:
    seen = np.asarray(choices)
    if seen.ndim != 2 or seen.dtype.kind not in "iu":
        raise InputError(f"choices are {seen.dtype} of shape {seen.shape}; whole numbers (rows, agents) are needed")
    agents = seen.shape[1]
    if agents < 2:
        raise InputError(f"{agents} agent acts; at least 2 are needed to imagine what the others do")
    if not 0 <= own < agents:
        raise InputError(f"agent {own} imagines; there are agents 0 to {agents - 1}")
    return seen, agents


@dataclass(frozen=True)
class Imagination:
    """How often a step is replayed.

    Parameters
    ----------
    idle : factor of epsilon, the probability to replay it with the others idle
    coordination : factor of 1 - epsilon, the probability to replay the three scenarios
    """

    idle: float = 1.0
    coordination: float = 1.0

    def __post_init__(self) -> None:
        for name in ("idle", "coordination"):
            if not 0 <= real(getattr(self, name), f"{name} of the imagined replay") <= 1:
                raise InputError(
                    f"{name} of the imagined replay is {getattr(self, name):g}; a factor from 0 (never) to 1 is needed"
                )

    def chances(self, epsilon: Any) -> tuple[float, float]:
        """Probabilities of the one and of the three."""
        explores = checked_epsilon(epsilon)
        return self.idle * explores, self.coordination * (1 - explores)
