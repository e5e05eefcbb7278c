"""A finite Markov decision process in arrays, and its exact action values.

    Q(a, s) = r(a, s) + discount sum_s' P(s' | s, a) max_b Q(b, s')

Rows of P may sum to less than 1: with the rest the process ends, and nothing is earned any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from mfgsolve.errors import InputError, numbers, real, whole

__all__ = ["DecisionProcess"]

ROUND = 1e-9  # by which chances may miss
TIED = 1e-12  # values that are that close, relative to the largest, are alike
SWEEPS = 1000  # of policy iteration at the most; a dozen are usual


@dataclass(frozen=True, eq=False)
class DecisionProcess:
    """What one decision maker meets: finitely many states and actions, known chances.

    Attributes
    ----------
    first, successor, chance : rows of the transitions: of action a in state s the entries first[k]..first[k+1] with
        k = a states + s
    reward : expected, (actions, states), per action
    allowed : boolean (actions, states), at least one action in every state
    start : chance of each state at the start, (states,)
    discount : in (0, 1]; at 1 the process must end, whatever is done
    longest : actions after which an episode is broken off
    actions, states : their names
    """

    first: np.ndarray
    successor: np.ndarray
    chance: np.ndarray
    reward: np.ndarray
    allowed: np.ndarray
    start: np.ndarray
    discount: float
    longest: int
    actions: tuple[str, ...]
    states: tuple[str, ...]

    @classmethod
    def of(
        cls, transitions: Sequence[Any], reward: Any, *, start: Any = 0, discount: float = 0.99, longest: int = 100,
        allowed: Any = None, actions: Sequence[str] | None = None, states: Sequence[str] | None = None,
    ) -> DecisionProcess:  # fmt: skip
        """From a matrix for each action.

        Parameters
        ----------
        transitions : for every action a matrix (states, states) of chances, dense or of SciPy; rows sum to 1 or less
        reward : (actions, states)
        start : a state, or chances (states,)
        allowed : boolean (actions, states); None allows all
        actions, states : names; numbers without

        Raises
        ------
        InputError
            for chances that are none, shapes that do not agree, a state in which nothing is allowed, a discount of 1
            with a process that need not end

        Examples
        --------
        >>> from mfgsolve.tasks.decisions import DecisionProcess
        >>> DecisionProcess.of([[[0.0, 1.0], [0.0, 0.0]]], [[0.0, 1.0]], discount=0.5).optimal
        array([[0.5, 1. ]])
        """
        gain = numbers(reward, "reward")
        if gain.ndim != 2 or 0 in gain.shape:
            raise InputError(f"reward has shape {gain.shape}; (actions, states) is needed")
        many, size = gain.shape
        matrices = [sparse.csr_array(one, dtype=float) for one in transitions]
        shapes = [one.shape for one in matrices]
        if shapes != [(size, size)] * many:
            raise InputError(
                f"transitions have shapes {shapes}; the reward {gain.shape} needs {many} of {(size, size)}"
            )
        rows = sparse.csr_array(sparse.vstack(matrices))
        rows.eliminate_zeros()
        open_ = np.ones((many, size), dtype=bool) if allowed is None else np.array(allowed)
        names = tuple(map(str, range(many) if actions is None else actions))
        places = tuple(map(str, range(size) if states is None else states))
        made = cls(
            np.asarray(rows.indptr, dtype=np.int64), np.asarray(rows.indices, dtype=np.int64), np.asarray(rows.data),
            gain, open_, _start(start, size), real(discount, "discount"), whole(longest, "longest"), names, places,
        )  # fmt: skip
        made.check()
        return made

    def check(self) -> None:
        """Refuse what is no decision process; see `of`."""
        many, size = self.reward.shape
        if self.allowed.shape != (many, size) or self.allowed.dtype != bool:
            raise InputError(f"allowed is {self.allowed.dtype} {self.allowed.shape}; boolean {(many, size)} is needed")
        if not self.allowed.any(axis=0).all():
            raise InputError(
                f"state {int(np.argmin(self.allowed.any(axis=0)))} allows no action; one is needed in each"
            )
        if len(self.actions) != many or len(self.states) != size:
            raise InputError(f"{len(self.actions)} and {len(self.states)} names came for {many} actions, {size} states")
        if not np.isfinite(self.reward[self.allowed]).all():
            raise InputError("reward holds numbers that are not finite")
        sums = np.asarray(self._rows.sum(axis=1)).reshape(many, size)
        bad = ~(sums <= 1.0 + ROUND)
        if bad.any() or not (self.chance >= 0).all():
            a, s = (int(i) for i in np.argwhere(bad)[0]) if bad.any() else (0, 0)
            raise InputError(f"chances of action {a} in state {s} sum to {sums[a, s]:g}; each is 0 or more, the sum is "
                             "1, or less where the process may end")  # fmt: skip
        if not 0 < self.discount <= 1:
            raise InputError(f"discount is {self.discount:g}; above 0 and at most 1 is needed")
        if self.longest < 1:
            raise InputError(f"longest is {self.longest}; an episode has at least 1 action")
        if self.discount == 1 and not self._ends():
            raise InputError("at a discount of 1 the process must end whatever is done; take a discount below 1")

    @cached_property
    def _rows(self) -> sparse.csr_array:
        many, size = self.reward.shape
        return sparse.csr_array((self.chance, self.successor, self.first), shape=(many * size, size))

    def expect(self, value: np.ndarray) -> np.ndarray:
        """Mean of a value (states,) where each action leads, (actions, states); 0 where the process has ended."""
        return np.asarray(self._rows @ value).reshape(self.reward.shape)

    def _ends(self) -> bool:
        """Whether some chance of ending is met within as many steps as there are states, whatever is done."""
        stays = np.ones(len(self.states))
        for _ in range(len(self.states)):
            before, stays = stays, np.where(self.allowed, self.expect(stays), 0.0).max(axis=0)
            if not stays.any() or np.array_equal(before, stays):
                break
        return bool((stays < 1.0 - ROUND).all())

    # -- values ------------------------------------------------------------------------------------------------

    def values_of(self, choice: np.ndarray) -> np.ndarray:
        """Expected discounted return from each state of taking action ``choice`` (states,) there, by linear algebra."""
        size = len(self.states)
        rows = self._rows[choice * size + np.arange(size)]
        matrix = sparse.csc_array(sparse.eye_array(size) - self.discount * rows)
        return np.asarray(splu(matrix).solve(self.reward[choice, np.arange(size)]))

    @cached_property
    def optimal(self) -> np.ndarray:
        """Q* (actions, states), exact by policy iteration; NaN where an action is not allowed."""
        choice = np.where(self.allowed, self.reward, -np.inf).argmax(axis=0)
        states = np.arange(choice.size)
        for _ in range(SWEEPS):
            q = self.reward + self.discount * self.expect(self.values_of(choice))
            q = np.where(self.allowed, q, -np.inf)
            better = q.max(axis=0) > q[choice, states] + TIED * max(float(np.abs(q[self.allowed]).max()), 1e-300)
            if not better.any():
                break
            choice = np.where(better, q.argmax(axis=0), choice)
        return np.where(self.allowed, q, np.nan)

    @cached_property
    def best(self) -> np.ndarray:
        """max_a Q* (states,)."""
        return np.asarray(np.nanmax(self.optimal, axis=0))

    @cached_property
    def reached(self) -> np.ndarray:
        """Whether some choices lead to a state from the start, boolean (states,)."""
        many, size = self.reward.shape
        rows = sparse.csr_array(self._rows[np.flatnonzero(self.allowed.reshape(-1))])
        place = np.arange(many * size)[self.allowed.reshape(-1)] % size
        choose = sparse.csr_array((np.ones(place.size), (place, np.arange(place.size))), shape=(size, place.size))
        graph = (choose @ rows).astype(bool)
        here = self.start > 0
        while True:
            more = here | (graph.T @ here)
            if np.array_equal(more, here):
                return here
            here = more

    @property
    def bounds(self) -> tuple[float, float]:
        """What a return certainly lies between: the least and largest reward, as often as they can be earned."""
        least, most = float(self.reward[self.allowed].min()), float(self.reward[self.allowed].max())
        often = self.longest if self.discount == 1 else 1.0 / (1.0 - self.discount)
        return min(least, least * often), max(most, most * often)


def _start(start: Any, size: int) -> np.ndarray:
    if np.ndim(start) == 0:
        state = whole(start, "start")
        if not 0 <= state < size:
            raise InputError(f"start is {state}; a state from 0 to {size - 1}, or chances of all, are needed")
        return np.eye(size)[state]
    chances = numbers(start, "start")
    if chances.shape != (size,) or not (chances >= 0).all() or not abs(chances.sum() - 1.0) <= ROUND:
        raise InputError(f"start has shape {chances.shape}; chances of {size} states that sum to 1 are needed")
    return chances
