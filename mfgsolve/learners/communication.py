"""Networked learners: agents with tables of their own, who tell their neighbours on a graph what they have learned.

Agent k hears those that it reaches by at most so many hops, itself included.  After every episode of the game,

- "episodes": it runs its learner on the walks of all that it hears, in the order of their numbers.  Where nobody hears
  anybody this is independent learning, where everybody hears everybody the learning of one table that all share, both
  bit for bit.
- "diffusion": it runs its learner on its own walk, and then takes the mean of the tables it hears, with Metropolis
  weights (`mfgsolve.parts.combine`): adapt, then combine.
- "adoption": it runs its learner on its own walk, and then takes over the tables of the one it hears that expects the
  best return of its policy: the mean, over the states that it has started from, of its own estimate of their value.

Which of them helps, and how much, is measured by ``benchmarks/decentralised_games.py``.

Compare Benjamin and Abate, Networked communication for decentralised agents in mean-field games, arXiv:2306.02766, and
Macua et al., Diff-DAC, arXiv:1710.10363.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError, shown, unknown, whole
from mfgsolve.parts.combine import Combine
from mfgsolve.parts.graphs import graph, link_text, within

__all__ = ["COMBINE", "LATER", "LOOSE", "Network", "check_network", "checked_course", "checked_links"]

COMBINE = ("episodes", "diffusion", "adoption")
LATER = {"later": True}  # metadata of an option that checkpoints of the same version may lack
LOOSE = {"loose": True, "later": True}  # and of one whose type the learner checks itself
OPTIONS = ("graph", "hops", "combine", "connected")  # of a learner


def check_network(learner: Any) -> None:
    """Refuse a learner whose agents cannot talk as it says; a graph that is no text becomes one, which files hold.

    ``learner`` is a frozen dataclass with ``agents``, ``seed``, ``shared`` and the options of a network.
    """
    name = learner.name
    for option in ("shared", "connected"):
        if not isinstance(getattr(learner, option), bool):
            raise InputError(f"{option} of {name} is {shown(getattr(learner, option))}; True or False is needed")
    object.__setattr__(learner, "hops", whole(learner.hops, f"hops of {name}"))
    if learner.hops < 0:
        raise InputError(f"hops of {name} is {learner.hops}; 0 (oneself alone) or more are needed")
    if learner.combine not in COMBINE:
        raise InputError(unknown(f"combine of {name}", learner.combine, COMBINE))
    if learner.shared:
        for part in fields(learner):
            value = getattr(learner, part.name)
            if part.name in OPTIONS and not _is_default(value, part.default):
                told = shown(value) if isinstance(value, str | int) else f"a {type(value).__name__}"
                raise InputError(
                    f"{part.name} of {name} is {told}, and agents share one table, so that everybody hears everybody; "
                    "take shared=False"
                )
        return
    links = graph(learner.graph, learner.agents, learner.seed, learner.connected)
    if not isinstance(learner.graph, str):
        object.__setattr__(learner, "graph", link_text(links))


def _is_default(value: Any, default: Any) -> bool:
    return default is not MISSING and isinstance(value, type(default)) and bool(value == default)


@dataclass(frozen=True, eq=False)
class Network:
    """Who hears whom, and what they do with it.

    Attributes
    ----------
    links : the graph, (agents, agents)
    reach : (agents, agents), 1 where k hears l, itself included
    combine : one of `COMBINE`
    mean : of diffusion; None elsewhere
    """

    links: sparse.csr_array
    reach: sparse.csr_array
    combine: str
    mean: Combine | None

    @classmethod
    def of(cls, learner: Any, pairs: np.ndarray | None = None) -> Network | None:
        """That of a learner; None where one table is shared.  ``pairs`` (links, 2) is a graph that a file holds, which
        need not be drawn anew."""
        if learner.shared:
            return None
        agents = learner.agents
        if pairs is None:
            links = graph(learner.graph, agents, learner.seed, learner.connected)
        else:
            links = graph(_text(pairs), agents, connected=False)
        reach = within(links, learner.hops)
        mean = Combine(agents, reach, connected=False) if learner.combine == "diffusion" else None
        return cls(links, reach, learner.combine, mean)

    @property
    def pairs(self) -> np.ndarray | None:
        """Links as (links, 2) numbers of agents, for a file; None where there are none."""
        upper = sparse.coo_array(sparse.triu(self.links, 1))
        return np.stack([upper.row, upper.col], axis=1).astype(np.int64) if upper.nnz else None

    @property
    def heard(self) -> tuple[np.ndarray, np.ndarray]:
        """Whose walks each agent learns from: agent k from ``who[first[k]:first[k + 1]]``, ascending."""
        agents = self.links.shape[0]
        if self.combine != "episodes":
            return np.arange(agents + 1), np.arange(agents)
        return self.reach.indptr.astype(np.int64), self.reach.indices.astype(np.int64)

    def told(self, tables: list[np.ndarray], returns: Callable[[], np.ndarray]) -> list[np.ndarray]:
        """Tables (agents, ...) after agents have told each other of them; ``returns`` (agents,) are what they expect.

        The same arrays where nobody tells anything.
        """
        if self.combine == "diffusion":
            assert self.mean is not None
            return [self.mean(table) if table.dtype.kind == "f" else table for table in tables]
        if self.combine == "adoption":
            chosen = self.best(returns())
            if not np.array_equal(chosen, np.arange(chosen.size)):
                return [table[chosen] for table in tables]
        return tables

    def best(self, returns: np.ndarray) -> np.ndarray:
        """Whom each agent follows: the one it hears that expects most, itself before others, then the lowest number."""
        followed = np.arange(returns.size)
        for k in range(returns.size):
            heard = self.reach.indices[self.reach.indptr[k] : self.reach.indptr[k + 1]]
            best = heard[np.argmax(returns[heard])]
            if returns[best] > returns[k]:
                followed[k] = best
        return followed


def checked_links(pairs: np.ndarray | None, agents: int) -> None:
    """Whether links from a file are those of so many agents; a ValueError if not."""
    if pairs is None:
        return
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise ValueError(f"links of shape {pairs.shape}, where pairs of agents should be")
    if pairs.size and (pairs.min() < 0 or pairs.max() >= agents):
        raise ValueError(f"links to agent {pairs.max()}, of {agents}")


def checked_course(apart: np.ndarray | None, iteration: int) -> None:
    """Whether the disagreement from a file is that of so many iterations; a ValueError if not."""
    if apart is not None and (apart.ndim != 1 or apart.size > iteration + 1 or not (apart >= 0).all()):
        raise ValueError(f"what agents differed by, of shape {apart.shape}, after {iteration} iterations")


def _text(pairs: np.ndarray) -> str:
    return " ".join(f"{k}-{j}" for k, j in pairs) or "none"
