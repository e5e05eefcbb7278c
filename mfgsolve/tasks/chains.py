"""Slippery chains: one small chain of cells for each agent, alike but for how often a step goes astray.

Cells 0 .. n-1.  Everybody starts in cell 0 and steps to the left or to the right, within the chain; with the
probability of the agent's own chain the step goes the other way.  Who stands in the last cell is paid 1 there and
starts anew.  A policy pi that is played on a chain of slip p has the value, from the first cell,

    V = r + discount P_pi V  without the last cell's future,     r = 1 in the last cell, 0 elsewhere,

a linear system of n unknowns.  Where steps go astray more often than not, to want the left is to go right: an agent
who knows its own chain alone learns what is of no use on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mfgsolve.errors import InputError, real, whole
from mfgsolve.tasks.task import Task

__all__ = ["SlipperyChains", "TabularTasks"]

LEFT, RIGHT = 0, 1


class TabularTasks(Task):
    """Base of tasks of few states and actions, which share all but the chances of what a choice leads to.

    Attributes
    ----------
    tasks, states, actions : how many
    discount : of a step
    """

    tasks: int
    discount: float
    actions: ClassVar[int]

    @property
    def states(self) -> int:
        raise NotImplementedError("states")

    @property
    def start(self) -> int:
        """Where every episode begins."""
        raise NotImplementedError("start")

    @property
    def successor(self) -> np.ndarray:
        """States that a choice can lead to, (actions, states, outcomes)."""
        raise NotImplementedError("successor")

    @property
    def chance(self) -> np.ndarray:
        """Probability of each outcome, (tasks, actions, states, outcomes)."""
        raise NotImplementedError("chance")

    @property
    def reward(self) -> np.ndarray:
        """Of being in a state at the beginning of a step, (states,)."""
        raise NotImplementedError("reward")

    @property
    def ends(self) -> np.ndarray:
        """Whether an episode ends with the step that is made in a state, (states,)."""
        raise NotImplementedError("ends")

    @property
    def transitions(self) -> np.ndarray:
        """Probability of the next state, (tasks, actions, states, states); none where an episode ends."""
        result = np.zeros((self.tasks, self.actions, self.states, self.states))
        index = np.ogrid[: self.tasks, : self.actions, : self.states]
        for k in range(self.successor.shape[-1]):
            np.add.at(result, (*index, self.successor[None, :, :, k]), self.chance[..., k])
        result[:, :, self.ends] = 0.0
        return result

    def values(self, policy: np.ndarray) -> np.ndarray:
        """Exact discounted values of policies (..., states, actions) on every task, (..., tasks, states)."""
        walk = np.einsum("...xa,kaxy->...kxy", policy, self.transitions)
        system = np.eye(self.states) - self.discount * walk
        return np.asarray(np.linalg.solve(system, self.reward[:, None])[..., 0])

    def returns(self, policy: np.ndarray) -> np.ndarray:
        """Exact discounted values from the start, (..., tasks)."""
        return np.asarray(self.values(policy)[..., self.start])


@dataclass(frozen=True)
class SlipperyChains(TabularTasks):
    """See the module.

    Parameters
    ----------
    tasks : how many chains, one for each agent
    cells : of each chain
    slip : of the most slippery chain; the first never slips, those between are evenly spaced
    discount : of a step
    """

    tasks: int = 9
    cells: int = 9
    slip: float = 0.6
    discount: float = 0.95
    name = "slippery-chains"
    source = "of mfgsolve itself, after the many similar tasks of Macua et al., arXiv:1710.10363"
    summary = "Chains of cells that slip, one for each agent: learn one policy that is good on all."
    learner = "diff-dac"
    actions = 2

    def __post_init__(self) -> None:
        for name, least in (("tasks", 1), ("cells", 2)):
            if whole(getattr(self, name), f"{name} of slippery chains") < least:
                raise InputError(f"{name} of slippery chains is {getattr(self, name)}; at least {least} is needed")
        if not 0 <= real(self.slip, "slip of slippery chains") <= 1:
            raise InputError(f"slip of slippery chains is {self.slip}; a probability from 0 to 1 is needed")
        if not 0 <= real(self.discount, "discount of slippery chains") < 1:
            raise InputError(f"discount of slippery chains is {self.discount}; 0 to less than 1 is possible")

    @property
    def states(self) -> int:
        return self.cells

    @property
    def start(self) -> int:
        return 0

    @property
    def slips(self) -> np.ndarray:
        """Of every chain, (tasks,)."""
        return np.linspace(0.0, self.slip, self.tasks)

    @property
    def successor(self) -> np.ndarray:
        cells = np.arange(self.cells)
        left, right = np.maximum(cells - 1, 0), np.minimum(cells + 1, self.cells - 1)
        return np.stack([np.stack([left, right], axis=-1), np.stack([right, left], axis=-1)])

    @property
    def chance(self) -> np.ndarray:
        wanted = np.stack([1.0 - self.slips, self.slips], axis=-1)
        return np.broadcast_to(wanted[:, None, None, :], (self.tasks, 2, self.cells, 2)).copy()

    @property
    def reward(self) -> np.ndarray:
        return np.asarray(np.arange(self.cells) == self.cells - 1, dtype=float)

    @property
    def ends(self) -> np.ndarray:
        return np.arange(self.cells) == self.cells - 1
