"""An environment of MFGLib that speaks NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.grids import Grid
from mfgsolve.interop.rewards import crowds
from mfgsolve.spaces import Space, States

__all__ = ["Environment", "double_precision", "labels"]

ROUND = 1e-12
LARGEST = 10_000_000  # numbers worth keeping to save asking


@contextmanager
def double_precision(torch: Any) -> Iterator[None]:
    """MFGLib makes its buffers in torch's default precision: make that double, and put it back."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def labels(shape: tuple[int, ...]) -> list[str]:
    return [",".join(map(str, index)) for index in np.ndindex(*shape)]


@dataclass(frozen=True, eq=False)
class Environment:
    """An environment that speaks NumPy: occupations and costs are (A, S), costs are minimised."""

    env: Any
    torch: Any

    def __post_init__(self) -> None:
        if self.env.mu0.dtype != self.torch.float64:
            raise InputError(
                f"the MFGLib environment was made in {self.env.mu0.dtype}; call torch.set_default_dtype(torch.float64) "
                "before making it, or mfgsolve.interop.build('mfglib:...'), which does"
            )

    @property
    def steps(self) -> int:
        return int(self.env.T) + 1

    @property
    def states(self) -> int:
        return int(self.env.n_states)

    @property
    def actions(self) -> int:
        return int(self.env.n_actions)

    @property
    def action_names(self) -> list[str]:
        return labels(tuple(self.env.A))

    @property
    def space(self) -> Space:
        shape = tuple(int(n) for n in self.env.S)
        if len(shape) in (2, 3):
            return Grid.box(shape, bounds=[(0, n) for n in shape])
        return States(labels(shape))

    @property
    def initial(self) -> np.ndarray:
        return np.asarray(self.env.mu0.detach().numpy(), dtype=float).reshape(-1)

    def _tensor(self, occupation: np.ndarray) -> Any:
        choices = np.ascontiguousarray(np.asarray(occupation, dtype=float).reshape(self.actions, self.states).T)
        return self.torch.from_numpy(choices).reshape(*self.env.S, *self.env.A)

    def _cost(self, t: int, tensor: Any) -> Any:
        """-reward as a tensor (A, S)."""
        reward = self.env.reward(t, tensor)
        return -self.torch.broadcast_to(reward, tensor.shape).reshape(self.states, self.actions).T

    def cost(self, t: int, occupation: np.ndarray) -> np.ndarray:
        """Cost (A, S) of every choice at time t against an occupation (A, S)."""
        with double_precision(self.torch), self.torch.no_grad():
            return np.array(self._cost(t, self._tensor(occupation)).numpy())

    def change(self, t: int, occupation: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Derivative of ``cost`` in the direction ``change``, by automatic differentiation."""
        with double_precision(self.torch):
            function = self.torch.autograd.functional.jvp
            _, out = function(lambda x: self._cost(t, x), self._tensor(occupation), self._tensor(change))
            return np.array(out.detach().numpy())

    def matrices(self, t: int, occupation: np.ndarray) -> list[sparse.csr_array]:
        """P of step t, one matrix (state, next state) per action; the last step leads nowhere that pays."""
        with double_precision(self.torch), self.torch.no_grad():
            chance = self.env.prob(max(min(t, self.steps - 2), 0), self._tensor(occupation))
            dense = chance.reshape(self.states, self.states, self.actions).numpy()
        return [sparse.csr_array(dense[:, :, a].T) for a in range(self.actions)]

    def spread(self, mass: np.ndarray) -> np.ndarray:
        """An occupation with these masses, all actions alike."""
        return np.broadcast_to(np.asarray(mass).reshape(1, -1) / self.actions, (self.actions, self.states))

    # -- what depends on the crowd -------------------------------------------------------------------------------

    def _moves(self, t: int, occupations: list[np.ndarray]) -> bool:
        """Whether transitions at t differ between some occupations."""
        first = self.matrices(t, occupations[0])
        return any(
            abs(a - b).max() > ROUND for o in occupations[1:] for a, b in zip(first, self.matrices(t, o), strict=True)
        )

    @property
    def moves_by_crowd(self) -> bool:
        rng = np.random.default_rng(0)
        corners = [np.eye(self.states)[s] for s in {0, self.states // 2, self.states - 1}]
        tests = [self.spread(m) for m in (*corners, *crowds(self.states, 4, rng))]
        return self.moves_by_choices or any(self._moves(t, tests) for t in range(self.steps - 1))

    @property
    def moves_by_choices(self) -> bool:
        """Whether transitions see more of the crowd than its mass in every state."""
        rng = np.random.default_rng(1)
        mass = crowds(self.states, 1, rng)[0]
        tests = [self.spread(mass), rng.dirichlet(np.ones(self.actions), self.states).T * mass]
        return any(self._moves(t, tests) for t in range(self.steps - 1))

    def transitions(self) -> Any:
        """For `Tabular`: matrices, a list of them for every step, or a function of (t, mass)."""
        if self.moves_by_crowd:
            affine = self._affine()
            if affine is not None:
                first, rest = affine
                return lambda t, mass: list(first[round(t)] + np.tensordot(mass, rest[round(t)], axes=1))
            return lambda t, mass: self.matrices(round(t), self.spread(mass))
        even = self.spread(np.full(self.states, 1.0 / self.states))
        steps = [self.matrices(t, even) for t in range(self.steps)]
        if all(abs(a - b).max() == 0 for step in steps[1:] for a, b in zip(steps[0], step, strict=True)):
            return steps[0]
        return steps

    def _affine(self) -> tuple[np.ndarray, np.ndarray] | None:
        """P at the first unit mass (T+1, A, S, S), and what the others (T+1, corner, A, S, S) add, if P is affine.

        Differences keep rows that sum to 1 also where the mass has lost a digit.
        """
        if self.steps * self.states**3 * self.actions > LARGEST:
            return None

        def dense(t: int, mass: np.ndarray) -> np.ndarray:
            return np.stack([matrix.toarray() for matrix in self.matrices(t, self.spread(mass))])

        corners = np.stack([[dense(t, unit) for unit in np.eye(self.states)] for t in range(self.steps)])
        first, rest = corners[:, 0], corners - corners[:, :1]
        for mass in crowds(self.states, 4, np.random.default_rng(2)):
            for t in range(self.steps):
                if np.abs(first[t] + np.tensordot(mass, rest[t], axes=1) - dense(t, mass)).max() > ROUND:
                    return None
        return first, rest
