"""What tells steps apart: sampled arrays, of which the digest in a checkpoint is made (`mfgsolve.identity`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mfgsolve.steps.costs import Costs
from mfgsolve.steps.factors import Factor

__all__ = ["sampled_factors", "sampled_responses", "sampled_transitions", "unchanging"]

GOLDEN = (5**0.5 - 1) / 2  # an irrational step: its multiples modulo 1 are numbers that nobody states by chance
STEEP = 100.0


def unchanging(levels: np.ndarray) -> np.ndarray:
    """One level where all are the same."""
    return levels[:1] if (levels == levels[:1]).all() else levels


def sampled_responses(step: Any, masses: Sequence[np.ndarray]) -> Iterator[Any]:
    """At every step: the least value before two that nobody states by chance, and where their policies lead the masses.

    One value is gentle and one is steep, so that costs tell and so does where one can go at any cost.

    Parameters
    ----------
    step : a `Step`
    masses : (cells,) each
    """
    yield from (step.shape, step.policy_shape, step.temperature)
    gentle = (np.arange(1, step.cells + 1) * GOLDEN % 1.0).reshape(step.shape)
    nothing = np.zeros(step.shape)
    costs = Costs(np.zeros((step.steps + 1, *step.shape)), np.zeros(step.steps + 1), nothing)
    for t in range(step.steps):
        for after in (gentle, STEEP * gentle):
            policy = np.zeros(step.policy_shape)
            yield np.asarray(step.best(t, after, costs, policy))
            for mass in masses:
                yield np.asarray(step.diffuse(step.push(t, policy, mass.reshape(step.shape)), True, t))


def sampled_factors(step: Any, factors: Sequence[Factor], masses: Sequence[np.ndarray]) -> Iterator[Any]:
    """Where each factor takes the masses, at every step that changes it."""
    for number, factor in enumerate(factors):
        before: list[np.ndarray] = []
        for t in range(1 if factor.is_steady else step.steps):
            now = [np.asarray(factor.push(t, mass.reshape(step.shape).copy())) for mass in masses]
            if not before or any((one != other).any() for one, other in zip(now, before, strict=True)):
                yield (number, t)
                yield from now
            before = now


def sampled_transitions(step: Any, masses: Sequence[np.ndarray]) -> Iterator[Any]:
    """Probabilities, row by row and column by column, whatever they were stored as, at every step that changes them.

    Parameters
    ----------
    step : a `TableStep`
    masses : (states,) each, at which transitions are sampled where the crowd decides them
    """
    before: list[bytes] = []
    for t in range(step.steps if step.is_coupled else step.transitions.first.shape[0]):
        for mass in masses if step.is_coupled else masses[:1]:
            rows = step.transitions_at(t, mass).matrix(0 if step.is_coupled else t, step.states).copy()
            rows.sum_duplicates()
            rows.eliminate_zeros()
            parts = [rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data]
            now = [part.tobytes() for part in parts]
            if now != before:
                yield t
                yield from parts
            before = now
