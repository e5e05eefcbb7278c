"""Cooperative agents with a table each: how they begin, play and choose, in several trainings (seeds) at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mfgsolve.kernels import cooperation as kernel
from mfgsolve.parts.imagination import Imagination
from mfgsolve.parts.impact import Impact
from mfgsolve.parts.temporal import TemporalBatches
from mfgsolve.tasks.plant import Plant, Tables

__all__ = ["PARTS", "Agents", "Laws", "Memory", "TableAgents", "empty_memory"]

PARTS = ("temporal", "imagined", "impact")


@dataclass(frozen=True)
class Laws:
    """What agents learn by.  ``parts`` tells which of `PARTS` are in use; without impact, alpha is the step size."""

    parts: tuple[bool, bool, bool]
    batches: TemporalBatches
    imagination: Imagination
    impact: Impact


@dataclass
class Memory:
    """The latest transitions of every seed, in rings: before, after (seeds, capacity), joint (seeds, capacity, agents),
    and how many have come, seen (seeds,).  ``updates`` (seeds,) of values have been made."""

    before: np.ndarray
    joint: np.ndarray
    after: np.ndarray
    seen: np.ndarray
    updates: np.ndarray


def empty_memory(shape: tuple[int, ...], capacity: int, agents: int) -> Memory:
    """Before anything happened; ``shape`` is (seeds,), or more axes with that of the seeds last."""
    ring, joint = (*shape, capacity), (*shape, capacity, agents)
    return Memory(*(np.zeros(each, np.int64) for each in (ring, joint, ring, shape, shape)))


class Agents(Protocol):
    """Agents who learn, by what they store their values in.  ``values`` is one array, (seeds, agents, ...)."""

    def fresh(self, seeds: int, rng: np.random.Generator) -> np.ndarray:
        """Values before anything was learned."""

    def play(
        self, values: np.ndarray, memory: Memory, laws: Laws, epsilons: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Play an episode for each entry of ``epsilons`` (exploration), and learn from it, in place."""

    def choices(self, values: np.ndarray) -> np.ndarray:
        """Greedy controls by their numbers, (seeds, states, agents)."""


class TableAgents:
    """A number q(x, u_i) for each state and each own control; 0 at first, which is more than anything is worth.

    Parameters
    ----------
    plant : the task
    tables : the same on its grid
    """

    def __init__(self, plant: Plant, tables: Tables):
        self.plant, self.tables = plant, tables

    def fresh(self, seeds: int, rng: np.random.Generator) -> np.ndarray:
        """Zeros (seeds, agents, states, controls)."""
        return np.zeros((seeds, self.tables.agents, self.tables.states, len(self.tables.controls)))

    def play(
        self, values: np.ndarray, memory: Memory, laws: Laws, epsilons: np.ndarray, rng: np.random.Generator
    ) -> None:
        """See `Agents`: after every step, each agent learns from a minibatch of its own."""
        tables, batches, impact = self.tables, laws.batches, laws.impact
        seeds, capacity = memory.before.shape
        streams = rng.integers(2**64, size=(seeds, 4), dtype=np.uint64)
        plant = (
            tables.successor, tables.chance, tables.controls, int(tables.totals[0]), tables.reward, tables.effort,
        )  # fmt: skip
        aging = np.exp(np.minimum(np.arange(capacity) / batches.fading, 700.0))
        share = 1.0 / tables.agents
        kernel.train(
            values, (memory.before, memory.joint, memory.after), memory.seen, streams, memory.updates,
            np.asarray(epsilons, dtype=float), self.plant.steps, tables.discount, plant,
            (int(batches.minibatch), int(batches.macrobatch), aging), laws.parts,
            (float(laws.imagination.idle), float(laws.imagination.coordination)),
            (float(impact.alpha), float(impact.sigma), float(impact.beta), impact.low * share, impact.high * share),
        )  # fmt: skip

    def choices(self, values: np.ndarray) -> np.ndarray:
        """See `Agents`; of controls that are tied, the first listed."""
        return np.asarray(values.argmax(axis=-1).transpose(0, 2, 1))
