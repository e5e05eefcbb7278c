"""Plans of the coarse game: solved cheaply and to low accuracy, compared, and asked how fast their agents are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from mfgsolve.cautions import collect
from mfgsolve.certificates import certify
from mfgsolve.games import Game, Policy, make_game
from mfgsolve.games.speeds import led_speed
from mfgsolve.games.transfer import prolong
from mfgsolve.grids import Axis, Grid
from mfgsolve.problem import Problem
from mfgsolve.resolution.coarse import Coarse, coarsened, ranges
from mfgsolve.solvers import SOLVERS, suited
from mfgsolve.solvers.base import Budget, Outcome, run
from mfgsolve.steps import Costs

if TYPE_CHECKING:
    from mfgsolve.steps import SpeedStep

__all__ = ["UNMEASURED", "Change", "Measured", "change", "energetic_speed", "measure", "probe", "steps_for_speeds"]

ACCURACY = 1e-6  # relative exploitability of a coarse plan
BELIEVED = 0.1  # and the largest exploitability, over what planning is worth, at which it still says something
ITERATIONS = 100
FASTER = 0.005  # share of mass-time that may want to be faster than the speed taken for the fastest
SETTLED = 0.02  # change of a plan by twice as many steps below which they are enough
FREE = 0.01  # share of mass-time at the cap of such a plan
FEWEST, MOST_FIRST, MOST = 15, 2048, 8192  # steps of coarse games
MOST_WORK = 2**21  # cells times steps of the last of them, about
NOISE = 1e-9  # of a potential, that is no gain
SAMPLES = 32  # times at which the densities of two plans are compared


@dataclass(frozen=True)
class Plan:
    """One equilibrium of the coarse game and what it says."""

    game: Game
    crowd: np.ndarray
    policy: Policy
    potential: float  # what an agent pays where there is no potential
    gain: float  # by how much the potential of a crowd that rests lies above it
    movement: float
    gap: float
    capped: float
    work: float  # cells times steps times sweeps

    @property
    def steps(self) -> int:
        return self.game.steps

    @property
    def noise(self) -> float:
        """What is too little to be a gain: round-off of the potentials."""
        return NOISE * (abs(self.potential) + abs(self.potential + self.gain))


@dataclass(frozen=True)
class Change:
    """How far two plans are apart: of the potential, of the gain relative to it, and of the crowd (total variation)."""

    potential: float
    gain: float
    flow: float

    def times(self, factor: float) -> Change:
        return Change(factor * self.potential, factor * self.gain, factor * self.flow)

    def plus(self, other: Change) -> Change:
        return Change(self.potential + other.potential, self.gain + other.gain, self.flow + other.flow)

    def cautious(self) -> Change:
        """Twice a small change, ever less than that of a large one: coarse grids smear what fine ones show."""
        return self.times(2.0 - min(1.0, max(self.gain, self.flow)))

    @property
    def worst(self) -> float:
        """The share of the crowd that is elsewhere, or a third of the share of the gain where that is more."""
        return max(self.gain / 3, self.flow)


UNMEASURED = Change(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Measured:
    """The coarse game solved with ever more steps, until nothing changed any more.

    ``error`` is what its last number of steps still leaves: scheme of first order, the change from half as many.
    """

    coarse: Coarse
    plan: Plan
    error: Change
    work: float


def measure(problem: Problem) -> Measured | None:
    """Solve the coarse game with ever more steps until plan and potential stop changing and the cap does not bind.

    The first number of steps is the one at which agents could all the time be as fast as all costs together would pay
    for, so that a game in which nobody moves because nobody can is not taken for one in which nobody wants to.  A game
    that does not settle has a large ``error`` in the end.  None where no coarse game can be made or solved.
    """
    with collect(), np.errstate(all="ignore"):  # what is said of the coarse game is no matter of the real one
        try:
            coarse = coarsened(problem)
            return None if coarse is None else _settled(coarse)
        except Exception:  # whatever a user's function says of times and densities it was not made for
            return None


def _settled(coarse: Coarse) -> Measured | None:
    speed, cells = energetic_speed(coarse), coarse(1).grid.size
    grid = coarse(1).grid
    assert isinstance(grid, Grid)
    least = min(axis.smallest for axis in grid.axes)
    wanted = 2 * grid.ndim * coarse(1).time.horizon * speed / least
    steps = (
        int(min(max(FEWEST, wanted), MOST_FIRST)) | 1
    )  # odd, as all that follow: no rhythm of the costs fits them all
    plan = solved(coarse(steps))
    work = 0.0 if plan is None else plan.work
    while plan is not None:
        steps = 2 * steps + 1
        finer = solved(coarse(steps), plan)
        if finer is None:
            return None
        work += finer.work
        error, plan = change(plan, finer), finer
        last = steps > MOST // 2 or steps * cells > MOST_WORK // 2
        if last or (error.worst <= SETTLED and plan.capped <= FREE):
            return Measured(coarse, plan, error, work)
    return None


def solved(problem: Problem, start: Plan | None = None) -> Plan | None:
    """The equilibrium of a coarse game; None where no solver gets near it."""
    names = suited(problem)
    if not names:
        return None
    solver = SOLVERS[names[0]]()
    guess = None if start is None else lambda game: prolong(start.crowd, start.game, game)
    state, tol = solver.init(make_game(problem, 1), ACCURACY, guess), ACCURACY
    for _ in range(2):
        state = run(solver, state, tol, Budget(ITERATIONS)).state
        plan, scale = _plan(problem, solver.finish(state))
        enough = ACCURACY * 100 * max(abs(plan.gain), plan.movement, plan.noise)
        if not plan.gap > enough:
            return plan
        tol = enough / scale  # costs that all agents pay alike hide from a relative tolerance what planning is worth
    return plan if plan.gap <= BELIEVED * max(abs(plan.gain), plan.movement, plan.noise) else None


def _plan(problem: Problem, outcome: Outcome) -> tuple[Plan, float]:
    """The plan of a solver, and the scale of its costs."""
    game, policy, crowd = outcome.game, outcome.policy, outcome.crowd
    certificate = certify(game, policy, crowd, outcome.dual, multiplier=outcome.multiplier)
    potential = certificate.potential if problem.is_potential else certificate.cost
    plan = Plan(
        game, crowd, policy, potential, _at_rest(game) - potential, certificate.movement_cost,
        certificate.exploitability, certificate.cap_fraction, game.cell_steps * (outcome.sweeps + 1),
    )  # fmt: skip
    return plan, certificate.scale


def _at_rest(game: Game) -> float:
    """Potential, or cost, of agents that never choose to move: nothing costs anything where they look."""
    policy, levels = game.step.new_policy(), np.zeros((game.steps + 1, *game.step.shape))
    game.step.backward(Costs(levels, np.ones(game.steps + 1), levels[0]), policy, levels + game.initial_mass)
    crowd = game.flow(policy)
    energy = game.potential(crowd) if game.problem.is_potential else game.crowd_totals(game.price(crowd), crowd)[0]
    return energy + game.terminal_total(crowd)


def change(plan: Plan, better: Plan, samples: int = SAMPLES) -> Change:
    """From one plan to another, better one; what planning is worth is what the gain is measured by.

    The densities are compared at so many times, evenly over the horizon.
    """
    worth = max(abs(better.gain), better.movement, 2 * (plan.gap + better.gap) / SETTLED, better.noise)
    gain = abs(better.gain - plan.gain) / worth if worth > 0 else 0.0
    return Change(abs(better.potential - plan.potential), gain, _apart(plan, better, samples))


def _apart(plan: Plan, other: Plan, samples: int) -> float:
    """Share of the crowd that is elsewhere: total variation of the densities, mean over the time."""
    total = 0.0
    for share in np.arange(1, samples + 1) / samples:
        total += 0.5 * float(np.abs(_level(plan, share) - _level(other, share)).sum())
    return total / samples


def _level(plan: Plan, share: float) -> np.ndarray:
    """Mass at a share of the horizon, linear between nodes."""
    position = share * plan.steps
    left = min(int(position), plan.steps - 1)
    return (1 - (position - left)) * plan.crowd[left] + (position - left) * plan.crowd[left + 1]


def energetic_speed(coarse: Coarse) -> float:
    """Root of the mean square speed that all costs together could pay for: c v^2 T / 2 = T range f + range g.

    Nobody pays more for moving than what moving can save.  Where costs are discounted, c is that of the start, and g is
    paid for by those who move last.
    """
    game = Game(coarse(FEWEST), 1)
    running, last = ranges(game)
    free = ~game.grid.mask
    now = np.ptp(
        game.mass(game.price(game.resting_crowd(game.empty_crowd())))[:-1, free], axis=1
    )  # as the crowd starts
    step = cast("SpeedStep", game.step)  # this rule is for diffusions alone
    cost, horizon = step.scheme.control_cost, game.time.horizon
    saved = horizon * float(np.maximum(running, now).mean()) + float(last[0]) * float(cost[0] / cost[-1])
    return max(float(np.sqrt(2 * saved / (cost[0] * horizon))), led_speed(game))


def steps_for_speeds(measured: Measured, grid: Grid) -> float:
    """Steps at which the speed cap h / (2 d dt) of the real grid is what all but FASTER of the mass-time wants."""
    game, plan = measured.plan.game, measured.plan
    speed = game.step.described(plan.policy).values
    pace = np.zeros((game.steps, *game.grid.shape))  # cells per unit of time
    assert isinstance(game.grid, Grid)
    coarse = game.grid.axes
    for k, axis in enumerate(reversed(grid.axes)):
        cell = np.reshape(_distances(axis, coarse[-1 - k]), (-1, *(1,) * k))
        pace = np.maximum(pace, np.maximum(speed[:, 2 * k], speed[:, 2 * k + 1]) / cell)
    order = np.argsort(pace, axis=None)
    mass = game.mass(plan.crowd)[:-1].reshape(-1)[order].cumsum()
    place = int(np.searchsorted(mass, (1 - FASTER) * mass[-1]))
    return 2 * grid.ndim * game.time.horizon * float(pace.reshape(-1)[order[min(place, mass.size - 1)]])


def _distances(axis: Axis, coarse: Axis) -> float | np.ndarray:
    """From cell to cell of an axis: a number, or what it is about in each cell of a coarse one."""
    return axis.spacing if axis.even else coarse.distances * (coarse.cells / axis.cells)


def probe(measured: Measured, grid: Grid, steps: int) -> tuple[Change, float]:
    """Estimated error of so many steps on the real grid, beside as many as one likes, and the share at the cap.

    The coarse game is solved once more with the speed cap of the real grid and, where it is the longer one, its time
    step.  Where the step of the measured plan is longer, its error is scaled to the real one.
    """
    plan, horizon = measured.plan, measured.plan.game.time.horizon
    posed = measured.coarse(min(steps, plan.steps))
    assert isinstance(posed.grid, Grid)
    pairs = zip(grid.axes, posed.grid.axes, strict=True)
    fastest = [_distances(axis, coarse) * steps / (2 * grid.ndim * horizon) for axis, coarse in pairs]
    caps = tuple(tuple(cap.tolist()) if isinstance(cap, np.ndarray) else cap for cap in fastest)
    slowed = replace(posed, dynamics=posed.all_dynamics[0].slowed(caps))
    with collect(), np.errstate(all="ignore"):
        try:
            slower = solved(slowed, plan)
        except Exception:  # as above
            slower = None
    if slower is None:
        return UNMEASURED, np.nan
    return change(slower, plan).plus(measured.error.times(min(1.0, plan.steps / steps))), slower.capped
