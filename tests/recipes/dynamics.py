"""Add a kind of dynamics: a frozen dataclass that binds to a step; here a finite list of actions, whose tables are it.

A ferry: places in a row, from which an agent walks on, or takes a boat that brings it to the other end and may miss.
In the package it is a file of ``mfgsolve/dynamics/`` with a name in ``mfgsolve/dynamics/__init__.py``.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.dynamics import TableDynamics


@dataclass(frozen=True)
class Ferry(TableDynamics):
    """Stay, walk one place on for ``walk``, or cross for ``fare``; a boat leaves with probability ``chance``."""

    walk: float = 0.1
    fare: float = 0.3
    chance: float = 0.8
    temperature: float = 0.0

    action_names = ("stay", "walk", "cross")

    @property
    def identity(self):
        return ("ferry", self.walk, self.fare, self.chance, self.temperature)

    def tables(self, space, time, where="", asked=None, moment=""):
        stay = sparse.eye_array(space.size).tocsr()
        walk = sparse.csr_array(np.eye(space.size)[np.minimum(np.arange(space.size) + 1, space.size - 1)])
        cross = sparse.csr_array(self.chance * np.eye(space.size)[::-1] + (1 - self.chance) * np.eye(space.size))
        return [[stay, walk, cross]], np.ones((3, *space.shape), dtype=bool)

    def step_costs(self, space, times, actions, where=""):
        costs = np.array([0.0, self.walk, self.fare]).reshape(1, 3, *(1,) * space.ndim)
        return np.broadcast_to(costs, (1, 3, *space.shape))


problem = mfg.Problem(
    grid=mfg.States(5), time=mfg.TimeGrid(4.0, 4), dynamics=Ferry(temperature=0.1), coupling=mfg.CrowdAversion(0.5),
    initial=np.array([1.0, 0, 0, 0, 0]), terminal=np.array([2.0, 2, 1, 1, 0]),
)  # fmt: skip
solution = mfg.solve(problem)
assert solution.converged
assert abs(float(solution.dataset["density"].isel(time=-1).sum()) - 1) < 1e-12
comparison = mfg.compare(solution, agents=[10, 1000], replicas=20, rng=0)
assert comparison.regret[1] < comparison.regret[0]  # the more agents, the nearer to the limit
