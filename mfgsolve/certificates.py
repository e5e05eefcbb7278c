"""Certificates: how far a policy and its own flow are from equilibrium, in float64, on the discrete game itself.

    cost J(pi; m) = movement + sum_t weight_t <f_t(m), m_t> + <g, m_T>
    exploitability = J(pi; m) - min_pi' J(pi'; m) >= 0        (round-off may show -1e-17: reported as computed)
    scale = what the plan pays in own, coupling and terminal costs, each less its least value at that time over what is
            allowed (population by population);   relative exploitability = exploitability / scale

A constant added to all costs of a time step thus changes neither.  The cost of moving of a diffusion has least value
0, the entropy of a policy counts in absolute value.  At many equilibria all places cost the same, and nearly nothing is
paid above the least: the scale is therefore no less than the crowd's effect, what all pay beside what they would in a
crowd that is up to half thinner from cell to cell, which no constant reaches either; and an exploitability within the
round-off of the costs is taken relative to the costs themselves, in absolute value.

Where a density or a price has hard bounds, agents pay their multipliers mu besides, price f + mu, and

    exploitability = J(pi; m) - min_pi' J(pi'; m) + sum_t weight_t <mu_t, bound_t - m_t>
    violation = largest excess over a bound, relative to it

so that zero of both means that nobody gains by leaving and no multiplier is paid for a bound that does not bind.

Where the final density is given, agents pay a terminal price that balances over it, and

    final distance = sum |m_T - target| / 2      the total variation

is the second part of the certificate.

For a potential game the exploitability is the Frank-Wolfe gap of the potential and, if the game is crowd-averse, bounds
its distance from the minimum; so does the duality gap, with the best dual price at hand.

Games without a final time (`mfgsolve.stationary`) pay in each step what they pay in one: `certify` tells the costs of a
step, solutions and `exploitability` those of a unit of time (`Certificate.times`).  What an agent gains is then that of
its long-run average, or 1 - b of what it gains in all where it discounts by b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mfgsolve.display import bar, card
from mfgsolve.errors import InputError, numbers
from mfgsolve.inputs.attributes import Suggesting

if TYPE_CHECKING:  # a file is shown without games
    from mfgsolve.games import Game, OwnCost, Policy, Totals
    from mfgsolve.problem import Problem

__all__ = ["Certificate", "Criterion", "certify", "exploitability", "in_steps_of"]


ROUND_OFF = 4 * 2.0**-52  # of a sum over one step, relative to what is summed
FEASIBLE = 1e-9  # relative violation of a hard bound that is as good as none
COSTS = (
    "exploitability", "potential", "duality_gap", "cost", "scale", "movement_cost", "crowd_cost", "terminal_cost",
)  # fmt: skip
MET = 1e-13  # total variation of the final density from the one that is given that is round-off
MASS_KEPT = 1e-9  # deviation of a population's mass from 1 that is round-off


class Measured(Protocol):
    """What a criterion looks at: a certificate, or the measure of one iteration."""

    @property
    def relative_exploitability(self) -> float: ...

    @property
    def violation(self) -> float: ...


@dataclass(frozen=True)
class Criterion:
    """When a plan is an equilibrium: |relative exploitability| <= tol, no bound exceeded, no mass lost.

    The only place that decides it; a solve ends on it, and what it hands over is held against it once more.
    """

    tol: float

    def met(self, measure: Measured) -> bool:
        return (
            abs(measure.relative_exploitability) <= self.tol
            and measure.violation <= max(self.tol, FEASIBLE)
            and not getattr(measure, "final_distance", 0.0) > max(self.tol, MET)
            and getattr(measure, "mass_error", 0.0) <= MASS_KEPT
        )


@dataclass(frozen=True)
class Certificate(Suggesting):
    """Numbers that certify a policy; what was not measured is NaN."""

    exploitability: float
    relative_exploitability: float
    potential: float
    duality_gap: float
    cost: float
    scale: float
    movement_cost: float
    crowd_cost: float
    terminal_cost: float
    mass_error: float
    cap_fraction: float
    violation: float = 0.0
    final_distance: float = math.nan

    def __float__(self) -> float:
        return self.exploitability

    def times(self, rate: float) -> Certificate:
        """With all costs times ``rate``: those of one step per unit of time, see `TimeGrid.cost_rate`."""
        return self if rate == 1.0 else replace(self, **{name: rate * getattr(self, name) for name in COSTS})

    def _repr_html_(self) -> str:
        sentence = (
            "The most that one agent gains by leaving the plan while all others follow it, and what the plan costs. "
            "The bar shows the relative exploitability: the longer, the better."
        )
        return card("Certificate", sentence, vars(self), picture=bar(self.relative_exploitability))


def relative(gap: float, scale: float) -> float:
    """gap / scale; where nothing costs anything (scale 0) every policy is an equilibrium, and the answer 0."""
    return gap / scale if scale > 0 else 0.0 if gap == 0 else math.nan


def scale_of(
    game: Game, crowd: np.ndarray, gap: float, *paid: Totals | OwnCost, spare: np.ndarray | None = None
) -> float:
    """Scale of a plan from what it pays; see the module.  ``spare`` (the shape of ``crowd``) is overwritten."""
    above, size = sum(part.above for part in paid), sum(part.size for part in paid)
    if abs(gap) <= ROUND_OFF * math.sqrt(game.steps) * size:
        return max(above, size)
    return max(above, game.crowd_effect(crowd, spare)) or size


def certify(
    game: Game,
    policy: Policy,
    crowd: np.ndarray,
    dual: float = math.nan,
    spare: np.ndarray | None = None,
    multiplier: np.ndarray | None = None,
    buffer: np.ndarray | None = None,
) -> Certificate:
    """Certificate of a policy and the crowd it induces; one backward pass.

    ``dual`` is the value of the concave dual at some price, if known; the better of it and of the price f(m) counts.
    ``spare`` (T+1 levels) is overwritten, and so is ``buffer`` (of `Game.policy_buffer`).
    ``multiplier`` (shape of a price) belongs to the hard bounds.
    """
    own, apart = game.cost(policy, crowd), game.constants
    price = game.empty_crowd() if spare is None else spare
    energy = game.price_and_potential(crowd, price)
    slack = missed = 0.0
    if multiplier is not None:
        multiplier = game.balanced(multiplier)
        price += multiplier
        slack, missed = game.slack_cost(multiplier, crowd), game.final_gap(multiplier, crowd)
    paid, terminal = game.crowd_totals(price, crowd), game.terminal_totals(crowd)
    answer = game.policy_buffer(price) if buffer is None else buffer
    best = game.respond(price, out=answer, crowd=crowd).mean_value
    cost = own.cost + paid.cost + terminal.cost
    gap = cost - best + slack
    scale = scale_of(game, crowd, gap, own, paid, terminal, spare=price)  # which nobody reads any more
    potential = own.cost + energy + terminal.cost if game.is_potential else math.nan
    duality = math.nan
    if game.is_potential and game.is_monotone:
        duality = gap + missed if math.isnan(dual) else min(gap + missed, potential - dual)
    return Certificate(
        exploitability=gap,
        relative_exploitability=relative(gap, scale),
        potential=potential + apart.total,
        duality_gap=duality,
        cost=cost + apart.total,
        scale=scale,
        movement_cost=own.cost + apart.own_total,
        crowd_cost=paid.cost + apart.running_total,
        terminal_cost=terminal.cost + apart.terminal_total,
        mass_error=game.mass_error(crowd),
        cap_fraction=own.capped,
        violation=game.violation(crowd) if game.is_hard else 0.0,
        final_distance=game.final_distance(crowd),
    )


def exploitability(problem: Problem, policy: Any) -> Certificate:
    """Certificate of any policy: what one agent gains at most by leaving it while all others follow it.

    Parameters
    ----------
    problem : the game; without steps of its own it takes those of the policy
    policy : of a controlled diffusion in the upwind scheme, speeds (step, move, ..., y, x) in the order x+, x-, y+,
        ...; in the entropic one, the values (step, ..., y, x) that agents look ahead to; of a finite game,
        probabilities (step, action, ...); as an array, a labelled array (read by the names of its dimensions and
        coordinates), a Dataset with ``speed``, ``value_ahead`` or ``policy``, or a solution

    Examples
    --------
    >>> import numpy as np, mfgsolve as mfg
    >>> problem = mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind")
    >>> stay = np.zeros((32, 4, 8, 8))
    >>> float(mfg.exploitability(problem, stay)) > 0.1
    True
    """
    from mfgsolve.games import make_game
    from mfgsolve.games.multipliers import multiplier_from
    from mfgsolve.problem import Problem

    if not isinstance(problem, Problem):
        raise InputError(
            f"exploitability got a {type(problem).__name__} for the problem; a Problem is needed (a loaded solution of "
            "a game made in Python has none: state it again)"
        )
    if isinstance(policy, str | Path):
        raise InputError(f"policy is the path {policy}; read the file first: exploitability(problem, load(path))")
    policy = getattr(policy, "dataset", policy)
    game = make_game(in_steps_of(problem, policy).levelled())
    multiplier = multiplier_from(game, policy)
    checked = game.step.policy_from(policy)
    return certify(game, checked, game.follow(checked), multiplier=multiplier).times(game.time.cost_rate)


def in_steps_of(problem: Problem, policy: Any) -> Problem:
    """The problem, in the steps of a policy where it states none of its own."""
    if problem.time.settled:
        return problem
    sizes = getattr(policy, "sizes", None)  # of a dataset or an xarray
    shape = numbers(policy, "policy").shape if sizes is None else ()
    steps = shape[0] if shape else dict(sizes or {}).get("step", 0)
    return problem.with_steps(int(steps)) if steps else problem
