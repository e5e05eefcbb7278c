"""Certificates: how far a policy and its own flow are from equilibrium, in float64, on the discrete game itself.

    cost J(pi; m) = movement + sum_t weight_t <f_t(m), m_t> + <g, m_T>
    exploitability = J(pi; m) - min_pi' J(pi'; m) >= 0        (round-off may show -1e-17: reported as computed)
    scale = movement + sum_t weight_t <|f_t|, m_t> + <|g|, m_T>,   relative = exploitability / scale

For a potential game the exploitability is the Frank-Wolfe gap of the potential and, if the game is crowd-averse, bounds
its distance from the minimum; so does the duality gap, with the best dual price at hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games import DiffusionGame
from mfgsolve.games.policies import FluxPolicy, SpeedPolicy, ValuePolicy, move_names
from mfgsolve.problem import Problem

__all__ = ["Certificate", "certify", "exploitability"]


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

    def __float__(self) -> float:
        return self.exploitability


def relative(gap: float, scale: float) -> float:
    """gap / scale; where nothing costs anything (scale 0) every policy is an equilibrium, and the answer 0."""
    return gap / scale if scale > 0 else 0.0 if gap == 0 else math.nan


def certify(
    game: DiffusionGame,
    policy: ValuePolicy | FluxPolicy | SpeedPolicy,
    mass: np.ndarray,
    dual: float = math.nan,
    spare: np.ndarray | None = None,
) -> Certificate:
    """Certificate of a policy and the flow it induces; one backward pass.

    ``dual`` is the value of the concave dual at some price, if known; the better of it and of the price f(m) counts.
    ``spare`` (T+1 levels) is overwritten.
    """
    if isinstance(policy, ValuePolicy):
        movement, capped = game.movement(policy.ahead, mass)
    elif isinstance(policy, FluxPolicy):
        movement, capped = policy.movement(game)
    else:
        movement, capped = policy.movement(game, mass)
    price = game.levels() if spare is None else spare
    energy = game.price_and_potential(mass, price)
    (crowd, crowd_size), terminal = game.crowd_totals(price, mass), game.terminal_total(mass)
    scale = movement + crowd_size + float((np.abs(game.terminal_cost) * mass[-1]).sum())
    best = game.respond(price, out=price[: game.steps]).mean_value
    cost = movement + crowd + terminal
    gap = cost - best
    problem = game.problem
    potential = movement + energy + terminal if problem.is_potential else math.nan
    duality = math.nan
    if problem.is_potential and problem.is_monotone:
        duality = gap if math.isnan(dual) else min(gap, potential - dual)
    totals = mass.reshape(mass.shape[0], -1).sum(axis=1)
    return Certificate(
        exploitability=gap,
        relative_exploitability=relative(gap, scale),
        potential=potential,
        duality_gap=duality,
        cost=cost,
        scale=scale,
        movement_cost=movement,
        crowd_cost=crowd,
        terminal_cost=terminal,
        mass_error=float(np.abs(totals - 1.0).max()),
        cap_fraction=capped,
    )


def exploitability(problem: Problem, policy: Any) -> Certificate:
    """Certificate of any policy: what one agent gains at most by leaving it while all others follow it.

    Parameters
    ----------
    problem : the game
    policy : speeds (step, move, ..., y, x) in the order x+, x-, y+, ..., as an array, a Dataset with ``speed``, or a
        solution

    Examples
    --------
    >>> import numpy as np, mfgsolve as mfg
    >>> problem = mfg.problems.supply_demand(shape=(8, 8), steps=32)
    >>> stay = np.zeros((32, 4, 8, 8))
    >>> float(mfg.exploitability(problem, stay)) > 0.1
    True
    """
    game = DiffusionGame(problem)
    speeds: Any = getattr(policy, "dataset", policy)
    if hasattr(speeds, "data_vars"):
        if "speed" not in speeds:
            raise InputError(f"policy dataset has variables {sorted(speeds.data_vars)}; one named 'speed' is needed")
        speeds = speeds["speed"]
    if hasattr(speeds, "dims"):
        names, moves = ("step", "move", *game.grid.dims), move_names(game)
        if set(speeds.dims) != set(names) or set(speeds["move"].values.tolist()) != set(moves):
            raise InputError(f"policy has dimensions {tuple(speeds.dims)}; {names} with the moves {moves} are needed")
        speeds = speeds.transpose(*names).sel(move=moves)
    if isinstance(speeds, str | Path):
        raise InputError(f"policy is the path {speeds}; read the file first: exploitability(problem, load(path))")
    checked = SpeedPolicy.checked(np.asarray(speeds), game)
    return certify(game, checked, checked.flow(game))
