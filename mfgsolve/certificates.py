"""Certificates: how far a policy and its own flow are from equilibrium, in float64, on the discrete game itself.

    cost J(pi; m) = movement + sum_t weight_t <f_t(m), m_t> + <g, m_T>
    exploitability = J(pi; m) - min_pi' J(pi'; m) >= 0        (round-off may show -1e-17: reported as computed)
    scale = movement + sum_t weight_t <|f_t|, m_t> + <|g|, m_T>,   relative = exploitability / scale

Where a density or a price has hard bounds, agents pay their multipliers mu besides, price f + mu, and

    exploitability = J(pi; m) - min_pi' J(pi'; m) + sum_t weight_t <mu_t, bound_t - m_t>
    violation = largest excess over a bound, relative to it

so that zero of both means that nobody gains by leaving and no multiplier is paid for a bound that does not bind.

For a potential game the exploitability is the Frank-Wolfe gap of the potential and, if the game is crowd-averse, bounds
its distance from the minimum; so does the duality gap, with the best dual price at hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers
from mfgsolve.games import DiffusionGame, FiniteGame, Game, Policy, make_game
from mfgsolve.games.policies import SpeedPolicy, move_names
from mfgsolve.games.tables import TablePolicy
from mfgsolve.problem import Problem

__all__ = ["Certificate", "certify", "exploitability", "given_multiplier", "given_policy", "in_steps_of"]


@dataclass(frozen=True)
class Certificate:
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

    def __float__(self) -> float:
        return self.exploitability


def relative(gap: float, scale: float) -> float:
    """gap / scale; where nothing costs anything (scale 0) every policy is an equilibrium, and the answer 0."""
    return gap / scale if scale > 0 else 0.0 if gap == 0 else math.nan


def certify(
    game: Game,
    policy: Policy,
    crowd: np.ndarray,
    dual: float = math.nan,
    spare: np.ndarray | None = None,
    multiplier: np.ndarray | None = None,
) -> Certificate:
    """Certificate of a policy and the crowd it induces; one backward pass.

    ``dual`` is the value of the concave dual at some price, if known; the better of it and of the price f(m) counts.
    ``spare`` (T+1 levels) is overwritten.  ``multiplier`` (shape of a price) belongs to the hard bounds.
    """
    own, own_size, capped = policy.own_cost(game, crowd)
    price = game.levels() if spare is None else spare
    energy = game.price_and_potential(crowd, price)
    slack = 0.0
    if multiplier is not None:
        price += multiplier
        slack = game.slack_cost(multiplier, crowd)
    (paid, paid_size), terminal = game.crowd_totals(price, crowd), game.terminal_total(crowd)
    scale = own_size + paid_size + game.terminal_size(crowd)
    best = game.respond(price, out=game.policy_buffer(price), crowd=crowd).mean_value
    cost = own + paid + terminal
    gap = cost - best + slack
    problem = game.problem
    potential = own + energy + terminal if problem.is_potential else math.nan
    duality = math.nan
    if problem.is_potential and problem.is_monotone:
        duality = gap if math.isnan(dual) else min(gap, potential - dual)
    return Certificate(
        exploitability=gap,
        relative_exploitability=relative(gap, scale),
        potential=potential,
        duality_gap=duality,
        cost=cost,
        scale=scale,
        movement_cost=own,
        crowd_cost=paid,
        terminal_cost=terminal,
        mass_error=game.mass_error(crowd),
        cap_fraction=capped,
        violation=game.violation(crowd) if problem.is_hard else 0.0,
    )


def exploitability(problem: Problem, policy: Any) -> Certificate:
    """Certificate of any policy: what one agent gains at most by leaving it while all others follow it.

    Parameters
    ----------
    problem : the game; without steps of its own it takes those of the policy
    policy : of a controlled diffusion, speeds (step, move, ..., y, x) in the order x+, x-, y+, ...; of a finite game,
        probabilities (step, action, ...); as an array, a Dataset with ``speed`` or ``policy``, or a solution

    Examples
    --------
    >>> import numpy as np, mfgsolve as mfg
    >>> problem = mfg.problems.supply_demand(shape=(8, 8), steps=32)
    >>> stay = np.zeros((32, 4, 8, 8))
    >>> float(mfg.exploitability(problem, stay)) > 0.1
    True
    """
    if not isinstance(problem, Problem):
        raise InputError(
            f"exploitability got a {type(problem).__name__} for the problem; a Problem is needed (a loaded solution of "
            "a game made in Python has none: state it again)"
        )
    if isinstance(policy, str | Path):
        raise InputError(f"policy is the path {policy}; read the file first: exploitability(problem, load(path))")
    given = getattr(policy, "dataset", policy)
    game = make_game(in_steps_of(problem, given))
    multiplier = given_multiplier(game, given)
    checked = given_policy(game, given)
    return certify(game, checked, checked.flow(game), multiplier=multiplier)


def in_steps_of(problem: Problem, given: Any) -> Problem:
    """The problem, in the steps of a policy where it states none of its own."""
    if problem.time.settled:
        return problem
    sizes = getattr(given, "sizes", None)  # of a dataset or an xarray
    shape = numbers(given, "policy").shape if sizes is None else ()
    steps = shape[0] if shape else dict(sizes or {}).get("step", 0)
    return problem.with_steps(int(steps)) if steps else problem


def given_policy(game: Game, given: Any) -> Any:
    """The checked policy that a dataset, an xarray or an array holds."""
    assert isinstance(game, DiffusionGame | FiniteGame)
    array = _policy_array(game, given)
    return SpeedPolicy.checked(array, game) if isinstance(game, DiffusionGame) else TablePolicy.checked(array, game)


def _policy_array(game: DiffusionGame | FiniteGame, given: Any) -> np.ndarray:
    """Speeds or probabilities of a dataset, an xarray or an array, in the order of the game."""
    name, dim, labels = ("speed", "move", move_names(game)) if isinstance(game, DiffusionGame) else (
        "policy", "action", game.action_names)  # fmt: skip
    if hasattr(given, "data_vars"):
        if name not in given:
            raise InputError(f"policy dataset has variables {sorted(given.data_vars)}; one named {name!r} is needed")
        given = given[name]
    if hasattr(given, "dims"):
        names = ("step", dim, *game.grid.dims)
        if set(given.dims) != set(names) or set(given[dim].values.tolist()) != set(labels):
            raise InputError(f"policy has dimensions {tuple(given.dims)}; {names} with the {dim}s {labels} are needed")
        given = given.transpose(*names).sel({dim: labels})
    return numbers(getattr(given, "values", given), "policy")


def given_multiplier(game: Game, given: Any) -> np.ndarray | None:
    """Multipliers of the hard bounds, from the dataset of a solution."""
    if not game.problem.is_hard:
        return None
    if not hasattr(given, "data_vars") or not ({"capacity_multiplier", "price_multiplier"} & set(given.data_vars)):
        raise InputError(
            "the problem has hard bounds, and a policy alone does not say what they cost; pass a solution, or a "
            "dataset with capacity_multiplier or price_multiplier"
        )
    multiplier = np.zeros((game.steps + 1, game.width))
    if "capacity_multiplier" in given:
        values = given["capacity_multiplier"].transpose("time", *game.grid.dims).values
        multiplier[:, : game.cells] = values.reshape(game.steps + 1, -1)
    if "price_multiplier" in given:
        multiplier[:-1, game.width - len(game.prices) :] = given["price_multiplier"].transpose("step", ...).values
    return multiplier.reshape(game.levels().shape)
