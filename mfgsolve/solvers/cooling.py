"""From hot to cold: the levels through which Newton reaches a game that it does not reach at once.

At a high temperature every action of a finite game is taken, whatever the crowd does, and Newton's method converges
from anywhere; the belief that solves one temperature starts the next.  A controlled diffusion has a temperature, too,
2 nu c (Cole and Hopf): where moving is dear, agents drift with the noise, whatever the crowd does.  Its levels are
games whose cost of moving c is a multiple, the *heat*, of its own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mfgsolve.steps import Costs

__all__ = ["DIFFERENCES", "dearer", "heat", "heats", "temperatures"]

TINY = 1e-300
CAREFUL = 0.9  # cooling of a coupled game, whose equilibria may branch
COLDEST = 1e-8  # below this share of the largest difference of costs, round-off in a price decides a softmax
DIFFERENCES = 600  # masses up to which a coupled game is linearised by differences


def temperatures(game: Any, cooling: float) -> list[float]:
    """Falling temperatures of a game with tables, the last of them its own, or next to none where it has none."""
    hot = heat(game)
    cold = game.temperature or COLDEST * hot
    cooling = CAREFUL if game.is_coupled else cooling
    last = max(cold, COLDEST * hot)  # from there to colder still it is one step
    count = math.ceil(math.log(last / hot) / math.log(cooling)) if hot > last else 0
    warmer = [last * cooling**-k for k in range(count, 0 if last == cold else -1, -1)]
    return [*warmer, game.temperature or max(cold, TINY)]


def heat(game: Any) -> float:
    """The temperature at which no action matters much: the largest difference that one makes to an agent that goes on
    anyhow, among a crowd that does so too, or that stays where it starts."""
    policy, result = game.step.uniform(), 0.0
    for crowd in (game.flow(policy), game.resting_crowd(game.empty_crowd())):
        q = game.evaluate(policy, game.price(crowd), crowd)[1]
        spread = np.ptp(np.where(game.step.allowed, q, q.min(axis=1, keepdims=True)), axis=1)
        spread = game.unweighed(spread, slice(0, game.steps))
        result = max(result, float(spread[game.flow(policy)[:-1, : game.cells] > 0].max()))
    return result / game.dt


def dearer(game: Any, heat: float) -> Any:
    """The same diffusion with a cost of moving ``heat`` times its own; arrays are shared."""
    return game.in_steps_of(game.step.dearer(heat))


def heats(game: Any, cooling: float) -> list[float]:
    """Multiples of the cost of moving, falling to 1, from one at which nobody moves much.

    What an agent gains by being elsewhere all the time is at most R, the range of sum weight f + g: among a crowd that
    rests, that only drifts, or that best answers the one or the other and meets where it thought nobody was.  It hardly
    moves where R is small against the temperature 2 nu c of the noise, or where it pays for less than a cell on the
    way, c (h / T)^2 T / 2.  A step of one's own, whose cost of moving nobody knows, has one level, its own.
    """
    cost = game.step.cost_of_moving
    if cost is None:
        return [1.0]
    stated = getattr(game.problem.all_dynamics[0], "viscosity", 0.0)
    viscosity = stated if isinstance(stated, float) else 0.0  # where it is a field, as if there were none: more levels
    weights, free, gain = game.weights.reshape(-1, *(1 for _ in game.step.shape)), ~game.grid.mask.reshape(-1), 0.0
    for crowd in (game.flow(_drifting(game)), game.resting_crowd(game.empty_crowd())):
        for _ in range(2):
            price = game.price(crowd)
            total = (weights * price).sum(axis=0) + game.terminal_cost
            gain = max(gain, float(np.ptp(total.reshape(-1)[free])))
            crowd = game.flow(game.respond(price).policy)
    cell = min(axis.smallest for axis in game.grid.axes)
    unit = cost * max(8 * viscosity, cell**2 / (2 * game.time.horizon))
    if not (math.isfinite(gain) and gain > unit):
        return [1.0]
    count = math.ceil(math.log(gain / unit) / -math.log(cooling))
    return [cooling**-k for k in range(count, -1, -1)]


def _drifting(game: Any) -> np.ndarray:
    """The best response to no costs at all: to go with the drift and the noise."""
    policy, nothing = game.step.new_policy(), np.zeros((game.steps + 1, *game.step.shape))
    game.horizon.backward(game.step, Costs(nothing, game.weights, nothing[0]), policy, None)
    return np.asarray(policy)
