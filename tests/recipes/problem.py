"""Add a named problem: a function with keyword parameters and defaults that returns a `Problem`, under ``@named()``.

In the package it is a file of ``mfgsolve/problems/`` and a name in ``mfgsolve/problems/__init__.py``.  It then has a
name on the command line (``mfgsolve solve corridor --set aversion=0.2``) and in problem files, and the tests that hold
for every problem.  The first line of the docstring is what ``mfgsolve list`` prints, "Source:" what `Solution.cite`
cites.
"""

import mfgsolve as mfg
from mfgsolve.problems.registry import named


@named()
def corridor(*, shape: tuple[int] = (32,), steps: int = 64, aversion: float = 0.5) -> mfg.Problem:
    """A crowd walks down a corridor and keeps its distance.

    f = aversion rho on [0, 1] with reflecting walls, terminal cost (1 - x)^2.

    Parameters
    ----------
    shape, steps : cells (nx,) and time steps
    aversion : cost per unit time and density

    Source: mfgsolve
    """
    return mfg.Problem(
        grid=mfg.Grid.box(shape),
        time=mfg.TimeGrid(1.0, steps),
        dynamics=mfg.ControlledDiffusion(0.02),
        coupling=mfg.CrowdAversion(aversion),
        initial=mfg.Bump(1.0, 0.1, (0.2,)),
        terminal=lambda t, c: (1 - c.x) ** 2,
        normalise=True,
    )


assert "corridor" in mfg.problems.names()
solution = mfg.solve(mfg.problems.build("corridor", {"aversion": 0.2}, shape=(16,), steps=32))
assert solution.converged
assert solution.problem.parameters == {"aversion": 0.2}
assert "Problem corridor: mfgsolve." in solution.cite()
