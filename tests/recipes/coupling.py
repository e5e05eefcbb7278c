"""Add a coupling: what the user states (`Coupling`), and the same bound to a grid and to times (`Bound`).

    f = strength rho^2,   F = strength rho^3 / 3

In the package it is a file of ``mfgsolve/couplings/``, a name in ``mfgsolve/couplings/__init__.py`` and in
``mfgsolve/__init__.py``, and, for problem files, an entry of ``COUPLINGS`` in ``mfgsolve/problemfile/structure.py``.
Without ``slope`` (or ``tangent``) say ``is_differentiable = False``, without a potential ``is_potential = False``.
"""

from dataclasses import dataclass

import mfgsolve as mfg
from mfgsolve.couplings import Bound, Coupling


@dataclass(frozen=True, eq=False)
class Squared(Coupling):
    strength: float = 1.0

    def bind(self, grid, times):
        return BoundSquared(self.strength, grid.cell_volume)


@dataclass(frozen=True, eq=False)
class BoundSquared(Bound):
    strength: float
    volume: float

    def cost(self, nodes, rho):  # rho (levels, *shape), mass per unit volume; ``nodes`` says which times they are
        return self.strength * rho**2

    def potential(self, nodes, rho):  # one number a level
        return self.strength * self.volume * (rho**3).reshape(len(rho), -1).sum(axis=1) / 3

    def slope(self, nodes, rho):  # f', pointwise
        return 2 * self.strength * rho


def game(coupling):
    grid, moving = mfg.Grid.box((16,)), mfg.ControlledDiffusion(0.05)
    start, goal = mfg.Bump(1.0, 0.1, (0.3,)), mfg.RunningCost(lambda t, c: c.x**2)
    return mfg.Problem(grid, mfg.TimeGrid(1.0, 32), moving, coupling + goal, start, normalise=True)


report = mfg.check_coupling(Squared(0.3), mfg.Grid.box((16,)))
assert report.is_potential
assert report.is_monotone
solution = mfg.solve(game(Squared(0.3)))
assert solution.converged
same = mfg.solve(game(mfg.CrowdAversion(0.3, power=2.0)))  # another road to the same number
assert abs(solution.potential - same.potential) < 1e-12
