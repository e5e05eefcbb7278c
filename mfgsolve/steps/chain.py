"""One agent as a Markov chain in arrays: what agents one by one, learners and regrets need.

A `MarkovChain` moves agents by one step, one by one or as counts.  Most kinds of dynamics become a `Chain` of choice,
transition and walks (those that draw several times in a step are `mfgsolve.steps.draws`).  At step t an agent in state
x chooses action a with chance pi_t(a | x), goes to state y with chance P_t(y | x, a), and takes the walks, which are
the factors that no sparse matrix holds (implicit noise):

    m_{t+1} = W^T sum_a P_t(a)^T (pi_t(a) m_t)

Factors that are sparse matrices are part of P: they act after the control and before the walks.  A controlled diffusion
chooses among "stay" and its neighbours with chance dt s / h.  The mean of many such agents is the flow of the game,
exactly.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.kernels import agents as kernel
from mfgsolve.kernels import finite
from mfgsolve.steps.factors import Factor, expect_all
from mfgsolve.steps.transitions import Transitions, stacked
from mfgsolve.steps.walks import LineWalk, walk_arrays

__all__ = ["Chain", "Law", "MarkovChain", "Moves"]


class Choosing(Protocol):
    """What a law is made of; see `mfgsolve.steps.step.Step`."""

    allowed: np.ndarray
    is_coupled: bool

    @property
    def steps(self) -> int: ...

    @property
    def cells(self) -> int: ...

    @property
    def factors(self) -> Sequence[Factor]: ...

    @property
    def action_names(self) -> list[str]: ...

    def transitions_at(self, t: int, mass: np.ndarray) -> Transitions: ...


class Law:
    """Where each choice leads, whatever the policy: the transition law of a step.

    Attributes
    ----------
    names : of the actions
    allowed : boolean (actions, states)
    states, actions, steps : how many
    walks : what follows the transition, in order
    certain : whether every choice has one successor, the same in all steps

    Raises
    ------
    InputError
        where something follows the control that is neither a sparse matrix nor walks
    """

    def __init__(self, step: Choosing):
        self.step, self.steps, self.states = step, step.steps, step.cells
        self.names, self.allowed = list(step.action_names), step.allowed
        self.actions = len(self.allowed)
        self._sparse, self._dense, self.walks = _sorted(step.factors, self.states)
        self._table = None if step.is_coupled else self._whole(step.transitions_at(0, np.empty(0)))
        self.certain = self._table is not None and _is_certain(self._table)

    @cached_property
    def walk_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """right, left, after, before of all walks, as kernels take them."""
        return walk_arrays(self.walks, self.states)

    def tables(self, part: slice, mass: np.ndarray | None = None) -> Transitions:
        """Transitions of those steps, or of one that stands for all.

        ``mass`` (states,) at the first of them decides where the crowd changes the transitions: then for one step.
        """
        table = self._table
        if table is None:
            if mass is None:
                raise InputError("the dynamics depend on the crowd; a mass is needed to say where choices lead")
            table = self.step.transitions_at(part.start, mass)
            if self._sparse:
                table = stacked([self._after(table, part.start)])
        first = table.first if table.first.shape[0] == 1 else table.first[part]
        return table._replace(first=first)

    def transitions(self, t: int, mass: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows (actions states + 1,), successors and chances of step t."""
        first, successor, chance = self.tables(slice(t, t + 1), mass)
        return first[0], successor, chance

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        """Mass (states,) one step on, of agents who choose by a policy (actions, states), in a crowd; without one they
        are it."""
        levels = np.stack([mass, mass])
        finite.forward(policy[None], self.tables(slice(t, t + 1), mass if crowd is None else crowd), levels)
        out = levels[1]
        for walk in self.walks:
            out = walk.push(out)
        return np.asarray(out)

    def expect(self, t: int, value: np.ndarray, mass: np.ndarray | None = None) -> np.ndarray:
        """Mean of a value (any shape of a level) where each choice of step t leads, (actions, states)."""
        after = expect_all(self._dense, t, value).reshape(-1)
        matrix = self.tables(slice(t, t + 1), mass).matrix(0, self.states)
        return np.asarray(matrix @ after).reshape(self.actions, self.states)

    # -- factors folded in -------------------------------------------------------------------------------------

    def _whole(self, table: Transitions) -> Transitions:
        """The table of all steps with the sparse factors in it: one row of steps where nothing changes."""
        if not self._sparse:
            return table
        steady = table.first.shape[0] == 1 and all(factor.is_steady for factor in self._sparse)
        return stacked([self._after(table, t) for t in range(1 if steady else self.steps)])

    def _after(self, table: Transitions, t: int) -> sparse.csr_array:
        """Transitions of step t and then the sparse factors, (actions states, states).

        Where each choice has one successor its row is that of the factor, entry by entry.
        """
        out = table.matrix(t, self.states)
        for factor in self._sparse:
            chances = factor.matrix(t)
            shape = None if chances is None else chances.shape
            if chances is None or shape != (self.states, self.states):
                raise InputError(
                    f"the matrix of a {type(factor).__name__} at step {t} has shape {shape}; "
                    f"{(self.states, self.states)}, (state, next state), is needed"
                )
            if (np.diff(out.indptr) == 1).all() and (out.data == 1.0).all():
                out = chances[out.indices]
            else:
                out = out @ chances
                out.sort_indices()
        return out


class Moves(Protocol):
    """One step of agents that follow a policy."""

    def walk(self, cells: np.ndarray, stream: np.ndarray, actions: np.ndarray) -> None:
        """Move agents one by one: ``cells`` (agents,) int32 change in place, -1 has left.

        ``actions`` gets what each chose, where there is a list of choices; it may be empty.  ``stream`` (4,) of random
        numbers moves on.
        """

    def split(self, counts: np.ndarray, stream: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Counts (states,) int64 one step on; ``chosen`` (actions, states) grows by who chose what, unless empty."""


class MarkovChain(ABC):
    """One agent that follows a policy.

    Attributes
    ----------
    steps, states, actions : how many; no actions where agents choose from no finite list
    own_cost : (T, states, actions), what the agent pays itself for each choice, the entropy of the choice included; or
        (T, states, 1), the same whatever it chooses
    """

    steps: int
    states: int
    actions: int
    own_cost: np.ndarray

    @property
    def pays_by_choice(self) -> bool:
        """Whether own costs depend on what is chosen."""
        return self.own_cost.shape[2] == self.actions

    @abstractmethod
    def expect(self, t: int, mass: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        """Mass (states,) one step on: the mean of agents that start from ``mass`` at step t.

        ``crowd`` (states,) decides where the dynamics are coupled to one; without it these agents are the crowd.
        """

    @abstractmethod
    def moves(self, t: int, mass: np.ndarray) -> Moves:
        """Step t; ``mass`` (states,) decides where the dynamics are coupled to the crowd."""

    @abstractmethod
    def by_choice(self) -> Chain:
        """The same as a chain of choices.

        Raises
        ------
        InputError
            where agents choose from no finite list
        """

    def occupation(self, mass: np.ndarray) -> np.ndarray:
        """Mass of every choice, (T, actions, states), where ``mass`` (T+1, states) chooses as the policy says.

        Empty without a list of choices.
        """
        return np.empty((self.steps, 0, self.states))


class Chain(MarkovChain):
    """One agent that follows a policy by choosing from a finite list.

    Parameters
    ----------
    law : where choices lead
    choices : (T, states, actions), chance of each action
    own_cost : see `MarkovChain`
    """

    def __init__(self, law: Law, choices: np.ndarray, own_cost: np.ndarray):
        self.law, self.choices, self.own_cost = law, choices, own_cost
        self.steps, self.states, self.actions = choices.shape

    def expect(self, t: int, mass: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        return self.law.push(t, np.ascontiguousarray(self.choices[t].T), mass, crowd)

    def moves(self, t: int, mass: np.ndarray) -> Moves:
        return _ChosenMoves(self.law, self.choices[t], self.law.transitions(t, mass))

    def by_choice(self) -> Chain:
        return self

    def occupation(self, mass: np.ndarray) -> np.ndarray:
        return np.asarray(self.choices.transpose(0, 2, 1) * mass[:-1, None])


class _ChosenMoves:
    """One step of a `Chain`: choice (states, actions), transition by the table, walks."""

    def __init__(self, law: Law, choices: np.ndarray, table: tuple[np.ndarray, np.ndarray, np.ndarray]):
        self.law, self.choices, self.table = law, choices, table

    def walk(self, cells: np.ndarray, stream: np.ndarray, actions: np.ndarray) -> None:
        law = self.law
        kernel.walk(cells, self.choices, law.certain, *self.table, *law.walk_arrays, stream, actions)

    def split(self, counts: np.ndarray, stream: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        law, moved = self.law, np.empty_like(counts)
        kernel.split(counts, self.choices, law.certain, *self.table, stream, moved, chosen)
        for line in law.walks:
            kernel.spread(moved, line.cells, line.stride, line.right, line.left, line.ring, stream)
        return moved


def _sorted(factors: Sequence[Factor], states: int) -> tuple[list[Factor], list[Factor], list[LineWalk]]:
    """The sparse factors, the dense ones after them, and the walks that these are."""
    thin: list[Factor] = []
    dense: list[Factor] = []
    walks: list[LineWalk] = []
    for factor in factors:
        if factor.matrix(0) is not None:
            if dense:
                raise InputError(
                    f"a {type(factor).__name__} acts after a {type(dense[-1]).__name__}, which is no sparse matrix; "
                    "agents one by one take sparse factors first: put it before"
                )
            thin.append(factor)
            continue
        steps = factor.walks(states)
        if steps is None:
            raise InputError(
                f"a {type(factor).__name__} acts after the control, and says neither its chances nor walks, so that "
                "agents cannot take it one by one; give it a method matrix(t), a scipy.sparse.csr_array (state, next "
                "state), or walks (see mfgsolve.steps.Factor); densities and certificates need neither"
            )
        dense.append(factor)
        walks += steps
    return thin, dense, walks


def _is_certain(table: Transitions) -> bool:
    """One successor for every row, in order."""
    return table.first.shape[0] == 1 and bool((np.diff(table.first[0]) == 1).all())
