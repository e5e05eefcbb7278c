"""From what a solver of 0.4.0 wrote down to what today's solvers go on from.

Today's solvers see costs from which is taken out what everybody pays (`mfgsolve.games.constants`), 0.4.0 saw all of
them.  With

    A(t) = sum over s >= t of [own(s) + weight(s) (state(s) + choice(s))] + terminal

the constants that are paid from node t on, population by population, the same point has

- values V_t - A(t), and lambda_t - (A(t) - weight(t) state(t)), the value once the place is paid (interior point)
- values of actions q_t - (A(t) - weight(t) state(t)), or + A(t) where they are rewards (learners)
- multipliers of the flow y_t + A(t), for t > 0, prices f - state and f - choice (Chambolle-Pock); in ADMM, whose point
  is primal less dual / weight, the dual of an occupation moves as its own cost does, that of what couplings see as its
  price

while policies, masses, scores and reduced costs are the same.  Steps from there are those that 0.4.0 would have taken,
but for round-off and for what has been mended since.  What 0.4.0 did not know of is as at a start.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.games import Game, make_game
from mfgsolve.problem import Problem
from mfgsolve.solvers.equations import Equations
from mfgsolve.solvers.proximal import Programme
from mfgsolve.steps.table_policies import TablePolicy

__all__ = ["renewed"]

Arrays = dict[str, np.ndarray]
Numbers = dict[str, float]


def renewed(solver: str, problem: Problem, arrays: Arrays, numbers: Numbers, iteration: int) -> tuple[Arrays, Numbers]:
    """Arrays and numbers of a state of that solver, as 0.5.0 has them.

    Parameters
    ----------
    solver : its name
    problem : the game as it is stated
    arrays, numbers : what the checkpoint holds
    iteration : the one that it is of
    """
    change = _CHANGES.get(solver)
    if change is None:
        return arrays, numbers
    return change(problem, make_game(problem.levelled()), dict(arrays), {**numbers, "iteration": iteration})


# -- constants -------------------------------------------------------------------------------------------------------


def _each(game: Game, field: np.ndarray) -> np.ndarray:
    """A field (levels, populations) for every state, (levels, states)."""
    return np.repeat(field, game.cells // game.grid.populations, axis=1)


def _from(game: Game) -> np.ndarray:
    """A, what is paid from every node on, (T+1, states)."""
    return _each(game, game.constants.ahead())


def _after(game: Game) -> np.ndarray:
    """A less what the place costs at that node, (T+1, states)."""
    return _each(game, game.constants.ahead() - game.constants.weights[:, None] * game.constants.state)


# -- solver by solver ------------------------------------------------------------------------------------------------


def _newton(problem: Problem, game: Game, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    """It had neither trust regions nor heats."""
    return arrays, {**numbers, "phase": 0.0, "damping": 0.0, "growth": 2.0, "breathless": 0.0, "kept": math.inf}


def _averaging(problem: Problem, game: Game, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    return arrays, {**numbers, "mixed": numbers["iteration"]}


def _interior_point(problem: Problem, game: Any, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    arrays["value"] = np.concatenate([arrays["value"][:1], arrays["value"][1:] - _from(game)[1:]])
    arrays["level"] = arrays["level"] - _after(game)
    policy = arrays["best_policy"]
    best = certify(game, TablePolicy(policy), game.flow(policy), multiplier=arrays.get("best_multiplier"))
    return arrays, {**numbers, "best_score": max(abs(best.relative_exploitability), best.violation)}


def _complementarity(problem: Problem, game: Any, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    """It knew the last policy only, and one road."""
    system = Equations(game)
    arrays["value"] = arrays["value"] - _from(game)[:-1][system.reach]
    occupation = system.table(arrays["choice"])
    mass = occupation.sum(axis=1, keepdims=True)
    policy = np.where(mass > 0, occupation / np.where(mass > 0, mass, 1.0), game.step.uniform())
    best = certify(game, TablePolicy(policy), game.flow(policy))
    arrays["best"] = policy
    return arrays, {**numbers, "least": abs(best.relative_exploitability), "again": 0.0}


def _splitting(problem: Problem, game: Any, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    """ADMM."""
    then, now = Programme(make_game(problem)), Programme(game)  # type: ignore[arg-type]
    lengths = np.asarray(now.observe.multiply(now.observe).sum(axis=1)).reshape(-1)
    seen = now.marginal(arrays["guess"]) - then.marginal(arrays["guess"])
    dual = np.concatenate([now.cost - then.cost, seen * np.maximum(lengths, 1.0)])
    return arrays | {name: arrays[name] - dual / numbers["weight"] for name in ("point", "anchor")}, numbers


def _primal_dual(problem: Problem, game: Any, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    """Chambolle-Pock: the occupations, the multipliers of their flow, and the prices."""
    then, now = Programme(make_game(problem)), Programme(game)  # type: ignore[arg-type]
    free, flow = ~game.grid.mask.reshape(-1), np.concatenate([_after(game)[:1], _from(game)[1:]])
    seen = now.marginal(arrays["guess"]) - then.marginal(arrays["guess"])
    change = np.concatenate([np.zeros(now.cost.size), flow[:, free].reshape(-1), seen])  # m_0 is given, and no price
    return arrays | {name: arrays[name] + change for name in ("point", "anchor")}, numbers


def _values(problem: Problem, game: Any, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    arrays["q"] = arrays["q"] - _after(game)[:-1, None, :]
    return arrays, numbers


def _critic(problem: Problem, game: Any, arrays: Arrays, numbers: Numbers) -> tuple[Arrays, Numbers]:
    arrays["critic"] = arrays["critic"] + _from(game)[None, :-1, :, None]
    return arrays, numbers


Change = Callable[[Problem, Any, Arrays, Numbers], tuple[Arrays, Numbers]]
_CHANGES: dict[str, Change] = {
    "newton": _newton,
    "frank-wolfe": _averaging,
    "fictitious-play": _averaging,
    "interior-point": _interior_point,
    "complementarity": _complementarity,
    "admm": _splitting,
    "chambolle-pock": _primal_dual,
    "gmf-q": _values,
    "boltzmann-iteration": _values,
    "mguni": _critic,
}
