"""Error in time against error of noise, of entropic steps: measured on a coarse grid.

In T steps an entropic game is off the continuous one by about

    E(T) = C_t (horizon / T)^2 + C_nu max(0, nu_h(T) - nu),   nu_h = 0.18 h^2 T / horizon

where nu_h is the viscosity that the scheme needs on cells of width h (`mfgsolve.steps.resolving`), or, while nu still
serves, e_s instead of the second term.  C_t and C_nu are seen on coarse cells: the game in T and in T / 2 steps, both
with the viscosity that suits T there, and once more in T steps with twice that viscosity.  With nu = 0 the least error
has dt^3 = 0.09 h^2 C_nu / C_t: dt ~ h^(2/3), and order 4/3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mfgsolve.cautions import collect
from mfgsolve.games import Game
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.resolution.coarse import Coarse, coarsened
from mfgsolve.resolution.measuring import UNMEASURED, Change, Plan, change, solved
from mfgsolve.resolution.nodes import near
from mfgsolve.steps.resolving import coarsest, own_viscosity, space_error

__all__ = ["Balance", "balanced", "clear_viscosity", "sum_error"]

CLEAR = 0.7  # sigma / h of the coarse game
STEPS, FACTOR = 16, 2  # of the coarse game, about: steps, and how many times wider cells of small grids are
SEEN, MOST = 61, 128  # times at which its prices are looked at, so that no rhythm hides; and steps at most
ROUGH = 0.15  # of the range of prices, by which straight lines between the nodes may miss them


def clear_viscosity(grid: Grid, dt: float) -> float:
    """With which sigma = 0.7 h, so that the error in space does not show in differences."""
    return (CLEAR * coarsest(grid)) ** 2 / (2.0 * dt)


def sum_error(problem: Problem, steps: int) -> float:
    """2 eps T e_s: about what the sums over cells in the soft minima of so many steps make of a potential."""
    grid, dynamics = problem.grid, problem.all_dynamics[0]
    assert isinstance(grid, Grid)
    viscosity, cost = dynamics.viscosity, dynamics.hamiltonian.weight  # type: ignore[attr-defined]
    return float(4.0 * viscosity * cost * steps * space_error(viscosity, grid, problem.time.horizon / steps))


@dataclass(frozen=True)
class Balance:
    """What the coarse game tells.

    Attributes
    ----------
    coarse : the coarse game in any number of steps, upwind
    plan : of it, by entropic steps
    viscosity : of that plan
    in_time : change of the plan from half as many steps; three times the error in time of the plan
    by_viscosity : change of the plan by twice the viscosity
    work : of all three, cells times steps times sweeps
    """

    coarse: Coarse
    plan: Plan
    viscosity: float
    in_time: Change
    by_viscosity: Change
    work: float = 0.0

    def time_error(self, steps: int) -> Change:
        """Estimated error in time of so many steps: measured, where they are fewer than those of the plan.

        Three times what the second order says: coarse grids smear what fine ones show.
        """
        if steps >= self.plan.steps:
            return self.in_time.times((self.plan.steps / steps) ** 2)
        fewer = _solved(self.coarse, steps, self.viscosity, self.plan)
        return UNMEASURED if fewer is None else change(fewer, self.plan, steps).plus(self.in_time)

    def noise_error(self, problem: Problem, steps: int) -> Change:
        """Estimated error by the width of the noise of so many steps: e_s, or the scheme's own viscosity.

        A Gaussian that is sampled on cells is too narrow by the share 4 pi^2 sigma^2 / h^2 e_s of its variance
        (Poisson's sum): where a crowd rests, that is as much too little viscosity.  Every step adds to it.
        """
        grid, dt = problem.grid, problem.time.horizon / steps
        assert isinstance(grid, Grid)
        stated = problem.all_dynamics[0].viscosity  # type: ignore[attr-defined]
        used = own_viscosity(stated, grid, dt)
        if used > stated:
            return self.by_viscosity.times((used - stated) / self.viscosity)
        share, sigma = space_error(stated, grid, dt), 2.0 * stated * dt / coarsest(grid) ** 2
        narrower = self.by_viscosity.times((2.0 * math.pi) ** 2 * sigma * share * stated / self.viscosity)
        return Change(
            max(share * abs(self.plan.potential), narrower.potential, sum_error(problem, steps)),
            max(share, narrower.gain), max(share, narrower.flow),
        )  # fmt: skip

    def error(self, problem: Problem) -> Change:
        """Both."""
        return self.time_error(problem.time.steps).plus(self.noise_error(problem, problem.time.steps))


def balanced(problem: Problem) -> Balance | None:
    """Solve the coarse game three times; None where none can be made or solved."""
    with collect(), np.errstate(all="ignore"):  # what is said of the coarse game is no matter of the real one
        try:
            coarse = coarsened(problem, FACTOR)
            return None if coarse is None else _measured(coarse, problem)
        except Exception:  # whatever a user's function says of times and densities it was not made for
            return None


def _measured(coarse: Coarse, problem: Problem) -> Balance | None:
    horizon = problem.time.horizon
    steps = 2 * near(_first_steps(coarse) / 2, problem.kinks, horizon, 2)
    grid = coarse(steps).grid
    assert isinstance(grid, Grid)
    stated = problem.all_dynamics[0].viscosity  # type: ignore[attr-defined]
    viscosity = max(stated, clear_viscosity(grid, horizon / steps))
    thick = _solved(coarse, steps, 2 * viscosity)
    plan = None if thick is None else _solved(coarse, steps, viscosity, thick)
    fewer = None if plan is None else _solved(coarse, steps // 2, viscosity, plan)
    if thick is None or plan is None or fewer is None:
        return None
    work = thick.work + plan.work + fewer.work
    return Balance(coarse, plan, viscosity, change(fewer, plan, fewer.steps), change(thick, plan, steps), work)


def _first_steps(coarse: Coarse) -> int:
    """Steps between whose nodes the prices of the coarse game go about straight."""
    game = Game(coarse(SEEN), 1)
    price = game.price(game.resting_crowd(game.empty_crowd()))[: game.steps].reshape(game.steps, -1)
    shares, steps = np.linspace(0.0, 1.0, game.steps), STEPS
    width = float(np.ptp(price, axis=1).max())
    while steps < MOST:
        straight = _levels(_levels(price, np.linspace(0.0, 1.0, steps + 1)), shares)
        if float(np.abs(straight - price).max(axis=1).mean()) <= ROUGH * width:
            break
        steps *= 2
    return steps


def _levels(rows: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Rows at shares of the way from the first to the last, on straight lines between them."""
    place = shares * (len(rows) - 1)
    left = np.minimum(place.astype(int), len(rows) - 2)
    share = (place - left)[:, None]
    return np.asarray((1 - share) * rows[left] + share * rows[left + 1])


def _solved(coarse: Coarse, steps: int, viscosity: float, start: Plan | None = None) -> Plan | None:
    posed = coarse(steps)
    thick = [one.thickened(viscosity) for one in posed.all_dynamics]
    return solved(replace(posed, dynamics=thick), start)
